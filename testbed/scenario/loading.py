"""From a scenario file to cells that can be run, or to every mistake in it, each with its line."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from pipelines.errors import InputError
from testbed.scenario import paths, systems
from testbed.scenario.cells import Cell, cells
from testbed.scenario.documents import Document, override, read
from testbed.scenario.models import ENHANCEMENT, Log, Scenario
from testbed.scenario.problems import Loc, ScenarioError, dotted, in_words
from testbed.scenario.sweeps import MAX_CELLS, Expansion, expand

__all__ = ["Loaded", "ScenarioError", "load", "read_as", "reload"]

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Loaded:
    """A scenario ready to run: paths absolute, sweeps expanded, and the `cells` it stands for.

    resolved is the same as JSON-able values, from which `reload` makes an equal Loaded.
    """

    scenario: Scenario
    cells: tuple[Cell, ...]
    source: Path
    resolved: dict[str, Any]


def load(path: Path, overrides: Sequence[str] = ()) -> Loaded:
    """The scenario in a YAML file, changed by `--set` assignments such as `subjects.limit=24`.

    Relative paths count from the scenario file's folder; the files must exist and the pipelines be
    installed. Raises ScenarioError, which holds every mistake found.
    """
    document = read(path)
    for assignment in overrides:
        override(document, assignment)
    expansion = expand(document.value)
    tree = expansion.tree
    option_paths, problems = _check_options(tree)
    problems += paths.resolve(tree, path.absolute().parent, option_paths)
    scenario = None
    try:
        scenario = Scenario.model_validate(tree)
        problems += _twins(scenario, expansion)
        if isinstance(scenario.probes, Log):
            problems.append((("probes", "kind"), "a score log is not replayed; read it with `testbed audit LOG`"))
    except ValidationError as error:
        problems += in_words(error.errors(), tree)
    if expansion.cells > MAX_CELLS:
        place = ("conditions",) if "conditions" in tree else ("systems",)
        problems.append(
            (place, f"makes {expansion.cells} cells, systems × conditions, of at most {MAX_CELLS}; shorten a sweep")
        )
    told = _told(document, [(expansion.origin(loc), sentence) for loc, sentence in problems])
    if told or scenario is None:
        raise ScenarioError(*told)
    return _loaded(scenario, path)


def read_as(model: type[Model], path: Path, what: str, needs: str, besides: Collection[str] = ()) -> Model:
    """The `what` in a YAML file, which `needs` these keys and may hold others `besides`, which are left alone.

    Raises ScenarioError, which holds every mistake found.
    """
    document, found = read(path, what, needs), None
    tree = {key: value for key, value in document.value.items() if key not in besides}
    problems: list[tuple[Loc, str]] = []
    try:
        found = model.model_validate(tree)
    except ValidationError as error:
        problems = in_words(error.errors(), tree, model)
    told = _told(document, problems)
    if told or found is None:
        raise ScenarioError(*told)
    return found


def reload(resolved: dict[str, Any]) -> Loaded:
    """What `load` returned, from its `resolved` as run.json keeps it. Raises ScenarioError.

    Neither files nor pipelines are looked for: a finished run can be reported on where they are absent.
    """
    tree = {key: value for key, value in resolved.items() if key != "source"}
    try:
        return _loaded(Scenario.model_validate(tree), Path(resolved["source"]))
    except KeyError:
        raise ScenarioError("run.json: scenario.source: is missing; the run must be started anew") from None
    except ValidationError as error:
        found = in_words(error.errors(), tree)
        raise ScenarioError(
            *(f"run.json: {dotted(('scenario', *loc))}: {sentence}" for loc, sentence in found)
        ) from None


def _loaded(scenario: Scenario, source: Path) -> Loaded:
    resolved = scenario.model_dump(mode="json")
    # A clean condition has no other settings, not even at their defaults.
    resolved["conditions"] = [
        {"clean": True, **{name: values[name] for name in ENHANCEMENT if condition.enhance != "none"}}
        if condition.clean
        else values
        for condition, values in zip(scenario.conditions, resolved["conditions"], strict=True)
    ]
    return Loaded(scenario, cells(scenario), source, {"source": str(source), **resolved})


def _check_options(tree: dict[str, Any]) -> tuple[list[Loc], list[tuple[Loc, str]]]:
    """Where the systems' options hold paths, and what is wrong with those options."""
    option_paths: list[Loc] = []
    problems: list[tuple[Loc, str]] = []
    entries = tree.get("systems")
    for k, system in enumerate(entries if isinstance(entries, list) else []):
        pipeline = system.get("pipeline") if isinstance(system, dict) else None
        options = system.get("options", {}) if isinstance(system, dict) else None
        if not isinstance(pipeline, str) or not isinstance(options, dict):
            continue
        try:
            described = systems.describe(pipeline)
        except InputError as error:
            problems.append((("systems", k, "pipeline"), str(error)))
            continue
        place: Loc = ("systems", k, "options")
        problems += [((*place, *loc), sentence) for loc, sentence in systems.misfits(options, described)]
        for option in described:
            option_paths += [(*place, option.name, *loc) for loc in option.paths(options.get(option.name))]
    return option_paths, problems


def _twins(scenario: Scenario, expansion: Expansion) -> Iterator[tuple[Loc, str]]:
    """Every condition that says the same as an earlier one."""
    # What is not enlarged is the same by whatever factor.
    conditions = [c.model_copy(update={"enlarge": 1}) if c.enhance == "none" else c for c in scenario.conditions]
    for i, condition in enumerate(conditions):
        first = conditions.index(condition)
        if first < i:
            other = expansion.origin(("conditions", first))
            same = other == expansion.origin(("conditions", i))
            sentence = "sweeps over the same value twice" if same else f"says the same as {dotted(other)}"
            yield ("conditions", i), f"{sentence}; name each condition once"


def _told(document: Document, problems: Sequence[tuple[Loc, str]]) -> list[str]:
    """The problems as sentences with their places, in reading order, each once."""
    unread = {loc for loc, _ in document.problems}  # what could not be read is not judged as well
    found = dict.fromkeys([*document.problems, *(problem for problem in problems if problem[0] not in unread)])
    return [
        ": ".join(filter(None, (document.place(loc), dotted(loc), sentence)))
        for loc, sentence in sorted(found, key=lambda problem: document.order(problem[0]))
    ]
