"""How sure a threshold is that was found on half of the people (`fmr=…`): its interval.

A threshold lies in its interval wherever the bounds of FMR there hold the rate that was wanted (Woodruff 1952). The
bounds are those of METRICS.md § Intervals, zero and few errors included, so the interval covers where a bootstrap of
the same people does not: 95 to 100 % against 86 to 98 % (30 to 60 people to find it on, pairs correlated .1 to .7).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from testbed.evidence.intervals import rate_interval, within_group
from testbed.evidence.scored import Array, ScoredCell
from testbed.matching.thresholds import Direction

LEAST = 1e-12
"""Stands for no error on a logarithmic scale."""


def found_thresholds(cell: ScoredCell, alpha: float = 0.05) -> Iterator[dict[str, Any]]:
    """A row, JSON-able, for each threshold of a cell that was found on a half of its people.

    low, high: its interval in score units, null where an end lies beyond the thresholds that were tallied.
    """
    points = cell.thresholds()
    everyone = cell.population(cell.people.everyone())
    where = cell.intervals(points)
    for point in cell.tallied.points:
        for half in (0, 1) if point.startswith("fmr=") else ():
            threshold = float(cell.tallied.thresholds[cell.tallied.index(point), 1 - half])
            bins, people = everyone.non_mated[half], everyone.folds == half
            if np.isnan(threshold) or not len(points):
                continue
            matches = np.cumsum(np.bincount(where, bins, minlength=len(points) + 1))[:-1]
            # What a person's comparisons have in common is as visible in those with the other half.
            errors, trials = everyone.matches[points].sum(axis=1)[:, people], everyone.trials[points[0]].sum(axis=0)
            rates = [
                replace(within_group(each, trials[people], np.zeros(3)), errors=int(n), comparisons=int(bins.sum()))
                for each, n in zip(errors, matches, strict=True)
            ]
            bounds = np.array([(i.low, i.high) for i in (rate_interval(rate, rates, alpha) for rate in rates)])
            ends = turned_round(float(point[4:]), cell.tallied.thresholds[points, 0], bounds, cell.direction)
            low, high = (min(ends[0], threshold), max(ends[1], threshold))
            yield {
                "system": cell.system, "condition": cell.condition, "cell": cell.cell, "operating_point": point,
                "found_on_half": half, "people": int(people.sum()), "comparisons": int(bins.sum()),
                "threshold": threshold, "low": low if np.isfinite(low) else None,
                "high": high if np.isfinite(high) else None, "confidence": 1 - alpha,
                "method": "clustered bounds of FMR, turned round",
            }  # fmt: skip


def turned_round(wanted: float, limits: Array, bounds: Array, direction: Direction) -> tuple[float, float]:
    """The least and the greatest threshold at which the bounds of FMR hold `wanted`.

    limits `(K,)` from strict to loose, bounds `(K, 2)` there; infinite where they hold it to the end.
    """
    outward = np.inf if direction == "distance" else -np.inf
    logs = np.log(np.maximum.accumulate(np.maximum(bounds, LEAST), axis=0))
    strict, loose = (float(np.interp(np.log(wanted), logs[:, k], limits, -outward, outward)) for k in (1, 0))
    return min(strict, loose), max(strict, loose)
