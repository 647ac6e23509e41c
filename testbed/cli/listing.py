"""What there is: systems and their options, scenarios and their questions, as text."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from textwrap import wrap
from typing import Any

from pipelines.errors import InputError
from reports import claims as words
from reports import truth
from reports.wording import THIN, listed
from testbed.evidence.planning import Plan
from testbed.evidence.stage import EVIDENCE
from testbed.scenario.documents import read
from testbed.scenario.systems import available, describe

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"
WIDTH = 108
INDENT = 19 * " "


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


def absent(scenario: Path) -> InputError:
    """What to say of a scenario file that is not there: those that are, as `scenarios` lists them."""
    there = ", ".join(str(_nearby(path)) for path in sorted(SCENARIOS.glob("*.yaml"))) or "none"
    return InputError(f"{scenario}: there is no such file; the scenarios that come with the testbed are {there}")


def claims(directory: Path) -> str:
    """Every claim judged, and under it its statements: verdict, what it is of, observed, limits, what it rests on."""
    judged = json.loads((directory / EVIDENCE).read_text(encoding="utf-8"))["claims"]
    lines, said = [], None
    for systems, rows in (each for claim in words.by_claim(judged) for each in words.by_system(claim)):
        first = rows[0]
        lines += [] if first["says"] == said else ["", *wrap(first["says"], WIDTH)]
        said = first["says"]
        bound = words.claimed_by_all(rows)
        lines.append(f"  {listed(systems)}, {first['condition']['name']}{': ' if bound else ''}{bound}")
        for row in rows:
            what = words.about(row)
            told = [what if words.limits(row) == "–" else
                    f"{what}: {words.observed(row)} {words.limits(row)}; {words.counted(row)}",
                    words.settles(row)]  # fmt: skip
            start = f"    {row['verdict'].upper():<12} "
            whole = "; ".join(filter(None, told))
            for text in [whole] if len(start + whole) <= WIDTH else filter(None, told):
                lines += wrap(text, WIDTH, initial_indent=start, subsequent_indent=INDENT)
                start = INDENT
    return "\n".join(lines).replace(THIN, " ").removeprefix("\n")


def check(rows: int, path: Path, run: Path) -> str:
    """What to do with a sheet of so many rows."""
    if not rows:
        return "Nobody was falsely matched there, or returned in a search, so there is nothing to check."
    return "\n".join([
        f"{rows} pairs of people to look at: {_nearby(path)}",
        "Some were falsely matched, as many were drawn at random; which is which is not said, so that nobody is led.",
        "For each row look at the pictures of both and write into same_person: yes, no or unclear.",
        f"Then: testbed evaluate {_nearby(run)} --checked {_nearby(path)} && testbed report {_nearby(run)}",
        "The sheet holds ids of people; delete it when it is no longer needed.",
    ])  # fmt: skip


def corrections(directory: Path) -> str:
    """What the answers on a sheet were, what has none, and how many figures they move."""
    found = json.loads((directory / EVIDENCE).read_text(encoding="utf-8"))["corrections"]
    moved = sum(
        any(row[name] != row[f"corrected_{name}"] for name in ("errors", "comparisons")) for row in found["figures"]
    )
    return "\n".join([
        *truth.answers(found),
        f"{moved} of {len(found['figures'])} rates and {len(found['verdicts'])} verdicts change",
    ])  # fmt: skip


def label_check(directory: Path) -> str:
    """What the rates become if labels are wrong as often as stated, a sentence for each kind of group."""
    from reports.findings import labels_checked
    from reports.reading import read
    from testbed.runs.directory import RunDirectory
    from testbed.scenario.loading import reload

    run = RunDirectory.open(directory)
    return "\n".join(labels_checked(read(run, reload(run.manifest()["scenario"]))))


def kept(manifest: Mapping[str, Any], given: Collection[str]) -> str:
    """What was handed in before and is not `given` now, so that it is taken into account again; "" where nothing is."""
    noted = {
        "claims": [manifest.get("claims_file", "an earlier file")] if manifest.get("claims") else [],
        "label-errors": sorted({each["file"] for each in (manifest.get("label_errors") or {}).values()}),
        "checked": [manifest["checked"]["file"]] if manifest.get("checked") else [],
        "review": [manifest["review_file"]] if manifest.get("review") else [],
    }
    words = {"claims": "claims of", "label-errors": "label errors of", "checked": "answers of",
             "review": "assumptions of"}  # fmt: skip
    again = {option: f"{words[option]} {listed(names)}" for option, names in noted.items()
             if names and option not in given}  # fmt: skip
    drop = listed(f"--{option} none" for option in again)
    return f"kept from before: {listed(again.values())} (drop: {drop})" if again else ""


def plan(planned: Plan, measured: str | None = None, assumed: Plan | None = None) -> str:
    """A plan as a short table.

    measured: where its design effect was, None where it is assumed; assumed: the same plan at the assumed one.
    """
    pairs = planned.metric == "FMR"
    lines = [
        f"To support {planned.metric} at most {planned.bound:g} for every group, without a single error, "
        f"{planned.statements} statement(s) together at {planned.confidence:.0%} confidence:",
        f"  {planned.comparisons:,} independent {'comparisons' if pairs else 'people'} per group",
    ]
    if pairs:
        effect, size = planned.effect, planned.effect.of(planned.borrowed)
        how = f"{effect.value:g}: an assumption, not a finding"
        if measured is not None:
            how = f"{effect.value:.3g} among {effect.measured_on} people, as measured in {measured}"
        lines += [
            f"  {planned.disjoint:>12,} people per group, whatever the dependence (pairs that share nobody)",
            f"  {planned.borrowed:>12,} people per group, at a design effect of {how}",
            f"  {planned.optimistic:>12,} people per group, if all pairs were independent (they are not: optimistic)",
            *wrap("Design effect: comparisons that share a person are alike, so all pairs together are worth only that "
                  "part of as many independent ones: a third where it is 3. It grows with the people, since each then "
                  "takes part in more pairs.", WIDTH),
        ]  # fmt: skip
        said = (
            f"The {effect.value:g} is assumed and held fixed. What a run measured, growing with people, can ask for "
            "dozens of times as many: take it from a run like the one planned, with --run RUN."
            if assumed is None else
            f"Among {planned.borrowed:,} people it is {size:,.0f}. Had {assumed.effect.value:g} been assumed, the "
            f"answer would have been {assumed.borrowed:,} people: measure rather than assume."
        )  # fmt: skip
        lines += wrap(said, WIDTH)
    return "\n".join(lines)


def _nearby(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _first_line(text: str | None) -> str:
    return (text or "").strip().splitlines()[0]
