"""Sweeps from the command line: the runs are those of `testbed run`; wrong input is told at once and leaves nothing."""

from __future__ import annotations

import json
import shutil

import polars as pl
import pytest

from tests.e2e.test_kill_and_resume import tables


def scenario(**changes):
    return {
        "title": "a list", "groups": ["sex"], "search": {"kind": "watchlist", "wanted": 1},
        "probes": {
            "kind": "synthetic", "people": [{"count": 4, "headwear": "none"}], "staging": "one by one",
            "frames_each": 1,
            "cameras": [{"name": "lane", "distance": 2.0, "size": [320, 240], "field": 18, "fps": 4}],
        },
        "systems": [{"pipeline": "dlib-onnx"}], "operating_points": ["own"], **changes,
    }  # fmt: skip


@pytest.mark.slow
def test_the_runs_are_those_of_testbed_run_share_their_replay_and_go_on_where_they_stopped(testbed, write, tmp_path):
    command = ("sweep", write(scenario()), "--over", "search.wanted=1,3", "--out", "out", "-w", 1)
    result = testbed(*command)
    assert result.returncode == 0, result.stderr
    first, second = (tmp_path / "out" / f"search.wanted={value}" for value in (1, 3))
    ordinary = testbed("run", "scenario.yaml", "--set", "search.wanted=3", "--out", "one", "-w", 1)
    assert ordinary.returncode == 0, ordinary.stderr
    assert tables(second) == tables(tmp_path / "one")
    # What was replayed lies on the disk once; what it says of its inputs is its own.
    clip = "made-up/clips/lane.mp4"
    assert (first / clip).samefile(second / clip)
    assert str(second.relative_to(tmp_path) / clip) in json.loads((second / "run.json").read_text())["inputs"]
    assert not (first / "run.json").samefile(second / "run.json")

    # Every figure on the page is one of its run's evidence.
    table = pl.read_csv(tmp_path / "out/sweep.csv")
    for run in (first, second):
        (row,) = table.filter((pl.col("run") == run.name) & (pl.col("metric") == "FPIR")).to_dicts()
        evidence = json.loads((run / "evidence.json").read_text())
        (figure,) = (
            f
            for f in evidence["figures"]
            if (f["metric"], f["probe_group"], f["operating_point"]) == ("FPIR", "all", "own")
        )
        assert [row[name] for name in ("value", "low", "high", "errors", "comparisons", "gallery_size")] == [
            figure[name] for name in ("value", "low", "high", "errors", "comparisons", "gallery_size")
        ]
    assert "nobody on this page exists" in (tmp_path / "out/index.html").read_text()

    # A run that is lost is made again, from its own replay; the other is left as it is.
    before, kept = tables(second), (first / "evidence.json").stat().st_mtime_ns
    shutil.rmtree(second)
    result = testbed(*command)
    assert result.returncode == 0, result.stderr
    assert tables(second) == before
    assert (first / "evidence.json").stat().st_mtime_ns == kept
    other = testbed("sweep", "scenario.yaml", "--over", "search.wanted=1,2", "--out", "out")
    assert (other.returncode, "holds a sweep of another scenario or other values" in other.stderr) == (2, True)


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ((), "--over: nothing to sweep"),
        (("search.wanted=1,2", "seed=1,2"), "--over: several settings to sweep"),
        (("search.wanted",), "lacks its key or a value"),
        (("=1,2",), "lacks its key or a value"),
        (("search.wanted=1,,2",), "lacks its key or a value"),
        (("search.wanted=2",), "has 1 value; name 2 to 30"),
        ((f"seed={','.join(map(str, range(31)))}",), "has 31 values; name 2 to 30"),
        (("search.wanted=2,1,2",), "2 and 2 are the same value"),
        (("probes.frames_each=1,01",), "1 and 01 are the same value"),
        (("search.wantd=1,2",), "--over search.wantd: search.wantd: unknown key; did you mean `wanted`?"),
        (("search.wanted=1,4",), "--over search.wanted=4: search.wanted: is 4, and 4 people are enrolled"),
        (
            ("probes.cameras.0.distance=2.0,30.0",),
            "--over probes.cameras.0.distance=30.0: probes.cameras: lane would hang at",
        ),
    ],
)
def test_what_cannot_be_swept_is_one_sentence_before_anything_runs(typed, write, tmp_path, over, said):
    result = typed("sweep", write(scenario()), *(f"--over={each}" for each in over), "--out", "out")
    assert result.returncode == 2
    assert said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_photographs_too_few_are_told_before_any_run_and_each_note_once_a_run(testbed, london, write, tmp_path):
    few = london | {"conditions": ["clean"], "search": {"kind": "identification"}}
    file = write(few | {"subjects": london["subjects"] | {"limit": 4}})
    wrong = testbed("sweep", file, "--over", "search.people=2,1000", "--out", "out")
    assert wrong.returncode == 2
    assert len(wrong.stderr.strip().splitlines()) == 1
    assert (
        "--over search.people=1000: search.people: is 1000, and 4 people are enrolled; name at most 3" in wrong.stderr
    )
    assert not (tmp_path / "out").exists()
    result = testbed("sweep", file, "--over", "search.people=2,3", "--out", "out", "-w", 1)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("note: a quick look: 4 of 102 people") == 2


def test_a_run_tells_a_size_that_cannot_be_before_anybody_is_filmed(typed, write, tmp_path, monkeypatch):
    monkeypatch.setattr("testbed.cli.runs.new_run", None)  # nothing is begun
    result = typed("run", write(scenario()), "--set", "search.wanted=4", "--out", "out")
    assert (result.returncode, len(result.stderr.strip().splitlines())) == (2, 1)
    assert "search.wanted: is 4, and 4 people are enrolled; name at most 3" in result.stderr
    assert not (tmp_path / "out").exists()


def test_every_mistake_in_every_value_is_told(typed, write, tmp_path):
    result = typed("sweep", write(scenario()), "--over=search.wanted=x,1,0", "--out", "out")
    first, second = result.stderr.strip().splitlines()
    assert "--over search.wanted=x: search.wanted: should be a whole number" in first
    assert "--over search.wanted=0: search.wanted: should be at least 1" in second
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_else_is_left_alone(typed, write, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine.txt").write_text("mine")
    result = typed("sweep", write(scenario()), "--over=search.wanted=1,2", "--out", "out")
    assert (result.returncode, "out: holds something else than a sweep" in result.stderr) == (2, True)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_a_list_in_brackets_is_one_value(write):
    from testbed.cli.sweep import planned

    runs = planned(write(scenario()), ["probes.cameras.0.size=[320, 240],[640, 360]"], [])
    assert [run.name for run in runs] == ["probes.cameras.0.size=-320-240-", "probes.cameras.0.size=-640-360-"]
    assert [run.loaded.scenario.probes.cameras[0].size for run in runs] == [(320, 240), (640, 360)]


def test_a_metric_that_is_none_names_the_nearest(typed, write):
    result = typed("sweep", write(scenario()), "--over=search.wanted=1,2", "--metric", "FMRR")
    assert (result.returncode, "--metric FMRR: is none that a sweep draws" in result.stderr) == (2, True)
