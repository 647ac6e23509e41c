"""At the gate: what a watch-list does to those who pass, in sentences and as tables."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, log10
from typing import Any

from reports.reading import EVERYBODY, Contents, Figure
from reports.wording import at_point, capital, count, interval, percent, score

ONE_IN = 1000
"""Of so many who pass, one is wanted where precision is told in words."""
TABLED = (100, 1000, 10_000, 100_000)
"""And where it is told in the table, of so many stops."""
STOPS = 100_000
RATES = ("missed", "false_alerts", "false_alerts_of_all", "wanted_mistaken", "people_stopped")
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
    seen, told, unseen = whole["by_pass"], [], whole["unseen"]
    false, missed, hourly = seen["false_alerts"], seen["missed"], seen["per_camera_hour"]
    at = at_point(row["operating_point"], "" if row["threshold"] is None else score(row["threshold"]))
    if false["value"] is None:
        told.append(f"How many are stopped by mistake {at} cannot be told: {false['method']}.")
    else:
        told.append(
            f"{capital(at)}, of 1,000 passes of people who are not wanted, {number(1000 * false['value'])} end with a "
            f"stop by mistake {between(false, 1000)} ({_of(false)})."
        )
    if hourly:
        told.append(
            f"In one hour at one camera, at this traffic, such people pass {number(hourly['units'])} times and are "
            f"stopped by mistake {number(hourly['value'])} times {between(hourly)} (scaled from the same "
            f"{count(false['comparisons'], 'passes')})."
        )
    if not whole["wanted_passes"]:
        told.append("Nobody wanted passed, so nothing is known of misses.")
    elif missed["value"] is None:
        told.append(f"How many of the wanted pass unnoticed {at} cannot be told: {missed['method']}.")
    else:
        told.append(
            f"Of 100 passes of the wanted, {number(100 * missed['value'])} go unnoticed {between(missed, 100)} "
            f"({_of(missed)})."
        )
    if unseen and (unseen["wanted_passes"] or unseen["other_passes"]):
        told.append(_not_counted(unseen))
    for rare in precise(row, (ONE_IN,)):
        if rare["value"] is not None:
            told.append(f"If 1 in {ONE_IN:,} of those who pass were wanted, {right(rare)}.")
    return told


def _of(rate: Figure) -> str:
    return f"{count(rate['errors'])} of {count(rate['comparisons'], 'passes')}, {count(rate['subjects'], 'people')}"


def _not_counted(unseen: Figure) -> str:
    """Passes without a face that could be recognised, and what becomes of misses if they are counted."""
    further = count(unseen["wanted_passes"], "passes").replace(" ", " further ")
    said = (
        f"{further} of the wanted (and {count(unseen['other_passes'])} of others) showed no face that could be "
        "recognised and are not counted"
    )
    missed = unseen["missed"]
    if not unseen["wanted_passes"] or missed["value"] is None:
        return f"{said}."
    whole = f"{count(missed['errors'])} of {count(missed['comparisons'])}"
    return f"{said}; counted as unnoticed, {whole} ({percent(missed['value'])} {interval(missed)}) go unnoticed."


def precise(row: Figure, rare: tuple[int, ...] = TABLED) -> list[Figure]:
    """Precision for everybody where 1 in so many of those who pass is wanted, each with its `one_in`."""
    told = everybody(row)["precision"] or {"at": []}
    by_rarity = {round(1 / at["prevalence"]): at for at in told["at"]}
    return [{**by_rarity[one_in], "one_in": one_in} for one_in in rare if one_in in by_rarity]


def right(at: Figure) -> str:
    """Of how many stops how many are right, and the interval in the same: of 1,000 stops about 1.1 …, [0.14–4.1]."""
    share = at["value"]
    stops = 10 ** max(2, ceil(-log10(share))) if share else STOPS
    many = "all" if share == 1 else f"about {number(stops * share)}" if share else "none"
    return f"of {stops:,} stops {many} would be of the right person {between(at, stops)}"


def each(seen: Figure, unit: str) -> str:
    """In how many passes, or tracks, somebody can be stopped at least once: 1 to 4 passes each, 3.4 on average."""
    people, units = seen["people_stopped"], seen["false_alerts"]["comparisons"]
    if not people["comparisons"]:
        return ""
    least, most = people["least_each"], people["most_each"]
    if least == most:
        return f"in {count(least, unit)} each"
    return f"in {least:,} to {count(most, unit)} each, {number(units / people['comparisons'])} on average"


def beside(row: Figure) -> list[str]:
    """What stands beside the table: the wanted taken for one another, and traffic with those who showed no face."""
    whole = everybody(row)
    mistaken, unseen, hourly = whole["by_pass"]["wanted_mistaken"], whole["unseen"], whole["by_pass"]["per_camera_hour"]
    said = []
    if mistaken["value"] is not None:
        said.append(
            "The wanted are left out of stops by mistake. They were taken for somebody else who is wanted at "
            f"{count(mistaken['errors'])} of their {count(mistaken['comparisons'], 'passes')} "
            f"({percent(mistaken['value'])} {interval(mistaken)})."
        )
    if unseen and unseen["wanted_people"]:
        said.append(
            f"{count(unseen['wanted_people'], 'people')} of the wanted showed no face that could be recognised at any "
            "pass."
        )
    if unseen and hourly and unseen["other_passes"]:
        said.append(
            "With the passes that showed no face, people who are not wanted pass "
            f"{number(unseen['others_per_camera_hour'])} times an hour at a camera; without, as in the table, "
            f"{number(hourly['units'])} times."
        )
    if unseen is None and row["hours"]:
        said.append("Passes without a face in the truth are not known, and are not counted.")
    return said


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
            f"Counted by track, people who are not wanted are stopped by mistake {number(after['value'])} times an "
            f"hour {between(after)}; by pass, {number(before['value'])} times {between(before)}."
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
                for name in RATES:
                    told = group[view][name]
                    flat |= {name: told["value"], f"{name}_low": told["low"], f"{name}_high": told["high"],
                             **{f"{name}_{each}": told[each] for each in
                                ("errors", "comparisons", "subjects", "method", "verdict")}}  # fmt: skip
                hourly = group[view]["per_camera_hour"] or {}
                flat |= {f"people_stopped_{end}": group[view]["people_stopped"][end]
                         for end in ("least_each", "most_each")}  # fmt: skip
                flat |= {"units_per_camera_hour": hourly.get("units"), "per_camera_hour": hourly.get("value"),
                         **{f"per_camera_hour_{end}": hourly.get(end) for end in ("low", "high")}}  # fmt: skip
                unseen = group["unseen"] or {}
                missed = unseen.get("missed") or {}
                flat |= {**{f"unseen_{name}": unseen.get(name) for name in ("wanted_passes", "other_passes")},
                         **{f"missed_with_unseen{end and f'_{end}'}": missed.get(end or "value")
                            for end in ("", "low", "high", "errors", "comparisons")}}  # fmt: skip
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
