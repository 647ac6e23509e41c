"""Intervals against hand-worked cases, SciPy, a brute-force loop, and simulation with known truth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from testbed.evidence.intervals import (
    Clustered,
    across_groups,
    borrowed_design_effect,
    by_subject,
    clopper_pearson,
    disjoint_pairs,
    rate_interval,
    sufficient,
    wilson,
    within_group,
)


def within(errors, trials):
    """Clustered rate from full matrices `(G, G)` of ordered pairs (probe, reference), by the definition."""
    both_e, both_n = errors + errors.T, trials + trials.T
    upper = np.triu_indices(len(errors), 1)
    e, n = both_e[upper], both_n[upper]
    return within_group(both_e.sum(axis=1), both_n.sum(axis=1), np.array([e @ e, e @ n, n @ n]))


def off_diagonal(matrix):
    return matrix * (1 - np.eye(len(matrix), dtype=int))


def test_the_variance_of_four_people_is_that_worked_by_hand():
    # One comparison per pair, people a b c d; a matches b and c. p = 2/6.
    errors = np.zeros((4, 4), int)
    errors[0, 1] = errors[0, 2] = 1
    trials = np.triu(np.ones((4, 4), int), 1)
    rate = within(errors, trials)
    # S = (2 − 1, 1 − 1, 1 − 1, 0 − 1) = (1, 0, 0, −1); Σe² = 2·(2/3)² + 4·(1/3)² = 4/3; V = (2 − 4/3)/36, and the
    # floor Σe²/36 is larger.
    assert rate.rate == pytest.approx(1 / 3)
    assert rate.variance == pytest.approx((4 / 3) / 36)
    # d = S: (Σd²)²/Σd⁴ − 1 = 4/2 − 1.
    assert rate.freedom == pytest.approx(1.0)
    assert (rate.subjects, rate.disjoint) == (4, 2)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), people=st.integers(2, 7))
def test_the_variance_is_the_sum_over_pairs_of_pairs_that_share_a_person(seed, people):
    rng = np.random.default_rng(seed)
    trials = off_diagonal(rng.integers(0, 3, (people, people)))
    errors = rng.binomial(trials, 0.4)
    if not trials.sum():
        return
    both_e, both_n = errors + errors.T, trials + trials.T
    M = trials.sum()
    p = errors.sum() / M
    pairs = [(i, j) for i in range(people) for j in range(i + 1, people)]
    covariance = sum(
        (both_e[a] - p * both_n[a]) * (both_e[b] - p * both_n[b]) for a in pairs for b in pairs if set(a) & set(b)
    )
    own = sum((both_e[a] - p * both_n[a]) ** 2 for a in pairs)
    # Pairs that share one person are met once, a pair with itself shares two: ΣS² counts it twice, minus Σe².
    rate = within(errors, trials)
    assert rate.variance == pytest.approx(max(covariance, own) / M**2)
    assert rate.comparisons == M
    assert rate.errors == errors.sum()


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), a=st.integers(2, 6), b=st.integers(2, 6))
def test_across_groups_each_side_is_clustered_and_corrected(seed, a, b):
    rng = np.random.default_rng(seed)
    trials = rng.integers(1, 3, (a, b))
    errors = rng.binomial(trials, 0.3)
    rate = across_groups(
        (errors.sum(1), trials.sum(1)),
        (errors.sum(0), trials.sum(0)),
        np.array([(errors**2).sum(), (errors * trials).sum(), (trials**2).sum()]),
    )
    M, p = trials.sum(), errors.sum() / trials.sum()
    e = errors - p * trials
    expected = (e.sum(1) ** 2).sum() * a / (a - 1) + (e.sum(0) ** 2).sum() * b / (b - 1) - (e**2).sum()
    assert rate.variance == pytest.approx(max(expected, (e**2).sum()) / M**2)
    assert rate.disjoint == min(a, b)


def test_wilson_and_clopper_pearson_are_scipys():
    for errors, trials in ((0, 10), (3, 20), (20, 20), (7, 1000)):
        reference = stats.binomtest(errors, trials)
        exact, score = (reference.proportion_ci(0.95, method) for method in ("exact", "wilson"))
        assert clopper_pearson(errors, trials) == pytest.approx((exact.low, exact.high))
        assert wilson(errors / trials, trials, stats.norm.ppf(0.975)) == pytest.approx((score.low, score.high))


def test_one_trial_per_subject_is_plain_clopper_pearson():
    rate = by_subject(np.array([1, 0, 0, 1, 0, 0, 0, 0]), np.ones(8))
    interval = rate_interval(rate, [])
    assert (interval.low, interval.high) == pytest.approx(clopper_pearson(2, 8))


def test_a_zero_error_cell_never_has_a_zero_width_interval():
    people = 20
    trials = off_diagonal(np.ones((people, people), int))
    interval = rate_interval(within(np.zeros_like(trials), trials), [])
    assert interval.low == 0
    assert interval.high == pytest.approx(1 - 0.025 ** (1 / (people // 2)))


def test_without_a_measurable_design_effect_only_disjoint_pairs_count():
    # 14 people, one comparison a pair: no looser threshold has 20 errors at 20 %, so nothing can be borrowed.
    few = Clustered(18, 91, 0.01, 5.0, 14, 7)
    assert borrowed_design_effect([few]) is None
    zero = Clustered(0, 91, 0.0, 13.0, 14, 7)
    assert rate_interval(zero, [few]).high == pytest.approx(1 - 0.025 ** (1 / 7))
    assert rate_interval(zero, [few]).free is None


def test_a_borrowed_design_effect_narrows_the_bound_and_the_assumption_free_one_stands_beside_it():
    lender = Clustered(120, 1200, 0.1 * 0.9 / 1200 * 3, 20.0, 50, 25)  # deff 3 at 10 %
    zero = Clustered(0, 1225, 0.0, 49.0, 50, 25)
    interval = rate_interval(zero, [lender])
    assert interval.high == pytest.approx(1 - 0.025 ** (1 / (1225 / 3)))
    assert interval.free == pytest.approx(disjoint_pairs(zero))
    assert interval.free[1] > interval.high


def test_all_errors_mirror_zero_errors():
    zero, all_ = Clustered(0, 190, 0.0, 19.0, 20, 10), Clustered(190, 190, 0.0, 19.0, 20, 10)
    assert rate_interval(all_, []).low == pytest.approx(1 - rate_interval(zero, []).high)
    assert rate_interval(all_, []).high == 1


def test_nothing_compared_is_the_whole_range():
    interval = rate_interval(Clustered(0, 0, 0.0, 1.0, 0, 0), [])
    assert (interval.low, interval.high) == (0, 1)


def test_five_people_are_too_few_to_say():
    trials = off_diagonal(np.ones((5, 5), int))
    assert not sufficient(within(np.zeros_like(trials), trials))
    trials = off_diagonal(np.ones((6, 6), int))
    assert sufficient(within(np.zeros_like(trials), trials))


def test_a_smaller_alpha_gives_a_wider_interval():
    rng = np.random.default_rng(3)
    trials = off_diagonal(np.ones((30, 30), int))
    rate = within(off_diagonal(rng.binomial(trials, 0.1)), trials)
    narrow, wide = rate_interval(rate, [], 0.05), rate_interval(rate, [], 0.005)
    assert wide.low < narrow.low < rate.rate < narrow.high < wide.high


@pytest.mark.parametrize(("people", "fmr"), [(20, 0.1), (50, 0.02), (50, 0.002)])
def test_intervals_cover_where_people_differ(people, fmr):
    """Gaussian subject effects, ρ = .4: the recipe as coded covers at least 93.5 % (800 replicates: −2 sd)."""
    rng = np.random.default_rng(17)
    upper = np.triu_indices(people, 1)
    M = len(upper[0])
    limit = stats.norm.ppf(1 - fmr)  # score variance is ρ/2·2 + (1 − ρ) = 1
    ladder = [stats.norm.ppf(1 - 0.6 * 0.75**k) for k in range(14)]
    covered, replicates = 0, 800
    for _ in range(replicates):
        effect = rng.standard_normal(people)
        scores = np.sqrt(0.2) * (effect[upper[0]] + effect[upper[1]]) + np.sqrt(0.6) * rng.standard_normal(M)

        def at(threshold, scores=scores):
            x = (scores >= threshold).astype(float)
            S = np.bincount(upper[0], x, people) + np.bincount(upper[1], x, people)
            return within_group(S, np.full(people, people - 1), np.array([x.sum(), x.sum(), M]))

        interval = rate_interval(at(limit), [at(threshold) for threshold in ladder])
        covered += interval.low <= fmr <= interval.high
    assert covered / replicates >= 0.935 - 2 * np.sqrt(0.935 * 0.065 / replicates)
