"""What a scenario may say of enhancement: a picture made larger after the camera, before the system sees it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from testbed.scenario.strict import Strict
from testbed.scenario.synthetic import MadeUp

MOST_DRAWS = 50
MOST_PEOPLE = 500
"""Of a prior, whose portraits are all held at once."""
POSES = 6
"""Portraits of each person of a prior."""


class SuperResolver(Strict):
    """A learned super-resolver, run by ONNX Runtime."""

    model: Path = Field(strict=False, description="the .onnx file: 1 channel (luma) or 3 (RGB), 0 to 1")


class Completion(Strict):
    """Small faces are completed from a declared population, as a generative upscaler does."""

    prior: str = Field(description="a name under `priors`: whose faces it knows")
    draw: int = Field(1, ge=1, le=MOST_DRAWS, description="which of the many faces that fit the same few pixels")
    draws: int | None = Field(
        None, ge=1, le=MOST_DRAWS, description="instead of `draw`: so many of them, each a condition of its own"
    )

    @model_validator(mode="after")
    def _one_number(self) -> Completion:
        if self.draws is not None:  # a sweep has replaced it unless `draw` is there, too
            raise ValueError("says both `draw` and `draws`; keep one of them")
        return self


def _kind(value: object) -> str:
    """Which kind of enhancer is meant, so that mistakes are told for that kind alone."""
    if isinstance(value, SuperResolver) or (isinstance(value, dict) and "model" in value):
        return "superresolver"
    return "completion" if isinstance(value, Completion | dict) else "word"


Enhancer = Annotated[
    Annotated[Literal["none", "bicubic", "lanczos"], Tag("word")]
    | Annotated[SuperResolver, Tag("superresolver")]
    | Annotated[Completion, Tag("completion")],
    Discriminator(_kind),
]


class Prior(Strict):
    """A population whose faces an enhancer knows: what it draws from when pixels say too little."""

    people: list[MadeUp] = Field(min_length=1, description="who they are; none of them is before a camera")
    components: int = Field(60, ge=1, le=200, description="principal components kept of their portraits")
    noise: float = Field(
        15.0,
        ge=0.1,
        le=100,
        description="how far a small picture may be from what the population leads to expect, in grey levels",
    )
    # Measured on eight others of a population of 24: draws spread about as its faces do around what few pixels tell of
    # them, a little too much (×1.3) at 6 px between the eyes, too little at 12 px (×0.8).

    @model_validator(mode="after")
    def _enough_people(self) -> Prior:
        people = sum(kind.count for kind in self.people)
        if people > MOST_PEOPLE:
            raise ValueError(f"has {people} people; a prior has at most {MOST_PEOPLE}, name fewer")
        if self.components >= POSES * people:
            raise ValueError(
                f"{POSES} portraits of each of {people} people have at most {POSES * people - 1} principal "
                f"components, not {self.components}; name more people or fewer `components`"
            )
        return self
