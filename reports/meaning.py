"""What a score means, and how many people it takes to say so, in words for the page."""

from __future__ import annotations

from collections.abc import Sequence
from math import isclose

from reports.reading import Figure
from reports.wording import THIN, beyond, bounds, count, percent, plain, ratio


def held(shown: Figure) -> str:
    """The likelihood ratio of a shown percent; < or > where it lies beyond what so many people can show."""
    return beyond(ratio(shown["log10_ratio"]), shown["at_limit"])


def ratio_interval(shown: Figure) -> str:
    """Its interval: [1/40–2.1]."""
    low, high = shown["log10_low"], shown["log10_high"]
    return f"[{'0' if low is None else ratio(low)}–{'no limit' if high is None else ratio(high)}]"


def chances(shown: Figure) -> list[tuple[str, str, str]]:
    """Odds beforehand in words, the chance of the same person afterwards, and its interval."""
    return [
        (f"1 in {round(1 / each['prior']):,}", beyond(percent(each["value"]), shown["at_limit"]),
         bounds(each["low"], each["high"]))
        for each in shown["posterior"]
    ]  # fmt: skip


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
    """From how many people on half of all strangers are shown a match, each in half of such searches."""
    told = next(each for each in row["stranger"] if each["operating_point"] == point)
    median = told["median_gallery"]
    half, more_often = "half of all strangers", "are shown a match more often than not"
    if median["value"] is not None:
        most = "no upper limit" if median["high"] is None else f"at most {count(median['high'])}"
        return (
            f"Searched among {count(median['value'], 'people')}, {half} {more_often} "
            f"(95 % limits: at least {count(median['low'])}, {most})."
        )
    model = "" if median["modelled"] is None else (
        f" By the model, half of all searches by strangers show one from about {count(median['modelled'], 'people')} "
        "on; it may take more."
    )  # fmt: skip
    return (
        f"With {count(told['measured_up_to'], 'people')}, fewer than {half} {more_often} "
        f"(95 % limit: it takes at least {count(median['low'])}).{model}"
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


def line_across(people: Sequence[Figure]) -> str:
    """What the line across a planning chart is."""
    sizes = {each["people"] for each in people}
    if len(sizes) == 1:
        return "The line across is the people of this run in a group."
    return "The line across is the largest group of this run; shaded, down to the smallest."


def largest_group(people: Sequence[Figure]) -> str:
    """The largest group of a run, with its people; all of them where they are of one size."""
    sizes = [each["people"] for each in people]
    largest = people[sizes.index(max(sizes))]
    if len(sizes) == 1 or min(sizes) < max(sizes):
        whose = f"{'Largest' if len(sizes) > 1 else 'The'} group here: {plain(largest['group'])}"
        return f"{whose}, {count(max(sizes), 'people')}"
    return f"Every group here: {count(max(sizes), 'people')}"
