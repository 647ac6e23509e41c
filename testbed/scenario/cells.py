"""Cells: every system under every condition, each with a name that a folder can bear."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from testbed.scenario.enhancing import Completion, SuperResolver
from testbed.scenario.models import ENHANCEMENT, Condition, Log, Scenario, System
from testbed.scenario.synthetic import Synthetic, arms

SWEPT = tuple(name for name in Condition.model_fields if name != "clean")
"""The camera's settings: what a list may sweep over, and what names a condition."""

LOGGED = "logged pictures"
"""The one condition of a score log: what became of the pictures is not known."""


@dataclass(frozen=True)
class Cell:
    """One system under one condition. id is unique in the run and safe as a folder's name.

    arm: of a contrast, filmed as a camera of that name, which alone is shown, to be compared with the reference
    photographs called `enrolled`. Empty: all cameras, all photographs. picture: the condition's name but for the arm.
    """

    id: str
    system: System
    condition: Condition
    condition_name: str
    picture: str
    arm: str = ""
    enrolled: str = ""


def condition_names(conditions: Sequence[Condition]) -> list[str]:
    """A name for each condition: what varies between the camera conditions; a lone one by all that it sets."""
    cameras = [condition for condition in conditions if not condition.clean]
    varied = cameras if len(cameras) > 1 else [*cameras, Condition()]
    naming = [setting for setting in SWEPT if len({getattr(camera, setting) for camera in varied}) > 1]

    def name(condition: Condition) -> str:
        if condition.clean:
            enhanced = condition.enhance != "none"
            return ",".join(["clean", *(f"{s}={written(getattr(condition, s))}" for s in ENHANCEMENT if enhanced)])
        return ",".join(f"{setting}={written(getattr(condition, setting))}" for setting in naming) or "camera"

    return [name(condition) for condition in conditions]


def cells(scenario: Scenario) -> tuple[Cell, ...]:
    """Systems × arms × conditions, in the scenario's order."""
    names = [LOGGED] if isinstance(scenario.probes, Log) else condition_names(scenario.conditions)
    made = [("", "")]
    if isinstance(scenario.probes, Synthetic) and scenario.probes.contrasts:
        made = [(arm.name, arm.enrolled) for arm in arms(scenario.probes)]
    return tuple(
        Cell(_folder(f"{system.label}--{name}"), system, condition, name, picture, arm, enrolled)
        for system in scenario.systems
        for arm, enrolled in made
        for condition, picture in zip(scenario.conditions, names, strict=True)
        for name in [picture if not arm else arm if len(names) == 1 else f"{arm}; {picture}"]
    )


def written(value: Any) -> str:
    """A setting's value in a name: 20, 0.5, 640x360, none, prior-A-3; of a path the file name."""
    if isinstance(value, Completion):
        return f"prior-{value.prior}-{value.draw}"
    if isinstance(value, SuperResolver):
        return f"model-{written(value.model)}"
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, list | tuple):
        return "x".join(written(part) for part in value)
    if isinstance(value, dict):
        value = value.get("path", value)
    return re.sub(r"[^A-Za-z0-9._-]+", "-", str(value).replace("\\", "/").rsplit("/", 1)[-1])


def _folder(name: str) -> str:
    safe = re.sub(r"[^A-Za-z0-9._=,\[\]-]", "-", name)
    if len(safe) <= 120:
        return safe
    return f"{safe[:100]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
