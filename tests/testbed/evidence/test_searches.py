"""FPIR, FNIR, selectivity and CMC on galleries small enough to work by hand, and intervals that hold the truth."""

from dataclasses import replace
from math import nan

import numpy as np
import polars as pl
import pytest

from testbed.evidence.intervals import rate_interval
from testbed.evidence.search_figures import search_figures
from testbed.evidence.searches import search_interval, searches_of, two_way
from testbed.matching.people import people_of
from testbed.runs.tables import CANDIDATES, SEARCHES

EVERYONE = ["a", "b", "c", "d", "e", "f", "g"]
"""Enrolled; x and y are not. a to d and x are women."""


def searched(lists, threshold=0.5, *, size=7, direction="similarity", failed=(), parts=1, strangers=("x", "y"), cut=0):
    """Searches from {search: [(person returned, score), …]}; a search is named by its person, `a`, `a2`, …"""
    names = sorted({*EVERYONE, *strangers, *(search[0] for search in lists)})
    people = people_of(
        pl.DataFrame({"subject": names, "sex": ["f" if name in "abcdx" else "m" for name in names]}), ["sex"], 1
    )
    made = pl.DataFrame(
        [("c", size, s, s[0], s[0] not in strangers, "failed" if s in failed else "searched") for s in lists],
        schema=SEARCHES.columns, orient="row",
    )  # fmt: skip
    rows = [
        [("c", size, s, rank + 1, f"photo of {who}", who, score) for rank, (who, score) in enumerate(listed)]
        for s, listed in lists.items()
    ]
    frames = [
        pl.DataFrame([row for each in rows[k::parts] for row in each], schema=CANDIDATES.columns, orient="row")
        for k in range(parts)
    ]
    limits = {"own": np.array([threshold, threshold])}
    return searches_of(people, direction, limits, made, frames, cut)


def right(who, others="abcdefg"):
    """The person first, then two strangers who do not match."""
    return [(who, 0.9), *[(other, 0.3 - 0.1 * i) for i, other in enumerate(sorted({*others} - {who})[:2])]]


def nobody():
    return [("a", 0.3), ("b", 0.2), ("c", 0.1)]


def counts(rate):
    return rate.errors, rate.comparisons


def test_seven_people_found_and_two_strangers_who_return_nobody_are_no_error():
    found = searched({**{who: right(who) for who in EVERYONE}, "x": nobody(), "y": nobody()})
    everyone = found.people.everyone()
    assert found.gallery_sizes == (7,)
    assert counts(found.fpir("own", 7, everyone)) == (0, 2)
    assert counts(found.selectivity("own", 7, everyone)) == (0, 14)
    assert [counts(found.fnir("own", 7, rank, everyone)) for rank in (1, 3)] == [(0, 7), (0, 7)]


def test_of_a_gallery_in_which_one_is_exchanged_for_each_search_one_more_person_can_be_returned():
    # Three people, each searched for among the two others, and taken for the next.
    lists = {who: [(wrong, 0.9)] for who, wrong in zip("abc", "bca", strict=True)}
    found = searched(lists, size=2, strangers="abc", cut=None)
    everyone = found.people.everyone()
    assert counts(found.fpir("own", 2, everyone)) == (3, 3)
    assert counts(found.selectivity("own", 2, everyone)) == (3, 6)


def test_one_injected_error_of_each_kind_is_one_error():
    # a is outranked by b; x returns two people at the threshold, y nobody.
    lists = {who: right(who) for who in EVERYONE} | {
        "a": [("b", 0.8), ("a", 0.7), ("c", 0.1)],
        "x": [("d", 0.6), ("e", 0.5), ("f", 0.4)],
        "y": nobody(),
    }
    found = searched(lists)
    everyone = found.people.everyone()
    assert counts(found.fpir("own", 7, everyone)) == (1, 2)
    assert counts(found.selectivity("own", 7, everyone)) == (2, 14)
    assert counts(found.fnir("own", 7, 1, everyone)) == (1, 7)
    assert counts(found.fnir("own", 7, 2, everyone)) == (0, 7)


