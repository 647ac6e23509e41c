"""Whether "N % similar" means "N % likely" (METRICS.md § Claims, § What a similarity or a "percent" means)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipelines.errors import InputError
from testbed.evidence.calibration import THIN
from testbed.evidence.claims.verdicts import NOTHING_COMPARED, Bounds, Judgement, Rate, Sense, judged, too_few
from testbed.evidence.decoder import posterior
from testbed.evidence.intervals import by_subject, within_group
from testbed.evidence.likelihood import at_every_bin
from testbed.evidence.percent import RULES
from testbed.evidence.scored import Array, Population

MOST = 0.9


def verdict_on_percent(population: Population, percent: float, prior: float, sense: Sense, alpha: float) -> Judgement:
    """Whether at a displayed `percent` the probability of the same person is that, at `prior` and level `alpha`.

    One thing is assumed: that a more alike score is never weaker evidence. The likelihood ratio at the score is then
    at most its mean over more alike scores and at least its mean over less alike ones, and these means have clustered
    limits: shares of mated and of non-mated comparisons between tallied thresholds, by person. The nearest scores are
    taken, as far as they hold nine tenths of what keeps the limit close: on the more alike side of the strangers, on
    the less alike side of the mated.
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
    sides = _sides(population, score)
    if any(mated.errors + others.errors < THIN for (mated, _), (others, _) in sides):
        return replace(found, why=f"fewer than {THIN} comparisons on one side of the score {score:.4g}")
    # Two limits a side make one of the likelihood ratio; an exact value can be missed on either side.
    level = alpha / (4 if sense == "exactly" else 2)

    def limits(bounds: Bounds) -> tuple[float, float]:
        alike, unlike = ([bounds(*rate, level) for rate in side] for side in sides)
        least, most = unlike[0][0] / unlike[1][1], alike[0][1] / alike[1][0] if alike[1][0] > 0 else None
        return float(posterior(least, prior)), 1.0 if most is None else float(posterior(most, prior))

    verdict, low, high, agrees = judged(limits, percent / 100, sense)
    basis = "; ".join(
        f"{where} alike than {score:.4g}: {mated.errors} of {mated.comparisons:,} of the same person, "
        f"{others.errors:,} of {others.comparisons:,} of strangers"
        for where, ((mated, _), (others, _)) in zip(("more", "less"), sides, strict=True)
    )
    why = "an exact value can be refuted, never proved" if verdict == "not settled" and sense == "exactly" else None
    return replace(
        found, verdict=verdict, low=low, high=high, free_agrees=agrees, basis=basis, why=why,
        value=float(posterior(at_every_bin(population)[at], prior)),
    )  # fmt: skip


def _sides(population: Population, score: float) -> tuple[tuple[Rate, Rate], tuple[Rate, Rate]]:
    """Shares of mated and of non-mated comparisons at scores more alike than `score`, and at less alike ones."""
    cell = population.cell
    points = cell.thresholds()
    at = cell.tallied.thresholds[points, 0] * (1 if cell.direction == "distance" else -1)
    wanted = score if cell.direction == "distance" else -score
    # Cumulated over thresholds from strict to loose, nothing before the first and everything after the last.
    hits, misses = (
        np.vstack([np.zeros_like(total[:1]), matches[points], total[points[:1]]])
        for matches, total in (
            (population.mated_matches, population.mated_trials),
            (population.matches.sum(axis=1), population.trials.sum(axis=1)),
        )
    )
    # A threshold that differs by rounding only is the score itself.
    last, first = int((at <= wanted + 1e-9).sum()), int((at < wanted - 1e-9).sum()) + 1
    strangers, same = misses.sum(axis=1), hits.sum(axis=1)
    most, least = MOST * strangers[last], MOST * (same[-1] - same[first])
    start = max((k for k in range(last) if 0 < most <= strangers[last] - strangers[k]), default=0)
    end = min((k for k in range(first, len(same)) if 0 < least <= same[k] - same[first]), default=len(same) - 1)
    return _shares(population, hits, misses, start, last), _shares(population, hits, misses, first, end)


def _shares(population: Population, hits: Array, misses: Array, start: int, end: int) -> tuple[Rate, Rate]:
    # Sums over pairs of people between thresholds are not tallied: left out, the variance can only be too large.
    others = within_group(misses[end] - misses[start], misses[-1], np.zeros(3))
    return (
        (by_subject(hits[end] - hits[start], hits[-1]), population.stricter),
        (others, population.looser),
    )
