"""Who is found at all: heads worked by hand, one face for each, and what counts as independent."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import polars as pl
import pytest

from testbed.evidence.heads import HEAD, assigned, heads_of
from testbed.evidence.intervals import by_subject, rate_interval
from testbed.matching.people import people_of
from testbed.replay.assignment import overlaps
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import ANNOTATED, BOX, CAPTURES, FACES, FRAMES, HEADS, TRUTH
from testbed.scenario.loading import reload

NOBODY = people_of(pl.DataFrame({"subject": []}, schema={"subject": pl.String}), [], 1)


def box(x, y, side):
    return [x - side / 2, y - side / 2, x + side / 2, y + side / 2]


def test_a_face_is_of_the_head_its_centre_lies_in_and_each_head_has_one():
    heads = np.array([box(50, 50, 40), box(150, 50, 40)])
    beside, inside, second = box(75, 50, 40), box(50, 55, 20), box(52, 50, 38)
    assert assigned(np.array([beside, inside]), heads).tolist() == [-1, 0]
    # Two faces in one head: the greater overlap takes it, and the other is of nobody.
    assert assigned(np.array([inside, second]), heads).tolist() == [-1, 0]
    assert assigned(np.zeros((0, 4)), heads).tolist() == []
    assert assigned(np.array([inside]), np.zeros((0, 4))).tolist() == [-1]


def test_as_many_heads_as_can_be_get_a_face_before_overlap_counts():
    heads = np.array([box(50, 50, 40), box(60, 50, 40)])
    both, first_only = box(55, 50, 40), box(35, 50, 30)
    assert assigned(np.array([both, first_only]), heads).tolist() == [1, 0]
    # On the edge is inside, and of equal overlaps one is taken.
    assert assigned(np.array([box(70, 50, 40)]), heads[:1]).tolist() == [0]
    assert sorted(assigned(np.array([box(55, 50, 40)] * 2), heads).tolist()) == [0, 1]


def test_the_assignment_is_the_best_of_all_there_are():
    rng = np.random.default_rng(3)
    for _ in range(60):
        faces = np.array([box(*rng.uniform(0, 60, 2), rng.uniform(10, 40)) for _ in range(4)])
        heads = np.array([box(*rng.uniform(0, 60, 2), rng.uniform(10, 50)) for _ in range(4)])
        centre = (faces[:, None, :2] + faces[:, None, 2:]) / 2
        inside = ((centre >= heads[None, :, :2]) & (centre <= heads[None, :, 2:])).all(axis=2)
        overlap = overlaps(faces, heads)

        def worth(which, inside=inside, overlap=overlap):
            pairs = [(i, j) for i, j in enumerate(which) if j >= 0 and inside[i, j]]
            return len(pairs), sum(overlap[pair] for pair in pairs)

        found = assigned(faces, heads)
        assert all(inside[i, j] for i, j in enumerate(found) if j >= 0)
        best = max(worth(which) for which in permutations(range(4)))
        assert worth(found) == pytest.approx(best)


def loaded(probes, conditions=None):
    tree = {
        "source": "s.yaml",
        "title": "t",
        "probes": probes,
        "systems": [{"pipeline": "dlib"}],
        "operating_points": ["own"],
    }
    return reload({**tree, **({"conditions": conditions} if conditions else {})})


def written(tmp_path, scenario, frames, faces, size=(640, 360)):
    """A run: frames (camera, frame, seconds), found faces (camera, frame, box, transit, state)."""
    (cell,) = scenario.cells
    run = RunDirectory.create(tmp_path / "run", {"recorded": {"cafe": [640, 360]}})
    shown = [(cell.id, *each, *size, None, "ok", "", 0) for each in ((c, f, 0, s) for c, f, s in frames)]
    run.write(FRAMES, pl.DataFrame(shown, schema=FRAMES.columns, orient="row"), f"{cell.id}/all/000000")
    rows = [
        (cell.id, camera, frame, k, 0.0, *at, 1.0, transit, transit and "A", None, state, "", k)
        for k, (camera, frame, at, transit, state) in enumerate(faces)
    ]  # fmt: skip
    run.write(CAPTURES, pl.DataFrame(rows, schema=CAPTURES.columns, orient="row"), f"{cell.id}/all/000000")
    return run


def annotated(run, heads, pictures, named=()):
    run.write(HEADS, pl.DataFrame(heads, schema=HEADS.columns, orient="row"))
    run.write(TRUTH, pl.DataFrame(named, schema=TRUTH.columns, orient="row"))
    run.write(ANNOTATED, pl.DataFrame(pictures, schema=ANNOTATED.columns, orient="row"))


CAFE = {"kind": "video", "cameras": [{"name": "cafe", "file": "/nowhere/pictures.mp4"}]}


def test_of_ten_annotated_heads_six_are_found_as_worked_by_hand(tmp_path):
    scenario = loaded(CAFE)
    frames = [("cafe", f, 100.0 * f) for f in range(40)]
    small, large = 20, 50
    # Pictures 0–9: five heads; pictures 20–24 (half an hour later): five more. Picture 30 was not looked at.
    heads = [("cafe", f, 0, None, *box(100, 100, small)) for f in range(5)]
    heads += [("cafe", f, 0, None, *box(100, 100, large)) for f in range(20, 25)]
    found = [("cafe", f, box(100, 102, 15), None, "ok") for f in (0, 20, 21, 22, 23)]
    found += [("cafe", 24, box(95, 100, 30), None, "failed")]
    found += [("cafe", 1, box(300, 300, 15), None, "ok"), ("cafe", 20, box(300, 300, 15), None, "ok"),
              ("cafe", 20, box(400, 300, 15), None, "ok"), ("cafe", 30, box(300, 300, 15), None, "ok")]  # fmt: skip
    run = written(tmp_path, scenario, frames, found)
    annotated(run, heads, [("cafe", f) for f in [*range(10), *range(20, 25)]])
    (row,) = heads_of(run, scenario.scenario, scenario.cells[0], NOBODY)
    assert (row["heads"], row["pictures"], row["source"], row["counted_by"]) == (10, 15, "annotated heads", "stretch")
    assert (row["found"]["errors"], row["template"]["errors"]) == (6, 5)
    assert row["found"]["subjects"] == 2  # two half-hours, and no more: too few to say anything
    assert row["found"]["verdict"] == "insufficient"
    by_size = [(b["from"], b["to"], b["heads"], b["found"]["errors"]) for b in row["bins"]]
    assert by_size == [(16, 24, 5, 1), (48, 64, 5, 5)]
    # Three faces where no head is, in two of the fifteen pictures; of the picture not looked at nothing is known.
    assert (row["unexplained"]["faces"], row["unexplained"]["errors"], row["unexplained"]["comparisons"]) == (3, 2, 15)
    assert row["groups"] == []


def test_heads_that_were_followed_count_once_each_and_intervals_are_clustered_so(tmp_path):
    scenario = loaded(CAFE)
    rng = np.random.default_rng(1)
    frames = [("cafe", f, float(f)) for f in range(30)]
    heads = [("cafe", f, k, f"head {k}", *box(60 * k + 40, 100, 30)) for f in range(30) for k in range(8)]
    luck = {k: rng.uniform() for k in range(8)}
    found = [("cafe", f, box(60 * k + 40, 100, 20), None, "ok") for _, f, k, *_ in heads if rng.uniform() < luck[k]]
    run = written(tmp_path, scenario, frames, found)
    annotated(run, heads, [("cafe", f) for f in range(30)])
    (row,) = heads_of(run, scenario.scenario, scenario.cells[0], NOBODY)
    each = np.bincount([round((at[0] + 10 - 40) / 60) for _, _, at, *_ in found], minlength=8)
    wanted = rate_interval(by_subject(each, np.full(8, 30)), [])
    assert (row["counted_by"], row["found"]["subjects"]) == ("track", 8)
    assert (row["found"]["errors"], row["found"]["comparisons"]) == (len(found), 240)
    assert (row["found"]["low"], row["found"]["high"]) == pytest.approx((wanted.low, wanted.high))


def test_heads_with_and_without_names_are_told_together_and_those_with_names_by_group(tmp_path):
    people = people_of(pl.DataFrame({"subject": ["A", "B"], "sex": ["female", "male"]}), ["sex"], 1)
    scenario = loaded(CAFE)
    named = [("cafe", f, "cafe/A/1", "A", *box(100, 100, 40)) for f in (0, 1)] + [
        ("cafe", 1, "cafe/B/1", "B", *box(300, 100, 40)), ("cafe", 2, "cafe/A/1", "A", *box(100, 100, 40)),
    ]  # fmt: skip
    found = [("cafe", f, box(100, 100, 30), "cafe/A/1", "ok") for f in (0, 1)]
    found += [("cafe", 0, box(500, 100, 30), None, "ok"), ("cafe", 1, box(500, 300, 30), None, "ok")]
    run = written(tmp_path, scenario, [("cafe", f, float(f)) for f in range(3)], found)
    heads = [("cafe", 0, 0, None, *box(500, 100, 40))]
    annotated(run, heads, [("cafe", 0), ("cafe", 1)], named)  # of picture 2 nothing is known
    (row,) = heads_of(run, scenario.scenario, scenario.cells[0], people)
    assert (row["heads"], row["found"]["errors"], row["counted_by"]) == (4, 3, "person or stretch")
    assert (row["unexplained"]["faces"], row["unexplained"]["errors"], row["unexplained"]["comparisons"]) == (1, 1, 2)
    groups = {g["group"]: (g["found"]["errors"], g["found"]["comparisons"]) for g in row["groups"]}
    assert groups == {"female": (2, 2), "male": (0, 1)}


def test_boxes_made_of_eyes_are_told_by_the_height_of_the_head(tmp_path):
    truth = {"file": "/nowhere/eyes.xml", "format": "chokepoint"}
    scenario = loaded({"kind": "video", "cameras": [{**CAFE["cameras"][0], "truth": truth}]})
    people = people_of(pl.DataFrame({"subject": ["A"]}), [], 1)
    run = written(tmp_path, scenario, [("cafe", 0, 0.0)], [("cafe", 0, box(100, 100, 15), "cafe/A/1", "ok")])
    annotated(run, [], [("cafe", 0)], [("cafe", 0, "cafe/A/1", "A", *box(100, 100, 22))])  # eyes 10 pixels apart
    (row,) = heads_of(run, scenario.scenario, scenario.cells[0], people)
    assert [(b["by"], b["from"], b["to"], b["found"]["errors"]) for b in row["bins"]] == [("size", 32, 48, 1)]
    assert row["counted_by"] == "person"


def test_a_shrunken_picture_shrinks_the_heads(tmp_path):
    scenario = loaded(CAFE, [{"scale": 0.5}])
    run = written(tmp_path, scenario, [("cafe", 0, 0.0)], [("cafe", 0, box(50, 50, 12), None, "ok")], (320, 180))
    annotated(run, [("cafe", 0, 0, None, *box(100, 100, 40))], [("cafe", 0)])
    (row,) = heads_of(run, scenario.scenario, scenario.cells[0], NOBODY)
    assert row["found"]["errors"] == 1
    assert [(b["from"], b["to"]) for b in row["bins"]] == [(16, 24)]


def test_made_up_faces_are_told_apart_by_size_angle_light_and_group(tmp_path):
    scenario = loaded(
        {"kind": "synthetic", "people": [{"count": 2}], "cameras": [{"name": "cafe", "size": [640, 360]}]}
    )
    people = people_of(pl.DataFrame({"subject": ["A", "B"], "sex": ["female", "male"]}), ["sex"], 1)

    def face(frame, who, yaw=0.0, pitch=0.0, side=50, visible=1.0, light=0.3, put=True, eyes=20.0):
        at = box(100 if who == "A" else 300, 100, side)
        return {
            "camera": "cafe", "frame": frame, "transit": f"cafe/{who}/1", "subject": who,
            **dict(zip(BOX, at, strict=True)),
            "inter_eye_px": eyes, "yaw": yaw, "pitch": pitch, "visible": visible, "luminance": light, "put": put,
        }  # fmt: skip

    faces = [
        face(0, "A"), face(0, "B", light=0.01), face(1, "A", yaw=-50.0), face(1, "B", yaw=90.0, put=False, eyes=1.0),
        face(2, "A", side=10, put=False, eyes=4.0), face(2, "B", visible=0.3, put=False),
    ]  # fmt: skip
    found = [("cafe", 0, box(100, 100, 40), "cafe/A/1", "ok"), ("cafe", 1, box(100, 100, 40), "cafe/A/1", "failed"),
             ("cafe", 1, box(300, 110, 20), None, "ok"), ("cafe", 2, box(500, 100, 20), None, "ok")]  # fmt: skip
    run = written(tmp_path, scenario, [("cafe", f, float(f)) for f in range(3)], found)
    table = pl.DataFrame(faces, schema=FACES.columns)
    run.write(FACES, table)
    run.write(TRUTH, table.select(list(TRUTH.columns)))
    (row,) = heads_of(run, scenario.scenario, scenario.cells[0], people)
    assert (row["heads"], row["found"]["errors"], row["template"]["errors"]) == (3, 2, 1)
    assert row["counted_by"] == "person"
    groups = {g["group"]: (g["found"]["errors"], g["found"]["comparisons"]) for g in row["groups"]}
    assert groups == {"all": (2, 3), "female": (2, 2), "male": (0, 1)}
    bins = {(b["by"], b["from"]): (b["found"]["errors"], b["heads"]) for b in row["bins"]}
    assert bins == {
        ("size", 0.0 if HEAD * 10 < 12 else 12): (0, 1), ("size", 48): (2, 3),
        ("yaw", 0): (1, 2), ("yaw", 45): (1, 1), ("yaw", 90): (0, 1), ("pitch", -15): (2, 3),
        ("light", 0): (0, 1), ("light", 0.2): (2, 2),
    }  # fmt: skip
    # One of the two faces of nobody lies on B, who is turned away: that is no face where nobody is.
    assert (row["unexplained"]["faces"], row["unexplained"]["comparisons"]) == (1, 3)


def test_what_nothing_is_known_of_has_no_row(tmp_path):
    scenario = loaded(CAFE)
    run = written(tmp_path, scenario, [("cafe", 0, 0.0)], [("cafe", 0, box(50, 50, 12), None, "ok")])
    assert list(heads_of(run, scenario.scenario, scenario.cells[0], NOBODY)) == []
