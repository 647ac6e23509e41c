"""How many people a test needs before it can say anything (METRICS.md § Planning)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, log, log1p

from pipelines.errors import InputError

MOST_SUBJECTS = 10**12


@dataclass(frozen=True)
class Plan:
    """People per group so that no error at all would support "rate ≤ bound".

    comparisons: independent comparisons (FMR) or people (FNMR) needed without error.
    disjoint: people, if only comparisons that share nobody count: holds whatever the dependence.
    borrowed: people, at the design effect assumed. optimistic: people, as if all pairs were independent.
    """

    metric: str
    bound: float
    statements: int
    confidence: float
    design_effect: float
    comparisons: int
    disjoint: int
    borrowed: int
    optimistic: int


def plan(
    metric: str, bound: float, groups: int = 1, claims: int = 1, confidence: float = 0.95, design_effect: float = 3.0
) -> Plan:
    """The smallest test that could support `metric` ≤ `bound` for every group, with one-sided Bonferroni bounds.

    metric: FMR, or a rate with one trial per person (FNMR, FTA, FTE). Raises InputError where a value is impossible.
    """
    if metric not in ("FMR", "FNMR", "FTA", "FTE"):
        raise InputError(f"--metric {metric}: cannot be planned for; give FMR, FNMR, FTA or FTE")
    if not 0 < bound < 1:
        raise InputError(f"--bound {bound:g}: must lie between 0 and 1, e.g. 1e-4")
    if groups < 1 or claims < 1:
        raise InputError("--groups and --claims: must be at least 1")
    if not 0 < confidence < 1:
        raise InputError(f"--confidence {confidence:g}: must lie between 0 and 1, e.g. 0.95")
    if design_effect < 1:
        raise InputError(f"--design-effect {design_effect:g}: must be at least 1 (1: all pairs independent)")
    needed = zero_errors_needed(bound, (1 - confidence) / (groups * claims))
    if metric == "FMR":
        people = [2 * needed, _least_people(lambda g: max(g * (g - 1) / 2 / design_effect, g // 2), needed),
                  _least_people(lambda g: g * (g - 1) / 2, needed)]  # fmt: skip
    else:
        people = [needed] * 3
    return Plan(metric, bound, groups * claims, confidence, design_effect, needed, *people)


def zero_errors_needed(bound: float, alpha: float) -> int:
    """The least n for which no error in n independent trials bounds the rate by `bound` at level `alpha`, one-sided.

    The inverse of the zero-error bound `1 − α^(1/n)` of METRICS.md § Intervals.
    """
    return ceil(log(alpha) / log1p(-bound) - 1e-12)


def _least_people(worth: Callable[[int], float], needed: int) -> int:
    """The fewest people whose comparisons are worth `needed` independent ones (`worth` grows with people)."""
    low, high = 1, 2
    while worth(high) < needed and high < MOST_SUBJECTS:
        low, high = high, 2 * high
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if worth(middle) >= needed else (middle + 1, high)
    return high
