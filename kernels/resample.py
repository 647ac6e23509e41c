"""Resampling people: the subject (vertex) bootstrap, and permutations of their group labels.

A replicate gives person i a multiplicity w_i; the pair (i, j) then counts w_i·w_j times, and nobody is compared with a
copy of himself (METRICS.md § Intervals; Snijders & Borgatti 1999). Two forms of it:

`vertex_sums`, the bootstrap itself, from the sparse list of pairs with errors.
`rates_of_pairs`, its projection on people (Hájek), from each person's sums: with q the replicate's rate person by
person, Σw_i·S_i / Σw_i·N_i, the pairs' rate is q²/p. To first order the two are one; the noise of single pairs, which
should count once, the projection takes twice and the bootstrap three times (tests/kernels/test_resample.py).
Intervals of EER use the projection: simulated (24 to 100 people, pairs correlated .1 to .7), both cover 96 to 100 %,
and the bootstrap of pairs is up to 9 % wider.

`permuted` shuffles people's group labels. The report's test of equal rates is parametric instead (`difference_test`):
shuffling mixes comparisons within groups with those across, and where these match less often, a difference of rates
is hardly ever found (power .03 instead of .55: four groups of 20, one with 2.5 times the rate), or, studentised, is
found in 10 to 18 % of the cases where there is none (the same tests).

Everything summed is a whole number (or half of one) below 2⁵³, exact in any order: a seed gives the same on any number
of threads and in either tier. numpy is the twin, which defines the result; numba is loaded for larger inputs only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from kernels.threads import in_order

Array = npt.NDArray[Any]
Tier = Literal["numpy", "numba"]
Product = tuple[Array, Array]
"""Comparisons of everybody with everybody: each person's probes `(S,)`, each person's references `(S,)`. Where a set
is compared with itself, every pair once: its templates, and half of them."""

BLOCK = 128
"""Replicates worked on together: a person's weights in them are a few cache lines."""

COMPILED_FROM = 50_000_000
"""Multiplications of the twin from which the compiled tier repays the second that loading it takes."""

HELD = 4_000_000
"""Numbers the twin holds at a time."""


@dataclass(frozen=True)
class Within:
    """Comparisons of people of one group with each other, `(R, G)` by relabelling and group.

    errors, comparisons int64; variance of the rate, clustered by person (`testbed.evidence.intervals.within_group`);
    NaN without comparisons.
    """

    errors: npt.NDArray[np.int64]
    comparisons: npt.NDArray[np.int64]
    variance: npt.NDArray[np.float64]


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


def vertex_sums(
    weights: Array, pairs: Array, points: int, tier: Tier | None = None, threads: int | None = None
) -> npt.NDArray[np.int64]:
    """Σ w_i·w_j·x_ij at each point, `(R, points)`; a person's pairs with himself drop out.

    weights `(R, S)` as `multiplicities` draws them; pairs `(k, 4 or more)` int64: point, probe subject, reference
    subject, x, as in `kernels.crosscount.Tally.pairs`, in any order. x: errors, or comparisons where they are listed
    too. A pair listed with the comparisons that first match at a point gives, summed up along the points, errors.
    Raises ValueError where a pair names a point or a person that is not there.
    """
    columns = _checked(pairs, points, weights.shape[1])
    if (tier or _tier(len(weights) * columns.shape[1])) == "numpy":
        return _sums_twin(weights, columns, points)
    key = columns[0] * weights.shape[1] + columns[1]
    if (np.diff(key) < 0).any():  # any order is right, this one is quickest
        order = np.argsort(key, kind="stable")
        columns, key = columns[:, order], key[order]
    first = np.r_[0, np.flatnonzero(np.diff(key)) + 1][: len(key)]
    (point, probe), (_, _, other, x) = columns[:2, first], columns
    most = np.add.reduceat(np.abs(x), first).max(initial=0) * weights.max(initial=0)
    dtype = np.float32 if most < 2**24 else np.float64  # both exact
    runs, x = np.r_[first, len(key)], x.astype(dtype)

    def summed(block: slice) -> Array:
        found = np.zeros((points, len(weights[block])))
        _compiled().sums(np.ascontiguousarray(weights[block].T, dtype), runs, point, probe, other, x, found)
        return found.T

    found = in_order(summed, _blocks(len(weights), BLOCK), threads)
    return np.asarray(np.rint(np.concatenate([np.zeros((0, points)), *found])), np.int64)


def vertex_comparisons(weights: Array, comparisons: Array | Product) -> npt.NDArray[np.int64]:
    """Σ w_i·w_j·n_ij `(R,)`: `comparisons` of everybody with everybody, or `(S, S)` by probe and reference subject."""
    if isinstance(comparisons, tuple):
        probes, references = comparisons
        sums = (weights @ probes) * (weights @ references) - weights**2 @ (probes * references)
    else:
        sums = ((weights @ (comparisons * ~np.eye(len(comparisons), dtype=bool))) * weights).sum(axis=1)
    return np.asarray(np.rint(sums), np.int64)


