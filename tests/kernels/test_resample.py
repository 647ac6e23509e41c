"""Resampled people against copies made one by one, brute force over pairs, the full bootstrap of pairs, and truth."""

import sys
from subprocess import run

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from threadpoolctl import threadpool_limits

from kernels.resample import (
    multiplicities,
    permuted,
    rates_by_subject,
    rates_of_pairs,
    studentised,
    vertex_comparisons,
    vertex_sums,
    within_groups,
)
from testbed.evidence.intervals import within_group

TIERS = ("numpy", "numba")
NOBODY = np.zeros((0, 4), np.int64)


def matches(people, correlation, seed, limit=1.0):
    """Unordered pairs that match `(S, S)`: Gaussian scores, pairs that share a person correlated by half of that."""
    rng = np.random.default_rng(seed)
    u = rng.standard_normal(people) * np.sqrt(correlation / 2)
    noise = np.triu(np.sqrt(1 - correlation) * rng.standard_normal((people, people)), 1)
    return (u[:, None] + u + noise + noise.T >= limit) & ~np.eye(people, dtype=bool)


def by_person(alike):
    """Errors `(1, S)` and trials `(S,)`, every pair standing in both people."""
    return alike.sum(axis=1)[None].astype(float), np.full(len(alike), len(alike) - 1.0)


def listed(errors):
    """Rows (point, probe, reference, errors) of a dense `(T, S, S)`."""
    where = np.nonzero(errors)
    return np.column_stack([*where, errors[where]]).astype(np.int64)


def full(weights, alike):
    """The vertex bootstrap's rates at one threshold, each pair compared once."""
    once = np.ones(len(alike)), np.full(len(alike), 0.5)
    sums = vertex_sums(weights, listed(np.triu(alike)[None]), 1)[:, 0]
    return sums / vertex_comparisons(weights, once)


def test_a_replicate_is_the_trials_of_the_copies_that_were_drawn():
    rng = np.random.default_rng(1)
    trials = rng.integers(0, 4, 7)
    errors = rng.binomial(trials, 0.4, (3, 7))
    weights = multiplicities(7, 20, 1)
    for row, found in zip(weights, rates_by_subject(weights, errors, trials), strict=True):
        copies = np.repeat(np.arange(7), row.astype(int))
        assert found == pytest.approx(errors[:, copies].sum(axis=1) / trials[copies].sum())


def test_nobody_with_a_trial_gives_no_rate():
    assert np.isnan(rates_by_subject(np.array([[2.0, 0.0]]), np.array([[0.0, 1.0]]), np.array([0.0, 1.0]))).all()


def test_everybody_once_gives_the_rate_that_was_seen():
    errors, trials = by_person(matches(30, 0.4, 1))
    assert rates_of_pairs(np.ones((1, 30)), errors, trials)[0, 0] == pytest.approx(errors.sum() / trials.sum())


def test_where_people_differ_it_moves_as_the_full_bootstrap_of_pairs_does():
    alike = matches(80, 0.7, 2)
    weights = multiplicities(80, 2000, 3)
    projected, exact = rates_of_pairs(weights, *by_person(alike))[:, 0], full(weights, alike)
    assert np.corrcoef(projected, exact)[0, 1] > 0.98
    assert projected.std() == pytest.approx(exact.std(), rel=0.05)
    assert projected.mean() == pytest.approx(exact.mean(), rel=0.05)


def test_the_noise_of_single_pairs_counts_twice_where_the_full_bootstrap_counts_it_three_times():
    people = 50
    weights = multiplicities(people, 500, 1)
    samples = [matches(people, 0.0, seed) for seed in range(200)]
    truth = np.std([alike.sum() for alike in samples]) / (people * (people - 1))
    spreads = [(rates_of_pairs(weights, *by_person(x)).std(), full(weights, x).std()) for x in samples[:40]]
    found = np.sqrt(np.mean(np.square(spreads), axis=0)) / truth
    assert found == pytest.approx([2**0.5, 3**0.5], rel=0.15)


def test_a_seed_gives_the_same_replicates_on_any_number_of_threads():
    errors, trials = by_person(matches(300, 0.4, 1))
    made = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            made.append(rates_of_pairs(multiplicities(300, 500, 7), errors, trials))
    np.testing.assert_array_equal(*made)
    assert (multiplicities(300, 500, 8) != multiplicities(300, 500, 7)).any()


