from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from testbed.scenario import systems
from testbed.scenario.loading import load, reload
from testbed.scenario.schema import json_schema
from testbed.synthetic.production import checked

ROOT = Path(__file__).parents[3]
SCENARIOS = sorted((ROOT / "scenarios").glob("*.yaml"))
DATA = ROOT / "../shared/data"


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pipelines that pyproject.toml declares, installed or not."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    table = project["entry-points"][systems.GROUP]
    entries = {name: EntryPoint(name, value, systems.GROUP) for name, value in table.items()}
    monkeypatch.setattr(systems, "available", lambda: entries)


@pytest.mark.usefixtures("declared")
@pytest.mark.skipif(not DATA.is_dir(), reason="needs the photographs, models and clips in ../shared/data")
@pytest.mark.parametrize(("name", "cells"), [("london-set", 18), ("small-faces", 3), ("recorded-video", 1)])
def test_the_scenarios_here_load_and_reload(name, cells):
    loaded = load(ROOT / "scenarios" / f"{name}.yaml")
    assert len(loaded.cells) == cells
    assert reload(json.loads(json.dumps(loaded.resolved))) == loaded
    assert loaded.scenario.attribution


@pytest.mark.usefixtures("declared")
@pytest.mark.parametrize(
    ("name", "cells"),
    [("station", 1), ("counterfactual-skin", 8), ("counterfactual-tilt", 5), ("counterfactual-bitrate", 4),
     ("counterfactual-glasses-mask", 4)],
)  # fmt: skip
def test_scenarios_of_made_up_people_need_nothing_but_themselves(name, cells):
    loaded = load(ROOT / "scenarios" / f"{name}.yaml")
    assert len(loaded.cells) == cells
    assert reload(json.loads(json.dumps(loaded.resolved))) == loaded
    checked(loaded.scenario.probes, loaded.scenario.seed)


def test_the_committed_schema_is_that_of_the_models():
    assert json.loads((ROOT / "scenarios/schema.json").read_text(encoding="utf-8")) == json_schema()


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_scenario_here_names_the_schema_and_meets_it(path):
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=schema.json\n")
    jsonschema.Draft202012Validator(json_schema()).validate(yaml.safe_load(text))


@pytest.mark.parametrize(
    ("change", "valid"),
    [
        ({}, True),
        ({"conditions": ["clean"]}, True),
        ({"conditions": ["claen"]}, False),
        ({"conditions": [{"inter_eye_px": [20, 10], "frame": [[640, 360], [320, 180]]}]}, True),
        ({"conditions": [{"inter_eye_px": ["x"]}]}, False),
        ({"conditions": [{"inter_eye_px": []}]}, False),
        ({"titel": "x"}, False),
        ({"probes": {"kind": "stills"}}, False),
    ],
)
def test_the_schema_takes_and_refuses_what_the_loader_does(base, change, valid):
    document = {**yaml.safe_load(base), **change}
    assert jsonschema.Draft202012Validator(json_schema()).is_valid(document) is valid


def test_the_schema_is_a_schema_that_explains_every_key_and_allows_no_other():
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    for model in (schema, *schema["$defs"].values()):
        assert model["additionalProperties"] is False
        assert model["description"]
        assert [name for name, entry in _properties(model) if "description" not in entry] == []


def _properties(model: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from model["properties"].items()
