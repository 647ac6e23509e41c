"""The portable tier: BLAS multiplies a tile of templates, one compiled pass bins it while it is in the cache.

Any unit, any edges, float64 or float32. A thread has histograms of its own (`prange` on a shared one loses counts) and
releases the GIL. The cut into tiles depends on the faces alone, so the sums are the same for any number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from kernels.scores import Array, Floats, Grid, operand, unit_blocks
from kernels.threads import in_order

ROWS, COLUMNS = 256, 1024
"""Templates in a tile: 1 MiB of float32 scores, which stays in a core's second cache."""

STRETCH = 65536
"""References prepared at a time, in templates."""

PREPARED = 1 << 28
"""Bytes of templates that the second pass keeps prepared."""

CLASSES = 2_000_000
"""Counters of a block of pairs of subjects: people² × thresholds."""


def count(
    both: Any, same: bool, order: list[Array], cells: list[Array], mates: Array, cut: Grid, dtype: Any,
    threads: int | None, by_cell: Array,
) -> None:  # fmt: skip
    """Adds to by_cell `(cells, cells, mated, bin)`; units in the given `order`, by cell and subject.

    cells: of the units in that order; mates `(probe units, 2)`: from where to where a unit's own subject is among the
    references; same: one set, every pair once.
    """
    cosine, single = both.metric == "cosine", both.probes.single and both.references.single
    specials = np.flatnonzero(cut.special)
    sides = both.probes, both.references
    for stretch in _stretches(sides[1], order[1], cells[1], STRETCH):
        right = _rows(both, 1, order[1][stretch], dtype)

        def binned(block: slice, stretch: slice = stretch, right: tuple[Array, Array] = right) -> Any:
            left = _rows(both, 0, order[0][block], dtype)
            found = np.zeros((2, by_cell.shape[3]), np.int64)
            hist = np.zeros((4, cut.top + 2), np.uint32)
            mated = np.zeros(cut.top + 2, np.int64)
            space = np.empty(0, dtype)
            for units in unit_blocks(right[1], COLUMNS):
                if same and stretch.start + units.stop <= block.start + 1:
                    continue
                tile, space = _product(left[0], right[0][right[1][units.start] : right[1][units.stop]], space)
                first = stretch.start + units.start
                _pass(
                    tile, left[1], right[1][units.start : units.stop + 1] - right[1][units.start], single, cosine,
                    block.start, first, same, mates[block], dtype(cut.scale), dtype(cut.offset), dtype(cut.low + 0.5),
                    dtype(cut.top + 0.5), dtype(cut.margin), np.uint16(cut.top + 1), cut.special, specials, cut.error,
                    cut.edges, *_flat(both, 0), order[0], *_flat(both, 1), order[1], hist, mated, found,
                )  # fmt: skip
            np.add.at(found[0], cut.bins[~cut.special], hist.sum(axis=0, dtype=np.int64)[~cut.special])
            np.add.at(found[1], cut.bins[~cut.special], mated[~cut.special])
            return cells[0][block.start], found

        blocks = [
            b for b in _stretches(sides[0], order[0], cells[0], ROWS) if not same or b.start < stretch.stop
        ]  # fmt: skip
        for cell, found in in_order(binned, blocks, threads):
            by_cell[cell, cells[1][stretch.start]] += found


def _stretches(faces: Any, order: Array, cells: Array, rows: int) -> Iterator[slice]:
    """Slices of ordered units of one cell with about `rows` templates."""
    starts = np.r_[0, np.cumsum(np.diff(faces.starts)[order])]
    borders = np.r_[0, np.flatnonzero(np.diff(cells)) + 1, len(cells)]
    for first, end in pairwise(borders):
        for part in unit_blocks(starts[first : end + 1], rows):
            yield slice(int(first + part.start), int(first + part.stop))


