"""What a score means, and how many people it takes to say so, in words for the page."""

from __future__ import annotations

from collections.abc import Sequence
from math import isclose

from reports.reading import Figure
from reports.wording import THIN, bounds, count, percent, plain, ratio

MARKS = {"least": "≥ ", "most": "≤ ", None: ""}


def held(shown: Figure) -> str:
    """The likelihood ratio of a shown percent; ≥ or ≤ where it is the number of people that limits it."""
    return MARKS[shown["limit"]] + ratio(shown["log10_ratio"])


def chances(shown: Figure) -> list[tuple[str, str]]:
    """Odds beforehand in words, and the chance of the same person afterwards."""
    return [
        (f"1 in {round(1 / each['prior']):,}", MARKS[shown["limit"]] + percent(each["value"]))
        for each in shown["posterior"]
    ]


def beforehand(prior: float) -> str:
    """A prior in words: at even odds beforehand."""
    odds = "even odds" if isclose(prior, 0.5) else f"odds of 1 in {1 / prior:,.3g}"
    return f"at {odds} beforehand"


def calibration(row: Figure) -> str:
    """The expected calibration error in a sentence."""
    error = row["expected_calibration_error"]
    said = beforehand(error["prior"])
    return (
        f"{said[0].upper()}{said[1:]}, the chances that these likelihood ratios state are off by "
        f"{percent(error['value'])} on average, 95{THIN}% interval {bounds(error['low'], error['high'])}."
    )


def median_stranger(row: Figure, point: str) -> str:
    """From how many people on the median stranger is shown a match."""
    told = next(each for each in row["stranger"] if each["operating_point"] == point)
    median, most = told["median_gallery"], told["measured_up_to"]
    least = "" if median["low"] is None else f"at least {count(median['low'])}"
    if median["how"] == "measured":
        ends = [each for each in (least, "" if median["high"] is None else f"at most {count(median['high'])}") if each]
        limits = f" (95 % limits: {', '.join(ends)})" if ends else ""
        return f"Half of all strangers are shown a match once {count(median['value'], 'people')} are searched{limits}."
    limit = f"; 95 % limit: {least}" if least else ""
    if median["value"] is None:
        return f"With {count(most, 'people')}, fewer than half of all strangers were shown a match{limit}."
    return (
        f"With {count(most, 'people')}, fewer than half of all strangers were shown a match. By the model it takes "
        f"about {count(median['value'])}{limit}; it may take more."
    )


def searched(row: Figure, point: str) -> bool:
    """Whether a stranger's top score is known at an operating point."""
    return any(each["operating_point"] == point for each in row["stranger"] or [])


def design_effect(planned: Figure) -> str:
    """How alike comparisons of one person were measured to be, in a sentence."""
    if planned["design_effect"] is None:
        return "How much the comparisons of one person are alike could not be measured here: the people are too few."
    group = "among all people" if planned["measured_in"] == "all" else f"among {plain(planned['measured_in'])} people"
    return (
        f"Measured {group} ({count(planned['measured_on'])}): all pairs together are worth "
        f"1/{planned['design_effect']:.2g} of as many independent ones. With more people each takes part in more "
        "pairs, and they are worth less still; the line allows for that."
    )


def falls_short(planned: Figure) -> str:
    """What this run's people could have supported, by the surest reckoning and by the one measured."""
    row = next(each for each in planned["rows"] if isclose(each["bound"], 1e-4))
    statements = planned["statements"]
    whom = "one group" if statements == 1 else f"{count(statements, 'groups')} at once"
    measured = (
        "" if row["borrowed"] is None else f", or {count(row['borrowed'])} if people are as alike as measured here"
    )
    return (
        f"“At most one false match in 10,000”, for {whom}: {count(row['disjoint'], 'people')} in each group to be "
        f"sure{measured}. {largest_group(planned['people'])}."
    )


def largest_group(people: Sequence[Figure]) -> str:
    """The largest group of a run, with its people; all of them where they are of one size."""
    sizes = [each["people"] for each in people]
    largest = people[sizes.index(max(sizes))]
    if len(sizes) == 1 or min(sizes) < max(sizes):
        whose = f"{'Largest' if len(sizes) > 1 else 'The'} group here: {plain(largest['group'])}"
        return f"{whose}, {count(max(sizes), 'people')}"
    return f"Every group here: {count(max(sizes), 'people')}"
