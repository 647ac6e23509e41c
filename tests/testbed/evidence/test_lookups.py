"""Look-ups: lists worked by hand, growth against every group and every person left out, limits that hold the truth."""

import json
from itertools import combinations, product
from math import comb
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from scipy import special

from testbed.evidence.intervals import by_subject, wilson
from testbed.evidence.lookup_growth import CHOICES, choices_of, growth, numbers_of
from testbed.evidence.lookups import Level, alike_of, lookup_of, on_top, top_hits, top_scores
from testbed.evidence.scored import cells_of
from testbed.evidence.searches import Gallery, search_interval, searches_of
from testbed.evidence.stage import _cell_data, evaluate
from testbed.evidence.strangers import median_among, median_gallery, modelled
from testbed.matching.comparisons import Matcher, compare
from testbed.matching.people import people_of
from testbed.matching.percent import RULES
from testbed.matching.searching import Units, searched
from testbed.matching.units import captures_of, references_of, transits_as_probes
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import (
    ATTEMPTS,
    CANDIDATES,
    CAPTURES,
    CELLS,
    PHOTOGRAPHS,
    REFERENCES,
    SEARCHES,
    SUBJECTS,
    TRANSITS,
    conform,
)
from testbed.scenario.cells import Cell
from testbed.scenario.models import Condition, Scenario, System
from testbed.scenario.searching import Lookup

inf = np.inf
BELOW = Level("anybody", np.full(2, -inf))
HALF = Level("given=0.5", np.full(2, 0.5), 0.5)


# -- lists by hand ------------------------------------------------------------------------------------------------
def listed(lists, failed=()):
    """Look-ups among three of four people from {photograph: [(who passed, score), …]}; `a-`: a, taken out."""
    people = people_of(pl.DataFrame({"subject": list("abcd"), "sex": list("ffmm")}), ["sex"], 1)
    made = pl.DataFrame(
        [("c", 3, name, name[0], not name.endswith("-"), "failed" if name in failed else "searched") for name in lists],
        schema=SEARCHES.columns, orient="row",
    )  # fmt: skip
    rows = [
        ("c", 3, name, rank + 1, f"{who}/{rank}", who, score)
        for name, found in lists.items() for rank, (who, score) in enumerate(found)
    ]  # fmt: skip
    candidates = pl.DataFrame(rows, schema=CANDIDATES.columns, orient="row")
    found = searches_of(people, "similarity", {"given=0.5": np.full(2, 0.5)}, made, [candidates])
    return found, found.galleries[3]


FOUR = {
    "a": [("a", 0.9), ("b", 0.6)], "a-": [("b", 0.6), ("b", 0.5), ("c", 0.1)],  # found; away, and b is shown
    "b": [("c", 0.7), ("b", 0.6)], "b-": [("c", 0.7), ("a", 0.2)],  # there, and outranked by c
    "c": [("a", 0.4), ("c", 0.3)], "c-": [("a", 0.4), ("d", 0.3)],  # nobody reaches the threshold
    "d": [], "d-": [],  # no template
}  # fmt: skip


def test_who_is_on_top_of_four_peoples_lists():
    searches, gallery = listed(FOUR, failed=("d", "d-"))
    anybody, half = top_hits(searches, gallery, searches.people.everyone(), [BELOW, HALF])
    counted = {name: (anybody[name]["errors"], half[name]["errors"]) for name in ("absent", "stranger", "right")}
    assert counted == {"absent": (3, 2), "stranger": (2, 1), "right": (1, 1)}
    assert {row[name]["comparisons"] for row in (anybody, half) for name in counted} == {4}
    women, men = searches.people.crossed()
    by_group = [top_hits(searches, gallery, group, [HALF])[0]["absent"] for group in (women, men)]
    assert [(row["errors"], row["comparisons"], row["verdict"]) for row in by_group] == [
        (2, 2, "insufficient"), (0, 2, "insufficient"),
    ]  # fmt: skip


