"""The subject bootstrap against its twin, an expansion into actual copies of people, and the variance it estimates."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.resample import multiplicities, resample


def sparse(errors):
    """Rows (point, probe, reference, errors) of a dense `(T, S, S)`."""
    where = np.nonzero(errors)
    return np.column_stack([*where, errors[where]]).astype(np.int64)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), people=st.integers(1, 6), points=st.integers(1, 3))
def test_a_replicate_is_the_comparisons_of_the_copies_that_were_drawn(seed, people, points):
    rng = np.random.default_rng(seed)
    comparisons = rng.integers(0, 4, (people, people))
    errors = rng.binomial(comparisons, 0.4, (points, people, people))
    weights = multiplicities(np.zeros(people, np.int64), 5, seed)
    expected_e, expected_n = np.zeros((5, points), int), np.zeros(5, int)
    for r in range(5):
        copies = np.repeat(np.arange(people), weights[r])
        for i in copies:
            for j in copies:
                if i != j:
                    expected_n[r] += comparisons[i, j]
                    expected_e[r] += errors[:, i, j]
    for tier in ("numpy", "numba"):
        found = resample(weights, sparse(errors), points, comparisons, tier)
        np.testing.assert_array_equal(found.errors, expected_e)
        np.testing.assert_array_equal(found.comparisons, expected_n)


def test_one_number_of_comparisons_stands_for_a_matrix_of_it():
    weights = multiplicities(np.zeros(9, np.int64), 20, 1)
    none = np.zeros((0, 4), np.int64)
    dense = resample(weights, none, 1, np.full((9, 9), 3)).comparisons
    np.testing.assert_array_equal(resample(weights, none, 1, 3).comparisons, dense)


@pytest.mark.parametrize("threads", [2, 5])
def test_threads_change_nothing(threads):
    rng = np.random.default_rng(0)
    errors = rng.binomial(1, 0.1, (4, 40, 40))
    weights = multiplicities(np.zeros(40, np.int64), 300, 7)
    one, many = (resample(weights, sparse(errors), 4, 1, threads=n) for n in (1, threads))
    np.testing.assert_array_equal(one.errors, many.errors)


def test_a_seed_gives_the_same_people_and_every_group_keeps_its_size():
    groups = np.array([0, 0, 0, 1, 1, 2])
    weights = multiplicities(groups, 200, 3)
    np.testing.assert_array_equal(weights, multiplicities(groups, 200, 3))
    assert (weights != multiplicities(groups, 200, 4)).any()
    for group, size in enumerate((3, 2, 1)):
        assert (weights[:, groups == group].sum(axis=1) == size).all()


def test_people_are_drawn_evenly():
    weights = multiplicities(np.zeros(10, np.int64), 20_000, 5)
    assert weights.mean(axis=0) == pytest.approx(np.ones(10), abs=0.03)  # standard error .007
    assert weights.var(axis=0) == pytest.approx(np.full(10, 0.9), abs=0.05)  # binomial(10, 1/10)


def test_the_spread_of_replicates_is_that_of_fresh_samples():
    rng = np.random.default_rng(11)
    people, limit = 60, 1.0
    upper = np.triu_indices(people, 1)

    def sample():
        u = rng.standard_normal(people) * np.sqrt(0.2)
        x = np.zeros((1, people, people), int)
        x[0][upper] = u[upper[0]] + u[upper[1]] + np.sqrt(0.6) * rng.standard_normal(len(upper[0])) >= limit
        return x

    truth = np.std([sample().sum() / len(upper[0]) for _ in range(400)])
    once = np.triu(np.ones((people, people), int), 1)
    spreads = []
    for seed in range(20):
        found = resample(multiplicities(np.zeros(people, np.int64), 300, seed), sparse(sample()), 1, once)
        spreads.append(np.std(found.errors[:, 0] / found.comparisons))
    assert np.mean(spreads) == pytest.approx(truth, rel=0.15)


def test_a_pair_that_names_nobody_is_refused():
    with pytest.raises(ValueError, match="2 people"):
        resample(np.ones((1, 2), np.int64), np.array([[0, 0, 2, 1]]), 1, 1)
