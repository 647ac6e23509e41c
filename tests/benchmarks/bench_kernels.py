"""What a comparison costs: every pair of a set, and searches, by this project's kernels and by others.

All peers run in one process, one after the other in every round, with the same number of threads; the least time of
all rounds counts, for other programs can only add. The measure is OpenBLAS's matrix product alone, which keeps no
result: ratio 1. OPENBLAS_CORETYPE is set to the best core here, for an environment may export a lesser one, and the
architecture in use is printed. Peers that are not installed are left out and named (extra `peers`).

    python tests/benchmarks/bench_kernels.py [--faces 20000] [--gallery 1000000] [--dim 128 --dim 512] [--threads 1 ...]
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def best_core() -> str | None:
    """OpenBLAS's core for the widest vectors there are; None where its own choice stands."""
    if platform.machine() not in ("x86_64", "AMD64") or not Path("/proc/cpuinfo").exists():
        return None
    return "SkylakeX" if " avx512bw" in Path("/proc/cpuinfo").read_text() else "Haswell"


if best_core() and "--core-as-is" not in sys.argv:
    os.environ["OPENBLAS_CORETYPE"] = best_core() or ""

import numpy as np  # noqa: E402, after the core is chosen
from threadpoolctl import threadpool_info, threadpool_limits  # noqa: E402

from kernels import fused  # noqa: E402
from kernels.crosscount import Faces, count  # noqa: E402
from kernels.search import Index, top  # noqa: E402

GROUPS, BINS, K = 4, 1000, 50
Peer = Callable[[], int]
"""Does the work once and returns how many pairs it was."""


