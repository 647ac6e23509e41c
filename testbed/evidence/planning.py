"""How many people a test needs before it can say anything (METRICS.md § Planning)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from math import ceil, log, log1p
from pathlib import Path
from typing import Any

from pipelines.errors import InputError
from testbed.evidence.scored import ScoredCell
from testbed.matching.people import Group
from testbed.runs.directory import RunDirectory

MOST_SUBJECTS = 10**12
ASSUMED = 3.0
"""Design effect where nothing was measured: an assumption, no finding."""
TABLED = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
CURVE = tuple(10 ** (-k / 5) for k in range(5, 31))
"""Bounds that a curve is drawn through: one in ten to one in a million."""


@dataclass(frozen=True)
class DesignEffect:
    """How many times more variable the comparisons of all pairs of people are than independent ones.

    measured_on: the people it was measured on. It grows with people, because everybody takes part in more pairs:
    `1 + 2(G − 2)ρ`, ρ being how alike pairs are that share a person. None: it is assumed, and stays as it is.
    """

    value: float = ASSUMED
    measured_on: int | None = None

    def of(self, people: int) -> float:
        """That of all pairs among so many people."""
        if self.measured_on is None:
            return self.value
        return max(1.0, 1 + (self.value - 1) * (people - 2) / (self.measured_on - 2))


@dataclass(frozen=True)
class Plan:
    """People per group so that no error at all would support "rate ≤ bound".

    comparisons: independent comparisons (FMR) or people (FNMR) needed without error.
    disjoint: people, if only comparisons that share nobody count: holds whatever the dependence.
    borrowed: people, at the design effect assumed or measured. optimistic: people, as if all pairs were independent.
    """

    metric: str
    bound: float
    statements: int
    confidence: float
    effect: DesignEffect
    comparisons: int
    disjoint: int
    borrowed: int
    optimistic: int


def plan(
    metric: str, bound: float, groups: int = 1, claims: int = 1, confidence: float = 0.95,
    effect: DesignEffect | None = None,
) -> Plan:  # fmt: skip
    """The smallest test that could support `metric` ≤ `bound` for every group, with one-sided Bonferroni bounds.

    metric: FMR, or a rate with one trial per person (FNMR, FTA, FTE). Raises InputError where a value is impossible.
    """
    effect = effect or DesignEffect()
    if metric not in ("FMR", "FNMR", "FTA", "FTE"):
        raise InputError(f"--metric {metric}: cannot be planned for; give FMR, FNMR, FTA or FTE")
    if not 0 < bound < 1:
        raise InputError(f"--bound {bound:g}: must lie between 0 and 1, e.g. 1e-4")
    if groups < 1 or claims < 1:
        raise InputError("--groups and --claims: must be at least 1")
    if not 0 < confidence < 1:
        raise InputError(f"--confidence {confidence:g}: must lie between 0 and 1, e.g. 0.95")
    if effect.value < 1:
        raise InputError(f"--design-effect {effect.value:g}: must be at least 1 (1: all pairs independent)")
    needed = zero_errors_needed(bound, (1 - confidence) / (groups * claims))
    if metric == "FMR":
        worth = (
            lambda g: g // 2, lambda g: max(g * (g - 1) / 2 / effect.of(g), g // 2), lambda g: g * (g - 1) / 2
        )  # fmt: skip
        people = [_least_people(each, needed) for each in worth]
    else:
        people = [needed] * 3
    return Plan(metric, bound, groups * claims, confidence, effect, needed, *people)


def curve(
    metric: str, bounds: Sequence[float], groups: int = 1, claims: int = 1, confidence: float = 0.95,
    effect: DesignEffect | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """A row for each bound: the people per group that it takes, by each of the three reckonings of `Plan`."""
    kept = ("bound", "comparisons", "disjoint", "borrowed", "optimistic")
    planned = (asdict(plan(metric, bound, groups, claims, confidence, effect)) for bound in bounds)
    return [{name: row[name] for name in kept} for row in planned]


def planning_of(cell: ScoredCell, confidence: float = 0.95) -> Iterator[dict[str, Any]]:
    """A row, JSON-able: the people per group that a test like this cell's would have needed for FMR.

    Every group of the full cross is one statement. The design effect is the largest one measured within a group, or
    among all people where no group allows it; null, and with it `borrowed`, where nothing allows it.
    """
    everyone = cell.people.everyone()
    compared = [(group, cell.population(group).subjects()[1]) for group in cell.people.crossed() or [everyone]]
    groups = [group for group, people in compared if people]
    if not groups:
        return
    measured = _measured(cell, groups) or _measured(cell, [everyone])
    name, effect = measured or (None, None)
    rows, drawn = (curve("FMR", bounds, len(groups), 1, confidence, effect) for bounds in (TABLED, CURVE))
    if effect is None:
        rows, drawn = ([{**row, "borrowed": None} for row in each] for each in (rows, drawn))
    yield {
        "system": cell.system, "condition": cell.condition, "cell": cell.cell, "metric": "FMR",
        "statements": len(groups), "confidence": confidence, "design_effect": effect and effect.value,
        "measured_in": name, "measured_on": effect and effect.measured_on,
        "people": [{"group": group.name, "people": people} for group, people in compared if people],
        "rows": rows, "curve": drawn,
    }  # fmt: skip


def measured_in(path: Path) -> tuple[DesignEffect, str]:
    """The design effect of the most alike pairs among all cells of an evaluated run, and where that was, in words.

    Raises InputError where the run is not evaluated, or no design effect could be measured in it.
    """
    run = RunDirectory.open(path)
    run.require("evaluate", "plan")
    evidence = json.loads((path / "evidence.json").read_text(encoding="utf-8"))
    rows = [row for row in evidence.get("planning", []) if row["design_effect"] is not None]
    if not rows:
        raise InputError(
            f"{path}: no design effect could be measured in it, which takes 20 false matches at looser thresholds; "
            "evaluate it again if it is of an older version, or assume one with --design-effect"
        )
    worst = max(rows, key=lambda row: (row["design_effect"] - 1) / (row["measured_on"] - 2))
    where = f"{worst['cell']}, {worst['measured_in']}"
    return DesignEffect(worst["design_effect"], worst["measured_on"]), where


def _measured(cell: ScoredCell, groups: list[Group]) -> tuple[str, DesignEffect] | None:
    """The group whose pairs are most alike, with its design effect per pair of people."""
    found = []
    for group in groups:
        population = cell.population(group)
        people, effect = population.subjects()[1], population.design_effect
        if effect is not None and people > 2:
            # What stands in the intervals counts comparisons; pictures of one pair are no further pairs.
            pairs = people * (people - 1) / 2
            value = max(1.0, effect * pairs / float(population.non_mated.sum()))
            found.append(((value - 1) / (people - 2), group.name, DesignEffect(value, people)))
    return max(found, key=lambda each: each[:2])[1:] if found else None


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
