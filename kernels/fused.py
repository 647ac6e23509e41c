"""The fused tier: scores are binned in registers and counted while the next ones are multiplied.

A matrix product is bound by its multiply-adds, counting a histogram by loads and stores: two sets of ports of one core,
of which a product followed by a pass uses one at a time. So here the two are one loop.

* A tile of MR × NV·L scores (12 × 32 where vectors hold 16 floats) lives in registers while k runs over dimensions:
  NV loads of the reference panel, MR broadcasts of the probe panel, MR·NV multiply-adds.
* In each step k of that loop, S bins *of the tile before* are added to the histogram. Over K steps that is the whole
  tile: S·K ≥ MR·NV·L. Consecutive bins go to different copies of the histogram, for two additions to one address in
  a row would wait for each other.
* After the loop the tile's scores become cells (one multiply-add, a clamp, a truncation) and are stored as 16-bit
  numbers, to be counted during the next tile. The score itself never reaches memory.
* Panels are packed in the order of that loop, sorted by cell (group and fold) so that a histogram belongs to one pair
  of cells, and padded with zeros: padding scores exactly 0, and is subtracted from the cell of 0.
* Tiles that hold mated comparisons, or the diagonal of one set, are few: they are counted one by one, under a mask.
* Scores that need a closer look fall into special cells (kernels.scores.Grid). If the counters of these have moved
  after a tile, the tile's cells are still there: its special pairs are scored again in float64.

numba cannot be told to keep a tile in registers, so the loop over k is written in LLVM's language through `intrinsic`;
the drivers around it are ordinary numba. Every score is a chain of multiply-adds in the order of the dimensions,
whatever the vector width: AVX-512, AVX2 and NEON give the same bits.

numba's cache does not notice edits in files that a compiled function imports from: what belongs to this loop is here.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

import llvmlite.binding as llvm  # type: ignore[import-untyped]
import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from kernels.scores import Array, Grid
from kernels.threads import in_order
from kernels.tiles import bin_of, exact_score

COPIES = 4
"""Copies of a thread's histogram."""

ROWS, COLUMNS = 16384, 131072
"""Templates packed at a time, in the place of probes and of references: 8 and 64 MiB at 128 dimensions."""

STRIP = 524288
"""Bytes of the references of a task: their panels stay in a core's second cache while all probes pass."""

TILES = {"avx512": (12, 2, 16), "avx2": (6, 2, 8), "neon": (8, 3, 4)}
"""Rows, vectors and floats per vector: as many accumulators as registers allow."""


@cache
def width() -> str:
    """The widest vectors of this machine: avx512, avx2, neon, or "" where there is no fused multiply-add."""
    has = {name for name, there in llvm.get_host_cpu_features().items() if there}
    if {"avx512f", "avx512bw", "avx512vl"} <= has:
        return "avx512"
    if {"avx2", "fma"} <= has:
        return "avx2"
    return "neon" if "neon" in has or llvm.get_default_triple().startswith(("aarch64", "arm64")) else ""


def quicker_here() -> bool:
    """Whether the tier has been measured to be at least 1.3 times as fast as the portable one on such a machine."""
    return width() in ("avx512", "avx2")


CELLS, DISTANCE_CELLS, SCORES = 0, 1, 2

_F, _I8, _I16, _I32, _I64 = ir.FloatType(), ir.IntType(8), ir.IntType(16), ir.IntType(32), ir.IntType(64)


def _at(b: Any, address: Any, kind: Any, offset: int = 0) -> Any:
    return b.inttoptr(b.add(address, ir.Constant(_I64, offset)), kind.as_pointer())


def _everywhere(b: Any, x: Any, L: int) -> Any:
    nothing = ir.Constant(ir.VectorType(x.type, L), ir.Undefined)
    one = b.insert_element(nothing, x, ir.Constant(_I32, 0))
    return b.shuffle_vector(one, nothing, ir.Constant(ir.VectorType(_I32, L), [0] * L))


