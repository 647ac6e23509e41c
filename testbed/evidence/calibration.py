"""Whether likelihood ratios mean what they say: Cllr, reliability at a stated prior, calibration error.

METRICS.md § What a similarity or a "percent" means, Cost and Reliability diagram. Likelihood ratios are cross-fitted:
only comparisons inside a half of the people are judged, by a fit on the other half.

Intervals rest on tallies of each person between tallied thresholds; the fit itself is taken as given. A person's
residuals are summed over both roles, and the sums over pairs of people are left out of the variance. Under
independence that doubles it, which is what judging only the comparisons inside the halves (half of all) costs.
The calibration error is a sum of distances, which chance alone makes positive: its replicates would lie too high.
So its interval is the error more or less what all score intervals together move in 95 % of replicates, which holds
the true one wherever the replicates move as samples do (triangle inequality).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log2, sqrt

import numpy as np
from scipy import stats

from kernels.resample import rates_by_subject, rates_of_pairs
from testbed.evidence.bootstrap import METHOD, drawn, freedom, percentiles
from testbed.evidence.intervals import Interval, by_subject, rate_interval, within_group
from testbed.evidence.likelihood import limits, pool_adjacent_violators
from testbed.evidence.scored import Array, Population

BINS = 10
THIN = 10
"""A bin with fewer comparisons, of either kind, says nothing by itself."""


@dataclass(frozen=True)
class Cost:
    """A cost in bits with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Reliability:
    """A reliability diagram at `prior`, K score intervals from most to least alike, arrays `(K,)`.

    predicted: mean posterior the likelihood ratios give; observed, low, high: share that is mated, comparisons
    reweighted to the prior, with limits from the subject bootstrap where `redrawn`, else from simultaneous clustered
    bounds. mated, non_mated: comparisons judged; thin: fewer than 10 of either. expected_error: expected calibration
    error, with the interval `error`. upto `(K,)`: the loosest score of each interval, NaN for the last, open one.
    """

    prior: float
    upto: Array
    predicted: Array
    observed: Array
    low: Array
    high: Array
    mated: Array
    non_mated: Array
    thin: Array
    redrawn: Array
    error: Interval
    expected_error: float


def cllr(mated: Array, non_mated: Array, mated_n: Array | None = None, non_mated_n: Array | None = None) -> float:
    """`½[mean log2(1 + 1/LR) over mated + mean log2(1 + LR) over non-mated]`, in bits.

    mated, non_mated: likelihood ratios, 0 and infinity allowed; `…_n`: how many comparisons have each. 1 for a
    system that always says 1; infinite where one that says never is wrong.
    """
    costs = []
    for ratios, n in ((_inverse(np.asarray(mated, float)), mated_n), (np.asarray(non_mated, float), non_mated_n)):
        weights = np.ones(len(ratios)) if n is None else np.asarray(n, float)
        used = weights > 0
        costs.append(float(np.average(np.log2(1 + ratios[used]), weights=weights[used])))
    return sum(costs) / 2


def costs(population: Population, ratios: Array) -> tuple[Cost, Cost, Cost]:
    """Cllr, Cllr_min (after PAV on the comparisons judged, themselves) and Cllr_cal, their difference.

    ratios `(2, B + 1)`: cross-fitted likelihood ratios.
    """
    mated, non_mated = population.mated[:2], population.non_mated[:2]
    best = pool_adjacent_violators(population.cell.alike, mated.sum(axis=0), non_mated.sum(axis=0))
    given = _costs_by_bin(ratios, mated, non_mated)
    least = _costs_by_bin(np.stack([best, best]), mated, non_mated)
    gap = (given[0] - least[0], given[1] - least[1])
    return _cost(population, *given), _cost(population, *least), _cost(population, *gap)


