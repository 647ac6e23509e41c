"""Recorded clips, real ones: decoded, searched for faces, counted; nothing found where nothing is."""

import json

import polars as pl
import pytest


def scenario(system, *cameras, **more):
    return {
        "title": "clips",
        "probes": {"kind": "video", "cameras": list(cameras), "segment": 20, **more},
        "conditions": ["clean"],
        "systems": [system],
    }


def frames_of(run, camera):
    return pl.concat([pl.read_parquet(p) for p in sorted((run / "frames").rglob(f"{camera}/*.parquet"))])


def test_faces_are_counted_where_they_are_and_not_where_they_are_not(testbed, data, edge_system, write, tmp_path):
    clips = {
        "reception": "video_01.mp4",
        "corridor": "face-demographics-walking-and-pause.gif",
        "from-behind": "one-by-one-person-detection.mp4",
    }
    cameras = [{"name": name, "file": str(data / "video" / file)} for name, file in clips.items()]
    result = testbed("run", write(scenario(edge_system, *cameras, every=2)), "--out", "out", "-w", 2)
    assert result.returncode == 0, result.stderr
    frames = {name: frames_of(tmp_path / "out", name) for name in clips}
    assert {name: table.height for name, table in frames.items()} == {
        "reception": 45, "corridor": 21, "from-behind": 697,
    }  # fmt: skip
    assert all((table["state"] == "ok").all() for table in frames.values())
    seen = {name: (table["faces"] > 0).mean() for name, table in frames.items()}
    assert seen["reception"] > 0.95
    assert seen["corridor"] > 0.9
    assert seen["from-behind"] < 0.1  # half-profiles of people who turn their heads (5.7 % when written)
    # True time stamps: video_01 starts at 1001/30000 s and has 30000/1001 frames a second.
    assert frames["reception"].sort("frame")["seconds"][1] == pytest.approx(1001 / 30000 * 3)
    evidence = json.loads((tmp_path / "out" / "evidence.json").read_text())
    assert all(figure["value"] is None for figure in evidence["figures"])
    page = (tmp_path / "out" / "report" / "index.html").read_text()
    assert "from-behind" in page
    said = "Nothing failed: no photograph was to be enrolled, and no pass of a known person was put before a system."
    assert said in page


def test_every_match_is_false_where_nobody_enrolled_passes(testbed, data, london, edge_system, write, tmp_path):
    clip = {"name": "reception", "file": str(data / "video" / "video_01.mp4")}
    clip["truth"] = {"nobody_enrolled": True, "people": 5}
    gallery = {key: london[key] for key in ("groups", "subjects", "references")}
    strict, lenient = 0.9, 0.0
    whole = {**scenario(edge_system, clip, every=5), **gallery, "operating_points": ["own", strict, lenient]}
    result = testbed("run", write(whole), "--out", "out", "-w", 2)
    assert result.returncode == 0, result.stderr
    evidence = json.loads((tmp_path / "out" / "evidence.json").read_text())
    rows = {
        row["operating_point"]: row
        for row in evidence["figures"]
        if row["unit"] == "capture" and row["reference_group"] == "all"
    }
    faces = int(frames_of(tmp_path / "out", "reception")["faces"].sum())
    assert rows["given=0"]["comparisons"] == faces * 24
    assert rows["given=0"]["errors"] > rows["given=0.9"]["errors"] == 0
    # Five people are five people's worth of evidence, however many frames they fill.
    assert rows["given=0.9"]["high"] > 0.5
    assert rows["given=0.9"]["verdict"] == "insufficient"
    assert not [row for row in evidence["figures"] if row["metric"] == "FNMR" and row["value"] is not None]
