"""Label errors: Bayes by hand, a mixture undone, simulated people with wrong labels, and wrong tables."""

import numpy as np
import polars as pl
import pytest

from pipelines.errors import InputError
from testbed.evidence.labels import Misclassification, recompute

TABLE = pl.DataFrame({"true": ["b", "a"], "a": [0.2, 0.9], "b": [0.8, 0.1]})


def test_who_bears_a_label_follows_from_bayes():
    # 60 truly a and 40 truly b: 54 + 8 = 62 are labelled a, 6 + 32 = 38 are labelled b.
    composition = Misclassification.of(TABLE, ("a", "b"), "m.csv").composition(np.array([62, 38]))
    assert composition == pytest.approx(np.array([[54 / 62, 8 / 62], [6 / 38, 32 / 38]]), abs=1e-6)


def test_right_labels_change_nothing():
    rates = np.array([[0.1, 0.01], [0.02, 0.3]])
    result = recompute(rates, rates / 2, rates * 2, np.eye(2))
    for mine, theirs in ((result.corrected, rates), (result.low, rates / 2), (result.high, rates * 2)):
        assert mine == pytest.approx(theirs)


def test_simulated_wrong_labels_are_undone():
    """60 % true a, FMR .02 within a, .2 within b, .05 across; labels shrink the ratio, the correction restores it."""
    rng = np.random.default_rng(4)
    matrix = Misclassification.of(TABLE, ("a", "b"), "m.csv")
    true = (rng.random(1500) < 0.4).astype(int)
    label = np.where(rng.random(1500) < matrix.assigned[true, true], true, 1 - true)
    fmr = np.array([[0.02, 0.05], [0.05, 0.2]])
    matched = rng.random((1500, 1500)) < fmr[np.ix_(true, true)]
    np.fill_diagonal(matched, False)
    sizes = np.bincount(label)
    seen = np.array([[matched[np.ix_(label == g, label == h)].mean() for h in (0, 1)] for g in (0, 1)])
    result = recompute(seen, seen, seen, matrix.composition(sizes))
    assert seen[1, 1] / seen[0, 0] < 8
    assert result.corrected == pytest.approx(fmr, rel=0.08)


def test_a_matrix_that_no_rates_can_agree_with_is_told_from_chance():
    composition = np.array([[0.6, 0.4], [0.4, 0.6]])
    agreeing = composition @ np.array([[0.0, 0.05], [0.05, 0.4]]) @ composition.T
    assert recompute(agreeing, agreeing, agreeing, composition).possible
    # A little off, as chance has it: the solution is cut at 0 and still gives the data within their bounds.
    off = agreeing + np.array([[-0.01, 0.0], [0.0, 0.01]])
    assert np.linalg.solve(composition, np.linalg.solve(composition, off).T).min() < 0
    assert recompute(off, off - 0.05, off + 0.05, composition).possible
    assert not recompute(off, off - 1e-4, off + 1e-4, composition).possible
    far = np.array([[0.01, 0.0], [0.0, 0.6]])
    assert not recompute(far, far - 0.005, far + 0.05, composition).possible


def test_rates_of_one_side_are_undone_alike():
    composition = np.array([[0.9, 0.1], [0.2, 0.8]])
    result = recompute(composition @ [0.1, 0.4], np.zeros(2), np.ones(2), composition)
    assert result.corrected == pytest.approx([0.1, 0.4])


def test_the_bounds_hold_the_correction_of_every_rate_within_them():
    rng = np.random.default_rng(1)
    composition = np.array([[0.9, 0.1], [0.2, 0.8]])
    low = np.array([[0.1, 0.02], [0.03, 0.2]])
    high = low + 0.02
    bounds = recompute(low + 0.01, low, high, composition)
    for _ in range(500):
        corrected = recompute(rng.uniform(low, high), low, high, composition).corrected
        assert (bounds.low <= corrected + 1e-12).all()
        assert (corrected <= bounds.high + 1e-12).all()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"true": ["a", "b"], "a": [1.0, 0.0]}, "m.csv: columns must be `true` and the groups a, b"),
        ({"true": ["a", "a"], "a": [1.0, 0.0], "b": [0.0, 1.0]}, "must name each of the groups a, b once"),
        ({"true": ["a", "b"], "a": [1.0, 0.5], "b": [0.0, 0.4]}, "row 3: must be probabilities"),
        ({"true": ["a", "b"], "a": [1.0, None], "b": [0.0, 1.0]}, "row 3: must be probabilities"),
        ({"true": ["a", "b"], "a": [1.2, 0.0], "b": [-0.2, 1.0]}, "row 2: must be probabilities"),
        ({"true": ["a", "b"], "a": ["x", "y"], "b": [0.0, 1.0]}, "column `a` must hold probabilities"),
    ],
)
def test_a_wrong_matrix_is_named(columns, message):
    with pytest.raises(InputError, match=message):
        Misclassification.of(pl.DataFrame(columns), ("a", "b"), "m.csv")


def test_labels_that_tell_nothing_are_refused():
    coin = Misclassification(("a", "b"), np.full((2, 2), 0.5))
    with pytest.raises(InputError, match="alike"):
        coin.composition(np.array([10, 10]))


def test_bounds_of_a_matrix_are_those_of_the_linear_map_written_out():
    """Every cell of X is a weighted sum of cells of R: each weight takes the bound that makes the sum least."""
    rng = np.random.default_rng(3)
    composition = rng.dirichlet([1, 1, 1], 3) * 0.3 + np.eye(3) * 0.7
    low = rng.uniform(0.2, 0.4, (3, 3))
    high = low + 0.05
    weights = np.kron(np.linalg.inv(composition), np.linalg.inv(composition))
    least = np.where(weights > 0, low.ravel(), high.ravel())
    found = recompute(low, low, high, composition)
    assert found.low == pytest.approx(np.clip((weights * least).sum(axis=1), 0, 1).reshape(3, 3))
    assert (found.low <= found.corrected).all()


def test_a_matrix_by_which_nobody_is_of_a_group_is_refused():
    """A fifth of b are labelled a, yet fewer are labelled a at all: nobody would be left to be a."""
    with pytest.raises(InputError, match="bear the label a than there are"):
        Misclassification.of(TABLE, ("a", "b"), "m.csv").composition(np.array([5, 95]))
