"""A stranger's top score: the best non-mated score in a gallery of N.

METRICS.md § What a similarity or a "percent" means.
A gallery is drawn from the references a stranger was compared with; the share of all such galleries in which one
matches is counted exactly, not sampled. Above the number of references there are, only the model
`1 − (1 − FMR)^N` is left, which overstates where people differ (Jensen) and knows no normalisation by gallery.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import ceil, log

import numpy as np
from scipy.special import gammaln

from testbed.evidence.intervals import clopper_pearson, rate_interval
from testbed.evidence.scored import Array, Population

SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10_000, 100_000, 1_000_000)


@dataclass(frozen=True)
class Chance:
    """The chance that a stranger's best score in a gallery of `size` matches; how: `measured` or `extrapolated`."""

    size: int
    value: float
    low: float
    high: float
    how: str


@dataclass(frozen=True)
class MedianGallery:
    """The least N at which the median stranger is shown at least a score; None where no N can be named.

    how: `measured`, or `more than M`: the M references there are do not suffice. modelled: the N from which half of all
    searches by strangers match, by the model; only where measured galleries do not suffice, nor contradict it.
    """

    value: int | None
    low: int
    high: int | None
    how: str
    modelled: int | None = None


def capacity(population: Population) -> int:
    """The largest gallery that every stranger was compared with (references of other people)."""
    _, candidates = _per_transit(population, population.cell.thresholds()[:1])
    return int(np.floor(candidates.min() + 1e-9)) if len(candidates) else 0


def share_of_galleries(matches: Array, candidates: Array, size: int | Array) -> Array:
    """Share of galleries of `size` that hold a match, per stranger `(…, S)`.

    matches `(…, S)` of candidates `(S,)` references match; galleries are drawn without replacement, and both may be
    means over a person's transits, hence fractional.
    """
    left = candidates - matches - size
    possible = left > -1 + 1e-9
    room = np.where(possible, left, 0)
    none = gammaln(room + size + 1) - gammaln(room + 1) - gammaln(candidates + 1) + gammaln(candidates - size + 1)
    some = np.where(matches > 0, -np.expm1(np.minimum(none, 0)), 0.0)  # without a match: none, not its rounding
    return np.where(possible, some, 1.0)


def chance(population: Population, k: int, size: int, alpha: float = 0.05) -> Chance:
    """The chance at tallied threshold k, measured while the gallery is no larger than the references there are.

    The interval clusters by stranger and by reference person, each of these at its greatest influence (as if its
    false matches were nobody else's); extrapolated, it is the model's at the bounds of FMR.
    """
    rate = population.fmr(k)
    bounds = rate_interval(rate, population.looser, alpha)
    low, value, high = (modelled(p, size) for p in (bounds.low, rate.rate, bounds.high))
    if size > capacity(population):
        return Chance(size, value, low, high, "extrapolated")
    ((matches,), candidates) = _per_transit(population, np.array([k]))
    each = share_of_galleries(matches, candidates, size)
    q, S = float(each.mean()), len(each)
    held = population.matches[k, 1][population.trials[k, 1] > 0] / population.acquired.sum()
    held = held * size / candidates.mean()  # how often that person is in the gallery at all
    spread = float(((each - q) ** 2).sum() / S**2 + ((held - held.mean()) ** 2).sum())
    if spread <= 0 or q * (1 - q) <= 0:
        # The model overstates: what it says at the upper bound of FMR bounds the chance from above.
        return Chance(size, q, 0.0 if q < 1 else bounds.low, high if q < 1 else 1.0, "measured")
    n = float(np.clip(q * (1 - q) / spread, 1, S))
    low, high = clopper_pearson(q * n, n, alpha)
    # A match among one is a match among many: the chance is nowhere below FMR.
    return Chance(size, q, min(q, max(low, bounds.low)), high, "measured")


def chances(population: Population, k: int, sizes: Iterable[int]) -> list[Chance]:
    """The chance at each of `sizes`, which ascend. In a larger gallery a match is never less likely.

    So a lower limit holds for every larger gallery too, an upper one for every smaller, and the model is nowhere below
    what was measured.
    """
    each = [chance(population, k, size) for size in sizes]
    values, lows = (np.maximum.accumulate([getattr(one, name) for one in each]) for name in ("value", "low"))
    highs = np.maximum(values, np.minimum.accumulate([one.high for one in each][::-1])[::-1])
    return [
        replace(one, value=float(value), low=float(low), high=float(high))
        for one, value, low, high in zip(each, values, lows, highs, strict=True)
    ]


