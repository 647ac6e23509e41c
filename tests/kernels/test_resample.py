"""The subject bootstrap against copies of people made one by one, the full bootstrap of pairs, and the truth."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from kernels.resample import multiplicities, rates_by_subject, rates_of_pairs


def matches(people, correlation, seed, limit=1.0):
    """Unordered pairs that match `(S, S)`: Gaussian scores, pairs that share a person correlated by half of that."""
    rng = np.random.default_rng(seed)
    u = rng.standard_normal(people) * np.sqrt(correlation / 2)
    noise = np.triu(np.sqrt(1 - correlation) * rng.standard_normal((people, people)), 1)
    return (u[:, None] + u + noise + noise.T >= limit) & ~np.eye(people, dtype=bool)


def by_person(alike):
    """Errors `(1, S)` and trials `(S,)`, every pair standing in both people."""
    return alike.sum(axis=1)[None].astype(float), np.full(len(alike), len(alike) - 1.0)


def full(weights, alike):
    """The vertex bootstrap with every pair at hand: w_i·w_j, pairs of a person with himself dropped."""
    w = weights
    errors = ((w @ alike) * w).sum(axis=1)
    return errors / (w.sum(axis=1) ** 2 - (w**2).sum(axis=1))


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
