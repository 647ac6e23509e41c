"""The identity check: nothing on the sheet gives the answer away, and corrections give a recount's tallies."""

from collections import Counter
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy import stats

from pipelines.errors import InputError
from testbed.evidence.identity_check import SHEET, Trials, answered, closed, corrected, sheet
from testbed.evidence.tallied import Tallied
from testbed.matching.people import People, people_of
from testbed.runs.tables import PAIRS

S = 8
SUBJECTS = tuple(f"s{i}" for i in range(S))
SAME = frozenset({("s0", "s1"), ("s2", "s5")})


def crowd():
    return people_of(pl.DataFrame({"subject": SUBJECTS, "group": ["x", "y"] * (S // 2)}), ["group"], 3)


def everything(trials):
    """Comparisons of everybody with everybody, by probe and reference person."""
    return np.outer(trials.transits, trials.references)


def observed(seed=0):
    """Trials and the errors of every ordered pair of people at one point."""
    rng = np.random.default_rng(seed)
    trials = Trials(rng.integers(1, 4, S), rng.integers(0, 3, S))
    between = everything(trials)
    errors = rng.binomial(between, 0.3)
    errors[0, 1], errors[2, 5] = between[0, 1], between[2, 5]
    np.fill_diagonal(errors, 0)
    return trials, errors


def pairs_table(errors, between):
    return pl.DataFrame(
        [("c", "transit", "own", SUBJECTS[i], SUBJECTS[j], errors[i, j], between[i, j])
         for i, j in zip(*np.nonzero(errors), strict=True)], schema=PAIRS.columns, orient="row",
    )  # fmt: skip


def recount(people: People, trials: Trials, errors, same=frozenset()):
    """Tallies by a loop over ordered pairs of people; comparisons of the pairs `same` are mated."""
    G, g = len(people.labels), people.groups
    e, n = np.zeros((2, S, G)), np.zeros((2, S, G))
    mated_e, mated_n = np.zeros(S), np.zeros(S)
    squares, crosses = np.zeros((G, G, 3)), np.zeros((G, G, 3))
    between = everything(trials)
    for i in range(S):
        for j in range(S):
            x, m, y, w = errors[i, j], between[i, j], errors[j, i], between[j, i]
            if i == j:
                continue
            if (SUBJECTS[min(i, j)], SUBJECTS[max(i, j)]) in same:
                mated_e[i] += m - x
                mated_n[i] += m
                continue
            e[0, i, g[j]] += x
            e[1, j, g[i]] += x
            n[0, i, g[j]] += m
            n[1, j, g[i]] += m
            squares[g[i], g[j]] += (x * x, x * m, m * m)
            crosses[g[i], g[j]] += (x * y, x * w + y * m, m * w)
    thresholds = np.full((1, 2), 0.5)
    return Tallied(people, ("own",), thresholds, e[None], n[None], mated_e[None], mated_n[None],
                   squares[None], crosses[None])  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_corrections_give_what_a_recount_with_the_right_truth_gives(seed):
    people, (trials, errors) = crowd(), observed(seed)
    table = pairs_table(errors, everything(trials))
    before = recount(people, trials, errors)
    before.fmr(0, people.everyone(), people.everyone())  # what was counted before must not stand for what is corrected
    found = corrected(before, trials, table, SAME)
    expected = recount(people, trials, errors, SAME)
    for field in ("errors", "comparisons", "mated_errors", "mated_comparisons", "squares", "crosses"):
        np.testing.assert_array_equal(getattr(found, field), getattr(expected, field), err_msg=field)
    everyone = people.everyone()
    assert found.fmr(0, everyone, everyone).variance == pytest.approx(expected.fmr(0, everyone, everyone).variance)


def test_no_correction_changes_nothing_and_the_original_is_left_alone():
    people, (trials, errors) = crowd(), observed()
    before = recount(people, trials, errors)
    table = pairs_table(errors, everything(trials))
    np.testing.assert_array_equal(corrected(before, trials, table, frozenset()).errors, before.errors)
    corrected(before, trials, table, SAME)
    np.testing.assert_array_equal(before.errors, recount(people, trials, errors).errors)


def test_the_sheet_holds_each_pair_with_a_false_match_once_and_as_many_without():
    people = crowd()
    trials = Trials(np.ones(S, np.int64), np.ones(S, np.int64))
    errors = np.zeros((S, S), int)
    errors[0, 1] = errors[1, 0] = errors[3, 2] = 1
    table = pairs_table(errors, everything(trials))
    rows = sheet(people, [trials], table, {"s0": "zero.jpg"}, seed=1)
    pairs = set(rows.select("first", "second").rows())
    assert rows.columns == list(SHEET)
    assert {("s0", "s1"), ("s2", "s3")} < pairs
    assert len(pairs) == rows.height == 4
    assert set(rows["same_person"]) == {""}
    assert rows.filter(pl.col("first") == "s0")["first_images"].to_list()[0] == "zero.jpg"
    assert rows.equals(sheet(people, [trials], table, {"s0": "zero.jpg"}, seed=1))


def test_the_order_of_the_sheet_does_not_tell_matches_from_the_rest():
    people = crowd()
    trials = Trials(np.ones(S, np.int64), np.ones(S, np.int64))
    errors = np.zeros((S, S), int)
    errors[0, 1] = 1
    table = pairs_table(errors, everything(trials))
    first = [sheet(people, [trials], table, {}, seed)["second"][0] == "s1" for seed in range(40)]
    assert 8 <= sum(first) <= 32


def test_people_who_were_never_compared_are_not_drawn():
    people = crowd()
    trials = Trials(np.array([1, 1, 0, 0, 0, 0, 0, 0]), np.array([1, 1, 1, 0, 0, 0, 0, 0]))
    errors = np.zeros((S, S), int)
    errors[0, 1] = 1
    rows = sheet(people, [trials], pairs_table(errors, everything(trials)), {}, 0)
    assert set(rows.select("first", "second").rows()) <= {("s0", "s1"), ("s0", "s2"), ("s1", "s2")}


def test_answers_are_read_whatever_their_case_and_order():
    filled = pl.DataFrame(
        {"first": ["s1", "s3", "s4"], "second": ["s0", "s2", "s5"], "same_person": ["Yes ", "no", None]}
    )
    found = answered(filled, crowd(), "sheet.csv")
    assert found == {"yes": {("s0", "s1")}, "no": {("s2", "s3")}, "unclear": frozenset()}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("s0", "s1", "maybe")], "sheet.csv: row 2: same_person is 'maybe'; write yes, no or unclear"),
        ([("s0", "s1", "no"), ("s0", "s9", "no")], "row 3: 's9' is no subject"),
        ([("s0", "s0", "no")], "row 2: 's0' is paired with itself"),
        ([("s0", "s1", "no"), ("s1", "s0", "yes")], "row 3: s1 and s0 stand twice"),
    ],
)
def test_a_wrong_answer_is_named_with_its_row(rows, message):
    filled = pl.DataFrame(rows, schema=["first", "second", "same_person"], orient="row")
    with pytest.raises(InputError, match=message):
        answered(filled, crowd(), "sheet.csv")