def test_two_injected_errors_are_counted_at_every_rank_and_in_their_group():
    # a stands third; g's own score lies below the threshold, and g is found whatever the score.
    lists = {who: right(who) for who in EVERYONE} | {
        "a": [("b", 0.8), ("c", 0.7), ("a", 0.6)],
        "g": [("g", 0.4), ("b", 0.3), ("c", 0.1)],
        "x": [("d", 0.6), ("e", 0.4), ("f", 0.4)],
        "y": [("d", 0.5), ("e", 0.4), ("f", 0.4)],
    }
    found = searched(lists, parts=4)
    everyone = found.people.everyone()
    women, men = found.people.crossed()
    assert counts(found.fpir("own", 7, everyone)) == (2, 2)  # a tie with the threshold matches
    assert [counts(found.fpir("own", 7, group)) for group in (women, men)] == [(1, 1), (1, 1)]
    assert [counts(found.fnir("own", 7, rank, everyone)) for rank in (1, 2, 3)] == [(2, 7), (2, 7), (1, 7)]
    assert [counts(found.fnir(None, 7, rank, everyone)) for rank in (1, 2, 3)] == [(1, 7), (1, 7), (0, 7)]
    assert [counts(found.fnir("own", 7, 1, group)) for group in (women, men)] == [(1, 4), (1, 3)]


def test_distances_give_the_same_rates_as_similarities():
    lists = {who: right(who) for who in EVERYONE} | {"x": [("d", 0.6), ("e", 0.4)], "y": [("e", 0.2), ("d", 0.1)]}
    turned = {search: [(who, 2 - score) for who, score in listed] for search, listed in lists.items()}
    one, other = searched(lists), searched(turned, 1.5, direction="distance")
    for group in one.people.within():
        assert one.fpir("own", 7, group) == other.fpir("own", 7, group)
        assert one.fnir("own", 7, 1, group) == other.fnir("own", 7, 1, group)


def test_a_probe_without_a_template_is_a_miss_and_returns_nobody():
    lists = {who: right(who) for who in EVERYONE} | {"a": [], "x": [], "y": nobody()}
    found = searched(lists, failed=("a", "x"))
    everyone = found.people.everyone()
    assert counts(found.fnir("own", 7, 3, everyone)) == (1, 7)
    assert counts(found.fpir("own", 7, everyone)) == (0, 2)


def test_a_person_with_two_photographs_is_one_wrong_person():
    lists = {
        "x": [("d", 0.9), ("d", 0.8), ("e", 0.7), ("f", 0.1)],
        "y": nobody(),
        **{who: right(who) for who in EVERYONE},
    }
    found = searched(lists)
    assert counts(found.selectivity("own", 7, found.people.everyone())) == (2, 14)
    assert found.galleries[7].second.max() == 0.7  # e is the next person, not d's other photograph


def test_beyond_the_end_of_the_lists_nothing_is_said():
    lists = {who: right(who) for who in EVERYONE} | {"x": [("d", 0.9), ("e", 0.8), ("f", 0.7)], "y": nobody()}
    found = searched(lists)
    everyone = found.people.everyone()
    assert found.galleries[7].limit == 3
    assert counts(found.fnir("own", 7, 4, everyone)) == (0, 0)
    # x's list ends above the threshold: there may be more wrong people than were listed.
    assert counts(found.selectivity("own", 7, everyone)) == (0, 0)
    assert "cut at 3 candidates" in found.untestable("own", 7)
    assert counts(found.fpir("own", 7, everyone)) == (1, 2)


def test_lists_cut_by_score_say_nothing_of_looser_thresholds():
    lists = {who: [(who, 0.9)] for who in EVERYONE} | {"x": [("d", 0.6), ("e", 0.5)], "y": []}
    at = searched(lists, 0.5)
    assert counts(at.fpir("own", 7, at.people.everyone())) == (1, 2)
    looser = searched(lists, 0.4)
    assert counts(looser.fpir("own", 7, looser.people.everyone())) == (0, 0)
    assert "the last at 0.5" in looser.untestable("own", 7)


def brute_force(person, errors, decided, N):
    """The three terms of Cameron, Gelbach & Miller, each from its definition: a sum over every pair of people."""
    people = sorted(set(person.tolist()))
    n = {i: (person == i).sum() for i in people}
    M, x = len(person), errors.sum()
    who = sorted({w for _, w, _ in decided})
    q = sum(part for *_, part in decided) / (M * N)
    e = np.zeros((len(people), N))
    for i, p in enumerate(people):
        e[i] -= q * n[p]
        for j, w in enumerate(who):
            e[i, j] += sum(part for s, v, part in decided if person[s] == p and v == w)
    S = np.array([errors[person == p].sum() - x / M * n[p] for p in people])
    G, R = len(people), e.sum(axis=0)
    A, B, C = (S**2).sum() * G / (G - 1), (R**2).sum() * N / (N - 1), (e**2).sum()
    return max(A + B - C, A, B) / M**2


