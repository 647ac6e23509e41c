"""Every probe against every reference, reduced while it is computed: the matrix of scores is never held.

Two passes. `count` bins the scores by group pair; from the bins come curves and thresholds. `tally` then
counts errors at those thresholds per subject and per pair of subjects, which is what the intervals need.

Three tiers, chosen by size and by what the call asks for (`choose_tier`):
numpy: the twin, which defines the result. Quickest below some thousand faces, for it never waits for a compiler.
numba: a BLAS tile and one compiled pass over it (kernels.tiles). Any unit, any edges, any CPU.
fused: the bins are counted inside the matrix product (kernels.fused). Units of one template, float32.

By default every tier gives the twin's counts exactly. `exact` names the edges for which that is enough, which allows
float32: a score may then be counted one bin off where it lies within rounding of any *other* edge, and never across
one of these. A tie with a threshold is a match. `tally` compares exactly in every tier.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

import numpy as np
import numpy.typing as npt

from kernels.scores import (
    BLOCK,
    Array,
    Faces,
    Floats,
    Grid,
    Metric,
    directions_of,
    fuse,
    grid,
    norms_of,
    operand,
    scores_at,
    scores_of,
    unit_blocks,
)  # fmt: skip
from kernels.threads import in_order

__all__ = ["Faces", "Tally", "choose_tier", "count", "scores_of", "tally"]

Tier = Literal["numpy", "numba", "fused"]

COMPILED_FROM = 30_000_000
"""Capture-reference pairs from which a compiled tier repays the second that loading it takes."""

DENSE = 20_000_000
"""Pairs of subjects × thresholds that the twin of `tally` may hold."""


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


@dataclass(frozen=True)
class Comparison:
    """Both sides, prepared: lengths of the templates, and the greatest of them (1 for the cosine)."""

    probes: Faces
    references: Faces
    metric: Metric
    lengths: tuple[Floats, Floats]
    longest: float

    @classmethod
    def of(cls, probes: Faces, references: Faces, metric: Metric) -> Comparison:
        """Raises ValueError where the templates' lengths differ, or a cosine is asked of a template of zeros."""
        if probes.templates.shape[1:] != references.templates.shape[1:]:
            shapes = probes.templates.shape[1:], references.templates.shape[1:]
            raise ValueError(f"probes and references must have the same dimensions, not {shapes[0]} and {shapes[1]}")
        measure = directions_of if metric == "cosine" else norms_of
        left = measure(probes.templates)
        right = left if references is probes else measure(references.templates)
        longest = 1.0 if metric == "cosine" else float(max(left.max(initial=0), right.max(initial=0)))
        return cls(probes, references, metric, (left, right), longest)

    def grid(self, edges: Floats, exact: Array | None, dtype: Any, cells: int = 0) -> Grid:
        """`kernels.scores.grid` for these templates."""
        width = self.probes.templates.shape[1] + 2
        return grid(edges, exact, self.metric, width, self.longest, dtype, cells)


def choose_tier(
    probes: Faces, references: Faces | None = None, exact: Array | None = None, tier: Tier | None = None,
    pairs: int | None = None,
) -> Tier:  # fmt: skip
    """The tier of `count`: the one asked for, that of TESTBED_KERNEL_TIER, or the one that finishes first.

    pairs: of templates, where these faces are but a part of what will be compared.
    Raises ValueError for a `tier` that cannot do it. One from the environment is for a whole run: where it cannot,
    "numba" does.
    """
    references = probes if references is None else references
    wanted = tier or os.environ.get("TESTBED_KERNEL_TIER") or None
    if wanted not in (None, *get_args(Tier)):
        raise ValueError(f"the kernel tier must be one of {', '.join(get_args(Tier))}, not {wanted}")
    able = exact is not None and probes.single and references.single
    if wanted == "fused" and not able:
        if tier:
            raise ValueError("the fused tier needs units of one template each, and the edges that are to be exact")
        return "numba"
    if wanted:
        return cast(Tier, wanted)
    if (pairs or len(probes.templates) * len(references.templates)) < COMPILED_FROM:
        return "numpy"
    if able:
        from kernels.fused import quicker_here  # numba is loaded by those who need it

        return "fused" if quicker_here() else "numba"
    return "numba"