def test_people_are_drawn_evenly():
    weights = multiplicities(10, 20_000, 5)
    assert (weights.sum(axis=1) == 10).all()
    assert weights.mean(axis=0) == pytest.approx(np.ones(10), abs=0.03)  # standard error .007
    assert weights.var(axis=0) == pytest.approx(np.full(10, 0.9), abs=0.05)  # binomial(10, 1/10)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), people=st.integers(1, 6), points=st.integers(1, 3), share=st.sampled_from([0, 0.4]))
def test_a_replicate_of_pairs_is_the_comparisons_of_the_copies_that_were_drawn(seed, people, points, share):
    rng = np.random.default_rng(seed)
    probes, references = rng.integers(0, 4, (2, people))
    comparisons = np.outer(probes, references)
    errors = rng.binomial(comparisons, share, (points, people, people))
    rows = listed(errors)
    rows = np.vstack([rows, rows[::2]])[rng.permutation(len(rows) + len(rows[::2]))]  # in any order, some twice
    weights = multiplicities(people, 5, seed)
    expected_x, expected_n = np.zeros((5, points), int), np.zeros(5, int)
    for r in range(5):
        copies = np.repeat(np.arange(people), weights[r].astype(int))
        for i in copies:
            for j in copies[copies != i]:
                expected_n[r] += comparisons[i, j]
                np.add.at(expected_x[r], rows[(rows[:, 1] == i) & (rows[:, 2] == j), 0],
                          rows[(rows[:, 1] == i) & (rows[:, 2] == j), 3])  # fmt: skip
    for tier in TIERS:
        np.testing.assert_array_equal(vertex_sums(weights, rows, points, tier), expected_x)
    for n in (comparisons, (probes, references)):
        np.testing.assert_array_equal(vertex_comparisons(weights, n), expected_n)


def test_a_set_compared_with_itself_once_is_its_templates_against_half_of_them():
    templates = np.array([3, 1, 0, 2, 5])
    weights = multiplicities(5, 50, 2)
    once = np.triu(np.outer(templates, templates), 1)
    np.testing.assert_array_equal(
        vertex_comparisons(weights, (templates, templates / 2)), vertex_comparisons(weights, once)
    )


def test_comparisons_listed_by_the_point_they_first_match_at_add_up_to_errors():
    rng = np.random.default_rng(4)
    first = rng.integers(0, 6, (20, 20))
    errors = (np.arange(6)[:, None, None] >= first).astype(int)
    weights = multiplicities(20, 30, 4)
    steps = np.column_stack([first.ravel(), *np.divmod(np.arange(400), 20), np.ones(400, int)])
    np.testing.assert_array_equal(
        vertex_sums(weights, steps, 6).cumsum(axis=1), vertex_sums(weights, listed(errors), 6)
    )


HOW = (("numpy",), ("numba", 1), ("numba", 2), ("numba", 7))


@pytest.mark.parametrize("large", [1, 10**7])
def test_bytes_are_the_twins_on_any_number_of_threads_also_where_float32_would_round(large):
    rng = np.random.default_rng(0)
    rows = listed(rng.binomial(1, 0.1, (4, 40, 40)) * (large + rng.integers(0, 2, (4, 40, 40))))
    weights = multiplicities(40, 900, 7)
    assert len({vertex_sums(weights, rows, 4, *how).tobytes() for how in HOW}) == 1


def test_bytes_of_relabelled_groups_are_the_twins_on_any_number_of_threads():
    rng = np.random.default_rng(1)
    probes, references = rng.integers(1, 5, (2, 40))
    rows = listed(rng.binomial(np.outer(probes, references), 0.05)[None])
    labels = rng.integers(0, 3, (900, 40))
    found = [within_groups(labels, 3, rows, (probes, references), *how) for how in HOW]
    for name in ("errors", "comparisons", "variance"):
        assert len({getattr(each, name).tobytes() for each in found}) == 1


def test_the_spread_of_replicates_is_that_of_fresh_samples():
    people, found = 60, []
    truth = np.std([matches(people, 0.4, seed).mean() for seed in range(400)])
    for seed in range(20):
        weights = multiplicities(people, 300, seed)
        found.append(full(weights, matches(people, 0.4, 1000 + seed)).std() * (people - 1) / people)
    assert np.mean(found) == pytest.approx(truth, rel=0.15)


def test_a_small_input_never_waits_for_a_compiler():
    code = """
import sys, numpy as np
from kernels.resample import *
pairs = np.array([[0, 1, 2, 1], [0, 3, 4, 2]])
vertex_sums(multiplicities(200, 2000, 1), pairs, 1)
permuted(studentised, np.arange(200) % 2, pairs, (np.ones(200), np.ones(200)), 100, 1)
sys.exit("numba" in sys.modules)
"""
    assert run([sys.executable, "-c", code]).returncode == 0


