"""What a score means, population by population: the rows of `score_meaning` in evidence.json."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from math import isfinite, log10
from typing import Any

import numpy as np

from pipelines.errors import InputError
from testbed.evidence.bootstrap import METHOD
from testbed.evidence.calibration import Cost, Reliability, costs, reliability
from testbed.evidence.decoder import decode, posterior
from testbed.evidence.likelihood import at_every_bin, cross_fitted, limits, logistic
from testbed.evidence.scored import Population, ScoredCell
from testbed.evidence.strangers import SIZES, capacity, chances, median_gallery, top_scores
from testbed.matching.percent import PERCENTS, RULES, PercentRule

PRIOR = 0.5
CURVE = 41
PRIORS = (1 / 2, 1 / 1000)
"""One-to-one priors that a percent's posterior is given for: even odds, and one suspect in a thousand."""
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


RELIABILITY = f"{METHOD}; where not redrawn, clustered bounds of mated and non-mated at once"


def score_meaning_of(cell: ScoredCell, prior: float = PRIOR) -> Iterator[dict[str, Any]]:
    """One row, JSON-able without NaN, for every group of a cell, and for all people against their own groups.

    Each holds the likelihood ratio over the observed scores with its limits, Cllr, Cllr_min and Cllr_cal (PAV, and
    Cllr of the logistic fit), reliability and expected calibration error at `prior`, and a stranger's top score at
    the operating points of one threshold. What cannot be computed is null, and `why` says so. Raises InputError where
    the system's percent rule is for scores of the other direction.
    """
    rule = RULES.get(cell.percent_rule or "")
    if rule is not None and rule.direction != cell.direction:
        raise InputError(f"{cell.cell}: the percent rule {rule.name} is for a {rule.direction}, not a {cell.direction}")
    for population in cell.populations():
        yield {**_head(population), **_body(population, rule, prior)}


def _head(population: Population) -> dict[str, Any]:
    cell, group, reference = population.cell, population.group, population.reference
    mated_people, people = population.subjects()
    return {
        "system": cell.system, "condition": cell.condition, "cell": cell.cell, "unit": "transit",
        "probe_group": group.name, "probe_attributes": group.attributes,
        "reference_group": reference.name, "reference_attributes": reference.attributes,
        "percent_rule": cell.percent_rule, "subjects": people, "mated_subjects": mated_people,
        "comparisons": int(population.non_mated.sum()), "mated_comparisons": int(population.mated.sum()),
        "confidence": 0.95, "verdict": "measured" if population.sufficient() else "insufficient",
    }  # fmt: skip


def _body(population: Population, rule: PercentRule | None, prior: float) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys((
        "why", "log10_limits", "design_effect", "likelihood_ratios", "cllr", "cllr_min", "cllr_cal", "cllr_logistic",
        "judged", "reliability", "expected_calibration_error", "stranger", "percents",
    ))  # fmt: skip
    missing = [name for name, x in (("mated", population.mated), ("non-mated", population.non_mated)) if not x.sum()]
    if missing:
        return {**row, "why": f"no {' and no '.join(missing)} comparisons"}
    row["log10_limits"], row["design_effect"] = limits(population), population.design_effect
    row["likelihood_ratios"] = _curve(population, rule)
    row["percents"] = [_percent(population, rule, percent) for percent in PERCENTS] if rule else None
    row["stranger"] = [_stranger(population, point) for point in population.cell.operating_points]
    ratios, straight = cross_fitted(population), cross_fitted(population, logistic)
    if ratios is None or straight is None:
        return {**row, "why": "a half of the people lacks mated or non-mated comparisons, so nothing is cross-fitted"}
    row["cllr"], row["cllr_min"], row["cllr_cal"] = (_cost(each) for each in costs(population, ratios))
    row["cllr_logistic"] = _cost(costs(population, straight)[0])
    row["judged"] = {"mated": int(population.mated[:2].sum()), "non_mated": int(population.non_mated[:2].sum())}
    diagram = reliability(population, ratios, prior)
    row["reliability"] = _diagram(diagram)
    row["expected_calibration_error"] = {
        "prior": prior, "value": diagram.expected_error, "low": diagram.error.low, "high": diagram.error.high,
        "method": diagram.error.method,
    }  # fmt: skip
    return row


