"""What "67 % similar" means: how many strangers are shown it, what it is worth, what follows from it.

METRICS.md § What a similarity or a "percent" means, Percent decoder.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.errors import InputError
from testbed.evidence.intervals import NOTHING, Interval, rate_interval
from testbed.evidence.likelihood import RatioAt, at_every_bin, logistic, ratio_at
from testbed.evidence.scored import Array, Population
from testbed.evidence.strangers import MedianGallery, median_gallery
from testbed.matching.percent import PercentRule

PRIORS = (1 / 2, 1 / 10, 1 / 1000, 1 / 1_000_000)
IN_GALLERY = (1.0, 0.5, 0.1, 0.01)
ROUNDING = 1e-9
"""Scores that differ by less are one."""


@dataclass(frozen=True)
class Decoded:
    """What a displayed percent means for one population.

    errors: comparisons of strangers shown at least it, of `strangers` of `people`, counted at the score `counted_at`:
    that of the percent, or the nearest edge that is more alike; interval: of the share at the score. ratio: the
    likelihood ratio at the score, with its limits; logistic: by the logistic fit. nearest: the tallied threshold at the
    score, or the next looser one. enough: whether there are people enough to say so.
    """

    percent: float
    rule: str
    score: float
    population: Population
    strangers: int
    people: int
    mated_people: int
    errors: int
    counted_at: float
    interval: Interval
    ratio: RatioAt
    logistic: float
    nearest: int | None
    enough: bool

    @property
    def shown(self) -> float:
        """The share of strangers shown at least it."""
        return self.errors / self.strangers

    @property
    def exact(self) -> bool:
        """Whether strangers were counted at the very score of the percent."""
        return abs(self.counted_at - self.score) <= ROUNDING

    @property
    def median(self) -> MedianGallery | None:
        """The gallery in which the median stranger is shown at least it; None where no threshold was tallied there."""
        return None if self.nearest is None else median_gallery(self.population, self.nearest)


def posterior(ratio: npt.ArrayLike, prior: npt.ArrayLike) -> Array:
    """Probability of the same person from a likelihood ratio and a one-to-one prior, 0 < prior < 1, broadcast.

    0 for a ratio of 0, 1 for an infinite one. Raises InputError for a prior of 0 or 1: no score moves them.
    """
    ratios, priors = np.asarray(ratio, float), np.asarray(prior, float)
    for each in priors.ravel()[~((priors.ravel() > 0) & (priors.ravel() < 1))]:
        raise InputError(f"prior {each:g}: no evidence can change it; give one between 0 and 1, such as 1/1000")
    with np.errstate(divide="ignore"):
        against: Array = np.divide(1 - priors, priors * ratios)
    return np.asarray(1 / (1 + against))


def search_posterior(ratios: npt.ArrayLike, gallery: int, in_gallery: float) -> Array:
    """`P(candidate j) = π·LR_j / (π·Σ LR_k + (1 − π)·N)` for the K candidates whose likelihood ratios are given `(K,)`.

    The other N − K enter the sum with 1, a stranger's mean likelihood ratio: with one candidate this is exactly the
    posterior from that score alone, also where its ratio is infinite (one at most may be). in_gallery: π = P(the
    person is in the gallery), 0 < π ≤ 1. Where somebody listed must be the person and no ratio is above 0, nothing
    tells them apart: π/N each. Raises InputError.
    """
    listed = np.atleast_1d(np.asarray(ratios, float))
    if gallery < len(listed):
        raise InputError(
            f"gallery {gallery}: must hold at least the candidates found; give the number of people searched"
        )
    if not 0 < in_gallery <= 1:
        raise InputError(
            f"in-gallery {in_gallery:g}: must be above 0 and at most 1, the chance that the person is in it"
        )
    if np.isinf(listed).any():
        return np.asarray(np.isinf(listed), float)
    total = listed.sum() + (gallery - len(listed))
    if in_gallery == 1 and not total:
        return np.full(len(listed), 1 / gallery)
    return np.asarray(in_gallery * listed / (in_gallery * total + (1 - in_gallery) * gallery))


def decode(population: Population, rule: PercentRule, percent: float) -> Decoded:
    """What `percent` under `rule` means for a population.

    Likelihood ratios are fitted on everybody (the case in hand is of somebody else). Strangers are counted at the
    score where it is an edge, else at the nearest more alike one: at least so many are shown the percent. The interval
    runs from the lower limit at the nearest stricter tallied threshold to the upper limit at the nearest looser one,
    where errors are known by person: it can only be too wide.
    Raises InputError outside the observed scores, or where the population has no mated or no non-mated comparisons.
    """
    cell, score = population.cell, rule.score(percent)
    who = f"{cell.cell}, {population.group.name}"
    mated, non_mated = population.mated.sum(axis=0), population.non_mated.sum(axis=0)
    if not mated.sum() or not non_mated.sum():
        raise InputError(
            f"{who}: holds {mated.sum()} mated and {non_mated.sum()} non-mated comparisons; both are needed"
        )
    used, at = np.flatnonzero(mated + non_mated), cell.bin(score)
    distance = cell.direction == "distance"
    edges = cell.edges <= score + ROUNDING if distance else cell.edges >= score - ROUNDING
    if not used[0] <= at <= used[-1] or not edges.any():
        ends = sorted(rule.percent(float(cell.scores[b])) for b in (used[0], used[-1]))
        raise InputError(
            f"{who}: {percent:g} % stands for a score of {score:.4g}, which nobody here came near; "
            f"{rule.name} showed {ends[0]:.1f} to {ends[1]:.1f} %"
        )
    edge = int(np.flatnonzero(edges)[-1 if distance else 0])
    as_alike = non_mated[: edge + 1] if distance else non_mated[edge + 1 :]
    interval, nearest = _between(population, score)
    mated_people, people = population.subjects()
    return Decoded(
        percent, rule.name, score, population, int(non_mated.sum()), people, mated_people, int(as_alike.sum()),
        float(cell.edges[edge]), interval, ratio_at(population, score),
        float(at_every_bin(population, logistic)[at]), nearest, population.sufficient(),
    )  # fmt: skip


def _between(population: Population, score: float) -> tuple[Interval, int | None]:
    """The interval of FMR at a score from the tallied thresholds around it, and the looser of the two."""
    cell = population.cell
    points = cell.thresholds()
    limits_at = cell.tallied.thresholds[points, 0] * (1 if cell.direction == "distance" else -1)
    wanted = score if cell.direction == "distance" else -score
    stricter = points[limits_at <= wanted + ROUNDING]
    looser = points[limits_at >= wanted - ROUNDING]
    below, above = (
        rate_interval(population.fmr(int(near[0])), population.looser) if len(near) else NOTHING
        for near in (stricter[::-1], looser)
    )
    if len(stricter) and len(looser) and stricter[-1] == looser[0]:
        return above, int(looser[0])
    ends = " and ".join(f"{cell.tallied.threshold(int(k)):.4g}" for k in (*stricter[-1:], *looser[:1]))
    free = None
    if below.free or above.free:
        free = (below.free or (below.low, 1.0))[0], (above.free or (0.0, above.high))[1]
    method = f"limits at the tallied thresholds around the score ({ends})"
    return Interval(below.low, above.high, method, free), int(looser[0]) if len(looser) else None
