"""People who look at what searches return: in sentences and as tables. Their answers are assumed, and said to be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reports.alerts import everybody, number
from reports.reading import Contents, Figure
from reports.wording import bounds, capital, count, percent, too_few
from reports.wording import number as digits
from testbed.scenario.cells import Cell

ASSUMPTIONS = {
    "hit_rate": "picks the right person, where shown", "false_alarm_rate": "picks a stranger, where all shown are",
    "fatigue": "right answers lost by the end of a shift", "rare": "more misses where the person is rarely there",
    "alike": "fooled more by those more alike", "shared": "the second copies the first",
    "prevalence": "the person is among those searched", "minutes_per_candidate": "minutes per candidate",
}  # fmt: skip
SHARES = ("hit_rate", "false_alarm_rate", "fatigue", "shared", "prevalence")
RESULTS = {
    "false_identifications": "a stranger is named, where nobody is there",
    "misses": "the person is missed, where there",
    "hours_per_correct": "hours of review per correct identification",
    "precision": "of those named, the right person",
}  # fmt: skip


def found(contents: Contents, cell: Cell) -> list[str]:
    """What reviewers leave of a cell's errors at the main operating point; nothing where nobody looks."""
    return [said for row in contents.reviewed(cell)[:1] if row["operating_point"] == contents.main_point
            for said in in_words(row)]  # fmt: skip


def headline(contents: Contents, cell: Cell) -> list[str]:
    """The same in two sentences: strangers still named and the right person lost; the work, and why lists survive."""
    rows = [row for row in contents.reviewed(cell)[:1] if row["operating_point"] == contents.main_point]
    if not rows or rows[0]["why"]:
        return found(contents, cell)
    whole = everybody(rows[0])
    errors, rest = [*_named(rows[0]), *_lost(whole)], [*_takes(whole), *_surviving(rows[0])]
    return [f"{capital('; '.join(clauses))}." for clauses in (errors, rest) if clauses]


def in_words(row: Figure) -> list[str]:
    """What becomes of one row's searches, in sentences for everybody; the first names what it rests on."""
    if row["why"]:
        return [f"What reviewers leave of the errors cannot be told: {row['why']}."]
    whole = everybody(row)
    said = [f"{capital(clause)}." for clause in (*_named(row), *_lost(whole))]
    said += [f"“Reviewers correct the machine”: {clause}." for clause in _surviving(row)]
    per_1000 = [f"1,000 searches take {hours(whole['work']['per_1000'])}"] if whole["work"] else []
    return [*said, *(f"{'; '.join([*per_1000, clause])}." for clause in _takes(whole))]


def _named(row: Figure) -> Iterator[str]:
    false = everybody(row)["false_identifications"]
    if false["value"] is not None:
        yield (
            f"if {looking(row)} answered as assumed, {percent(false['value'])} of searches for people who are not "
            f"there would still end with a stranger named {ranged(false)}, against "
            f"{percent(false['machine']['value'])} by the machine alone {rests_on(false)}"
        )


def _lost(whole: Figure) -> Iterator[str]:
    missed = whole["misses"]
    if missed["value"] is not None:
        yield (
            f"of searches for people who are there, {percent(missed['value'])} would not end with the right person "
            f"named {ranged(missed)}, against {percent(missed['machine']['value'])} in which the machine alone does "
            f"not put the person first {rests_on(missed)}"
        )


def _surviving(row: Figure) -> Iterator[str]:
    """Lists of strangers that end with one of them named; and why these are more than was assumed of usual ones."""
    told, usual = everybody(row)["survive"], row["assumptions"]["ranges"]["false_alarm_rate"]
    if told["value"] is not None:
        why = (
            f", more than the {digits(usual['low'])}–{percent(usual['high'])} assumed of usual lists: the more alike a "
            "candidate, the more often it is picked (assumed as well)"
        )
        yield (
            f"of lists that show strangers only {rests_on(told)}, {percent(told['value'])} still end with one of them "
            f"named {ranged(told)}{why if told['value'] > usual['high'] else ''}"
        )


def _takes(whole: Figure) -> Iterator[str]:
    if whole["work"]:
        each = hours(whole["work"]["per_correct"])
        yield f"a correct identification takes {each} of review {rests_on(whole['misses'])}"


def looking(row: Figure) -> str:
    """Who looks: a reviewer; two reviewers who must agree."""
    if row["assumptions"]["reviewers"] == 1:
        return "a reviewer"
    return "two reviewers, who must agree," if row["assumptions"]["agree"] == "both" else "either of two reviewers"


def rests_on(told: Figure) -> str:
    """How many searches and people a rate is of, and whether these are too few."""
    few = f"; {too_few(told['subjects'])}" if told["verdict"] == "insufficient" else ""
    return f"({count(told['comparisons'], 'searches')}, {count(told['subjects'], 'people')}{few})"


