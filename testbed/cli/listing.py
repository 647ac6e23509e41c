"""What there is: systems and their options, scenarios and their questions, as text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipelines.errors import InputError
from testbed.evidence.planning import Plan
from testbed.evidence.stage import EVIDENCE
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


def claims(directory: Path) -> str:
    """Every judged statement of a run's claims, one line each."""
    evidence = json.loads((directory / EVIDENCE).read_text(encoding="utf-8"))
    lines = []
    for row in evidence["claims"]:
        who = row["probe_group"] if row["reference_group"] in (None, row["probe_group"]) else row["reference_group"]
        value = "nothing compared" if row["value"] is None else f"{row['value']:.3g}"
        lines.append(
            f"{row['verdict'].upper():<12} {row['says']}: {row['system']}, {who}: {row['read_as']} {value} "
            f"[{row['low']:.3g}, {row['high']:.3g}], {row['errors']} of {row['comparisons']}, "
            f"{row['subjects']} people; claimed at most {row['bound']:.3g}{_further(row)}"
        )
    return "\n".join(lines)


def _further(row: dict[str, Any]) -> str:
    if row["verdict"] != "not settled":
        return "" if row["assumption_free_agrees"] else " (the assumption-free bound does not reach this verdict)"
    people = row["further_people_if_half_the_bound"]
    if people is None:
        return ""
    return f"; {people} more people would settle it, were the true rate half the claimed bound"


def plan(planned: Plan) -> str:
    """A plan as a short table."""
    pairs = planned.metric == "FMR"
    lines = [
        f"To support {planned.metric} at most {planned.bound:g} for every group, without a single error, "
        f"{planned.statements} statement(s) together at {planned.confidence:.0%} confidence:",
        f"  {planned.comparisons:,} independent {'comparisons' if pairs else 'people'} per group",
    ]
    if pairs:
        lines += [
            f"  {planned.disjoint:>12,} people per group, whatever the dependence (pairs that share nobody)",
            f"  {planned.borrowed:>12,} people per group, at a design effect of {planned.design_effect:g} (assumed)",
            f"  {planned.optimistic:>12,} people per group, if all pairs were independent (they are not: optimistic)",
        ]
    return "\n".join(lines)


def _nearby(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _first_line(text: str | None) -> str:
    return (text or "").strip().splitlines()[0]