def test_a_stranger_shown_of_nobody_there_is_a_false_positive_identification():
    searches, gallery = listed(FOUR, failed=("d", "d-"))
    for group in searches.people.within():
        mine = np.isin(searches.people.groups[gallery.person], group.members) & ~gallery.mated
        assert on_top(gallery, mine, np.full(len(mine), 0.5)) == searches.fpir("given=0.5", 3, group)


def test_a_stranger_on_top_is_decided_by_whoever_alone_stands_above_the_person():
    lists = {"a": [("b", 0.8), ("a", 0.7), ("c", 0.6)], "b": [("a", 0.8), ("c", 0.75), ("b", 0.7)]}
    _, gallery = listed(lists)
    limit = np.full(2, 0.5)
    one, two = (on_top(gallery, np.arange(2) == k, limit) for k in range(2))
    assert (one.errors, two.errors) == (1, 1)
    # Without b, a would be on top; without a, c would stand above b. So only the first depends on who is enrolled.
    decided = [on_top(gallery, np.ones(2, bool), limit, right=right) for right in (False, True)]
    assert [rate.errors for rate in decided] == [2, 0]
    assert decided[0].variance == decided[1].variance > 0


def test_top_scores_are_the_order_statistics_of_the_best_strangers():
    rng = np.random.default_rng(3)
    scores = np.sort(rng.random(40))
    people = people_of(pl.DataFrame({"subject": [f"{i:02}" for i in range(41)]}), [], 1)
    made = pl.DataFrame(
        [("c", 40, f"{i:02}-", f"{i:02}", False, "searched") for i in range(40)], schema=SEARCHES.columns, orient="row"
    )
    found = [("c", 40, f"{i:02}-", 1, "x", f"{(i + 1) % 40:02}", score) for i, score in enumerate(scores)]
    candidates = pl.DataFrame(found, schema=CANDIDATES.columns, orient="row")
    searches = searches_of(people, "similarity", {}, made, [candidates])
    told = top_scores(searches, searches.galleries[40], RULES["(1+cos)/2"])
    assert [row["score"] for row in told["deciles"]] == [scores[4 * k - 1] for k in range(1, 10)]
    for row in told["curve"]:
        assert row["value"] == (scores >= row["score"]).mean()
        assert row["percent"] == pytest.approx(50 * (1 + row["score"]))
    middle = told["deciles"][4]
    assert middle["score_low"] < middle["score"] < middle["score_high"]
    below = [(scores < middle[f"score_{end}"]).sum() for end in ("low", "high")]
    # 40 independent searches: the textbook limits of a median are the 14th and 27th scores.
    assert 9 <= below[0] <= 14
    assert 26 <= below[1] <= 31


# -- growth -------------------------------------------------------------------------------------------------------
def world(rng, people, cameras, wolf=0.2, apart=2.2):
    """How alike everybody's passes are to everybody's photograph `(S, S, C)`; wolf: what a person's looks explain."""
    u = rng.normal(size=people) * np.sqrt(wolf / 2)
    looks = u[:, None] + u + np.sqrt(0.6 * (1 - wolf)) * rng.normal(size=(people, people))
    alike = looks[:, :, None] + np.sqrt(0.4 * (1 - wolf)) * rng.normal(size=(people, people, cameras))
    own = np.arange(people)
    alike[own, own] = apart + 0.7 * rng.normal(size=(people, 1)) + 0.7 * rng.normal(size=(people, cameras))
    return alike


def by_loops(alike, owners, passed, limits, number, size):
    """returned, right, wrong: over all choices of cameras, photographs and groups of `size` who passed."""
    C = alike.shape[2]
    found = {name: [] for name in ("returned", "right", "wrong")}
    for cameras in combinations(range(C), number):
        best = alike[:, :, list(cameras)].max(axis=2)
        there = np.flatnonzero(passed[:, list(cameras)].any(axis=1))
        for row, owner in zip(best, owners, strict=True):
            limit = limits[owner]
            others = [j for j in there if j != owner]
            groups = list(combinations(others, size))
            found["returned"].append(np.mean([max(row[list(g)]) >= limit for g in groups]))
            if owner in there:
                tops = [max(row[list(g)], default=-inf) for g in combinations(others, size - 1)]
                found["right"].append(np.mean([row[owner] >= limit and row[owner] > top for top in tops]))
                found["wrong"].append(np.mean([top >= limit and top >= row[owner] for top in tops]))
    return {name: np.mean(each) for name, each in found.items()}


