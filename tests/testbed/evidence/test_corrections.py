"""Corrections: figures as a recount with the right truth gives them, and what a random sample of the rest says."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy import stats

from pipelines.errors import InputError
from testbed.evidence.corrections import Looked, corrections_of, read_checked
from testbed.evidence.identity_check import Trials
from testbed.runs.tables import PAIRS

S = 24
KEY = ("metric", "probe_group", "reference_group", "operating_point")


@pytest.fixture
def look(cell):
    """A cell of people at places, as it is looked at; one transit and one photograph each."""

    def at(places, groups):
        data = cell(places, groups)
        # Counted again: probes are off by 0.125, and 0.25 or less is a match.
        apart = np.abs(places[:, None] + 0.125 - places[None])
        matched = np.argwhere((apart <= 0.25) & ~np.eye(len(places), dtype=bool))
        names, everybody = data.people.subjects, np.ones(len(places), np.int64)
        pairs = pl.DataFrame([("c", "transit", "own", names[i], names[j], 1, 1) for i, j in matched],
                             schema=PAIRS.columns, orient="row")  # fmt: skip
        return Looked(data, Trials(everybody, everybody), pairs, ("fmr=1e-9",))

    return at


@pytest.fixture
def looked(look):
    """Twelve people a, of whom 000 and 001 stand at one place, and twelve b in six pairs."""
    places = np.r_[0.0, 0.05, 10 + np.arange(10) * 5.0, 500 + np.repeat(np.arange(6), 2) * 5.0 + np.tile([0, 0.05], 6)]
    found = look(places, ["a"] * 12 + ["b"] * 12)
    assert found.pairs.height == 14
    return found


def answers(**said):
    return {"file": "s.csv", "rows": 9, "yes": [], "no": [], "unclear": [], **said}


def figure(found, metric, group, reference=None):
    wanted = (metric, group, reference, "own")
    (row,) = (r for r in found["figures"] if tuple(r[name] for name in KEY) == wanted)
    return row


def test_a_false_match_of_one_person_with_themself_is_none(looked):
    """000 and 001 match both ways: 2 errors of 132 become 0 of 130, and two hits more of 12 + 2 mated comparisons."""
    found = corrections_of(answers(yes=[["000", "001"]]), [looked])
    row = figure(found, "FMR", "a", "a")
    assert (row["errors"], row["comparisons"]) == (2, 132)
    assert (row["corrected_errors"], row["corrected_comparisons"], row["corrected_value"]) == (0, 130, 0)
    assert row["corrected_high"] < row["high"]
    row = figure(found, "FNMR", "a")
    assert (row["errors"], row["comparisons"], row["corrected_errors"], row["corrected_comparisons"]) == (0, 12, 0, 14)
    row = figure(found, "FMR", "b", "b")
    assert all(row[name] == row[f"corrected_{name}"] for name in ("value", "low", "high", "errors", "comparisons"))


def test_two_names_of_one_person_that_never_matched_are_misses(looked):
    found = corrections_of(answers(yes=[["003", "020"]], no=[["000", "001"], ["004", "009"]]), [looked])
    row = figure(found, "FNMR", "all")
    assert (row["corrected_errors"] - row["errors"], row["corrected_comparisons"] - row["comparisons"]) == (2, 2)
    row = figure(found, "FMR", "a", "b")
    assert (row["errors"], row["corrected_errors"]) == (0, 0)
    assert row["comparisons"] - row["corrected_comparisons"] == 1


def test_answers_are_counted_apart_for_false_matches_and_for_the_rest(looked):
    said = answers(yes=[["000", "001"], ["003", "020"]], no=[["012", "013"], ["004", "009"], ["002", "005"]],
                   unclear=[["014", "015"]])  # fmt: skip
    found = corrections_of(said, [looked])
    assert found["false_matches"] == {"same": 1, "different": 1, "unclear": 1, "listed": 7, "unanswered": 4}
    others = found["others"]
    assert (others["same"], others["different"], others["unclear"]) == (1, 2, 0)
    assert others["pairs"] == S * (S - 1) // 2 - 7
    exact = stats.binomtest(1, 3).proportion_ci(0.95, "exact")
    assert (others["low"], others["high"]) == pytest.approx((exact.low, exact.high))
    assert others["estimated_high"] == pytest.approx(exact.high * others["pairs"])


def test_what_has_no_answer_is_counted_against_the_sheet_that_was_written(looked):
    """Fourteen rows were asked, seven of them of false matches; two answers came back, one of a false match."""
    said = {**answers(yes=[["000", "001"]], no=[["002", "005"]]), "rows": 2}
    found = corrections_of(said, [looked], {"point": "own", "cell": None, "rows": 14})
    assert (found["unanswered"], found["false_matches"]["listed"], found["false_matches"]["unanswered"]) == (12, 7, 6)
    nowhere = corrections_of(said, [looked], {"point": "given=3", "cell": None, "rows": 2})
    assert (nowhere["unanswered"], nowhere["false_matches"]["unanswered"]) == (0, 0)


def test_at_least_as_many_are_one_person_as_were_found(looked):
    """One of nearly all other pairs: 0.03 to 5.5 of 269 by the interval, yet one it is."""
    names = looked.data.people.subjects
    matched = {frozenset(pair) for pair in looked.pairs.select("probe_subject", "reference_subject").iter_rows()}
    others = [[a, b] for i, a in enumerate(names) for b in names[i + 1 :] if {a, b} not in matched]
    assert ["003", "020"] in others
    found = corrections_of(answers(yes=[["003", "020"]], no=[p for p in others if p != ["003", "020"]]), [looked])
    assert found["others"]["low"] * found["others"]["pairs"] < 1
    assert found["others"]["estimated_low"] == 1


def test_with_nothing_looked_at_but_false_matches_nothing_is_estimated(looked):
    others = corrections_of(answers(no=[["000", "001"]]), [looked])["others"]
    assert (others["share"], others["low"], others["high"]) == (None, 0, 1)


def test_a_higher_rate_that_rests_on_wrong_truth_is_said_to_go(look):
    """Thirty b in ten knots of three: each knot one person under three names, and b has no error left."""
    knots = np.repeat(np.arange(10), 3) * 5.0 + np.tile([0, 0.05, 0.1], 10)
    looked = look(np.r_[0.1, np.arange(29) * 5.0, 500 + knots], ["a"] * 30 + ["b"] * 30)
    named = looked.data.people.subjects
    thrice = [[named[i], named[i + step]] for i in range(30, 60, 3) for step in (1, 2)]
    found = corrections_of(answers(yes=thrice), [looked])
    assert figure(found, "FMR", "b", "b")["corrected_errors"] == 0
    (change,) = (v for v in found["verdicts"] if (v["metric"], v["operating_point"]) == ("FMR", "own"))
    assert (change["group"], change["verdict"]) == ("b", "higher")
    assert change["corrected_verdict"] != "higher"
    assert "at least" in change["words"]
    assert "at least" not in change["corrected_words"]
    assert corrections_of(answers(no=thrice), [looked])["verdicts"] == []


def test_what_follows_from_two_answers_is_corrected_too(looked):
    found = corrections_of(answers(yes=[["000", "001"], ["001", "002"]]), [looked])
    assert (found["same_person"], found["followed"]) == (3, 1)
    assert figure(found, "FMR", "a", "a")["corrected_comparisons"] == 132 - 6


def test_a_log_with_gaps_says_that_not_every_comparison_is_known(looked):
    assert corrections_of(answers(no=[["000", "001"]]), [looked])["every_comparison_known"]
    more = replace(looked, trials=Trials(looked.trials.transits + 1, looked.trials.references))
    assert not corrections_of(answers(no=[["000", "001"]]), [more])["every_comparison_known"]


def test_a_sheet_nobody_filled_in_is_refused(looked, tmp_path):
    path = tmp_path / "s.csv"
    path.write_text("first,second,same_person\n000,001,\n002,003,\n")
    with pytest.raises(InputError, match=r"s\.csv: no row is answered; write yes, no, unclear"):
        read_checked(path, looked.data.people)
    path.write_text("first,second,same_person\n000,001,yes\n001,002,yes\n002,000,no\n")
    with pytest.raises(InputError, match="they are one person"):
        read_checked(path, looked.data.people)


def test_answers_are_kept_as_json_takes_them(looked, tmp_path):
    path = tmp_path / "s.csv"
    path.write_text("first,second,same_person\n001,000,YES\n002,003,unclear\n004,005,\n")
    assert read_checked(path, looked.data.people) == {
        "file": "s.csv", "rows": 3, "yes": [["000", "001"]], "no": [], "unclear": [["002", "003"]],
    }  # fmt: skip
