"""Enhanced pictures: what draws from the same few pixels have in common, and rates before and after."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from reports.alerts import between, number
from reports.reading import EVERYBODY, Contents, Figure
from reports.wording import at_point, bounds, condition, count, interval, percent, score, too_few
from testbed.evidence.enhanced import INTERPOLATED
from testbed.scenario.cells import Cell, written
from testbed.scenario.enhancing import Prior

MEASURES = {
    "FTA": "no usable face",
    "FNMR": "found, but not recognised",
    "FRR": "missed in all",
    "FMR": "taken for a stranger",
    "FPIR": "absent, yet a match",
}
"""What each rate counts, in the order they stand in."""
MECHANISM = "It shows a mechanism, not how often it happens in practice."
OUTCOMES = {"right": "the right person, in some draw", "stranger": "a stranger, in some draw",
            "both": "each of the two, in another draw", "one": "one draw", "some": "some draw"}  # fmt: skip


def of_system(contents: Contents, system: str) -> list[Figure]:
    """Rows of one system, one for each picture that is enhanced."""
    return [row for row in contents.enhanced if row["system"] == system]


def name(row: Figure) -> str:
    """What was made of the picture: as it is; enlarged 8 times (bicubic); completed from “light”."""
    how, _, what = row["enhance"].partition(":")
    if how == "none":
        return "the picture as it is"
    if how == "prior":
        return f"completed from “{what}”"
    return f"enlarged {row['enlarge']} times ({what or how})"


def whole(prior: Figure) -> Figure:
    """What draws do to everybody's searches."""
    return of_group(prior, EVERYBODY)


def point_of(contents: Contents, group: Figure) -> Figure | None:
    """A group at the main operating point, or where the draws have no threshold there, at the first that has one."""
    told = sorted(group["points"], key=lambda at: bool(at["operating_point"] != contents.main_point))
    return next((at for at in told if at["threshold"] is not None), None)


def population(contents: Contents, prior: Figure) -> str:
    """Whose faces a prior knows: 40 made-up people (20: tone 2, no glasses; 20: tone 3, no glasses)."""
    known: Prior = contents.scenario.priors[prior["enhance"].partition(":")[2]]
    kinds = [
        (kind.count, condition(",".join(f"{key}={written(value)}" for key, value in
                                        kind.model_dump(exclude={"count"}, exclude_none=True).items())))
        for kind in known.people
    ]  # fmt: skip
    told = "; ".join(f"{many}: {words}" if words else f"{many} of any kind" for many, words in kinds)
    return f"{count(sum(many for many, _ in kinds), 'made-up people')} ({told})"


def found(contents: Contents, cell: Cell) -> list[str]:
    """What was found of a system whose pictures were completed, by prior; nothing where none was."""
    said = []
    for row in of_system(contents, cell.system.label):
        for prior in row["priors"]:
            changes = whole(prior)["changes"] if prior["groups"] else None
            if changes and changes["value"] is not None:
                few = f" ({too_few(changes['subjects'])})" if changes["verdict"] == "insufficient" else ""
                first = (
                    f"The same few pixels, {name(prior)} {count(prior['draws'])} times, put somebody else on top from "
                    f"draw to draw in {quoted(changes)}{few}."
                )
                said.append(
                    " ".join([first, *_absent(contents, prior, row, in_short=True), *missed(contents, row, prior)])
                )
    return [f"{said[0]} {MECHANISM}", *said[1:]] if said else []


def in_words(contents: Contents, row: Figure, prior: Figure) -> list[str]:
    """What the draws of one prior have in common, in sentences for everybody."""
    if prior["why"]:
        return [f"What the draws do to searches cannot be told: {prior['why']}."]
    if prior["draws"] == 1:
        return ["There is one draw alone, so nothing can be said of how draws differ."]
    group, said = whole(prior), []
    changes, top = group["changes"], group["on_top"]
    if changes["value"] is None:
        return ["In no pass was there a template in two draws, so nothing can be said of how they differ."]
    said.append(
        f"Who is most alike changes from draw to draw in {quoted(changes)}. Over {count(prior['draws'], 'draws')}, "
        f"{number(top['value'])} different people stand on top on average {between(top)}."
    )
    for who, words in (("own", "the right person"), ("stranger", "the most alike stranger")):
        if told := _moved(group[who]):
            said.append(f"From the least to the greatest draw, the score of {words} moves by {told}.")
    at = point_of(contents, group)
    if at is None:
        return [*said, "No threshold could be found among so few comparisons, so nothing is said of matches."]
    if at["right"]["value"] is not None:
        both = f"in {quoted(at['both'])} both happen, each in another draw"
        said.append(
            f"People who are in the gallery, {where(at)}: the right person is on top and a match in at least one draw "
            f"in {quoted(at['right'])}, a stranger in {quoted(at['stranger'])}; {both}"
            f"{': who chooses the draw chooses the person' if at['both']['errors'] else ''}."
        )
    return said + _absent(contents, prior, row) + missed(contents, row, prior)


