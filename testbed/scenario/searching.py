"""What a scenario may say of searches: who is searched among whom, and how long the list is that comes back."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from testbed.scenario.strict import Strict

Fusion = Literal["max score", "best frame", "mean template"]
Length = Annotated[int, Field(ge=1, le=1000, description="how many candidates come back, at most")]
Size = Annotated[
    int | None,
    Field(ge=1, description="how many people are searched; unset: as many as there are, but the one searched for"),
]


class Lookup(Strict):
    """A look-up service: one photograph of a person, searched among everyone who passed the cameras.

    Each photograph is searched twice: once with the person's own passes taken out, so that nobody is there to be
    found, and once with them.
    """

    kind: Literal["lookup"] = Field(description="a reference photograph, searched among all who passed the cameras")
    length: Length = 10
    people: Size = None


class Identification(Strict):
    """Each pass of a person before a camera, searched among the reference photographs: with the person's own, and
    with these taken out.
    """

    kind: Literal["identification"] = Field(description="each pass, searched among the reference photographs")
    length: Length = 50
    people: Size = None


class Watchlist(Strict):
    """A few wanted people, and every pass of everybody held against their reference photographs."""

    kind: Literal["watchlist"] = Field(description="each pass, searched among the photographs of a few wanted people")
    wanted: int = Field(ge=1, description="how many people are wanted; drawn by the seed, evenly over the groups")
    fusion: Fusion = Field(
        "max score",
        description="what stands for a pass: the best score of its frames (max score), its best frame by the face "
        "detector's own score, or the mean of its templates",
    )
    length: Length = 5


Search = Lookup | Identification | Watchlist


def too_many(search: Search, passed: int, enrolled: int) -> str:
    """What is wrong with the size of a search's gallery where so many people passed and are enrolled; "" if nothing."""
    able, did = (passed, "passed the cameras")
    if not isinstance(search, Lookup):
        able, did = (enrolled, "is enrolled" if enrolled == 1 else "are enrolled")
    there = f"{able} {'person' if able == 1 else 'people'} {did}"
    if able < 2:
        return f"search: {there}; at least 2 are needed, so that somebody is left where one is taken out"
    asked = search.wanted if isinstance(search, Watchlist) else search.people
    if asked is None or asked < able:
        return ""
    key = "wanted" if isinstance(search, Watchlist) else "people"
    why = "somebody passes who is not wanted" if key == "wanted" else "the person searched for can be left out"
    return f"search.{key}: is {asked}, and {there}; name at most {able - 1}, so that {why}"
