"""Judged claims in words, for the page and for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from reports.reading import SAME_GROUP, Contents, Figure
from reports.wording import THIN, beyond, bounds, capital, count, listed, percent, plain

VERDICTS = ("refuted", "supported", "not settled", "untestable")


def by_claim(rows: Sequence[Figure]) -> list[list[Figure]]:
    """Statements grouped by claim, in the order of evidence.json."""
    grouped: dict[tuple[object, ...], list[Figure]] = {}
    for row in rows:
        keys = (*(row[key] for key in ("says", "metric", "operating_point")), row["condition"]["name"])
        grouped.setdefault((*keys, claimed_by_all([row])), []).append(row)
    return list(grouped.values())


def by_system(rows: Sequence[Figure]) -> list[tuple[list[str], list[Figure]]]:
    """One claim's statements by system; systems of which all figures are the same stand together."""
    mine: dict[str, list[Figure]] = {}
    for row in rows:
        mine.setdefault(row["system"], []).append(row)
    grouped: dict[str, list[str]] = {}
    for system, stated in mine.items():
        without = [{key: value for key, value in row.items() if key not in ("system", "cell")} for row in stated]
        grouped.setdefault(repr(without), []).append(system)
    return [(systems, mine[systems[0]]) for systems in grouped.values()]


def side_by_side(rows: Sequence[Figure]) -> list[tuple[list[str], Figure]]:
    """One claim's statements in their order, each for every system, with the systems' names."""
    stated: dict[tuple[object, ...], list[tuple[list[str], Figure]]] = {}
    for systems, mine in by_system(rows):
        for row in mine:
            key = tuple(row[name] for name in ("read_as", "who", "reference_group", "bound"))
            stated.setdefault(key, []).append((systems, row))
    return [each for one in stated.values() for each in one]


def overall(contents: Contents) -> str:
    """How many statements got which verdict."""
    given = [row["verdict"] for row in contents.claims]
    told = [f"{count(given.count(verdict))} {verdict}" for verdict in VERDICTS if verdict in given]
    return f"Of {count(len(given), 'statements')}: {listed(told)}."


def verdict(rows: Sequence[Figure]) -> str:
    """The verdicts on one claim of one system, each with whom it is about; rows of several tell one after the other."""
    if len(told := by_system(rows)) > 1:
        by_words: dict[str, list[str]] = {}
        for systems, mine in told:
            by_words.setdefault(verdict(mine), []).extend(systems)
        if len(by_words) == 1:
            return next(iter(by_words))
        return " ".join(f"{listed(systems)}. {words}"
                        for words, systems in by_words.items())  # fmt: skip
    rows = told[0][1]
    if len(rows) == 1:
        return f"{capital(rows[0]['verdict'])}."
    one = len({row["read_as"] for row in rows}) == 1
    said = []
    for each in VERDICTS:
        who = [whom(row) if one else _of(row) for row in rows if row["verdict"] == each]
        if len(who) == len(rows):
            return f"{capital(each)} throughout."
        if who:
            said.append(f"{capital(each)}: {'; '.join(who) if any(',' in name for name in who) else listed(who)}.")
    return " ".join(said)


def whom(row: Figure) -> str:
    """Of whom or what the rate is; "" where that goes without saying."""
    if row["metric"] == "accuracy" and row["read_as"] != "FMR":
        return ""
    who = row["who"] if row["unit"] == "factor" else plain(row["who"])  # the columns compared, as they are called
    return who + (f": {claimed(row)}" if row["unit"] == "probability" else "")


def about(row: Figure) -> str:
    """What a statement is of: FMR, black male."""
    return f"{row['read_as']}, {whom(row)}".removesuffix(", ")


def _of(row: Figure) -> str:
    """The same among others: FMR (black male)."""
    return f"{row['read_as']} ({who})" if (who := whom(row)) else row["read_as"]


def claimed(row: Figure) -> str:
    """The bound: at most 1.0 %, at least 25 frames a second."""
    sense = "" if row["sense"] == "exactly" else f"{row['sense']} "
    if row["unit"] == "factor":
        return f"{sense}{row['bound']:g} times"
    if row["unit"] == "frames a second":
        return f"{sense}{row['bound']:g} frames a second"
    return f"{sense}{percent(row['bound'])}{' likely' if row['unit'] == 'probability' else ''}"


