"""Verdicts from one-sided limits: on one rate, on several compared, on any quantity that has limits.

METRICS.md § Claims.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf, isfinite
from typing import Any, Literal

from testbed.evidence.intervals import (
    FEW,
    FEWEST_SUBJECTS,
    Bounds,
    Clustered,
    assumption_free,
    borrowed_design_effect,
    clustered,
    sufficient,
)

NOTHING_COMPARED = "nothing was compared"
MOST_PEOPLE = 10**7
"""More further people than this is never a test that anybody will run."""

Verdict = Literal["refuted", "supported", "not settled", "untestable"]
Sense = Literal["at most", "at least", "exactly"]
Rate = tuple[Clustered, list[Clustered]]
"""A rate and those that lend it a design effect."""


@dataclass(frozen=True)
class Judgement:
    """A verdict, the one-sided limits it rests on (None: none), and what further people would settle it.

    free_agrees: the assumption-free limits (disjoint pairs) give the same verdict. basis: what was counted, where
    errors of comparisons do not tell. why: the reason where a verdict needs one. at_limit: `under` or `over` where the
    value is only as low or as high as so many people can show.
    """

    verdict: Verdict
    low: float | None = None
    high: float | None = None
    free_agrees: bool = True
    value: float | None = None
    errors: int | None = None
    comparisons: int | None = None
    subjects: int | None = None
    basis: str | None = None
    why: str | None = None
    at_limit: str | None = None
    people_if_as_observed: int | None = None
    people_if_half_the_bound: int | None = None


def decide(low: float, high: float, bound: float, sense: Sense) -> Verdict:
    """Refuted where the limits lie wholly on the wrong side, supported where wholly on the right side.

    An exact value can be refuted, never supported: limits have a width.
    """
    above, below = low > bound, high < bound
    if sense == "exactly":
        return "refuted" if above or below else "not settled"
    if sense == "at least":
        return "refuted" if below else "supported" if low >= bound else "not settled"
    return "refuted" if above else "supported" if high <= bound else "not settled"


def judged(
    limits: Callable[[Bounds], tuple[float, float]], bound: float, sense: Sense
) -> tuple[Verdict, float | None, float | None, bool]:
    """Verdict, limits and whether the assumption-free ones agree; limits: the quantity's under the bounds given."""
    low, high = limits(clustered)
    verdict = decide(low, high, bound, sense)
    agrees = verdict == "not settled" or decide(*limits(assumption_free), bound, sense) == verdict
    return verdict, _finite(low), _finite(high), agrees


def verdict_on(rate: Clustered, lenders: list[Clustered], bound: float, alpha: float, *, paired: bool) -> Judgement:
    """Whether a rate is at most `bound`, at one-sided level `alpha`.

    The further people are those for whom the limit would clear the bound if evidence grows as it did so far (with
    pairs of people, or people).
    """
    verdict, low, high, agrees = judged(lambda bounds: bounds(rate, lenders, alpha), bound, "at most")
    found = Judgement(
        verdict, low, high, agrees, rate.rate if rate.comparisons else None, rate.errors, rate.comparisons,
        rate.subjects,
    )  # fmt: skip
    if not sufficient(rate, paired=paired):
        return replace(found, verdict="untestable", free_agrees=True, why=uncounted(rate))
    if verdict != "not settled":
        return found

    def further(true: float) -> int | None:
        def settled(growth: float) -> bool:
            limits = _limits_with(rate, lenders, true, growth, alpha, paired=paired)
            return decide(*limits, bound, "at most") != "not settled"

        return _further(rate.subjects, settled)

    return replace(found, people_if_as_observed=further(rate.rate), people_if_half_the_bound=further(bound / 2))