def ranged(told: Figure) -> str:
    """Between what ends a share lies by the assumptions alone, and with the sample of people too."""
    return (
        f"({digits(told['least'])}–{percent(told['most'])} over what is assumed, "
        f"{bounds(told['low'], told['high'])} with the sampling of people too)"
    )


def hours(told: Figure) -> str:
    """Hours, or minutes, with the ends of what is assumed and of both: 8.1 hours (2.5–16 assumed, [0.5–24] …)."""
    if told["value"] is None:
        return "no known time"
    few = told["value"] < 1
    value = told["value"] * (60 if few else 1)
    ends = (told[end] for end in ("least", "most", "low", "high"))
    least, most, low, high = (None if end is None else end * (60 if few else 1) for end in ends)
    return (
        f"{number(value)} {'minutes' if few else 'hours'} ({_upto(least)}–{_upto(most)} assumed, "
        f"[{_upto(low)}–{_upto(high)}] with sampling)"
    )


def hours_only(told: Figure) -> str:
    """A number with the ends of both: 10.2 [0.6–29.6]."""
    return f"{_upto(told['value'])} [{_upto(told['low'])}–{_upto(told['high'])}]"


def _upto(value: float | None) -> str:
    return "no limit" if value is None else number(value)


def assumed(name: str, value: float) -> str:
    """A value of an assumption: 50 %; 0.25."""
    return percent(value) if name in SHARES else f"{value:g}"


def simulated(row: Figure) -> list[str]:
    """What the simulation of the reviewers gave, beside the formula."""
    played, whole, said = row["simulation"], everybody(row), []
    for name, words in (("false_identifications", "strangers named"), ("misses", "persons missed")):
        if played[name] is not None:
            said.append(
                f"{words}: {percent(played[name]['mean'])} (formula {percent(whole[name]['value'])}); chance alone "
                f"spreads it over {bounds(played[name]['low'], played[name]['high'])}"
            )
    return said


def rarer(row: Figure) -> str:
    """Precision where the person is rarely there, in a sentence: with reviewers, and by the machine alone."""
    told = next((at for at in everybody(row)["precision"] or [] if at["prevalence"] == 0.01), None)
    if told is None or told["value"] is None:
        return ""
    alone = told["machine"]["value"]
    return (
        f"If the person were there in 1 search of 100, {percent(told['value'])} of those named would be the right one "
        f"({digits(told['least'])}–{percent(told['most'])} over what is assumed, {bounds(told['low'], told['high'])} "
        f"with sampling too)" + (f", against {percent(alone)} by the machine alone." if alone is not None else ".")
    )


def table(contents: Contents) -> Iterator[dict[str, Any]]:
    """Every rate and hour of every group, flat, a row for each group, point and gallery."""
    for row in contents.reviewers:
        for group in row["groups"]:
            flat = {**_whose(row), "group": group["group"]}
            for name in ("false_identifications", "survive", "misses", "wrong_when_there"):
                told = group[name]
                flat |= {f"{name}_{end}" if end != "value" else name: told[end] for end in
                         ("value", "least", "most", "low", "high", "comparisons", "subjects", "verdict")}  # fmt: skip
                if alone := told.get("machine"):
                    flat |= {f"{name}_machine_{end}": alone[end] for end in ("value", "low", "high", "errors")}
            for name in ("per_1000", "per_correct", "at_volume", "shifts"):
                told = (group["work"] or {}).get(name) or {}
                flat |= {f"hours_{name}_{end}" if name != "shifts" else f"shifts_{end}": told.get(end)
                         for end in ("value", "least", "most", "low", "high")}  # fmt: skip
            yield {**flat, "volume": row["assumptions"]["volume"]}


def precision_table(contents: Contents) -> Iterator[dict[str, Any]]:
    """Precision by the share of searches whose person is there, with reviewers and by the machine alone."""
    for row in contents.reviewers:
        for group in row["groups"]:
            for at in group["precision"] or []:
                alone = {f"machine_{end}": value for end, value in at["machine"].items()}
                yield {
                    **_whose(row),
                    "group": group["group"],
                    **{k: v for k, v in at.items() if k != "machine"},
                    **alone,
                }


def sensitivity_table(contents: Contents) -> Iterator[dict[str, Any]]:
    """What each assumption does alone, for everybody."""
    for row in contents.reviewers:
        for each in row["sensitivity"]:
            for result, middle in each["middle"].items():
                yield {**_whose(row), "assumption": each["assumption"], "from": each["from"], "to": each["to"],
                       "result": result, "at_from": each["low"][result], "at_to": each["high"][result],
                       "all_in_the_middle": middle}  # fmt: skip


def _whose(row: Figure) -> dict[str, Any]:
    return {"basis": "lists measured, answers assumed", "system": row["system"], "condition": row["condition"]["name"],
            "operating_point": row["operating_point"], "threshold": row["threshold"],
            "gallery_size": row["gallery_size"], "reviewers": row["assumptions"]["reviewers"]}  # fmt: skip