def count(
    probes: Faces,
    references: Faces | None,
    groups: npt.NDArray[np.int64],
    folds: npt.NDArray[np.int64],
    edges: npt.NDArray[np.float64],
    metric: Metric,
    tier: Tier | None = None,
    exact: npt.NDArray[np.float64] | None = None,
    threads: int | None = None,
) -> npt.NDArray[np.int64]:
    """Comparisons `(G, G, 2, 3, B + 1)` by probe group, reference group, mated, fold and score bin.

    groups, folds `(S,)`: each subject's group and fold (0 or 1). Fold index 2 holds comparisons between folds.
    edges `(B,)` ascending. Distances fall into `(edge[i-1], edge[i]]`, similarities into `[edge[i-1], edge[i])`.
    references None: one set, every unordered pair of its units once, the lesser group as the probe's.
    exact: the edges no score may be on the wrong side of; None means all. Raises ValueError as `Comparison.of`.
    """
    G, S = int(groups.max(initial=-1)) + 1, len(groups)
    same = references is None
    references = probes if references is None else references
    if not len(probes) or not len(references):
        return np.zeros((G, G, 2, 3, len(edges) + 1), np.int64)
    tier = choose_tier(probes, references, exact, tier)
    both = Comparison.of(probes, references, metric)
    cells = groups * 2 + folds
    by_cell = np.zeros((2 * G, 2 * G, 2, len(edges) + 1), np.int64)
    if tier == "numpy":
        _count(both, same, cells, edges, threads, by_cell)
    else:
        cut = both.grid(edges, exact, np.float32) if exact is not None else None
        dtype = np.float32 if cut and cut.trusted else np.float64
        if cut is None or not cut.trusted:
            cut = both.grid(edges, None, np.float64)
        if tier == "fused" and dtype == np.float32:
            from kernels import fused as compiled
        else:
            from kernels import tiles as compiled  # type: ignore[no-redef]
        order = [np.lexsort([f.subjects, cells[f.subjects]]) for f in (probes, references)]
        place = cells * np.int64(S) + np.arange(S)
        keys = [place[f.subjects[o]] for f, o in zip((probes, references), order, strict=True)]
        mates = np.column_stack([np.searchsorted(keys[1], keys[0], side) for side in ("left", "right")])
        sorted_cells = [cells[f.subjects[o]] for f, o in zip((probes, references), order, strict=True)]
        compiled.count(both, same, order, sorted_cells, mates, cut, dtype, threads, by_cell)
    split = by_cell.reshape(G, 2, G, 2, 2, -1)
    return np.stack([split[:, 0, :, 0], split[:, 1, :, 1], split[:, 0, :, 1] + split[:, 1, :, 0]], axis=3)


def _count(both: Comparison, same: bool, cells: Array, edges: Floats, threads: int | None, by_cell: Array) -> None:
    """The twin of `count`: by_cell `(cells, cells, mated, bin)` is added to."""
    cut = both.grid(edges, None, np.float64)
    ps, rs = both.probes.subjects, both.references.subjects
    rank = np.empty(len(rs), np.int64)
    rank[np.lexsort([rs, cells[rs]])] = np.arange(len(rs))
    B = by_cell.shape[3]
    for units, bins in _bins(both, cut, threads):
        bins += (cells[ps[units]] * (len(by_cell) * 2 * B))[:, None]
        bins += cells[rs] * (2 * B)
        bins[ps[units][:, None] == rs] += B
        np.add.at(by_cell.reshape(-1), bins[rank > rank[units, None]] if same else bins.ravel(), 1)


