"""Made-up people from the command line: filmed, replayed, reported; wrong input in one sentence that leaves nothing."""

from __future__ import annotations

import json

import polars as pl
import pytest

CAMERA = {"name": "lane", "distance": 2.0, "size": [320, 240], "field": 18, "fps": 4}


def scenario(**probes):
    base = {
        "kind": "synthetic", "people": [{"count": 4, "headwear": "none"}], "cameras": [CAMERA],
        "staging": "one by one", "frames_each": 2,
    }  # fmt: skip
    return {
        "title": "made up", "groups": ["sex"], "probes": base | probes,
        "systems": [{"pipeline": "dlib-onnx"}], "operating_points": ["own"],
    }  # fmt: skip


def test_a_scenario_with_nothing_but_itself_is_filmed_replayed_and_reported(testbed, write, tmp_path):
    contrasts = [{"cause": "defocus_px", "levels": [0, 9]}]
    path = write(scenario(contrasts=contrasts, within={"light": ["night"]}))
    result = testbed("run", path, "--out", "out", "-w", 2)
    assert result.returncode == 0, result.stderr
    run = tmp_path / "out"
    manifest = json.loads((run / "run.json").read_text())
    assert manifest["synthetic"] is True
    # Truth and what was found agree: every face that is found lies on the one person there.
    truth = pl.read_parquet(run / "truth" / "faces.parquet")
    assert truth.height == 4 * 2 * 2
    captures = pl.concat([pl.read_parquet(p) for p in sorted((run / "captures").rglob("*.parquet"))])
    bright = captures.filter(pl.col("camera") == "light=night,defocus_px=0")
    assert bright.height >= 7
    assert bright["iou"].min() > 0.4
    # Far out of focus nobody is found: what was built in is measured.
    evidence = json.loads((run / "evidence.json").read_text())
    (found,) = (row for row in evidence["contrasts"] if row["metric"] == "detection")
    assert (found["cause"], found["level"], found["people"]) == ("defocus_px", 9, 4)
    assert found["value"] < -0.5
    assert found["verdict"] == "insufficient"  # four people show nothing
    assert evidence["synthetic"] is True
    assert all(figure["synthetic"] for figure in evidence["figures"])
    page = (run / "report" / "index.html").read_text()
    assert "Made-up people" in page
    assert "truth: exact, as drawn" in page

    # Each arm a cell, with its own camera and nothing else.
    attempts = pl.read_parquet(run / "attempts.parquet")
    assert attempts.group_by("cell").len()["len"].to_list() == [4, 4]

    # The same again from what is there: a killed run that had its films goes on with them.
    clip = run / "made-up" / "clips" / "light=night,defocus_px=9.mp4"
    before = clip.read_bytes()
    again = testbed("replay", "out")
    assert again.returncode == 0, again.stderr
    assert clip.read_bytes() == before


def test_clips_are_handed_out_with_truth_and_replay_anywhere(testbed, write, tmp_path):
    result = testbed("synth", write(scenario(people=[{"count": 2}])), "--out", "station")
    assert result.returncode == 0, result.stderr
    assert "1 clips, 2 people, 2 passes, 4 faces; replay it: testbed run station/scenario.yaml" in result.stdout
    assert {path.name for path in (tmp_path / "station").iterdir()} == {
        ".lock", "README.txt", "clips", "production.json", "references", "scenario.yaml", "subjects.csv",
        "transits.csv", "truth", "truth.csv",
    }  # fmt: skip
    replayed = testbed("run", "station/scenario.yaml", "--out", "again", "--set", "systems.0.pipeline=dlib-onnx")
    assert replayed.returncode == 0, replayed.stderr
    attempts = pl.read_parquet(tmp_path / "again" / "attempts.parquet")
    assert sorted(attempts["subject"]) == ["P0001", "P0002"]
    assert json.loads((tmp_path / "again" / "evidence.json").read_text())["synthetic"] is True


@pytest.mark.parametrize(
    ("probes", "said"),
    [
        ({"people": []}, "probes.people: has too few entries"),
        ({"people": [{"count": 1, "sex": "female", "beard": "full"}]}, "beard: full with sex: female cannot be drawn"),
        ({"cameras": [{**CAMERA, "distance": 30.0}]}, "lane would hang at"),
        ({"cameras": [{**CAMERA, "size": [4000, 4000]}]}, "a frame has at most 3,686,400 pixels"),
        ({"staging": "walks", "paths": [[[0, 0], [0, 500]]]}, "lies outside the corridor"),
        ({"paths": ["roof"]}, "probes.paths: is for `staging: walks`"),
        ({"passes": 3}, "probes.passes: is for `staging: walks`"),
        ({"contrasts": [{"cause": "scene", "levels": ["gate", "shop"]}]}, "scene is nothing that can be changed"),
        ({"contrasts": [{"cause": "sex", "levels": ["female", "male"]}]}, "groups[0]: sex is changed for everybody"),
        ({"staging": "walks", "paths": ["roof"]}, "the corridor has no path 'roof'"),
    ],
)
def test_what_cannot_be_filmed_is_one_sentence_and_leaves_nothing(typed, write, tmp_path, probes, said):
    path = write(scenario(**probes))
    for command in (("run", path, "--out", "out"), ("synth", path, "--out", "out")):
        result = typed(*command)
        assert result.returncode == 2
        assert said in result.stderr
        assert "Traceback" not in result.stderr
        assert len(result.stderr.strip().splitlines()) == 1
        assert not (tmp_path / "out").exists()


def test_only_made_up_people_can_be_filmed(typed, write, tmp_path):
    tree = scenario()
    tree["probes"] = {"kind": "video", "cameras": [{"name": "a", "file": "a.mp4"}]}
    (tmp_path / "a.mp4").write_bytes(b"")
    del tree["groups"]
    result = typed("synth", write(tree), "--out", "out")
    assert (result.returncode, "only `synthetic` can be filmed" in result.stderr) == (2, True)
    for option in ("--n=3", "--seed=3", "--declare=tone=3", "--sheet=a.png"):
        assert "means nothing to `testbed synth" in typed("synth", tmp_path / "scenario.yaml", option).stderr
    assert "name a folder for the clips" in typed("synth", write(scenario())).stderr
