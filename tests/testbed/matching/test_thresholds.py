"""Thresholds from counts, against sorted scores and scikit-learn's conventions worked by hand."""

import numpy as np
import pytest

from testbed.matching.thresholds import at_fmr, edges_for, equal_error, matching, share


def bins_of(scores, edges, direction):
    side = "left" if direction == "distance" else "right"
    return np.bincount(np.searchsorted(edges, scores, side), minlength=len(edges) + 1)


@pytest.mark.parametrize("direction", ["distance", "similarity"])
def test_the_share_at_an_edge_is_that_of_the_scores_themselves(direction):
    rng = np.random.default_rng(1)
    scores = rng.integers(0, 20, 500) / 10  # many ties with edges
    edges = np.linspace(0.3, 1.7, 15)
    bins = bins_of(scores, edges, direction)
    expected = [np.mean(scores <= e) if direction == "distance" else np.mean(scores >= e) for e in edges]
    np.testing.assert_allclose(share(bins, direction), expected)
    assert matching(bins, direction).dtype == np.int64


@pytest.mark.parametrize("direction", ["distance", "similarity"])
def test_the_threshold_at_an_fmr_is_the_most_lenient_that_keeps_it(direction):
    scores = np.arange(1, 1001) / 1000
    edges = np.linspace(0, 1, 101)
    bins = bins_of(scores, edges, direction)
    edge = at_fmr(bins, 0.05, direction)
    rates = share(bins, direction)
    assert rates[edge] <= 0.05
    more_lenient = edge + 1 if direction == "distance" else edge - 1
    assert rates[more_lenient] > 0.05


def test_an_fmr_rarer_than_one_comparison_cannot_be_found():
    assert at_fmr(np.array([0, 99, 0]), 0.01, "distance") is None
    assert at_fmr(np.array([0, 100, 0]), 0.01, "distance") is not None


def test_the_equal_error_rate_is_the_midpoint_of_the_crossing():
    edges = np.array([1.0, 2.0, 3.0])
    mated, non_mated = (
        bins_of(np.array([0.5, 0.5, 1.5, 2.5]), edges, "distance"),
        bins_of(np.array([1.5, 2.5, 2.5, 3.5]), edges, "distance"),
    )
    # FMR at the edges: 0, .25, .75; FNMR: .5, .25, 0. They meet at 2.
    assert equal_error(non_mated, mated, "distance") == (1, 0.25)
    assert equal_error(non_mated, np.zeros(4), "distance") is None


def test_every_threshold_in_use_is_an_edge():
    edges = edges_for((0.0, 1.5), 100, [0.6, 0.123456789])
    assert {0.6, 0.123456789} <= set(edges.tolist())
    assert (np.diff(edges) > 0).all()
