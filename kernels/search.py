"""The nearest references of a probe, exactly, in galleries that need not fit in memory.

A scan with cheap arithmetic and a proven limit of its error keeps every reference that may be among the best; those few
are scored by the definition (`kernels.scores`), and ties go to the reference that comes first. So all ways give the
same result, bit for bit: the NumPy twin, BLAS tiles with a compiled pass (`top`, `best_non_mated`: one pass over the
gallery, an array or `np.memmap`), and bytes (`Index`: prepared once, a quarter of the memory and of the reading).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from kernels.scores import Array, Floats, Metric, norms_of
from kernels.threads import cores, in_order

Templates = npt.NDArray[np.float32]

BLOCK = 16384
"""References read at a time."""

COMPILED_FROM = 100_000_000
"""Comparisons from which compiled code repays its loading."""

PROBES = 12
_ROOM = 4096


@dataclass(frozen=True)
class Found:
    """Best first: references `(q, k)` int64 and their scores `(q, k)` float64; −1 and NaN where there are none."""

    references: npt.NDArray[np.int64]
    scores: Floats


def top(
    probes: Templates,
    gallery: Templates,
    k: int,
    metric: Metric,
    tier: Literal["numpy", "numba"] | None = None,
    threads: int | None = None,
) -> Found:
    """The `k` best references of every probe, probes `(q, d)`, gallery `(n, d)`; ties in the order of the gallery.

    Raises ValueError for templates that are not finite, or of zeros where the metric is the cosine.
    """
    return _streamed(probes, gallery, metric, k, None, tier, threads)


def best_non_mated(
    probes: Templates,
    subjects: Array,
    gallery: Templates,
    gallery_subjects: Array,
    groups: Array,
    metric: Metric,
    tier: Literal["numpy", "numba"] | None = None,
    threads: int | None = None,
) -> Found:
    """Of every probe, the best reference of another person in each group: Found `(q, G)`.

    subjects `(q,)`, gallery_subjects `(n,)`: the people; groups `(n,)`: of the references, 0 to G − 1.
    """
    return _streamed(probes, gallery, metric, 1, (subjects, gallery_subjects, groups), tier, threads)


def _streamed(
    probes: Templates, gallery: Templates, metric: Metric, k: int, mated: Any, tier: str | None, threads: int | None
) -> Found:
    if k < 1:
        raise ValueError(f"the number of references to find must be at least 1, not {k}")
    q, n = len(probes), len(gallery)
    G = int(mated[2].max(initial=-1)) + 1 if mated else 1
    lengths = _measured(probes, metric, "probe")
    gallery = np.asarray(gallery)  # a plain view of a memory map
    norms, cosine = np.zeros(n), metric == "cosine"
    tier = tier or ("numba" if q * n >= COMPILED_FROM else "numpy")
    numpy = tier == "numpy"
    dtype: Any = np.float64 if numpy else np.float32
    left = np.divide(probes, lengths[:, None] if cosine else 1.0, dtype=np.float64).astype(dtype)
    reach = 1.0 if cosine else float(lengths.max(initial=0))
    unit = 1.01 * (probes.shape[1] + 8) * float(np.finfo(dtype).eps)
    floor = np.full((q, G), -np.inf)

    def margin_of(lengths: Floats) -> float:
        """Twice the greatest error of a product with references of such lengths."""
        least, most = float(lengths.min(initial=1)), float(lengths.max(initial=0))
        if dtype == np.float32 and not (most < 1e15 and reach < 1e15 and (least > 1e-15 or not cosine)):
            raise OverflowError
        return float(2 * unit * (1.0 if cosine else (reach + most) * most + 1e-30))

    def block(rows: slice) -> tuple[Array, Array, Array]:
        here = gallery[rows]
        norms[rows] = _measured(here, metric, "reference", rows.start)
        margin = margin_of(norms[rows])
        products = left @ here.T.astype(dtype, copy=False)
        if cosine:
            products /= norms[rows].astype(dtype)
        else:  # |a − b|² grows as −(a·b − |b|²/2)
            products -= (norms[rows] ** 2 / 2).astype(dtype)
        start = floor - margin
        if numpy:
            return _keep(products, rows, k, mated, start, margin, floor)
        return _keep_compiled(products, rows, k, mated, start, margin, floor)

    blocks = (slice(i, min(i + BLOCK, n)) for i in range(0, n, BLOCK))
    try:
        found = _together(in_order(block, blocks, threads))
        margin = np.full(q, margin_of(norms))
    except OverflowError:  # float32 cannot hold products of such templates
        return _streamed(probes, gallery, metric, k, mated, "numpy", threads)
    if mated:
        return _best_of_groups(probes, gallery, metric, lengths, norms, found, mated[2], margin, G, numpy)
    return _ranked(probes, gallery, metric, lengths, norms, found, k, margin, numpy)


def _measured(templates: Templates, metric: Metric, what: str, first: int = 0) -> Floats:
    """Their lengths. Squares of float32 do not overflow float64: a length is finite where its template is."""
    norms = norms_of(templates)
    bad = np.flatnonzero(~np.isfinite(norms) | ((metric == "cosine") & (norms == 0)))
    if len(bad):
        state = "all zeros: its cosine is undefined" if norms[bad[0]] == 0 else "not finite"
        raise ValueError(f"{what} {first + bad[0]} is {state}")
    return norms


def _together(parts: Iterator[tuple[Array, Array, Array]]) -> tuple[Array, Array, Array]:
    """Candidates of all blocks: probe, reference, product."""
    nothing = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    u, v, s = zip(nothing, *parts, strict=True)
    return np.concatenate(u), np.concatenate(v), np.concatenate(s)


def _keep(
    products: Array, rows: slice, k: int, mated: Any, start: Array, margin: float, floor: Array
) -> tuple[Array, Array, Array]:
    """Candidates of a block, the twin: `(probe, reference, product)`. start, floor `(q, G)`; raises floor."""
    parts = []
    for g in range(floor.shape[1]):
        s = products
        if mated:
            s = np.where((mated[2][rows] == g) & (mated[0][:, None] != mated[1][rows]), products, -np.inf)
        enough = min(k, s.shape[1])
        reached = np.partition(s, s.shape[1] - enough, axis=1)[:, -enough] if enough == k else -np.inf
        least = np.maximum(start[:, g], np.where(np.isfinite(reached), reached, -np.inf) - margin)
        np.maximum(floor[:, g], reached, out=floor[:, g])
        u, v = np.nonzero((s >= least[:, None]) & (s > -np.inf))
        parts.append((u, v + rows.start, s[u, v]))
    return _together(iter(parts))


def _keep_compiled(
    products: Array, rows: slice, k: int, mated: Any, start: Array, margin: float, floor: Array
) -> tuple[Array, Array, Array]:
    from kernels import keep

    if mated:
        people = mated[0], mated[1][rows], mated[2][rows]
        u, v, s = keep.best(products, rows.start, *people, start, margin, floor)
        return u, v, s
    least = start[:, 0].copy()
    u, v, s = keep.top(products, rows.start, k, least, margin)
    np.maximum(floor[:, 0], least + margin, out=floor[:, 0])
    return u, v, s


def _scores(
    probes: Templates, gallery: Templates, metric: Metric, lengths: Floats, norms: Any, u: Array, v: Array, numpy: bool
) -> Floats:
    """Scores of probe u[i] and reference v[i] by the definition; norms: of the gallery's rows."""
    if not numpy:
        from kernels.keep import scored

        scores: Floats = scored(probes, lengths, gallery, norms, u, v, metric == "cosine")
        return scores
    out = np.zeros(len(u))
    for i in range(0, len(u), 16384):
        p, r = u[i : i + 16384], v[i : i + 16384]
        a, b = probes[p].T.astype(np.float64), gallery[r].T.astype(np.float64)
        raw = np.zeros(len(p))
        for x, y in zip(a, b, strict=True):
            raw += x * y if metric == "cosine" else (x - y) ** 2
        out[i : i + 16384] = raw / lengths[p] / norms[r] if metric == "cosine" else np.sqrt(raw)
    return out


