"""What every pair of a large set costs: `testbed count` as a user starts it, alone and on two Dask workers.

python tests/benchmarks/bench_scale.py [--templates 200000] [--seed 1]

Prints seconds, ns per pair, and the peak memory of the process beside its bound: the templates and 1 GiB.
The counts of both must be the same.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

DIMENSIONS, PER_PERSON, GROUPS = 128, 4, ("a", "b", "c", "d")
TESTBED = [sys.executable, "-m", "testbed.cli"]


def made(folder: Path, n: int, seed: int) -> None:
    """`n` made-up templates, four of each person, people in four groups."""
    rng = np.random.default_rng(seed)
    out = np.lib.format.open_memmap(folder / "faces.npy", "w+", np.float32, (n, DIMENSIONS))
    for first in range(0, n, 40_000):
        rows = min(40_000, n - first)
        centres = np.repeat(rng.normal(size=(-(-rows // PER_PERSON), DIMENSIONS)), PER_PERSON, axis=0)[:rows]
        out[first : first + rows] = centres + 0.6 * rng.normal(size=(rows, DIMENSIONS))
    out.flush()
    owner = np.arange(n) // PER_PERSON
    pl.DataFrame({"subject": owner.astype(str), "region": [GROUPS[i % len(GROUPS)] for i in owner]}).write_parquet(
        folder / "people.parquet"
    )


def counted(folder: Path, out: str, *more: str) -> tuple[float, float]:
    """Seconds of one count, and the peak memory in MiB of the largest process it started."""
    begun = time.perf_counter()
    subprocess.run(
        [*TESTBED, "count", "faces.npy", "--people", "people.parquet", "--group", "region", "--threshold", "0.4",
         "--out", out, *more],
        cwd=folder, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--templates", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    n = chosen.templates
    pairs = n * (n - 1) / 2
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made(folder, n, chosen.seed)
        size = (folder / "faces.npy").stat().st_size / 2**20
        print(f"{n:,} templates × {DIMENSIONS}, {size:,.0f} MiB, {pairs:.3g} pairs, {os.cpu_count()} cores")
        seconds, peak = counted(folder, "alone")
        print(f"alone:          {seconds:8.1f} s  {1e9 * seconds / pairs:6.2f} ns a pair  "
              f"peak {peak:,.0f} MiB, bound {size + 1024:,.0f} MiB")  # fmt: skip
        try:
            from distributed import LocalCluster
        except ImportError:
            print("two Dask workers: not installed (extra `cluster`)")
            return
        with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
            together, _ = counted(folder, "together", "--cluster", cluster.scheduler_address)
        print(
            f"two workers: {together:10.1f} s  {1e9 * together / pairs:6.2f} ns a pair, ratio {together / seconds:.2f}"
        )
        same = pl.read_parquet(folder / "alone/counts.parquet").equals(
            pl.read_parquet(folder / "together/counts.parquet")
        )
        print("counts are the same" if same else "COUNTS DIFFER")
        sys.exit(not same)


if __name__ == "__main__":
    main()
