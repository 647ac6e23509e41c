"""The compiled kernels give the twin's result, and the twin gives what can be counted by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.crosscount import Faces, count, scores_of, tally

METRICS = ["euclidean", "cosine"]


def faces(rng, subjects, dimensions, per_unit):
    """A unit for each entry of `subjects` (sorted), with 1..per_unit templates each."""
    sizes = rng.integers(1, per_unit + 1, len(subjects))
    # A coarse grid of values makes exact ties with thresholds frequent.
    templates = rng.integers(-3, 4, (sizes.sum(), dimensions)).astype(np.float32)
    templates[:, 0] += 8  # never the zero vector: its cosine is undefined
    return Faces(templates, np.r_[0, np.cumsum(sizes)].astype(np.int64), np.sort(subjects).astype(np.int64))


def two_faces(distance):
    return (
        Faces(np.array([[0, 0]], np.float32), np.array([0, 1]), np.array([0])),
        Faces(np.array([[distance, 0]], np.float32), np.array([0, 1]), np.array([1])),
    )


@pytest.mark.parametrize("tier", ["numpy", "numba"])
def test_a_distance_equal_to_the_threshold_is_a_match(tier):
    probes, references = two_faces(0.5)
    groups, folds = np.zeros(2, np.int64), np.zeros(2, np.int64)
    thresholds = np.array([[0.5, 0.5], [np.nextafter(0.5, 0), np.nextafter(0.5, 0)]])
    result = tally(probes, references, groups, folds, thresholds, np.zeros(2, bool), "euclidean", tier)
    assert result.errors[:, 0, 0, 0].tolist() == [1, 0]
    counts = count(probes, references, groups, folds, np.array([0.25, 0.5, 0.75]), "euclidean", tier)
    assert counts[0, 0, 0, 0].tolist() == [0, 1, 0, 0]  # (0.25, 0.5] holds the tie


@pytest.mark.parametrize("tier", ["numpy", "numba"])
def test_a_similarity_equal_to_the_threshold_is_a_match(tier):
    one = Faces(np.array([[1, 0]], np.float32), np.array([0, 1]), np.array([0]))
    other = Faces(np.array([[3, 4]], np.float32), np.array([0, 1]), np.array([1]))
    groups, folds = np.zeros(2, np.int64), np.zeros(2, np.int64)
    edge = 3 / 5
    result = tally(one, other, groups, folds, np.array([[edge, edge]]), np.zeros(1, bool), "cosine", tier)
    assert result.errors[0, 0, 0, 0] == 1
    counts = count(one, other, groups, folds, np.array([0.25, edge, 0.75]), "cosine", tier)
    assert counts[0, 0, 0, 0].tolist() == [0, 0, 1, 0]  # [0.6, 0.75) holds the tie


def test_the_score_of_a_transit_is_the_best_of_its_captures():
    probes = Faces(np.array([[0, 3], [0, 1], [5, 5]], np.float32), np.array([0, 2, 3]), np.array([0, 1]))
    references = Faces(np.array([[0, 0], [9, 9]], np.float32), np.array([0, 2]), np.array([0]))
    ((_, scores),) = scores_of(probes, references, "euclidean")
    assert scores[0].tolist() == [1.0]
    assert scores[1] == pytest.approx(np.sqrt(32))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    metric=st.sampled_from(METRICS),
    people=st.integers(1, 7),
    units=st.integers(0, 9),
    references=st.integers(0, 9),
)
def test_both_tiers_agree_and_lose_no_comparison(seed, metric, people, units, references):
    rng = np.random.default_rng(seed)
    left = faces(rng, rng.integers(0, people, units), 3, 3)
    right = faces(rng, rng.integers(0, people, references), 3, 2)
    groups = rng.integers(0, 3, people).astype(np.int64)
    folds = rng.integers(0, 2, people).astype(np.int64)
    edges = np.array([0.9, 0.95, 1.0]) if metric == "cosine" else np.array([0.0, 1.0, 2.0, np.sqrt(5), 5.0])
    counts = [count(left, right, groups, folds, edges, metric, tier) for tier in ("numpy", "numba")]
    assert counts[0].sum() == units * references
    np.testing.assert_array_equal(counts[0], counts[1])
    thresholds = np.array([[edges[1], edges[1]], [edges[0], edges[2]], [np.nan, 1.0]])
    crossfit = np.array([False, True, True])
    one, two = (tally(left, right, groups, folds, thresholds, crossfit, metric, tier) for tier in ("numpy", "numba"))
    for name in ("errors", "comparisons", "mated_errors", "mated_comparisons", "squares", "crosses", "pairs"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name), err_msg=name)
    assert one.comparisons[2].sum() == 0
    assert one.comparisons[0, 0].sum() + one.mated_comparisons[0].sum() == units * references


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), metric=st.sampled_from(METRICS))
def test_moments_are_those_of_a_loop_over_pairs_of_people(seed, metric):
    rng = np.random.default_rng(seed)
    people = 5
    left, right = faces(rng, rng.integers(0, people, 8), 3, 2), faces(rng, rng.integers(0, people, 7), 3, 1)
    groups, folds = rng.integers(0, 2, people).astype(np.int64), rng.integers(0, 2, people).astype(np.int64)
    limit = 0.97 if metric == "cosine" else 3.0
    result = tally(left, right, groups, folds, np.array([[limit, limit]]), np.array([False]), metric)
    ((_, scores),) = scores_of(left, right, metric)
    matched = scores >= limit if metric == "cosine" else scores <= limit
    p = 0.1
    for a in range(groups.max() + 1):
        members = np.flatnonzero(groups == a)
        total = 0.0
        for x, i in enumerate(members):
            for j in members[x + 1 :]:
                e = 0.0
                for one, two in ((i, j), (j, i)):
                    cell = matched[np.ix_(left.subjects == one, right.subjects == two)]
                    e += cell.sum() - p * cell.size
                total += e * e
        # Summed over ordered pairs, squares + crosses is the sum over unordered pairs of both directions together;
        # the cross err·n term holds both products, so it needs no factor of its own.
        square = (result.squares[0, a, a] * [1, -2 * p, p * p]).sum()
        cross = (result.crosses[0, a, a] * [1, -p, p * p]).sum()
        assert square + cross == pytest.approx(total)


def test_templates_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="finite"):
        Faces(np.array([[np.nan]], np.float32), np.array([0, 1]), np.array([0]))
