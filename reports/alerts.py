"""At the gate: what a watch-list does to those who pass, in sentences and as tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reports.reading import EVERYBODY, Contents, Figure
from reports.wording import bounds, count, one_in, percent

TOLD = 1e-3
"""The share of wanted people that precision is told in words for: 1 in 1,000."""
VIEWS = {"by_pass": "pass", "by_track": "track"}


def everybody(row: Figure) -> Figure:
    """Of a row of alerts, what holds for everybody."""
    return next(group for group in row["groups"] if group["group"] == EVERYBODY)


def number(value: float) -> str:
    """How many, of a thousand or in an hour: 409, 12.5, 0.31, 0."""
    return f"{value:,.0f}" if value >= 99.5 or value == 0 else f"{value:.1f}" if value >= 9.95 else f"{value:.2g}"


def between(one: Figure, times: float = 1) -> str:
    """An interval of such numbers: [186–646]."""
    return f"[{number(times * one['low'])}–{number(times * one['high'])}]"


def in_words(row: Figure) -> list[str]:
    """What happens at the gate at one operating point, in sentences for everybody."""
    whole = everybody(row)
    seen, told = whole["by_pass"], []
    false, missed, hourly = seen["false_alerts"], seen["missed"], seen["per_camera_hour"]
    if false["value"] is None:
        told.append(f"How many are stopped by mistake cannot be told: {false['method']}.")
    elif hourly:
        told.append(
            f"In one hour at one camera, at this traffic, people pass {number(hourly['units'])} times; "
            f"{number(hourly['value'])} times somebody is stopped by mistake {between(hourly)}."
        )
    else:
        told.append(
            f"Of 1,000 passes, {number(1000 * false['value'])} end with somebody stopped by mistake "
            f"{between(false, 1000)}."
        )
    if not whole["wanted_passes"]:
        told.append("Nobody wanted passed, so nothing is known of misses.")
    elif missed["value"] is None:
        told.append(f"How many of the wanted pass unnoticed cannot be told: {missed['method']}.")
    else:
        told.append(
            f"Of 100 passes of the wanted, {number(100 * missed['value'])} go unnoticed {between(missed, 100)} "
            f"({count(missed['errors'])} of {count(missed['comparisons'])}, {count(missed['subjects'], 'people')})."
        )
    at = next((each for each in (whole["precision"] or {"at": []})["at"] if each["prevalence"] == TOLD), None)
    if at is not None and at["value"] is not None:
        told.append(
            f"If 1 in 1,000 of those who pass were wanted, {right(at['value'])} would be of the right person "
            f"{bounds(at['low'], at['high'])}."
        )
    return told


def right(share: float) -> str:
    """A share of stops: of 100 stops about 26; about 1 stop in 1,113."""
    if share >= 0.01:
        return f"of 100 stops {'all' if share == 1 else f'about {number(100 * share)}'}"
    return "no stop" if share == 0 else f"{one_in(share).replace('1 in', '1 stop in')}"


def hours(row: Figure) -> str:
    """How long was filmed: 2.6 minutes; 5.2 hours."""
    minutes = 60 * row["hours"]
    return f"{minutes:.1f} minutes" if minutes < 90 else f"{row['hours']:.1f} hours"


def followed(row: Figure) -> list[str]:
    """What the tracker made of the passes, and what that did to stops, in sentences."""
    made, whole = row["tracking"], everybody(row)
    said = [
        f"The tracker joined {count(made['captures'], 'faces')} found into {count(made['tracks'], 'tracks')}. "
        f"{count(made['passes_followed'])} of {count(made['passes'], 'passes')} have one or more; "
        f"{count(made['broken'])} fell into several, which can stop a person more than once; "
        f"{count(made['mixed'], 'tracks')} held faces that are not of the pass it mostly shows; "
        f"{count(made['unassigned'])} showed nobody that truth knows of."
    ]
    before, after = (whole[view]["per_camera_hour"] for view in VIEWS)
    if before and after:
        said.append(
            f"Counted by track, {number(after['value'])} stops an hour are mistakes {between(after)}; by pass, "
            f"{number(before['value'])} {between(before)}."
        )
    lost = [whole[view]["missed"]["value"] for view in VIEWS]
    if None not in lost:
        said.append(
            f"Of the passes of the wanted, {percent(lost[1])} go unnoticed by track, {percent(lost[0])} by pass."
        )
    alerts = made["alerts"]
    said.append(
        f"The tracks named somebody {count(sum(alerts.values()), 'times')}: {count(alerts['true'])} right, "
        f"{count(alerts['false'])} wrong, {count(alerts['unknown'])} where nobody knows who it was."
    )
    return said


def table(contents: Contents) -> Iterator[dict[str, Any]]:
    """Every rate of every group in both views, flat, one row for each cell and operating point."""
    for row in contents.alerts:
        for group in row["groups"]:
            for view, unit in VIEWS.items():
                if group[view] is None:
                    continue
                flat = {**_whose(row), "group": group["group"], "counted_by": unit, "wanted": row["wanted"],
                        **{name: group[name] for name in ("people", "passes", "wanted_people", "wanted_passes")},
                        "camera_hours": row["hours"]}  # fmt: skip
                for name in ("missed", "false_alerts", "people_stopped"):
                    told = group[view][name]
                    flat |= {name: told["value"], f"{name}_low": told["low"], f"{name}_high": told["high"],
                             **{f"{name}_{each}": told[each] for each in
                                ("errors", "comparisons", "subjects", "method", "verdict")}}  # fmt: skip
                hourly = group[view]["per_camera_hour"] or {}
                flat |= {"units_per_camera_hour": hourly.get("units"), "per_camera_hour": hourly.get("value"),
                         **{f"per_camera_hour_{end}": hourly.get(end) for end in ("low", "high")}}  # fmt: skip
                yield flat


def precision_table(contents: Contents) -> Iterator[dict[str, Any]]:
    """Precision by group and by the share of passes that are of wanted people, flat."""
    for row in contents.alerts:
        for group in row["groups"]:
            if told := group["precision"]:
                for at in (told["own"], *told["at"]):
                    yield {**_whose(row), "group": group["group"], "as_in_this_run": at is told["own"], **at,
                           "verdict": told["verdict"]}  # fmt: skip


def _whose(row: Figure) -> dict[str, Any]:
    return {"system": row["system"], "condition": row["condition"]["name"], "fusion": row["fusion"],
            "operating_point": row["operating_point"], "threshold": row["threshold"]}  # fmt: skip