def modelled(fmr: float, size: float) -> float:
    """`1 − (1 − FMR)^N`."""
    return float(-np.expm1(size * np.log1p(-fmr))) if fmr < 1 else 1.0


def median_gallery(population: Population, k: int) -> MedianGallery:
    """The gallery from which on half of the strangers match at tallied threshold k, each in half of such galleries."""
    ((matches,), candidates) = _per_transit(population, np.array([k]))
    return median_among(matches, candidates, capacity(population), population.fmr(k).rate)


def median_among(matches: Array, candidates: Array, most: int, fmr: float) -> MedianGallery:
    """The same of matches `(S,)` among candidates `(S,)`, one of each a stranger, for galleries of up to `most`.

    The interval is that of a median (Clopper–Pearson on the share of strangers who match by then), as if half as many
    strangers had been searched: each of them is also in the galleries of the others.
    """
    least, S = np.sort(_enough(matches, candidates, most)), len(matches)
    limits = np.array([clopper_pearson(x / 2, S / 2) for x in range(S + 1)]).reshape(-1, 2)
    # How many strangers must match so that the share of all strangers who do may, and must, be one half.
    may, must = (int(np.argmax(limits[:, side] >= 0.5)) for side in (1, 0))
    low = int(least[may - 1]) if may else 1
    if not S or least[(S - 1) // 2] > most:
        # Where the model names a gallery that was measured not to be enough, there is nothing to extrapolate by.
        half = _half(fmr)
        beyond = half if half is not None and half > most else None
        return MedianGallery(None, low, None, f"more than {most}", beyond)
    high = int(least[must - 1]) if must else most + 1
    return MedianGallery(int(least[(S - 1) // 2]), low, high if high <= most else None, "measured")


def top_scores(population: Population, size: int, shares: tuple[float, ...] = (0.05, 0.25, 0.5, 0.75, 0.95)) -> Array:
    """Quantiles of the best non-mated score in a gallery of `size`, least alike first `(len(shares),)`.

    Read between tallied thresholds; NaN where the quantile lies beyond the strictest or the loosest of them, and
    everywhere where `size` exceeds the references there are.
    """
    points = population.cell.thresholds()
    if not 0 < size <= capacity(population):
        return np.full(len(shares), np.nan)
    matches, candidates = _per_transit(population, points)
    reached = share_of_galleries(matches, candidates, size).mean(axis=1)
    limits = population.cell.tallied.thresholds[points, 0]
    wanted = 1 - np.array(shares)
    return np.asarray(np.interp(wanted, reached, limits, left=np.nan, right=np.nan))


def _per_transit(population: Population, points: Array) -> tuple[Array, Array]:
    """Matches `(K, S')` and candidates `(S',)` of each stranger, as mean over that person's transits."""
    trials = population.trials[points[0], 0] if len(points) else np.zeros(len(population.folds))
    there = (trials > 0) & (population.acquired > 0)
    return population.matches[points, 0][:, there] / population.acquired[there], (
        trials[there] / population.acquired[there]
    )


def _half(fmr: float) -> int | None:
    """The N at which the model reaches one half; None where it never does."""
    if not fmr > 0:
        return None
    return 1 if fmr >= 0.5 else ceil(log(0.5) / log(1 - fmr) - 1e-9)


def _enough(matches: Array, candidates: Array, most: int) -> Array:
    """The least gallery of which half hold a match, per stranger `(S,)`; `most` + 1 where none up to `most` does."""
    low, high = np.ones(len(matches), np.int64), np.full(len(matches), most + 1)
    while (low < high).any():
        middle = np.minimum((low + high) // 2, most)
        enough = share_of_galleries(matches, candidates, middle) >= 0.5 - 1e-12
        low, high = (
            np.where(enough, low, np.minimum(middle + 1, high)),
            np.where(enough, np.minimum(middle, high), high),
        )
    return low
