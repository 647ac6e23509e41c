from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from testbed.scenario.loading import ScenarioError, load, reload
from testbed.scenario.models import Condition

VIDEO = """\
title: Video
probes:
  kind: video
  cameras:
    - name: door
      file: clip.mp4
      truth: {nobody_enrolled: true, people: 2}
systems:
  - pipeline: plain
"""


def test_relative_paths_count_from_the_scenarios_folder_wherever_one_stands(read, folder, monkeypatch):
    monkeypatch.chdir("/")
    scenario = read().scenario
    assert scenario.subjects.table == folder / "people.csv"
    assert scenario.references.images == f"{folder}/photos/{{subject}}_1.jpg"
    assert scenario.probes.images == f"{folder}/photos/{{subject}}_2.jpg"


def test_dots_leave_no_trace_in_resolved_paths(read, base, folder):
    scenario = read(base.replace("people.csv", "photos/../people.csv")).scenario
    assert scenario.subjects.table == folder / "people.csv"


def test_a_camera_scenario_without_people_loads(read, folder):
    loaded = read(VIDEO)
    assert loaded.scenario.probes.cameras[0].file == folder / "clip.mp4"
    assert [cell.id for cell in loaded.cells] == ["plain--clean"]


def test_what_run_json_keeps_gives_the_same_cells_again(read, base):
    swept = base.replace("inter_eye_px: 20", "{inter_eye_px: [20, 10.5], frame: [[640, 360], [320, 180]]}")
    loaded = read(swept.replace("pipeline: plain", "{pipeline: plain, options: {detector: [hog, mmod]}}"))
    again = reload(json.loads(json.dumps(loaded.resolved, allow_nan=False)))
    assert again == loaded
    assert len(again.cells) == 2 * 5


numbers = st.floats(4, 400, allow_nan=False) | st.integers(4, 400)
cameras = st.fixed_dictionaries(
    {"inter_eye_px": numbers | st.lists(numbers, min_size=1, max_size=3, unique=True)},
    optional={
        "bitrate_kbps": st.none() | st.integers(1, 100_000),
        "light": st.floats(0.01, 1),
        "frame": st.sampled_from([[640, 360], [[320, 180], [64, 64]]]),
        "gop": st.lists(st.integers(1, 1000), min_size=1, max_size=2, unique=True),
    },
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.just("clean") | cameras, min_size=1, max_size=3, unique_by=repr))
def test_reload_undoes_resolved_for_any_conditions(base, conditions: list[Any]):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "photos").mkdir()
        (folder / "people.csv").write_text("subject,sex\n")
        (folder / "s.yaml").write_text(json.dumps({**yaml.safe_load(base), "conditions": conditions}))
        try:
            loaded = load(folder / "s.yaml")
        except ScenarioError as error:
            assert "name each condition once" in str(error)  # noqa: PT017 (two draws may mean the same)
            return
        assert reload(json.loads(json.dumps(loaded.resolved))) == loaded
        ids = [cell.id.casefold() for cell in loaded.cells]
        assert len(set(ids)) == len(ids)
        assert all(len(cell_id) <= 120 and "/" not in cell_id for cell_id in ids)


def test_a_damaged_run_json_is_told_in_sentences(read):
    resolved = read().resolved
    with pytest.raises(ScenarioError, match=r"run\.json: scenario\.title: is missing"):
        reload({key: value for key, value in resolved.items() if key != "title"})
    with pytest.raises(ScenarioError, match=r"source: is missing"):
        reload({key: value for key, value in resolved.items() if key != "source"})


def test_a_finished_run_reloads_where_its_data_are_absent(read, folder):
    loaded = read()
    (folder / "people.csv").unlink()
    assert reload(loaded.resolved) == loaded


# -- mistakes ---------------------------------------------------------------------------------------
def test_a_misspelt_key_is_told_with_its_line_and_the_right_one(refused, base):
    text = base + "title2: x\n"
    assert refused(text) == ["s.yaml:15: title2: unknown key; did you mean `title`?"]
    text = base.replace("- inter_eye_px: 20", "- inter_eye_px: 20\n    bitrate_kbp: 300")
    assert refused(text) == ["s.yaml:13: conditions[1].bitrate_kbp: unknown key; did you mean `bitrate_kbps`?"]