@pytest.fixture
def odd_world():
    """Seven people, three cameras: two photographs of one, no template of one, a camera missed, one never found."""
    rng = np.random.default_rng(8)
    owners = np.array([0, 1, 2, 3, 4, 5, 6, 2])
    alike = world(rng, 7, 3)[owners]
    alike[7] += 0.4 * rng.normal(size=alike[7].shape)
    alike[3] = -inf
    passed = np.ones((7, 3), bool)
    passed[5, 0] = False
    passed[1, 1:] = False
    alike[:, ~passed] = -inf
    alike[:, 6] = -inf  # passed, and no camera found a face
    return owners, alike, passed, rng.normal(size=7) * 0.2 + 1.2


def test_growth_is_the_mean_over_all_groups_of_people_and_all_choices_of_cameras(odd_world):
    owners, alike, passed, limits = odd_world
    blocks = [(owners[:3], alike[:3]), (owners[3:], alike[3:])]
    found = growth(blocks, passed, np.array([limits, limits + 0.5]))
    assert [(g.cameras, g.choices) for g in found] == [(1, 3), (2, 3), (3, 1)]
    for g, k in product(found, (0, 1)):
        for n, size in enumerate(g.sizes):
            wanted = by_loops(alike, owners, passed, limits + 0.5 * k, g.cameras, int(size))
            measured = {name: g.shares[name][k][n].value for name in wanted}
            assert measured == pytest.approx(wanted, abs=1e-9), (g.cameras, size)


def test_the_interval_leaves_out_each_person_as_photographed_and_as_passing():
    rng = np.random.default_rng(4)
    S, size, limit = 14, 5, 1.2
    alike = world(rng, S, 1)
    (g,) = growth([(np.arange(S), alike)], np.ones((S, 1), bool), np.full((1, S), limit))
    n = list(g.sizes).index(size)
    for name in ("returned", "right"):
        left = []
        for out in range(S):
            kept = np.delete(np.arange(S), out)
            smaller = alike[np.ix_(kept, kept)]
            loops = by_loops(smaller, np.arange(S - 1), np.ones((S - 1, 1), bool), np.full(S - 1, limit), 1, size)
            left.append(loops[name])
        d = np.array(left) - np.mean(left)
        share = g.shares[name][0][n]
        freedom = by_subject(d, np.ones(S)).freedom
        assert freedom >= 4
        worth = min(share.value * (1 - share.value) / (d @ d * (S - 1) / S), S * (2.6 if name == "returned" else 1))
        low, high = wilson(share.value, worth, special.stdtrit(freedom, 0.975))
        # Of a stranger's appearance, a limit may be narrowed by what larger and smaller groups say.
        assert low <= share.low + 1e-9
        assert share.high <= high + 1e-9
        if name == "right":
            assert (share.low, share.high) == pytest.approx((low, high))


@pytest.mark.parametrize(("wolf", "limit"), [(0.1, 2.0), (0.4, 2.0), (0.1, 2.7)])
def test_the_limits_of_growth_hold_the_truth(wolf, limit):
    S, C, runs = 30, 2, 120
    rng = np.random.default_rng(11)
    held = {}
    for _ in range(runs):
        for g in growth([(np.arange(S), world(rng, S, C, wolf))], np.ones((S, C), bool), np.full((1, S), limit)):
            truth = true_shares(wolf, limit, g.cameras, tuple(g.sizes))
            for name, wanted in truth.items():
                each = [s.low <= w <= s.high for s, w in zip(g.shares[name][0], wanted, strict=True)]
                held.setdefault((g.cameras, name), []).append(each)
    for key, each in held.items():
        assert np.mean(each, axis=0).min() >= 0.9, key


_TRUTH = {}


