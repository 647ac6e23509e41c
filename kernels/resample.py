"""The subject (vertex) bootstrap: people are drawn again, and with them every comparison they take part in.

A replicate gives person i a multiplicity w_i; the pair (i, j) then counts w_i·w_j times, and nobody is compared with a
copy of himself (METRICS.md § Intervals; Snijders & Borgatti 1999). That needs every pair at every threshold. What is
kept is each person's sums, so the pairs are replaced by their projection on people (Hájek): with q the replicate's
rate person by person, Σw_i·S_i / Σw_i·N_i, the pairs' rate is q²/p. To first order this is the vertex bootstrap; the
noise of single pairs it takes twice where the vertex bootstrap takes it three times, so it is the nearer to the truth
and errs to the wide side too (tests/kernels/test_resample.py shows both).

Products with multiplicities are whole numbers below 2⁵³, exact in any order of summing: a seed gives the same
replicates on any number of threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def multiplicities(people: int, replicates: int, seed: int) -> npt.NDArray[np.float64]:
    """How often each of `people` is drawn, with replacement, `(replicates, people)`; whole numbers."""
    chosen = np.random.default_rng(seed).integers(0, max(people, 1), (replicates, people))
    places = np.arange(replicates)[:, None] * people + chosen
    return np.bincount(places.ravel(), minlength=replicates * people).reshape(replicates, people).astype(np.float64)


def rates_by_subject(weights: Array, errors: Array, trials: Array) -> npt.NDArray[np.float64]:
    """Rates `(R, K)` of trials that each belong to one person: errors `(K, S)` of trials `(S,)`, weights `(R, S)`.

    NaN where nobody drawn had a trial.
    """
    drawn = (weights @ trials)[:, None]
    rates = np.full((len(weights), len(errors)), np.nan)
    np.divide(weights @ errors.T, drawn, out=rates, where=drawn > 0)
    return rates


def rates_of_pairs(weights: Array, errors: Array, trials: Array) -> npt.NDArray[np.float64]:
    """The same of comparisons between two people, each of which stands in both of them (hence summed over roles)."""
    seen = errors.sum(axis=1) / trials.sum()
    by_person = rates_by_subject(weights, errors, trials)
    rates = np.zeros_like(by_person)
    np.divide(by_person**2, seen, out=rates, where=seen > 0)
    return np.clip(rates, 0.0, 1.0)
