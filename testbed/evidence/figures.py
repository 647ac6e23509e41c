"""A figure: one number with everything that must stand beside it. The rows of evidence.json."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from testbed.evidence.intervals import Clustered, Interval, sufficient
from testbed.matching.people import Group

SAME_GROUP = Group("same group", {}, ())
"""Reference group of comparisons within full-cross groups, pooled (same-group impostors)."""


@dataclass(frozen=True)
class Figure:
    """One figure of evidence.json; DESIGN § evidence.json names the fields, ARCHITECTURE.md lists them.

    `value` is None where nothing was compared (interval [0, 1]). `assumption_free` is the interval from disjoint
    pairs alone, given wherever `low` and `high` rest on a borrowed design effect. Of searches (unit `search`),
    `comparisons` counts searches, `subjects` the people searched for, and `gallery_size` those enrolled.
    """

    metric: str
    system: str
    condition: dict[str, Any]
    operating_point: str | None
    threshold: float | None
    unit: str
    probe_group: Group
    reference_group: Group | None
    value: float | None
    low: float
    high: float
    errors: int
    comparisons: int
    subjects: int
    method: str
    verdict: str
    assumption_free: tuple[float, float] | None = None
    confidence: float = 0.95
    cell: str = ""
    gallery_size: int | None = None
    rank: int | None = None

    def as_json(self) -> dict[str, Any]:
        """The row as evidence.json holds it."""
        reference = self.reference_group
        return {
            "metric": self.metric,
            "system": self.system,
            "condition": self.condition,
            "cell": self.cell,
            "operating_point": self.operating_point,
            "threshold": self.threshold,
            "unit": self.unit,
            "gallery_size": self.gallery_size,
            "rank": self.rank,
            "probe_group": self.probe_group.name,
            "probe_attributes": self.probe_group.attributes,
            "reference_group": None if reference is None else reference.name,
            "reference_attributes": None if reference is None else reference.attributes,
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "confidence": self.confidence,
            "errors": self.errors,
            "comparisons": self.comparisons,
            "subjects": self.subjects,
            "method": self.method,
            "assumption_free": self.assumption_free,
            "verdict": self.verdict,
        }


def verdict(rates: Sequence[Clustered], *, paired: bool) -> str:
    """`measured` where every rate the figure rests on has people enough, else `insufficient`."""
    return "measured" if all(sufficient(rate, paired=paired) for rate in rates) else "insufficient"


def bounded(interval: Interval) -> dict[str, Any]:
    """An interval as the fields of a Figure."""
    return {
        "low": interval.low,
        "high": interval.high,
        "method": interval.method,
        "assumption_free": interval.free,
    }