def test_every_mistake_is_told_at_once_in_reading_order(refused, base):
    text = (
        base.replace("Small faces", "5")
        .replace("people.csv", "nobody.csv")
        .replace("kind: stills", "kind: stils")
        .replace("inter_eye_px: 20", "inter_eye_px: 2")
        .replace("pipeline: plain", "pipeline: plane")
    )
    problems = refused(text)
    assert [problem.split(": ")[:2] for problem in problems] == [
        ["s.yaml:1", "title"],
        ["s.yaml:3", "subjects.table"],
        ["s.yaml:8", "probes.kind"],
        ["s.yaml:12", "conditions[1].inter_eye_px"],
        ["s.yaml:14", "systems[0].pipeline"],
    ]
    assert problems[0].endswith("should be text, not 5")
    assert problems[2].endswith("should be one of stills, video, synthetic, log, not 'stils'; did you mean `stills`?")
    assert problems[3].endswith("should be at least 4, not 2")
    assert problems[4].endswith("did you mean `plain`?")


def test_a_score_log_is_not_replayed(refused, base):
    text = base.replace("kind: stills", "kind: log").replace("images: photos/{subject}_2.jpg", "files: [log.csv]")
    text = text.replace("  - inter_eye_px: 20\n", "")
    assert "s.yaml:8: probes.kind: a score log is not replayed; read it with `testbed audit LOG`" in refused(text)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("title: Small faces\n", "", "s.yaml:1: title: is missing; add it"),
        ("[sex]", "sex", "s.yaml:4: groups: should be a list, not 'sex'"),
        ("[sex]", "[sex, sex]", "s.yaml:4: groups: names a column twice"),
        ("pipeline: plain", "plain", "s.yaml:14: systems[0]: should be a mapping (`key: value` lines), not 'plain'"),
        ("inter_eye_px: 20", "{inter_eye_px: 20, gop: yes}", "conditions[1].gop: should be a whole number, not 'yes'"),
        ("inter_eye_px: 20", "{inter_eye_px: 20, fps: true}", "conditions[1].fps: should be a number, not true"),
        ("inter_eye_px: 20", "{inter_eye_px: 20, fps: .inf}", "conditions[1].fps: should be a finite number"),
        ("inter_eye_px: 20", "inter_eye_px: []", "conditions[1].inter_eye_px: should be a number, not an empty list"),
        ("inter_eye_px: 20", "inter_eye_px: [20, x]", "conditions[1].inter_eye_px[1]: should be a number, not 'x'"),
        ("inter_eye_px: 20", "inter_eye_px: [20, 20.0]", "s.yaml:12: conditions[1]: sweeps over the same value twice"),
        ("inter_eye_px: 20", "clean", "s.yaml:12: conditions[1]: says the same as conditions[0]"),
        ("inter_eye_px: 20", "claen", "should be `clean` or a mapping of camera settings, not 'claen'"),
        ("inter_eye_px: 20", "scale: 0.5", "conditions[1].scale: shrinks video frames"),
        ("inter_eye_px: 20", "noise: 3", "conditions[1]: on photographs needs `inter_eye_px`"),
        ("inter_eye_px: 20", "{clean: true, fps: 5}", "`clean` skips every step, so fps would do nothing"),
        ("{subject}_1", "person_1", "references.images: must contain {subject}"),
        ("photos/{subject}_2", "fotos/{subject}_2", "s.yaml:9: probes.images: there is no folder"),
        ("people.csv", "photos", "s.yaml:3: subjects.table: photos is a folder; name a file in it"),
        ("people.csv", '"a\\0b"', "s.yaml:3: subjects.table: there is no file"),
        ("people.csv", "a" * 5000, "s.yaml:3: subjects.table: there is no file"),
        ("people.csv", "[people.csv]", "s.yaml:3: subjects.table: should be a path, not a list"),
        ("title:", "operating_points: [[own]]\ntitle:", "operating_points[0]: should be text or a number, not a list"),
        ("title:", "operating_points: [fmr=2]\ntitle:", "'fmr=2' is no operating point"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_that_says_what_would_be_right(refused, base, old, new, problem):
    (told,) = refused(base.replace(old, new, 1))
    assert problem in told
    for jargon in ("pydantic", "Input", "input_type", "function-", "http", "Value error"):
        assert jargon not in told


def test_truth_is_judged_as_the_kind_that_was_meant(refused):
    declared = refused(VIDEO.replace("people: 2", "peple: 2"))
    assert declared == ["s.yaml:7: probes.cameras[0].truth.peple: unknown key; did you mean `people`?"]
    from_file = refused(VIDEO.replace("{nobody_enrolled: true, people: 2}", "{file: clip.mp4, format: mt}"))
    assert from_file == [
        "s.yaml:7: probes.cameras[0].truth.format: should be one of csv, mot, idl, cvat, chokepoint, not 'mt'; "
        "did you mean `mot`?"
    ]


def test_groups_of_people_nobody_knows_can_be_left_out(refused):
    assert refused(f"groups: [sex]\n{VIDEO}") == [
        "s.yaml:1: groups: names columns of the subjects table: add `subjects: {table: …}`, or leave `groups` out"
    ]


def test_two_cameras_of_one_name_are_told_at_the_second(refused):
    twice = VIDEO.replace("systems:", "    - {name: door, file: clip.mp4}\nsystems:")
    assert refused(twice) == ["s.yaml:8: probes.cameras[1].name: two cameras are called 'door'; give each its own name"]


# -- sweeps -----------------------------------------------------------------------------------------
def test_lists_are_crossed_and_named_by_what_varies(read, base):
    swept = read(base.replace("inter_eye_px: 20", "{inter_eye_px: [20, 10], bitrate_kbps: [300, ~], gop: 25}"))
    assert [cell.condition_name for cell in swept.cells] == [
        "clean",
        "inter_eye_px=20,bitrate_kbps=300",
        "inter_eye_px=20,bitrate_kbps=none",
        "inter_eye_px=10,bitrate_kbps=300",
        "inter_eye_px=10,bitrate_kbps=none",
    ]
    assert swept.cells[4].condition == Condition(inter_eye_px=10, gop=25)
    assert swept.cells[0].id == "plain--clean"


def test_a_lone_camera_is_named_by_all_that_it_sets(read, base):
    loaded = read(base.replace("inter_eye_px: 20", "{inter_eye_px: 20, light: 0.05}"))
    assert [cell.condition_name for cell in loaded.cells] == ["clean", "inter_eye_px=20,light=0.05"]


def test_a_pair_of_numbers_is_a_frame_and_a_list_of_pairs_a_sweep(read, base):
    one = read(base.replace("inter_eye_px: 20", "{inter_eye_px: 20, frame: [320, 180]}"))
    two = read(base.replace("inter_eye_px: 20", "{inter_eye_px: 20, frame: [[320, 180], [640, 360]]}"))
    assert one.cells[1].condition.frame == (320, 180)
    assert [cell.condition_name for cell in two.cells] == ["clean", "frame=320x180", "frame=640x360"]


def test_more_cells_than_the_cap_are_refused_before_they_are_made(refused, base):
    many = str(list(range(1, 101)))
    text = base.replace("inter_eye_px: 20", f"{{inter_eye_px: 20, gop: {many}, noise: {many}, bitrate_kbps: {many}}}")
    (told,) = refused(text)
    assert told == "s.yaml:10: conditions: makes 1000001 cells, systems × conditions, of at most 500; shorten a sweep"


def test_a_cell_id_holds_nothing_unsafe_for_a_folder(read, base):
    text = base.replace("- pipeline: plain", "- {pipeline: plain, name: a b}")
    assert read(text).cells[0].id == "a-b--clean"