def true_shares(wolf, limit, cameras, sizes, drawn=3000):
    """Of endless people: a photograph's chance of matching one passer-by, raised to the people there."""
    if (wolf, limit, cameras) not in _TRUTH:
        rng = np.random.default_rng(2)
        u, v = (rng.normal(size=drawn) * np.sqrt(wolf / 2) for _ in range(2))
        best = np.full((drawn, drawn), -inf)
        looks = u[:, None] + v + np.sqrt(0.6 * (1 - wolf)) * rng.normal(size=(drawn, drawn))
        for _ in range(cameras):
            best = np.maximum(best, looks + np.sqrt(0.4 * (1 - wolf)) * rng.normal(size=(drawn, drawn)))
        own = 2.2 + 0.7 * rng.normal(size=drawn) + (0.7 * rng.normal(size=(cameras, drawn))).max(axis=0)
        shares = [(best >= at).mean(axis=1) for at in (limit, own[:, None], np.maximum(own, limit)[:, None])]
        _TRUTH[wolf, limit, cameras] = (own, shares)
    own, (returned, above, outranking) = _TRUTH[wolf, limit, cameras]
    return {
        "returned": [np.mean(1 - (1 - returned) ** n) for n in sizes],
        "right": [np.mean((own >= limit) * (1 - above) ** (n - 1)) for n in sizes],
        "wrong": [np.mean(1 - (1 - outranking) ** (n - 1)) for n in sizes],
    }


def test_limits_of_a_top_hit_hold_where_people_resemble_others_in_both_roles():
    # Of 1,000 replicates 92.7 % did, searched among everybody; of growth, among all but one, more, with wider limits.
    S, limit, wolf, held, widths = 60, 2.0, 0.4, [], []
    rng, truths = np.random.default_rng(5), true_shares(wolf, limit, 1, (S - 1, S - 2))["returned"]
    for _ in range(100):
        alike = world(rng, S, 1, wolf)
        strangers = np.where(np.eye(S, dtype=bool), -inf, alike[:, :, 0])
        best, who = np.sort(strangers, axis=1), strangers.argmax(axis=1)
        nobody, none = np.full(S, -inf), pl.DataFrame()
        gallery = Gallery(S - 1, np.arange(S), np.zeros(S, bool), best[:, -1], best[:, -2], who, nobody,
                          np.zeros(S, int), nobody, None, 1, -inf, none, none)  # fmt: skip
        hit = search_interval(on_top(gallery, np.ones(S, bool), np.full(S, limit)))
        (g,) = growth([(np.arange(S), alike)], np.ones((S, 1), bool), np.full((1, S), limit))
        last = g.shares["returned"][0][-1]
        held.append([each.low <= truth <= each.high for each, truth in zip((hit, last), truths, strict=True)])
        widths.append((hit.high - hit.low, last.high - last.low))
    top_hit, grown = np.mean(held, axis=0)
    assert top_hit >= 0.85  # three standard errors below
    assert grown >= 0.95
    assert np.diff(np.mean(widths, axis=0)) > 0


def test_limits_allow_for_what_a_larger_group_can_only_add():
    g = growth([(np.arange(25), world(np.random.default_rng(4), 25, 1, 0.4))], np.ones((25, 1), bool),
               np.full((1, 25), 1.5))[0]  # fmt: skip
    told = g.shares["returned"][0]
    for name in ("value", "low", "high"):
        assert (np.diff([getattr(share, name) for share in told]) >= -1e-12).all()
    assert all(share.low <= share.value <= share.high for share in told)


