"""The tracker, and a scripted station of which every miss and alert is known."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from kernels.crosscount import Faces
from pipelines.errors import InputError
from testbed.matching.people import people_of
from testbed.matching.searching import gallery_of
from testbed.matching.tracks import Tracker, check_shown, follow, tracks_of, watch_cell
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import ALERTS, CAPTURES, FRAMES, REFERENCES, THRESHOLDS, TRACKS, TRANSITS
from testbed.scenario.loading import reload

FPS = 4.0
SIDE = 40.0


def captures(*faces) -> pl.DataFrame:
    """Rows of CAPTURES of one camera: (frame, x, y, transit, detector score), a template for each in that order."""
    rows = [
        ("c", "gate", frame, k, frame / FPS, x, y, x + SIDE, y + SIDE, score, transit,
         transit and transit.split("/")[1], None, "ok", "", k)
        for k, (frame, x, y, transit, score) in enumerate(faces)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=CAPTURES.columns, orient="row")


def walk(who, frames, start, step, y=100.0):
    """Somebody who walks along x, `step` pixels a frame."""
    return [(frame, start + step * i, y, f"gate/{who}/1", 1.0) for i, frame in enumerate(frames)]


def followed(faces, tracker=Tracker(), templates=None, metric="euclidean"):
    table = captures(*faces)
    given = np.zeros((len(faces), 2), np.float32) if templates is None else np.array(templates, np.float32)
    track = follow(table, given, tracker, metric, "distance")
    return table.with_columns(pl.Series("track", track))


def tracks_by_person(table) -> dict[str, list[int]]:
    return {
        who: sorted(of["track"].unique())
        for (who,), of in table.with_columns(who=pl.col("transit").str.split("/").list.get(1)).group_by("who")
    }


def by_brute_force(table: pl.DataFrame, gap: float, least: float) -> list[int]:
    """The tracker again, in plain loops: one pair at a time, the best of all that are left."""
    result, tracks = {}, []
    for frame in sorted(set(table["frame"])):
        faces = [row for row in table.iter_rows(named=True) if row["frame"] == frame]
        now = frame / FPS
        open_tracks = [t for t in tracks if now - t["seen"][-1][0] <= gap]
        while True:
            best = None
            for t in open_tracks:
                last_time, (x, y) = t["seen"][-1]
                if len(t["seen"]) > 1 and last_time < now:
                    before, (x0, y0) = t["seen"][-2]
                    x, y = (a + (a - b) / (last_time - before) * (now - last_time) for a, b in ((x, x0), (y, y0)))
                for face in faces:
                    width, height = (
                        max(0.0, SIDE - abs(a - b)) for a, b in ((x, float(face["x1"])), (y, float(face["y1"])))
                    )
                    share = width * height / (2 * SIDE**2 - width * height)
                    key = (share, -t["number"], -face["face"])
                    if share >= least and (best is None or key > best[0]):
                        best = (key, t, face)
            if best is None:
                break
            _, t, face = best
            t["seen"].append((now, (float(face["x1"]), float(face["y1"]))))
            result[face["face"]] = t["number"]
            open_tracks.remove(t)
            faces.remove(face)
        for face in faces:
            tracks.append({"number": len(tracks), "seen": [(now, (float(face["x1"]), float(face["y1"])))]})
            result[face["face"]] = tracks[-1]["number"]
    return [result[k] for k in table["face"]]


@pytest.mark.parametrize("seed", range(8))
def test_tracks_are_those_of_brute_force_in_crowded_scenes(seed):
    rng = np.random.default_rng(seed)
    faces = []
    for who in range(7):
        start, speed = rng.uniform(0, 300, 2), rng.uniform(-25, 25, 2)
        for frame in range(*sorted(rng.integers(0, 30, 2))):
            if rng.random() < 0.8:  # the detector misses one in five
                x, y = (start + speed * frame + rng.normal(0, 2, 2)).round()
                faces.append((frame, float(x), float(y), f"gate/{who}/1", 1.0))
    table = followed(faces)
    assert table["track"].to_list() == by_brute_force(table, 1.0, 0.1)


def test_two_who_cross_each_keep_their_track():
    crossing = walk("A", range(12), 0, 22) + walk("B", range(12), 245, -22, y=104)
    assert tracks_by_person(followed(crossing)) == {"A": [0], "B": [1]}


def test_a_face_hidden_for_less_than_the_gap_goes_on_and_for_longer_starts_anew():
    def hidden(frames):
        return walk("A", range(4), 0, 10) + [(4 + frames + i, 10.0 * (4 + frames + i), 100.0, "gate/A/1", 1.0)
                                             for i in range(3)]  # fmt: skip

    assert tracks_by_person(followed(hidden(3))) == {"A": [0]}  # seen again after exactly one second
    assert tracks_by_person(followed(hidden(4))) == {"A": [0, 1]}
    assert tracks_by_person(followed(hidden(4), Tracker(gap_s=1.25))) == {"A": [0]}


def test_an_identity_switch_makes_a_mixed_track_and_a_template_check_undoes_it():
    # B stops where A was about to be, and A leaves: the boxes alone say that A walked on.
    faces = walk("A", range(4), 0, 20) + [(4 + i, 80.0 + 20 * i, 100.0, "gate/B/1", 1.0) for i in range(3)]
    templates = [[0, 0]] * 4 + [[1, 0]] * 3
    mixed = tracks_of("c", followed(faces))
    assert mixed.select("transit", "captures", "purity").rows() == [("gate/A/1", 7, 4 / 7)]
    apart = followed(faces, Tracker(alike=0.6), templates)
    assert tracks_by_person(apart) == {"A": [0], "B": [1]}
    assert tracks_of("c", apart)["purity"].to_list() == [1.0, 1.0]


def test_a_track_is_of_the_pass_it_shows_most_and_of_the_first_where_two_show_alike():
    faces = walk("B", range(2), 0, 5) + [(2 + i, 10.0 + 5 * i, 100.0, "gate/A/1", 1.0) for i in range(2)]
    assert tracks_of("c", followed(faces))["transit"].to_list() == ["gate/B/1"]
    nobody = [(frame, x, y, None, score) for frame, x, y, _, score in faces]
    assert tracks_of("c", followed(nobody)).select("transit", "purity").rows() == [(None, None)]


def test_the_order_of_rows_does_not_matter():
    faces = walk("A", range(12), 0, 22) + walk("B", range(12), 245, -22, y=104)
    table = captures(*faces)
    shuffled = table.sample(fraction=1, shuffle=True, seed=3)
    none = np.zeros((len(faces), 2), np.float32)
    once, again = (follow(each, none, Tracker(), "euclidean", "distance") for each in (table, shuffled))
    assert dict(zip(table["face"], once, strict=True)) == dict(zip(shuffled["face"], again, strict=True))


def test_a_camera_without_frames_is_named():
    frames = pl.DataFrame({"camera": ["gate", "gate", "door"], "state": ["undecodable", "ok", "undecodable"]})
    with pytest.raises(InputError, match=r"camera 'door': has no frame that could be shown"):
        check_shown(frames, ["gate", "door"])
    check_shown(frames, ["gate"])


# -- the scripted station -----------------------------------------------------------------------------------------
PEOPLE = ["P0", "P1", "P2", "P3", "P4"]


def station(tmp_path, fusion):
    """A gate with one person wanted, W, and who of the others is X, Y: the script follows the draw.

    W passes twice: noticed, then not. X crosses W, and looks like W in one frame. Y is hidden for a second and a half,
    and looks like W before and after. Somebody whom truth does not know looks like W, too.
    """
    loaded = reload({
        "source": "s.yaml", "title": "A gate", "groups": [], "subjects": {"table": "p.csv"}, "seed": 5,
        "references": {"images": "{subject}.png"}, "systems": [{"pipeline": "dlib"}], "operating_points": ["own"],
        "probes": {"kind": "video", "cameras": [{"name": "gate", "file": "g.mp4", "truth": {"file": "t.csv"}}]},
        "search": {"kind": "watchlist", "wanted": 1, "fusion": fusion},
    })  # fmt: skip
    people = people_of(pl.DataFrame({"subject": PEOPLE}), [], 5)
    (wanted,) = gallery_of(loaded.scenario.search, people, 5, np.arange(5)).order
    w, (x, y, *_) = PEOPLE[wanted], [who for who in PEOPLE if who != PEOPLE[wanted]]
    like, unlike, near = [0.0, 0.0], [2.0, 0.0], [0.5, 0.0]
    script = [  # faces and their templates; the reference of W is at 0, 0 and the threshold at 0.6
        *((face, like) for face in walk(w, range(8), 0, 30)),
        *(((f, px, py, t, 9.0 if f == 2 else 1.0), near if f == 5 else unlike)
          for f, px, py, t, _ in walk(x, range(8), 215, -30, y=105)),
        *(((f, px, py, f"gate/{w}/2", s), unlike) for f, px, py, _, s in walk(w, range(20, 24), 0, 10)),
        *((face, near) for face in walk(y, range(20, 23), 300, 10)),
        *((face, near) for face in walk(y, range(28, 31), 380, 10)),
        ((40, 0.0, 0.0, None, 1.0), like),
    ]  # fmt: skip
    table = captures(*(face for face, _ in script))
    templates = np.array([template for _, template in script], np.float32)
    run = RunDirectory.create(tmp_path / "run", {
        "systems": {"dlib": {"metric": "euclidean", "direction": "distance"}},
    })  # fmt: skip
    cell = loaded.cells[0]
    run.write(FRAMES, pl.DataFrame(
        [(cell.id, "gate", f, 0, f / FPS, 640, 360, None, "ok", "", 0) for f in range(41)],
        schema=FRAMES.columns, orient="row"), f"{cell.id}/gate/000000")  # fmt: skip
    known = sorted(set(table["transit"].drop_nulls()))
    run.write(TRANSITS, pl.DataFrame(
        [(t, "gate", t.split("/")[1], 0.0, 1.0) for t in known], schema=TRANSITS.columns, orient="row"))  # fmt: skip
    run.write(REFERENCES, pl.DataFrame(
        [("dlib", f"{p}/{p}", p, f"{p}.png", "ee", "enrolled", "", i) for i, p in enumerate(PEOPLE)],
        schema=REFERENCES.columns, orient="row"))  # fmt: skip
    enrolled = np.array([like if p == w else [0.0, 50.0 + i] for i, p in enumerate(PEOPLE)], np.float32)
    references = Faces(enrolled, np.arange(6), np.arange(5))
    own = pl.DataFrame([(cell.id, "own", False, 0.6, 0.6), (cell.id, "looser:3", False, 9.0, 9.0)],
                       schema=THRESHOLDS.columns, orient="row")  # fmt: skip
    made = watch_cell(run, loaded.scenario, cell, people, table, templates, references, own)
    assert [each for each, _ in made] == [TRACKS, ALERTS]
    (_, tracks), (_, alerts) = made
    named = alerts.join(tracks, ["camera", "track"])
    assert set(named["subject"]) <= {w}
    assert set(named["point"]) == {"own"}  # the ladders decide nothing
    short = {w: "W", x: "X", y: "Y"}
    who = [t and f"{short[t.split('/')[1]]}{t.split('/')[2]}" for t in named["transit"]]
    return tracks, sorted(
        (str(t), v, round(s, 3)) for t, v, s in zip(who, named["verdict"], named["score"], strict=True)
    )


def test_alerts_at_the_scripted_station_are_those_of_the_script(tmp_path):
    tracks, alerts = station(tmp_path, "max score")
    assert tracks.height == 6  # W, X, W again, Y twice, and somebody
    assert tracks["purity"].drop_nulls().to_list() == [1.0] * 5
    assert alerts == [
        ("None", "unknown", 0.0), ("W1", "true", 0.0), ("X1", "false", 0.5), ("Y1", "false", 0.5), ("Y1", "false", 0.5),
    ]  # fmt: skip


@pytest.mark.parametrize("fusion", ["best frame", "mean template"])
def test_a_single_look_of_likeness_does_not_stop_anybody_under_another_fusion(tmp_path, fusion):
    # X's best frame is another one; the mean of X's templates lies at (7 × 2 + 0.5) / 8 = 1.8 from W's reference.
    _, alerts = station(tmp_path, fusion)
    assert [who for who, *_ in alerts] == ["None", "W1", "Y1", "Y1"]


def test_the_same_station_gives_the_same_tables(tmp_path):
    first, second = (station(tmp_path / name, "max score") for name in ("a", "b"))
    assert first[0].equals(second[0])
    assert json.dumps(first[1]) == json.dumps(second[1])
