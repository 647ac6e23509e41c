"""A claim as its file states it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from pipelines.errors import InputError
from testbed.scenario.documents import read
from testbed.scenario.problems import Loc, dotted, in_words
from testbed.scenario.schema import Untitled

Metric = Literal["FMR", "FNMR", "FTA", "FRR", "GFRR", "accuracy", "calibration", "FPIR", "FNIR", "fps"]

BOUNDS: dict[str, tuple[str, ...]] = {
    "FMR": ("at_most", "within_factor"), "FNMR": ("at_most", "within_factor"), "FTA": ("at_most", "within_factor"),
    "FRR": ("at_most",), "GFRR": ("at_most",), "FPIR": ("at_most",), "FNIR": ("at_most",),
    "accuracy": ("at_least",), "fps": ("at_least",), "calibration": ("percent",),
}  # fmt: skip
"""What can be claimed of each metric: exactly one of these."""
NEEDED = {"calibration": ("prior",), "FPIR": ("gallery_size",), "FNIR": ("gallery_size",), "fps": ("device",)}
"""What must be said besides; a calibration without its prior, or a speed without its device, means nothing."""
ALLOWED = {"calibration": ("means",), "FNIR": ("rank",)}


class Claim(BaseModel):
    """One claim on one metric. Which of the fields it takes depends on the metric: BOUNDS, NEEDED, ALLOWED.

    FMR is that within each group. Accuracy is 1 minus an error rate, and which one is for the claimant to say:
    `accuracy` is therefore judged under every reading. `calibration` is "N % similar means N % likely".
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    says: str = Field(min_length=1, max_length=300, description="the claim in the claimant's words")
    metric: Metric = Field(description="what is claimed to be bounded")
    at_most: float | None = Field(None, gt=0, lt=1, description="the bound on an error rate, e.g. 1e-4")
    at_least: float | None = Field(None, gt=0, description="accuracy: 0.99 says at most 1 % errors; fps: 25")
    within_factor: float | None = Field(
        None, gt=1, description="equal error: the highest group's rate is at most this many times the lowest's"
    )
    across: str | None = Field(
        None, description="within_factor: the attribute whose groups are compared (default: all attributes crossed)"
    )
    percent: list[float] | float | None = Field(
        None, description="calibration: the displayed values, e.g. [50, 67, 90]"
    )
    means: Literal["exactly", "at least"] | None = Field(
        None, description="calibration: N % shown is N % likely (exactly, the default), or at least N %"
    )
    prior: float | None = Field(
        None, gt=0, lt=1, description="calibration: chance beforehand that it is the person; 0.5 is even odds"
    )
    gallery_size: int | None = Field(None, ge=1, description="FPIR, FNIR: people searched")
    rank: int | None = Field(None, ge=1, description="FNIR: found among the first so many candidates (default 1)")
    device: str | None = Field(
        None, min_length=1, description="fps: words that stand in the run's hardware record, e.g. the processor's name"
    )
    operating_point: str = Field("own", description="own, fmr=1e-2 or given=0.5, as the run evaluated them")
    groups: Literal["all", "same group", "each"] | list[str] = Field(
        "each", description="everybody pooled, comparisons inside groups pooled, each group, or groups by name"
    )
    system: str | None = Field(None, description="the system it is made of (default: every system)")
    condition: str | None = Field(
        None, description="the condition it is made for, by its name in the run (default: clean, or the only one)"
    )

    @model_validator(mode="after")
    def _hangs_together(self) -> Claim:
        if found := list(self._misfits()):
            sentences = "; ".join(sentence for _, sentence in found)
            raise PydanticCustomError("misfits", "{sentences}", {"sentences": sentences, "misfits": found})
        return self

    def _misfits(self) -> Iterator[tuple[Loc, str]]:
        bounds, needed = BOUNDS[self.metric], NEEDED.get(self.metric, ())
        allowed = {*bounds, *needed, *ALLOWED.get(self.metric, ()), *(["across"] if self.within_factor else [])}
        for name in ("at_most", "at_least", "within_factor", "across", "percent", "means", "prior", "gallery_size",
                     "rank", "device"):  # fmt: skip
            if getattr(self, name) is not None and name not in allowed:
                yield (name,), f"does not belong to a claim on {self.metric}, which takes {_either(bounds)}; drop it"
        given = [name for name in bounds if getattr(self, name) is not None]
        if len(given) != 1:
            yield (), f"a claim on {self.metric} needs {'' if given == [] else 'only one of '}{_either(bounds)}"
        for name in needed:
            if getattr(self, name) is None:
                yield (), f"a claim on {self.metric} needs `{name}`"
        if self.metric == "accuracy" and self.at_least is not None and self.at_least >= 1:
            yield ("at_least",), f"should be less than 1 for accuracy, e.g. 0.99 for 99 %, not {self.at_least:g}"
        if wrong := [p for p in self.percents if not 0 < p < 100]:
            yield ("percent",), f"should lie between 0 and 100, not {wrong[0]:g}"
        if isinstance(self.percent, list) and not self.percent:
            yield ("percent",), "has no value; give at least one, such as 67"
        if self.within_factor and self.groups in ("all", "same group"):
            yield ("groups",), "equal error compares groups: name two or more, or give `across` an attribute"
        if isinstance(self.groups, list) and len(set(self.groups)) < (2 if self.within_factor else 1):
            yield ("groups",), f"names {'fewer than two groups' if self.within_factor else 'no group'}; name them"

    @property
    def percents(self) -> list[float]:
        """The displayed values that are spoken of."""
        return self.percent if isinstance(self.percent, list) else [] if self.percent is None else [self.percent]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
    confidence: float = Field(0.95, gt=0.5, lt=1)
    claims: list[Claim] = Field(min_length=1)


def read_claims(
    path: Path, asked: Callable[[Sequence[Claim]], Iterable[tuple[Loc, str]]] = lambda _: ()
) -> tuple[list[Claim], float]:
    """The claims of a file and the confidence they are judged at. Raises InputError, all mistakes at once.

    asked: what the claims ask that the run does not have (`asked.misfits`), with places in the file.
    """
    document = read(path, "claims file", "claims, each with says, metric and a bound")
    told = list(document.problems)
    try:
        found = _File.model_validate(document.value)
        told += asked(found.claims)
    except ValidationError as error:
        told += in_words(error.errors(), document.value, _File)
    if told:
        raise InputError("\n".join(f"{document.place(at)}: {dotted(at)}: {said}" for at, said in told))
    return found.claims, found.confidence


def json_schema() -> dict[str, Any]:
    """The JSON Schema of claim files, for editors."""
    schema = _File.model_json_schema(schema_generator=Untitled)
    return {"$schema": Untitled.schema_dialect, "title": "Claims on face-matching systems", **schema}


def _either(names: tuple[str, ...]) -> str:
    return " or ".join(f"`{name}`" for name in names)
