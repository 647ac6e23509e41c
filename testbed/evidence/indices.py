"""One number for the differences among several groups (METRICS.md § Differentials).

Each index has an interval: the least and greatest value it can take while every group's rate stays within its bounds.
Bounds that hold for all groups at once make it an interval at their joint confidence, however the index chooses
among the groups.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from testbed.evidence.differentials import kinds_of
from testbed.evidence.intervals import Clustered, rate_interval, sufficient
from testbed.evidence.rates import ALPHA, CellData
from testbed.matching.people import Group

Floats = npt.NDArray[np.float64]

MOST_ENUMERATED = 16
"""Groups up to which the greatest Gini coefficient is sought among all 2ⁿ corners of the bounds."""


WEIGHT = 0.5
"""α: what false matches count for in an index of both kinds of error; misses count for the rest."""

EQUAL = {"max/min": 1, "max/geomean": 1, "GARBE": 0, "FDR": 1, "IR": 1}
"""What each index is where all groups have one rate."""

_DEFINED = {
    "max/min": "The highest {0} of any group divided by the lowest; 1 where all are equal.",
    "max/geomean": "The highest {0} of any group divided by the geometric mean of all; 1 where all are equal.",
    "GARBE": "How unevenly {0} and {1} fall on the groups: the mean of their two Gini coefficients; "
             "0 where all are equal, 1 where one group has all the errors.",
    "FDR": "1 less the mean of the widest gaps between groups in {0} and in {1}; 1 where all are equal. "
           "Where rates are small it is near 1 however many times one group's exceeds another's.",
    "IR": "The highest {0} over the lowest, times the highest {1} over the lowest, under a square root; "
          "1 where all are equal.",
}  # fmt: skip


@dataclass(frozen=True)
class Bounded:
    """Rates of n groups with bounds that hold for all of them at once: `(n,)` each."""

    rates: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Index:
    """An index, its interval, and what may be said of it.

    value is None where the observed rates leave it undefined (a rate of zero below the line), high is None where
    nothing bounds it from above. verdict: `measured`, `interval only` (value None), `insufficient` (fewer than two
    groups with people enough, or 0/0: no errors in any group).
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    verdict: str


def indices_of(data: CellData) -> Iterator[dict[str, Any]]:
    """Every index of one cell, by operating point and kind of group: rows of evidence.json's `indices`.

    Groups with too few people (for either metric, where an index combines two) are left out, and named. Indices of
    both metrics stand on bounds at α/2 for each.
    """
    for kind, groups in kinds_of(data.people).items():
        if not data.unknown("FTA"):
            yield from _family(data, ("FTA",), None, kind, groups)
        for point in data.operating_points:
            for metrics in (("FMR",), ("FNMR",), ("FMR", "FNMR")):
                yield from _family(data, metrics, point, kind, groups)


def _family(
    data: CellData, metrics: tuple[str, ...], point: str | None, kind: str, groups: list[Group]
) -> Iterator[dict[str, Any]]:
    rates = {m: [data.clustered(m, point, g, g if m == "FMR" else None) for g in groups] for m in metrics}
    enough = [g for i, g in enumerate(groups) if all(sufficient(rates[m][i][0], paired=m == "FMR") for m in metrics)]
    x = [
        bounded([r for g, r in zip(groups, rates[m], strict=True) if g in enough], ALPHA / len(metrics),
                paired=m == "FMR")
        for m in metrics
    ]  # fmt: skip
    both = len(metrics) == 2
    if both:
        found = [index(x[0], x[1], WEIGHT) for index in (garbe, fdr, inequity_rate)]
    else:
        found = [max_over_min(x[0]), max_over_geomean(x[0])]
    for index in found:
        yield {
            "name": index.name, "metrics": list(metrics), "weight": WEIGHT if both else None, "kind": kind,
            "system": data.system, "condition": data.condition, "cell": data.cell,
            "operating_point": point, "threshold": data.threshold(point),
            "value": index.value, "low": index.low, "high": index.high, "confidence": 1 - ALPHA,
            "groups": [g.name for g in enough], "left_out": [g.name for g in groups if g not in enough],
            "equal": EQUAL[index.name], "verdict": index.verdict, "words": _DEFINED[index.name].format(*metrics),
            "why": _why(index, [m for m, each in zip(metrics, x, strict=True) if not each.rates.any()], len(enough)),
        }  # fmt: skip