def within_groups(
    labels: Array, groups: int, pairs: Array, comparisons: Product, tier: Tier | None = None,
    threads: int | None = None,
) -> Within:  # fmt: skip
    """Errors and comparisons inside each group, for every row of labels `(R, S)`, whole numbers below `groups`.

    pairs as `vertex_sums` takes them, of one point; both directions of a pair may be listed.
    Raises ValueError where a pair names a person or a label a group that is not there, or pairs are of several points.
    """
    if labels.size and not 0 <= labels.min() <= labels.max() < groups:
        raise ValueError(f"labels must lie within {groups} groups")
    S, labels = labels.shape[1], labels.astype(np.int16)
    point, *two, x = _checked(pairs, int(pairs[:, 0].max(initial=0)) + 1, S)
    if len(point) and np.ptp(point):
        raise ValueError("pairs must be of one point")
    probes, references = (np.asarray(side, np.float64) for side in comparisons)
    key, place = np.unique(np.minimum(*two) * S + np.maximum(*two), return_inverse=True)
    one, other = key // S, key % S
    e = np.bincount(place, x, minlength=len(key))
    n = probes[one] * references[other] + probes[other] * references[one]
    values = np.column_stack([e, e * e, e * n])
    totals = _totals(labels, groups, probes, references)
    if (tier or _tier(labels.size * S * groups // 8)) == "numpy":
        found = _within_twin(labels, groups, one, other, values, probes, references, totals)
    else:
        order = np.argsort(np.r_[one, other], kind="stable")
        starts = np.r_[0, np.cumsum(np.bincount(np.r_[one, other], minlength=S))]
        others, doubled = np.r_[other, one][order], np.r_[values, values][order]

        def counted(block: slice) -> Array:
            out = np.zeros((5, groups, len(labels[block])))
            sides = np.ascontiguousarray(totals[:2, block].transpose(0, 2, 1))
            _compiled().within(
                np.ascontiguousarray(labels[block].T), starts, others, doubled, probes, references, sides, out
            )
            return out.transpose(2, 1, 0)

        found = np.concatenate([np.zeros((0, groups, 5)), *in_order(counted, _blocks(len(labels), BLOCK), threads)])
    return _clustered(found, totals)


def permuted(
    statistic: Callable[[Within], Array], labels: Array, pairs: Array, comparisons: Product, permutations: int,
    seed: int, tier: Tier | None = None, threads: int | None = None,
) -> tuple[float, float]:  # fmt: skip
    """The statistic of labels `(S,)` as they are, and p: how often shuffled labels give one as large.

    statistic: one number a row of `Within`, as `studentised`; a null value that is not a number counts as large.
    The null is that labels mean nothing, *across* groups too: narrower than equal rates within groups (see above).
    """
    shuffled = np.random.default_rng(seed).permuted(np.tile(labels, (permutations, 1)), axis=1)
    groups = int(labels.max(initial=-1)) + 1
    found = statistic(within_groups(np.vstack([labels, shuffled]), groups, pairs, comparisons, tier, threads))
    # 1 + on both sides: the labels as they are, are one of the ways they could have fallen, so p is never 0.
    below = found[1:] < found[0] - 1e-12 * abs(found[0])
    p = (1 + int((~below).sum())) / (1 + permutations)
    return float(found[0]), p


def studentised(within: Within) -> npt.NDArray[np.float64]:
    """Σw(z − z̄)² `(R,)` over log rates z with half an error added, w = 1/se² clustered by person.

    A standard error is at least that of as many independent comparisons. Groups without comparisons do not enter.
    """
    n = within.comparisons
    rate = (within.errors + 0.5) / (n + 1)
    spread = np.fmax(within.variance, rate * (1 - rate) / np.maximum(n, 1))
    w, z = np.where(n > 0, rate**2 / spread, 0.0), np.log(rate)
    centre = (w * z).sum(axis=1) / np.maximum(w.sum(axis=1), np.finfo(float).tiny)
    return np.asarray((w * (z - centre[:, None]) ** 2).sum(axis=1))


def _tier(work: int) -> Tier:
    return "numpy" if work < COMPILED_FROM else "numba"


def _checked(pairs: Array, points: int, people: int) -> npt.NDArray[np.int64]:
    """Columns `(4, k)` of pairs of two people: point, probe, reference, x. Raises ValueError."""
    columns = np.ascontiguousarray(pairs[:, :4].T, np.int64)
    for column, end in zip(columns, (points, people, people), strict=False):
        if len(column) and not 0 <= column.min() <= column.max() < end:
            raise ValueError(f"pairs must lie within {points} points and {people} people")
    apart = columns[1] != columns[2]
    return columns if apart.all() else columns[:, apart]


def _blocks(rows: int, size: int) -> list[slice]:
    return [slice(r, r + size) for r in range(0, rows, size)]


def _sums_twin(weights: Array, columns: Array, points: int) -> npt.NDArray[np.int64]:
    drawn, sums = np.ascontiguousarray(weights.T, np.float64), np.zeros((points, len(weights)))
    for t in np.unique(columns[0]):
        at = columns[:, columns[0] == t]
        for block in _blocks(at.shape[1], max(1, HELD // max(1, len(weights)))):
            _, one, other, x = at[:, block]
            sums[t] += x @ (drawn[one] * drawn[other])
    return np.asarray(np.rint(sums.T), np.int64)


def _totals(labels: Array, groups: int, a: Array, b: Array) -> npt.NDArray[np.float64]:
    """Sums over each group of probes, references and six products of them, `(8, R, G)`."""
    columns = np.column_stack([a, b, a * b, a * a, b * b, a * a * b, a * b * b, (a * b) ** 2])
    return np.stack([(labels == g) @ columns for g in range(groups)], axis=-1).transpose(1, 0, 2)


def _within_twin(
    labels: Array, groups: int, one: Array, other: Array, values: Array, probes: Array, references: Array,
    totals: Array,
) -> npt.NDArray[np.float64]:  # fmt: skip
    """Sums `(R, G, 5)`: over people errors and over pairs err², err·n, all twice; over people errors², errors·n."""
    R, S = labels.shape
    between = np.zeros((3, S, S))
    between[:, one, other] = between[:, other, one] = values.T
    found = np.zeros((R, groups, 5))
    for block in _blocks(R, max(1, HELD // max(1, S))):
        for g in range(groups):
            inside = (labels[block] == g).astype(np.float64)
            e, squares, products = ((inside @ x) * inside for x in between)
            A, B = totals[:2, block, g][:, :, None]
            n = probes * (B - references) + references * (A - probes)
            found[block, g] = np.stack([x.sum(axis=1) for x in (e, squares, products, e * e, e * n)], axis=1)
    return found


def _clustered(found: Array, totals: Array) -> Within:
    """Rates with the variance of METRICS.md § Intervals, within a group: each ordered comparison in both people."""
    A, B, ab, a2, b2, a2b, ab2, a2b2 = totals
    errors, squares, products = found[..., 0] / 2, found[..., 1] / 2, found[..., 2] / 2
    n = A * B - ab
    own = B * B * a2 + A * A * b2 + 4 * a2b2 + 2 * A * B * ab - 4 * B * a2b - 4 * A * ab2  # Σ over people of trials²
    paired = a2 * b2 + ab * ab - 2 * a2b2  # Σ over pairs of trials²
    p = np.divide(errors, n, out=np.full(n.shape, np.nan), where=n > 0)
    by_person = found[..., 3] - 2 * p * found[..., 4] + p * p * own
    by_pair = squares - 2 * p * products + p * p * paired
    variance = np.maximum(by_person - by_pair, by_pair) / np.where(n > 0, n, 1.0) ** 2
    return Within(np.rint(errors).astype(np.int64), np.rint(n).astype(np.int64), variance)


@dataclass(frozen=True)
class _Loops:
    sums: Any
    within: Any


@cache
def _compiled() -> _Loops:
    from numba import njit  # loaded by those who need it

    @njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
    def sums(w: Array, runs: Array, point: Array, probe: Array, other: Array, x: Array, found: Array) -> None:
        # w `(S, B)`; run k of rows shares its point and probe, so that a row costs one multiplication a replicate.
        B = w.shape[1]
        inner = np.empty(B, w.dtype)
        for k in range(len(point)):
            inner[:] = 0
            for m in range(runs[k], runs[k + 1]):
                theirs, value = w[other[m]], x[m]
                for r in range(B):
                    inner[r] += value * theirs[r]
            mine, total = w[probe[k]], found[point[k]]
            for r in range(B):
                total[r] += np.float64(mine[r]) * np.float64(inner[r])

    @njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
    def within(
        labels: Array, starts: Array, other: Array, values: Array, probes: Array, references: Array, sides: Array,
        out: Array,
    ) -> None:  # fmt: skip
        # labels `(S, B)`; a person's pairs are other and values from starts[i] on, every pair in both of its people.
        S, B = labels.shape
        inner = np.empty((3, B))
        for i in range(S):
            if starts[i] == starts[i + 1]:
                continue
            inner[:] = 0.0
            mine = labels[i]
            for m in range(starts[i], starts[i + 1]):
                theirs = labels[other[m]]
                for c in range(3):
                    sum_, value = inner[c], values[m, c]
                    for r in range(B):
                        sum_[r] += value if mine[r] == theirs[r] else 0.0
            for r in range(B):
                g, e = mine[r], inner[0, r]
                n = probes[i] * (sides[1, g, r] - references[i]) + references[i] * (sides[0, g, r] - probes[i])
                out[0, g, r] += e
                out[1, g, r] += inner[1, r]
                out[2, g, r] += inner[2, r]
                out[3, g, r] += e * e
                out[4, g, r] += e * n

    return _Loops(sums, within)
