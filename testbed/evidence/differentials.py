"""Differences between groups at one common threshold (METRICS.md § Differentials)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from testbed.evidence.difference_test import Rate, no_difference, pairwise
from testbed.evidence.intervals import rate_interval, sufficient
from testbed.evidence.rates import ALPHA, CellData
from testbed.evidence.verdicts import words
from testbed.matching.people import Group, People

TEST_SEED = 1
"""The tests draw their null distributions at random: the same evidence gives the same p."""


def differentials_of(data: CellData) -> Iterator[dict[str, Any]]:
    """Within-group FMR, FNMR, and FTA of every group against the one with the lowest upper limit, by kind of group.

    The ratio's interval is `[low_g / high_ref, high_g / low_ref]` from bounds at 1 − α/G each, so that all ratios of
    the family hold together. "At least X×" is said only where the lower limit exceeds 1; that nothing is shown is
    never called "no difference". Groups with too few people are listed, not ranked. `family_p` tests that all groups
    of the family have one rate, `holm_p` a group against the reference, corrected over all pairs of the family.
    """
    families: list[tuple[str, str | None]] = [] if data.unknown("FTA") else [("FTA", None)]
    families += [(metric, point) for point in data.operating_points for metric in ("FMR", "FNMR")]
    for metric, point in families:
        for kind, groups in kinds_of(data.people).items():
            yield from _family(data, metric, point, kind, groups)


def kinds_of(people: People) -> dict[str, list[Group]]:
    """Groups that are compared with one another, by kind: each attribute, then the full cross; empty without any."""
    crossed = people.crossed()
    return {**people.single(), **({" × ".join(people.attributes): crossed} if crossed else {})}


def _family(data: CellData, metric: str, point: str | None, kind: str, groups: list[Group]) -> Iterator[dict[str, Any]]:
    rates = {g.name: data.clustered(metric, point, g, g if metric == "FMR" else None) for g in groups}
    enough = [g for g in groups if sufficient(rates[g.name][0], paired=metric == "FMR")]
    alpha = ALPHA / max(2, len(enough))
    bounds = {g.name: rate_interval(*rates[g.name], alpha) for g in groups}
    # The lowest upper limit, not the lowest rate: no error among eight people is weaker evidence of a low rate
    # than four among thirty-four, and a ratio to it would claim nothing.
    reference = min(enough, key=lambda g: (bounds[g.name].high, rates[g.name][0].rate), default=None)
    p_family, p_holm = _tests(rates, groups, reference, paired=metric == "FMR")
    for group in groups:
        rate, bound = rates[group.name][0], bounds[group.name]
        low = high = value = None
        if group not in enough or reference is None:
            judgement = "insufficient"
        elif group is reference:
            judgement, value, low, high = "reference", 1.0, 1.0, 1.0
        else:
            base, base_bound = rates[reference.name][0], bounds[reference.name]
            value = rate.rate / base.rate if base.rate > 0 else None
            low = bound.low / base_bound.high if base_bound.high > 0 else None
            high = bound.high / base_bound.low if base_bound.low > 0 else None
            judgement = "higher" if low is not None and low > 1 else "not shown"
        row = {
            "metric": metric, "kind": kind, "system": data.system, "condition": data.condition, "cell": data.cell,
            "operating_point": point,
            "threshold": data.threshold(point),
            "group": group.name, "group_attributes": group.attributes,
            "reference": None if reference is None else reference.name,
            "ratio": value, "low": low, "high": high, "confidence": 1 - ALPHA,
            "errors": rate.errors, "comparisons": rate.comparisons, "subjects": rate.subjects,
            "method": f"simultaneous bounds over {len(enough)} groups", "verdict": judgement,
            "family_p": p_family, "holm_p": p_holm.get(group.name),
        }  # fmt: skip
        yield {**row, "words": words(row)}


def _tests(
    rates: dict[str, Rate], groups: list[Group], reference: Group | None, *, paired: bool
) -> tuple[float | None, dict[str, float]]:
    """p of the test that all groups have one rate, and of each group against the reference (Holm over all pairs)."""
    ordered = [rates[group.name] for group in groups]
    test = no_difference(ordered, TEST_SEED, paired=paired)
    if test is None or reference is None:
        return None, {}
    found = {}
    for pair in pairwise(ordered, TEST_SEED, paired=paired):
        names = {groups[pair.first].name, groups[pair.second].name}
        if reference.name in names:
            (other,) = names - {reference.name}
            found[other] = pair.holm
    return test.p, found
