"""Judged claims in words, for the page and for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from reports.reading import SAME_GROUP, Contents, Figure
from reports.wording import THIN, bounds, count, listed, percent, plain

VERDICTS = ("refuted", "supported", "not settled", "untestable")


def by_system(rows: Sequence[Figure]) -> list[list[Figure]]:
    """Statements grouped by claim and system, in the order of evidence.json."""
    grouped: dict[tuple[object, ...], list[Figure]] = {}
    for row in rows:
        keys = ("says", "metric", "operating_point", "system", "cell")
        grouped.setdefault(tuple(row[key] for key in keys), []).append(row)
    return list(grouped.values())


def overall(contents: Contents) -> str:
    """How many statements got which verdict."""
    given = [row["verdict"] for row in contents.claims]
    told = [f"{count(given.count(verdict))} {verdict}" for verdict in VERDICTS if verdict in given]
    return f"Of {count(len(given), 'statements')}: {listed(told)}."


def verdict(rows: Sequence[Figure]) -> str:
    """The verdicts on one claim of one system, each with whom it is about."""
    if len(rows) == 1:
        return f"{_capital(rows[0]['verdict'])}."
    one = len({row["read_as"] for row in rows}) == 1
    told = []
    for each in VERDICTS:
        who = [whom(row) if one else about(row) for row in rows if row["verdict"] == each]
        if len(who) == len(rows):
            return f"{_capital(each)} throughout."
        if who:
            told.append(f"{_capital(each)}: {listed(who)}.")
    return " ".join(told)


def whom(row: Figure) -> str:
    """Of whom or what the rate is; "" where that goes without saying."""
    if row["metric"] == "accuracy" and row["read_as"] != "FMR":
        return ""
    return plain(row["who"]) + (f": {claimed(row)}" if row["unit"] == "probability" else "")


def about(row: Figure) -> str:
    """What a statement is of: FMR, black male."""
    return f"{row['read_as']}, {whom(row)}".removesuffix(", ")


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
        return percent(row["value"])
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
        told += ["no test of a size that is ever run would settle it"] if searched and not more else []
    if row["verdict"] in ("refuted", "supported") and not row["assumption_free_agrees"]:
        told.append("the assumption-free limits do not reach this verdict")
    return "; ".join(told)


def dissected(rows: Sequence[Figure]) -> list[str]:
    """What a claim of accuracy would mean under each reading, and what the evidence says of each."""
    if rows[0]["metric"] != "accuracy":
        return []
    bound = percent(rows[0]["bound"])
    meant = {
        "FMR": f"of comparisons of two different people{{}}, at most {bound} are called a match",
        "FNMR": f"of comparisons of a person with their own photograph, at most {bound} are missed",
        "GFRR": f"of all attempts to recognise somebody, faces never found and photographs never enrolled included, "
                f"at most {bound} fail",
        "all comparisons": f"of all comparisons of this test, whoever is compared, at most {bound} are decided wrongly",
    }  # fmt: skip
    told = [f"“{100 * (1 - rows[0]['bound']):.6g}{THIN}% accurate” does not say of what. It may mean:"]
    for row in rows:
        same = " of one group" if row["reference_group"] == SAME_GROUP else ""
        told.append(f"{meant[row['read_as']].format(same)}: {row['verdict']}")
    mix = next((row["basis"] for row in rows if row["read_as"] == "all comparisons" and row["basis"]), None)
    if mix:
        told.append(f"The last is what is often meant, and says least: it depends on the mix compared, here {mix}, "
                    "so it is nearly the FMR, and a system that never recognises anybody would do well.")  # fmt: skip
    return told


def _short(value: float) -> str:
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
