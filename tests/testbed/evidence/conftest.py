"""Cells made by hand."""

import numpy as np
import polars as pl
import pytest

from kernels.crosscount import Faces
from testbed.evidence.rates import CellData
from testbed.evidence.tallied import Tallied
from testbed.matching.comparisons import Matcher, compare
from testbed.matching.people import people_of
from testbed.runs.tables import COUNTS, MOMENTS, TALLIES, THRESHOLDS


def make_cell(positions, groups, unseen=(), unenrolled=()):
    """One transit and one reference a person, at `positions` on a line; probes are off by 0.1."""
    S = len(positions)
    people = people_of(pl.DataFrame({"subject": [f"{i:03}" for i in range(S)], "group": groups}), ["group"], 1)
    seen, kept = (np.setdiff1d(np.arange(S), out) for out in (unseen, unenrolled))
    places = np.asarray(positions, np.float32)[:, None]
    probes = Faces(places[seen] + np.float32(0.125), np.arange(len(seen) + 1), seen.astype(np.int64))
    references = Faces(places[kept], np.arange(len(kept) + 1), kept.astype(np.int64))
    info = {"threshold": 0.25, "score_range": (0.0, 100.0), "metric": "euclidean", "direction": "distance"}
    matcher = Matcher.of(info, ["own", "fmr=1e-9"])
    tables = {t.name: f for t, f in compare("c", matcher, probes, references, people, ["own", "fmr=1e-9"])[0]}
    counts = np.zeros((len(people.labels), len(people.labels), 2, len(matcher.edges) + 1), np.int64)
    for row in tables[COUNTS.name].to_dicts():
        where = people.labels.index(row["probe_group"]), people.labels.index(row["reference_group"])
        counts[(*where, int(row["mated"]), row["bin"])] += row["comparisons"]
    ones = np.ones(S, np.int64)
    return CellData(
        cell="c", system="s", condition={"name": "clean"}, direction="distance",
        operating_points=("own", "fmr=1e-9"), people=people,
        tallied=Tallied.of(people, tables[THRESHOLDS.name], tables[TALLIES.name], tables[MOMENTS.name]),
        attempts=(np.isin(np.arange(S), unseen).astype(np.int64), ones),
        enrolments=(np.isin(np.arange(S), unenrolled).astype(np.int64), ones),
        counts=counts, edges=matcher.edges,
    )  # fmt: skip


@pytest.fixture
def cell():
    return make_cell


@pytest.fixture
def small_cell():
    """Eight people far apart in one group and eight in another: no error of any kind."""
    return make_cell(np.arange(16) * 5.0, ["a"] * 8 + ["b"] * 8)
