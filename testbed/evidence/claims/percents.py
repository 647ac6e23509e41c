"""Whether "N % similar" means "N % likely" (METRICS.md § Claims, § What a similarity or a "percent" means)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipelines.errors import InputError
from testbed.evidence.calibration import THIN
from testbed.evidence.claims.verdicts import NOTHING_COMPARED, Judgement, Sense, judged, too_few
from testbed.evidence.decoder import posterior
from testbed.evidence.intervals import Bounds
from testbed.evidence.likelihood import ratio_at
from testbed.evidence.scored import Population
from testbed.matching.percent import RULES


def verdict_on_percent(population: Population, percent: float, prior: float, sense: Sense, alpha: float) -> Judgement:
    """Whether at a displayed `percent` the probability of the same person is that, at `prior` and level `alpha`.

    The limits are those of the likelihood ratio at the score. An exact value can be missed on either side.
    """
    cell = population.cell
    compared = int(population.mated.sum() + population.non_mated.sum())
    found = Judgement("untestable", 0.0, 1.0, comparisons=compared, subjects=population.subjects()[1])
    rule = RULES.get(cell.percent_rule or "")
    if rule is None or rule.direction != cell.direction:
        return replace(found, why=f"how {cell.system} shows a score as percent is not known")
    try:
        score = rule.score(percent)
    except InputError as error:
        return replace(found, why=str(error))
    used, at = np.flatnonzero((population.mated + population.non_mated).sum(axis=0)), cell.bin(score)
    if not population.mated.any() or not population.non_mated.any():
        return replace(found, why=NOTHING_COMPARED)
    if not used[0] <= at <= used[-1]:
        return replace(found, why=f"{percent:g} % stands for a score of {score:.4g}, which nobody here came near")
    if not population.sufficient():
        return replace(found, why=too_few(min(population.subjects())))
    ratio = ratio_at(population, score)
    if any(side.mated.errors + side.strangers.errors < THIN for side in (ratio.alike, ratio.unlike)):
        return replace(found, why=f"fewer than {THIN} comparisons on one side of the score {score:.4g}")

    def limits(bounds: Bounds) -> tuple[float, float]:
        low, high = posterior(ratio.limits(alpha if sense == "exactly" else 2 * alpha, bounds), prior)
        return float(low), float(high)

    verdict, low, high, agrees = judged(limits, percent / 100, sense)
    why = "an exact value can be refuted, never proved" if verdict == "not settled" and sense == "exactly" else None
    return replace(
        found, verdict=verdict, low=low, high=high, free_agrees=agrees, basis=ratio.counted, why=why,
        value=float(posterior(ratio.value, prior)), at_limit=ratio.at_limit,
    )  # fmt: skip
