"""Figures of a cell made by hand: what is a miss, what is a match, and what cannot be said."""

from dataclasses import replace

import numpy as np
import pytest

from testbed.evidence.differentials import differentials_of
from testbed.evidence.rates import figures_of


def figure(data, metric, group="all", reference=None, point="own"):
    (row,) = (
        f for f in figures_of(data)
        if f.metric == metric and f.probe_group.name == group and f.operating_point == point
        and (f.reference_group.name if f.reference_group else None) == reference
    )  # fmt: skip
    return row


def test_never_found_and_never_enrolled_are_misses_and_no_false_matches(cell):
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


def test_what_nobody_was_told_is_no_rate_of_nought(cell):
    told = cell(np.arange(10) * 5.0, ["a"] * 5 + ["b"] * 5)
    assert figure(told, "GFRR").value == figure(told, "FTA", point=None).value == 0
    untold = replace(told, failures_known=False)
    for metric in ("FTA", "FTE"):
        row = figure(untold, metric, point=None)
        assert (row.value, row.low, row.high, row.comparisons, row.verdict) == (None, 0, 1, 0, "insufficient")
        assert row.method == "not known from this log: it lists no failures"
    assert {f.metric for f in figures_of(told)} - {f.metric for f in figures_of(untold)} == {"FAR", "FRR", "GFRR"}
    assert figure(untold, "FMR", reference="all") == figure(told, "FMR", reference="all")
    assert "FTA" not in {d["metric"] for d in differentials_of(untold)}
    assert "FTA" in {d["metric"] for d in differentials_of(told)}
    apart = {f.metric for f in figures_of(replace(told, mated_complete=False))}
    assert {"FTA", "FAR"} <= apart
    assert not {"FRR", "GFRR"} & apart


def test_lookalikes_in_one_group_are_counted_there_and_nowhere_else(cell):
    # Three of group a stand within reach of each other; everybody else is alone.
    data = cell([0.0, 0.125, 0.25, 20, 30, 40, 50, 60, 70, 80, 90, 95], ["a"] * 6 + ["b"] * 6)
    a, b = figure(data, "FMR", "a", "a"), figure(data, "FMR", "b", "b")
    # probe i + .125 against reference j at most .25 away: 0→{1,2}, 1→{0,2}, 2→{1}: 5 of 30.
    assert (a.errors, a.comparisons, a.subjects) == (5, 30, 6)
    assert (b.errors, b.comparisons) == (0, 30)
    assert figure(data, "FMR", "a", "b").errors == 0
    assert figure(data, "FMR", "all", "same group").errors == 5
    assert figure(data, "FMR", "all", "same group").comparisons == 60


def test_a_rate_rarer_than_the_data_can_show_is_not_given(cell):
    row = figure(cell(np.arange(10) * 5.0, ["a"] * 10), "FMR", reference="all", point="fmr=1e-9")
    assert (row.value, row.low, row.high, row.threshold, row.verdict) == (None, 0.0, 1.0, None, "insufficient")


def test_when_nobody_is_found_nothing_is_claimed_but_the_misses(cell):
    data = cell(np.arange(8) * 5.0, ["a"] * 8, unseen=range(8))
    assert figure(data, "FTA", point=None).value == 1
    assert figure(data, "FMR", reference="all").value is None
    assert figure(data, "FNMR").value is None
    assert figure(data, "GFRR").value == 1
    assert figure(data, "EER", reference="all", point="eer").value is None


def test_a_group_of_three_is_never_ranked(cell):
    data = cell(np.arange(15) * 5.0, ["a"] * 3 + ["b"] * 12)
    verdicts = {d["group"]: d["verdict"] for d in differentials_of(data) if d["metric"] == "FMR"}
    assert verdicts["a"] == "insufficient"
    assert verdicts["b"] in {"reference", "insufficient"}
    assert figure(data, "FMR", "a", "a").verdict == "insufficient"


def test_a_ratio_is_claimed_only_where_its_lower_limit_exceeds_one(cell):
    rng = np.random.default_rng(4)
    close, apart = rng.uniform(0, 2, 40), 100 + np.arange(40) * 5.0
    higher = cell(np.r_[close, apart], ["close"] * 40 + ["apart"] * 40)
    (row,) = (d for d in differentials_of(higher) if d["group"] == "close" and d["metric"] == "FMR"
              and d["operating_point"] == "own")  # fmt: skip
    assert row["verdict"] == "higher"
    assert row["low"] > 1
    assert row["reference"] == "apart"
    assert row["family_p"] < 0.01
    assert row["holm_p"] < 0.01
    assert "close" in row["words"]
    equal = cell(np.r_[close[:20], close[20:] + 50], ["x"] * 20 + ["y"] * 20)
    verdicts = {d["verdict"] for d in differentials_of(equal) if d["metric"] == "FMR" and d["operating_point"] == "own"}
    assert verdicts == {"reference", "not shown"}


def test_the_eer_lies_inside_its_interval_and_between_the_rates(cell):
    rng = np.random.default_rng(2)
    data = cell(rng.uniform(0, 8, 40), ["a"] * 40)
    row = figure(data, "EER", reference="all", point="eer")
    assert row.low <= row.value <= row.high
    assert row.threshold is not None