def _bins(both: Comparison, cut: Grid, threads: int | None) -> Iterator[tuple[slice, npt.NDArray[np.int64]]]:
    """The exact bin of every score, a block of units at a time: `(slice of units, bins (units, reference units))`."""
    p, r = both.probes, both.references
    side: Literal["left", "right"] = "right" if both.metric == "cosine" else "left"
    best: Any = np.maximum if both.metric == "cosine" else np.minimum
    right = operand(r.templates, both.lengths[1], both.metric, False, np.float64).T

    def block(units: slice) -> tuple[slice, npt.NDArray[np.int64]]:
        rows = slice(p.starts[units.start], p.starts[units.stop])
        raw = operand(p.templates[rows], both.lengths[0][rows], both.metric, True, np.float64) @ right
        score = fuse(raw, p.starts[units.start : units.stop] - rows.start, r.starts[:-1], best)
        if both.metric == "euclidean":
            score = np.sqrt(np.maximum(score, 0, out=score), out=score)
        place = np.clip(score * cut.scale + cut.offset, cut.low + 0.5, cut.top + 0.5)
        cell = place.astype(np.int32)
        place -= cell
        bins = cut.bins[cell]
        look = np.flatnonzero(cut.special[cell] | (place < cut.margin) | (place > 1 - cut.margin))
        u, v = np.divmod(look, bins.shape[1])
        exact = scores_at(p, r, u + units.start, v, both.metric, both.lengths)
        bins.reshape(-1)[look] = np.searchsorted(cut.edges, exact, side)
        return units, bins

    return in_order(block, unit_blocks(p.starts, max(1, BLOCK // len(r.templates))), threads)


def tally(
    probes: Faces,
    references: Faces,
    groups: npt.NDArray[np.int64],
    folds: npt.NDArray[np.int64],
    thresholds: npt.NDArray[np.float64],
    crossfit: npt.NDArray[np.bool_],
    metric: Metric,
    tier: Tier | None = None,
    listed: npt.NDArray[np.bool_] | None = None,
    spill: Callable[[npt.NDArray[np.int64]], None] | None = None,
    threads: int | None = None,
) -> Tally:
    """Errors at `thresholds` `(P, 2)`: column f applies inside fold f.

    Where `crossfit` `(P,)` is set, comparisons between folds are left out; elsewhere both columns are equal and
    every comparison counts. A point with a NaN threshold has no comparisons.
    listed `(P,)`: points whose pairs with errors are listed; None means all. spill takes rows of `Tally.pairs` as they
    are found, in an order that depends on nothing but the faces, and `pairs` is then empty: memory stays bounded.
    """
    S, G, P = len(groups), int(groups.max(initial=-1)) + 1, len(thresholds)
    listed = np.ones(P, bool) if listed is None else listed
    tested = ~np.isnan(thresholds).any(axis=1)
    units = [np.bincount(f.subjects, minlength=S).astype(np.int64) for f in (probes, references)]
    result = _trials(units[0], units[1], groups, folds, np.where(tested, 1 + crossfit, 0), G)
    if not len(probes) or not len(references) or not tested.any():
        return result
    wanted = choose_tier(probes, references, None, None if tier == "fused" else tier)
    if tier is None and wanted == "numpy" and S * S * P > DENSE:
        wanted = "numba"
    # Limits from strict to loose; a score's class is the first it meets, and it matches at that one and all later.
    limits = np.unique(thresholds[tested])
    strictness = limits[::-1] if metric == "cosine" else limits
    place = np.zeros((P, 2), np.int64)
    found = np.searchsorted(limits, thresholds[tested])
    place[tested] = len(limits) - 1 - found if metric == "cosine" else found
    assert (strictness[place[tested]] == thresholds[tested]).all()
    both = Comparison.of(probes, references, metric)
    points = np.flatnonzero(tested)
    if wanted == "numpy":
        found_pairs = _tally(both, groups, folds, limits, place, crossfit, points, units, result, threads)
        found_pairs = found_pairs[listed[found_pairs[:, 0]]]
        if spill:
            spill(found_pairs)
            found_pairs = found_pairs[:0]
    else:
        from kernels import tiles

        rows: list[Array] = []
        tiles.tally(
            both, groups, folds, limits, place, crossfit, points, listed, units, result, spill or rows.append, threads
        )
        found_pairs = np.concatenate(rows) if rows else np.zeros((0, 5), np.int64)
        found_pairs = found_pairs[np.lexsort(found_pairs[:, 2::-1].T)]
    return Tally(**{**vars(result), "pairs": found_pairs})


def _trials(p: Array, r: Array, groups: Array, folds: Array, rule: Array, G: int) -> Tally:
    """A Tally without errors: comparisons follow from each subject's units as probe `p` and reference `r` `(S,)`.

    rule `(P,)`: 0 no comparisons, 1 all, 2 those within a fold.
    """
    S, P = len(groups), len(rule)
    comparisons, mated = np.zeros((P, 2, S, G), np.int64), np.zeros((P, S), np.int64)
    squares, crosses = np.zeros((P, G, G, 3)), np.zeros((P, G, G, 3))
    member = np.eye(G, dtype=np.int64)[groups]
    for wanted, halves in ((1, [np.ones(S, bool)]), (2, [folds == 0, folds == 1])):
        at = rule == wanted
        if not at.any():
            continue
        trials, n2, cross = np.zeros((2, S, G), np.int64), np.zeros((G, G)), np.zeros((G, G))
        for half in halves:
            x, y, m = p * half, r * half, member.astype(np.float64)
            trials[0] += x[:, None] * (y @ member - y[:, None] * member)
            trials[1] += y[:, None] * (x @ member - x[:, None] * member)
            n2 += np.outer((x * x) @ m, (y * y) @ m) - np.diag((x * x * y * y) @ m)
            cross += np.outer((x * y) @ m, (x * y) @ m) - np.diag((x * x * y * y) @ m)
        comparisons[at], mated[at] = trials, p * r
        squares[at, :, :, 2], crosses[at, :, :, 2] = n2, cross
    none = np.zeros((0, 5), np.int64)
    return Tally(np.zeros_like(comparisons), comparisons, mated.copy(), mated, squares, crosses, none)


def _tally(
    both: Comparison, groups: Array, folds: Array, limits: Floats, place: Array, crossfit: Array, points: Array,
    units: list[Array], result: Tally, threads: int | None,
) -> Array:  # fmt: skip
    """The twin of the second pass: fills `result` and returns its pairs. Holds every pair of subjects."""
    S, T = len(groups), len(limits)
    ps, rs = both.probes.subjects, both.references.subjects
    classes = np.zeros((S, S, T + 1), np.int64)
    for block, bins in _bins(both, both.grid(limits, None, np.float64, 4096), threads):
        kind = T - bins if both.metric == "cosine" else bins
        np.add.at(classes, (ps[block][:, None], rs[None], kind), 1)
    matches = np.cumsum(classes, axis=2)
    trials = np.outer(*units)
    group_of = np.eye(result.errors.shape[3])[groups]
    own = np.eye(S, dtype=np.int64)
    pairs = [np.zeros((0, 5), np.int64)]
    for k in points:
        e = matches[np.arange(S)[:, None], np.arange(S), place[k][folds][:, None]]
        n = trials
        if crossfit[k]:
            e, n = (np.where(folds[:, None] == folds, x, 0) for x in (e, n))
        result.mated_errors[k] = (n - e).diagonal()
        e, n = e * (1 - own), n * (1 - own)
        result.errors[k] = np.stack([e @ group_of, e.T @ group_of])
        for out, (ee, en) in (
            (result.squares, (e * e, e * n)), (result.crosses, (e * e.T, e * n.T + e.T * n)),
        ):  # fmt: skip
            out[k, :, :, :2] = np.stack([group_of.T @ product @ group_of for product in (ee, en)], axis=-1)
        i, j = np.nonzero(e)
        pairs.append(np.column_stack([np.full(len(i), k), i, j, e[i, j], n[i, j]]))
    return np.concatenate(pairs)
