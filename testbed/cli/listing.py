"""What there is: systems and their options, scenarios and their questions, as text."""

from __future__ import annotations

from pathlib import Path

from pipelines.errors import InputError
from testbed.scenario.documents import read
from testbed.scenario.systems import available, describe

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"


def pipelines(name: str | None) -> str:
    """The installed systems, or one system's options with types, defaults and meaning."""
    found = available()
    if name is None:
        lines = [f"{each:<18} {_first_line(found[each].load().__doc__)}" for each in sorted(found)]
        return "\n".join([*lines, "", "Options of one: testbed pipelines NAME"])
    if name not in found:
        raise InputError(f"no system is called {name!r}; there are {', '.join(sorted(found))}")
    lines = [f"{name}: {_first_line(found[name].load().__doc__)}", ""]
    for option in describe(name):
        default = "required" if option.required else f"default {option.default!r}"
        lines += [f"  {option.name}: {option.type_name} ({default})", f"      {option.doc}"]
    return "\n".join(lines)


def scenarios() -> str:
    """The scenario files shipped with the testbed, each with its title and question."""
    lines = []
    for path in sorted(SCENARIOS.glob("*.yaml")):
        document = read(path).value
        lines += [str(_nearby(path)), f"    {document['title']}", f"    {document.get('question', '')}", ""]
    return "\n".join([*lines, "Run one: testbed run FILE     Change a value: --set subjects.limit=24"])


def _nearby(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _first_line(text: str | None) -> str:
    return (text or "").strip().splitlines()[0]
