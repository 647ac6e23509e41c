"""The report of made-up people: how far they are from photographs, in words and as a table."""

from __future__ import annotations

from typing import Any

from reports.reading import Contents, Figure
from reports.wording import MADE_UP, interval, percent
from testbed.scenario.cells import Cell

MAY = (
    "That the chain from camera to match works, and where it breaks: every truth is known exactly.",
    "What one cause does while all else stays the same: the same heads, the same walk, one thing changed. Only such "
    "contrasts are judged.",
    "How two systems compare on the very same pictures, as far as these drawings go.",
)
MAY_NOT = (
    "Anything about real groups of people. Sex, age and skin tone are settings of a drawing here, and no rate of a "
    "group of drawings is a rate of people.",
    "That a threshold learned on photographs means the same here, or the other way round. Scores of drawn faces lie "
    "elsewhere; the tables say how far.",
    "How often real faces are found. A rate of faces found speaks of this renderer: a drawn face can be easier or "
    "harder than a real one.",
    "What likelihood ratios, percents and false match rates are on real cameras. They are printed to test how they are "
    "made.",
)


def said_of_made_up(sentences: list[str]) -> list[str]:
    """Sentences of a finding, the first of which says whom they are about."""
    if not sentences:
        return []
    first, *more = sentences
    lower = first if first[1:2].isupper() else first[:1].lower() + first[1:]
    return [f"{MADE_UP.capitalize()}: {lower}", *more]


def sizes(contents: Contents, cell: Cell) -> list[Figure]:
    """A cell's rows of the domain gap, from small faces to large."""
    return [row for row in (contents.domain_gap or {}).get("rows", []) if row["cell"] == cell.id]


def most(rows: list[Figure]) -> Figure | None:
    """The face size with the most people to go by, of those with photographs beside them where there are any."""
    beside = [row for row in rows if row["photographs"]]
    return max(beside or rows, key=lambda row: (row["made_up"]["people"], row["made_up"]["faces"]), default=None)


def left_out(contents: Contents, cell: Cell) -> Figure:
    """How many faces of a cell are compared with no photograph, and why."""
    rows: list[Figure] = contents.domain_gap["left_out"] if contents.domain_gap else []
    return next(row for row in rows if row["cell"] == cell.id)


def in_words(contents: Contents, cell: Cell) -> list[str]:
    """The domain gap of a cell in sentences, at the size with the most people."""
    row = most(sizes(contents, cell))
    if row is None:
        return ["No face that looks at the camera is near any of the sizes that photographs are stored at."]
    ours, theirs, at = row["made_up"], row["photographs"], f"At about {row['inter_eye_px']:g} px between the eyes"
    if "insufficient" in (ours["found"]["verdict"], ours["fmr"]["verdict"]):
        return [f"{at} there are too few people to say how drawn faces compare with photographs; what was counted "
                "stands below in grey."]  # fmt: skip
    if theirs is None:
        return [f"{at}, {percent(ours['found']['value'])} of made-up faces are found {interval(ours['found'])}."]
    said = [
        f"{at}, {percent(ours['found']['value'])} of made-up faces are found {interval(ours['found'])}, of photographs "
        f"{percent(theirs['found']['value'])} {interval(theirs['found'])}."
    ]
    apart = row["gap"]["strangers"]
    if apart:
        said.append(f"{_alike(apart)}.")
    if ours["fmr"]["value"] is not None and theirs["fmr"]["value"] is not None:
        said.append(
            f"At the system's own threshold {percent(ours['fmr']['value'])} of made-up strangers match "
            f"{interval(ours['fmr'])}, and {percent(theirs['fmr']['value'])} of strangers on photographs "
            f"{interval(theirs['fmr'])}."
        )
    return said


def _alike(apart: Figure) -> str:
    value, low, high = (apart[name] for name in ("value", "low", "high"))
    if low <= 0 <= high:
        return (
            "That made-up strangers look more, or less, alike than strangers on photographs is not shown: "
            f"{signed(value)} standard deviations of the photographs' scores [{signed(low)} to {signed(high)}]"
        )
    low, high = sorted((abs(low), abs(high)))
    return (
        f"To this system made-up strangers look {'more' if value > 0 else 'less'} alike than strangers on photographs, "
        f"by {abs(value):.2f} standard deviations of the photographs' scores [{low:.2f}–{high:.2f}]"
    )


def signed(number: float) -> str:
    """A gap in standard deviations: +1.20, −0.35."""
    return f"{number:+.2f}".replace("-", "−")


def table(contents: Contents) -> list[dict[str, Any]]:
    """Every size of every cell, made up and on photographs, flat."""
    rows: list[dict[str, Any]] = []
    for row in (contents.domain_gap or {}).get("rows", []):
        for whose in ("made_up", "photographs"):
            side = row[whose]
            if side is None:
                continue
            flat = {"system": row["system"], "condition": row["condition"]["name"], "inter_eye_px": row["inter_eye_px"],
                    "faces_of": whose.replace("_", " "), "mean_inter_eye_px": side["mean_inter_eye_px"],
                    "people": side["people"], "faces": side["faces"], "transits": side["transits"],
                    "found": side["found"]["value"], "found_low": side["found"]["low"],
                    "found_high": side["found"]["high"]}  # fmt: skip
            for name in ("fmr", "fnmr", "eer", "d_prime"):
                told = side[name] or {}
                flat |= {name: told.get("value"), f"{name}_low": told.get("low"), f"{name}_high": told.get("high")}
            for name in ("fmr", "fnmr"):
                flat |= {f"{name}_errors": side[name]["errors"], f"{name}_comparisons": side[name]["comparisons"]}
            for who in ("strangers", "same_person"):
                told, apart = side[who] or {}, (row["gap"] or {}).get(who) if whose == "made_up" else None
                flat |= {f"{who}_mean": told.get("mean"), f"{who}_sd": told.get("sd"),
                         **{f"{who}_more_alike{end}": (apart or {}).get(name)
                            for name, end in (("value", ""), ("low", "_low"), ("high", "_high"))}}  # fmt: skip
            rows.append(flat)
    return rows
