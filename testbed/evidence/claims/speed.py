"""Whether a system is as fast as claimed on a device (METRICS.md § Claims, § Timing)."""

from __future__ import annotations

from dataclasses import replace
from math import inf, sqrt

import numpy as np
from scipy import stats

from testbed.evidence.claims.verdicts import Judgement, decide
from testbed.evidence.scored import Array
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import TIMINGS

OF_THE_BENCH = "deliver"
"""The stage in which the bench makes the camera's picture: no work of the system."""
FEWEST_PARTS = 3
"""Parts that are needed to see how speed varies."""


def seconds_by_part(run: RunDirectory, cell: str) -> Array:
    """Frames and the system's seconds for them `(K, 2)` of every timed part (segment of a camera) of a cell."""
    parts = (run.read(TIMINGS, part) for part in run.parts(TIMINGS, cell))
    return np.array([
        (part["frame"].n_unique(), part.remove(stage=OF_THE_BENCH)["seconds"].sum()) for part in parts
    ]).reshape(-1, 2)  # fmt: skip


def verdict_on_speed(parts: Array, device: str, hardware: dict[str, object], least: float, alpha: float) -> Judgement:
    """Whether one worker sees at least `least` frames a second, at one-sided level `alpha`; parts as above.

    Frames that follow each other are alike, so what is independent is parts: the mean seconds per frame is a ratio of
    sums over parts, with Student's t of their residuals.
    """
    if not len(parts) or not parts[:, 1].sum() > 0:
        return Judgement("untestable", why="no frame was timed: a score log holds scores only")
    frames, seconds = map(float, parts.sum(axis=0))
    found = Judgement(
        "untestable", value=frames / seconds, basis=f"{frames:,.0f} frames in {len(parts)} segments, one worker"
    )
    record = ", ".join(map(str, hardware.values()))
    if device.lower() not in record.lower():
        return replace(found, why=f"this run was made on another device: {record}")
    if len(parts) < FEWEST_PARTS:
        why = f"too few segments: {len(parts)}; with fewer than {FEWEST_PARTS} it cannot be seen how speed varies"
        return replace(found, why=why)
    mean, K = seconds / frames, len(parts)
    apart = parts[:, 1] - mean * parts[:, 0]
    half = float(stats.t.ppf(1 - alpha, K - 1)) * sqrt(K / (K - 1) * float(apart @ apart)) / frames
    low, high = 1 / (mean + half), 1 / (mean - half) if mean > half else inf
    return replace(found, verdict=decide(low, high, least, "at least"), low=low, high=high if high < inf else None)
