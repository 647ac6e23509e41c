"""What a best score is worth, by hand; how often a stranger scores as high, by brute force and on people never seen."""

from dataclasses import replace
from math import inf

import numpy as np
import polars as pl
import pytest

from kernels.crosscount import Faces, scores_of
from pipelines.errors import InputError
from testbed.evidence.decoder import search_posterior
from testbed.evidence.membership import ASKED, PRIORS, figures, group_named, membership, tallied_at
from testbed.evidence.scored import cells_of
from testbed.matching.comparisons import Matcher, compare
from testbed.matching.people import people_of
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import ATTEMPTS, CAPTURES, CELLS, REFERENCES, SUBJECTS
from testbed.scenario.cells import Cell
from testbed.scenario.models import Condition, System

SYSTEM = {
    "threshold": 0.6, "score_range": (0.0, 1.5), "direction": "distance", "percent_rule": None, "metric": "euclidean",
    "dimensions": 8, "name": "s", "versions": {}, "models": {}, "options": {}, "training_data": "",
}  # fmt: skip
CELL = Cell("c", System(pipeline="p", name="s"), Condition(clean=True), "clean", "clean")


def faces_of(rng, people, spread=0.25):
    """Probes and references of so many people, one each, some looking more like others than the rest do."""
    looks = rng.normal(size=(people, 8)) * spread * rng.uniform(0.6, 1.0, size=(people, 1))
    sides = ((looks + rng.normal(size=looks.shape) * 0.05).astype(np.float32) for _ in range(2))
    return (Faces(side, np.arange(people + 1), np.arange(people)) for side in sides)


def make_run(path, probes, references, groups):
    """A run of one cell with these templates on disk, as replay and match leave them."""
    S = len(probes)
    ids = [f"p{i:03}" for i in range(S)]
    subjects = pl.DataFrame({"subject": ids, "group": groups})
    run = RunDirectory.create(path, {"scenario": {"groups": ["group"], "seed": 1}, "systems": {"s": SYSTEM}})
    tables, _ = compare(
        "c", Matcher.of(SYSTEM, ["own"]), probes, references, people_of(subjects, ["group"], 1), ["own"]
    )
    run.write(SUBJECTS, subjects)
    run.write(CELLS, pl.DataFrame({"cell": ["c"], "system": ["s"], "condition": ["clean"]}))
    run.write(ATTEMPTS, pl.DataFrame({
        "cell": "c", "camera": "k", "transit": ids, "subject": ids, "captures": 1, "state": "acquired", "reason": "",
    }))  # fmt: skip
    run.write(REFERENCES, pl.DataFrame({
        "system": "s", "reference": ids, "subject": ids, "file": ids, "digest": ids, "state": "enrolled", "reason": "",
        "row": np.arange(S),
    }))  # fmt: skip
    shown = pl.DataFrame({
        "cell": "c", "camera": "k", "frame": np.arange(S), "face": 0, "seconds": 0.0, "x1": 0.0, "y1": 0.0, "x2": 9.0,
        "y2": 9.0, "score": 1.0, "transit": ids, "subject": ids, "iou": 1.0, "state": "ok", "reason": "",
        "row": np.arange(S),
    })  # fmt: skip
    run.write(CAPTURES, shown, "c/k/000")
    run.write_array("captures/c/k/000", probes.templates)
    run.write_array("references/s", references.templates)
    for table, frame in tables:
        run.write(table, frame)
    run.note(stages={"match": "done"})
    return run


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A run of 40 people, 30 in group a, and the distances of everybody to everybody."""
    probes, references = faces_of(np.random.default_rng(3), 40)
    run = make_run(tmp_path_factory.mktemp("run") / "r", probes, references, ["a"] * 30 + ["b"] * 10)
    ((_, scores),) = scores_of(probes, references, "euclidean")
    (scored,) = cells_of(run)
    return run, scored, scores


def asked(world, score):
    run, scored, _ = world
    return tallied_at(run, CELL, scored, score)


def everybody(cell):
    return cell.population(cell.people.everyone())


def test_strangers_are_counted_at_the_very_score_and_nothing_else_changes(world):
    _, scored, scores = world
    between = 0.43217  # no edge, no threshold
    cell = asked(world, between)
    rate = everybody(cell).fmr(cell.tallied.index(ASKED))
    strangers = ~np.eye(40, dtype=bool)
    assert (rate.errors, rate.comparisons) == (int((scores[strangers] <= between).sum()), 40 * 39)
    own = scored.tallied.index("own")
    before, after = (everybody(each).fmr(own) for each in (scored, cell))
    assert (before.errors, before.variance, before.freedom) == (after.errors, after.variance, after.freedom)


@pytest.mark.parametrize("size", [1, 5, 20, 39])
def test_a_strangers_hit_is_counted_over_all_collections_of_that_size(world, size):
    _, _, scores = world
    rng = np.random.default_rng(size)
    score = float(np.quantile(scores[~np.eye(40, dtype=bool)], 0.05))
    others = [np.delete(scores[i], i) for i in range(40)]
    drawn = [(rng.permutation(row)[:size] <= score).any() for row in others for _ in range(300)]
    hits = membership(everybody(asked(world, score)), score, size, size).hits
    assert hits.how == "measured"
    assert hits.value == pytest.approx(np.mean(drawn), abs=4 * np.sqrt(0.25 / len(drawn)))
    assert hits.low <= hits.value <= hits.high


def test_beyond_the_calibrations_people_only_the_model_is_left_and_never_below_what_was_measured(world):
    _, _, scores = world
    score = float(np.quantile(scores[~np.eye(40, dtype=bool)], 0.01))
    population = everybody(asked(world, score))
    most = membership(population, score, 39, 39).hits
    found = membership(population, score, 500, 500)
    fmr = float((scores[~np.eye(40, dtype=bool)] <= score).mean())
    assert (found.hits.how, found.measured_up_to) == ("extrapolated", 39)
    assert found.hits.value == pytest.approx(max(1 - (1 - fmr) ** 500, most.value))
    assert found.hits.low >= most.low


def _asked_at_one(cell):
    """As if the score asked about were 1, the first threshold."""
    return replace(cell, tallied=replace(cell.tallied, points=(ASKED, *cell.tallied.points[1:])))


def test_the_posterior_is_that_of_the_formula_by_hand(scored):
    cell = _asked_at_one(scored(60, 0.3, 5))
    assert cell.tallied.threshold(0) == 1.0
    found = membership(everybody(cell), 1.0, 70, 50)
    low, high = found.ratio.limits()
    assert tuple(prior for prior, *_ in found.posterior) == PRIORS
    for prior, value, least, most in found.posterior:
        for ratio, told, among in ((found.ratio.value, value, 70), (low, least, 70), (high, most, 50)):
            # One of 50 people, shown on 70 faces, is the person with probability π; who is not compared weighs one.
            by_hand = 1.0 if ratio == inf else prior * ratio / (prior * (ratio + among - 1) + (1 - prior) * among)
            assert told == pytest.approx(by_hand, rel=1e-12)
    # Certain beforehand, and a score that says nothing: one in fifty.
    assert pytest.approx(1 / 50) == 1.0 * 1 / (1.0 * (1 + 49))
    assert [value for _, value, _, _ in found.posterior] == sorted((v for _, v, _, _ in found.posterior), reverse=True)


def test_of_people_shown_several_times_the_best_face_is_not_taken_for_a_single_one(scored):
    """20 people, five faces each, of which the best is asked about: how often it is the person's, played out."""
    rng, T = np.random.default_rng(8), 40_000
    scores, there = rng.normal(size=(T, 20, 5)), rng.random(T) < 0.5
    own = 3 + np.sqrt(0.5) * (rng.normal(size=(T, 1)) + rng.normal(size=(T, 5)))
    scores[there, 0] = own[there]
    at = np.abs(scores.max(axis=(1, 2)) - 3) < 0.1  # the ratio at 3 is exp(4.5)
    theirs = (there & (scores.reshape(T, -1).argmax(axis=1) < 5))[at].mean()
    population = everybody(_asked_at_one(scored(60, 0.3, 5)))
    even = PRIORS.index(0.5)
    by_faces, by_people = (float(search_posterior(np.exp(4.5), n, 0.5)[0]) for n in (100, 20))
    assert by_people - theirs > 0.2 > abs(by_faces - theirs)
    stated, unstated = (membership(population, 1.0, 100, people).posterior[even] for people in (20, 100))
    assert stated[:3] == unstated[:3]
    assert stated[3] >= unstated[3]