def _curve(population: Population, rule: PercentRule | None) -> list[dict[str, Any]]:
    """Likelihood ratios fitted on everybody, at scores spread over those observed, as log10."""
    cell = population.cell
    used = np.flatnonzero(population.mated.sum(axis=0) + population.non_mated.sum(axis=0))
    bins = np.unique(np.linspace(used[0], used[-1], CURVE).round().astype(int))
    pooled, straight = (np.log10(at_every_bin(population, *fit)) for fit in ((), (logistic,)))
    return [
        {
            "score": float(cell.scores[b]), "percent": rule.percent(float(cell.scores[b])) if rule else None,
            "log10": float(pooled[b]), "logistic": float(straight[b]),
        }
        for b in bins
    ]  # fmt: skip


def _percent(population: Population, rule: PercentRule, percent: float) -> dict[str, Any]:
    """What a shown percent means; its values null, and `why`, where nobody came near such a score."""
    try:
        d = decode(population, rule, percent)
    except InputError as error:
        # Whose it is stands in the row.
        told = str(error).partition(": ")[2]
        return {"percent": percent, "score": rule.score(percent), "shown": None, "log10_ratio": None,
                "log10_low": None, "log10_high": None, "at_limit": None, "counted": None, "posterior": None,
                "why": told}  # fmt: skip
    shown = {
        "value": d.shown, "low": d.interval.low, "high": d.interval.high, "errors": d.errors,
        "comparisons": d.strangers, "counted_at": d.counted_at, "method": d.interval.method,
        "assumption_free": d.interval.free,
    }  # fmt: skip
    low, high = d.ratio.limits()
    chances = [(prior, *map(float, posterior((d.ratio.value, low, high), prior))) for prior in PRIORS]
    return {
        "percent": percent, "score": d.score, "shown": shown, "log10_ratio": log10(d.ratio.value),
        "log10_low": log10(low) if low > 0 else None, "log10_high": log10(high) if isfinite(high) else None,
        "at_limit": d.ratio.at_limit, "counted": d.ratio.counted,
        "posterior": [dict(zip(("prior", "value", "low", "high"), each, strict=True)) for each in chances],
        "why": None,
    }  # fmt: skip


def _cost(cost: Cost) -> dict[str, float]:
    return {"value": cost.value, "low": cost.low, "high": cost.high}


def _diagram(diagram: Reliability) -> dict[str, Any]:
    columns = {
        "upto": diagram.upto, "predicted": diagram.predicted, "observed": diagram.observed, "low": diagram.low,
        "high": diagram.high, "mated": diagram.mated, "non_mated": diagram.non_mated, "thin": diagram.thin,
        "redrawn": diagram.redrawn,
    }  # fmt: skip
    bins = [dict(zip(columns, map(_plain, row), strict=True)) for row in zip(*columns.values(), strict=True)]
    return {"prior": diagram.prior, "method": RELIABILITY, "bins": bins}


def _stranger(population: Population, point: str) -> dict[str, Any]:
    tallied, most = population.cell.tallied, capacity(population)
    k = tallied.index(point)
    median = median_gallery(population, k)
    sizes = sorted({*SIZES, most} - {0})
    return {
        "operating_point": point, "threshold": tallied.threshold(k), "measured_up_to": most,
        "chances": [asdict(each) for each in chances(population, k, sizes)],
        "median_gallery": asdict(median),
        "top_scores": [
            {"size": size, "shares": QUANTILES, "scores": [_plain(x) for x in top_scores(population, size, QUANTILES)]}
            for size in sizes if size <= most
        ],
    }  # fmt: skip


def _plain(value: Any) -> Any:
    """A NumPy number as JSON holds it; NaN as null."""
    plain = value.item()
    return None if isinstance(plain, float) and not isfinite(plain) else plain
