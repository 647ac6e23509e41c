"""Cameras that film for days: what one person leaves behind, and whether days are linked; in words and as a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reports.alerts import between, number
from reports.reading import EVERYBODY, Contents, Figure
from reports.wording import at_point, capital, count, interval, percent
from testbed.scenario.cells import Cell


def of_group(rows: list[Figure], group: str, gap: int | None = None) -> Figure:
    """The row of a group; of links, of days so far apart (None: of any two)."""
    return next(row for row in rows if row["group"] == group and row.get("gap") == gap)


def in_words(row: Figure, point: Figure) -> list[str]:
    """What the cameras learn at one operating point, in sentences for everybody."""
    left = of_group(row["left_behind"], EVERYBODY)
    made, none, never = left["templates_a_day"], left["days_without"], left["never"]
    said = [
        f"On a day one person leaves {number(made['value'])} templates behind on average {between(made)} "
        f"({count(made['people'], 'people')}); on {percent(none['value'])} of the days on which somebody came, none "
        f"{interval(none)}, and of {percent(never['value'])} of the people {interval(never)} there is none of any day."
    ] if made["value"] is not None else ["Nobody was put before the cameras."]  # fmt: skip
    records = point["records"]
    if records is None:
        return [*said, "No threshold could be found among so few comparisons, so nothing is said of records and links."]
    whole = of_group(records["groups"], EVERYBODY)
    if whole["records_each"]["value"] is not None:
        several, shared = whole["several"], whole["shared"]
        said.append(
            f"A database that opens a record for every face it does not recognise would hold "
            f"{count(records['records'], 'records')} after {count(row['days'], 'days')}: "
            f"{number(whole['records_each']['value'])} opened by one person on average "
            f"{between(whole['records_each'])}. {percent(several['value'])} of the people opened more than one "
            f"{interval(several)}. Faces of more than one person lie in {count(records['mixed'], 'records')}, and "
            f"{percent(shared['value'])} of the people are in such a record {interval(shared)}."
        )
        if records["of_nobody"]:
            said.append(f"Faces that no truth explains fill {count(records['of_nobody'], 'records')} of their own.")
    link = of_group(point["links"], EVERYBODY)
    if link["linked"]["value"] is not None:
        first = of_group(row["first"], EVERYBODY)
        said.append(
            f"Of the times that one person came on two days, both days were linked in {quoted(link['linked'])}; "
            f"in {count(link['without_template'])} of them one of the days left no template, and links to nothing. "
            f"In {percent(first['first']['value'])} {interval(first['first'])} nobody else was as alike, among "
            f"{number(first['others'])} others on average."
        )
    if whole["records_each"]["verdict"] == "insufficient":
        said.append("These are too few people to say anything.")
    if link["false"]["value"] is not None:
        said.append(f"Two different people were linked in {quoted(link['false'])}.")
    return said


def found(contents: Contents, cell: Cell) -> list[str]:
    """What one cell's cameras learn over days at its main operating point; nothing of films of one day."""
    return [said for row in contents.linked_in(cell) for said in in_words(row, contents.at_points(row)[0])]


def headline(contents: Contents, cell: Cell) -> list[str]:
    """The same in a sentence for each part: what one person leaves behind, the records, and whether days are linked."""
    return [said for row in contents.linked_in(cell) for said in _in_short(row, contents.at_points(row)[0])]


def _in_short(row: Figure, point: Figure) -> list[str]:
    left = of_group(row["left_behind"], EVERYBODY)
    made, never = left["templates_a_day"], left["never"]
    if made["value"] is None:
        return ["Nobody was put before the cameras."]
    few = ["These are too few people to say anything."] if made["verdict"] == "insufficient" else []
    said = [
        f"Of {count(never['comparisons'], 'people')} {count(never['errors'])} left no template on any day "
        f"({percent(never['value'])} {interval(never)}), and one person leaves {number(made['value'])} on a day on "
        f"average {between(made)}."
    ]
    if point["records"] is None:
        return [*said, "No threshold could be found, so nothing is said of records and links.", *few]
    whole = of_group(point["records"]["groups"], EVERYBODY)
    each, shared = whole["records_each"], whole["shared"]
    if each["value"] is not None:
        said.append(
            "In a database that opens a record for every face it does not recognise, "
            f"{count(each['people'], 'people')} who left a template would open {number(each['value'])} each on average "
            f"{between(each)}, and {percent(shared['value'])} of them {interval(shared)} would be in one with somebody "
            "else."
        )
    link, first = of_group(point["links"], EVERYBODY), of_group(row["first"], EVERYBODY)["first"]
    if link["linked"]["value"] is not None:
        falsely = link["false"]["value"] is not None
        said.append(
            f"{capital(at_point(point['operating_point']))}, two days of one person were linked in "
            f"{quoted(link['linked'])}"
            + (f", and falsely two different people in {quoted(link['false'])}" if falsely else "")
            + f"; without a threshold, the person's own day was the most alike in {percent(first['value'])} "
            f"{interval(first)}."
        )
    return said + few


def quoted(rate: Figure) -> str:
    """A rate of links with what stands beside it: 93 % [80–99 %] (40 of 43, 16 people)."""
    beside = f"{count(rate['errors'])} of {count(rate['comparisons'])}, {count(rate['subjects'], 'people')}"
    return f"{percent(rate['value'])} {interval(rate)} ({beside})"


def table(contents: Contents) -> Iterator[dict[str, Any]]:
    """Every figure of records and links, flat: one row for each measure, group, gap and operating point."""
    for row in contents.linkage:
        whose = {"system": row["system"], "condition": row["condition"]["name"], "days": row["days"]}
        for each in row["left_behind"]:
            for measure in ("templates_a_day", "days_without", "never"):
                yield _flat(whose, measure, each, each[measure])
        for each in row["first"]:
            yield _flat(whose, "first", each, each["first"])
        for point in row["points"]:
            at = {**whose, "operating_point": point["operating_point"], "threshold": point["threshold"]}
            for each in point["records"]["groups"] if point["records"] else []:
                for measure in ("records_each", "several", "shared"):
                    yield _flat(at, measure, each, each[measure])
            for each in point["links"]:
                for measure in ("linked", "false"):
                    yield _flat(at, measure, each, each[measure])


def _flat(whose: dict[str, Any], measure: str, row: Figure, told: Figure) -> dict[str, Any]:
    empty = dict.fromkeys(("operating_point", "threshold"))
    people = told.get("subjects", told.get("people"))
    return {
        **empty, **whose, "measure": measure, "group": row["group"], "days_apart": row.get("gap"),
        **{name: told[name] for name in ("value", "low", "high")}, "errors": told.get("errors"),
        "comparisons": told.get("comparisons"), "people": people, "method": told["method"], "verdict": told["verdict"],
    }  # fmt: skip
