"""What is drawn: DET curves and score distributions, from the counts."""

from __future__ import annotations

import numpy as np
import polars as pl

from testbed.evidence.rates import CellData, group_pairs
from testbed.matching.thresholds import share
from testbed.runs.tables import CURVES, DISTRIBUTIONS

DISPLAY_BINS = 60


def curves_of(data: CellData) -> pl.DataFrame:
    """Table CURVES of one cell: FMR of each group pair beside the probe group's FNMR, wherever either changes."""
    frames = []
    for probe, reference in group_pairs(data.people):
        non_mated = data.counts[np.ix_(probe.members, reference.members)][:, :, 0].sum(axis=(0, 1))
        mated = data.counts[np.ix_(probe.members, probe.members)][:, :, 1].sum(axis=(0, 1))
        if not non_mated.sum() or not mated.sum():
            continue
        fmr, fnmr = share(non_mated, data.direction), 1 - share(mated, data.direction)
        steps = np.flatnonzero(np.r_[True, (np.diff(fmr) != 0) | (np.diff(fnmr) != 0)])
        frames.append(
            pl.DataFrame({"threshold": data.edges[steps], "fmr": fmr[steps], "fnmr": fnmr[steps]}).with_columns(
                cell=pl.lit(data.cell), probe_group=pl.lit(probe.name), reference_group=pl.lit(reference.name)
            )
        )
    return pl.concat(frames).select(CURVES.columns.keys()) if frames else pl.DataFrame(schema=CURVES.columns)


def distributions_of(data: CellData) -> pl.DataFrame:
    """Table DISTRIBUTIONS of one cell: scores within each group, in equal bins over the range they take."""
    rows = []
    for group in data.people.within():
        bins = data.counts[np.ix_(group.members, group.members)].sum(axis=(0, 1))
        used = np.flatnonzero(data.counts.sum(axis=(0, 1, 2)))
        if not len(used):
            continue
        # The outermost bins are open: they are drawn at the last edge.
        centres = np.r_[data.edges[0], (data.edges[1:] + data.edges[:-1]) / 2, data.edges[-1]]
        display = np.linspace(centres[used[0]], centres[used[-1]] + 1e-9, DISPLAY_BINS + 1)
        for mated, name in ((0, False), (1, True)):
            heights, _ = np.histogram(centres, display, weights=bins[mated])
            total = int(bins[mated].sum())
            rows += [
                (data.cell, group.name, name, float(display[i]), float(display[i + 1]), round(height), height / total)
                for i, height in enumerate(heights.tolist())
                if total
            ]
    return pl.DataFrame(rows, schema=DISTRIBUTIONS.columns, orient="row")
