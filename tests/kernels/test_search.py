"""A search gives what sorting all scores gives, ties in the order of the gallery."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kernels.search
from kernels.fused import scans_bytes
from kernels.scores import Faces, scores_of
from kernels.search import Index, best_non_mated, top

METRICS = ["euclidean", "cosine"]
WAYS = ["numpy", "numba", pytest.param("bytes", marks=pytest.mark.skipif(not scans_bytes(), reason="no VNNI"))]


def made_up(rng, kind, n, dimensions):
    t = rng.standard_normal((n, dimensions)) + 0.5
    if kind == "directions":
        t /= np.linalg.norm(t, axis=1, keepdims=True)
    elif kind == "many ties":
        t = rng.integers(0, 2, t.shape) * 1.0
        t[:, 0] = 1
    elif kind == "identical":
        t[:] = t[:1]
    elif kind == "far apart":
        t *= 10.0 ** rng.integers(-3, 4, (n, 1))
    elif kind == "huge":
        t *= 1e25
    return t.astype(np.float32)


def searched(way, probes, gallery, k, metric, threads=None):
    if way == "bytes":
        return Index.of(gallery, metric, threads).top(probes, k, threads)
    return top(probes, gallery, k, metric, way, threads)


def all_scores(probes, gallery, metric):
    sides = [Faces(t, np.arange(len(t) + 1), np.arange(len(t))) for t in (probes, gallery)]
    return np.concatenate([np.zeros((0, len(gallery))), *(s for _, s in scores_of(*sides, metric))])


def sorted_out(scores, k, metric):
    order = np.argsort(-scores if metric == "cosine" else scores, axis=1, kind="stable")[:, :k]
    wide = np.full((len(scores), k), -1)
    wide[:, : order.shape[1]] = order
    return wide, np.where(wide >= 0, np.take_along_axis(scores, order, 1) if order.shape[1] == k else np.nan, np.nan)


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    metric=st.sampled_from(METRICS),
    kind=st.sampled_from(["directions", "many ties", "identical", "far apart", "unnormalised", "huge"]),
    q=st.sampled_from([0, 1, 2, 12, 13, 30]),
    n=st.sampled_from([1, 31, 32, 33, 700]),
    dimensions=st.sampled_from([1, 3, 16, 130]),
    k=st.sampled_from([1, 5, 50]),
    way=st.sampled_from(["numpy", "numba", "bytes"] if scans_bytes() else ["numpy", "numba"]),
)
def test_the_best_are_those_of_sorting_everything(seed, metric, kind, q, n, dimensions, k, way):
    rng = np.random.default_rng(seed)
    probes, gallery = made_up(rng, kind, q, dimensions), made_up(rng, kind, n, dimensions)
    probes[::3] = gallery[rng.integers(0, n, len(probes[::3]))]  # some are enrolled
    found = searched(way, probes, gallery, k, metric)
    scores = all_scores(probes, gallery, metric)
    references, _ = sorted_out(scores, k, metric)
    np.testing.assert_array_equal(found.references, references)
    here = references >= 0
    np.testing.assert_array_equal(found.scores[here], scores[np.nonzero(here)[0], references[here]])
    assert np.isnan(found.scores[~here]).all()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("metric", METRICS)
def test_a_gallery_on_disk_is_searched_in_blocks_on_any_number_of_threads(metric, way, tmp_path, monkeypatch):
    monkeypatch.setattr(kernels.search, "BLOCK", 1000)
    rng = np.random.default_rng(1)
    gallery = np.memmap(tmp_path / "gallery", np.float32, "w+", shape=(9000, 32))
    gallery[:] = made_up(rng, "directions", 9000, 32)
    gallery[4000:4600] = gallery[100]  # more ties than are asked for
    probes = np.concatenate([gallery[[100, 8999]], made_up(rng, "directions", 20, 32)])
    expected, _ = sorted_out(all_scores(probes, np.asarray(gallery), metric), 50, metric)
    for threads in (1, 2, 7):
        np.testing.assert_array_equal(searched(way, probes, gallery, 50, metric, threads).references, expected)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    metric=st.sampled_from(METRICS),
    kind=st.sampled_from(["directions", "many ties", "identical", "far apart"]),
    tier=st.sampled_from(["numpy", "numba"]),
    n=st.sampled_from([1, 33, 500]),
)
def test_the_best_stranger_is_that_of_looking_at_all(seed, metric, kind, tier, n):
    rng = np.random.default_rng(seed)
    probes, gallery = made_up(rng, kind, 9, 8), made_up(rng, kind, n, 8)
    subjects, owners, groups = rng.integers(0, 5, 9), rng.integers(0, 5, n), rng.integers(0, 3, n)
    found = best_non_mated(probes, subjects, gallery, owners, groups, metric, tier)
    scores = all_scores(probes, gallery, metric)
    for i in range(9):
        for g in range(groups.max() + 1):
            others = np.flatnonzero((groups == g) & (owners != subjects[i]))
            if not len(others):
                assert found.references[i, g] == -1
                assert np.isnan(found.scores[i, g])
                continue
            of = scores[i, others]
            first = others[np.argmax(of) if metric == "cosine" else np.argmin(of)]
            assert (found.references[i, g], found.scores[i, g]) == (first, scores[i, first])


@pytest.mark.parametrize("way", WAYS)
def test_templates_that_are_not_finite_are_refused(way):
    good = np.ones((3, 4), np.float32)
    bad = good.copy()
    bad[1, 2] = np.nan
    with pytest.raises(ValueError, match="reference 1 is not finite"):
        searched(way, good, bad, 1, "euclidean")
    with pytest.raises(ValueError, match="probe 1 is not finite"):
        searched(way, bad, good, 1, "euclidean")
