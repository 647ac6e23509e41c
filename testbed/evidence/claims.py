"""What is claimed of a system, held against the evidence (METRICS.md § Claims)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pipelines.errors import InputError
from testbed.evidence.figures import SAME_GROUP
from testbed.evidence.intervals import (
    Clustered,
    borrowed_design_effect,
    clopper_pearson,
    disjoint_pairs,
    rate_interval,
    sufficient,
)
from testbed.evidence.rates import CellData
from testbed.matching.people import Group
from testbed.scenario.documents import read
from testbed.scenario.problems import dotted, in_words, suggestion

MOST_PEOPLE = 10**7
"""More further people than this is never a test that anybody will run."""


class Claim(BaseModel):
    """One claim: a rate at a threshold is at most a bound, for each of the groups named.

    metric: FMR (within each group), FNMR, FTA, FRR or GFRR. Accuracy is 1 minus an error rate, and which one is
    for the claimant to say: `accuracy` is therefore judged under every reading.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    says: str = Field(min_length=1, max_length=300, description="the claim in the claimant's words")
    metric: Literal["FMR", "FNMR", "FTA", "FRR", "GFRR", "accuracy"]
    at_most: float | None = Field(None, gt=0, lt=1, description="the bound on an error rate, e.g. 1e-4")
    at_least: float | None = Field(None, gt=0, lt=1, description="for accuracy: 0.99 says at most 1 % errors")
    operating_point: str = Field("own", description="own, fmr=1e-2 or given=0.5, as the run evaluated them")
    groups: Literal["all", "same group", "each"] | list[str] = Field(
        "each", description="everybody pooled, comparisons inside groups pooled, each group, or groups by name"
    )
    system: str | None = Field(None, description="the system it is made of (default: every system)")
    condition: str | None = Field(
        None, description="the condition it is made for, by its name in the run (default: clean, or the only one)"
    )

    @model_validator(mode="after")
    def _one_bound(self) -> Claim:
        wanted, other = ("at_least", "at_most") if self.metric == "accuracy" else ("at_most", "at_least")
        if getattr(self, wanted) is None or getattr(self, other) is not None:
            raise ValueError(f"a claim on {self.metric} needs `{wanted}` and not `{other}`")
        return self

    @property
    def bound(self) -> float:
        """The error rate that is claimed not to be exceeded."""
        return self.at_most if self.at_most is not None else 1 - (self.at_least or 0.0)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
    confidence: float = Field(0.95, gt=0.5, lt=1)
    claims: list[Claim] = Field(min_length=1)


def read_claims(path: Path) -> tuple[list[Claim], float]:
    """The claims of a file and the confidence they are judged at. Raises InputError, all mistakes at once."""
    document = read(path)
    try:
        found = _File.model_validate(document.value)
    except ValidationError as error:
        told = in_words(error.errors(), document.value, _File)
        raise InputError("\n".join(f"{document.place(at)}: {dotted(at)}: {said}" for at, said in told)) from None
    return found.claims, found.confidence


def judge(
    claims: list[Claim], confidence: float, cells: list[CellData], *, people_known: bool = True
) -> list[dict[str, Any]]:
    """Every claim against every cell and group it speaks of: the rows of evidence.json's `claims`.

    One-sided bounds at (1 − confidence)/m, m = all statements of the run (Bonferroni), so that all verdicts hold
    together. Where it is not known who is who (`people_known`), intervals are too narrow and nothing is supported.
    Raises InputError for a system, condition, point or group that the run does not have.
    """
    statements = [s for claim in claims for s in _statements(claim, cells)]
    alpha = (1 - confidence) / len(statements)
    rows = [_judged(*statement, alpha, confidence, len(statements)) for statement in statements]
    for row in rows:
        if row["verdict"] == "supported" and not people_known:
            row["verdict"] = "untestable"
    return rows


@dataclass(frozen=True)
class Judgement:
    """A verdict on "rate ≤ bound", the one-sided limits it rests on, and what further people would settle it."""

    verdict: Literal["refuted", "supported", "not settled", "untestable"]
    low: float
    high: float
    free_agrees: bool
    people_if_as_observed: int | None = None
    people_if_half_the_bound: int | None = None


