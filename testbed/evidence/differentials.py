"""Differences between groups at one common threshold (METRICS.md § Differentials)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from testbed.evidence.intervals import Clustered, rate_interval, sufficient
from testbed.evidence.rates import ALPHA, CellData
from testbed.matching.people import Group


def differentials_of(data: CellData) -> Iterator[dict[str, Any]]:
    """Within-group FMR, and FNMR, of every group against the group with the lowest rate, for each kind of group.

    The ratio's interval is `[low_g / high_ref, high_g / low_ref]` from bounds at 1 − α/G each, so that all ratios of
    the family hold together. "At least X×" is said only where the lower limit exceeds 1; that nothing is shown is
    never called "no difference". Groups with too few people are listed, not ranked.
    """
    kinds = {**data.people.single(), " × ".join(data.people.attributes): data.people.crossed()}
    for point in data.operating_points:
        k = data.tallied.index(point)
        for kind, groups in kinds.items():
            for metric in ("FMR", "FNMR"):
                yield from _family(data, k, point, kind, groups, metric)


def _family(
    data: CellData, k: int, point: str, kind: str, groups: list[Group], metric: str
) -> Iterator[dict[str, Any]]:
    rates = {group.name: _clustered(data, k, group, metric) for group in groups}
    enough = [g for g in groups if sufficient(rates[g.name][0], paired=metric == "FMR")]
    if not groups:
        return
    alpha = ALPHA / max(2, len(enough))
    bounds = {g.name: rate_interval(*rates[g.name], alpha) for g in groups}
    # The lowest upper bound, not the lowest rate: of two groups without an error the better measured one is the rule.
    reference = min(enough, key=lambda g: (rates[g.name][0].rate, bounds[g.name].high), default=None)
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
        yield {
            "metric": metric, "kind": kind, "system": data.system, "condition": data.condition, "cell": data.cell,
            "operating_point": point, "threshold": data.tallied.threshold(k),
            "group": group.name, "group_attributes": group.attributes,
            "reference": None if reference is None else reference.name,
            "ratio": value, "low": low, "high": high, "confidence": 1 - ALPHA,
            "errors": rate.errors, "comparisons": rate.comparisons, "subjects": rate.subjects,
            "method": f"simultaneous bounds over {len(enough)} groups", "verdict": judgement,
        }  # fmt: skip


def _clustered(data: CellData, k: int, group: Group, metric: str) -> tuple[Clustered, list[Clustered]]:
    tallied = data.tallied
    if metric == "FMR":
        return tallied.fmr(k, group, group), [tallied.fmr(i, group, group) for i in tallied.ladder("looser")]
    return tallied.fnmr(k, group), [tallied.fnmr(i, group) for i in tallied.ladder("stricter")]