def _function(b: Any, name: str, result: Any, arguments: list[Any]) -> Any:
    return b.module.globals.get(name) or ir.Function(b.module, ir.FunctionType(result, arguments), name)


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]
def _tile(
    context: Any, MR: Any, NV: Any, L: Any, S: Any, end: Any, a: Any, b: Any, K: Any, before: Any, here: Any,
    hist: Any, stride: Any, scale: Any, offset: Any, low: Any, top: Any, ahead: Any, by: Any,
) -> Any:  # fmt: skip
    """One tile, from two panels to `end`: CELLS, DISTANCE_CELLS (square root first) or SCORES.

    The first five are constants of the caller. Then addresses of the probe panel, the reference panel, K, the cells of
    the tile before (uint16), where to put this tile's, the histogram, its stride in counters, scale, offset, low, top,
    and what to prefetch, in which steps. With SCORES the tile is stored as it is, float32, and nothing is counted.
    """
    constants = MR, NV, L, S, end
    MR, NV, L, S, end = (t.literal_value for t in constants)
    total, vector, counting = MR * NV * L, ir.VectorType(_F, L), end != SCORES
    whole, real = types.int64, types.float32
    signature = types.void(*constants, *[whole] * 7, *[real] * 4, *[whole] * 2)

    def code(context: Any, q: Any, signature: Any, arguments: Any) -> Any:
        a, b, K, before, here, hist, stride, scale, offset, low, top, ahead, by = arguments[5:]
        fma = _function(q, f"llvm.fma.v{L}f32", vector, [vector] * 3)
        prefetch = _function(q, "llvm.prefetch.p0", ir.VoidType(), [_I8.as_pointer(), _I32, _I32, _I32])
        copies = [q.add(hist, q.mul(stride, ir.Constant(_I64, 4 * (s % COPIES)))) for s in range(S)]
        sums = [[ir.Constant(vector, [0.0] * L)] * NV for _ in range(MR)]

        def steps(first: Any, last: Any, sums: Any, count: bool) -> Any:
            entry, body, after = q.block, q.function.append_basic_block(), q.function.append_basic_block()
            q.cbranch(q.icmp_signed("<", first, last), body, after)
            q.position_at_end(body)
            k = q.phi(_I64)
            k.add_incoming(first, entry)
            held = [[q.phi(vector) for _ in range(NV)] for _ in range(MR)]
            for r in range(MR):
                for v in range(NV):
                    held[r][v].add_incoming(sums[r][v], entry)
            row = q.add(b, q.mul(k, ir.Constant(_I64, NV * L * 4)))
            references = [q.load(_at(q, row, vector, v * L * 4), align=L * 4) for v in range(NV)]
            column = q.add(a, q.mul(k, ir.Constant(_I64, MR * 4)))
            address = q.inttoptr(q.add(ahead, q.mul(k, by)), _I8.as_pointer())
            q.call(prefetch, [address, *(ir.Constant(_I32, x) for x in (0, 2, 1))])
            if count:
                here_k = q.add(before, q.mul(k, ir.Constant(_I64, S * 2)))
                cells = [q.zext(q.load(_at(q, here_k, _I16, 2 * s), align=2), _I64) for s in range(S)]
            new, counted = [[None] * NV for _ in range(MR)], 0
            for r in range(MR):
                probe = _everywhere(q, q.load(_at(q, column, _F, 4 * r), align=4), L)
                for v in range(NV):
                    new[r][v] = q.call(fma, [probe, references[v], held[r][v]])
                while count and counted < S and (counted + 1) * MR <= (r + 1) * S:
                    place = q.add(copies[counted], q.shl(cells[counted], ir.Constant(_I64, 2)))
                    counter = q.inttoptr(place, _I32.as_pointer())
                    q.store(q.add(q.load(counter, align=4), ir.Constant(_I32, 1)), counter, align=4)
                    counted += 1
            following, end_of_body = q.add(k, ir.Constant(_I64, 1)), q.block
            k.add_incoming(following, end_of_body)
            for r in range(MR):
                for v in range(NV):
                    held[r][v].add_incoming(new[r][v], end_of_body)
            q.cbranch(q.icmp_signed("<", following, last), body, after)
            q.position_at_end(after)
            out = [[q.phi(vector) for _ in range(NV)] for _ in range(MR)]
            for r in range(MR):
                for v in range(NV):
                    out[r][v].add_incoming(sums[r][v], entry)
                    out[r][v].add_incoming(new[r][v], end_of_body)
            return out

        start, counted_by = ir.Constant(_I64, 0), ir.Constant(_I64, total // S)
        if counting:
            sums = steps(start, counted_by, sums, True)
            start = counted_by
        sums = steps(start, K, sums, False)
        if counting:
            by_scale, plus, least, most = (_everywhere(q, x, L) for x in (scale, offset, low, top))
            root = _function(q, f"llvm.sqrt.v{L}f32", vector, [vector])
            zero = ir.Constant(vector, [0.0] * L)
        for r in range(MR):
            for v in range(NV):
                x, place = sums[r][v], (r * NV + v) * L
                if not counting:
                    q.store(x, _at(q, here, vector, place * 4), align=L * 4)
                    continue
                if end == DISTANCE_CELLS:
                    x = q.call(root, [q.select(q.fcmp_ordered(">", x, zero), x, zero)])
                x = q.call(fma, [x, by_scale, plus])
                x = q.select(q.fcmp_ordered(">", x, least), x, least)
                x = q.select(q.fcmp_ordered("<", x, most), x, most)
                cell = q.trunc(q.fptosi(x, ir.VectorType(_I32, L)), ir.VectorType(_I16, L))
                q.store(cell, _at(q, here, cell.type, place * 2), align=L * 2)
        return context.get_dummy_value()

    return signature, code


def scans_bytes() -> bool:
    """Whether this machine multiplies bytes four at a time (AVX-512 VNNI)."""
    return width() == "avx512" and bool(llvm.get_host_cpu_features().get("avx512vnni"))


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]
def tile_of_bytes(context: Any, MR: Any, a: Any, b: Any, K: Any, here: Any, start: Any, ahead: Any, by: Any) -> Any:
    """MR × 32 products of unsigned probe bytes and signed reference bytes, int32, stored at `here`.

    K: groups of four dimensions. start: address of what to begin the 32 sums with; ahead, by: as in `_tile`.
    """
    constant, rows = MR, MR.literal_value
    whole, vector, octets = types.int64, ir.VectorType(_I32, 16), ir.VectorType(_I8, 64)

    def code(context: Any, q: Any, signature: Any, arguments: Any) -> Any:
        a, b, K, here, start, ahead, by = arguments[1:]
        multiply = _function(q, "llvm.x86.avx512.vpdpbusd.512", vector, [vector, octets, octets])
        prefetch = _function(q, "llvm.prefetch.p0", ir.VoidType(), [_I8.as_pointer(), _I32, _I32, _I32])
        first = [q.load(_at(q, start, vector, v * 64), align=64) for v in range(2)]
        entry, body, after = q.block, q.function.append_basic_block(), q.function.append_basic_block()
        q.branch(body)
        q.position_at_end(body)
        k = q.phi(_I64)
        k.add_incoming(ir.Constant(_I64, 0), entry)
        held = [[q.phi(vector) for _ in range(2)] for _ in range(rows)]
        row, column = q.add(b, q.mul(k, ir.Constant(_I64, 128))), q.add(a, q.mul(k, ir.Constant(_I64, 4 * rows)))
        references = [q.bitcast(q.load(_at(q, row, vector, v * 64), align=64), octets) for v in range(2)]
        address = q.inttoptr(q.add(ahead, q.mul(k, by)), _I8.as_pointer())
        q.call(prefetch, [address, *(ir.Constant(_I32, x) for x in (0, 2, 1))])
        following = q.add(k, ir.Constant(_I64, 1))
        for r in range(rows):
            probe = q.bitcast(_everywhere(q, q.load(_at(q, column, _I32, 4 * r), align=4), 16), octets)
            for v in range(2):
                new = q.call(multiply, [held[r][v], probe, references[v]])
                held[r][v].add_incoming(first[v], entry)
                held[r][v].add_incoming(new, body)
                q.position_at_end(after)
                q.store(new, _at(q, here, vector, (2 * r + v) * 64), align=64)
                q.position_at_end(body)
        k.add_incoming(following, body)
        q.cbranch(q.icmp_signed("<", following, K), body, after)
        q.position_at_end(after)
        return context.get_dummy_value()

    return types.void(constant, *[whole] * 7), code