def _rows(both: Any, side: int, units: Array, dtype: Any) -> tuple[Array, Array]:
    """The operand of some units, in their order, and where each unit starts in it."""
    faces = (both.probes, both.references)[side]
    sizes = np.diff(faces.starts)[units]
    starts = np.r_[0, np.cumsum(sizes)]
    rows = np.arange(starts[-1]) + np.repeat(faces.starts[units] - starts[:-1], sizes)
    return operand(faces.templates[rows], both.lengths[side][rows], both.metric, side == 0, dtype), starts


def _product(left: Array, right: Array, space: Array) -> tuple[Array, Array]:
    """left @ right.T in `space`, or in a larger one, which is returned too: fresh pages cost as much as the product."""
    if len(left) * len(right) > len(space):
        space = np.empty(len(left) * len(right), left.dtype)
    tile = space[: len(left) * len(right)].reshape(len(left), len(right))
    return np.matmul(left, right.T, out=tile), space


def _flat(both: Any, side: int) -> tuple[Array, Array, Array]:
    faces = (both.probes, both.references)[side]
    return faces.templates, both.lengths[side], faces.starts


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def exact_score(a: Array, na: Array, i0: int, i1: int, b: Array, nb: Array, j0: int, j1: int, cosine: bool) -> float:
    """Best score of unit rows i0:i1 of `a` against rows j0:j1 of `b`, bit for bit as `scores_of` has it."""
    best = -np.inf if cosine else np.inf
    for i in range(i0, i1):
        for j in range(j0, j1):
            s = 0.0
            if cosine:
                for k in range(a.shape[1]):
                    s += np.float64(a[i, k]) * np.float64(b[j, k])
                best = max(best, s / na[i] / nb[j])
            else:
                for k in range(a.shape[1]):
                    d = np.float64(a[i, k]) - np.float64(b[j, k])
                    s += d * d
                best = min(best, s)
    return best if cosine else np.sqrt(best)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def bin_of(edges: Array, score: float, cosine: bool) -> int:
    """The bin of a score: a tie belongs to the side that matches."""
    low, high = 0, len(edges)
    while low < high:
        middle = (low + high) >> 1
        if (edges[middle] <= score) if cosine else (edges[middle] < score):
            low = middle + 1
        else:
            high = middle
    return low


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _best_row(tile: Array, i0: int, i1: int, starts: Array, cosine: bool, row: Array) -> None:
    """The best score (or squared distance) of the templates i0:i1 against every unit of the tile."""
    for v in range(len(starts) - 1):
        best = tile[i0, starts[v]]
        for i in range(i0, i1):
            for j in range(starts[v], starts[v + 1]):
                best = max(best, tile[i, j]) if cosine else min(best, tile[i, j])
        row[v] = best


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _cells(row: Array, scale: Any, offset: Any, low: Any, top: Any, margin: Any, look: Any, kind: Array) -> None:
    """The cell of every score; `look` where one is nearer to a border than the margin. Compiles to vectors."""
    if margin > 0:
        upper = type(margin)(1) - margin
        for v in range(len(row)):
            x = min(max(row[v] * scale + offset, low), top)
            c = np.int32(x)
            x -= c
            kind[v] = look if (x < margin) | (x > upper) else np.uint16(c)
    else:
        for v in range(len(row)):
            kind[v] = np.uint16(np.int32(min(max(row[v] * scale + offset, low), top)))


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _pass(
    tile: Array, rows: Array, columns: Array, single: bool, cosine: bool, first_row: int, first_column: int,
    same: bool, mates: Array, scale: Any, offset: Any, low: Any, top: Any, margin: Any, look: Any, special: Array,
    specials: Array, error: Array, edges: Array, a: Array, na: Array, a_starts: Array, a_order: Array,
    b: Array, nb: Array, b_starts: Array, b_order: Array, hist: Array, mated: Array, found: Array,
) -> None:  # fmt: skip
    """Counts the scores of one tile: cells into hist and mated, those that need a closer look exactly into found."""
    n = len(columns) - 1
    row, kind = np.empty(n, tile.dtype), np.empty(n, np.uint16)
    one = np.uint32(1)
    h0, h1, h2, h3 = hist[0], hist[1], hist[2], hist[3]
    for u in range(len(rows) - 1):
        if single:
            for v in range(n):  # numba compiles an assignment of slices for a second
                row[v] = tile[u, v]
        else:
            _best_row(tile, rows[u], rows[u + 1], columns, cosine, row)
        if not cosine:
            for v in range(n):
                row[v] = np.sqrt(max(row[v], type(scale)(0)))
        _cells(row, scale, offset, low, top, margin, look, kind)
        begin = max(0, first_row + u + 1 - first_column) if same else 0
        m0 = min(max(mates[u, 0] - first_column, begin), n)
        m1 = min(max(mates[u, 1] - first_column, m0), n)
        before = 0
        for c in specials:
            before += np.int64(h0[c]) + h1[c] + h2[c] + h3[c]
        for part in range(2):
            v0, v1 = (begin, m0) if part == 0 else (m1, n)
            v = v0
            while v + 4 <= v1:
                h0[kind[v]] += one
                h1[kind[v + 1]] += one
                h2[kind[v + 2]] += one
                h3[kind[v + 3]] += one
                v += 4
            while v < v1:
                h0[kind[v]] += one
                v += 1
        for v in range(m0, m1):
            mated[kind[v]] += 1
        after = 0
        for c in specials:
            after += np.int64(h0[c]) + h1[c] + h2[c] + h3[c]
        looks = after != before
        for v in range(begin if looks else m0, n if looks else m1):
            if special[kind[v]]:
                x = error[kind[v]]
                if kind[v] == look:  # the border of a cell, in double precision: the definition decides
                    x = np.inf
                s = np.float64(row[v])
                bin_ = bin_of(edges, s - x, cosine)
                if not x < np.inf or bin_ != bin_of(edges, s + x, cosine):
                    p, r = a_order[first_row + u], b_order[first_column + v]
                    s = exact_score(a, na, a_starts[p], a_starts[p + 1], b, nb, b_starts[r], b_starts[r + 1], cosine)
                    bin_ = bin_of(edges, s, cosine)
                found[1 if m0 <= v < m1 else 0, bin_] += 1


