"""Claims in words, on the page and in the terminal."""

import json

import pytest

from reports import claims
from testbed.cli.listing import claims as listing

ROW = {
    "says": "Vendor's brochure: 99 % accurate", "metric": "accuracy", "read_as": "FMR", "who": "all",
    "sense": "at most", "bound": 0.01, "unit": "share", "system": "one", "condition": {"name": "clean"}, "cell": "c",
    "operating_point": "own", "probe_group": "all", "reference_group": "all", "value": 0.2, "low": 0.1, "high": 0.3,
    "errors": 20, "comparisons": 100, "subjects": 40, "basis": None, "verdict": "refuted", "why": None,
    "assumption_free_agrees": True, "further_people_if_as_observed": None, "further_people_if_half_the_bound": None,
}  # fmt: skip


def test_accuracy_is_taken_apart_reading_by_reading():
    mix = "90 comparisons of strangers, 10 of the same person"
    rows = [ROW, {**ROW, "reference_group": "same group", "who": "same group"},
            {**ROW, "read_as": "FNMR", "reference_group": None, "verdict": "supported"},
            {**ROW, "read_as": "GFRR", "reference_group": None, "verdict": "untestable"},
            {**ROW, "read_as": "all comparisons", "reference_group": None, "basis": mix}]  # fmt: skip
    start, readings, last = claims.dissected(rows)
    start, fmr, same, fnmr, gfrr, mixed = (line.replace("\u202f", " ") for line in (start, *readings))
    assert "99 % accurate" in start
    assert fmr == "of comparisons of two different people, at most 1.0 % are called a match: refuted"
    assert "two different people of one group" in same
    assert fnmr.endswith("are missed: supported")
    assert gfrr.endswith(": untestable")
    assert mixed.endswith(": refuted")
    assert mix in last
    assert claims.dissected([{**ROW, "metric": "FMR"}]) == ("", [], "")


def test_one_claim_on_several_systems_is_told_once_and_systems_with_the_same_figures_together():
    other = {**ROW, "who": "black male", "reference_group": "black male", "verdict": "not settled"}
    rows = [{**row, "system": system, "cell": system, **more}
            for system, more in (("one", {}), ("two", {}), ("three", {"value": 0.5, "verdict": "untestable"}))
            for row in (ROW, other)]  # fmt: skip
    (block,) = claims.by_claim(rows)
    assert [systems for systems, _ in claims.by_system(block)] == [["one", "two"], ["three"]]
    assert [(systems, row["who"]) for systems, row in claims.side_by_side(block)] == [
        (["one", "two"], "all"), (["three"], "all"), (["one", "two"], "black male"), (["three"], "black male")
    ]  # fmt: skip
    told = claims.verdict([{**row, "metric": "FMR"} for row in block])
    assert told == "one and two. Refuted: all. Not settled: black male. three. Untestable throughout."
    assert len(claims.by_claim([ROW, {**ROW, "bound": 0.5}])) == 2


def test_columns_compared_are_named_as_they_are_called():
    row = {**ROW, "metric": "FMR", "unit": "factor", "who": "highest against lowest of face_eth"}
    assert claims.whom(row) == "highest against lowest of face_eth"
    assert claims.whom({**ROW, "metric": "FMR", "who": "black_male"}) == "black male"


def test_verdicts_on_several_readings_are_not_run_together():
    rows = [ROW, {**ROW, "reference_group": "same group", "who": "same group"},
            {**ROW, "read_as": "FNMR", "verdict": "supported"}]  # fmt: skip
    assert claims.verdict(rows) == "Refuted: FMR (all) and FMR (same group). Supported: FNMR."
    shown = {**ROW, "metric": "calibration", "read_as": "calibration", "unit": "probability", "bound": 0.5}
    rows = [{**shown, "who": "same group, shown 50 %"}, {**shown, "who": "same group, shown 67 %"},
            {**shown, "who": "same group, shown 90 %", "verdict": "supported"}]  # fmt: skip
    assert "shown 50 %: at most 50.0 % likely; same group, shown 67 %" in claims.verdict(rows).replace("\u202f", " ")


@pytest.mark.parametrize(
    ("change", "claimed", "observed", "limits"),
    [({}, "at most 1.0 %", "20.0 %", "[10.0–30.0 %]"),
     ({"unit": "factor", "bound": 1.5, "value": 3.89, "low": 1.0, "high": None}, "at most 1.5 times", "3.89 times",
      "[1–no limit]"),
     ({"unit": "factor", "bound": 1.5, "value": None, "low": 1.0, "high": None}, "at most 1.5 times", "–",
      "[1–no limit]"),
     ({"unit": "probability", "sense": "exactly", "bound": 0.67}, "67.0 % likely", "20.0 %", "[10.0–30.0 %]"),
     ({"unit": "frames a second", "sense": "at least", "bound": 25, "value": 9.5, "low": 9, "high": 10},
      "at least 25 frames a second", "9.5", "[9–10]"),
     ({"value": None, "comparisons": 0}, "at most 1.0 %", "nothing compared", "–"),
     ({"value": None, "comparisons": None, "low": 0.0, "high": 1.0}, "at most 1.0 %", "–", "–")],
)  # fmt: skip
def test_every_unit_is_written_as_one_reads_it(change, claimed, observed, limits):
    row = {**ROW, **change}
    told = [tell(row).replace("\u202f", " ") for tell in (claims.claimed, claims.observed, claims.limits)]
    assert told == [claimed, observed, limits]


def test_the_terminal_tells_verdict_reason_and_fits_its_lines(tmp_path):
    rows = [
        ROW, {**ROW, "verdict": "not settled", "why": "a reason", "metric": "FMR",
              "further_people_if_as_observed": 1234},
        {**ROW, "metric": "fps", "read_as": "fps", "who": "on Jetson", "unit": "frames a second", "value": None,
         "low": None, "high": None, "verdict": "untestable",
         "why": "this run was made on another device: " + "x " * 80},
    ]  # fmt: skip
    (tmp_path / "evidence.json").write_text(json.dumps({"claims": rows}))
    told = listing(tmp_path)
    assert max(map(len, told.splitlines())) <= 110
    assert told.count("Vendor's brochure") == 1
    assert "REFUTED      FMR, all: 20.0 % [10.0–30.0 %]; 20 of 100, 40 people" in told
    assert "a reason; would be settled by 1,234 more people if the rates are as observed" in told
    assert "UNTESTABLE   fps, on Jetson" in told
