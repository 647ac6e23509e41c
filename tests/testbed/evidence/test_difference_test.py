"""The no-difference test: hand-worked Holm, its size and power by simulation, and what it refuses to say."""

import numpy as np
import pytest

from testbed.evidence.coverage import GAUSSIAN, POPULATIONS, rejections
from testbed.evidence.difference_test import holm, no_difference, pairwise
from testbed.evidence.intervals import Clustered


def group(errors, people, design_effect=2.0, freedom=20.0):
    M = people * (people - 1) // 2
    p = errors / M
    return Clustered(errors, M, design_effect * p * (1 - p) / M, freedom, people, people // 2), []


def test_holm_is_that_worked_by_hand():
    # Ascending .01 .02 .03 .04, times 4 3 2 1: .04 .06 .06 .04, never falling: .04 .06 .06 .06.
    assert holm(np.array([0.04, 0.01, 0.03, 0.02])) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm(np.array([0.7, 0.9])) == pytest.approx([1, 1])
    assert holm(np.zeros(0)).tolist() == []


def test_equal_rates_are_as_unremarkable_as_can_be_and_far_ones_are_remarkable():
    assert no_difference([group(60, 40), group(60, 40)], seed=1).p == 1
    assert no_difference([group(30, 40), group(240, 40)], seed=1).p < 0.01


def test_p_is_never_zero():
    assert no_difference([group(5, 60), group(1500, 60)], seed=1, replicates=99).p == pytest.approx(1 / 100)


def test_groups_without_any_error_differ_in_nothing():
    assert no_difference([group(0, 40), group(0, 40)], seed=1).p == 1


def test_fewer_than_two_groups_with_people_enough_are_not_tested():
    assert no_difference([group(3, 5), group(60, 40)], seed=1) is None
    assert pairwise([group(3, 5), group(60, 40)], seed=1) == []


def test_pairs_name_the_group_that_stands_out():
    tests = pairwise([group(40, 40), group(38, 40), group(300, 40)], seed=2)
    assert {(t.first, t.second): t.holm <= 0.05 for t in tests} == {(0, 1): False, (0, 2): True, (1, 2): True}
    assert all(t.holm >= t.p for t in tests)


def test_a_seed_gives_the_same_p():
    rates = [group(60, 40), group(90, 40)]
    assert no_difference(rates, seed=5) == no_difference(rates, seed=5)


@pytest.mark.parametrize("population", [GAUSSIAN[1], POPULATIONS[4]], ids=lambda p: p.name)
def test_equal_groups_are_called_different_in_at_most_one_case_in_twenty(population):
    """200 replicates: 5 % + three standard errors is 9.6 %."""
    for sizes, rate in (((20, 60), 0.05), ((30, 30, 30), 0.1)):
        assert rejections(population, sizes, (rate,) * len(sizes), 200, 8).rejected <= 0.096


def test_a_fourfold_rate_is_mostly_found_among_fifty_people():
    """docs/coverage.md: power about 86 %; 150 replicates, minus four standard errors."""
    assert rejections(GAUSSIAN[1], (50, 50), (0.03, 0.12), 150, 9).rejected >= 0.74
