"""Rates of which only counts are known: what can be said where nobody's own errors were tallied."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from testbed.evidence.intervals import FEWEST_SUBJECTS, clopper_pearson
from testbed.matching.thresholds import Direction, matching
from testbed.matching.tiles import Counts, Tiling

RATES = "rates.csv"


@dataclass(frozen=True)
class CountedRate:
    """FMR of a pair of groups, or FNMR of a group (`second` None), at one threshold, with the assumption-free interval.

    people: distinct, of both groups. enough: whether they suffice to conclude anything.
    """

    metric: str
    first: str
    second: str | None
    threshold: float
    value: float | None
    low: float
    high: float
    errors: int
    comparisons: int
    people: int
    enough: bool


def counted_rates(
    counts: npt.NDArray[np.int64], edges: npt.NDArray[np.float64], thresholds: list[float], direction: Direction,
    labels: tuple[str, ...], people: npt.NDArray[np.int64], alpha: float = 0.05,
) -> Iterator[CountedRate]:  # fmt: skip
    """Rates from counts `(G, G, 2, B + 1)`, each pair of groups once, the lesser first; people `(G,)`: of each group.

    With decisions only, n* is the number of comparisons that share nobody (METRICS.md § Intervals): half of a group,
    or the smaller of two; for FNMR a person is one trial. Thresholds must be edges.
    """
    matched = matching(counts, direction)
    total = counts.sum(axis=-1)
    for threshold in thresholds:
        at = int(np.searchsorted(edges, threshold))
        for g, first in enumerate(labels):
            for h in range(g, len(labels)):
                disjoint = int(people[g] // 2 if g == h else min(people[g], people[h]))
                both = int(people[g] if g == h else people[g] + people[h])
                smallest = int(min(people[g], people[h]))
                yield _rate("FMR", first, labels[h], threshold, int(matched[g, h, 0, at]), int(total[g, h, 0]),
                            disjoint, both, smallest, alpha)  # fmt: skip
            errors = int(total[g, g, 1] - matched[g, g, 1, at])
            yield _rate("FNMR", first, None, threshold, errors, int(total[g, g, 1]), int(people[g]), int(people[g]),
                        int(people[g]), alpha)  # fmt: skip


def _rate(
    metric: str, first: str, second: str | None, threshold: float, errors: int, comparisons: int, disjoint: int,
    people: int, smallest: int, alpha: float,
) -> CountedRate:  # fmt: skip
    if not comparisons:
        return CountedRate(metric, first, second, threshold, None, 0.0, 1.0, 0, 0, people, enough=False)
    n = max(1, min(disjoint, comparisons))
    value = errors / comparisons
    low, high = clopper_pearson(value * n, n, alpha)
    return CountedRate(
        metric, first, second, threshold, value, low, high, errors, comparisons, people, smallest >= FEWEST_SUBJECTS
    )


def write_rates(tiling: Tiling, counts: Counts) -> None:
    """The rates of a finished count, as `rates.csv` in its folder."""
    plan, templates = tiling.plan, tiling.templates()
    people = np.bincount(templates.groups, minlength=len(templates.labels))
    direction: Direction = "similarity" if plan["metric"] == "cosine" else "distance"
    rates = counted_rates(counts, tiling.edges, plan["thresholds"], direction, templates.labels, people)
    table = pl.DataFrame([asdict(rate) for rate in rates], infer_schema_length=None)
    tiling.run.write_bytes(RATES, table.write_csv().encode())
