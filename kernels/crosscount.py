"""Every probe against every reference, reduced while it is computed: the matrix of scores is never held.

Two passes. `count` bins the scores by group pair; from the bins come curves and thresholds. `tally` then
counts errors at those thresholds per subject and per pair of subjects, which is what the intervals need.

A unit is one transit: its score against a reference is the best of its captures' (least distance, greatest
similarity). Arithmetic is float64 on float32 templates. A tie with a threshold is a match.
The NumPy twins define the result; the compiled kernels stream and must agree with them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[Any]
Tier = Literal["numpy", "numba"]

COMPILED_FROM = 2_000_000
"""Capture-reference pairs from which the compiled tier pays for its compilation."""

_TWIN_ELEMENTS = 8_000_000


@dataclass(frozen=True)
class Faces:
    """One side of the comparison, units sorted by subject.

    templates `(n, d)` float32; unit k owns rows `starts[k]:starts[k+1]`, at least one; `subjects` `(units,)` int64,
    ascending, indexes the arrays `groups` and `folds` that the kernels take.
    """

    templates: npt.NDArray[np.float32]
    starts: npt.NDArray[np.int64]
    subjects: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        if not np.isfinite(self.templates).all():
            raise ValueError("templates must be finite")
        if (np.diff(self.subjects) < 0).any():
            raise ValueError("units must be sorted by subject")
        if len(self.starts) != len(self.subjects) + 1 or (np.diff(self.starts) < 1).any():
            raise ValueError("every unit must own at least one template")

    def __len__(self) -> int:
        return len(self.subjects)

    @property
    def slices(self) -> npt.NDArray[np.int64]:
        """Rows of `(subject, first unit, end unit)`, one per subject present."""
        first = np.flatnonzero(np.r_[True, np.diff(self.subjects) > 0]) if len(self) else np.zeros(0, np.int64)
        return np.column_stack([self.subjects[first], first, np.r_[first[1:], len(self)]]).astype(np.int64)


@dataclass(frozen=True)
class Tally:
    """Errors and comparisons at P thresholds, for S subjects in G groups.

    errors, comparisons `(P, 2, S, G)`: non-mated matches and comparisons of each subject, in its role as probe (0)
    or reference (1), against the opposite group. mated_errors, mated_comparisons `(P, S)`: mated non-matches.
    squares `(P, G, G, 3)`: Σerr², Σerr·n, Σn² over ordered pairs of subjects (probe group, reference group);
    crosses `(P, G, G, 3)`: Σerr_ij·err_ji, Σ(err_ij·n_ji + err_ji·n_ij), Σn_ij·n_ji over the same pairs, so that
    the sum of both tables over a symmetric set of group pairs runs over unordered pairs of subjects.
    pairs `(k, 5)`: point, probe subject, reference subject, errors, comparisons; only where errors > 0.
    """

    errors: npt.NDArray[np.int64]
    comparisons: npt.NDArray[np.int64]
    mated_errors: npt.NDArray[np.int64]
    mated_comparisons: npt.NDArray[np.int64]
    squares: npt.NDArray[np.float64]
    crosses: npt.NDArray[np.float64]
    pairs: npt.NDArray[np.int64]


def choose_tier(probes: Faces, references: Faces) -> Tier:
    """The tier that finishes first for this many comparisons."""
    return "numba" if len(probes.templates) * len(references.templates) >= COMPILED_FROM else "numpy"


def count(
    probes: Faces,
    references: Faces,
    groups: npt.NDArray[np.int64],
    folds: npt.NDArray[np.int64],
    edges: npt.NDArray[np.float64],
    metric: Literal["euclidean", "cosine"],
    tier: Tier | None = None,
) -> npt.NDArray[np.int64]:
    """Comparisons `(G, G, 2, 3, B + 1)` by probe group, reference group, mated, fold and score bin.

    groups, folds `(S,)`: each subject's group and fold (0 or 1). Fold index 2 holds comparisons between folds.
    edges `(B,)` ascending. Distances fall into `(edge[i-1], edge[i]]`, similarities into `[edge[i-1], edge[i])`.
    """
    G = int(groups.max(initial=-1)) + 1
    counts = np.zeros((G, G, 2, 3, len(edges) + 1), np.int64)
    if not len(probes) or not len(references):
        return counts
    if (tier or choose_tier(probes, references)) == "numba":
        _count(*_flat(probes, metric), *_flat(references, metric), groups, folds, edges, metric == "cosine", counts)
        return counts
    side: Literal["left", "right"] = "right" if metric == "cosine" else "left"
    rs = references.subjects
    for units, scores in scores_of(probes, references, metric):
        ps = probes.subjects[units]
        fold = np.where(folds[ps][:, None] == folds[rs][None], folds[ps][:, None], 2)
        where = np.broadcast_arrays(
            groups[ps][:, None], groups[rs][None], ps[:, None] == rs[None], fold, np.searchsorted(edges, scores, side)
        )
        flat = np.ravel_multi_index([index.astype(np.int64).ravel() for index in where], counts.shape)
        counts += np.bincount(flat, minlength=counts.size).reshape(counts.shape)
    return counts


def tally(
    probes: Faces,
    references: Faces,
    groups: npt.NDArray[np.int64],
    folds: npt.NDArray[np.int64],
    thresholds: npt.NDArray[np.float64],
    crossfit: npt.NDArray[np.bool_],
    metric: Literal["euclidean", "cosine"],
    tier: Tier | None = None,
) -> Tally:
    """Errors at `thresholds` `(P, 2)`: column f applies inside fold f.

    Where `crossfit` `(P,)` is set, comparisons between folds are left out; elsewhere both columns are equal and
    every comparison counts. A point with a NaN threshold has no comparisons.
    """
    S, G, P = len(groups), int(groups.max(initial=-1)) + 1, len(thresholds)
    if (tier or choose_tier(probes, references)) == "numba" and len(probes) and len(references):
        return _tally_compiled(probes, references, groups, folds, thresholds, crossfit, metric)
    matches, trials = np.zeros((P, S, S), np.int64), np.zeros((S, S), np.int64)
    rs = references.subjects
    for units, scores in scores_of(probes, references, metric):
        ps = probes.subjects[units]
        np.add.at(trials, (ps[:, None], rs[None]), 1)
        for k in range(P):
            limit = thresholds[k][folds[ps]][:, None]
            matched = scores >= limit if metric == "cosine" else scores <= limit
            np.add.at(matches[k], (ps[:, None], rs[None]), matched.astype(np.int64))
    group_of = np.eye(G)[groups]
    same_fold = folds[:, None] == folds[None]
    errors, comparisons = np.zeros((P, 2, S, G), np.int64), np.zeros((P, 2, S, G), np.int64)
    squares, crosses = np.zeros((P, G, G, 3)), np.zeros((P, G, G, 3))
    mated_errors, mated_comparisons = np.zeros((P, S), np.int64), np.zeros((P, S), np.int64)
    pairs = []
    for k in range(P):
        if np.isnan(thresholds[k]).any():
            continue
        n = np.where(same_fold, trials, 0) if crossfit[k] else trials
        e = np.where(n > 0, matches[k], 0)
        mated_comparisons[k], mated_errors[k] = n.diagonal(), n.diagonal() - e.diagonal()
        e, n = e * (1 - np.eye(S, dtype=np.int64)), n * (1 - np.eye(S, dtype=np.int64))
        errors[k] = np.stack([e @ group_of, e.T @ group_of])
        comparisons[k] = np.stack([n @ group_of, n.T @ group_of])
        for out, (ee, en, nn) in (
            (squares, (e * e, e * n, n * n)),
            (crosses, (e * e.T, e * n.T + e.T * n, n * n.T)),
        ):
            out[k] = np.stack([group_of.T @ product @ group_of for product in (ee, en, nn)], axis=-1)
        i, j = np.nonzero(e)
        pairs.append(np.column_stack([np.full(len(i), k), i, j, e[i, j], n[i, j]]))
    sparse = np.concatenate(pairs) if pairs else np.zeros((0, 5), np.int64)
    return Tally(errors, comparisons, mated_errors, mated_comparisons, squares, crosses, sparse.astype(np.int64))


def scores_of(
    probes: Faces, references: Faces, metric: Literal["euclidean", "cosine"]
) -> Iterator[tuple[slice, npt.NDArray[np.float64]]]:
    """Fused scores, a block of units at a time: `(slice of units, scores (units, reference units))` float64."""
    width = references.templates.shape[1] * len(references.templates)
    step = max(1, _TWIN_ELEMENTS // max(1, width))
    right = references.templates.astype(np.float64)
    first = 0
    while first < len(probes):
        end = first + 1
        while end < len(probes) and probes.starts[end + 1] - probes.starts[first] <= step:
            end += 1
        left = probes.templates[probes.starts[first] : probes.starts[end]].astype(np.float64)
        best: Any
        if metric == "cosine":
            products = (left[:, None] * right[None]).sum(axis=-1)
            raw = products / np.sqrt((left * left).sum(-1))[:, None] / np.sqrt((right * right).sum(-1))[None]
            best = np.maximum
        else:
            raw = np.sqrt(((left[:, None] - right[None]) ** 2).sum(axis=-1))
            best = np.minimum
        rows = best.reduceat(raw, probes.starts[first:end] - probes.starts[first], axis=0)
        yield slice(first, end), best.reduceat(rows, references.starts[:-1], axis=1)
        first = end


def _flat(faces: Faces, metric: str) -> tuple[Array, Array, Array, Array]:
    norms = np.sqrt((faces.templates.astype(np.float64) ** 2).sum(-1)) if metric == "cosine" else np.zeros(0)
    return faces.templates, norms, faces.starts, faces.subjects


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _score(a: Array, na: Array, i0: int, i1: int, b: Array, nb: Array, j0: int, j1: int, cosine: bool) -> float:
    """Best score of unit rows i0:i1 of `a` against rows j0:j1 of `b`."""
    best = -np.inf if cosine else np.inf
    for i in range(i0, i1):
        for j in range(j0, j1):
            s = 0.0
            if cosine:
                for k in range(a.shape[1]):
                    s += np.float64(a[i, k]) * np.float64(b[j, k])
                s = s / na[i] / nb[j]
                best = max(best, s)
            else:
                for k in range(a.shape[1]):
                    d = np.float64(a[i, k]) - np.float64(b[j, k])
                    s += d * d
                best = min(best, s)
    return best if cosine else np.sqrt(best)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _count(
    a: Array, na: Array, a_starts: Array, a_subjects: Array,
    b: Array, nb: Array, b_starts: Array, b_subjects: Array,
    groups: Array, folds: Array, edges: Array, cosine: bool, counts: Array,
) -> None:  # fmt: skip
    for u in range(len(a_subjects)):
        p = a_subjects[u]
        for v in range(len(b_subjects)):
            r = b_subjects[v]
            s = _score(a, na, a_starts[u], a_starts[u + 1], b, nb, b_starts[v], b_starts[v + 1], cosine)
            bin_ = np.searchsorted(edges, s, side="right") if cosine else np.searchsorted(edges, s, side="left")
            fold = folds[p] if folds[p] == folds[r] else 2
            counts[groups[p], groups[r], 1 if p == r else 0, fold, bin_] += 1


def _tally_compiled(
    probes: Faces,
    references: Faces,
    groups: Array,
    folds: Array,
    thresholds: Array,
    crossfit: Array,
    metric: str,
) -> Tally:
    S, G, P = len(groups), int(groups.max(initial=-1)) + 1, len(thresholds)
    errors, comparisons = np.zeros((P, 2, S, G), np.int64), np.zeros((P, 2, S, G), np.int64)
    mated_errors, mated_comparisons = np.zeros((P, S), np.int64), np.zeros((P, S), np.int64)
    squares, crosses = np.zeros((P, G, G, 3)), np.zeros((P, G, G, 3))
    span_p, span_r = np.zeros((S, 2), np.int64), np.zeros((S, 2), np.int64)
    for span, faces in ((span_p, probes), (span_r, references)):
        rows = faces.slices
        span[rows[:, 0]] = rows[:, 1:]
    left, right = _flat(probes, metric), _flat(references, metric)
    found = []
    buffer = np.zeros((4 * S * P + 16, 5), np.int64)
    for i in range(S):
        used = _tally_subject(
            i, *left, *right, span_p, span_r, groups, folds, thresholds, crossfit, metric == "cosine",
            errors, comparisons, mated_errors, mated_comparisons, squares, crosses, buffer,
        )  # fmt: skip
        found.append(buffer[:used].copy())
    pairs = np.concatenate(found) if found else np.zeros((0, 5), np.int64)
    pairs = pairs[np.lexsort(pairs[:, 2::-1].T)]
    return Tally(errors, comparisons, mated_errors, mated_comparisons, squares, crosses, pairs)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _tally_subject(
    i: int,
    a: Array, na: Array, a_starts: Array, a_subjects: Array,
    b: Array, nb: Array, b_starts: Array, b_subjects: Array,
    span_p: Array, span_r: Array, groups: Array, folds: Array, thresholds: Array, crossfit: Array, cosine: bool,
    errors: Array, comparisons: Array, mated_errors: Array, mated_comparisons: Array,
    squares: Array, crosses: Array, pairs: Array,
) -> int:  # fmt: skip
    """Subject i with itself and with every later subject, in both roles; returns how many rows of `pairs` are used."""
    P = len(thresholds)
    used = 0
    err, n = np.zeros((2, P), np.int64), np.zeros((2, P), np.int64)
    for j in range(i, len(groups)):
        err[:], n[:] = 0, 0
        for way in range(1 if i == j else 2):
            p, r = (i, j) if way == 0 else (j, i)
            for u in range(span_p[p, 0], span_p[p, 1]):
                for v in range(span_r[r, 0], span_r[r, 1]):
                    s = _score(a, na, a_starts[u], a_starts[u + 1], b, nb, b_starts[v], b_starts[v + 1], cosine)
                    for k in range(P):
                        t = thresholds[k, folds[p]]
                        untestable = np.isnan(thresholds[k, 0]) or np.isnan(thresholds[k, 1])
                        if untestable or (crossfit[k] and folds[p] != folds[r]):
                            continue
                        n[way, k] += 1
                        if (s >= t) if cosine else (s <= t):
                            err[way, k] += 1
        gi, gj = groups[i], groups[j]
        for k in range(P):
            if i == j:
                mated_comparisons[k, i] = n[0, k]
                mated_errors[k, i] = n[0, k] - err[0, k]
                continue
            for way in range(2):
                p, r, gp, gr = (i, j, gi, gj) if way == 0 else (j, i, gj, gi)
                x, m = err[way, k], n[way, k]
                y, w = err[1 - way, k], n[1 - way, k]
                errors[k, 0, p, gr] += x
                errors[k, 1, r, gp] += x
                comparisons[k, 0, p, gr] += m
                comparisons[k, 1, r, gp] += m
                squares[k, gp, gr, 0] += x * x
                squares[k, gp, gr, 1] += x * m
                squares[k, gp, gr, 2] += m * m
                crosses[k, gp, gr, 0] += x * y
                crosses[k, gp, gr, 1] += x * w + y * m
                crosses[k, gp, gr, 2] += m * w
                if x > 0:
                    pairs[used, 0], pairs[used, 1], pairs[used, 2] = k, p, r
                    pairs[used, 3], pairs[used, 4] = x, m
                    used += 1
    return used
