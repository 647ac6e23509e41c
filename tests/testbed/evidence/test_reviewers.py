"""What reviewers leave of errors: closed forms by hand, against the answers played out, and ends that hold the rest."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from scipy import stats

from pipelines.errors import InputError
from testbed.evidence import reviewers as module
from testbed.evidence.reviewers import (
    Assumed,
    Lists,
    Looked,
    corners,
    expected,
    hours_of,
    lists_of,
    mean_rows,
    outcomes,
    precision,
    read_review,
    reviewers_of,
    sensitivity,
    shown_of,
    simulated,
)
from testbed.evidence.searches import search_interval, searches_of, two_way
from testbed.matching.people import people_of
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import CANDIDATES, SEARCHES
from testbed.scenario.reviewing import VARIED, Review

PLAIN = Assumed(hit_rate=0.7, false_alarm_rate=0.3, fatigue=0.0, rare=0.0, alike=0.0, shared=0.0, prevalence=0.5,
                minutes_per_candidate=0.5)  # fmt: skip
RANGES = Review()
FIXED = {"fatigue": 0, "rare": 0, "alike": 0, "shared": 0, "prevalence": 0.5}


def lists(*shown):
    """Lists from (mated, is the person shown, z of the strangers shown, the most alike first)."""
    at = np.repeat(np.arange(len(shown)), [len(z) for *_, z in shown])
    mated, there = (np.array([each[k] for each in shown]) for k in (0, 1))
    return Lists(
        np.arange(len(shown)), mated, there, np.array([there + len(z) for _, there, z in shown]), at,
        np.arange(len(at)), np.concatenate([np.zeros(0), *(np.array(z, float) for *_, z in shown)]),
    )  # fmt: skip


def many(rng, Q=60):
    """Made-up lists: half of searches mated, most of these found, up to four strangers each."""
    made = []
    for q in range(Q):
        mated = q % 2 == 0
        made.append((mated, bool(mated and rng.random() < 0.8), np.sort(rng.normal(size=rng.integers(0, 5)))[::-1]))
    return lists(*made)


def test_one_reviewer_of_ten_searches_worked_by_hand():
    # Five people are there, four of them shown (.8); five are not, of whom two lists show strangers (.4).
    seen = lists(*[(True, True, [0.1])] * 4, (True, False, []), *[(False, False, [0.0, -1.0])] * 2,
                 *[(False, False, [])] * 3)  # fmt: skip
    right, wrong = outcomes(seen, PLAIN)
    assert right[seen.mated].mean() == pytest.approx(0.8 * 0.7)  # missed: .44
    assert wrong[~seen.mated].mean() == pytest.approx(0.4 * 0.3)
    assert wrong[0] == pytest.approx(0.3 * 0.3)  # overlooks the person, then picks the stranger
    assert precision(0.5, 0.56, 0.8 * 0.09, 0.12) == pytest.approx(0.28 / (0.28 + 0.036 + 0.06))


def test_who_overlooks_the_only_candidate_names_nobody_and_an_empty_list_names_nobody():
    right, wrong = outcomes(lists((True, True, []), (False, False, []), (True, False, [])), PLAIN)
    assert right.tolist() == pytest.approx([0.7, 0, 0])
    assert wrong.tolist() == [0, 0, 0]


def test_two_reviewers_by_hand():
    seen = lists((True, True, []), (False, False, [0.0]), (False, False, [0.0, 0.0, 0.0]))
    both, either = (replace(PLAIN, reviewers=2, agree=agree) for agree in ("both", "either"))
    right, wrong = outcomes(seen, both)
    assert right[0] == pytest.approx(0.49)
    assert wrong[1:] == pytest.approx([0.09, 0.03])  # of three alike, both must pick the same: 1 in 3
    right, wrong = outcomes(seen, either)
    assert right[0] == pytest.approx(0.91)
    assert wrong[1:] == pytest.approx([0.51, 0.51])


@pytest.mark.parametrize("agree", ["both", "either"])
def test_two_reviewers_who_always_share_their_answer_are_one(agree):
    seen = many(np.random.default_rng(1))
    a = replace(PLAIN, alike=0.8, fatigue=0.2)
    one, two = outcomes(seen, a), outcomes(seen, replace(a, reviewers=2, agree=agree, shared=1.0))
    for x, y in zip(one, two, strict=True):
        np.testing.assert_allclose(x, y)


def test_without_effect_of_likeness_scores_do_not_matter_and_with_it_the_more_alike_fool_more():
    seen = lists((False, False, [2.0]), (False, False, [-2.0]))
    assert np.ptp(outcomes(seen, PLAIN)[1]) == 0
    alike = outcomes(seen, replace(PLAIN, alike=1.0))[1]
    odds = alike / (1 - alike)
    assert odds[0] / odds[1] == pytest.approx(np.exp(4.0))
    assert np.sqrt(odds[0] * odds[1]) == pytest.approx(0.3 / 0.7)


def test_fatigue_is_the_mean_over_a_shift():
    seen = lists((True, True, [0.0]), (False, False, [0.0]))
    at = (np.arange(100_000) + 0.5) / 100_000
    hit, refuses = 0.7 * (1 - 0.4 * at), 0.7 * (1 - 0.4 * at)
    right, wrong = outcomes(seen, replace(PLAIN, fatigue=0.4))
    assert right[0] == pytest.approx(hit.mean())
    assert wrong == pytest.approx([((1 - hit) * (1 - refuses)).mean(), (1 - refuses).mean()])


def test_a_person_who_is_rarely_there_is_missed_more_but_no_further_than_was_studied():
    a = replace(PLAIN, rare=1.0)
    odds = [each / (1 - each) for each in (replace(a, prevalence=p).hit for p in (0.5, 0.05, 0.02, 0.001, 0.9))]
    assert odds[1] == pytest.approx(odds[0] / np.e)
    assert odds[3] == odds[2] < odds[1]
    assert odds[4] == odds[0] == pytest.approx(0.7 / 0.3)


@pytest.mark.parametrize("certain", [0.0, 1.0])
def test_a_certain_answer_stays_certain_whatever_else_is_assumed(certain):
    seen = lists((True, True, [3.0]), (False, False, [3.0]))
    a = replace(PLAIN, hit_rate=certain, false_alarm_rate=certain, rare=2.0, alike=2.0, prevalence=0.01)
    right, wrong = outcomes(seen, a)
    assert (right[0], wrong[1]) == (certain, certain)


@pytest.mark.parametrize(("reviewers", "agree"), [(1, "both"), (2, "both"), (2, "either")])
def test_answers_played_out_agree_with_the_formula(reviewers, agree):
    seen = many(np.random.default_rng(2))
    a = replace(PLAIN, fatigue=0.3, alike=0.7, shared=0.4, rare=0.5, prevalence=0.1, reviewers=reviewers, agree=agree)
    repeats = 20_000
    for played, formula in zip(simulated(seen, a, 7, repeats), outcomes(seen, a), strict=True):
        error = np.sqrt(formula * (1 - formula) / repeats)
        assert (np.abs(played.mean(axis=0) - formula) <= 4.5 * error).all()


def test_the_simulation_is_the_same_for_a_seed_and_another_for_another():
    seen = many(np.random.default_rng(3))
    one, same, other = (simulated(seen, PLAIN, seed, 50)[1] for seed in (1, 1, 2))
    assert (one == same).all()
    assert (one != other).any()


@pytest.mark.parametrize(("reviewers", "agree"), [(1, "both"), (2, "both"), (2, "either")])
@pytest.mark.parametrize("what", ["right", "wrong"])
def test_no_combination_of_ends_goes_beyond_the_ends_that_are_told(reviewers, agree, what):
    seen = many(np.random.default_rng(4))
    review = Review(reviewers=reviewers, agree=agree)
    for mine in (seen.mated, ~seen.mated):
        k = what == "wrong"
        every = [
            outcomes(seen, Assumed.of(review, **dict(zip(VARIED, ends, strict=True))))[k][mine].mean()
            for ends in itertools.product((0, 1), repeat=len(VARIED))
        ]
        least, most = ([outcomes(seen, a)[k][mine].mean() for a in side] for side in corners(review, what))
        told = getattr(Looked(seen, review, 30), what)(mine, 0.05)
        assert told["least"] == pytest.approx(min(least))
        assert min(least) <= min(every) + 1e-12
        assert max(most) >= max(every) - 1e-12
        assert told["low"] <= told["least"] <= told["value"] <= told["most"] <= told["high"]


def test_where_every_list_is_alike_the_interval_is_that_of_how_often_there_is_a_list_times_the_chance():
    rng = np.random.default_rng(5)
    seen = many(rng, 120)
    seen = replace(seen, person=rng.integers(0, 40, 120), who=rng.integers(0, 9, len(seen.at)))
    review = Review(hit_rate=0.7, false_alarm_rate=0.3, **FIXED)
    mine, listed = ~seen.mated, seen.strangers > 0
    alone = np.flatnonzero(seen.strangers == 1)
    rate = two_way(seen.person, 30, mine, listed, (alone, seen.best[alone]))
    machine = search_interval(rate)
    told = Looked(seen, review, 30).wrong(mine, 0.05)
    assert told["value"] == pytest.approx(0.3 * rate.rate)
    assert (told["low"], told["high"]) == pytest.approx((0.3 * machine.low, 0.3 * machine.high))
    again = expected(seen, mine, listed.astype(float), np.where(seen.strangers == 1, 1.0, 0.0), 30)
    assert again.variance == pytest.approx(rate.variance)
    assert again.freedom == pytest.approx(rate.freedom)


def test_lists_that_are_never_seen_leave_an_upper_limit():
    seen = lists(*[(False, False, [])] * 20)
    review = Review(hit_rate=0.7, false_alarm_rate=0.3, **FIXED)
    told = Looked(seen, review, 30).wrong(~seen.mated, 0.05)
    assert told["value"] == told["low"] == 0
    assert 0 < told["high"] == pytest.approx(0.3 * (1 - 0.025 ** (1 / 19)))


def test_hours_are_candidates_times_minutes_times_reviewers():
    # 4 candidates where the person is there, 2 where not; a quarter are there: 2.5 × 0.6 minutes × 2 reviewers.
    a = replace(PLAIN, prevalence=0.25, minutes_per_candidate=0.6, reviewers=2)
    assert hours_of((4.0, 2.0), a) == pytest.approx(2.5 * 0.6 * 2 / 60)


def test_the_mean_number_of_candidates_is_bounded_by_person_and_by_the_longest_list():
    rows = np.array([10, 10, 10, 10, 10, 10, 10, 4])
    seen = replace(lists(*[(False, False, [])] * 8), rows=rows)
    mean, low, high = mean_rows(seen, ~seen.mated, 0.05)
    assert mean == 9.25
    assert low < 9.25 < high
    assert mean_rows(replace(seen, longest=10), ~seen.mated, 0.05) == (mean, low, 10)
    spread = replace(seen, rows=np.arange(8))
    n, t = 8, stats.t.ppf(0.975, module.by_subject(np.arange(8), np.ones(8)).freedom)
    half = t * np.arange(8).std(ddof=1) / np.sqrt(n)
    assert mean_rows(spread, ~seen.mated, 0.05) == pytest.approx((3.5, max(0, 3.5 - half), 3.5 + half))


def test_each_assumption_moves_what_it_is_about_and_nothing_else():
    seen = many(np.random.default_rng(6))
    rows = {row["assumption"]: row for row in sensitivity(Looked(seen, RANGES, 30), seen.mated | ~seen.mated)}
    assert set(rows) == set(VARIED) - {"shared"}  # one reviewer copies nobody
    moved = {
        name: {k for k in row["low"] if row["low"][k] != pytest.approx(row["high"][k])} for name, row in rows.items()
    }
    assert moved["minutes_per_candidate"] == {"hours_per_1000", "hours_per_correct"}
    assert moved["false_alarm_rate"] == {"false_identifications", "precision"}
    assert moved["hit_rate"] == {"misses", "hours_per_correct", "precision"}
    assert rows["minutes_per_candidate"]["high"]["hours_per_1000"] == pytest.approx(
        4 * rows["minutes_per_candidate"]["low"]["hours_per_1000"]
    )


# -- a cell, from its tables ------------------------------------------------------------------------------------------
MADE = {  # search: (mated, [(person returned, score), …])
    "a": (True, [("a", 0.9), ("b", 0.6), ("b", 0.55)]), "b": (True, [("c", 0.8), ("b", 0.7)]),
    "c": (True, [("a", 0.4), ("c", 0.3)]), "d": (True, []),
    "x": (False, [("a", 0.7), ("b", 0.5), ("c", 0.2)]), "y": (False, [("c", 0.3)]), "z": (False, [("b", 0.45)]),
}  # fmt: skip


def cell(tmp_path, direction="similarity"):
    people = people_of(pl.DataFrame({"subject": list("abcdxyz"), "sex": list("fmfmfmf")}), ["sex"], 1)
    sign = 1 if direction == "similarity" else -1
    made = pl.DataFrame(
        [("c", 4, s, s, mated, "searched") for s, (mated, _) in MADE.items()], schema=SEARCHES.columns, orient="row"
    )
    candidates = pl.DataFrame(
        [("c", 4, s, k, f"{who}/{k}", who, sign * score) for s, (_, found) in MADE.items()
         for k, (who, score) in enumerate(found, 1)], schema=CANDIDATES.columns, orient="row",
    )  # fmt: skip
    limits = {"own": np.full(2, sign * 0.5), "none": np.full(2, np.nan)}
    run = RunDirectory.create(tmp_path / direction, {})
    run.write(SEARCHES, made)
    run.write(CANDIDATES, candidates.head(4), "c/searches/000")
    run.write(CANDIDATES, candidates.tail(-4), "c/searches/001")
    return SimpleNamespace(
        system="s", condition={"name": "clean"}, cell="c", operating_points=("own", "none"), people=people,
        threshold=lambda _: sign * 0.5, searches=searches_of(people, direction, limits, made, [candidates], None),
    ), run  # fmt: skip


def test_reviewers_see_what_reaches_the_threshold(tmp_path):
    data, run = cell(tmp_path)
    parts = [run.read(CANDIDATES, part) for part in run.parts(CANDIDATES, "c")]
    for length, rows in ((None, [3, 2, 0, 0, 2, 0, 0]), (1, [1, 1, 0, 0, 1, 0, 0])):
        shown = shown_of(data.searches, 4, ["own"], run.read(SEARCHES), parts, length)
        seen = lists_of(data.searches, data.searches.galleries[4], "own", shown)
        assert seen.rows.tolist() == rows
        assert seen.there.tolist() == [True, length is None, *[False] * 5]
    shown = shown_of(data.searches, 4, ["own"], run.read(SEARCHES), parts, None)
    seen = lists_of(data.searches, data.searches.galleries[4], "own", shown)
    assert seen.strangers.tolist() == [1, 1, 0, 0, 2, 0, 0]  # somebody shown twice is one stranger
    usual = np.array([0.7, 0.3, 0.45])  # the best strangers of x, y, z, whatever the threshold
    assert seen.nth(0)[4] == pytest.approx((0.7 - usual.mean()) / usual.std(ddof=1))
    assert seen.nth(1)[4] == pytest.approx((0.5 - usual.mean()) / usual.std(ddof=1))


def test_a_cell_end_to_end_by_hand(tmp_path):
    data, run = cell(tmp_path)
    review = Review(hit_rate=0.7, false_alarm_rate=0.3, minutes_per_candidate=3, **FIXED)
    row, untold = reviewers_of(data, review, run)
    whole = row["groups"][0]
    assert whole["group"] == "all"
    assert whole["false_identifications"]["value"] == pytest.approx(0.3 / 3)
    assert whole["false_identifications"]["machine"]["value"] == pytest.approx(1 / 3)
    assert whole["survive"]["value"] == pytest.approx(0.3)
    assert whole["misses"]["value"] == pytest.approx(1 - 2 * 0.7 / 4)
    assert whole["misses"]["machine"]["value"] == pytest.approx(3 / 4)
    assert whole["wrong_when_there"]["value"] == pytest.approx(2 * 0.09 / 4)
    hours = (0.5 * 5 / 4 + 0.5 * 2 / 3) * 3 / 60
    assert whole["work"]["per_1000"]["value"] == pytest.approx(1000 * hours)
    assert whole["work"]["per_correct"]["value"] == pytest.approx(hours / (0.5 * 0.35))
    assert whole["work"]["shifts"]["value"] == pytest.approx(10_000 * hours / 8)
    half = whole["precision"][0]
    assert half["value"] == pytest.approx(0.35 / (0.35 + 0.045 + 0.1))
    # Alone, the machine names a in a's search, c in b's, a in x's.
    assert half["machine"]["value"] == pytest.approx(0.25 / (0.25 + 0.25 + 1 / 3))
    assert (untold["why"], untold["groups"]) == ("no such threshold could be found among so few comparisons", [])
    assert whole["false_identifications"]["least"] == pytest.approx(whole["false_identifications"]["most"])


def test_distances_say_the_same_as_similarities(tmp_path):
    rows = []
    for direction in ("similarity", "distance"):
        data, run = cell(tmp_path, direction)
        rows.append(next(reviewers_of(data, Review(reviewers=2), run)))
    assert rows[0]["groups"] == rows[1]["groups"]
    assert rows[0]["simulation"] == rows[1]["simulation"]


def test_a_file_of_reviewers_is_read_or_refused_in_one_sentence(tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text("review: {hit_rate: 0.9}\n")
    assert read_review(path).hit_rate == (0.9, 0.9)
    path.write_text("review: {hit_rate: 9}\n")
    with pytest.raises(InputError, match=r"r\.yaml:1: review\.hit_rate: should lie between 0 and 1, not 9$"):
        read_review(path)
    for text, said in (
        ("hit_rate: 0.9\n", "review: is missing"),
        ("title: t\n", "review: is missing"),
        ("review: {hit_rate: 0.9, hit_rate: 0.1}\n", "review.hit_rate: the key is given again"),
        ("review: {}\nhit_rate: 0.9\n", "hit_rate: unknown key"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=said):
            read_review(path)


def test_a_whole_scenario_says_what_is_assumed():
    scenarios = Path(__file__).parents[3] / "scenarios"
    assert read_review(scenarios / "hidden-work.yaml").reviewers == 2


def test_a_great_many_lists_are_played_less_often(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "MOST_PLAYED", 7 * 30)
    data, run = cell(tmp_path)
    assert next(reviewers_of(data, RANGES, run))["simulation"]["repeats"] == 30


def test_what_was_studied_is_named_beside_the_default_and_not_beside_ones_own():
    told = module.assumptions(Review(hit_rate=0.9))["ranges"]
    assert told["hit_rate"]["source"] is None
    assert "White" in told["false_alarm_rate"]["source"]
