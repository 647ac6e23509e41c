"""Is there a difference between groups, and between which (METRICS.md § Differentials)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from testbed.evidence.intervals import Clustered, effective, sufficient

Floats = npt.NDArray[np.float64]
Rate = tuple[Clustered, list[Clustered]]
"""A group's rate, and the same at the thresholds that lend it a design effect (as `rate_interval` takes them)."""

REPLICATES = 2000


@dataclass(frozen=True)
class DifferenceTest:
    """The test of equal rates: `p` is how often equal groups would differ as much; `common` the rate under the null."""

    statistic: float
    p: float
    common: float
    groups: int
    replicates: int


@dataclass(frozen=True)
class PairTest:
    """Two groups by position, the p of their own test, and the same after Holm's correction over all pairs."""

    first: int
    second: int
    p: float
    holm: float


def no_difference(
    rates: Sequence[Rate], seed: int, *, paired: bool = True, replicates: int = REPLICATES
) -> DifferenceTest | None:
    """Test that all groups have the same rate; None below two groups with people enough to say (`paired` as in FMR).

    Only comparisons inside the groups enter, so how often people of different groups are confused does not matter;
    groups that share nobody are independent. The statistic is Σw(z − z̄)² over log rates z, w = 1/se² from clustered
    standard errors. Its distribution under the null is a parametric bootstrap after Krishnamoorthy, Lu & Mathew 2007
    (ANOVA with unequal variances): effective errors Binomial(n*, common rate), and the design effect as uncertain as
    its Satterthwaite degrees of freedom say. n* is that of `rate_interval` (`intervals.effective`).
    A large p is never "no difference".
    """
    able = [rate for rate in rates if sufficient(rate[0], paired=paired)]
    if len(able) < 2:
        return None
    worth = [effective(*rate) for rate in able]
    n, freedom = np.array([each.n for each in worth]), np.array([each.freedom for each in worth])
    n = _never_surer(n, np.array([rate.comparisons for rate, _ in able]), np.array([rate.disjoint for rate, _ in able]))
    errors = np.array([rate.rate for rate, _ in able]) * n
    common = float(errors.sum() / n.sum())
    observed = float(_statistic(errors, n, np.ones_like(n)))
    rng = np.random.default_rng(seed)
    drawn = _binomial(rng, n, common, replicates)
    spread = np.where(np.isinf(freedom), 1.0, rng.chisquare(np.where(np.isinf(freedom), 1.0, freedom), drawn.shape))
    spread /= np.where(np.isinf(freedom), 1.0, freedom)
    null = _statistic(drawn, n, spread)
    # 1 + on both sides: the observed sample is one of those the null could have given, so p is never 0.
    p = (1 + int((null >= observed - 1e-12).sum())) / (1 + replicates)
    return DifferenceTest(observed, p, common, len(able), replicates)


def pairwise(rates: Sequence[Rate], seed: int, *, paired: bool = True, replicates: int = REPLICATES) -> list[PairTest]:
    """Which groups differ: every pair that has people enough, by `no_difference`, corrected after Holm."""
    able = [g for g, (rate, _) in enumerate(rates) if sufficient(rate, paired=paired)]
    tested = [(a, b, no_difference([rates[a], rates[b]], seed, paired=paired, replicates=replicates))
              for a, b in combinations(able, 2)]  # fmt: skip
    found = [(a, b, test.p) for a, b, test in tested if test is not None]
    corrected = holm(np.array([p for *_, p in found]))
    return [PairTest(a, b, p, float(q)) for (a, b, p), q in zip(found, corrected, strict=True)]


def holm(p: Floats) -> Floats:
    """p-values `(m,)` corrected for m tests (Holm 1979): rejected at α means the family errs in at most α of cases."""
    order = np.argsort(p)
    stepped = np.maximum.accumulate((len(p) - np.arange(len(p))) * p[order])
    corrected = np.empty_like(stepped)
    corrected[order] = np.minimum(stepped, 1.0)
    return corrected


def _never_surer(n: Floats, comparisons: Floats, disjoint: Floats) -> Floats:
    """n* where each group's comparisons depend on people at least as much as in the groups' mean (by people).

    A group in which, by chance, nobody stands out shows a low rate and a small standard error at once; taken at its
    word it would differ from the others too often (simulated: up to 20 % instead of 5 %).
    """
    room = np.maximum(comparisons / disjoint - 1, 0)  # design effect − 1 where comparisons that share people are equal
    share = np.divide(comparisons / n - 1, room, out=np.zeros_like(n), where=room > 0)
    mean = np.average(share, weights=disjoint)
    return np.asarray(comparisons / (1 + np.maximum(share, mean) * room))


def _statistic(errors: Floats, n: Floats, spread: Floats) -> Floats:
    """Σw(z − z̄)² over the last axis; `spread` multiplies the squared standard errors.

    Half an error is added to each group, so that none is infinitely far from the others. The standard errors are
    those at the geometric mean of a group's own rate and the common one: at its own, a group with few errors could
    never be significantly lower, at the common one never significantly higher.
    """
    rate = (errors + 0.5) / (n + 1)
    common = (errors + 0.5).sum(axis=-1, keepdims=True) / (n + 1).sum(axis=-1, keepdims=True)
    z = np.log(rate)
    w = n * np.sqrt(rate * common) / ((1 - common) * spread)
    centre = (w * z).sum(axis=-1, keepdims=True) / w.sum(axis=-1, keepdims=True)
    return np.asarray((w * (z - centre) ** 2).sum(axis=-1))


def _binomial(rng: np.random.Generator, n: Floats, rate: float, replicates: int) -> Floats:
    """Binomial counts `(replicates, groups)` of fractional n: of ⌊n⌋ or ⌈n⌉ trials, n on average."""
    trials = np.floor(n + rng.random((replicates, len(n))))
    return rng.binomial(trials.astype(np.int64), rate).astype(np.float64)
