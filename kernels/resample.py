"""The subject (vertex) bootstrap: people are drawn again, and with them every comparison they take part in.

A replicate gives person i a multiplicity w_i; the pair (i, j) then counts w_i·w_j times. Nobody is compared with a
copy of himself: pairs of one person drop out (METRICS.md § Intervals; Snijders & Borgatti 1999).
Everything is a sum of integers, so a seed gives the same replicates on any number of threads.
The NumPy twin defines the result; the compiled kernel must agree with it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[Any]
Tier = Literal["numpy", "numba"]

_BLOCK = 64


@dataclass(frozen=True)
class Replicates:
    """errors `(R, T)` at each threshold and comparisons `(R,)`, int64, by replicate.

    A replicate without comparisons (one person drawn throughout) is kept: what becomes of it is the caller's choice.
    """

    errors: npt.NDArray[np.int64]
    comparisons: npt.NDArray[np.int64]


def multiplicities(groups: npt.NDArray[np.int64], replicates: int, seed: int) -> npt.NDArray[np.int64]:
    """How often each person is drawn, `(replicates, S)`: with replacement, within each group of `groups` `(S,)`.

    Group sizes stay as they are, because the test's designer chose them. With one group this is the plain bootstrap.
    """
    rng = np.random.default_rng(seed)
    drawn = np.zeros((replicates, len(groups)), np.int64)
    rows = np.arange(replicates)[:, None]
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        chosen = members[rng.integers(0, len(members), (replicates, len(members)))]
        drawn += np.bincount((rows * len(groups) + chosen).ravel(), minlength=drawn.size).reshape(drawn.shape)
    return drawn


def resample(
    weights: npt.NDArray[np.int64],
    pairs: npt.NDArray[np.int64],
    points: int,
    comparisons: npt.NDArray[np.int64] | int,
    tier: Tier = "numba",
    threads: int = 1,
) -> Replicates:
    """Errors and comparisons of each replicate.

    weights `(R, S)` as `multiplicities` draws them; zeros leave people out.
    pairs `(k, 4 or more)`: point, probe subject, reference subject, errors, as in `kernels.crosscount.Tally.pairs`.
    comparisons: `(S, S)` by probe and reference subject, its diagonal ignored, or one number for every ordered pair.
    Raises ValueError where a pair names a point or a person that is not there.
    """
    R, S = weights.shape
    if len(pairs) and (pairs[:, :3].min() < 0 or (pairs[:, :3].max(axis=0) >= (points, S, S)).any()):
        raise ValueError(f"pairs must lie within {points} points and {S} people")
    rows = np.ascontiguousarray(pairs[pairs[:, 1] != pairs[:, 2], :4], np.int64)
    drawn = np.ascontiguousarray(weights, np.int64)
    if tier == "numpy":
        errors = _errors_twin(drawn, rows, points)
    else:
        errors = np.zeros((R, points), np.int64)
        blocks = range(0, R, _BLOCK)
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda r: _errors(drawn[r : r + _BLOCK], rows, errors[r : r + _BLOCK]), blocks))
    return Replicates(errors, _comparisons(drawn, comparisons))


def _comparisons(weights: Array, comparisons: npt.NDArray[np.int64] | int) -> npt.NDArray[np.int64]:
    if isinstance(comparisons, int):
        return np.asarray(comparisons * (weights.sum(axis=1) ** 2 - (weights**2).sum(axis=1)), np.int64)
    between = comparisons.astype(np.float64)
    np.fill_diagonal(between, 0.0)
    # Float products run through BLAS; they are whole numbers far below 2⁵³, hence exact in any order of summing.
    sums = ((weights @ between) * weights).sum(axis=1)
    return np.asarray(np.rint(sums), np.int64)


def _errors_twin(weights: Array, pairs: Array, points: int) -> npt.NDArray[np.int64]:
    point, probe, reference, errors = pairs.T
    counted = weights[:, probe] * weights[:, reference] * errors
    return np.stack([counted[:, point == t].sum(axis=1) for t in range(points)], axis=1).astype(np.int64)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _errors(weights: Array, pairs: Array, errors: Array) -> None:
    for r in range(len(weights)):
        w, total = weights[r], errors[r]
        for k in range(len(pairs)):
            total[pairs[k, 0]] += w[pairs[k, 1]] * w[pairs[k, 2]] * pairs[k, 3]
