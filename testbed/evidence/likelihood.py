"""Likelihood ratios at a score: pool-adjacent-violators and logistic, bounded by what the people can show; intervals.

METRICS.md § What a similarity or a "percent" means. Brümmer & du Preez, Computer Speech & Language 2006;
Vergeer et al., Science & Justice 2016 (no likelihood ratio beyond what the data can carry).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import floor, inf, log10
from typing import Literal

import numpy as np
from sklearn import config_context
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from testbed.evidence.intervals import Bounds, Clustered, by_subject, clustered, within_group
from testbed.evidence.scored import Array, Population

MOST = 0.9
"""Of the comparisons that keep a limit close, the nearest so many are taken: those far away only dilute it."""

Fit = Callable[[Array, Array, Array], Array]
"""`(alike, mated, non_mated)`, each `(bins,)` → likelihood ratio at every bin."""


def pool_adjacent_violators(alike: Array, mated: Array, non_mated: Array) -> Array:
    """Likelihood ratios `(bins,)` that never fall as scores grow more alike, 0 and infinity among them.

    alike `(bins,)`: scores, greater is more alike; mated, non_mated `(bins,)`: comparisons. Ties are pooled, and
    each class weighs one, so that posterior odds are likelihood ratios; between scores that occur the posterior is
    interpolated. Raises ValueError without mated or without non-mated comparisons.
    """
    score, truth, weight = _weighed(alike, mated, non_mated)
    fit = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(score, truth, sample_weight=weight)
    posterior = np.asarray(fit.predict(alike))
    return np.asarray(np.divide(posterior, 1 - posterior, out=np.full(len(alike), np.inf), where=posterior < 1))


def logistic(alike: Array, mated: Array, non_mated: Array) -> Array:
    """Likelihood ratios `(bins,)` whose logarithm is a straight line in the score; arguments as above.

    Where no score is shared by both classes there is no best slope: the line is then as steep as the solver goes.
    """
    score, truth, weight = _weighed(alike, mated, non_mated)
    centre = np.average(score, weights=weight)
    spread = np.sqrt(np.average((score - centre) ** 2, weights=weight)) or 1.0
    fit = LogisticRegression(C=np.inf, solver="newton-cholesky")
    fit.fit(((score - centre) / spread)[:, None], truth, sample_weight=weight)
    # exp(±600) is as good as infinite: the caller bounds likelihood ratios far closer.
    log_odds = fit.decision_function(((alike - centre) / spread)[:, None])
    return np.asarray(np.exp(np.clip(log_odds, -600, 600)))


def limits(population: Population, fold: int | None = None) -> tuple[float, float]:
    """The least and the greatest log10 likelihood ratio that the people of a population (or half of it) can show.

    `−log10(mated subjects + 1)` and `log10(n* + 1)`: n* is floor(G/2), or the comparisons over their design effect
    where that could be measured.
    """
    mated, others = population.subjects(fold)
    pairs, effect = float(floor(others / 2)), population.design_effect
    if effect is not None:
        part = population.non_mated if fold is None else population.non_mated[fold]
        pairs = max(float(part.sum()) / effect, pairs)
    return -log10(mated + 1), log10(pairs + 1)


def at_every_bin(population: Population, fit: Fit = pool_adjacent_violators, fold: int | None = None) -> Array:
    """Bounded likelihood ratios `(B + 1,)` fitted on everybody, or on one half of the people; fitted once."""
    if (fit, fold) not in population.fits:
        population.fits[fit, fold] = _bounded(population, fit, fold)
    return population.fits[fit, fold]


def _bounded(population: Population, fit: Fit, fold: int | None) -> Array:
    mated, non_mated = (
        x.sum(axis=0) if fold is None else x[fold] for x in (population.mated, population.non_mated)
    )  # fmt: skip
    low, high = limits(population, fold)
    with config_context(assume_finite=True, skip_parameter_validation=True):
        ratios = fit(population.cell.alike, mated, non_mated)
    return np.clip(ratios, 10**low, 10**high)


def cross_fitted(population: Population, fit: Fit = pool_adjacent_violators) -> Array | None:
    """Likelihood ratios `(2, B + 1)` for the people of each half, fitted on the other half.

    None where a half lacks mated or non-mated comparisons. Comparisons between the halves have no fit that knows
    neither person: they are not judged.
    """
    halves = [x[fold].sum() for x in (population.mated, population.non_mated) for fold in (0, 1)]
    return np.stack([at_every_bin(population, fit, 1 - fold) for fold in (0, 1)]) if all(halves) else None


@dataclass(frozen=True)
class Side:
    """Mated and non-mated comparisons on one side of a score, between the tallied thresholds `strict` and `loose`.

    None for a threshold: there the side is open. A score at `loose` is in it, one at `strict` is not.
    """

    mated: Clustered
    strangers: Clustered
    strict: float | None
    loose: float | None


@dataclass(frozen=True)
class RatioAt:
    """The likelihood ratio at a score: the estimate on everybody, and what was counted on both sides of it.

    can_show: the least and the greatest ratio that so many people can show; the estimate stays within.
    """

    population: Population
    value: float
    can_show: tuple[float, float]
    alike: Side
    unlike: Side

    @property
    def at_limit(self) -> Literal["under", "over"] | None:
        """Whether the ratio was estimated under the least, or over the greatest, that so many people can show."""
        return beyond(self.value, self.can_show)

    def limits(self, alpha: float = 0.05, bounds: Bounds = clustered) -> tuple[float, float]:
        """The interval at confidence 1 − alpha; 0 and infinity where the data set no limit.

        One thing is assumed: that a more alike score is never weaker evidence. The ratio at the score is then at most
        its mean over more alike scores and at least its mean over less alike ones: each a share of the mated over a
        share of the strangers. These have limits by person, so four hold at once. The estimate is never left out.
        """
        (alike, others), (unlike, strangers) = (
            (bounds(side.mated, self.population.stricter, alpha / 4), bounds(side.strangers, self.population.looser,
                                                                             alpha / 4))
            for side in (self.alike, self.unlike)
        )  # fmt: skip
        most = alike[1] / others[0] if others[0] > 0 else inf
        return min(self.value, unlike[0] / strangers[1]), max(self.value, most)

    @property
    def counted(self) -> str:
        """What the limits rest on, in words."""
        return "; ".join(
            f"{where} alike, scores {self._range(side)}: {side.mated.errors:,} of {side.mated.comparisons:,} of the "
            f"same person, {side.strangers.errors:,} of {side.strangers.comparisons:,} of strangers"
            for where, side in (("more", self.alike), ("less", self.unlike))
        )

    def _range(self, side: Side) -> str:
        words = ("above", "up to") if self.population.cell.direction == "distance" else ("below", "from")
        return ", ".join(
            f"{word} {end:.6g}" for word, end in zip(words, (side.strict, side.loose), strict=True) if end is not None
        )


def beyond(ratio: float, can_show: tuple[float, float]) -> Literal["under", "over"] | None:
    """Whether a bounded likelihood ratio stands at one of its bounds: it was estimated under or over it."""
    low, high = can_show
    return "under" if ratio <= low * (1 + 1e-9) else "over" if ratio >= high * (1 - 1e-9) else None


def ratio_at(population: Population, score: float) -> RatioAt:
    """The likelihood ratio at a score of a population with mated and non-mated comparisons.

    On the more alike side the nearest scores are taken, as far as they hold nine tenths of the strangers there; on the
    less alike side, of the mated: these keep the limits close.
    """
    cell = population.cell
    points = cell.thresholds()
    limit_at = cell.tallied.thresholds[points, 0]
    rising = 1 if cell.direction == "distance" else -1
    at, wanted = limit_at * rising, score * rising
    # Cumulated over thresholds from strict to loose, nothing before the first and everything after the last.
    hits, misses = (
        np.vstack([np.zeros_like(total[:1]), matches[points], total[points[:1]]])
        for matches, total in (
            (population.mated_matches, population.mated_trials),
            (population.matches.sum(axis=1), population.trials.sum(axis=1)),
        )
    )
    # A threshold that differs by rounding only is the score itself.
    last, first = int((at <= wanted + 1e-9).sum()), int((at < wanted - 1e-9).sum()) + 1
    strangers, same = misses.sum(axis=1), hits.sum(axis=1)
    most, least = MOST * strangers[last], MOST * (same[-1] - same[first])
    start = max((k for k in range(last) if 0 < most <= strangers[last] - strangers[k]), default=0)
    end = min((k for k in range(first, len(same)) if 0 < least <= same[k] - same[first]), default=len(same) - 1)
    ends = [None, *map(float, limit_at), None]

    def side(strict: int, loose: int) -> Side:
        # Sums over pairs of people between thresholds are not tallied: left out, the variance can only be too large.
        return Side(
            by_subject(hits[loose] - hits[strict], hits[-1]),
            within_group(misses[loose] - misses[strict], misses[-1], np.zeros(3)), ends[strict], ends[loose],
        )  # fmt: skip

    low, high = limits(population)
    ratio = float(at_every_bin(population)[cell.bin(score)])
    return RatioAt(population, ratio, (10**low, 10**high), side(start, last), side(first, end))


def _weighed(alike: Array, mated: Array, non_mated: Array) -> tuple[Array, Array, Array]:
    """Scores, truth and weights of the bins in use, each class weighing as much as the other."""
    if not mated.sum() or not non_mated.sum():
        raise ValueError("likelihood ratios need mated and non-mated comparisons")
    # Many fits stop early on tiny weights: the classes weigh as many as there are mated comparisons.
    weights = np.r_[mated, non_mated * (mated.sum() / non_mated.sum())]
    truth = np.r_[np.ones(len(alike)), np.zeros(len(alike))]
    used = weights > 0
    return np.r_[alike, alike][used], truth[used], weights[used]