def test_the_two_way_variance_is_the_sum_over_all_pairs_of_people():
    rng = np.random.default_rng(5)
    for _ in range(40):
        person = rng.integers(0, 6, 25)
        errors, N = rng.random(25) < 0.5, int(rng.integers(4, 30))
        at = np.flatnonzero(errors & (rng.random(25) < 0.8))
        who = rng.integers(0, 3 if rng.random() < 0.5 else N, len(at))
        parts = rng.random(len(at)) if rng.random() < 0.5 else None
        counted = errors if parts is None else errors * rng.random(25)  # chances in place of errors
        rate = two_way(person, N, np.ones(25, bool), counted, (at, who), parts)
        decided = list(zip(at, who, np.ones(len(at)) if parts is None else parts, strict=True))
        assert rate.variance == pytest.approx(brute_force(person, counted, decided, N))
        assert rate.disjoint == rate.subjects


def test_one_person_who_is_returned_to_everybody_is_not_twenty_independent_errors():
    person, errors = np.arange(40), np.arange(40) < 20
    at = np.flatnonzero(errors)
    mine = np.ones(40, bool)
    wolf = two_way(person, 30, mine, errors, (at, np.zeros(20, np.int64)))
    many = two_way(person, 30, mine, errors, (at, np.arange(20)))
    assert wolf.variance > 5 * many.variance
    assert rate_interval(wolf, []).high - rate_interval(wolf, []).low > rate_interval(many, []).high * 0.9


def test_whoever_is_never_found_is_missed_at_a_threshold_that_could_not_be_found():
    found = searched({who: [] for who in "abcdefg"}, np.nan, failed="abcdefgxy")
    assert found.untestable("own", 7) == "no face was found, so no threshold could be found"
    assert counts(found.fnir("own", 7, 1, found.people.everyone())) == (7, 7)
    assert counts(found.fpir("own", 7, found.people.everyone())) == (0, 0)


def alerts(rng, people, size, per_person, rho, threshold):
    """Searches of strangers whose looks, and whose gallery's, are Gaussian: what FPIR is made from."""
    look, wolf = rng.normal(size=(people, 1, 1)), rng.normal(size=(1, 1, size))
    noise = rng.normal(size=(people, per_person, size))
    scores = np.sqrt(rho) * (look + wolf) + np.sqrt(1 - 2 * rho) * noise
    hits = (scores >= threshold).reshape(-1, size)
    alone = np.flatnonzero(hits.sum(axis=1) == 1)
    person = np.repeat(np.arange(people), per_person)
    rate = two_way(person, size, np.ones(len(person), bool), hits.any(axis=1), (alone, hits[alone].argmax(1)))
    return rate, hits.any(axis=1)


@pytest.mark.parametrize("wanted", [0.05, 0.3, 0.7])
def test_intervals_of_fpir_hold_the_rate_over_other_people_and_other_galleries(wanted):
    rng = np.random.default_rng(6)
    top = []
    for _ in range(2000):
        shared = rng.normal(size=(20, 1)) + rng.normal(size=(1, 40))
        top.append((np.sqrt(0.2) * shared + np.sqrt(0.6) * rng.normal(size=(20, 40))).max(axis=1))
    threshold = np.quantile(np.concatenate(top), 1 - wanted)
    made = [rate_interval(alerts(rng, 40, 40, 2, 0.2, threshold)[0], []) for _ in range(300)]
    assert np.mean([each.low <= wanted <= each.high for each in made]) >= 0.93


def test_zero_errors_count_each_person_searched_for_once(cell):
    lists = {f"{who}{shot}": nobody() for who in "tuvwxyz" for shot in (1, 2)}
    found = searched(lists, strangers=tuple("tuvwxyz"))
    data = replace(cell(np.arange(9) * 5.0, ["f"] * 9), searches=found)
    data = replace(data, people=found.people, counts=np.zeros_like(data.counts))
    (row,) = (f for f in search_figures(data) if f.metric == "FPIR" and f.probe_group.name == "all")
    assert (row.errors, row.comparisons, row.subjects, row.gallery_size, row.unit) == (0, 14, 7, 7, "search")
    assert row.high == pytest.approx(1 - 0.025 ** (1 / 7))
    assert "for this gallery" in row.method
    assert row.verdict == "measured"