def peer(name: str) -> Any:
    """The module of a peer, or None."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def people(n: int, d: int) -> tuple[Faces, Any]:
    """Five directions of each of n / 5 people in four groups, which share something."""
    rng = np.random.default_rng(0)
    groups = rng.integers(0, GROUPS, n // 5)
    shared = rng.standard_normal((GROUPS, d)) * 0.25
    t = np.repeat(rng.standard_normal((n // 5, d)) + shared[groups], 5, axis=0)
    t += 0.6 * rng.standard_normal(t.shape)
    t /= np.linalg.norm(t, axis=1, keepdims=True)
    return Faces(t.astype(np.float32), np.arange(len(t) + 1), np.repeat(np.arange(n // 5), 5)), groups


def products_alone(x: Any, rows: int, columns: int) -> Peer:
    """OpenBLAS over the upper triangle of blocks."""
    rows, columns = min(rows, len(x)), min(columns, len(x))
    space = np.empty((rows, columns), np.float32)

    def run() -> int:
        pairs = 0
        for i in range(0, len(x) - rows + 1, rows):
            for j in range(i // columns * columns, len(x) - columns + 1, columns):
                np.dot(x[i : i + rows], x[j : j + columns].T, out=space)
                pairs += space.size
        return pairs

    return run


def all_pairs(faces: Faces, groups: Any, threads: int) -> dict[str, Peer]:
    """Peers of `kernels.crosscount.count`, name → work. Slow ones do a part."""
    x, n = faces.templates, len(faces)
    x64, group = x.astype(np.float64), groups[faces.subjects]
    order = np.argsort(group, kind="stable")
    cell = [x[order][group[order] == g] for g in range(GROUPS)]
    folds = np.zeros(len(groups), np.int64)
    edges = {"cosine": np.linspace(-1, 1, BINS + 1), "euclidean": np.linspace(0, 2, BINS + 1)}

    def face_distance() -> int:
        pairs = 0
        for i in range(0, n, n // 20):
            distances = np.linalg.norm(x64[i + 1 :] - x64[i], axis=1)
            for g in range(GROUPS):
                np.histogram(distances[group[i + 1 :] == g], bins=BINS, range=(0, 2))
            pairs += len(distances)
        return pairs

    def matrix_and_histogram(distances: Callable[[Any, Any], Any]) -> Peer:
        def run() -> int:
            found = distances(cell[0][:1500], cell[1][:1500])
            np.histogram(found, bins=BINS, range=(0, 2))
            return int(found.size)

        return run

    def blocked() -> int:
        pairs, total = 0, np.zeros(BINS, np.int64)
        for a in range(GROUPS):
            for i in range(0, len(cell[a]), 2048):
                for j in range(0, len(cell[-1 - a]), 2048):
                    s = cell[a][i : i + 2048] @ cell[-1 - a][j : j + 2048].T
                    s += 1
                    s *= BINS / 2
                    np.clip(s, 0, BINS - 1, out=s)
                    total += np.bincount(s.astype(np.intp).ravel(), minlength=BINS)
                    pairs += s.size
        return pairs

    def ours(metric: Any, tier: Any, exact: Any, part: Faces = faces) -> Peer:
        def run() -> int:
            return int(count(part, None, groups, folds, edges[metric], metric, tier, exact, threads).sum())

        return run

    few = Faces(x[:4000], np.arange(min(n, 4000) + 1), faces.subjects[:4000])
    some = np.array([0.5])
    peers: dict[str, Peer] = {
        "sgemm alone, 512 × 2048": products_alone(x, 512, 2048),
        "sgemm alone, 1024 × 4096": products_alone(x, 1024, 4096),
        "face_distance loop + histogram": face_distance,
        "blocked sgemm + bincount": blocked,
        "ours numpy, cosine, float64 exact": ours("cosine", "numpy", None, few),
        "ours numba, cosine, float64 exact": ours("cosine", "numba", None),
        "ours numba, cosine": ours("cosine", "numba", some),
        "ours numba, euclidean": ours("euclidean", "numba", some),
    }
    if fused.width():
        peers["ours fused, cosine"] = ours("cosine", "fused", some)
        peers["ours fused, euclidean"] = ours("euclidean", "fused", some)
    if scipy := peer("scipy.spatial.distance"):
        peers["scipy cdist + histogram"] = matrix_and_histogram(scipy.cdist)
    if sklearn := peer("sklearn.metrics.pairwise"):
        peers["sklearn distances + histogram"] = matrix_and_histogram(sklearn.euclidean_distances)
    if faiss := peer("faiss"):
        index = faiss.IndexFlatIP(x.shape[1])
        index.add(x)
        q = x[:: max(1, n // 1000)]
        peers["faiss search k=50, no histogram"] = lambda: (index.search(q, K), len(q) * n)[1]
        peers["faiss range_search, no histogram"] = lambda: (index.range_search(q, 0.5), len(q) * n)[1]
    if numkong := peer("numkong"):
        packed = numkong.dots_pack(x[:8000], dtype="float32")
        peers["numkong dots, 1 thread"] = lambda: (numkong.dots_packed(x[:1000], packed), 1000 * min(n, 8000))[1]
    if simsimd := peer("simsimd"):
        peers["simsimd cdist"] = lambda: (
            simsimd.cdist(x[:1000], x[:2000], metric="cosine", threads=threads), 1000 * 2000,
        )[1]  # fmt: skip
    return peers


def searches(gallery: Any, probes: Any, threads: int, index: Index | None) -> dict[str, Peer]:
    """Peers of `kernels.search`: the K best of every probe."""
    n, q = len(gallery), len(probes)

    def with_numpy() -> int:
        for i in range(0, q, 10):
            s = probes[i : i + 10] @ gallery.T
            best = np.argpartition(-s, K, axis=1)[:, :K]
            np.argsort(-np.take_along_axis(s, best, 1), axis=1)
        return q * n

    peers: dict[str, Peer] = {
        "numpy + argpartition": with_numpy,
        "ours, one pass over float32": lambda: (top(probes, gallery, K, "cosine", "numba", threads), q * n)[1],
    }
    if index:
        peers["ours, bytes + exact"] = lambda: (index.top(probes, K, threads), q * n)[1]
    if faiss := peer("faiss"):
        flat = faiss.IndexFlatIP(gallery.shape[1])
        flat.add(gallery)
        peers["faiss flat"] = lambda: (flat.search(probes, K), q * n)[1]
        if index:
            same = (np.sort(index.top(probes, K, threads).references) == np.sort(flat.search(probes, K)[1])).mean()
            print(f"search, {q} probes: {same:.4%} of faiss's {K} best are ours too (float32 rounding parts ties)")
    if (usearch := peer("usearch.index")) and q == 1:
        kind = usearch.MetricKind.IP
        peers["usearch exact"] = lambda: (
            usearch.search(gallery, probes, K, kind, exact=True, threads=threads), q * n,
        )[1]  # fmt: skip
    return peers


def measured(peers: dict[str, Peer], rounds: int) -> dict[str, tuple[float, float]]:
    """Least wall and processor time of each peer, ns per pair, over interleaved rounds after one to warm up."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in peers}
    for turn in range(rounds + 1):
        for name, run in [(n, r) for n, r in peers.items() if n in times]:
            wall, cpu = time.perf_counter(), time.process_time()
            try:
                pairs = run()
            except Exception as problem:  # another version of a peer
                print(f"{name}: left out, {problem}")
                del times[name]
                continue
            each = (time.perf_counter() - wall) / pairs * 1e9, (time.process_time() - cpu) / pairs * 1e9
            if turn:
                times[name].append(each)
    return {name: (min(w for w, _ in t), min(c for _, c in t)) for name, t in times.items()}