def _absent(contents: Contents, prior: Figure, row: Figure, *, in_short: bool = False) -> list[str]:
    at = point_of(contents, whole(prior))
    if at is None or at["some"]["value"] is None:
        return []
    several, least = at["people"], "at least " if at["at_least"] else ""
    people = f" Over all draws {least}{number(several['value'])} different people match on average {between(several)}."
    plainly, beside = _rate_of(row, INTERPOLATED, "FPIR", at["operating_point"]), ""
    if plainly:
        found = _rate_of(row, (plainly["enhance"],), "FTA", None)
        never = (
            f"; in {count(found['errors'])} of its {count(found['comparisons'], 'passes')} no face was found"
            if found and found["errors"] else ""
        )  # fmt: skip
        beside = f", and of the picture {name(plainly)} in {quoted(plainly)}{never}"
    return [
        f"People who are not in the gallery of {count(prior['gallery'])}, {where(at)}: somebody matches in at least "
        f"one of {count(prior['draws'], 'draws')} in {quoted(at['some'])}, in one draw in "
        f"{quoted(at['one'], 'draws')}{beside}.{'' if in_short else people}"
    ]


def missed(contents: Contents, row: Figure, prior: Figure) -> list[str]:
    """How often the right person is missed in all, and how much that differs from plain enlargement."""
    at = point_of(contents, whole(prior))
    after = at and _rate_of(row, (prior["enhance"],), "FRR", at["operating_point"])
    plainly = at and _rate_of(row, INTERPOLATED, "FRR", at["operating_point"])
    if not after or not plainly:
        return []
    base = next((b for b in after["against"] if b["enhance"] == plainly["enhance"] and b["value"] is not None), None)
    difference = f": {_difference(base)} points within the same people" if base else ""
    few = f" ({too_few(after['subjects'])})" if after["verdict"] == "insufficient" else ""
    return [
        f"The right person is missed in {quoted(after, 'comparisons')}, and in {quoted(plainly, 'comparisons')} where "
        f"the picture is {name(plainly)}{difference}{few}."
    ]


def _rate_of(row: Figure, enhancers: Collection[str], metric: str, point: str | None) -> Figure | None:
    """Everybody's rate of the first of these enhancers that has one."""
    return next(
        (rate for rate in row["rates"] if rate["enhance"] in enhancers and rate["metric"] == metric
         and rate["operating_point"] == point and rate["group"] == EVERYBODY and rate["value"] is not None),
        None,
    )  # fmt: skip


def where(at: Figure) -> str:
    """At which threshold matches are counted."""
    return at_point(at["operating_point"], score(at["threshold"]))


def quoted(rate: Figure, what: str = "passes") -> str:
    """A share with what stands beside it: 38 % [9–76 %] (3 of 8 passes, 8 people)."""
    beside = f"{count(rate['errors'])} of {count(rate['comparisons'], what)}, {count(rate['subjects'], 'people')}"
    return f"{percent(rate['value'])} {interval(rate)} ({beside})"


def _moved(moves: Figure) -> str | None:
    """A range over draws: 0.058 [0.027–0.082] in the middle pass, which is 0.53 times the spread …"""
    middle = moves["median"]
    if middle["value"] is None:
        return None
    spread = middle["in_spreads"]
    times = f", {spread['value']:.2g} times the spread of strangers' scores" if spread else ""
    of = f"{count(moves['passes'], 'passes')}, {count(moves['people'], 'people')}"
    return f"{_ends(middle)} in the middle pass{times} ({of})"


def _ends(told: Figure, digits: str = ".3f") -> str:
    high = "no limit" if told["high"] is None else format(told["high"], digits)
    return f"{format(told['value'], digits)} [{format(told['low'], digits)}–{high}]"


def moved(moves: Figure, which: str) -> str | None:
    """A quantile of ranges with its interval, in spreads of strangers' scores where there are any."""
    told = moves[which]
    return None if told["value"] is None else _ends(told["in_spreads"] or told, ".2f")