def reliability(population: Population, ratios: Array, prior: float, alpha: float = 0.05) -> Reliability:
    """Reliability of cross-fitted likelihood ratios `(2, B + 1)` at `prior`.

    Score intervals end at tallied thresholds, about equally filled by an equal mix of mated and non-mated.
    """
    points = _evenly_filled(population)
    where, K = population.cell.intervals(points), len(points) + 1
    hits, misses = _histograms(population, points)
    mated, non_mated = (_gather(x[:2].sum(axis=0), where, K) for x in (population.mated, population.non_mated))
    posterior = prior * ratios / (prior * ratios + 1 - prior)
    weights = [x[:2] / x[:2].sum() for x in (population.mated, population.non_mated)]
    mix = prior * weights[0] + (1 - prior) * weights[1]
    mass = _gather(mix.sum(axis=0), where, K)
    predicted = np.divide(
        _gather((mix * posterior).sum(axis=0), where, K), mass, out=np.full(K, np.nan), where=mass > 0
    )
    g, f = mated / mated.sum(), non_mated / non_mated.sum()
    bounds = _bounds(population, hits, misses, mated, non_mated, alpha / 2)
    low, high = _share(prior, bounds[0, 0], bounds[1, 1]), _share(prior, bounds[0, 1], bounds[1, 0])
    people, degrees = len(population.folds), _degrees(population, hits, misses)
    mated_again, non_mated_again = _again(population, hits, misses, g, f)
    for k in np.flatnonzero(degrees):
        again = _share(prior, mated_again[:, k], non_mated_again[:, k])
        low[k], high[k] = percentiles(again, people, degrees[k], alpha)
    p = np.nan_to_num(predicted, nan=0.5)
    own, other = prior * (1 - p), (1 - prior) * p
    error = float(np.abs(other * f - own * g).sum())
    moved = np.abs(other * (non_mated_again - f) - own * (mated_again - g)).sum(axis=1)
    margin = float(percentiles(moved, people, people - 1, alpha)[1])
    # Drawing people again puts nobody where nobody was: there stands the bound of a rate without errors.
    for weight, share, bound in ((own, g, bounds[0, 1]), (other, f, bounds[1, 1])):
        margin += float(np.max(weight * bound * (share == 0)))
    interval = Interval(max(0.0, error - margin), min(1.0, error + margin), METHOD)
    limits = np.r_[population.cell.tallied.thresholds[points, 0], np.nan]
    thin = mated + non_mated < THIN
    return Reliability(
        prior, limits, predicted, _share(prior, g, f), low, high, mated, non_mated, thin, degrees > 0, interval, error
    )


def _degrees(population: Population, hits: Array, misses: Array) -> Array:
    """Degrees of freedom `(K,)` of the share that is mated in each score interval; 0 where people are too few."""
    trials, mated_trials = misses.sum(axis=0), hits.sum(axis=0)
    pairs = (
        (freedom(own, mated_trials, paired=False), freedom(other, trials, paired=True))
        for own, other in zip(hits, misses, strict=True)
    )
    return np.array([min(own, other) if own and other else 0.0 for own, other in pairs])


def _again(population: Population, hits: Array, misses: Array, g: Array, f: Array) -> tuple[Array, Array]:
    """Shares `(R, K)` of the mated and of the non-mated comparisons judged, `g` and `f` `(K,)`, people drawn again.

    How much people differ is seen in all their comparisons, of which only those inside the halves are judged.
    """
    weights, trials, mated_trials = drawn(len(population.folds)), misses.sum(axis=0), hits.sum(axis=0)
    judged, judged_pairs = (
        np.divide(share * n.sum(), seen.sum(axis=1), out=np.zeros(len(share)), where=seen.sum(axis=1) > 0)
        for share, n, seen in ((g, mated_trials, hits), (f, trials, misses))
    )
    return rates_by_subject(weights, hits, mated_trials) * judged, rates_of_pairs(
        weights, misses, trials
    ) * judged_pairs


def _share(prior: float, mated: Array, non_mated: Array) -> Array:
    """Share that is mated where these shares of all mated and of all non-mated fall; NaN where neither does."""
    total = prior * mated + (1 - prior) * non_mated
    return np.asarray(np.divide(prior * mated, total, out=np.full(total.shape, np.nan), where=total > 0))


def _bounds(
    population: Population, hits: Array, misses: Array, mated: Array, non_mated: Array, alpha: float
) -> Array:  # fmt: skip
    """Bounds `(2, 2, K)` of the shares of mated and of non-mated comparisons in each score interval."""
    looser, stricter = population.looser, population.stricter
    trials, mated_trials = misses.sum(axis=0), hits.sum(axis=0)
    bounds = []
    for k in range(len(hits)):
        own = by_subject(hits[k], mated_trials)
        other = replace(
            within_group(misses[k], trials, np.zeros(3)), errors=int(non_mated[k]), comparisons=int(non_mated.sum())
        )
        bounds.append([rate_interval(own, stricter, alpha), rate_interval(other, looser, alpha)])
    return np.array([[(each.low, each.high) for each in pair] for pair in bounds]).transpose(1, 2, 0)