def test_a_sheet_without_answers_column_is_named():
    with pytest.raises(InputError, match="`same_person` is missing"):
        answered(pl.DataFrame({"first": ["s0"], "second": ["s1"]}), crowd(), "sheet.csv")


def test_whoever_has_two_names_has_all_that_follow():
    same = frozenset({("s0", "s1"), ("s1", "s4"), ("s2", "s5")})
    assert closed(same, frozenset(), "x.csv") == same | {("s0", "s4")}
    with pytest.raises(
        InputError, match=r"x\.csv: s0 and s4 are answered no, but by the rows answered yes they are one"
    ):
        closed(same, frozenset({("s0", "s4")}), "x.csv")


def test_ids_are_known_again_as_a_spreadsheet_saves_them():
    people = people_of(pl.DataFrame({"subject": ["007", "=x", "1", "01"]}), [], 1)
    filled = pl.DataFrame({"first": ["7", "7"], "second": ["'=x", "01"], "same_person": ["no", "yes"]})
    assert answered(filled, people, "s.csv") == {
        "yes": {("007", "01")}, "no": {("007", "=x")}, "unclear": frozenset(),
    }  # fmt: skip
    two = pl.DataFrame({"first": ["7"], "second": ["x"], "same_person": ["no"]})
    with pytest.raises(InputError, match="'x' is no subject"):
        answered(two, people, "s.csv")


def test_a_cell_knows_whether_everybody_was_compared_with_everybody():
    people, (trials, errors) = crowd(), observed()
    whole = recount(people, trials, errors)
    assert trials.all_made(whole)
    part = replace(whole, comparisons=whole.comparisons - (whole.comparisons > 3))
    assert not trials.all_made(part)


def test_in_a_log_with_gaps_only_comparisons_that_are_counted_are_moved():
    """s0 and s1 matched one way; how often they were compared the other way no table says, so it stays."""
    people = crowd()
    trials = Trials(np.ones(S, np.int64), np.ones(S, np.int64))
    errors = np.zeros((S, S), int)
    errors[0, 1] = 1
    full = recount(people, trials, errors)
    gaps = replace(full, comparisons=full.comparisons.copy())
    gaps.comparisons[0, :, 6] = 0  # nobody was compared with s6
    found = corrected(gaps, trials, pairs_table(errors, everything(trials)), frozenset({("s0", "s1")}))
    everyone = people.everyone()
    before, after = gaps.fmr(0, everyone, everyone), found.fmr(0, everyone, everyone)
    assert (before.errors - after.errors, before.comparisons - after.comparisons) == (1, 1)
    assert found.fnmr(0, everyone).comparisons - gaps.fnmr(0, everyone).comparisons == 1


def test_random_others_are_drawn_from_all_that_were_compared_alike():
    """Every pair without a false match is drawn about as often as any other (chi-square)."""
    people = crowd()
    trials = Trials(np.ones(S, np.int64), np.ones(S, np.int64))
    errors = np.zeros((S, S), int)
    errors[0, 1] = 1
    table = pairs_table(errors, everything(trials))
    drawn = Counter(pair for seed in range(540) for pair in sheet(people, [trials], table, {}, seed)
                    .select("first", "second").rows() if pair != ("s0", "s1"))  # fmt: skip
    assert len(drawn) == S * (S - 1) // 2 - 1
    assert stats.chisquare([*drawn.values()]).pvalue > 1e-4