def counted_per_step(K: int, total: int) -> int:
    """Bins to count in each of K steps, of a tile of `total`: a divisor of it."""
    return next(s for s in (1, 2, 3, 4, 6, 8, 12, 24) if s * K >= total)


@cache
def _driver(MR: int, NV: int, L: int, S: int, end: int) -> Any:
    # Constants of the loop below: numbers only, for numba's cache to know it again.
    NR, total, cosine = NV * L, MR * NV * L, end == CELLS

    @njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
    def drive(
        a: int, b: int, K: int, i0: int, i1: int, j0: int, j1: int, a_first: Array, a_rows: Array, b_first: Array,
        b_rows: Array, same: bool, mates: Array, cells: Array, cells_at: int, hist: Array, hist_at: int, scale: Any,
        offset: Any, low: Any, top: Any, special: Array, specials: Array, edges: Array, p: Array, p_norm: Array,
        p_order: Array, r: Array, r_norm: Array, r_order: Array, mated: Array, found: Array,
    ) -> int:  # fmt: skip
        # Panels i0:i1 of probes against panels j0:j1 of references, `*_first` the rank of a panel's first template
        # and `*_rows` how many are real. cells `(2, total)`: the tile before and this one. Returns the padding counted.
        here, padding, before = 0, 0, np.int64(0)
        nothing = np.uint16(hist.shape[1] - 1)
        cells[:] = nothing
        last_i, last_j, one = -1, -1, np.uint32(1)
        for i in range(i0, i1 + 1):
            # One more round, which only counts what the last tile has left.
            r0, rows = (a_first[i], a_rows[i]) if i < i1 else (0, 0)
            m0, m1 = (mates[r0, 0], mates[r0 + rows - 1, 1]) if i < i1 else (0, 0)
            for j in range(j0, j1 if i < i1 else j0 + 1):
                if i < i1:
                    c0, columns = b_first[j], b_rows[j]
                    if same and c0 + columns <= r0 + 1:
                        continue
                    old, new = cells_at + (1 - here) * total * 2, cells_at + here * total * 2
                    _tile(
                        MR, NV, L, S, end, a + (i - i0) * K * MR * 4, b + j * K * NR * 4, K, old, new, hist_at,
                        hist.shape[1], scale, offset, low, top, b + (j + 1) * K * NR * 4, 64,
                    )  # fmt: skip
                else:
                    for e in range(total):
                        hist[0, cells[1 - here, e]] += one
                after = np.int64(0)
                for c in specials:
                    for copy in range(COPIES):
                        after += hist[copy, c]
                if after != before:
                    before = after
                    for e in range(total):
                        if special[cells[1 - here, e]]:
                            u, v = e // NR, e % NR
                            if u < a_rows[last_i] and v < b_rows[last_j]:
                                x, y = p_order[a_first[last_i] + u], r_order[b_first[last_j] + v]
                                s = exact_score(p, p_norm, x, x + 1, r, r_norm, y, y + 1, cosine)
                                found[0, bin_of(edges, s, cosine)] += 1
                if i == i1:
                    break
                if c0 < m1 and c0 + columns > m0:
                    for u in range(rows):
                        for v in range(max(0, r0 + u + 1 - c0) if same else 0, columns):
                            c = cells[here, u * NR + v]
                            is_mated = mates[r0 + u, 0] <= c0 + v < mates[r0 + u, 1]
                            if special[c]:
                                x, y = p_order[r0 + u], r_order[c0 + v]
                                s = exact_score(p, p_norm, x, x + 1, r, r_norm, y, y + 1, cosine)
                                found[1 if is_mated else 0, bin_of(edges, s, cosine)] += 1
                            elif is_mated:
                                mated[c] += 1
                            else:
                                hist[0, c] += one
                    cells[here] = nothing
                else:
                    padding += total - rows * columns
                last_i, last_j, here = i, j, 1 - here
        return padding

    return drive


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _pack(
    templates: Array, norms: Array, order: Array, first: Array, rows: Array, P: int, kind: int, K: int, out: Array
) -> None:
    """Panels of P templates, dimension by dimension. kind: 0 directions, 1 probes or 2 references of distances."""
    d = templates.shape[1]
    for panel in range(len(first)):
        base = panel * P * K
        for r in range(rows[panel]):
            row = order[first[panel] + r]
            if kind == 0:
                for k in range(d):
                    out[base + k * P + r] = np.float32(np.float64(templates[row, k]) / norms[row])
            else:
                by = np.float32(-2.0 if kind == 1 else 1.0)
                for k in range(d):
                    out[base + k * P + r] = templates[row, k] * by
                out[base + d * P + r] = np.float32(norms[row] * norms[row]) if kind == 1 else np.float32(1)
                out[base + (d + 1) * P + r] = np.float32(1) if kind == 1 else np.float32(norms[row] * norms[row])


