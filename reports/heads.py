"""Who is found at all: heads by size, angle and light, in sentences and as a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reports.reading import Contents, Figure
from reports.wording import count, interval, percent
from testbed.scenario.cells import Cell

BY = {
    "size": "height of the head, pixels", "yaw": "turned to the side, degrees",
    "pitch": "seen from below (less than 0) or above, degrees", "light": "light on the brow, share of white",
}  # fmt: skip
"""What heads are told apart by, as an axis is called."""
INDEPENDENT = {"person": "people", "track": "heads followed", "stretch": "stretches of time"}


def _shares(row: Figure) -> list[str]:
    """How many heads were found, and that too little stands behind it where that is so."""
    what = "heads that people boxed by hand" if row["source"] == "annotated heads" else "faces that could be seen"
    found, template = row["found"], row["template"]
    said = [
        f"In {count(row['pictures'], 'pictures')} there were {count(row['heads'], what)}: a face was found in "
        f"{percent(found['value'])} of them {interval(found)}, and a template was made of {percent(template['value'])} "
        f"{interval(template)}."
    ]
    if found["verdict"] == "insufficient":
        said.append(f"That rests on {_independent(row)}: too few to say anything.")
    return said


def in_words(row: Figure) -> list[str]:
    """What was found of a cell's heads, in sentences."""
    said, beside = _shares(row), row["unexplained"]
    by = row["counted_by"].split(" or ")
    if "person" not in by:
        said.append(
            "Nobody knows whose heads these are, so it is not known how many people they belong to, and nothing can be "
            "said of matches."
        )
    elif len(by) > 1:
        said.append("Of some of them nobody knows whose they are; of those, nothing can be said of matches.")
    said.append(
        f"Found where no head is: {count(beside['faces'], 'faces')}, in {percent(beside['value'])} of the pictures "
        f"{interval(beside)}."
    )
    return said


def found(contents: Contents, cell: Cell) -> list[str]:
    """Who is found at all in one cell, where that is the question: footage with boxed heads, or a film of days."""
    return [said for row in _asked(contents, cell) for said in in_words(row)]


def headline(contents: Contents, cell: Cell) -> list[str]:
    """The same in one sentence, and that too little stands behind it where that is so."""
    return [said for row in _asked(contents, cell) for said in _shares(row)]


def alone(contents: Contents) -> list[Figure]:
    """The heads of footage of which nothing else is measured: without reference photographs nothing is compared."""
    compares = contents.scenario.references is not None or contents.synthetic
    return [] if compares else [row for row in contents.heads if row["source"] == "annotated heads"]


def _asked(contents: Contents, cell: Cell) -> list[Figure]:
    return [r for r in contents.heads_in(cell) if r["source"] == "annotated heads" or contents.linked_in(cell)]


def rests_on(row: Figure) -> str:
    """What the intervals take for independent."""
    together = {
        "person": "all pictures of one person count together",
        "track": "all pictures of a head that was followed count together",
        "stretch": f"all heads of one camera in {row['stay_s'] / 60:g} minutes count together, as who stays is no new "
        "evidence",
    }
    return f"{_independent(row)}; {', '.join(together[each] for each in row['counted_by'].split(' or '))}"


def _independent(row: Figure) -> str:
    """How many people, heads followed or stretches of time there are."""
    return count(row["found"]["subjects"], " or ".join(INDEPENDENT[each] for each in row["counted_by"].split(" or ")))


def called(low: float, high: float | None, by: str) -> str:
    """A bin's name: 24–32; over 128; at most −15."""
    scale = 100 if by == "light" else 1
    ends = [f"{scale * end:g}".replace("-", "−") for end in (low, high) if end is not None]
    sign = " %" if by == "light" else ""
    return f"over {ends[0]}{sign}" if high is None else f"{ends[0]} to {ends[1]}{sign}"


def table(contents: Contents) -> Iterator[dict[str, Any]]:
    """Every share of heads found and with a template: of all, by group and by bin, flat."""
    for row in contents.heads:
        whose = {"system": row["system"], "condition": row["condition"]["name"], "source": row["source"],
                 "pictures": row["pictures"], "independent": row["counted_by"]}  # fmt: skip
        told = [({"by": "all"}, row)]
        told += [({"by": "group", "group": each["group"]}, each) for each in row["groups"]]
        told += [({name: each[name] for name in ("by", "unit", "from", "to")}, each) for each in row["bins"]]
        none = dict.fromkeys(("group", "unit", "from", "to"))
        for place, each in told:
            for what in ("found", "template"):
                yield {**whose, **none, **place, "share": what, **each[what]}
        beside = {name: value for name, value in row["unexplained"].items() if name != "faces"}
        yield {**whose, **none, "by": "all", "share": "pictures with a face where no head is", **beside}