def test_cmc_is_what_fnir_at_any_score_leaves_over(cell):
    found = searched({who: right(who) for who in EVERYONE} | {"a": [("b", 0.8), ("a", 0.1), ("c", 0.0)]})
    data = replace(cell(np.arange(9) * 5.0, ["f"] * 9), searches=found)
    data = replace(data, people=found.people, counts=np.zeros_like(data.counts))
    rows = {f.rank: f for f in search_figures(data) if f.metric == "CMC" and f.probe_group.name == "all"}
    assert {rank: row.value for rank, row in rows.items()} == pytest.approx({1: 6 / 7, 2: 1.0, 3: 1.0})
    assert rows[1].low < rows[1].value < rows[1].high <= 1
    missing = [f for f in search_figures(data) if f.metric == "FPIR"]
    assert {(f.value, f.low, f.high, f.method) for f in missing} == {(None, 0.0, 1.0, "no such searches")}


def test_the_model_stands_beside_the_measurement_only_where_fmr_is_known(cell):
    data = cell([0.0, 0.125, 0.25, 20, 30, 40, 50, 60, 70], ["f"] * 9)
    found = searched({"x": nobody(), **{who: right(who) for who in EVERYONE}})
    known = replace(data, searches=replace(found, people=data.people))
    fmr = known.clustered("FMR", "own", data.people.everyone(), data.people.everyone())[0].rate
    (model,) = (f for f in search_figures(known) if f.metric == "FPIR model")
    assert model.value == pytest.approx(1 - (1 - fmr) ** 7)
    assert "model" in model.method
    assert not any(f.metric == "FPIR model" for f in search_figures(replace(known, counts=data.counts * 0)))


def test_a_threshold_that_could_not_be_found_says_nothing():
    found = searched({"x": nobody(), "y": nobody(), "a": right("a")}, nan)
    assert counts(found.fpir("own", 7, found.people.everyone())) == (0, 0)
    assert found.untestable("own", 7) == "too few comparisons of strangers to find this threshold"


def test_selectivity_is_never_said_to_be_below_the_share_of_searches_that_return_somebody(cell):
    rng = np.random.default_rng(5)
    data = replace(cell(np.arange(9) * 5.0, ["f"] * 9), counts=np.zeros((1, 1, 2, 2), np.int64))
    raised = 0
    for _ in range(30):
        # Most strangers return nobody or one person; one returns half of the gallery.
        lists = {
            f"{who}{shot}": [(other, s) for other, s in zip(rng.permutation(EVERYONE), (0.9, 0.3, 0.2), strict=False)]
            if rng.random() < 0.5 else nobody()
            for who in "tuvwxyz" for shot in (1, 2)
        } | {"t1": [(who, 0.9 - 0.01 * i) for i, who in enumerate(EVERYONE[:4])]}  # fmt: skip
        found = searched(lists, strangers=tuple("tuvwxyz"))
        mine = replace(data, searches=found, people=found.people)
        rows = {f.metric: f for f in search_figures(mine) if f.probe_group.name == "all"}
        chosen, alert = rows["selectivity"], rows["FPIR"]
        assert alert.low <= chosen.low <= chosen.value <= chosen.high
        own = 7 * search_interval(found.selectivity("own", 7, found.people.everyone())).low
        assert chosen.low == max(own, alert.low)
        assert ("lower limit that of FPIR" in chosen.method) == (own < alert.low)
        raised += own < alert.low
    assert raised


def test_somebody_who_stands_above_with_two_photographs_decides_every_rank_that_they_take():
    lists = {who: right(who) for who in EVERYONE} | {"a": [("b", 0.9), ("b", 0.8), ("a", 0.7)], "x": nobody()}
    outranked = searched(lists).galleries[7].outranked
    # a stands third; without b first, so that b alone decides the miss within rank 1 (2 is no rank that is reported).
    assert outranked.select("rank").rows() == [(1,)]


def test_a_length_that_is_known_to_cut_lists_is_believed_even_where_it_exceeds_the_people():
    made = {"x": [(who, 0.9) for who in "aabbccddee"], "y": [(who, 0.9) for who in "aabbccddee"]}
    rows = {name: [(who, 0.9 - 0.01 * i) for i, (who, _) in enumerate(listed)] for name, listed in made.items()}
    everyone = searched(rows).people.everyone()
    assert searched(rows).selectivity("own", 7, everyone).comparisons > 0  # not known: ten of seven people
    cut = searched(rows, cut=10)
    assert cut.selectivity("own", 7, everyone).comparisons == 0
    assert "cut at 10 candidates" in cut.untestable("own", 7)
    assert searched(rows, cut=None).selectivity("own", 7, everyone).comparisons > 0
