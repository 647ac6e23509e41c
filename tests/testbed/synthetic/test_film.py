"""Clips and their truth: who comes when, where cameras hang, and the same bytes whenever and however they are made."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from pipelines.errors import InputError
from testbed.scenario.synthetic import arms
from testbed.sources.recording import read_frames, recording
from testbed.synthetic.clips import FACE_HEIGHT, clips, hung
from testbed.synthetic.film import film
from testbed.synthetic.production import PHOTOGRAPHS_OF, cast, dressed, enrolled, files, produce
from testbed.synthetic.recorder import FROZEN, LOST
from testbed.synthetic.scenes.scene import scene
from testbed.synthetic.visits import visits

SMALL = {"name": "lane", "distance": 2.5, "size": [320, 180], "fps": 4, "field": 30}


def contents(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def walks(tmp_path_factory, made_up, here):
    """Three people walk through the corridor, filmed small."""
    folder = tmp_path_factory.mktemp("walks")
    camera = {"name": "ceiling", "size": [320, 180], "fps": 3, "field": 35}
    synthetic = made_up(people=[{"count": 3, "mask": False}], cameras=[camera], staging="walks", every_s=1.0)
    return synthetic, folder, produce(synthetic, 5, folder, here)


def test_everybody_passes_as_often_as_asked_at_about_the_pace_asked(made_up):
    place, synthetic = scene("corridor", "daylight"), made_up(staging="walks", passes=3, every_s=2.0)
    found = visits(synthetic, place, 40, 1, 10)
    assert sorted((v.person, v.number) for v in found) == [(p, n) for p in range(40) for n in (1, 2, 3)]
    gaps = np.diff([visit.starts for visit in found])
    assert (gaps > 0).all()
    assert gaps.mean() == pytest.approx(2.0, rel=0.1)
    again, other = visits(synthetic, place, 40, 1, 10), visits(synthetic, place, 40, 2, 10)
    assert [v.person for v in again] == [v.person for v in found] != [v.person for v in other]


def test_paths_that_are_none_or_lead_astray_are_told(made_up):
    place = scene("corridor", "daylight")
    with pytest.raises(InputError, match=r"probes.paths\[0\]: the corridor has no path 'roof'; it has "):
        visits(made_up(staging="walks", paths=["roof"]), place, 2, 1, 10)
    with pytest.raises(InputError, match=r"probes.paths\[0\]: point 2 \(90, 0\) lies outside the corridor"):
        visits(made_up(staging="walks", paths=[[[0, 0], [90, 0]]]), place, 2, 1, 10)


@pytest.mark.parametrize(("tilt", "pan"), [(0, 0), (30, 0), (15, 25)])
def test_an_aimed_camera_looks_at_the_spot_from_where_it_is_wanted(tilt, pan, made_up):
    (clip,) = clips(made_up(cameras=[{**SMALL, "tilt": tilt, "pan": pan}], scene="gate"), 1)
    view, eye = hung(clip)
    place = scene("gate", "daylight")
    face = np.array([place.spot[0], FACE_HEIGHT, place.spot[1]])
    assert np.linalg.norm(eye - face) == pytest.approx(2.5)
    assert np.degrees(np.arcsin((eye - face)[1] / 2.5)) == pytest.approx(tilt)
    assert view.placed(view.pinhole.project(face[None])[:, :2])[0] == pytest.approx((160, 90), abs=0.01)


def test_a_camera_in_a_wall_is_told_where_it_would_hang(made_up):
    with pytest.raises(InputError, match=r"cameras: lane would hang at \(.*\) m, (inside|outside) .*corridor.*mount: "):
        clips(made_up(cameras=[{**SMALL, "distance": 40.0}]), 1)
    with pytest.raises(InputError, match="the corridor has no mount 'tree'; it has"):
        clips(made_up(cameras=[{"name": "a", "mount": "tree"}]), 1)


def test_too_long_a_film_is_refused_before_it_is_made(made_up):
    synthetic = made_up(people=[{"count": 5000}], staging="walks", every_s=60.0)
    with pytest.raises(InputError, match=r"the clip lane would have 1,\d+,\d+ frames of at most 50,000"):
        clips(synthetic, 1)[0].frames(synthetic, 5000)


def test_the_clip_holds_what_the_truth_says(walks):
    _, folder, made = walks
    clip = recording(folder / "clips" / "ceiling.mp4")
    assert clip.notices == ()
    assert (clip.width, clip.height) == (320, 180)
    faces = made.faces
    assert faces["frame"].max() < len(clip)
    assert faces["subject"].n_unique() == 3
    assert ((faces["x1"] >= 0) & (faces["x2"] <= 320) & (faces["y1"] >= 0) & (faces["y2"] <= 180)).all()
    assert (faces["x2"] > faces["x1"]).all()
    assert faces["visible"].is_between(0, 1).all()
    put = faces.filter("put")
    assert put["yaw"].abs().max() <= 75
    assert put["inter_eye_px"].min() >= 8
    # Whoever walks towards the camera grows: distances along a transit fall and sizes rise.
    for (_,), one in faces.filter(pl.col("yaw").abs() < 60).group_by("transit"):
        way = one.sort("frame")
        assert np.corrcoef(way["distance_m"], way["frame"])[0, 1] < -0.9


def test_transits_begin_and_end_where_faces_do(walks):
    _, folder, made = walks
    times = recording(folder / "clips" / "ceiling.mp4").times
    for transit, _, _, first, last in made.transits.rows():
        frames = made.faces.filter(pl.col("transit") == transit)["frame"]
        assert (first, last) == pytest.approx((times[frames.min()], times[frames.max()]))


def test_the_same_seed_gives_the_same_bytes_on_one_thread_and_on_two(walks, tmp_path):
    synthetic, folder, _ = walks
    (clip,) = clips(synthetic, 5)
    for part in ("clips", "truth"):
        (tmp_path / part).mkdir()
    film(synthetic, clip, dressed(cast(synthetic, 5), clip.arm), tmp_path, threads=2)
    for file in ("clips/ceiling.mp4", "truth/ceiling.parquet"):
        assert contents(tmp_path / file) == contents(folder / file)


def test_what_was_made_stays_and_what_is_missing_is_made_again_alike(walks, here):
    synthetic, folder, made = walks
    clip, photograph = folder / "clips" / "ceiling.mp4", folder / "references" / "P0002" / "photograph.png"
    before = contents(clip), contents(photograph), (folder / "references/P0001/photograph.png").stat().st_mtime_ns
    clip.unlink()
    photograph.unlink()
    again = produce(synthetic, 5, folder, here)
    assert again.faces.equals(made.faces)
    assert again.transits.equals(made.transits)
    first = (folder / "references/P0001/photograph.png").stat().st_mtime_ns
    assert (contents(clip), contents(photograph), first) == before


def test_arms_show_the_same_people_at_the_same_places(tmp_path, made_up, here):
    """Only skin changes: every box and angle is the same, and the light on it is not."""
    synthetic = made_up(contrasts=[{"cause": "tone", "levels": [2, 9]}])
    made = produce(synthetic, 3, tmp_path, here)
    one, other = (made.faces.filter(pl.col("camera") == arm.name).drop("camera", "transit") for arm in arms(synthetic))
    geometry = [name for name in one.columns if name != "luminance"]
    assert one.select(geometry).equals(other.select(geometry))
    assert (one["luminance"] > 2 * other["luminance"]).all()
    assert made.subjects["subject"].to_list() == ["P0001", "P0002"]
    assert sorted(path.name for path in (tmp_path / "references/P0001").iterdir()) == ["tone=2.png", "tone=9.png"]
    assert list(files(synthetic, 3, tmp_path)) == ["tone=2", "tone=9"]
    assert PHOTOGRAPHS_OF == "references/{subject}/*.png"


def test_one_by_one_everybody_has_their_frames_to_themselves(tmp_path, made_up, here):
    camera = {"name": "lane", "distance": 2.5, "size": [64, 64], "fps": 5, "clock": False}
    made = produce(made_up(people=[{"count": 7}], cameras=[camera], frames_each=4), 2, tmp_path, here)
    assert made.faces.group_by("subject").len()["len"].to_list() == [4] * 7
    assert made.faces["frame"].to_list() == list(range(28))
    assert len(recording(tmp_path / "clips" / "lane.mp4")) == 28


def test_people_are_enrolled_as_they_are_but_without_what_is_put_on(made_up):
    synthetic = made_up(contrasts=[{"cause": "glasses", "levels": [False, True]}, {"cause": "tone", "levels": [3, 8]}])
    people = cast(made_up(people=[{"count": 3, "mask": True, "glasses": True}]), 1)
    found = enrolled(people, synthetic)
    assert set(found) == {"tone=3", "tone=8"}
    for name, tone in (("tone=3", 3), ("tone=8", 8)):
        for before, after in zip(people, found[name][0], strict=True):
            assert after.attributes == replace(before.attributes, mask=False, glasses=False, tone=tone)
            assert after.seed == before.seed


def test_small_photographs_are_a_cause_that_changes_no_film(tmp_path, made_up, here):
    from PIL import Image

    contrast = {"cause": "photograph_px", "levels": [90, 20]}
    produce(made_up(people=[{"count": 1}], contrasts=[contrast], frames_each=1), 3, tmp_path, here)
    sizes = {}
    for path in (tmp_path / "references/P0001").iterdir():
        with Image.open(path) as photograph:
            sizes[path.stem] = photograph.size
    assert sizes == {"photograph_px=90": (400, 480), "photograph_px=20": (89, 107)}
    assert len({contents(path) for path in (tmp_path / "clips").glob("*.mp4")}) == 1


def test_families_are_as_alike_as_asked_and_the_seed_decides_who_comes(made_up):
    people = cast(made_up(people=[{"count": 4, "sex": "male", "alike": 0.95}, {"count": 2}]), 1)
    assert len({each.seed for each in people}) == 6
    assert len({each.attributes for each in people[:4]}) == 1
    traits = np.array([[each.normal(f"trait {k}") for k in range(400)] for each in people])
    assert np.corrcoef(traits)[0, 1] == pytest.approx(0.95, abs=0.02)
    assert abs(np.corrcoef(traits)[0, 4]) < 0.2
    assert cast(made_up(), 1) != cast(made_up(), 2)


def test_mixes_that_cannot_be_drawn_are_told_before_anything_is_filmed(tmp_path, made_up, here):
    synthetic = made_up(
        people=[{"count": 2, "sex": "female"}], contrasts=[{"cause": "beard", "levels": ["none", "full"]}]
    )
    with pytest.raises(InputError, match="beard: full with sex: female cannot be drawn"):
        produce(synthetic, 1, tmp_path, here)
    assert not list(tmp_path.rglob("*.mp4")) + list(tmp_path.rglob("*.png"))


def test_who_is_hidden_is_not_looked_for_and_who_is_never_shown_is_not_missed(tmp_path, made_up, here):
    made = produce(made_up(frames_each=2, every=4), 4, tmp_path, here)
    assert made.faces["subject"].n_unique() == 2
    assert made.transits["subject"].to_list() == ["P0001"]  # of frames 0 to 3 the system is shown the first alone
    assert "in 1 of 2 passes no face was put before the camera" in made.notices[0]
    hidden = replace(made, faces=made.faces.with_columns(visible=pl.lit(0.19)))
    assert made.boxes()["subject"].unique().to_list() == ["P0001"]
    assert hidden.boxes().is_empty()


def test_one_by_one_nobody_s_picture_depends_on_who_came_before(tmp_path, made_up, here):
    """Neither exposure nor encoder remember: what is changed of the first person leaves the second's frames alone."""
    pictures = []
    for shirt in ("white", "black"):
        people = [{"count": 1, "shirt": shirt}, {"count": 1, "shirt": "grey"}]
        camera = {**SMALL, "clock": False, "bitrate_kbps": 100}
        produce(made_up(people=people, cameras=[camera]), 4, tmp_path / shirt, here)
        frames = read_frames(recording(tmp_path / shirt / "clips" / "lane.mp4"), 0, 6)
        pictures.append(np.stack([frame.image for frame in frames]))
    assert not (pictures[0][:3] == pictures[1][:3]).all()
    assert (pictures[0][3:] == pictures[1][3:]).all()


