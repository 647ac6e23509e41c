"""Made-up faces beside photographs: who is counted at which size, and what the gap is, by hand and by brute force."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import stats

from kernels.crosscount import Faces
from pipelines.errors import InputError
from testbed.evidence import domain_gap as d
from testbed.evidence.made_up import marked
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import CAPTURES, EYES, FACES, FRAMES, REFERENCES, SUBJECTS, TRANSITS, conform
from testbed.scenario.loading import reload

DOCS = Path(__file__).parents[3] / "docs/domain-gap.md"
INFO = {
    "name": "line", "models": {"m": "ab" * 32}, "options": {"size": 3, "weights": "/x/m.dat"}, "versions": {"v": "1"},
    "metric": "euclidean", "direction": "distance", "threshold": 0.25, "score_range": [0.0, 100.0],
    "dimensions": 1, "percent_rule": None,
}  # fmt: skip
SCENARIO = {
    "source": "/x/s.yaml", "title": "t", "attribution": ["Made-up photographs, CC BY 4.0"],
    "subjects": {"table": "/x/s.csv"}, "references": {"images": "/x/{subject}.jpg"},
    "probes": {"kind": "stills", "images": "/x/{subject}.jpg"}, "systems": [{"pipeline": "line"}],
}  # fmt: skip
PLACES = [0.0, 0.125, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0]
"""Of eight people, of whom the first two look alike."""


def make_run(path, faces, captures, **manifest):
    """faces: rows of person, frame and what FACES says; captures: person, frame, template."""
    loaded = reload({**SCENARIO, **manifest.pop("scenario", {})})
    run = RunDirectory.create(path, {
        "scenario": loaded.resolved, "systems": {"line": INFO}, "synthetic": True,
        "stages": {"replay": "done", "match": "done"}, **manifest,
    })  # fmt: skip
    cell, names = loaded.cells[0].id, [f"p{i}" for i in range(len(PLACES))]
    run.write(SUBJECTS, pl.DataFrame({"subject": names}))
    run.write(TRANSITS, pl.DataFrame({"transit": names, "camera": "c", "subject": names, "first": 0.0, "last": 1.0}))
    run.write(REFERENCES, pl.DataFrame([
        {"system": "line", "reference": f"{n}/r", "subject": n, "file": "f", "digest": "", "state": "enrolled",
         "reason": "", "row": i} for i, n in enumerate(names)
    ]))  # fmt: skip
    run.write_array("references/line", np.asarray(PLACES, np.float32)[:, None])
    box = {"x1": 0, "y1": 0, "x2": 9, "y2": 9}
    usual = {"inter_eye_px": 30.0, "yaw": 0.0, "pitch": 0.0, "roll": 0.0, "distance_m": 2.0, "visible": 1.0,
             **dict.fromkeys(EYES, 0.0), "luminance": 0.2, "put": True}  # fmt: skip
    told = [{"camera": "c", "frame": f, "transit": names[i], "subject": names[i], **box, **usual, **more}
            for i, f, more in faces]  # fmt: skip
    if manifest.get("synthetic", True):
        run.write(FACES, conform(FACES, pl.DataFrame(told, infer_schema_length=None)))
    shown = {row["frame"]: row["transit"] for row in told}
    run.write(FRAMES, pl.DataFrame([
        {"cell": cell, "camera": "c", "frame": f, "take": 0, "seconds": 0.0, "width": 64, "height": 64, "transit": t,
         "state": "undecodable" if f == 99 else "ok", "reason": "", "faces": 1} for f, t in shown.items()
    ]), f"{cell}/c/000000")  # fmt: skip
    run.write(CAPTURES, conform(CAPTURES, pl.DataFrame([
        {"cell": cell, "camera": "c", "frame": f, "face": k, "seconds": 0.0, **box, "score": 1.0, "transit": names[i],
         "subject": names[i], "iou": 0.8, "state": "ok", "reason": "", "row": k} for k, (i, f, _) in enumerate(captures)
    ])), f"{cell}/c/000000")  # fmt: skip
    run.write_array(f"captures/{cell}/c/000000", np.array([[t] for *_, t in captures], np.float32))
    return run, loaded


@pytest.fixture
def everyone(tmp_path):
    """Each of eight people in one frame at 30 px, half a step from where they were enrolled; the last is not found."""
    faces = [(i, i, {}) for i in range(8)]
    return make_run(tmp_path / "run", faces, [(i, i, PLACES[i] + 0.0625) for i in range(7)])


def known(info=INFO, **row):
    """Stored figures of photographs for one size."""
    spread = {"mean": 25.0, "se": 0.0, "sd": 10.0, "people": 50}
    sizes = [{"inter_eye_px": 30.0, "people": 50, "strangers": spread, "same_person": spread, **row}]
    return {"data": "d", "made": "m", "sizes": [15.0, 30.0], "systems": [{**d.identity(info), "sizes": sizes}]}


def test_a_face_belongs_to_the_nearest_size_within_three_tenths_of_an_octave():
    edge = 2**0.3
    found = d.nearest(np.array([15.0, 15 * edge, 30 / edge, 30 * edge * 1.01, 15 / edge / 1.01, 900.0]), [15.0, 30.0])
    np.testing.assert_array_equal(found, [15, 15, 30, np.nan, np.nan, np.nan])
    assert not np.isnan(d.nearest(np.arange(13.0, 110.0, 0.1), [15, 20, 30, 45, 60, 90])).any()  # no gap between sizes
    assert d.nearest(np.array([17.2, 17.5]), [15.0, 20.0]).tolist() == [15.0, 20.0]  # the nearer of two, in octaves


def test_what_is_found_and_matched_is_counted_by_hand(everyone):
    (row,) = d.domain_gap_of(*everyone, known())["rows"]
    ours = row["made_up"]
    assert (ours["found"]["found"], ours["found"]["shown"], ours["people"]) == (7, 8, 8)
    assert ours["found"]["value"] == 0.875
    missed = stats.binomtest(1, 8).proportion_ci()  # one trial a person: Clopper–Pearson
    assert ours["found"]["low"] == pytest.approx(1 - missed.high, rel=1e-5)
    assert ours["found"]["high"] == pytest.approx(1 - missed.low, rel=1e-5)
    # Each of seven is .0625 from their own photograph; p0 stands .0625 from p1's, and p1 .1875 from p0's.
    assert (ours["fnmr"]["errors"], ours["fnmr"]["comparisons"]) == (0, 7)
    assert (ours["fmr"]["errors"], ours["fmr"]["comparisons"]) == (2, 49)
    assert sum(ours["scores"]["strangers"]) == 49
    assert sum(ours["scores"]["same_person"]) == 7


@pytest.mark.parametrize("answers", ["comparisons", "searches"])
def test_a_black_box_is_set_beside_no_photographs(everyone, answers):
    run, loaded = everyone
    run.note(systems={"line": {**INFO, "metric": "its own", "answers": answers}})
    told = d.domain_gap_of(run, loaded, known())
    assert (told["rows"], told["left_out"], told["stored_for"]) == ([], [], [])


def test_whoever_turns_away_hides_or_is_not_shown_is_left_out_and_counted(tmp_path):
    away = [{"yaw": 21.0}, {"yaw": -21.0}, {"pitch": 21.0}, {"visible": 0.89}, {"inter_eye_px": 45.0}]
    unseen = [(6, 50, {"put": False}), (7, 99, {})]  # not put before the system; a frame that could not be decoded
    faces = [(i, i, more) for i, more in enumerate([*away, {"yaw": -20.0, "pitch": 20.0, "visible": 0.9}])]
    told = d.domain_gap_of(*make_run(tmp_path / "run", [*faces, *unseen], [(5, 5, 40.0)]), known())
    (out,) = told["left_out"]
    assert (out["faces"], out["turned_or_hidden"], out["of_other_sizes"]) == (6, 4, 1)
    (row,) = told["rows"]
    assert (row["made_up"]["faces"], row["made_up"]["found"]["found"]) == (1, 1)


def test_only_captures_of_that_size_and_person_stand_for_a_transit(tmp_path):
    faces = [(i, i, {}) for i in range(8)] + [(i, 10 + i, {"inter_eye_px": 15.0}) for i in range(8)]
    far, near = [(i, i, PLACES[i] + 1.0) for i in range(8)], [(i, 10 + i, PLACES[i]) for i in range(8)]
    rows = d.domain_gap_of(*make_run(tmp_path / "run", faces, far + near), known())["rows"]
    assert [(row["inter_eye_px"], row["made_up"]["fnmr"]["errors"]) for row in rows] == [(15.0, 0), (30.0, 8)]


def test_two_captures_of_one_face_are_one_face_found_and_the_best_one_counts(tmp_path):
    faces = [(i, i, {}) for i in range(8)]
    captures = [(i, i, PLACES[i] + off) for i in range(8) for off in (5.0, 0.0)]
    (row,) = d.domain_gap_of(*make_run(tmp_path / "run", faces, captures), known())["rows"]
    assert (row["made_up"]["found"]["found"], row["made_up"]["found"]["shown"]) == (8, 8)
    assert (row["made_up"]["transits"], row["made_up"]["fnmr"]["errors"]) == (8, 0)


def test_few_people_before_the_camera_are_few_however_many_are_enrolled(tmp_path):
    faces = [(i, 10 * i + k, {}) for i in range(3) for k in range(9)]
    captures = [(i, f, PLACES[i]) for i, f, _ in faces]
    (row,) = d.domain_gap_of(*make_run(tmp_path / "run", faces, captures), known())["rows"]
    assert {row["made_up"][name]["verdict"] for name in ("found", "fmr", "fnmr", "eer")} == {"insufficient"}


def test_a_system_with_another_model_option_or_threshold_is_another(everyone):
    told = d.domain_gap_of(*everyone, known())
    assert told["stored_for"] == ["line"]
    assert told["rows"][0]["gap"] is not None
    moved = {**INFO, "options": {"size": 3, "weights": "/elsewhere/m.dat"}, "models": {"other name": "ab" * 32}}
    assert d.domain_gap_of(*everyone, known(moved))["stored_for"] == ["line"]
    for change in ({"threshold": 0.3}, {"options": {"size": 4}}, {"models": {"m": "cd" * 32}}, {"name": "other"}):
        told = d.domain_gap_of(*everyone, known({**INFO, **change}))
        assert told["stored_for"] == []
        assert told["rows"][0]["photographs"] is None
        assert told["rows"][0]["gap"] is None


def test_strangers_who_are_nearer_are_more_alike_by_distance_and_less_by_similarity():
    ours, theirs = ({"strangers": {"mean": mean, "se": se, "sd": 2.0, "people": 10}, "same_person": None}
                    for mean, se in ((3.0, 0.3), (5.0, 0.4)))  # fmt: skip
    half = stats.t.ppf(0.975, 9) * 0.5 / 2
    distance, similarity = (d.gap(ours, theirs, way)["strangers"] for way in ("distance", "similarity"))
    assert [distance[name] for name in ("value", "low", "high")] == pytest.approx([1, 1 - half, 1 + half], rel=1e-5)
    assert [similarity[name] for name in ("value", "low", "high")] == pytest.approx(
        [-1, -1 - half, -1 + half], rel=1e-5
    )
    assert d.gap(ours, theirs, "distance")["same_person"] is None


def brute(scores, owners, left_out=None):
    """d′ and mean non-mated score of a square of scores by person, without one person."""
    kept = [(i, j) for i, j in product(range(len(owners)), repeat=2) if left_out not in (owners[i], owners[j])]
    mated = np.array([scores[i, j] for i, j in kept if owners[i] == owners[j]])
    other = np.array([scores[i, j] for i, j in kept if owners[i] != owners[j]])
    return (other.mean() - mated.mean()) / np.sqrt((mated.var() + other.var()) / 2), other.mean()


def test_d_prime_and_its_jackknife_are_those_of_leaving_people_out_one_by_one():
    rng = np.random.default_rng(5)
    owners = np.repeat(np.arange(6), 2)
    sides = [Faces((owners + rng.normal(0, 0.6, 12)).astype(np.float32)[:, None], np.arange(13), owners)
             for _ in range(2)]  # fmt: skip
    scores = np.abs(sides[0].templates.astype(float) - sides[1].templates.astype(float).T)
    sums = d.score_sums(*sides, "euclidean", 6)
    left = np.array([brute(scores, owners, person) for person in range(6)])
    error = np.sqrt(5 / 6 * ((left - left.mean(axis=0)) ** 2).sum(axis=0))
    value, mean = brute(scores, owners)
    told, strangers = d.d_prime(sums, "distance"), d._spread(sums)[0]
    assert told["value"] == pytest.approx(value, rel=1e-5)
    assert told["high"] - told["value"] == pytest.approx(stats.t.ppf(0.975, 5) * error[0], rel=1e-4)
    assert (strangers["mean"], strangers["se"]) == pytest.approx((mean, error[1]), rel=1e-5)


def test_the_jackknife_holds_the_mean_where_comparisons_share_people():
    rng = np.random.default_rng(7)
    held, people = 0, 25
    for _ in range(400):
        u = rng.normal(size=people)
        scores = u[:, None] + u[None] + rng.normal(size=(people, people))
        np.fill_diagonal(scores, 0)
        sums = np.zeros((2, 3, people))
        sums[0, :2] = np.full(people, 2 * (people - 1)), scores.sum(axis=0) + scores.sum(axis=1)
        means = d.totals(sums)[0]
        half = stats.t.ppf(0.975, people - 1) * d.jackknife(means[1] / means[0])
        held += abs(means[1, 0] / means[0, 0]) <= half
    assert held / 400 >= 0.92  # the naive standard error of 600 comparisons would hold it in about one of four


def test_what_is_stored_is_of_photographs_at_stated_sizes(tmp_path):
    run, loaded = make_run(tmp_path / "a", [(0, 0, {})], [(0, 0, 0.0)])
    with pytest.raises(InputError, match="is no run on photographs"):
        d.photographs_of(run, loaded)
    plain = {"synthetic": False}
    with pytest.raises(InputError, match="sets no inter_eye_px"):
        d.photographs_of(*make_run(tmp_path / "b", [(0, 0, {})], [(0, 0, 0.0)], **plain))
    sized = {**plain, "scenario": {"conditions": [{"inter_eye_px": 30.0}]}}
    faces, captures = [(i, i, {}) for i in range(8)], [(i, i, PLACES[i] + 0.0625) for i in range(7)]
    real = d.photographs_of(*make_run(tmp_path / "c", faces, captures, **sized))
    (system,) = real["systems"]
    assert (system["options"], system["models"], real["sizes"]) == ({"size": 3}, ["ab" * 32], [30.0])
    assert (system["sizes"][0]["found"]["found"], system["sizes"][0]["fmr"]["errors"]) == (7, 2)
    assert real["data"] == "Made-up photographs, CC BY 4.0"
    assert "/x/" not in json.dumps(real)
    assert "p0" not in json.dumps(real)
    # The same faces, made up: no gap at all.
    (row,) = d.domain_gap_of(*make_run(tmp_path / "d", faces, captures), json.loads(json.dumps(real)))["rows"]
    assert row["gap"]["strangers"]["value"] == 0
    assert row["gap"]["same_person"] is None  # everybody stands .0625 from their own photograph: no spread to count in


def test_the_document_holds_the_stored_figures():
    assert DOCS.read_text(encoding="utf-8") == d.document(d.stored())


def test_marked_evidence_judges_no_group():
    differentials = [{"group": "a", "verdict": v, "words": "w", "family_p": 0.01, "holm_p": 0.02}
                     for v in ("higher", "reference", "not shown", "insufficient")]  # fmt: skip
    indices = [{"verdict": "measured", "why": None, "value": 2.0}]
    told = marked({"schema": 1, "figures": [{"value": 0.5, "verdict": "measured"}], "differentials": differentials,
                   "indices": indices, "contrasts": [{"verdict": "shown"}]})  # fmt: skip
    assert [row["verdict"] for row in told["differentials"]] == ["not judged"] * 3 + ["insufficient"]
    assert {row["holm_p"] for row in told["differentials"]} == {None}
    assert told["differentials"][3]["words"] == "w"
    assert "says nothing of real people" in told["differentials"][0]["words"]
    assert (told["indices"][0]["verdict"], told["indices"][0]["value"]) == ("not judged", 2.0)
    assert told["figures"] == [{"value": 0.5, "verdict": "measured", "synthetic": True}]
    assert told["contrasts"] == [{"verdict": "shown", "synthetic": True}]
