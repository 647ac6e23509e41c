"""Intervals from the subject bootstrap: equal error rate and calibration (METRICS.md § Intervals).

For what is read off a whole curve, where there is no formula for the variance. The rates of a replicate come from each
person's tallies at the tallied thresholds (`kernels.resample`); between those, curves are taken as straight. Drawing
people again cannot show what was not seen: where the errors are those of fewer than five people, or of four degrees
of freedom, there is no such interval, and None is returned. Found thresholds have theirs from bounds turned round
instead (`crossfit`): the bootstrap's covered 86 to 98 % where few people carry the false matches.
"""

from __future__ import annotations

from functools import lru_cache
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from kernels.resample import multiplicities, rates_by_subject, rates_of_pairs
from testbed.evidence.intervals import FEW, Interval, by_subject, within_group

Array = npt.NDArray[Any]

REPLICATES = 2000
SEED = 0xB007
CARRIERS = 5
METHOD = f"subject bootstrap, {REPLICATES:,} replicates"


@lru_cache(maxsize=8)
def drawn(people: int) -> Array:
    """Multiplicities `(REPLICATES, people)`, the same for every figure of so many people."""
    return multiplicities(people, REPLICATES, SEED)


def freedom(errors: Array, trials: Array, *, paired: bool) -> float | None:
    """Degrees of freedom of the people `(S,)` who carry the errors; None where they are too few to be drawn again.

    paired: every trial is a comparison that stands in two people.
    """
    rate = within_group(errors, trials, np.zeros(3)) if paired else by_subject(errors, trials)
    seen = min(int((errors > 0).sum()), int((errors < trials).sum()))
    return rate.freedom if seen >= CARRIERS and rate.freedom >= FEW else None


def percentiles(values: Array, people: int, freedom: float, alpha: float = 0.05) -> tuple[Array, Array]:
    """Lower and upper limits `(…)` from replicates `(R, …)`, expanded as Student's t is wider than the normal.

    Hesterberg 2015, expanded percentile interval, with the degrees of freedom of the people who carry the errors.
    """
    quantile = stats.t.ppf(1 - alpha / 2, freedom) * sqrt(people / max(1, people - 1))
    tail = float(stats.norm.sf(quantile))
    low, high = np.nanquantile(values, [tail, 1 - tail], axis=0)
    return low, high


def equal_error(
    crossing: int, errors: Array, trials: Array, misses: Array, mated_trials: Array, alpha: float = 0.05
) -> Interval | None:
    """The interval of the EER.

    errors `(K, S)` of trials `(S,)`: non-mated, each person's in both roles; misses `(K, S)` of mated_trials `(S,)`;
    at K thresholds from strict to loose, of which `crossing` is where FMR and FNMR cross.
    """
    degrees = [
        freedom(errors[crossing], trials, paired=True), freedom(misses[crossing], mated_trials, paired=False)
    ]  # fmt: skip
    if len(errors) < 2 or degrees[0] is None or degrees[1] is None:
        return None
    weights = drawn(len(trials))
    found = crossings(rates_of_pairs(weights, errors, trials), rates_by_subject(weights, misses, mated_trials))
    low, high = percentiles(found, len(trials), min(degrees[0], degrees[1]), alpha)
    return Interval(float(low), float(high), METHOD)


def crossings(fmr: Array, fnmr: Array) -> Array:
    """The rate `(R,)` at which FMR and FNMR `(R, K)`, at thresholds from strict to loose, cross."""
    gap = np.maximum.accumulate(fmr - fnmr, axis=1)
    rows, last = np.arange(len(gap)), gap.shape[1] - 1
    after = np.clip(np.where(gap[:, -1] < 0, last, (gap >= 0).argmax(axis=1)), 1, last)
    left, right = gap[rows, after - 1], gap[rows, after]
    part = np.clip(np.divide(-left, right - left, out=np.zeros(len(gap)), where=right > left), 0, 1)
    middle = (fmr + fnmr) / 2
    return np.asarray(middle[rows, after - 1] * (1 - part) + middle[rows, after] * part)
