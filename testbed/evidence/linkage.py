"""What cameras that film for days learn of people nobody enrolled (METRICS.md § Cameras that film for days).

Truth knows who is who, so this is of made-up people. Templates left behind, records that a database would open
(testbed/matching/linking.py), and whether a person's days are linked, each clustered by person.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from scipy import special

from testbed.evidence.figures import bounded, verdict
from testbed.evidence.intervals import FEWEST_SUBJECTS, Clustered, Interval, by_subject, rate_interval
from testbed.evidence.rates import ALPHA, CellData
from testbed.evidence.searches import Array
from testbed.evidence.tallied import Tallied
from testbed.matching.linking import unit
from testbed.matching.people import Group, People
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import ATTEMPTS, CAPTURES, LINKS, MOMENTS, RECORDS, TALLIES, THRESHOLDS
from testbed.scenario.synthetic import Synthetic, days_of


def linkage_of(
    data: CellData, run: RunDirectory, synthetic: Synthetic, tables: dict[str, pl.DataFrame]
) -> Iterator[dict[str, Any]]:
    """A row for a cell of several days: for every group what is left behind, and at each point records and links.

    tables: the cell's rows of ATTEMPTS, THRESHOLDS, TALLIES and MOMENTS. No row where the system keeps its templates to
    itself.
    """
    if synthetic.days == 1 or not run.has(LINKS):
        return
    days, people = days_of(synthetic), data.people
    mine = pl.col("cell") == data.cell
    records, links = (run.read(table).filter(mine) for table in (RECORDS, LINKS))
    if links.is_empty():
        return
    groups = people.within()
    gaps = [None, *range(1, max(days.values()))]
    tallied = {gap: _tallied(people, tables, unit(gap)) for gap in gaps}
    kept = _kept(run, data.cell, days, tables[ATTEMPTS.name])
    points = []
    for point in data.operating_points:
        k = tallied[None].index(point)
        held = records.filter(pl.col("point") == point)
        links_at = [
            _link(data, group, gap, links, tallied[gap], k) for gap in gaps for group in groups
        ]  # fmt: skip
        told = None if np.isnan(tallied[None].thresholds[k]).any() else _records(held, people, groups)
        points.append({"operating_point": point, "threshold": data.threshold(point), "records": told,
                       "links": links_at if told else []})  # fmt: skip
    yield {
        "system": data.system, "condition": data.condition, "cell": data.cell, "confidence": 1 - ALPHA,
        "days": max(days.values()),
        "left_behind": [_left_behind(kept, people, group) for group in groups],
        "first": [_first(data, group, gap, links) for gap in gaps for group in groups],
        "points": points,
    }  # fmt: skip


def per_person(counts: Array, trials: Array, most: float, alpha: float = ALPHA) -> dict[str, Any]:
    """How many there are per trial, `Σ counts / Σ trials`, each `(G,)` by person; no trial can have over `most`.

    Student's t, each person left out once (jackknife): with unequal trials of 8 people that holds in 93.8 % of Gaussian
    cases, 93.2 % without. Where all are alike their spread is nothing: what is then bounded is how many people could be
    otherwise (zero of G were), by as much as can be.
    """
    counts, trials = counts[trials > 0], trials[trials > 0]
    G, M = len(trials), trials.sum()
    judged = "measured" if G >= FEWEST_SUBJECTS else "insufficient"
    if not G:
        return {"value": None, "low": 0.0, "high": most, "people": 0, "method": "nobody", "verdict": "insufficient"}
    value = float(counts.sum() / M)
    d = (counts - value * trials) / (1 - trials / M) if G > 1 else np.zeros(1)
    spread = float(np.sqrt((d @ d) * (G - 1) / G)) / M
    if spread > 1e-12:
        half = float(special.stdtrit(G - 1, 1 - alpha / 2)) * spread
        low, high, how = max(0.0, value - half), min(most, value + half), f"by person, t({G - 1})"
    else:
        share = 1 - (alpha / 2) ** (1 / G)
        low, high = value * (1 - share), value + share * max(0.0, most - value)
        how = f"all {G} alike, at most {share:.2g} of people otherwise"
    return {"value": value, "low": low, "high": high, "people": G, "method": how, "verdict": judged}


# -- templates ----------------------------------------------------------------------------------------------------
def _kept(run: RunDirectory, cell: str, days: dict[str, int], attempts: pl.DataFrame) -> pl.DataFrame:
    """A row for every person and day before a camera: subject, day, templates."""
    day = pl.col("camera").replace_strict(days, return_dtype=pl.Int64)
    came = attempts.filter(pl.col("state") != "undelivered").select("subject", day=day).unique()
    parts = [
        run.read(CAPTURES, part).filter(pl.col("state") == "ok").select("subject", day=day)
        for part in run.parts(CAPTURES, cell)
    ]  # fmt: skip
    made = pl.concat([came.clear(), *parts]).group_by("subject", "day").agg(templates=pl.len().cast(pl.Int64))
    return came.join(made, ["subject", "day"], how="left").with_columns(pl.col("templates").fill_null(0))


def _left_behind(kept: pl.DataFrame, people: People, group: Group) -> dict[str, Any]:
    """Templates of a person on a day, the days on which there was none, and the people of whom there never was."""
    mine = _of(kept, people, group)
    owners, S = people.index(mine["subject"]), len(people.subjects)
    trials, made = np.bincount(owners, minlength=S), np.bincount(owners, mine["templates"].to_numpy(), minlength=S)
    none = np.bincount(owners, (mine["templates"] == 0).to_numpy(), minlength=S)
    came = (trials > 0).astype(np.int64)
    most = float(kept["templates"].max() or 0)  # type: ignore[arg-type]
    return {
        "group": group.name, "attributes": group.attributes, "person_days": mine.height,
        "templates_a_day": per_person(made, trials, most),
        "days_without": _rate(by_subject(none, trials), "day of a person"),
        "never": _rate(by_subject(came * (none == trials), came), "person"),
    }  # fmt: skip


# -- records ------------------------------------------------------------------------------------------------------
def _records(held: pl.DataFrame, people: People, groups: list[Group]) -> dict[str, Any]:
    """What the database holds at the end, by group, and of everybody as days go by."""
    known = held.filter(pl.col("subject").is_not_null())
    whose = known.select("record", "subject").unique()
    mixed = whose.group_by("record").len().filter(pl.col("len") > 1)["record"]
    together = whose.filter(pl.col("record").is_in(mixed.implode()))["subject"].unique()
    each = known.group_by("subject").agg(opened=pl.col("opened").sum(), templates=pl.col("captures").sum())
    each = each.with_columns(pl.col("opened").cast(pl.Int64), shares=pl.col("subject").is_in(together.implode()))
    most = float(each["templates"].max() or 0)  # type: ignore[arg-type]
    return {
        "records": held["record"].n_unique(), "templates": int(held["captures"].sum()), "mixed": len(mixed),
        "of_nobody": held["record"].n_unique() - known["record"].n_unique(),
        "groups": [_records_of(_of(each, people, group), group, most) for group in groups],
        "growth": [
            {"day": day, **_opened_by(known.filter(pl.col("day") <= day), most)}
            for day in known["day"].unique().sort()
        ],
    }  # fmt: skip


def _records_of(each: pl.DataFrame, group: Group, most: float) -> dict[str, Any]:
    opened, shares, one = each["opened"].to_numpy(), each["shares"].to_numpy(), np.ones(each.height, np.int64)
    by_number = each.group_by("opened").len("people").sort("opened").rename({"opened": "records"})
    return {
        "group": group.name, "attributes": group.attributes, "records_each": per_person(opened, one, most),
        "several": _rate(by_subject(opened > 1, one), "person"),
        "shared": _rate(_in_pairs(by_subject(shares, one)), "person"),
        "people_by_records": by_number.to_dicts(),
    }  # fmt: skip


def _opened_by(known: pl.DataFrame, most: float) -> dict[str, Any]:
    opened = known.group_by("subject").agg(pl.col("opened").sum())["opened"].to_numpy().astype(np.int64)
    return per_person(opened, np.ones(len(opened), np.int64), most)


def _in_pairs(rate: Clustered) -> Clustered:
    """Who shares a record shares it with somebody: two people carry one error, so they count as half as many."""
    return replace(rate, variance=2 * rate.variance, freedom=max(1.0, rate.freedom / 2), disjoint=rate.subjects // 2)


# -- links --------------------------------------------------------------------------------------------------------
def _tallied(people: People, tables: dict[str, pl.DataFrame], called: str) -> Tallied:
    of_unit = (tables[table.name].filter(pl.col("unit") == called) for table in (TALLIES, MOMENTS))
    return Tallied.of(people, tables[THRESHOLDS.name], *of_unit)


def _link(
    data: CellData, group: Group, gap: int | None, links: pl.DataFrame, tallied: Tallied, k: int
) -> dict[str, Any]:  # fmt: skip
    """Of a group, days so far apart (None: any two): own days linked, and two people linked falsely."""
    mine = _apart(_of(links, data.people, group), gap)
    owners = data.people.index(mine["subject"])
    sign = 1.0 if data.direction == "similarity" else -1.0
    limits = tallied.thresholds[k][data.people.folds[owners]]
    linked = sign * mine["score"].fill_null(-sign * np.inf).to_numpy() >= sign * limits
    false = tallied.fmr(k, group, group)
    return {
        "group": group.name, "attributes": group.attributes, "gap": gap,
        "linked": _rate(_by_owner(linked, owners, data.people), "pair of days"),
        "without_template": int(mine["score"].null_count()),
        "false": _rate(false, "pair of days", tallied.lenders(group, group), paired=True),
    }  # fmt: skip


def _first(data: CellData, group: Group, gap: int | None, links: pl.DataFrame) -> dict[str, Any]:
    """Of a group: how often nobody of the earlier day is as alike as the person's own; no template is never first."""
    mine = _apart(_of(links, data.people, group), gap)
    first = (mine["closer"] == 0).fill_null(value=False).to_numpy()
    return {
        "group": group.name, "attributes": group.attributes, "gap": gap,
        "others": float(mine["others"].mean() or 0),  # type: ignore[arg-type]
        "first": _rate(_by_owner(first, data.people.index(mine["subject"]), data.people), "pair of days"),
    }  # fmt: skip


def _apart(links: pl.DataFrame, gap: int | None) -> pl.DataFrame:
    return links if gap is None else links.filter(pl.col("later") - pl.col("earlier") == gap)


def _by_owner(errors: Array, owners: Array, people: People) -> Clustered:
    S = len(people.subjects)
    return by_subject(np.bincount(owners, errors, minlength=S), np.bincount(owners, minlength=S))


def _of(rows: pl.DataFrame, people: People, group: Group) -> pl.DataFrame:
    """Rows of a group's people."""
    inside = np.isin(people.groups[people.index(rows["subject"])], group.members)
    return rows.filter(pl.Series(inside, dtype=pl.Boolean))


def _rate(
    rate: Clustered, unit: str, lenders: list[Clustered] | None = None, *, paired: bool = False
) -> dict[str, Any]:
    interval: Interval = rate_interval(rate, lenders or [], ALPHA)
    return {
        "value": rate.rate if rate.comparisons else None, **bounded(interval), "errors": rate.errors,
        "comparisons": rate.comparisons, "subjects": rate.subjects, "unit": unit,
        "verdict": verdict([rate], paired=paired),
    }  # fmt: skip