def of_groups(row: Figure, point: str, group: str = EVERYBODY) -> dict[str, dict[str, Figure]]:
    """Rates at one operating point of a group, by enhancer and metric, in their order."""
    table: dict[str, dict[str, Figure]] = {}
    for rate in row["rates"]:
        if rate["group"] == group and rate["operating_point"] in (None, point):
            table.setdefault(name(rate), {})[rate["metric"]] = rate
    return table


def metrics(row: Figure) -> list[str]:
    """The rates that are told: FPIR where passes were searched."""
    told = {rate["metric"] for rate in row["rates"]}
    return [metric for metric in MEASURES if metric != "FPIR" or metric in told]


def points_told(contents: Contents, row: Figure) -> list[str]:
    """Operating points at which anything could be compared, the main one first."""
    told = {rate["operating_point"] for rate in row["rates"] if rate["operating_point"] and rate["comparisons"]}
    return sorted(told, key=lambda point: [point != contents.main_point, contents.operating_points.index(point)])


def draws_differ(rate: Figure) -> str | None:
    """The least and the greatest of the draws: draws: 4.2–7.1 %."""
    if rate["draws"] == 1 or rate["least"] is None:
        return None
    return f"draws: {bounds(rate['least'], rate['most'])[1:-1]}"


def against(rate: Figure) -> Iterator[str]:
    """Differences within the same people: +12 [5; 20] points against bicubic."""
    for base in rate["against"]:
        if base["value"] is not None:
            few = f", {too_few(base['people'])}" if base["verdict"] == "insufficient" else ""
            other = "as it is" if base["enhance"] == "none" else base["enhance"]
            yield f"{_difference(base)} against {other}{few}"


def _difference(base: Figure) -> str:
    return f"{_points(base['value'])} [{_points(base['low'])}; {_points(base['high'])}]"


def _points(share: float) -> str:
    """Percentage points: +12, −3, 0."""
    points = round(100 * share)
    return f"{points:+d}".replace("-", "−") if points else "0"


def table(contents: Contents) -> Iterator[dict[str, Any]]:
    """Rates by enhancer, group and operating point, and how they differ from those of the plainer pictures."""
    for row in contents.enhanced:
        for rate in row["rates"]:
            flat = {
                key: value for key, value in rate.items() if key not in ("attributes", "against", "assumption_free")
            }
            for base in rate["against"]:
                kind = "as_it_is" if base["enhance"] == "none" else "interpolated"
                flat |= {f"against_{kind}_{end}": base[end] for end in ("value", "low", "high", "people", "verdict")}
            yield {"system": row["system"], "condition": row["condition"]["name"], **flat}


def draws_table(contents: Contents) -> Iterator[dict[str, Any]]:
    """What the draws of each prior do to searches, by group and operating point, one measure a row."""
    for row in contents.enhanced:
        for prior in row["priors"]:
            whose = {"system": row["system"], "condition": row["condition"]["name"], "enhance": prior["enhance"],
                     "enlarge": prior["enlarge"], "draws": prior["draws"], "gallery_size": prior["gallery"],
                     "spread": prior["spread"]}  # fmt: skip
            for group in prior["groups"]:
                for who in ("own", "stranger"):
                    for which in ("median", "ninetieth"):
                        moves = group[who]
                        about = {
                            "subjects": moves["people"],
                            "comparisons": moves["passes"],
                            "verdict": moves["verdict"],
                        }
                        yield _flat(whose, group, f"range, {who}, {which}", {**moves[which], **about})
                for measure in ("on_top", "changes", "overlap"):
                    yield _flat(whose, group, measure, group[measure])
                for at in group["points"]:
                    for measure in (*OUTCOMES, "people"):
                        yield _flat(whose, group, measure, at[measure], at)


def _flat(whose: Figure, group: Figure, measure: str, told: Figure | None, at: Figure | None = None) -> dict[str, Any]:
    told, at = told or {}, at or {}
    return {
        **whose, "group": group["group"], "operating_point": at.get("operating_point"),
        "threshold": at.get("threshold"), "measure": measure,
        **{end: told.get(end) for end in ("value", "low", "high", "errors", "comparisons", "verdict", "method")},
        "subjects": told.get("subjects", told.get("people")),
    }  # fmt: skip


def of_group(prior: Figure, group: str) -> Figure:
    """What the draws do to searches for people of one group."""
    return next(each for each in prior["groups"] if each["group"] == group)
