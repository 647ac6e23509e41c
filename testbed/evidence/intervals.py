"""Intervals for rates of comparisons that share people (METRICS.md § Intervals).

People are what is independent, not comparisons: 56 comparisons among 8 people are 8 people's worth of evidence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, isfinite, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

FEW = 4.0
"""Below this many Satterthwaite degrees of freedom a rate rests on a handful of people."""

SHARES_LENDING = (0.05, 0.10, 0.20)
LENDING_ERRORS = 20
NEAR = 1.5
"""A rate within this factor of one of these shares lends."""
FEWEST_SUBJECTS = 6

LEAST_LIMIT = 1e-9
"""A small part of one effective error has a lower limit like 1e-300, which nothing measured: it is printed as 0."""


@dataclass(frozen=True)
class Clustered:
    """A rate's errors and comparisons, with what clustering by person makes of them.

    `variance` is the identity-clustered plug-in variance of the rate and `freedom` its Satterthwaite degrees of
    freedom. `subjects` are the distinct people; `disjoint` is how many comparisons could be chosen among them so
    that no two share a person: the independent evidence that is there whatever the dependence. `smallest` is the
    smaller of the two groups compared, where there are two.
    """

    errors: int
    comparisons: int
    variance: float
    freedom: float
    subjects: int
    disjoint: int
    smallest: int | None = None

    @property
    def rate(self) -> float:
        """Errors per comparison; NaN without comparisons."""
        return self.errors / self.comparisons if self.comparisons else float("nan")

    @property
    def design_effect(self) -> float:
        """How many times more variable than independent comparisons (at least 1); NaN where it cannot be seen."""
        spread = self.rate * (1 - self.rate)
        return max(1.0, self.variance * self.comparisons / spread) if spread > 0 else float("nan")


@dataclass(frozen=True)
class Interval:
    """A two-sided interval and how it was made. `free` is the assumption-free one, where `method` borrowed."""

    low: float
    high: float
    method: str
    free: tuple[float, float] | None = None


@dataclass(frozen=True)
class Effective:
    """How many comparisons that share nobody a rate is worth (n*), and how that was found.

    `freedom` of the design effect in n*: infinite where errors are too few to show one. `borrowed`: n* rests on a
    design effect measured at other thresholds.
    """

    n: float
    freedom: float
    how: str
    borrowed: bool = False


NOTHING = Interval(0.0, 1.0, "no comparisons")


def within_group(errors: npt.NDArray[Any], comparisons: npt.NDArray[Any], moments: npt.NDArray[Any]) -> Clustered:
    """Non-mated comparisons inside one set of people.

    errors, comparisons `(G,)`: each subject's, over both roles, so every comparison stands in two of them.
    moments `(3,)`: Σerr², Σerr·n, Σn² over unordered pairs, both directions of a pair taken together.
    """
    M, x = int(comparisons.sum()) // 2, int(errors.sum()) // 2
    G = int((comparisons > 0).sum())
    if not M:
        return Clustered(0, 0, 0.0, 1.0, G, G // 2)
    p = x / M
    S = (errors - p * comparisons)[comparisons > 0]
    pairs = float(moments @ [1, -2 * p, p * p])
    V = max(float(S @ S) - pairs, pairs) / M**2
    return Clustered(x, M, V, _freedom(S), G, G // 2)


def across_groups(
    probe_side: tuple[npt.NDArray[Any], npt.NDArray[Any]],
    reference_side: tuple[npt.NDArray[Any], npt.NDArray[Any]],
    moments: npt.NDArray[Any],
) -> Clustered:
    """Non-mated comparisons of probes of one set of people with references of another, no person in both.

    Each side: errors, comparisons `(G_side,)` by subject. moments `(3,)`: Σerr², Σerr·n, Σn² over ordered pairs.
    """
    M, x = int(probe_side[1].sum()), int(probe_side[0].sum())
    sizes = [int((n > 0).sum()) for _, n in (probe_side, reference_side)]
    if not M:
        return Clustered(0, 0, 0.0, 1.0, sum(sizes), min(sizes), min(sizes))
    p = x / M
    squares, freedoms = [], []
    for (errors, comparisons), G in zip((probe_side, reference_side), sizes, strict=True):
        S = (errors - p * comparisons)[comparisons > 0]
        squares.append(float(S @ S) * (G / (G - 1) if G > 1 else 1.0))
        freedoms.append(_freedom(S))
    pairs = float(moments @ [1, -2 * p, p * p])
    V = max(sum(squares) - pairs, pairs) / M**2
    parts = sum(v * v / df for v, df in zip(squares, freedoms, strict=True))
    freedom = sum(squares) ** 2 / parts if parts > 0 else 1.0
    return Clustered(x, M, V, freedom, sum(sizes), min(sizes), min(sizes))


def by_subject(errors: npt.NDArray[Any], trials: npt.NDArray[Any]) -> Clustered:
    """A rate over trials that each belong to one person (FNMR, FTA, FTE): errors, trials `(G,)` by subject."""
    errors, trials = errors[trials > 0], trials[trials > 0]
    M, G = int(trials.sum()), len(trials)
    if not M:
        return Clustered(0, 0, 0.0, 1.0, 0, 0)
    p = errors.sum() / M
    S = errors - p * trials
    return Clustered(int(errors.sum()), M, float(S @ S) / M**2, _freedom(S), G, G)


def rate_interval(rate: Clustered, lenders: list[Clustered], alpha: float = 0.05) -> Interval:
    """The interval of a rate at confidence 1 − alpha.

    lenders: the same comparisons at other thresholds (looser for FMR, stricter for FNMR), from which zero and few
    errors borrow a design effect. With errors of enough people: Wilson with clustered n* and Student's t.
    """
    if not rate.comparisons:
        return NOTHING
    worth = effective(rate, lenders)
    n = worth.n
    if rate.disjoint == rate.comparisons:
        return Interval(*clopper_pearson(rate.errors, rate.comparisons, alpha), worth.how)
    if isfinite(worth.freedom):
        quantile = float(special.stdtrit(worth.freedom, 1 - alpha / 2))
        return Interval(*wilson(rate.rate, n, quantile), worth.how)
    free = disjoint_pairs(rate, alpha) if worth.borrowed else None
    if rate.errors == 0:
        return Interval(0.0, 1 - (alpha / 2) ** (1 / n), worth.how, free)
    if rate.errors == rate.comparisons:
        return Interval((alpha / 2) ** (1 / n), 1.0, worth.how, free)
    return Interval(*clopper_pearson(rate.rate * n, n, alpha), worth.how, free)


def effective(rate: Clustered, lenders: list[Clustered]) -> Effective:
    """n* of a rate with comparisons: its own, that of a borrowed design effect, or disjoint pairs."""
    M, x = rate.comparisons, rate.errors
    if rate.disjoint == M:  # no two comparisons share a person
        return Effective(float(M), inf, "Clopper–Pearson, one trial per subject")
    # One or two people on a side show no spread between people: what they lend would be too good.
    effect = borrowed_design_effect(lenders) if rate.disjoint >= FEWEST_SUBJECTS // 2 else None
    floor = float(max(rate.disjoint, 1))
    n = floor if effect is None else max(M / effect, floor)
    how = "disjoint pairs only" if effect is None else f"borrowed design effect {effect:.3g}"
    if x in (0, M):
        return Effective(n, inf, f"{'all' if x else 'zero'} errors, {how}", effect is not None)
    own = min(rate.rate * (1 - rate.rate) / rate.variance, float(M)) if rate.variance > 0 else float(M)
    if rate.freedom < FEW:
        return Effective(min(own, n), inf, f"few errors, {how}", effect is not None)
    return Effective(own, rate.freedom, f"clustered Wilson, t({rate.freedom:.3g})")


def may_lend(rate: float) -> bool:
    """Whether a rate is near one of the shares at which design effects are measured."""
    return SHARES_LENDING[0] / NEAR <= rate <= SHARES_LENDING[-1] * NEAR


def borrowed_design_effect(lenders: list[Clustered]) -> float | None:
    """The largest design effect among the lenders nearest to 5, 10 and 20 % errors with at least 20; else None."""
    able = [lender for lender in lenders if lender.errors >= LENDING_ERRORS and may_lend(lender.rate)]
    effects = []
    for wanted in SHARES_LENDING:
        near = [lender for lender in able if wanted / NEAR <= lender.rate <= wanted * NEAR]
        if near:
            effects.append(min(near, key=lambda lender: abs(lender.rate - wanted)).design_effect)
    return max(effects) if effects else None


def disjoint_pairs(rate: Clustered, alpha: float = 0.05) -> tuple[float, float]:
    """The assumption-free interval: as if only comparisons that share no person had been made."""
    n = max(rate.disjoint, 1)
    return clopper_pearson(rate.rate * n, n, alpha)


Bounds = Callable[[Clustered, list[Clustered], float], tuple[float, float]]
"""A lower and an upper limit of a rate, each one-sided at the level given."""


def clustered(rate: Clustered, lenders: list[Clustered], alpha: float) -> tuple[float, float]:
    """The limits of METRICS.md § Intervals."""
    found = rate_interval(rate, lenders, 2 * alpha)
    return found.low, found.high


def assumption_free(rate: Clustered, _: list[Clustered], alpha: float) -> tuple[float, float]:
    """The limits from disjoint pairs alone."""
    return disjoint_pairs(rate, 2 * alpha)


def sufficient(rate: Clustered, *, paired: bool = True) -> bool:
    """Whether there are people enough to say anything: 6 in every group compared, and 3 disjoint pairs (`paired`)."""
    people = rate.subjects if rate.smallest is None else rate.smallest
    return rate.comparisons > 0 and people >= FEWEST_SUBJECTS and (not paired or rate.disjoint >= 3)


def clopper_pearson(errors: float, trials: float, alpha: float = 0.05) -> tuple[float, float]:
    """Clopper & Pearson 1934; `errors` and `trials` may be effective, hence fractional."""
    low = float(special.betaincinv(errors, trials - errors + 1, alpha / 2)) if errors > 0 else 0.0
    high = float(special.betaincinv(errors + 1, trials - errors, 1 - alpha / 2)) if errors < trials else 1.0
    return (low if low > LEAST_LIMIT else 0.0), high


def wilson(rate: float, trials: float, quantile: float) -> tuple[float, float]:
    """Wilson 1927 with any quantile in place of 1.96 and effective `trials`."""
    q = quantile * quantile
    centre = (rate + q / (2 * trials)) / (1 + q / trials)
    half = quantile * sqrt(rate * (1 - rate) / trials + q / (4 * trials**2)) / (1 + q / trials)
    return max(0.0, centre - half), min(1.0, centre + half)


def _freedom(S: npt.NDArray[Any]) -> float:
    """Satterthwaite degrees of freedom from the subjects that carry the errors."""
    d = S - S.mean()
    fourth = float((d**4).sum())
    # A spread of rounding errors is no spread: nobody carries more than anybody else.
    if fourth <= 1e-24 * max(1.0, float((S**4).sum())):
        return float(max(1, len(S) - 1))
    return float(np.clip(float(d @ d) ** 2 / fourth - 1, 1, max(1, len(S) - 1)))
