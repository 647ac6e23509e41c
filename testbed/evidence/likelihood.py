"""Likelihood ratios at a score: pool-adjacent-violators and logistic, bounded by what the people can show.

METRICS.md § What a similarity or a "percent" means. Brümmer & du Preez, Computer Speech & Language 2006;
Vergeer et al., Science & Justice 2016 (no likelihood ratio beyond what the data can carry).
"""

from __future__ import annotations

from collections.abc import Callable
from math import floor, log10

import numpy as np
from sklearn import config_context
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from testbed.evidence.scored import Array, Population

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


def _weighed(alike: Array, mated: Array, non_mated: Array) -> tuple[Array, Array, Array]:
    """Scores, truth and weights of the bins in use, each class weighing as much as the other."""
    if not mated.sum() or not non_mated.sum():
        raise ValueError("likelihood ratios need mated and non-mated comparisons")
    # Many fits stop early on tiny weights: the classes weigh as many as there are mated comparisons.
    weights = np.r_[mated, non_mated * (mated.sum() / non_mated.sum())]
    truth = np.r_[np.ones(len(alike)), np.zeros(len(alike))]
    used = weights > 0
    return np.r_[alike, alike][used], truth[used], weights[used]