def test_false_hits_stated_from_some_people_are_those_counted_on_others(tmp_path):
    rng = np.random.default_rng(11)
    run = make_run(tmp_path / "r", *faces_of(rng, 60), ["a"] * 60)
    (scored,) = cells_of(run)
    # 2,000 collections of 30 people nobody has seen, each asked about one stranger.
    best = []
    for _ in range(2000):
        probes, references = faces_of(rng, 31)
        ((_, scores),) = scores_of(
            Faces(probes.templates[:1], np.arange(2), np.zeros(1, np.int64)), references, "euclidean"
        )
        best.append(scores[0, 1:].min())
    held = []
    for share in (0.02, 0.1, 0.3, 0.6):
        score = float(np.quantile(best, share))
        hits = membership(everybody(tallied_at(run, CELL, scored, score)), score, 30, 30).hits
        assert hits.value == pytest.approx(share, abs=0.12)
        held.append(hits.low <= share <= hits.high)
    assert all(held)


def test_a_group_without_enough_people_says_so_and_none_is_left_out(world):
    run, _, _ = world
    cell = asked(world, 0.3)
    rows = {row["group"]: row for row in figures(cell, 0.3, 39, 39, group_named(run, None))}
    assert set(rows) == {"all", "a", "b"}
    assert rows["all"]["people"] == 40
    assert rows["b"]["false_hits"]["measured_up_to"] == 9
    assert rows["b"]["false_hits"]["how"] == "extrapolated"
    least, most = rows["a"]["likelihood_ratio"]["log10_can_show"]
    assert (least, most > 0) == (pytest.approx(-np.log10(31)), True)


def test_a_group_that_is_not_there_is_told_with_those_that_are(world):
    run, _, _ = world
    assert group_named(run, "b").name == "b"
    with pytest.raises(InputError, match=r"--group c: the calibration has no such group; choose among a, all, b"):
        group_named(run, "c")