def verdict_on(rate: Clustered, lenders: list[Clustered], bound: float, alpha: float, *, paired: bool) -> Judgement:
    """Whether a rate is at most `bound`, at one-sided level `alpha`.

    `free_agrees`: the assumption-free bound (disjoint pairs) gives the same verdict. The further people are those
    for whom the limit would clear the bound if evidence grows as it did so far (with pairs of people, or people).
    """
    limits = rate_interval(rate, lenders, 2 * alpha)
    if not sufficient(rate, paired=paired):
        return Judgement("untestable", limits.low, limits.high, free_agrees=True)
    free = disjoint_pairs(rate, 2 * alpha)
    if limits.low > bound:
        return Judgement("refuted", limits.low, limits.high, free_agrees=free[0] > bound)
    if limits.high <= bound:
        return Judgement("supported", limits.low, limits.high, free_agrees=free[1] <= bound)
    effect = borrowed_design_effect(lenders) or max(1.0, rate.comparisons / max(rate.disjoint, 1))
    further = [_further(rate, effect, true, bound, alpha, paired=paired) for true in (rate.rate, bound / 2)]
    return Judgement("not settled", limits.low, limits.high, True, *further)


def _further(rate: Clustered, effect: float, true: float, bound: float, alpha: float, *, paired: bool) -> int | None:
    """Further people, were the true rate `true`; None where no test of a size that is ever run would settle it."""

    def settled(people: int) -> bool:
        growth = people / rate.subjects
        n = max(rate.comparisons / effect * (growth * growth if paired else growth), 1.0)
        low, high = clopper_pearson(true * n, n, 2 * alpha)
        return high <= bound if true <= bound else low > bound

    low, high = rate.subjects, 2 * rate.subjects
    while not settled(high):
        low, high = high, 2 * high
        if high > MOST_PEOPLE:
            return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if settled(middle) else (middle + 1, high)
    return high - rate.subjects


_Statement = tuple[Claim, str, CellData, Group, Group | None]
"""Claim, the rate it is read as, the cell, the probe group, the reference group."""


def _statements(claim: Claim, cells: list[CellData]) -> Iterator[_Statement]:
    systems, conditions = (
        {getattr(c, n) if n == "system" else c.condition["name"] for c in cells} for n in ("system", "condition")
    )
    condition = claim.condition or (next(iter(conditions)) if len(conditions) == 1 else "clean")
    for wanted, known, what in ((claim.system, systems, "system"), (condition, conditions, "condition")):
        if wanted is not None and wanted not in known:
            raise InputError(f"claim {claim.says!r}: the run has no {what} {wanted!r}; {suggestion(wanted, known)}")
    for cell in cells:
        if claim.system not in (None, cell.system) or cell.condition["name"] != condition:
            continue
        if claim.operating_point not in cell.operating_points:
            raise InputError(
                f"claim {claim.says!r}: the run was not evaluated at {claim.operating_point!r}; "
                f"{suggestion(claim.operating_point, cell.operating_points)}"
            )
        if claim.metric == "accuracy":
            everyone = cell.people.everyone()
            yield claim, "FMR", cell, everyone, everyone
            yield claim, "FMR", cell, everyone, SAME_GROUP
            yield claim, "FNMR", cell, everyone, None
            yield claim, "GFRR", cell, everyone, None
            continue
        for probe, reference in _groups(claim, cell):
            yield claim, claim.metric, cell, probe, reference if claim.metric == "FMR" else None


def _groups(claim: Claim, cell: CellData) -> list[tuple[Group, Group]]:
    everyone = cell.people.everyone()
    if claim.groups == "same group":
        return [(everyone, SAME_GROUP)]
    known = {group.name: group for group in cell.people.within()}
    if claim.groups == "each":
        chosen = cell.people.crossed() or [everyone]
    else:
        names = ["all"] if claim.groups == "all" else list(claim.groups)
        for name in names:
            if name not in known:
                raise InputError(f"claim {claim.says!r}: there is no group {name!r}; {suggestion(name, known)}")
        chosen = [known[name] for name in names]
    return [(group, group) for group in chosen]


def _judged(
    claim: Claim, metric: str, cell: CellData, probe: Group, reference: Group | None,
    alpha: float, confidence: float, statements: int,
) -> dict[str, Any]:  # fmt: skip
    rate, lenders = cell.clustered(metric, claim.operating_point, probe, reference)
    found = verdict_on(rate, lenders, claim.bound, alpha, paired=metric == "FMR")
    return {
        "says": claim.says, "metric": claim.metric, "read_as": metric, "bound": claim.bound,
        "system": cell.system, "condition": cell.condition, "cell": cell.cell,
        "operating_point": claim.operating_point, "probe_group": probe.name,
        "reference_group": None if reference is None else reference.name,
        "value": rate.rate if rate.comparisons else None, "low": found.low, "high": found.high,
        "confidence": confidence, "statements": statements,
        "errors": rate.errors, "comparisons": rate.comparisons, "subjects": rate.subjects,
        "verdict": found.verdict, "assumption_free_agrees": found.free_agrees,
        "further_people_if_as_observed": found.people_if_as_observed,
        "further_people_if_half_the_bound": found.people_if_half_the_bound,
    }  # fmt: skip