def verdict_on_factor(rates: dict[str, Rate], factor: float, alpha: float, *, paired: bool) -> Judgement:
    """Whether the highest of the groups' rates is at most `factor` times the lowest, at level `alpha`.

    Refuted where one group's lower limit over another's upper limit exceeds it: any pair may, so the 2G limits of G
    groups share alpha. Supported where the highest upper limit over the lowest lower limit does not: that errs only
    where the limit of the truly highest group or that of the truly lowest one does, so these two share alpha. Groups
    with too few people are named; the others can refute the claim, but it is not supported without them.
    """
    enough = {name: rate for name, rate in rates.items() if sufficient(rate[0], paired=paired)}
    few = [f"{name.replace('_', ' ')} ({rate.subjects})" for name, (rate, _) in rates.items() if name not in enough]
    missing = f"too few people: {', '.join(few)}" if few else None
    counted = [rate for rate, _ in enough.values()]
    found = Judgement(
        "untestable", 1.0, None, errors=sum(rate.errors for rate in counted),
        comparisons=sum(rate.comparisons for rate in counted), subjects=sum(rate.subjects for rate in counted),
    )  # fmt: skip
    if len(enough) < 2:
        return replace(found, why=missing or "a factor needs two groups")
    verdict, low, high, agrees = judged(lambda bounds: factor_limits(enough, alpha, bounds), factor, "at most")
    lowest, highest = (chosen(enough, key=lambda name: enough[name][0].rate) for chosen in (min, max))
    least, most = enough[lowest][0], enough[highest][0]
    basis = "; ".join(f"{what} {name.replace('_', ' ')} {100 * rate.rate:.3g} % ({rate.errors} of {rate.comparisons:,})"
                      for what, name, rate in (("highest", highest, most), ("lowest", lowest, least)))  # fmt: skip
    value = most.rate / least.rate if least.rate > 0 else None
    found = replace(found, verdict=verdict, low=low, high=high, free_agrees=agrees, value=value, basis=basis)
    if verdict == "refuted" or (verdict == "supported" and not missing):
        return found
    if missing:
        return replace(found, verdict="not settled", free_agrees=True, why=missing)

    def settled(growth: float) -> bool:
        def bounds(rate: Clustered, lenders: list[Clustered], level: float) -> tuple[float, float]:
            return _limits_with(rate, lenders, rate.rate, growth, level, paired=paired)

        return decide(*factor_limits(enough, alpha, bounds), factor, "at most") != "not settled"

    further = _further(sum(rate.subjects for rate in counted), settled)
    why = "a group without any error sets no limit to the factor" if high is None else None
    return replace(found, why=why, people_if_as_observed=further)


def factor_limits(rates: dict[str, Rate], alpha: float, bounds: Bounds) -> tuple[float, float]:
    """The limits of `verdict_on_factor`: of the highest rate over the lowest, each one-sided at alpha."""
    names = range(len(rates))
    every, ends = (
        [bounds(*rate, alpha / share) for rate in rates.values()] for share in (2 * len(rates), 2)
    )  # fmt: skip
    apart = max(every[a][0] / every[b][1] for a in names for b in names if a != b)
    lowest = min(low for low, _ in ends)
    return max(1.0, apart), max(high for _, high in ends) / lowest if lowest > 0 else inf


def uncounted(rate: Clustered) -> str:
    """Why a rate that is not sufficient is not."""
    return too_few(rate.subjects if rate.smallest is None else rate.smallest) if rate.comparisons else NOTHING_COMPARED


def too_few(people: int) -> str:
    """That nothing can be said of so few people."""
    return f"too few people: {people}, where at least {FEWEST_SUBJECTS} are needed"


def _limits_with(
    rate: Clustered, lenders: list[Clustered], true: float, growth: float, alpha: float, *, paired: bool
) -> tuple[float, float]:
    """The limits of a rate with `growth` times the people at a true rate, errors as dependent as these."""
    if 0 < rate.errors < rate.comparisons and rate.freedom >= FEW:
        effect = rate.design_effect
    else:
        effect = borrowed_design_effect(lenders) or max(1.0, rate.comparisons / max(rate.disjoint, 1))
    larger = [_grown(x, x.rate, x.design_effect, growth, paired=paired) for x in lenders if 0 < x.rate < 1]
    return clustered(_grown(rate, true, effect, growth, paired=paired), larger, alpha)


def _grown(rate: Clustered, true: float, effect: float, growth: float, *, paired: bool) -> Clustered:
    """Pairs grow with the square of people, but so do those that share a person: the design effect grows as well."""
    comparisons = rate.comparisons * (growth**2 if paired else growth)
    effect = 1 + (effect - 1) * growth if paired else effect
    expected: dict[str, Any] = {  # of which errors and people may be fractions
        "errors": true * comparisons, "comparisons": comparisons, "disjoint": rate.disjoint * growth,
        "variance": effect * true * (1 - true) / comparisons,
        "freedom": rate.freedom * growth, "subjects": rate.subjects * growth,
    }  # fmt: skip
    return replace(rate, **expected)


def _further(people: int, settled: Callable[[float], bool]) -> int | None:
    """Further people; settled: whether so many times the people would do. None where no test that is ever run would."""
    low, high = people, 2 * people
    while not settled(high / people):
        low, high = high, 2 * high
        if high > MOST_PEOPLE:
            return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if settled(middle / people) else (middle + 1, high)
    return high - people


def _finite(limit: float) -> float | None:
    return limit if isfinite(limit) else None