def _ranked(
    probes: Templates, gallery: Templates, metric: Metric, lengths: Floats, norms: Any, found: Any, k: int,
    margin: Array, numpy: bool,
) -> Found:  # fmt: skip
    """The k best of the candidates, by the definition."""
    u, v, s = found
    q = len(probes)
    order = np.lexsort([-s, u])
    u, v, s = u[order], v[order], s[order]
    begin = np.searchsorted(u, np.arange(q))
    kth = begin + k - 1
    ends = np.searchsorted(u, np.arange(q), "right")
    least = np.full(q, -np.inf)
    full = kth < ends
    least[full] = s[kth[full]] - margin[full]
    kept = s >= least[u]
    u, v = u[kept], v[kept]
    score = _scores(probes, gallery, metric, lengths, norms, u, v, numpy)
    order = np.lexsort([v, -score if metric == "cosine" else score, u])
    u, v, score = u[order], v[order], score[order]
    place = np.arange(len(u)) - np.searchsorted(u, u)
    best = place < k
    out = Found(np.full((q, k), -1, np.int64), np.full((q, k), np.nan))
    out.references[u[best], place[best]], out.scores[u[best], place[best]] = v[best], score[best]
    return out


def _best_of_groups(
    probes: Templates, gallery: Templates, metric: Metric, lengths: Floats, norms: Floats, found: Any, groups: Array,
    margin: Array, G: int, numpy: bool,
) -> Found:  # fmt: skip
    """The best of the candidates of each probe in each group, by the definition."""
    u, v, s = found
    best = np.full((len(probes), G), -np.inf)
    np.maximum.at(best, (u, groups[v]), s)
    kept = s >= best[u, groups[v]] - margin[u]
    u, v = u[kept], v[kept]
    score = _scores(probes, gallery, metric, lengths, norms, u, v, numpy)
    order = np.lexsort([v, -score if metric == "cosine" else score])[::-1]  # the best is written last
    u, v, score = u[order], v[order], score[order]
    out = Found(np.full((len(probes), G), -1, np.int64), np.full((len(probes), G), np.nan))
    out.references[u, groups[v]], out.scores[u, groups[v]] = v, score
    return out


