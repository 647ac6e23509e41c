"""The compiled passes of a search: from products to the few references that may be among the best."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import njit

from kernels.fused import tile_of_bytes
from kernels.scores import Array
from kernels.tiles import exact_score


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def scored(p: Array, p_norm: Array, r: Array, r_norm: Array, u: Array, v: Array, cosine: bool) -> Array:
    """Scores of probe u[i] and reference v[i], by the definition."""
    out = np.empty(len(u))
    for i in range(len(u)):
        out[i] = exact_score(p, p_norm, u[i], u[i] + 1, r, r_norm, v[i], v[i] + 1, cosine)
    return out


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _squeeze(s: Array, v: Array, n: int, k: int, margin: Any) -> tuple[int, Any]:
    """Keeps, of n candidates, those within the margin of the k-th best; returns how many, and the least they need."""
    least = np.partition(s[:n], n - k)[n - k] - margin
    m = 0
    for i in range(n):
        if s[i] >= least:
            s[m], v[m] = s[i], v[i]
            m += 1
    return m, least


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def top(products: Array, first: int, k: int, least: Array, margin: float) -> tuple[Array, Array, Array]:
    """Candidates `(probe, reference, product)` of a block, and in `least` `(q,)` what its k best ask for."""
    q, n = products.shape
    room = n + 1
    u, v, s = np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    some_s, some_v = np.empty(room), np.empty(room, np.int64)
    for i in range(q):
        m, limit = 0, least[i]
        low = products.dtype.type(limit)
        if np.float64(low) > limit:  # rounded up: one step down
            low = np.nextafter(low, products.dtype.type(-np.inf))
        row = products[i]
        for c0 in range(0, n, 32):
            c1 = min(c0 + 32, n)
            greatest = row[c0]
            for c in range(c0, c1):
                greatest = max(greatest, row[c])
            if not greatest >= low:
                continue
            for c in range(c0, c1):
                if row[c] >= limit:
                    some_s[m], some_v[m] = row[c], first + c
                    m += 1
            if m > 4 * k + 256:
                m, limit = _squeeze(some_s, some_v, m, k, margin)
                low = np.nextafter(products.dtype.type(limit), products.dtype.type(-np.inf))
        if m > k or m == k:
            m, limit = _squeeze(some_s, some_v, m, k, margin)
        least[i] = max(least[i], limit)
        u = np.concatenate((u, np.full(m, i)))
        v = np.concatenate((v, some_v[:m]))
        s = np.concatenate((s, some_s[:m]))
    return u, v, s


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def best(
    products: Array, first: int, p_subject: Array, r_subject: Array, group: Array, start: Array, margin: float,
    floor: Array,
) -> tuple[Array, Array, Array]:  # fmt: skip
    """Candidates for the best of another person in each group: `(probe, reference, product)`; raises floor `(q, G)`."""
    q, n = products.shape
    u, v, s = np.empty(1024, np.int64), np.empty(1024, np.int64), np.empty(1024)
    m = 0
    for i in range(q):
        least = start[i].copy()
        begin = m
        for c in range(n):
            x, g = products[i, c], group[c]
            if x >= least[g] and p_subject[i] != r_subject[c]:
                if m == len(u):
                    u = np.concatenate((u, np.empty(m, np.int64)))
                    v = np.concatenate((v, np.empty(m, np.int64)))
                    s = np.concatenate((s, np.empty(m)))
                u[m], v[m], s[m] = i, first + c, x
                m += 1
                least[g] = max(least[g], x - margin)
        end, m = m, begin
        for e in range(begin, end):
            if s[e] >= least[group[v[e] - first]]:
                u[m], v[m], s[m] = u[e], v[e], s[e]
                m += 1
        for g in range(floor.shape[1]):
            floor[i, g] = max(floor[i, g], least[g] + margin)
    return u[:m], v[:m], s[:m]


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def pack_bytes(rows: Array, divisor: Array, scale: float, first: int, K: int, panels: Array, start: Array) -> float:
    """Writes rows as bytes into panels of 32, and −128 × their sums into start; returns the longest residue."""
    longest = 0.0
    for i in range(rows.shape[0]):
        base, r = (first + i) // 32 * 32 * K * 4, (first + i) % 32
        lost, total = 0.0, np.int64(0)
        for k in range(rows.shape[1]):
            x = np.float64(rows[i, k]) / divisor[i]
            w = min(max(np.rint(x * scale), -127.0), 127.0)
            lost += (x - w / scale) ** 2
            total += np.int64(w)
            panels[base + (k // 4 * 32 + r) * 4 + k % 4] = np.int8(w)
        start[first + i] = -128 * total
        longest = max(longest, lost)
    return float(np.sqrt(longest))


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def pack_probes(whole: Array, MR: int, K: int, out: Array) -> None:
    """Probes as bytes moved by 128, in panels of MR."""
    out[:] = 128
    for i in range(whole.shape[0]):
        for k in range(whole.shape[1]):
            out[(i // MR * K + k // 4) * MR * 4 + i % MR * 4 + k % 4] = np.uint8(np.int64(whole[i, k]) + 128)


@cache
def scanner(MR: int) -> Any:
    """The scan of a gallery of bytes by MR probes at a time."""

    @njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
    def scan(
        a: int, b: int, start: int, K: int, q: int, j0: int, j1: int, n: int, tile: Array, tile_at: int, s: Array,
        v: Array, count: Array, least: Array, k: int, margin: Array,
    ) -> bool:  # fmt: skip
        # Panels j0:j1 of the gallery. False: more candidates than there is room for.
        room, squeezed = s.shape[1], np.zeros(q, np.bool_)
        for stretch in range(j0, j1, 8):
            for i in range(0, q, MR):
                for j in range(stretch, min(j1, stretch + 8)):
                    if i == 0:
                        ahead, by = b + (j + 8) * K * 128, 128
                    else:
                        ahead, by = tile_at, 0
                    tile_of_bytes(MR, a + i * K * 4, b + j * K * 128, K, tile_at, start + j * 128, ahead, by)
                    for r in range(min(MR, q - i)):
                        p, row = i + r, tile[r]
                        greatest = row[0]
                        for c in range(32):
                            greatest = max(greatest, row[c])
                        if greatest < least[p]:
                            continue
                        m = count[p]
                        for c in range(32):
                            if row[c] >= least[p] and j * 32 + c < n:
                                s[p, m], v[p, m] = row[c], j * 32 + c
                                m += 1
                        # Early once, for a limit to begin with; then when the room is used up.
                        if m > room - 32 or (m > 4 * k and not squeezed[p]):
                            squeezed[p] = True
                            m, least[p] = _squeeze(s[p], v[p], m, k, margin[p])
                            if m > room - 32:
                                return False
                        count[p] = m
        for p in range(q):
            if count[p] >= k:
                count[p], limit = _squeeze(s[p], v[p], count[p], k, margin[p])
                least[p] = max(least[p], limit)
        return True

    return scan