def tally(
    both: Any, groups: Array, folds: Array, limits: Floats, place: Array, crossfit: Array, points: Array,
    listed: Array, units: list[Array], result: Any, keep: Callable[[npt.NDArray[np.int64]], None],
    threads: int | None,
) -> None:  # fmt: skip
    """The second pass, a block of people against a block at a time: fills `result`, hands its pairs to `keep`.

    place `(P, 2)`: the class, from the strictest limit, up to which a score matches at each point and fold.
    """
    S, T, cosine = len(groups), len(limits), both.metric == "cosine"
    G = result.errors.shape[3]
    single = both.probes.single and both.references.single
    cut = both.grid(limits, limits, np.float32, 4096)
    dtype: Any = np.float32
    if not cut.trusted:
        cut, dtype = both.grid(limits, limits, np.float64, 4096), np.float64
    sides = both.probes, both.references
    begin = [np.searchsorted(f.subjects, np.arange(S + 1)) for f in sides]
    most = max(1, int(np.sqrt(CLASSES / T)))
    wide = max(1, 4096 // max(1, int(max(np.diff(f.starts[b]).mean() for f, b in zip(sides, begin, strict=True)))))
    size = min(most, wide, S)
    blocks = [(s, min(s + size, S)) for s in range(0, S, size)]
    heavy = max(int(f.starts[b[min(size, S)]]) for f, b in zip(sides, begin, strict=True)) or 1

    @lru_cache(maxsize=max(8, int(PREPARED // (heavy * 4 * both.probes.templates.shape[1]))))
    def prepared(side: int, i: int) -> tuple[Array, Array]:
        return _rows(both, side, np.arange(begin[side][blocks[i][0]], begin[side][blocks[i][1]]), dtype)

    def classes(i: int, j: int) -> Array:
        """How many scores of each probe subject of block i and reference subject of block j meet each limit first."""
        out = np.zeros((blocks[i][1] - blocks[i][0], blocks[j][1] - blocks[j][0], T), np.int32)
        (a, a_starts), (b, b_starts) = prepared(0, i), prepared(1, j)
        space = np.empty(0, dtype)
        p0, r0 = begin[0][blocks[i][0]], begin[1][blocks[j][0]]
        for p in unit_blocks(a_starts, ROWS):
            for r in unit_blocks(b_starts, COLUMNS):
                left, right = a[a_starts[p.start] : a_starts[p.stop]], b[b_starts[r.start] : b_starts[r.stop]]
                tile, space = _product(left, right, space)
                _classify(
                    tile, a_starts[p.start : p.stop + 1] - a_starts[p.start],
                    b_starts[r.start : r.stop + 1] - b_starts[r.start], single, cosine, p0 + p.start, r0 + r.start,
                    blocks[i][0], blocks[j][0], sides[0].subjects, sides[1].subjects, dtype(cut.scale),
                    dtype(cut.offset), dtype(cut.low + 0.5), dtype(cut.top + 0.5), cut.bins, cut.special, cut.error,
                    limits, *_flat(both, 0), *_flat(both, 1), out,
                )  # fmt: skip
        return out

    def block(pair: tuple[int, int]) -> Any:
        i, j = pair
        (i0, i1), (j0, j1) = blocks[i], blocks[j]
        forth = classes(i, j)
        back = forth if i == j else classes(j, i)
        sums = np.zeros((2, 2, len(points), max(i1 - i0, j1 - j0), G), np.int64)
        moments = np.zeros((2, len(points), G, G, 2))
        mated = np.zeros((len(points), i1 - i0), np.int64)
        rows = _reduce(
            forth, back, i == j, i0, j0, groups, folds, place, crossfit, points, listed, units[0], units[1], sums,
            moments, mated,
        )  # fmt: skip
        return i0, i1, j0, j1, i == j, sums, moments, mated, rows

    pairs = ((i, j) for i in range(len(blocks)) for j in range(i, len(blocks)))
    for i0, i1, j0, j1, own, sums, moments, mated, rows in in_order(block, pairs, threads):
        # Whole numbers below 2⁵³, and added in the order of the blocks.
        result.errors[points, :, i0:i1] += sums[0].transpose(1, 0, 2, 3)[:, :, : i1 - i0]
        if not own:
            result.errors[points, :, j0:j1] += sums[1].transpose(1, 0, 2, 3)[:, :, : j1 - j0]
        else:
            result.mated_errors[points, i0:i1] -= mated
        result.squares[points, :, :, :2] += moments[0]
        result.crosses[points, :, :, :2] += moments[1]
        if len(rows):
            keep(rows)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _classify(
    tile: Array, rows: Array, columns: Array, single: bool, cosine: bool, first_row: int, first_column: int,
    p_base: int, r_base: int, p_subjects: Array, r_subjects: Array, scale: Any, offset: Any, low: Any, top: Any,
    bins: Array, special: Array, error: Array, limits: Array, a: Array, na: Array, a_starts: Array,
    b: Array, nb: Array, b_starts: Array, out: Array,
) -> None:  # fmt: skip
    """Adds a tile's scores to out `(probe subjects, reference subjects, T)` by the strictest limit they meet."""
    n, T = len(columns) - 1, len(limits)
    row, kind = np.empty(n, tile.dtype), np.empty(n, np.uint16)
    zero = type(scale)(0)
    for u in range(len(rows) - 1):
        if single:
            for v in range(n):  # numba compiles an assignment of slices for a second
                row[v] = tile[u, v]
        else:
            _best_row(tile, rows[u], rows[u + 1], columns, cosine, row)
        if not cosine:
            for v in range(n):
                row[v] = np.sqrt(max(row[v], zero))
        _cells(row, scale, offset, low, top, zero, np.uint16(0), kind)
        p = first_row + u
        i = p_subjects[p] - p_base
        for v in range(n):
            c = kind[v]
            r = first_column + v
            bin_ = bins[c]
            if special[c]:
                s, x = np.float64(row[v]), error[c]
                bin_ = bin_of(limits, s - x, cosine)
                if not x < np.inf or bin_ != bin_of(limits, s + x, cosine):
                    s = exact_score(a, na, a_starts[p], a_starts[p + 1], b, nb, b_starts[r], b_starts[r + 1], cosine)
                    bin_ = bin_of(limits, s, cosine)
            class_ = T - bin_ if cosine else bin_
            if class_ < T:
                out[i, r_subjects[r] - r_base, class_] += 1


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _reduce(
    forth: Array, back: Array, own: bool, i0: int, j0: int, groups: Array, folds: Array, place: Array,
    crossfit: Array, points: Array, listed: Array, as_probe: Array, as_reference: Array, sums: Array, moments: Array,
    mated: Array,
) -> Array:  # fmt: skip
    """Sums over the pairs of subjects of two blocks, in both directions; returns the rows of the pairs with errors.

    sums `(block, role, points, subjects, G)`; moments `(squares or crosses, points, G, G, 2)`; mated matches.
    """
    T = forth.shape[2]
    pairs, used = np.empty((256, 5), np.int64), 0
    x = np.zeros((2, T), np.int64)
    for i in range(forth.shape[0]):
        for j in range(i if own else 0, forth.shape[1]):
            total = np.zeros(2, np.int64)
            for t in range(T):
                total[0] += forth[i, j, t]
                total[1] += back[j, i, t]
                x[0, t], x[1, t] = total[0], total[1]
            if total[0] == 0 and total[1] == 0:
                continue
            s, r = i0 + i, j0 + j
            within = folds[s] == folds[r]
            if own and i == j:
                for q in range(len(points)):
                    mated[q, i] = x[0, place[points[q], folds[s]]]
                continue
            n0, n1 = as_probe[s] * as_reference[r], as_probe[r] * as_reference[s]
            gs, gr = groups[s], groups[r]
            block_j = 0 if own else 1
            for q in range(len(points)):
                k = points[q]
                if crossfit[k] and not within:
                    continue
                y, z = x[0, place[k, folds[s]]], x[1, place[k, folds[r]]]
                if y == 0 and z == 0:
                    continue
                sums[0, 0, q, i, gr] += y
                sums[block_j, 1, q, j, gs] += y
                sums[block_j, 0, q, j, gs] += z
                sums[0, 1, q, i, gr] += z
                moments[0, q, gs, gr, 0] += y * y
                moments[0, q, gs, gr, 1] += y * n0
                moments[0, q, gr, gs, 0] += z * z
                moments[0, q, gr, gs, 1] += z * n1
                for g, h in ((gs, gr), (gr, gs)):
                    moments[1, q, g, h, 0] += y * z
                    moments[1, q, g, h, 1] += y * n1 + z * n0
                if listed[k]:
                    if used + 2 > len(pairs):
                        more = np.empty((2 * len(pairs), 5), np.int64)
                        for e in range(used):
                            for f in range(5):
                                more[e, f] = pairs[e, f]
                        pairs = more
                    for x_, n, p, o in ((y, n0, s, r), (z, n1, r, s)):
                        if x_ > 0:
                            pairs[used, 0], pairs[used, 1], pairs[used, 2] = k, p, o
                            pairs[used, 3], pairs[used, 4] = x_, n
                            used += 1
    return pairs[:used]
