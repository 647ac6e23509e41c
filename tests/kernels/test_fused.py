"""The fused tier loses no comparison, moves none across a threshold, and does not depend on threads or vectors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kernels.fused
from kernels.crosscount import Faces, count

METRICS = ["euclidean", "cosine"]
WIDTHS = [w for w in kernels.fused.TILES if w != "avx512" or kernels.fused.width() == "avx512"]
pytestmark = pytest.mark.skipif(not kernels.fused.width(), reason="no fused multiply-add on this machine")


def people(rng, n, dimensions, kind="directions", subjects=None):
    t = rng.standard_normal((n, dimensions)) + 0.5
    if kind == "directions":
        t /= np.linalg.norm(t, axis=1, keepdims=True)
    elif kind == "identical":
        t[:] = t[:1]
    elif kind == "denormal":
        t *= 1e-41
        t[:, 0] = 1e-40
    elif kind == "unnormalised":
        t *= 3
    elif kind == "huge":
        t *= 1e25
    owners = np.sort(rng.integers(0, subjects or max(1, n // 3), n))
    return Faces(t.astype(np.float32), np.arange(n + 1), owners.astype(np.int64))


def edges_of(metric, exact=()):
    return np.unique(np.r_[np.linspace(-1, 1, 301) if metric == "cosine" else np.linspace(0, 3, 301), exact])


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    metric=st.sampled_from(METRICS),
    kind=st.sampled_from(["directions", "identical", "denormal", "unnormalised", "huge"]),
    sizes=st.sampled_from([(0, 4), (1, 1), (1, 33), (12, 32), (13, 31), (97, 65), (150, 40)]),
    dimensions=st.sampled_from([1, 16, 31, 96, 128, 512]),
    group_count=st.sampled_from([1, 3, 64]),
    one_set=st.booleans(),
)
def test_it_counts_as_the_twin_but_for_one_bin(seed, metric, kind, sizes, dimensions, group_count, one_set):
    rng = np.random.default_rng(seed)
    left = people(rng, sizes[0], dimensions, kind, 40)
    right = None if one_set else people(rng, sizes[1], dimensions, kind, 40)
    groups, folds = rng.integers(0, group_count, 40), rng.integers(0, 2, 40)
    exact = np.array([0.25, 0.6, 0.61234, 0.9])
    edges = edges_of(metric, exact)
    truth = count(left, right, groups, folds, edges, metric, "numpy")
    counts = count(left, right, groups, folds, edges, metric, "fused", exact)
    got, true = np.cumsum(counts, axis=-1), np.cumsum(truth, axis=-1)
    assert (got[..., 1:] >= true[..., :-1]).all()
    assert (got[..., :-1] <= true[..., 1:]).all()
    fixed = np.searchsorted(edges, exact)
    np.testing.assert_array_equal(got[..., fixed], true[..., fixed])
    np.testing.assert_array_equal(counts.sum(axis=-1), truth.sum(axis=-1))  # mated, groups and folds are exact


@pytest.mark.parametrize("metric", METRICS)
def test_a_tie_with_a_threshold_is_a_match(metric):
    rng = np.random.default_rng(3)
    left, right = people(rng, 60, 16), people(rng, 70, 16)
    groups = folds = np.zeros(60, np.int64)
    from kernels.crosscount import scores_of

    ((_, scores),) = scores_of(left, right, metric)
    ties = np.sort(scores.ravel())[[5, 2000, 4000]]
    counts = count(left, right, groups, folds, edges_of(metric, ties), metric, "fused", ties)
    below = np.cumsum(counts.sum(axis=(0, 1, 2, 3)))
    at = below[np.searchsorted(edges_of(metric, ties), ties)]
    expected = [(scores < t).sum() if metric == "cosine" else (scores <= t).sum() for t in ties]
    assert at.tolist() == expected


@pytest.mark.parametrize("metric", METRICS)
def test_threads_and_vectors_change_nothing(metric, monkeypatch):
    rng = np.random.default_rng(4)
    left, right = people(rng, 2500, 128, subjects=300), people(rng, 1300, 128, subjects=300)
    groups, folds = rng.integers(0, 5, 300), rng.integers(0, 2, 300)
    for references, total in ((right, 2500 * 1300), (None, 2500 * 2499 // 2)):
        seen = set()
        for width in WIDTHS:
            monkeypatch.setattr(kernels.fused, "width", lambda width=width: width)
            for threads in (1, 2, 7):
                counts = count(
                    left, references, groups, folds, edges_of(metric), metric, "fused", np.array([0.5]), threads
                )
                assert counts.sum() == total
                seen.add(counts.tobytes())
        assert len(seen) == 1


@pytest.mark.parametrize("metric", METRICS)
def test_packing_in_parts_changes_nothing(metric, monkeypatch):
    rng = np.random.default_rng(6)
    faces = people(rng, 700, 32, subjects=90)
    groups, folds = rng.integers(0, 3, 90), rng.integers(0, 2, 90)
    arguments = (faces, None, groups, folds, edges_of(metric), metric, "fused", np.array([0.5]))
    whole = count(*arguments)
    monkeypatch.setattr(kernels.fused, "ROWS", 60)
    monkeypatch.setattr(kernels.fused, "COLUMNS", 96)
    monkeypatch.setattr(kernels.fused, "STRIP", 4096)
    np.testing.assert_array_equal(count(*arguments), whole)
