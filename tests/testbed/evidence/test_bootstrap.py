"""Intervals of curves, EER, calibration and found thresholds, against made-up people whose true rates are known."""

import numpy as np
import pytest
from scipy import optimize, stats

from testbed.evidence.bootstrap import CARRIERS, crossings, equal_error, freedom, percentiles
from testbed.evidence.calibration import reliability
from testbed.evidence.crossfit import found_thresholds, turned_round
from testbed.evidence.likelihood import cross_fitted

APART = 2.0
"""Mean score of one person's pairs in `scored`; strangers' have mean 0, and both the variance 1."""


def everyone(cell):
    return cell.population(cell.people.everyone())


def equal_error_of(cell):
    population, points = everyone(cell), cell.thresholds()
    at = cell.tallied.thresholds[points, 0]
    crossing = int(np.flatnonzero(at == cell.tallied.thresholds[cell.tallied.index("eer:all"), 0])[0])
    return equal_error(
        crossing, population.matches[points].sum(axis=1), population.trials[points[0]].sum(axis=0),
        cell.tallied.mated_errors[points], cell.tallied.mated_comparisons[points[0]],
    )  # fmt: skip


def test_curves_cross_where_straight_lines_between_their_points_do():
    fmr = np.array([[0.0, 0.2, 0.5], [0.3, 0.4, 0.5], [0.0, 0.0, 0.1]])
    fnmr = np.array([[0.4, 0.1, 0.0], [0.1, 0.1, 0.1], [0.9, 0.8, 0.7]])
    # Between the first two points; before the first one; after the last one.
    assert crossings(fmr, fnmr) == pytest.approx([0.16, 0.2, 0.4])


def test_limits_are_wider_than_percentiles_where_few_people_carry_the_errors():
    values = np.random.default_rng(0).standard_normal(20_000)
    low, high = percentiles(values, 1000, 1e6)
    assert (low, high) == pytest.approx(stats.norm.interval(0.95), abs=0.05)
    assert percentiles(values, 1000, 5)[1] == pytest.approx(stats.t.ppf(0.975, 5), abs=0.1)


def test_too_few_carriers_are_not_drawn_again(scored):
    trials = np.full(40, 39.0)
    for carriers in (CARRIERS - 1, CARRIERS + 4):
        errors = np.where(np.arange(40) < carriers, 2.0, 0.0)
        assert (freedom(errors, trials, paired=True) is None) is (carriers < CARRIERS)
    assert equal_error_of(scored(60, 0.2, 1, apart=6.0)) is None  # nobody is missed


@pytest.mark.parametrize(("people", "correlation"), [(40, 0.1), (80, 0.6)])
def test_the_interval_of_the_equal_error_rate_holds_it(scored, people, correlation):
    truth = stats.norm.sf(optimize.brentq(lambda t: stats.norm.sf(t) - stats.norm.cdf(t - APART), -9, 9))
    found = [equal_error_of(scored(people, correlation, seed)) for seed in range(60)]
    made = [interval for interval in found if interval is not None]
    assert len(made) > 30
    assert sum(each.low <= truth <= each.high for each in made) >= 0.93 * len(made)
    assert np.mean([each.high - each.low for each in made]) < 0.2


@pytest.mark.parametrize("sharpness", [1.0, 0.4])
def test_the_interval_of_the_calibration_error_holds_it_and_bands_hold_the_true_shares(scored, sharpness):
    held, shares, width = 0, [], []
    for seed in range(40):
        cell = scored(80, 0.3, seed)
        diagram = reliability(everyone(cell), cross_fitted(everyone(cell)) ** sharpness, 0.5)
        ends = np.r_[np.inf, diagram.upto[:-1], -np.inf]
        g, f = -np.diff(stats.norm.cdf(ends, loc=APART)), -np.diff(stats.norm.cdf(ends))
        p = np.nan_to_num(diagram.predicted, nan=0.5)
        truth = np.abs(0.5 * f * p - 0.5 * g * (1 - p)).sum()
        held += diagram.error.low <= truth <= diagram.error.high
        width.append(diagram.error.high - diagram.error.low)
        share = g / (g + f)
        shares += ((diagram.low <= share) & (share <= diagram.high))[diagram.redrawn & ~diagram.thin].tolist()
    assert held >= 38
    assert np.mean(width) < 0.25
    assert len(shares) > 100
    assert np.mean(shares) > 0.92


@pytest.mark.parametrize(("people", "correlation", "target"), [(40, 0.1, 0.1), (80, 0.6, 0.03)])
def test_the_interval_of_a_found_threshold_holds_the_true_one(scored, people, correlation, target):
    truth = stats.norm.isf(target)
    rows = [row for seed in range(50) for row in found_thresholds(scored(people, correlation, seed, [f"fmr={target}"]))]
    assert len(rows) == 100
    held = [(row["low"] is None or row["low"] <= truth) and (row["high"] is None or truth <= row["high"])
            for row in rows]  # fmt: skip
    assert sum(held) >= 93
    assert all(row["low"] is None or row["low"] <= row["threshold"] for row in rows)
    assert {row["people"] for row in rows} == {people // 2}


def test_bounds_turned_round_give_the_thresholds_that_they_cross_the_wanted_rate_at():
    bounds = np.array([[0.001, 0.01], [0.01, 0.1], [0.1, 1.0]])
    loose_is_greater, loose_is_less = np.array([1.0, 2.0, 3.0]), np.array([3.0, 2.0, 1.0])
    assert turned_round(0.01, loose_is_greater, bounds, "distance") == pytest.approx((1, 2))
    assert turned_round(0.01, loose_is_less, bounds, "similarity") == pytest.approx((2, 3))
    assert turned_round(0.001, loose_is_greater, bounds, "distance") == (-np.inf, 1)
    assert turned_round(0.5, loose_is_less, bounds, "similarity")[0] == -np.inf
