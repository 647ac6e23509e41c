"""What a scenario may assume of the people who look at what searches return. Every number here is an assumption.

A single number, or a range `[low, high]`: evidence then says what follows from its middle, and between which ends.
The defaults are what published studies found, as far as there are any; `SOURCES` says which, and where there are none.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from testbed.scenario.strict import Strict


def _between(least: float, most: float) -> BeforeValidator:
    """Reads a number from `least` to `most`, or a range of two; either becomes a pair (low, high)."""

    def ends(value: object) -> tuple[float, float]:
        given = value if isinstance(value, list | tuple) else [value]
        numbers = [float(each) for each in given if isinstance(each, int | float) and not isinstance(each, bool)]
        if len(numbers) != len(given) or len(numbers) not in (1, 2):
            told = "empty" if value is None else f"{value!r}"
            raise ValueError(f"should be a number or a range [low, high] between {least:g} and {most:g}, not {told}")
        for each in numbers:
            if not least <= each <= most:
                raise ValueError(f"should lie between {least:g} and {most:g}, not {each:g}")
        low, high = numbers[0], numbers[-1]
        if low > high:
            raise ValueError(f"the range begins with its higher end; write [{high:g}, {low:g}]")
        return low, high

    return BeforeValidator(ends)


def _written(least: float, most: float) -> WithJsonSchema:
    number = {"type": "number", "minimum": least, "maximum": most}
    pair = {"type": "array", "items": number, "minItems": 2, "maxItems": 2}
    return WithJsonSchema({"anyOf": [number, pair]})


Share = Annotated[tuple[float, float], _between(0, 1), _written(0, 1)]
Strength = Annotated[tuple[float, float], _between(0, 5), _written(0, 5)]
Minutes = Annotated[tuple[float, float], _between(0, 60), _written(0, 60)]


class Review(Strict):
    """People who look at the candidates of a search and say who it is, or that it is nobody: what is assumed of them.

    Each varies independently; a share is of lists that one person looks at alone, at the beginning of a shift.
    """

    hit_rate: Share = Field((0.5, 0.7), description="share of lists with the right person in which it is picked")
    false_alarm_rate: Share = Field(
        (0.14, 0.3), description="share of lists of strangers in which one is picked, at the usual likeness"
    )
    fatigue: Share = Field((0.0, 0.1), description="share of right answers that is lost by the end of a shift")
    rare: Strength = Field(
        (0.0, 1.0), description="fall of a hit's log-odds with each tenfold by which the person is there less than half"
    )
    alike: Strength = Field(
        (0.0, 1.0), description="rise of a false pick's log-odds per deviation of likeness; 0: likeness does not matter"
    )
    shared: Share = Field((0.0, 0.5), description="of two reviewers: share of lists where the second copies the first")
    prevalence: Share = Field((0.1, 0.5), description="share of searches whose person is among those searched")
    minutes_per_candidate: Minutes = Field((0.25, 1.0), description="minutes that one candidate takes one reviewer")
    reviewers: int = Field(1, ge=1, le=2, description="how many look at each list, independently")
    agree: Literal["both", "either"] = Field(
        "both", description="of two reviewers: both must name the same person, or either may"
    )
    length: int | None = Field(None, ge=1, description="how many candidates they are shown; unset: all that come back")
    shift_hours: float = Field(8.0, gt=0, le=24, description="hours of review in one shift")
    volume: int = Field(10_000, ge=1, description="searches that hours and shifts are summed for")
    seed: int = Field(1, ge=0, lt=2**32, description="of the simulation that checks the formulas")


VARIED = (
    "hit_rate", "false_alarm_rate", "fatigue", "rare", "alike", "shared", "prevalence", "minutes_per_candidate",
)  # fmt: skip
"""The assumptions that may be ranges."""

SOURCES = {
    "hit_rate": "With candidate lists of a passport system, students erred on over 50 %, and trained passport officers "
    "did no better; specialist examiners were 20 points better (White, Dunn, Schmid & Kemp 2015, PLoS ONE "
    "10:e0139827). Of line-ups of ten with the person, in good pictures of one day, about 70 % were right (Bruce et "
    "al. 1999, J. Exp. Psychol. Appl. 5:339, as told by Megreya & Burton 2006, Mem. Cognit. 34:865).",
    "false_alarm_rate": "Passport officers accepted 14 % of photographs of somebody else (one to one; White, Kemp, "
    "Jenkins, Matheson & Burton 2014, PLoS ONE 9:e103510). Of line-ups of ten without the person, somebody was picked "
    "in about 30 % (Bruce et al. 1999). Lists of 100 gave more false alarms and fewer hits than short ones (Heyer, "
    "Semmler & Hendrickson 2018, J. Appl. Res. Mem. Cogn. 7:597); length is not modelled here.",
    "fatigue": "Accuracy falls in long tasks, and rest does not restore it (Alenezi & Bindemann 2013, Appl. Cogn. "
    "Psychol. 27:735; Alenezi, Bindemann, Fysh & Johnston 2015, PeerJ 3:e1184). How much over a shift: assumed here.",
    "rare": "Studies of pairs disagree: what is rare is missed more (10 % against 50 %; Papesh & Goldinger 2014, "
    "Atten. Percept. Psychophys. 76:1335), or is not (2 %; Bindemann, Avetisyan & Blackwell 2010, J. Exp. Psychol. "
    "Appl. 16:378). For lists the size is assumed here, and it is not carried below 1 in 50.",
    "alike": "Assumed here; 0 says that likeness does not matter.",
    "shared": "Assumed here; the same faces are difficult for many, so two reviewers err together.",
    "prevalence": "Assumed here: no test of a system can know it.",
    "minutes_per_candidate": "Assumed here.",
}
"""Where the default of each assumption is from."""
