"""Cells made by hand."""

import numpy as np
import polars as pl
import pytest

from kernels.crosscount import Faces
from testbed.evidence.rates import CellData
from testbed.evidence.scored import ScoredCell
from testbed.evidence.tallied import Tallied
from testbed.matching.comparisons import Matcher, compare
from testbed.matching.people import people_of
from testbed.matching.tallying import Comparisons, count_logged, tally_logged
from testbed.matching.thresholds import edges_for, points_in_use
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


def make_scored(people, correlation, seed, points=("own",), apart=2.0, *, both_ways=False):
    """A scored cell of so many people, every pair compared once: strangers' scores standard normal, those of pairs that
    share a person correlated by half of `correlation`, one person's `apart` higher. both_ways: each of a pair is
    compared as probe and as reference.
    """
    rng = np.random.default_rng(seed)
    u = rng.standard_normal(people) * np.sqrt(correlation / 2)
    i, j = np.nonzero(~np.eye(people, dtype=bool)) if both_ways else np.triu_indices(people, 1)
    strangers = u[i] + u[j] + np.sqrt(1 - correlation) * rng.standard_normal(len(i))
    own, mated = np.arange(people), apart + rng.standard_normal(people)
    compared = Comparisons(
        np.r_[i, own], np.r_[j, own], np.arange(len(i) + people) >= len(i), np.r_[strangers, mated]
    )  # fmt: skip
    register = people_of(pl.DataFrame({"subject": [f"{k:03}" for k in range(people)]}), [], seed)
    edges = edges_for((-6.0, 8.0), 1500, [1.0])
    counts = count_logged(compared, register, edges, "similarity")
    used = points_in_use(counts, edges, {"own": 1.0}, list(points), "similarity", register)
    tally = tally_logged([compared], register, used, "similarity")
    tallied = Tallied(
        register, tuple(point[0] for point in used), np.array([point[2:] for point in used]), tally.errors,
        tally.comparisons, tally.mated_errors, tally.mated_comparisons, tally.squares, tally.crosses,
    )  # fmt: skip
    return ScoredCell("c", "s", {"name": "clean"}, "similarity", ("own",), None, register, tallied,
                      np.ones(people), counts, edges)  # fmt: skip


@pytest.fixture
def scored():
    return make_scored


@pytest.fixture
def cell():
    return make_cell


@pytest.fixture
def small_cell():
    """Eight people far apart in one group and eight in another: no error of any kind."""
    return make_cell(np.arange(16) * 5.0, ["a"] * 8 + ["b"] * 8)
