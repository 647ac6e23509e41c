"""Sweeps: where a single value belongs, a list stands for one condition or system of each of its values."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.errors import InputError
from testbed.scenario import systems
from testbed.scenario.cells import SWEPT, written
from testbed.scenario.enhancing import MOST_DRAWS
from testbed.scenario.problems import Loc

MAX_CELLS = 500


@dataclass(frozen=True)
class Expansion:
    """A scenario's tree without sweeps. cells is how many it stands for; of more than MAX_CELLS, only some are made.

    origins leads from a place in the tree to the one in the document that it was made of.
    """

    tree: dict[str, Any]
    origins: dict[Loc, Loc]
    cells: int

    def origin(self, loc: Loc) -> Loc:
        """The place in the document of a place in the tree."""
        known = next((n for n in range(len(loc), 0, -1) if loc[:n] in self.origins), 0)
        return (*self.origins.get(loc[:known], ()), *loc[known:])


def expand(document: Mapping[str, Any]) -> Expansion:
    """Replace each condition and system that holds sweeps by all combinations of their values."""
    tree = dict(document)
    origins: dict[Loc, Loc] = {}
    cells = 1
    for key, sweeps_of in (("conditions", _of_condition), ("systems", _of_system)):
        if not isinstance(document.get(key), list):
            continue
        made: list[Any] = []
        count = 0
        for i, entry in enumerate(document[key]):
            swept = sweeps_of(entry) if isinstance(entry, dict) else {}
            count += math.prod(map(len, swept.values()))
            combinations = itertools.product(*swept.values())
            for combination in itertools.islice(combinations, MAX_CELLS - len(made)):
                place: Loc = (key, len(made))
                origins[place] = (key, i)
                for inner, (within, _) in zip(swept, combination, strict=True):
                    origins[(*place, *inner)] = (key, i, *inner, *within)
                made.append(_pick(entry, dict(zip(swept, (value for _, value in combination), strict=True))))
        tree[key] = made
        cells *= count
    return Expansion(tree, origins, cells)


Values = list[tuple[Loc, Any]]
"""Of a sweep: where each stands within the setting, and what it is."""


def _of_condition(condition: dict[str, Any]) -> dict[Loc, Values]:
    swept: dict[Loc, Values] = {}
    for name, value in condition.items():
        if name in SWEPT and _is_sweep(name, value):
            swept[name,] = [drawn for nth, each in enumerate(value) for drawn in _draws((nth,), each)]
        elif name in SWEPT and (drawn := _draws((), value)) != [((), value)]:
            swept[name,] = drawn
    return swept


def _draws(place: Loc, value: Any) -> Values:
    """Each draw of `{prior: NAME, draws: 8}`; any other value is one."""
    if not isinstance(value, dict) or type(n := value.get("draws")) is not int or not 1 <= n <= MOST_DRAWS:
        return [(place, value)]
    if "draw" in value:  # told where the two are checked
        return [(place, value)]
    rest = {key: each for key, each in value.items() if key != "draws"}
    return [(place, {**rest, "draw": k}) for k in range(1, n + 1)]


def _is_sweep(name: str, value: Any) -> bool:
    # `frame` is itself a list, of two numbers. An empty list is left for the model to refuse.
    return isinstance(value, list) and bool(value) and (name != "frame" or isinstance(value[0], list))


def _of_system(system: dict[str, Any]) -> dict[Loc, Values]:
    pipeline, options = system.get("pipeline"), system.get("options")
    if not isinstance(pipeline, str) or not isinstance(options, dict):
        return {}
    try:
        single = {option.name for option in systems.describe(pipeline) if not option.takes_list}
    except InputError:  # told where the options are checked
        return {}
    return {
        ("options", name): [((nth,), each) for nth, each in enumerate(value)]
        for name, value in options.items()
        if name in single and isinstance(value, list) and value
    }


def _pick(entry: Any, picked: Mapping[Loc, Any]) -> Any:
    """`entry` with one value for each sweep; a system is named for them."""
    if not picked:
        return entry
    made = dict(entry)
    for loc, value in picked.items():
        if len(loc) == 1:
            made[str(loc[0])] = value
        else:
            made["options"] = {**made["options"], loc[1]: value}
    if "pipeline" in made:
        chosen = ",".join(f"{name}={written(value)}" for (_, name), value in picked.items())
        made["name"] = f"{made.get('name') or made['pipeline']}[{chosen}]"
    return made