def _why(index: Index, none: list[str], groups: int) -> str | None:
    """Why an index has no value, None where it has one. none: the metrics of which no group has an error."""
    if index.verdict == "interval only":
        return "A group without any error leaves it without a value; its interval stands."
    if index.verdict == "insufficient":
        why = f"of {' and '.join(none)} no group has an error"
        return f"Not given: {'fewer than two groups have people enough' if groups < 2 else why}."
    return None


def bounded(rates: Sequence[tuple[Clustered, list[Clustered]]], alpha: float = 0.05, *, paired: bool = True) -> Bounded:
    """Simultaneous bounds, at α/n each, of the groups that have people enough; the others are left out.

    rates: each group's and its lenders', as `rate_interval` takes them. An index of FMR and FNMR together needs
    α/2 for each.
    """
    able = [rate for rate in rates if sufficient(rate[0], paired=paired)]
    intervals = [rate_interval(*rate, alpha / len(able)) for rate in able]
    return Bounded(
        np.array([rate.rate for rate, _ in able]),
        np.array([each.low for each in intervals]),
        np.array([each.high for each in intervals]),
    )


def max_over_min(x: Bounded) -> Index:
    """Highest rate over lowest. Its interval spans `[low_g/high_h, high_g/low_h]` over all pairs of groups."""
    if not _judged(x):
        return _insufficient("max/min")
    value = _ratio(x.rates.max(), x.rates.min())
    pairs = [*combinations(range(len(x.rates)), 2)]
    both = pairs + [(h, g) for g, h in pairs]
    # The highest is at least any other, whichever groups they are: never below 1.
    low = max(1.0, *(_ratio(x.low[g], x.high[h]) or 0.0 for g, h in both))
    highs = [_ratio(x.high[g], x.low[h]) for g, h in both]
    return _index("max/min", value, low, _highest(highs))


def max_over_geomean(x: Bounded) -> Index:
    """Highest rate over the geometric mean of all, itself among them; interval as for `max_over_min`."""
    if not _judged(x):
        return _insufficient("max/geomean")
    n = len(x.rates)

    def over(top: Floats, rest: Floats) -> list[float | None]:
        """Each group's rate, at `top`, over the mean of itself and the others, at `rest`."""
        result: list[float | None] = []
        for g in range(n):
            others = np.delete(rest, g)
            if (others == 0).any():
                result.append(None)
            else:
                result.append(float(np.exp((1 - 1 / n) * _log(top[g]) - np.log(others).sum() / n)))
        return result

    value = _ratio(x.rates.max(), _geometric_mean(x.rates))
    low = max(1.0, *(each or 0.0 for each in over(x.low, x.high)))
    return _index("max/geomean", value, low, _highest(over(x.high, x.low)))


def garbe(fmr: Bounded, fnmr: Bounded, alpha: float = 0.5) -> Index:
    """Gini aggregation rate for biometric equitability: `α·G(FMR) + (1−α)·G(FNMR)`; 0 is equal (Howard et al. 2022).

    ISO/IEC 19795-10 has variants. 0/0, no error of one kind in any group, is insufficient.
    """
    if not (_judged(fmr) and _judged(fnmr)):
        return _insufficient("GARBE")
    value = alpha * gini(fmr.rates) + (1 - alpha) * gini(fnmr.rates)
    (low_m, high_m), (low_n, high_n) = _gini_range(fmr), _gini_range(fnmr)
    return _index("GARBE", value, alpha * low_m + (1 - alpha) * low_n, alpha * high_m + (1 - alpha) * high_n)