def test_the_model_breaks_where_it_leaves_the_interval():
    # Half of the photographs match everybody, half nobody: no model of independent comparisons comes near.
    S = 24
    alike = np.where(np.arange(S)[:, None, None] < S // 2, 1.0, -1.0) * np.ones((S, S, 1))
    (g,) = growth([(np.arange(S), alike)], np.ones((S, 1), bool), np.zeros((1, S)))
    told = g.shares["returned"][0]
    assert {round(share.value, 9) for share in told} == {0.5}
    first = next(n for n, share in zip(g.sizes, told, strict=True) if modelled(0.5, n) > share.high)
    assert g.breaks_at(0) == first > 1


def test_cameras_are_chosen_in_every_way_where_these_are_few_and_else_drawn_by_seed():
    assert choices_of(4, 2) == list(combinations(range(4), 2))
    drawn = choices_of(12, 5)
    assert comb(12, 5) > CHOICES == len(set(drawn))
    assert drawn == choices_of(12, 5)
    assert all(len(set(each)) == 5 for each in drawn)
    assert numbers_of(1) == [1]
    assert numbers_of(12) == [1, 2, 5, 10, 12]


def test_too_few_people_grow_nowhere():
    assert growth([(np.arange(2), np.zeros((2, 2, 1)))], np.ones((2, 1), bool), np.zeros((1, 2))) == []


# -- a run --------------------------------------------------------------------------------------------------------
def make_run(path, people=18, cameras=("east", "west"), metric="cosine", noise=0.5, same=False, seed=2):
    """A run of one cell with look-ups: a pass of everybody at each camera but for one; `same`: of the photograph."""
    rng = np.random.default_rng(seed)
    subjects = pl.DataFrame({"subject": [f"s{i:02}" for i in range(people)], "sex": ["f", "m"] * (people // 2)})
    register = people_of(subjects, ["sex"], 1)
    faces = rng.normal(size=(people, 6))
    faces /= np.linalg.norm(faces, axis=1)[:, None]
    photographs = faces.astype(np.float32)
    passes = [(name, c, i) for c, name in enumerate(cameras) for i in range(people) if (i, c) != (3, 1)]
    templates = np.array([faces[i] + (not same) * noise * rng.normal(size=6) for _, _, i in passes], np.float32)
    cosine = {"threshold": 0.6, "score_range": (-1.0, 1.0), "direction": "similarity", "percent_rule": "(1+cos)/2",
              "metric": "cosine"}  # fmt: skip
    distance = {"threshold": 0.9, "score_range": (0.0, 3.0), "direction": "distance", "percent_rule": "1-d",
                "metric": "euclidean"}  # fmt: skip
    system = (cosine if metric == "cosine" else distance) | {"dimensions": 6}
    scenario = {"groups": ["sex"], "seed": 1, "probes": {"kind": "video"}, "search": {"kind": "lookup"}}
    run = RunDirectory.create(path, {"scenario": scenario, "systems": {"s": system}})
    transits = [(f"{name}/s{i:02}", name, f"s{i:02}") for name, _, i in passes]
    run.write(SUBJECTS, subjects)
    run.write(CELLS, pl.DataFrame({"cell": ["c"], "system": ["s"], "condition": ["clean"]}))
    run.write(TRANSITS, pl.DataFrame(
        [(*transit, 0.0, 1.0) for transit in transits], schema=TRANSITS.columns, orient="row",
    ))  # fmt: skip
    attempts = pl.DataFrame([("c", camera, transit, who, 1, "acquired", "") for transit, camera, who in transits],
                            schema=ATTEMPTS.columns, orient="row")  # fmt: skip
    run.write(ATTEMPTS, attempts)
    references = pl.DataFrame([("s", f"s{i:02}/photo", f"s{i:02}", "f", "d", "enrolled", "", i) for i in range(people)],
                              schema=REFERENCES.columns, orient="row")  # fmt: skip
    run.write(REFERENCES, references)
    run.write_array("references/s", photographs)
    blank = dict.fromkeys(CAPTURES.columns)
    for camera in cameras:
        mine = [k for k, (name, _, _) in enumerate(passes) if name == camera]
        rows = [
            {**blank, "cell": "c", "camera": camera, "frame": n, "face": 0, "transit": transits[k][0],
             "subject": transits[k][2], "state": "ok", "row": n} for n, k in enumerate(mine)
        ]  # fmt: skip
        run.write(CAPTURES, pl.DataFrame(rows, schema=CAPTURES.columns, orient="row"), f"c/{camera}/000")
        run.write_array(f"captures/c/{camera}/000", templates[mine])
    captured, arrays = captures_of(run, "c", 6)
    probes, enrolled = transits_as_probes(captured, arrays, register), references_of(run, "s", register)
    points = ["own", "fmr=1e-1"]
    for table, frame in compare("c", Matcher.of(system, points), probes, enrolled, register, points)[0]:
        run.write(table, frame)
    found = searched("c", Lookup(kind="lookup"), Units.photographs(references, enrolled, register),
                     Units.passes(attempts, probes, register), register, 1,
                     system["metric"], system["direction"])  # fmt: skip
    run.write(SEARCHES, conform(SEARCHES, found.searches))
    run.write(CANDIDATES, pl.concat([conform(CANDIDATES, part) for part in found.candidates]), "c/lookup/000")
    run.begin("match")
    run.finish("match")
    return run


def looked(run):
    """The cell's evidence, its scores `(S, S, C)`, and the cell."""
    (cell,) = cells_of(run)
    tables = {name: run.read(table) for name, table in
              (("attempts", ATTEMPTS), ("references", REFERENCES))}  # fmt: skip
    data = _cell_data(cell, tables, tables["references"], run)
    blocks = list(alike_of(cell, run, ["east", "west"]))
    return lookup_of(data, cell, run), np.concatenate([alike for _, alike in blocks]), cell


@pytest.fixture(scope="module", params=["cosine", "euclidean"])
def run(request, tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("lookup") / "run", metric=request.param)


def test_how_alike_passes_are_is_told_by_person_and_camera(run):
    _, alike, cell = looked(run)
    photographs = run.read_array("references/s").astype(np.float64)
    assert np.isinf(alike[:, 3, 1]).all()
    assert np.isfinite(np.delete(alike, 3, axis=1)).all()
    west = run.read_array("captures/c/west/000").astype(np.float64)
    pass_of = dict(run.read(CAPTURES, "c/west/000").select("subject", "row").rows())
    for i, j in ((0, 1), (4, 4), (17, 9)):
        a, b = photographs[i], west[pass_of[f"s{j:02}"]]
        wanted = a @ b / np.linalg.norm(a) / np.linalg.norm(b) if cell.direction == "similarity" else -np.linalg.norm(
            a - b
        )  # fmt: skip
        assert alike[i, j, 1] == pytest.approx(wanted, abs=1e-6)


def test_what_is_on_top_agrees_with_all_scores(run):
    look, alike, cell = looked(run)
    best = alike.max(axis=2)
    S = len(best)
    own = best[np.arange(S), np.arange(S)]
    strangers = np.where(np.eye(S, dtype=bool), -inf, best)
    sign = 1 if cell.direction == "similarity" else -1
    # Nobody there: searched among all others. There: somebody else makes room for them.
    assert look["people"] == S - 1
    for row in (
        row for row in look["top_hits"] if row["group"] == "all" and row["shown"] in ("own", "67 %", "anybody")
    ):
        limit = -inf if row["threshold"] is None else sign * row["threshold"]
        assert row["absent"]["errors"] == (strangers.max(axis=1) >= limit).sum()
        assert row["right"]["errors"] + row["stranger"]["errors"] <= S
        least = ((own >= limit) & (own > strangers.max(axis=1))).sum()
        assert row["right"]["errors"] >= least
    told = [row["shown"] for row in look["top_hits"] if row["group"] == "all"]
    assert told[:4] == ["anybody", "fmr=1e-1", "own", "50 %"]


def test_the_example_is_the_middle_list_and_names_nobody_who_exists(run):
    look, alike, cell = looked(run)
    sign = 1 if cell.direction == "similarity" else -1
    example = look["example"]
    strangers = np.where(np.eye(len(alike), dtype=bool), -inf, alike.max(axis=2)).max(axis=1)
    middle = np.sort(strangers)[(len(strangers) - 1) // 2]
    assert sign * example["rows"][0]["score"] == pytest.approx(middle)
    scores = [sign * row["score"] for row in example["rows"]]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) == 10
    assert example["photograph"] is None
    assert {type(row["who"]) for row in example["rows"]} == {int}
    assert example["rows"][0]["who"] == 1
    rule = RULES[cell.percent_rule]
    assert [row["percent"] for row in example["rows"]] == [rule.percent(row["score"]) for row in example["rows"]]
    run.note(synthetic=True)
    named = looked(run)[0]["example"]
    run.note(synthetic=False)
    assert named["photograph"].startswith("s")
    assert named["photograph"] not in {row["who"] for row in named["rows"]}


def test_beyond_what_was_measured_there_is_only_the_model(run):
    look, _, _ = looked(run)
    assert look["people_per_camera"] == 9
    told = next(row for row in look["model"] if row["shown"] == "own")
    assert {row["how"] for row in told["rows"] if row["size"] > told["measured_up_to"]} == {"extrapolated"}
    last = told["rows"][-1]
    assert (last["cameras"], last["size"]) == (175_000, 9 * 175_000)
    for row in told["rows"]:
        assert row["value"] == pytest.approx(modelled(told["fmr"], row["size"]))
        assert (row["low"] is None) == (row["high"] is None) == (row["how"] == "extrapolated")
    measured = [row["size"] for row in look["growth"]]
    assert max(measured) == told["measured_up_to"] == 16


def test_with_the_roles_reversed_the_median_stranger_is_the_one_of_strangers(tmp_path):
    # Passes that are the photographs themselves: whoever searches whom, the scores are the same.
    run = make_run(tmp_path / "run", cameras=("east",), people=30, same=True)
    (cell,) = cells_of(run)
    population = cell.population(cell.people.everyone())
    for k in cell.thresholds():
        limits = np.full((1, 30), cell.tallied.thresholds[k, 0])
        (g,) = growth(alike_of(cell, run, ["east"]), np.ones((30, 1), bool), limits)
        fmr = population.fmr(int(k)).rate
        assert g.shares["returned"][0][0].value == pytest.approx(fmr)
        assert median_among(g.matches[0], g.candidates, 29, fmr) == median_gallery(population, int(k))


def test_a_photograph_without_a_template_shows_nobody_and_counts(run):
    before, _, _ = looked(run)
    table = run.read(REFERENCES)
    run.write(REFERENCES, pl.concat([table, table.head(1).with_columns(
        reference=pl.lit("s00/blurred"), state=pl.lit("failed"), row=pl.lit(None, pl.Int64)
    )]))  # fmt: skip
    (cell,) = cells_of(run)
    blocks = list(alike_of(cell, run, ["east", "west"]))
    run.write(REFERENCES, table)
    assert sum(len(owners) for owners, _ in blocks) == 19
    assert np.isinf(blocks[-1][1]).all()
    assert blocks[-1][0] == [0]
    assert before["top_scores"]["searches"] == 18


def test_photographs_as_probes_have_no_cameras_to_add(tmp_path):
    run = make_run(tmp_path / "run")
    manifest = run.manifest()
    manifest["scenario"]["probes"]["kind"] = "stills"
    run.save_manifest(manifest)
    look, _, _ = looked(run)
    assert look["stills"]
    assert look["people_per_camera"] is None
    assert {row["rows"][-1]["size"] for row in look["model"]} == {1_000_000}


def test_only_the_photographs_that_belong_to_a_cell_are_enrolled_in_it(tmp_path):
    run = make_run(tmp_path / "run")
    other = pl.DataFrame([("s", f"s{i:02}/other", f"s{i:02}", "f", "d", "failed", "no face found", None)
                          for i in range(18)], schema=REFERENCES.columns, orient="row")  # fmt: skip
    run.write(REFERENCES, pl.concat([run.read(REFERENCES), other]))
    run.write(PHOTOGRAPHS, pl.DataFrame(schema=PHOTOGRAPHS.columns))
    scenario = Scenario(
        title="t", groups=["sex"], seed=1, systems=[System(pipeline="s")], subjects={"table": "p.csv"},
        probes={"kind": "stills", "images": "{subject}_1.png"}, references={"images": "{subject}_2.png"},
    )  # fmt: skip
    fte = {}
    for called in ("photo", "other", ""):
        cell = Cell("c", System(pipeline="s"), Condition(clean=True), "clean", "clean", "arm", called)
        evaluate(run, SimpleNamespace(scenario=scenario, cells=(cell,)))
        figures = json.loads((run.path / "evidence.json").read_text())["figures"]
        (row,) = (f for f in figures if f["metric"] == "FTE" and f["probe_group"] == "all")
        fte[called] = row["errors"], row["comparisons"]
    assert fte == {"photo": (0, 18), "other": (18, 18), "": (18, 36)}
