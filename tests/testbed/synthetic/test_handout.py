"""What is handed out reads back as what was made, in every format, and replays."""

from __future__ import annotations

import polars as pl
import pytest

from pipelines.errors import InputError
from testbed.scenario.loading import load
from testbed.scenario.models import Camera, TruthFile
from testbed.sources.recording import recording
from testbed.sources.truth import read_truth
from testbed.synthetic.handout import _short, claimed, hand_out
from testbed.synthetic.production import produce

RESOLVED = {
    "title": "t", "question": "q", "seed": 6, "groups": ["sex"], "operating_points": ["own"],
    "systems": [{"pipeline": "dlib", "name": None, "options": {}}],
}  # fmt: skip


@pytest.fixture(scope="module")
def handed(tmp_path_factory, made_up, here):
    """Two arms of two people, handed out."""
    folder = tmp_path_factory.mktemp("handed") / "out"
    synthetic = made_up(contrasts=[{"cause": "light", "levels": ["daylight", "night"]}])
    with claimed(folder, synthetic, 6):
        made = produce(synthetic, 6, folder, here)
        hand_out(made, synthetic, folder, RESOLVED)
    return folder, synthetic, made


@pytest.mark.parametrize("form", ["csv", "mot"])
def test_truth_reads_back_as_it_was_drawn(handed, form):
    folder, _, made = handed
    for name in ("light=daylight", "light=night"):
        file = folder / ("truth.csv" if form == "csv" else f"truth/{name}.gt.txt")
        camera = Camera(name=name.replace("=", "-"), file=folder / "clips" / f"{name}.mp4")
        read = read_truth(camera, TruthFile(file=file, format=form), recording(camera.file), 2.0)
        drawn = made.faces.filter((pl.col("camera") == name) & (pl.col("visible") >= 0.2)).sort("frame", "subject")
        found = read.boxes.sort("frame", "subject")
        assert found["frame"].to_list() == drawn["frame"].to_list()
        if form == "csv":
            assert found["subject"].to_list() == drawn["subject"].to_list()
        for corner in ("x1", "y1", "x2", "y2"):
            assert (found[corner] - drawn[corner]).abs().max() < 0.03


def test_the_scenario_beside_it_loads_and_names_every_clip(handed):
    folder, _, made = handed
    scenario = load(folder / "scenario.yaml").scenario
    assert {camera.file.name for camera in scenario.probes.cameras} == {"light=daylight.mp4", "light=night.mp4"}
    assert pl.read_csv(folder / "subjects.csv")["subject"].to_list() == made.subjects["subject"].to_list()
    assert str(folder.parent) not in (folder / "scenario.yaml").read_text()


def test_what_is_handed_out_still_says_that_nobody_exists(handed):
    folder, _, _ = handed
    assert load(folder / "scenario.yaml").scenario.probes.made_up


def test_long_names_of_arms_become_names_that_a_camera_may_have(handed):
    long = "light=daylight,glasses=false,headwear=headscarf,shirt=grey,bitrate_kbps=1500,tone=10"
    names = [_short(long), _short(long + "1")]
    assert names[0] != names[1]
    for name in names:
        Camera(name=name, file="a.mp4")


def test_a_folder_of_another_scenario_or_of_something_else_is_left_alone(handed, made_up, tmp_path):
    folder, synthetic, _ = handed
    with claimed(folder, synthetic, 6), pytest.raises(InputError, match="another process is at work"):
        claimed(folder, synthetic, 6).__enter__()  # the same again goes on, but not twice at once
    with pytest.raises(InputError, match="holds what another scenario made; name another --out"):
        claimed(folder, made_up(), 6).__enter__()
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match="is not empty; name a new folder"):
        claimed(tmp_path, synthetic, 6).__enter__()
