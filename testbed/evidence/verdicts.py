"""A differential in a sentence (METRICS.md § Differentials)."""

from __future__ import annotations

from collections.abc import Mapping
from math import floor
from typing import Any

_EVENTS = {
    "FMR": "strangers of the same group are taken for one another",
    "FNMR": "people are not recognised",
    "FTA": "people's faces are not found",
}


def words(differential: Mapping[str, Any]) -> str:
    """One sentence on one group and the reference, from a row of `differentials_of`.

    "At least X times" states the lower limit, rounded down, and only where it exceeds 1; where nothing is shown the
    sentence says what the data leave open, and never "no difference".
    """
    group, reference, metric = differential["group"], differential["reference"], differential["metric"]
    verdict, low, high = differential["verdict"], differential["low"], differential["high"]
    if verdict == "insufficient":
        people = differential["subjects"]
        if people is None:
            return f"{group}: too few comparisons to say."
        return f"{group}: too few people to say ({people} {'person' if people == 1 else 'people'})."
    if verdict == "reference":
        return f"{group}: the group the others are compared with for {metric}."
    event = _EVENTS.get(metric, f"errors happen ({metric})")
    if verdict == "higher":
        most = "" if high is None else f", at most {at_most(high)}"
        return f"{group}: {event} at least {at_least(low)} times as often as in {reference}{most}."
    return (
        f"{group}: that {metric} is higher than in {reference} is not shown, nor that it is the same: "
        f"the data allow {allowed(low, high)}."
    )


def family_words(p: float | None) -> str:
    """What the test of equal rates found, of all groups of a family together; a large p is never "no difference"."""
    if p is None:
        return "Not tested: fewer than two groups have people enough."
    return f"If all groups had one rate, differences as large as these would come up {_in_samples(p)}."


def pair_words(p: float | None) -> str:
    """The same of one group and the reference, `p` after Holm's correction over all pairs; "" where not tested."""
    if p is None:
        return ""
    often = f"{_in_samples(p)} (allowing for every pair tested)"
    return f"If both had one rate, a difference as large would come up {often}."


def _in_samples(p: float) -> str:
    if p >= 0.995:
        return "in nearly every sample"
    if p < 0.0005:
        return "in fewer than 1 of 1,000 samples"
    return f"in about {100 * p:.0f} of 100 samples" if p >= 0.095 else f"in about {1000 * p:.0f} of 1,000 samples"


def allowed(low: float | None, high: float | None) -> str:
    """What the limits of a ratio leave open: from 0.31 to 2.6 times; from 0 to any number of times."""
    most = "any number of" if high is None else at_most(high)
    return f"from {at_least(0.0 if low is None else low)} to {most} times"


def at_least(ratio: float) -> str:
    """A lower limit, rounded down to two digits: it must not grow by rounding."""
    return _digits(ratio, floor)


def at_most(ratio: float) -> str:
    """An upper limit, rounded up."""
    return _digits(ratio, lambda scaled: -floor(-scaled))


def _digits(ratio: float, rounded: Any) -> str:
    if ratio == 0:
        return "0"
    places = max(0, 1 - floor(_exponent(ratio))) + (1 < ratio < 1.1)  # 1.0 would say nothing of what is above 1
    scale = 10.0**places
    # A ratio that is a short decimal must not lose a digit to its binary form.
    return f"{rounded(round(ratio * scale, 9)) / scale:.{places}f}" if places else f"{rounded(round(ratio, 9)):,.0f}"


def _exponent(ratio: float) -> int:
    return int(f"{ratio:e}".split("e")[1])