def aligned(shape: tuple[int, ...], dtype: Any) -> Array:
    """Zeros that begin on a cache line."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.zeros(size + 64, np.uint8)
    start = -raw.ctypes.data % 64
    room: Array = raw[start : start + size].view(dtype).reshape(shape)
    return room


def _panels(cells: Array, P: int) -> tuple[Array, Array, Array]:
    """Rank of the first template, number of templates, and cell, of every panel; no panel holds two cells."""
    borders = np.r_[0, np.flatnonzero(np.diff(cells)) + 1, len(cells)]
    first = np.concatenate([np.arange(i, j, P) for i, j in pairwise(borders)])
    ends = borders[np.searchsorted(borders, first, "right")]
    return first, np.minimum(ends - first, P), cells[first]


def _runs(cells: Array, first: int, end: int, most: int) -> list[tuple[int, int]]:
    """Stretches of panels first:end of one cell, `most` panels at the most."""
    borders = np.r_[first, np.flatnonzero(np.diff(cells[first:end])) + 1 + first, end]
    return [(k, min(k + most, int(j))) for i, j in pairwise(borders) for k in range(int(i), int(j), most)]


def count(
    both: Any, same: bool, order: list[Array], cells: list[Array], mates: Array, cut: Grid, dtype: Any,
    threads: int | None, by_cell: Array, vectors: str = "",
) -> None:  # fmt: skip
    """As `kernels.tiles.count`, for units of one template and float32."""
    MR, NV, L = TILES[vectors or width()]
    NR, cosine = NV * L, both.metric == "cosine"
    d = both.probes.templates.shape[1]
    K = max(d + (0 if cosine else 2), 16)
    drive = _driver(MR, NV, L, counted_per_step(K, MR * NR), CELLS if cosine else DISTANCE_CELLS)
    a_first, a_rows, a_cells = _panels(cells[0], MR)
    b_first, b_rows, b_cells = _panels(cells[1], NR)
    rows = [both.probes.templates, both.references.templates]
    specials = np.flatnonzero(cut.special[: cut.top + 1])
    specials = specials[specials >= cut.low]
    scale, offset = np.float32(cut.scale), np.float32(cut.offset)
    low, top = np.float32(cut.low + 0.5), np.float32(cut.top + 0.5)
    zero = int(min(max(offset, low), top))
    stride = -(-(cut.top + 2) // 16) * 16 + 16
    strip_panels = max(1, STRIP // (NR * K * 4))
    special = np.zeros(stride, bool)
    special[: cut.top + 1] = cut.special[: cut.top + 1]

    for b0 in range(0, len(b_first), COLUMNS // NR):
        b1 = min(b0 + COLUMNS // NR, len(b_first))
        b = aligned(((b1 - b0) * NR * K + 1024,), np.float32)
        pieces = [(i, min(i + 64, b1)) for i in range(b0, b1, 64)]

        def pack_b(piece: tuple[int, int], b: Array = b, b0: int = b0) -> None:
            i, j = piece
            out = b[(i - b0) * NR * K : (j - b0) * NR * K]
            _pack(rows[1], both.lengths[1], order[1], b_first[i:j], b_rows[i:j], NR, 0 if cosine else 2, K, out)

        list(in_order(pack_b, pieces, threads))
        for a0 in range(0, len(a_first), ROWS // MR):
            a1 = min(a0 + ROWS // MR, len(a_first))
            if same and b_first[b1 - 1] + b_rows[b1 - 1] <= a_first[a0] + 1:
                continue
            a = aligned(((a1 - a0) * MR * K + 1024,), np.float32)
            pieces = [(i, min(i + 128, a1)) for i in range(a0, a1, 128)]

            def pack_a(piece: tuple[int, int], a: Array = a, a0: int = a0) -> None:
                i, j = piece
                out = a[(i - a0) * MR * K : (j - a0) * MR * K]
                _pack(rows[0], both.lengths[0], order[0], a_first[i:j], a_rows[i:j], MR, 0 if cosine else 1, K, out)

            list(in_order(pack_a, pieces, threads))

            def strip(
                task: tuple[tuple[int, int], tuple[int, int]], a: Array = a, b: Array = b, a0: int = a0, b0: int = b0
            ) -> Any:
                (i0, i1), (j0, j1) = task
                hist = aligned((COPIES, stride), np.uint32)
                buffer = aligned((2, MR * NR), np.uint16)
                mated, found = np.zeros(stride, np.int64), np.zeros((2, by_cell.shape[3]), np.int64)
                padding = drive(
                    a.ctypes.data + (i0 - a0) * K * MR * 4, b.ctypes.data - b0 * K * NR * 4, K, i0, i1, j0, j1,
                    a_first, a_rows, b_first, b_rows, same, mates, buffer, buffer.ctypes.data, hist, hist.ctypes.data,
                    scale, offset, low, top, special, specials, cut.edges, rows[0], both.lengths[0], order[0], rows[1],
                    both.lengths[1], order[1], mated, found,
                )  # fmt: skip
                counted = hist.sum(axis=0, dtype=np.int64)[: cut.top + 1]
                counted[zero] -= padding
                plain = ~cut.special[: cut.top + 1]
                np.add.at(found[0], cut.bins[: cut.top + 1][plain], counted[plain])
                np.add.at(found[1], cut.bins[: cut.top + 1][plain], mated[: cut.top + 1][plain])
                return a_cells[i0], b_cells[j0], found

            tasks = (
                (i, j) for i in _runs(a_cells, a0, a1, a1 - a0) for j in _runs(b_cells, b0, b1, strip_panels)
                if not same or b_first[j[1] - 1] + b_rows[j[1] - 1] > a_first[i[0]] + 1
            )  # fmt: skip
            for x, y, found in in_order(strip, tasks, threads):
                by_cell[x, y] += found
