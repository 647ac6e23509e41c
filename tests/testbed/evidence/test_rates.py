"""Figures of a cell made by hand: what is a miss, what is a match, and what cannot be said."""

import numpy as np
import polars as pl
import pytest

from kernels.crosscount import Faces
from testbed.evidence.differentials import differentials_of
from testbed.evidence.rates import CellData, figures_of
from testbed.evidence.tallied import Tallied
from testbed.matching.comparisons import Matcher, compare
from testbed.matching.people import people_of
from testbed.runs.tables import COUNTS, MOMENTS, TALLIES, THRESHOLDS


def cell(positions, groups, unseen=(), unenrolled=()):
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


def figure(data, metric, group="all", reference=None, point="own"):
    (row,) = (
        f for f in figures_of(data)
        if f.metric == metric and f.probe_group.name == group and f.operating_point == point
        and (f.reference_group.name if f.reference_group else None) == reference
    )  # fmt: skip
    return row


def test_never_found_and_never_enrolled_are_misses_and_no_false_matches():
    # Ten people far apart, of whom two are never found and two others never enrolled.
    data = cell(np.arange(10) * 5.0, ["a"] * 10, unseen=[0, 1], unenrolled=[2, 3])
    assert figure(data, "FTA", point=None).value == pytest.approx(0.2)
    assert figure(data, "FTE", point=None).value == pytest.approx(0.2)
    assert figure(data, "FNMR").value == 0
    assert figure(data, "FNMR").comparisons == 6
    # Of 8 enrolled people 2 were never found; of all 10, 4 could not be matched.
    assert figure(data, "FRR").value == pytest.approx(2 / 8)
    assert figure(data, "GFRR").value == pytest.approx(4 / 10)
    far = figure(data, "FAR", reference="all")
    assert far.value == figure(data, "FMR", reference="all").value == 0
    assert far.low <= far.value <= far.high


def test_lookalikes_in_one_group_are_counted_there_and_nowhere_else():
    # Three of group a stand within reach of each other; everybody else is alone.
    data = cell([0.0, 0.125, 0.25, 20, 30, 40, 50, 60, 70, 80, 90, 95], ["a"] * 6 + ["b"] * 6)
    a, b = figure(data, "FMR", "a", "a"), figure(data, "FMR", "b", "b")
    # probe i + .125 against reference j at most .25 away: 0→{1,2}, 1→{0,2}, 2→{1}: 5 of 30.
    assert (a.errors, a.comparisons, a.subjects) == (5, 30, 6)
    assert (b.errors, b.comparisons) == (0, 30)
    assert figure(data, "FMR", "a", "b").errors == 0
    assert figure(data, "FMR", "all", "same group").errors == 5
    assert figure(data, "FMR", "all", "same group").comparisons == 60


def test_a_rate_rarer_than_the_data_can_show_is_not_given():
    row = figure(cell(np.arange(10) * 5.0, ["a"] * 10), "FMR", reference="all", point="fmr=1e-9")
    assert (row.value, row.low, row.high, row.threshold, row.verdict) == (None, 0.0, 1.0, None, "insufficient")


def test_when_nobody_is_found_nothing_is_claimed_but_the_misses():
    data = cell(np.arange(8) * 5.0, ["a"] * 8, unseen=range(8))
    assert figure(data, "FTA", point=None).value == 1
    assert figure(data, "FMR", reference="all").value is None
    assert figure(data, "FNMR").value is None
    assert figure(data, "GFRR").value == 1
    assert figure(data, "EER", reference="all", point="eer").value is None


def test_a_group_of_three_is_never_ranked():
    data = cell(np.arange(15) * 5.0, ["a"] * 3 + ["b"] * 12)
    verdicts = {d["group"]: d["verdict"] for d in differentials_of(data) if d["metric"] == "FMR"}
    assert verdicts["a"] == "insufficient"
    assert verdicts["b"] in {"reference", "insufficient"}
    assert figure(data, "FMR", "a", "a").verdict == "insufficient"


def test_a_ratio_is_claimed_only_where_its_lower_limit_exceeds_one():
    rng = np.random.default_rng(4)
    close, apart = rng.uniform(0, 2, 40), 100 + np.arange(40) * 5.0
    higher = cell(np.r_[close, apart], ["close"] * 40 + ["apart"] * 40)
    (row,) = (d for d in differentials_of(higher) if d["group"] == "close" and d["metric"] == "FMR"
              and d["operating_point"] == "own")  # fmt: skip
    assert row["verdict"] == "higher"
    assert row["low"] > 1
    assert row["reference"] == "apart"
    equal = cell(np.r_[close[:20], close[20:] + 50], ["x"] * 20 + ["y"] * 20)
    verdicts = {d["verdict"] for d in differentials_of(equal) if d["metric"] == "FMR" and d["operating_point"] == "own"}
    assert verdicts == {"reference", "not shown"}


def test_the_eer_lies_inside_its_interval_and_between_the_rates():
    rng = np.random.default_rng(2)
    data = cell(rng.uniform(0, 8, 40), ["a"] * 40)
    row = figure(data, "EER", reference="all", point="eer")
    assert row.low <= row.value <= row.high
    assert row.threshold is not None