def _evenly_filled(population: Population) -> Array:
    """Tallied thresholds between which an equal mix of mated and non-mated falls in about equal parts."""
    points = population.cell.thresholds()
    matches, trials = population.matches.sum(axis=(1, 2))[points], population.trials.sum(axis=(1, 2))[points]
    mated, mated_trials = population.mated_matches.sum(axis=1)[points], population.mated_trials.sum(axis=1)[points]
    mix = (matches / trials + mated / mated_trials) / 2
    inside = points[(mix > 0) & (mix < 1)]
    mix = mix[(mix > 0) & (mix < 1)]
    chosen = {int(np.argmin(np.abs(mix - wanted))) for wanted in np.arange(1, BINS) / BINS} if len(mix) else set()
    return np.asarray(inside[sorted(chosen)])


def _histograms(population: Population, points: Array) -> tuple[Array, Array]:
    """Mated comparisons and, over both roles, non-mated ones `(K + 1, S)` of each person between K thresholds."""
    mated, non_mated = (
        np.diff(np.vstack([np.zeros_like(total[:1]), matches[points], total[population.cell.thresholds()[:1]]]), axis=0)
        for matches, total in (
            (population.mated_matches, population.mated_trials),
            (population.matches.sum(axis=1), population.trials.sum(axis=1)),
        )
    )
    return mated, non_mated


def _gather(bins: Array, where: Array, K: int) -> Array:
    return np.asarray(np.bincount(where, bins, minlength=K))


def _inverse(ratios: Array) -> Array:
    return np.asarray(np.divide(1, ratios, out=np.full(len(ratios), np.inf), where=ratios > 0))


def _costs_by_bin(ratios: Array, mated: Array, non_mated: Array) -> tuple[Array, Array]:
    """Mean cost of the mated and of the non-mated comparisons in each bin `(B + 1,)`; 0 where there are none."""
    result = []
    for bits, n in (
        (np.log2(1 + np.stack([_inverse(row) for row in ratios])), mated),
        (np.log2(1 + ratios), non_mated),
    ):
        total = np.where(n > 0, n * np.where(n > 0, bits, 0), 0).sum(axis=0)
        result.append(np.divide(total, n.sum(axis=0), out=np.zeros(len(total)), where=n.sum(axis=0) > 0))
    return result[0], result[1]


def _cost(population: Population, mated_cost: Array, non_mated_cost: Array, alpha: float = 0.05) -> Cost:
    """Half the sum of both mean costs, and Student's interval from each person's part in it.

    Where the classes lie apart nobody's part differs much. What then bounds the cost is what nobody has shown yet:
    the share of either class that may lie at scores worse (or better) than any seen, at the worst (or no) cost.
    """
    points = population.cell.thresholds()
    where, K = population.cell.intervals(points), len(points) + 1
    low, high = limits(population)
    people = population.subjects()
    value, parts, better, worse = 0.0, np.zeros(len(population.folds)), 0.0, 0.0
    for cost, n, by_person, roles, evidence, worst in zip(
        (mated_cost, non_mated_cost), (population.mated, population.non_mated), _histograms(population, points),
        (1, 2), (people[0], 10**high - 1), (log2(1 + 10**-low), log2(1 + 10**high)), strict=True,
    ):  # fmt: skip
        judged = n[:2].sum(axis=0)
        mean = float(np.average(cost, weights=judged))
        inside = _gather(judged, where, K)
        level = np.divide(_gather(cost * judged, where, K), inside, out=np.full(K, mean), where=inside > 0)
        value += mean / 2
        parts += (level - mean) @ by_person / (by_person.sum() / roles) / 2
        unseen, seen = 1 - (alpha / 4) ** (1 / max(1.0, evidence)), cost[judged > 0]
        better += unseen * max(0.0, float(seen.min())) / 2
        worse += unseen * max(0.0, worst - float(seen.max())) / 2
    spread, fourth = float(parts @ parts), float((parts**4).sum())
    freedom = float(np.clip(spread**2 / fourth - 1, 1, max(1, people[1] - 1))) if fourth > 0 else 1.0
    half = float(stats.t.ppf(1 - alpha / 2, freedom)) * sqrt(spread)
    return Cost(value, max(0.0, value - max(half, better)), value + max(half, worse))