def test_a_pair_or_a_label_that_names_nobody_is_refused():
    with pytest.raises(ValueError, match="2 people"):
        vertex_sums(np.ones((1, 2)), np.array([[0, 0, 2, 1]]), 1)
    with pytest.raises(ValueError, match="2 groups"):
        within_groups(np.array([[0, 2]]), 2, NOBODY, (np.ones(2), np.ones(2)))
    with pytest.raises(ValueError, match="one point"):
        within_groups(np.zeros((1, 2)), 1, np.array([[0, 0, 1, 1], [1, 0, 1, 1]]), (np.ones(2), np.ones(2)))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), people=st.integers(1, 9), groups=st.integers(1, 4), share=st.sampled_from([0, 0.3]))
def test_relabelled_groups_have_the_errors_and_the_variance_of_their_own_pairs(seed, people, groups, share):
    rng = np.random.default_rng(seed)
    probes, references = rng.integers(0, 4, (2, people))
    comparisons = np.outer(probes, references) * ~np.eye(people, dtype=bool)
    errors = rng.binomial(comparisons, share)
    labels = rng.integers(0, groups, (6, people))
    both_e, both_n = errors + errors.T, comparisons + comparisons.T
    for tier in TIERS:
        found = within_groups(labels, groups, listed(errors[None]), (probes, references), tier)
        for r in range(6):
            for g in range(groups):
                inside = np.ix_(labels[r] == g, labels[r] == g)
                e, n = both_e[inside], both_n[inside]
                moments = np.array([(e * e).sum(), (e * n).sum(), (n * n).sum()]) / 2
                rate = within_group(e.sum(axis=1), n.sum(axis=1), moments)
                assert (found.errors[r, g], found.comparisons[r, g]) == (rate.errors, rate.comparisons)
                if rate.comparisons:
                    assert found.variance[r, g] == pytest.approx(rate.variance, rel=1e-9, abs=1e-12)
                else:
                    assert np.isnan(found.variance[r, g])


def test_p_is_the_share_of_all_ways_to_label_that_give_as_much():
    everybody = (np.ones(5), np.full(5, 0.5))
    pairs = np.array([[0, 0, 1, 1]])  # the two of group 1 match, nobody else does
    found, p = permuted(studentised, np.array([1, 1, 0, 0, 0]), pairs, everybody, 4000, 3)
    assert found > 0
    assert p == pytest.approx(1 / 10, abs=0.02)  # one of ten ways to choose two people
    assert permuted(studentised, np.zeros(5, int), pairs, everybody, 99, 3) == (0.0, 1.0)
    assert permuted(studentised, np.array([1, 1, 0, 0, 0]), NOBODY, everybody, 99, 3)[1] == 1.0


def labelled(rate, across, seed, groups=4, size=20):
    """Labels and matching pairs: within groups at .1, the last at `rate`, across groups at `across`."""
    labels = np.repeat(np.arange(groups), size)
    rng = np.random.default_rng(seed)
    u = rng.standard_normal(len(labels)) * 0.1**0.5
    scores = u[:, None] + u + 0.8**0.5 * rng.standard_normal((len(labels),) * 2)
    rates = np.where(np.eye(groups, dtype=bool), np.r_[np.full(groups - 1, 0.1), rate], across)
    return labels, listed(np.triu(scores >= stats.norm.isf(rates)[labels][:, labels], 1)[None])


def shares_found(rate, across, statistic, samples=200):
    """How often shuffling says at 5 % that groups differ."""
    once = np.ones(80), np.full(80, 0.5)
    made = (labelled(rate, across, seed) for seed in range(samples))
    return np.mean([permuted(statistic, *each, once, 199, 1)[1] <= 0.05 for each in made])


def gap(within):
    """Greatest less least log rate."""
    rate = np.log((within.errors + 0.5) / (within.comparisons + 1))
    return rate.max(axis=1) - rate.min(axis=1)


def test_shuffling_holds_its_level_where_labels_mean_nothing_and_sees_a_difference():
    assert shares_found(0.1, 0.1, studentised) <= 0.095  # .05 and three standard errors
    assert shares_found(0.25, 0.13, studentised) > 0.5


def test_shuffling_misleads_where_groups_are_seldom_confused_so_the_report_does_not_use_it():
    assert shares_found(0.25, 0.13, gap) > 0.5
    assert shares_found(0.25, 1e-9, gap) < 0.1  # the same difference, hardly ever seen
    assert shares_found(0.1, 1e-9, studentised) > 0.095  # no difference, seen too often