def main() -> None:
    """Prints the table and writes bench.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, default=20_000)
    parser.add_argument("--gallery", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, action="append", help="dimensions; default 128 and 512")
    parser.add_argument("--threads", type=int, action="append", help="default 1 and 2")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("bench.json"))
    parser.add_argument("--core-as-is", action="store_true", help="leave OPENBLAS_CORETYPE alone")
    asked = parser.parse_args()
    missing = [m for m in ("scipy", "sklearn", "faiss", "usearch", "numkong", "simsimd") if not peer(m)]
    for each in threadpool_info():
        print(f"{each['prefix']} {each.get('version')}: {each.get('architecture', each['user_api'])}")
    print(f"fused tier: {fused.width() or 'none'}; load {os.getloadavg()}; not installed: {', '.join(missing) or '—'}")
    rows = []

    def table(case: str, peers: dict[str, Peer], threads: int, dim: int, base: tuple[float, float] | None) -> Any:
        result = measured(peers, asked.rounds)
        own = [t for name, t in result.items() if name.startswith("sgemm alone")]
        base = (min(w for w, _ in own), min(c for _, c in own)) if own else base
        print(f"\n{case}, d = {dim}, {threads} thread(s)")
        print(f"{'':40}{'ns/pair':>10}{'× sgemm':>9}{'cpu ns':>10}{'× sgemm':>9}")
        for name, (wall, cpu) in sorted(result.items(), key=lambda item: -item[1][0]):
            ratios = (wall / base[0], cpu / base[1]) if base else (float("nan"),) * 2
            print(f"{name:40}{wall:10.3f}{ratios[0]:9.2f}{cpu:10.3f}{ratios[1]:9.2f}", flush=True)
            rows.append({
                "case": case, "peer": name, "threads": threads, "dim": dim, "ns_per_pair": round(wall, 4),
                "ratio_to_sgemm": round(ratios[0], 4) if base else None,
            })  # fmt: skip
        asked.out.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
        return base

    for dim in asked.dim or [128, 512]:
        for threads in asked.threads or [1, 2]:
            if faiss := peer("faiss"):
                faiss.omp_set_num_threads(threads)
            with threadpool_limits(threads):
                faces, groups = people(asked.faces, dim)
                base = table("all pairs", all_pairs(faces, groups, threads), threads, dim, None)
                gc.collect()
                if not asked.gallery or dim > 128:
                    continue
                rng = np.random.default_rng(1)
                gallery = rng.standard_normal((asked.gallery, dim), np.float32) + 0.3 * rng.standard_normal(dim)
                gallery = (gallery / np.linalg.norm(gallery, axis=1, keepdims=True)).astype(np.float32)
                probes = gallery[rng.integers(0, len(gallery), 100)]
                probes = (probes + 0.06 * rng.standard_normal(probes.shape)).astype(np.float32)
                probes /= np.linalg.norm(probes, axis=1, keepdims=True)
                index = Index.of(gallery, "cosine", threads) if fused.scans_bytes() else None
                for q in (1, 100):
                    table(f"search, {q} probe(s)", searches(gallery, probes[:q], threads, index), threads, dim, base)
                del gallery, index
                gc.collect()


if __name__ == "__main__":
    main()