def test_a_clip_or_truth_that_is_damaged_is_made_again(tmp_path, made_up, here):
    first = produce(made_up(), 4, tmp_path, here)
    clip, truth = tmp_path / "clips" / "lane.mp4", tmp_path / "truth" / "lane.parquet"
    before = contents(clip)
    for damaged in (clip, truth):
        damaged.write_bytes(b"")
        assert produce(made_up(), 4, tmp_path, here).faces.equals(first.faces)
        assert contents(clip) == before


def test_a_frozen_picture_stands_still_and_so_does_its_truth(tmp_path, made_up, here, monkeypatch):
    fate = np.zeros(50_000, np.uint8)
    fate[[2, 4]], fate[3] = FROZEN, LOST
    monkeypatch.setattr("testbed.synthetic.film.mishaps", lambda *_: fate)
    camera = {**SMALL, "clock": False, "bitrate_kbps": 5000}
    made = produce(made_up(people=[{"count": 1}], cameras=[camera], frames_each=6), 4, tmp_path, here)
    boxes = [made.faces.filter(pl.col("frame") == k).drop("frame").rows() for k in range(5)]
    assert boxes[1] == boxes[2] == boxes[3] != boxes[4] != boxes[0]  # frame 3 of the camera never arrived
    assert np.diff(recording(tmp_path / "clips" / "lane.mp4").times) * 4 == pytest.approx([1, 1, 2, 1])


def test_lost_frames_leave_a_gap_and_truth_counts_what_arrived(tmp_path, made_up, here):
    synthetic = made_up(cameras=[{**SMALL, "drops": 0.4}], frames_each=6)
    made = produce(synthetic, 4, tmp_path, here)
    clip = recording(tmp_path / "clips" / "lane.mp4")
    assert 2 <= len(clip) < 12
    assert sorted(made.faces["frame"].unique()) == list(range(len(clip)))
    steps = np.diff(clip.times) * 4
    assert steps == pytest.approx(np.round(steps), abs=1e-6)
    assert steps.max() >= 2
    assert all(frame.image is not None for frame in read_frames(clip, 0, 20))
