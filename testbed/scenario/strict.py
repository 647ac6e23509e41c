"""What every model of a scenario is: strict, closed, frozen; and how several of its values misfit together."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

Misfit = tuple[tuple[str | int, ...], str]
"""A value that is right alone but not beside the others: where it stands, and a sentence."""


class Strict(BaseModel):
    """A part of a scenario."""

    # Strict, so that `frames: yes` is refused instead of meaning one frame.
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True)


def refuse(misfits: Iterable[Misfit]) -> None:
    """Raise all misfits as one validation error, whose context keeps where each of them stands."""
    found = list(misfits)
    if found:
        sentences = "; ".join(sentence for _, sentence in found)
        raise PydanticCustomError("misfits", "{sentences}", {"sentences": sentences, "misfits": found})