def fdr(fmr: Bounded, fnmr: Bounded, alpha: float = 0.5) -> Index:
    """Fairness discrepancy rate: `1 − [α·(max−min)FMR + (1−α)·(max−min)FNMR]`; 1 is equal (Pereira & Marcel 2021)."""
    if min(len(fmr.rates), len(fnmr.rates)) < 2:
        return _insufficient("FDR")
    value = 1 - alpha * float(np.ptp(fmr.rates)) - (1 - alpha) * float(np.ptp(fnmr.rates))
    (low_m, high_m), (low_n, high_n) = _spread(fmr), _spread(fnmr)
    return _index("FDR", value, 1 - alpha * high_m - (1 - alpha) * high_n, 1 - alpha * low_m - (1 - alpha) * low_n)


def inequity_rate(fmr: Bounded, fnmr: Bounded, alpha: float = 0.5) -> Index:
    """IR: `(maxFMR/minFMR)^α · (maxFNMR/minFNMR)^(1−α)`; 1 is equal."""
    parts = (max_over_min(fmr), max_over_min(fnmr))
    if any(part.verdict == "insufficient" for part in parts):
        return _insufficient("IR")

    value, low, high = (
        None if m is None or n is None else float(m**alpha * n ** (1 - alpha))
        for m, n in zip(*((part.value, part.low, part.high) for part in parts), strict=True)
    )
    return _index("IR", value, low, high)


def gini(rates: Floats) -> float:
    """`G = n/(n−1) · Σ_iΣ_j|x_i−x_j| / (2 n² x̄)` of rates `(..., n)`, n ≥ 2 (Howard et al. 2022); NaN for 0/0."""
    return float(_gini(np.asarray(rates, np.float64)))


def _gini(rates: Floats) -> Floats:
    n, mean = rates.shape[-1], rates.mean(axis=-1)
    apart = np.abs(rates[..., :, None] - rates[..., None, :]).sum(axis=(-1, -2))
    share = np.divide(apart, 2 * n**2 * mean, out=np.full_like(mean, np.nan), where=mean > 0)
    return np.asarray(n / (n - 1) * share)


def _gini_range(x: Bounded) -> tuple[float, float]:
    """Least and greatest Gini coefficient within the bounds.

    Least: rates as near to one level as the bounds let them (of vectors with one sum, clipping to a level is the most
    equal), and between two bounds the coefficient is monotone in that level. Greatest: it is quasi-convex, so a corner.
    """
    n = len(x.rates)
    levels = np.unique(np.r_[x.low, x.high])
    least = _gini(np.clip(levels[:, None], x.low, x.high))
    low = 0.0 if (least[np.isfinite(least)]).size == 0 else float(np.nanmin(least))
    if n > MOST_ENUMERATED:
        return low, 1.0  # the coefficient's own limit
    corner = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    # In slices: all pairs of groups at all corners would not fit in a small machine's memory.
    greatest = max(float(np.nanmax(_gini(np.where(part, x.high, x.low)), initial=0.0))
                   for part in np.array_split(corner, max(1, len(corner) // 1024)))  # fmt: skip
    return low, greatest


def _spread(x: Bounded) -> tuple[float, float]:
    """Least and greatest max − min within the bounds."""
    highest = max(x.high[g] - np.delete(x.low, g).min() for g in range(len(x.high)))
    return max(0.0, float(x.low.max() - x.high.min())), max(0.0, float(highest))


def _judged(x: Bounded) -> bool:
    return len(x.rates) >= 2 and bool((x.rates > 0).any())


def _ratio(above: float, below: float) -> float | None:
    return float(above / below) if below > 0 else None


def _geometric_mean(rates: Floats) -> float:
    return float(np.exp(np.log(rates).mean())) if (rates > 0).all() else 0.0


def _log(rate: float) -> float:
    return float(np.log(rate)) if rate > 0 else -np.inf


def _highest(ratios: list[float | None]) -> float | None:
    known = [ratio for ratio in ratios if ratio is not None]
    return max(known) if len(known) == len(ratios) else None


def _index(name: str, value: float | None, low: float | None, high: float | None) -> Index:
    return Index(name, value, low, high, "interval only" if value is None else "measured")


def _insufficient(name: str) -> Index:
    return Index(name, None, None, None, "insufficient")