@dataclass(frozen=True)
class Index:
    """A gallery as bytes, for many searches. Needs `kernels.fused.scans_bytes()`; else `top` is what to use.

    A reference b becomes whole numbers in −127…127: b ≈ panel / scale. By Cauchy–Schwarz a product with a probe a, of
    which a′ is left after the same, is wrong by at most |a − a′|·longest + |a′|·residue, which bounds how far the true
    best can be from the best by bytes.
    """

    gallery: Templates
    metric: Metric
    norms: Floats
    panels: Array
    start: npt.NDArray[np.int32]
    scale: float
    residue: float
    longest: float

    @classmethod
    def of(cls, gallery: Templates, metric: Metric, threads: int | None = None) -> Index:
        """Reads the gallery twice, a block at a time. Raises ValueError as `top`, and where bytes are not faster."""
        from kernels import fused, keep

        if not fused.scans_bytes():
            raise ValueError("this machine does not multiply bytes (AVX-512 VNNI): search with kernels.search.top")
        rows = np.asarray(gallery)
        n, d = rows.shape
        blocks = [slice(i, min(i + BLOCK, n)) for i in range(0, n, BLOCK)]

        def measure(b: slice) -> tuple[Floats, float]:
            norms = _measured(rows[b], metric, "reference", b.start)
            greatest = np.abs(rows[b]).max(axis=1, initial=0)
            return norms, float((greatest / norms if metric == "cosine" else greatest).max(initial=0))

        measured = list(in_order(measure, blocks, threads))
        norms = np.concatenate([np.zeros(0), *(m[0] for m in measured)])
        scale = 127 / max([1e-30, *(m[1] for m in measured)])
        K = -(-d // 4)
        panels = fused.aligned((-(-n // 32) * 32 * K * 4 + 4096,), np.int8)
        start = fused.aligned((-(-n // 32) * 32,), np.int32)

        def pack(b: slice) -> float:
            divisor = norms[b] if metric == "cosine" else np.ones(b.stop - b.start)
            return float(keep.pack_bytes(rows[b], divisor, scale, b.start, K, panels, start))

        residue = max([0.0, *in_order(pack, blocks, threads)]) * (1 + 1e-6)
        longest = 1.0 if metric == "cosine" else float(norms.max(initial=0))
        return cls(rows, metric, norms, panels, start, scale, residue, longest)

    def top(self, probes: Templates, k: int, threads: int | None = None) -> Found:
        """As `top`."""
        from kernels import fused, keep

        q, n, d = len(probes), len(self.gallery), probes.shape[1]
        K, cosine = -(-d // 4), self.metric == "cosine"
        lengths = _measured(probes, self.metric, "probe")
        if not q or not n:
            return Found(np.full((q, k), -1, np.int64), np.full((q, k), np.nan))
        a = probes.astype(np.float64) / (lengths[:, None] if cosine else 1)
        greatest = max(float(np.abs(a).max()), 1e-30)
        scale = 127 / greatest if cosine else min(127 / greatest, self.scale)
        whole = np.rint(a * scale)
        lost = np.sqrt(((a - whole / scale) ** 2).sum(axis=1))
        error = lost * self.longest + np.sqrt((whole**2).sum(axis=1)) / scale * self.residue
        start = self.start
        if not cosine:  # |a − b|² grows as −(a·b − |b|²/2)
            half = np.rint(self.norms**2 / 2 * (scale * self.scale)).astype(np.int32)
            start = fused.aligned(start.shape, np.int32)
            start[:n] = self.start[:n] - half
        margin = np.ceil(2 * (error * (scale * self.scale) * (1 + 1e-6) + 1)).astype(np.int32)
        MR = 1 if q == 1 else PROBES
        left = fused.aligned((-(-q // MR) * K * MR * 4,), np.uint8)
        keep.pack_probes(whole.astype(np.int8), MR, K, left)
        panels = -(-n // 32)
        step = -(-panels // (threads or cores()))  # one stretch a thread: what it asks for rises as it goes
        scan = keep.scanner(MR)

        def strip(j: tuple[int, int]) -> tuple[Array, Array, Array]:
            room = max(_ROOM, 8 * k)
            while True:
                least = np.full(q, -(2**30), np.int32)
                kept = np.empty((q, room), np.int32), np.empty((q, room), np.int64), np.zeros(q, np.int64)
                buffer = fused.aligned((MR, 32), np.int32)
                if scan(
                    left.ctypes.data, self.panels.ctypes.data, start.ctypes.data, K, q, *j, n, buffer,
                    buffer.ctypes.data, *kept, least, k, margin,
                ):  # fmt: skip
                    break
                room *= 4
            u = np.repeat(np.arange(q), kept[2])
            within = np.arange(len(u)) - np.repeat(np.cumsum(kept[2]) - kept[2], kept[2])
            return u, kept[1][u, within], kept[0][u, within].astype(np.float64)

        strips = [(j, min(j + step, panels)) for j in range(0, panels, step)]
        found = _together(in_order(strip, strips, threads))
        return _ranked(probes, self.gallery, self.metric, lengths, self.norms, found, k, margin, False)
