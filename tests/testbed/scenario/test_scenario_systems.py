from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from pipelines.errors import InputError
from pipelines.model_file import ModelFile
from testbed.scenario import systems
from testbed.scenario.models import System
from testbed.scenario.systems import GROUP, available, build, describe

DIGEST = "ab" * 32


def _with(base: str, system: str) -> str:
    return base.replace("pipeline: plain", system)


def test_options_are_described_by_type_default_and_docstring():
    detector, upsample, sizes = describe("plain")
    assert (detector.name, detector.type_name, detector.default) == ("detector", "hog | mmod", "hog")
    assert detector.doc == "which one."
    assert upsample.doc == "how many times the picture is doubled, before anything is looked for."
    assert (sizes.type_name, sizes.required) == ("list[int] | None", False)
    (model, _) = describe("modelled")
    assert (model.type_name, model.required) == ("{path, sha256}", True)


def test_a_list_is_a_sweep_unless_the_option_takes_lists(read, base):
    text = _with(base, "{pipeline: plain, options: {detector: [hog, mmod], sizes: [40, 80]}}")
    cells = read(text).cells
    assert [cell.id for cell in cells[::2]] == ["plain[detector=hog]--clean", "plain[detector=mmod]--clean"]
    assert cells[0].system.options == {"detector": "hog", "sizes": [40, 80]}


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ("{detektor: hog}", "options.detektor: unknown option; did you mean `detector`?"),
        ("{detector: hag}", "options.detector: should be one of hog, mmod, not 'hag'; did you mean `hog`?"),
        ("{detector: [hog, hag]}", "options.detector[1]: should be one of hog, mmod, not 'hag'; did you mean `hog`?"),
        ("{upsample: two}", "options.upsample: should be a whole number, not 'two'"),
        ("{upsample: true}", "options.upsample: should be a whole number, not true"),
        ("{upsample: []}", "options.upsample: should be a whole number, not an empty list"),
        ("{sizes: [40, x]}", "options.sizes[1]: should be a whole number, not 'x'"),
        ("5", "options: should be a mapping (`key: value` lines), not 5"),
    ],
)
def test_a_wrong_option_is_told_with_its_place(refused, base, options, problem):
    (told,) = refused(_with(base, f"{{pipeline: plain, options: {options}}}"))
    assert told == f"s.yaml:14: systems[0].{problem}"


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ("{}", "detector: is missing; the pipeline needs it: the network's file."),
        ("{detector: net.onnx}", "detector: should be a mapping (`key: value` lines), not 'net.onnx'"),
        ("{detector: {path: net.onnx}}", "detector.sha256: is missing; add it"),
        ("{detector: {path: net.onnx, sha265: x}}", "detector.sha265: unknown key; did you mean `sha256`?"),
        ("{detector: {path: net.onnx, sha256: beef}}", "detector.sha256: should be a SHA-256 digest"),
        (f"{{detector: {{path: no.onnx, sha256: {DIGEST}}}}}", "detector.path: there is no file no.onnx"),
        (f"{{detector: {{path: photos, sha256: {DIGEST}}}}}", "detector.path: photos is a folder"),
        (f"{{detector: {{path: net.onnx, sha256: {DIGEST}}}, table: no.csv}}", "table: there is no file no.csv"),
    ],
)
def test_a_wrong_model_file_is_told_with_its_place(refused, base, options, problem):
    (told,) = refused(_with(base, f"{{pipeline: modelled, options: {options}}}"))
    assert told.startswith(f"s.yaml:14: systems[0].options.{problem}")


def test_paths_in_options_become_absolute_and_stay_jsonable(read, base, folder):
    options = f"{{detector: {{path: photos/../net.onnx, sha256: {DIGEST}}}, table: people.csv}}"
    system = read(_with(base, f"{{pipeline: modelled, options: {options}}}")).cells[0].system
    assert system.options == {
        "detector": {"path": f"{folder}/net.onnx", "sha256": DIGEST},
        "table": f"{folder}/people.csv",
    }
    built = build(system)
    assert built.given == {  # type: ignore[attr-defined]
        "detector": ModelFile(folder / "net.onnx", DIGEST),
        "table": Path(folder, "people.csv"),
    }


@pytest.mark.parametrize(("first", "second"), [("plain", "plain"), ("a b", "a-b"), ("Box", "box")])
def test_two_systems_that_would_share_a_folder_are_told_at_the_second(refused, base, first, second):
    text = _with(base, f"{{pipeline: plain, name: {first}}}") + f"  - {{pipeline: plain, name: {second}}}\n"
    assert refused(text) == [f"s.yaml:15: systems[1]: two systems are called {second!r}; give one another `name`"]


def test_pipelines_are_the_entry_points_of_the_group_in_alphabetical_order(monkeypatch):
    entries = [EntryPoint(name, "module:Class", GROUP) for name in ("yunet", "dlib")]
    monkeypatch.setattr(systems, "entry_points", lambda group: entries if group == GROUP else [])
    assert list(available()) == ["dlib", "yunet"]


def test_build_refuses_what_no_scenario_file_could_have_passed():
    with pytest.raises(InputError, match=r"system plain: options\.upsample: should be a whole number"):
        build(System(pipeline="plain", options={"upsample": "2"}))
    with pytest.raises(InputError, match=r"'plane' is not an installed pipeline; did you mean `plain`\?"):
        build(System(pipeline="plane"))


def test_a_pipeline_whose_library_is_absent_says_which():
    with pytest.raises(InputError, match="needs the library a_library_that_nobody_has"):
        build(System(pipeline="absent"))
