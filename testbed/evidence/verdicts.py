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
        return f"{group}: too few people to say ({people} {'person' if people == 1 else 'people'})."
    if verdict == "reference":
        return f"{group}: the group the others are compared with for {metric}."
    event = _EVENTS.get(metric, f"errors happen ({metric})")
    if verdict == "higher":
        most = "" if high is None else f", at most {_above(high)}"
        return f"{group}: {event} at least {_below(low)} times as often as in {reference}{most}."
    least = 0.0 if low is None else low
    most = "any number of" if high is None else f"{_above(high)}"
    return (
        f"{group}: that {metric} is higher than in {reference} is not shown, nor that it is the same: "
        f"the data allow from {_below(least)} to {most} times."
    )


def _below(ratio: float) -> str:
    """Rounded down to two digits: a lower limit must not grow by rounding."""
    return _digits(ratio, floor)


def _above(ratio: float) -> str:
    """Rounded up, for upper limits."""
    return _digits(ratio, lambda scaled: -floor(-scaled))


def _digits(ratio: float, rounded: Any) -> str:
    if ratio == 0:
        return "0"
    places = max(0, 1 - floor(_exponent(ratio)))
    scale = 10.0**places
    # A ratio that is a short decimal must not lose a digit to its binary form.
    return f"{rounded(round(ratio * scale, 9)) / scale:.{places}f}" if places else f"{rounded(round(ratio, 9)):,.0f}"


def _exponent(ratio: float) -> int:
    return int(f"{ratio:e}".split("e")[1])