def claimed_by_all(rows: Sequence[Figure]) -> str:
    """The bound that all statements of a claim share; "" where each has its own."""
    return claimed(rows[0]) if rows[0]["unit"] != "probability" else ""


def observed(row: Figure) -> str:
    """The value, in its unit."""
    if row["value"] is None:
        return "nothing compared" if row["unit"] == "share" and row["comparisons"] == 0 else "–"
    if row["unit"] in ("share", "probability"):
        return beyond(percent(row["value"]), row.get("at_limit"))
    return _short(row["value"]) + (" times" if row["unit"] == "factor" else "")


def limits(row: Figure) -> str:
    """The one-sided limits; a dash where there is none."""
    low, high = row["low"], row["high"]
    if low is None or (row["value"] is None and row["unit"] != "factor"):
        return "–"
    if row["unit"] in ("share", "probability"):
        return bounds(low, high)
    return f"[{_short(low)}–{'no limit' if high is None else _short(high)}]"


def counted(row: Figure) -> str:
    """What it rests on: 36 of 56, 8 people; or as the evidence words it."""
    parts = []
    if row["errors"] is not None and row["unit"] == "share":
        parts.append(f"{count(row['errors'])} of {count(row['comparisons'])}")
    if row["subjects"] is not None:
        parts.append(count(row["subjects"], "people"))
    elif row["errors"] is not None:
        parts.append(count(None, "people"))
    return "; ".join([", ".join(parts), row["basis"] or ""]).strip("; ") or "–"


def settles(row: Figure) -> str:
    """Why there is no verdict, and what further people would bring one."""
    told = [row["why"]] if row["why"] else []
    if row["verdict"] == "not settled":
        people = {"the rates are as observed": row["further_people_if_as_observed"],
                  "the rate is half of what is claimed": row["further_people_if_half_the_bound"]}  # fmt: skip
        more = [f"{count(n)} more people if {were}" for were, n in people.items() if n is not None]
        searched = row["unit"] == "share" and row["metric"] not in ("FPIR", "FNIR", "accuracy")
        told += [f"would be settled by {', or by '.join(more)}"] if more else []
        known = row["subjects"] is not None
        told += ["no test of a size that is ever run would settle it"] if searched and known and not more else []
    if row["verdict"] in ("refuted", "supported") and not row["assumption_free_agrees"]:
        told.append("the assumption-free limits do not reach this verdict")
    return "; ".join(told)


def dissected(rows: Sequence[Figure]) -> tuple[str, list[str], str]:
    """What is open in a claim of accuracy, its verdict under each reading, and what the last reading hides."""
    if rows[0]["metric"] != "accuracy":
        return "", [], ""
    bound = percent(rows[0]["bound"])
    meant = {
        "FMR": f"of comparisons of two different people{{}}, at most {bound} are called a match",
        "FNMR": f"of comparisons of a person with their own photograph, at most {bound} are missed",
        "GFRR": f"of all attempts to recognise somebody, faces never found and photographs never enrolled included, "
                f"at most {bound} fail",
        "all comparisons": f"of all comparisons of this test, whoever is compared, at most {bound} are decided wrongly",
    }  # fmt: skip
    start = f"“{100 * (1 - rows[0]['bound']):.6g}{THIN}% accurate” does not say of what. It may mean:"
    readings: dict[str, dict[str, list[str]]] = {}
    for systems, row in side_by_side(rows):
        reading = meant[row["read_as"]].format(" of one group" if row["reference_group"] == SAME_GROUP else "")
        readings.setdefault(reading, {}).setdefault(row["verdict"], []).extend(systems)
    told = []
    for reading, verdicts in readings.items():
        each = [one + (f" ({listed(systems)})" if len(verdicts) > 1 else "") for one, systems in verdicts.items()]
        told.append(f"{reading}: {'; '.join(each)}")
    mixes = dict.fromkeys(row["basis"] for row in rows if row["read_as"] == "all comparisons" and row["basis"])
    last = (
        "The last is what is often meant, and says least: it depends on the mix compared, here "
        f"{'; or '.join(mixes)}, so it is nearly the FMR, and a system that never recognises anybody would do well."
    )
    return start, told, last if mixes else ""


def _short(value: float) -> str:
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}"
