"""The compiled kernels give the twin's result, and the twin gives what can be counted by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from kernels.crosscount import Faces, choose_tier, count, scores_of, tally

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


KINDS = ["whole numbers", "directions", "identical", "denormal", "unnormalised", "far apart"]


def made_up(rng, kind, subjects, dimensions, per_unit=1):
    """Units of `subjects` whose templates try the arithmetic in one particular way."""
    sizes = rng.integers(1, per_unit + 1, len(subjects))
    t = rng.standard_normal((sizes.sum(), dimensions))
    if kind == "whole numbers":
        t = rng.integers(-3, 4, t.shape) + 8.0 * (np.arange(dimensions) == 0)
    elif kind == "directions":
        t /= np.linalg.norm(t, axis=1, keepdims=True)
    elif kind == "identical":
        t[:] = t[:1]
    elif kind == "denormal":
        t *= 1e-41
        t[:, 0] = 1e-40
    elif kind == "unnormalised":
        t = t * 3 + 10
    else:
        t *= 10.0 ** rng.integers(-6, 7, (len(t), 1))
    return Faces(t.astype(np.float32), np.r_[0, np.cumsum(sizes)].astype(np.int64), np.sort(subjects).astype(np.int64))


def by_hand(probes, references, groups, folds, edges, metric):
    """`count` as a loop over the scores; references None: every unordered pair once."""
    right = probes if references is None else references
    counts = np.zeros((groups.max() + 1, groups.max() + 1, 2, 3, len(edges) + 1), np.int64)
    for units, scores in scores_of(probes, right, metric):
        for u, row in zip(range(units.start, units.stop), scores, strict=True):
            for v, score in enumerate(row):
                if references is None and v <= u:
                    continue
                p, r = probes.subjects[u], right.subjects[v]
                g, h = groups[p], groups[r]
                if references is None and g > h:
                    g, h = h, g
                met = (edges <= score).sum() if metric == "cosine" else (edges < score).sum()
                counts[g, h, int(p == r), folds[p] if folds[p] == folds[r] else 2, met] += 1
    return counts


def edges_of(metric, kind, spread):
    if kind == "equal, and a threshold":
        grid = np.linspace(-1, 1, 41) if metric == "cosine" else np.linspace(0, 10, 41)
        return np.unique(np.r_[grid, spread])
    return np.sort(np.r_[spread, 0.5 * spread, spread * 1.001, 0.3])


@settings(max_examples=120, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    metric=st.sampled_from(METRICS),
    kind=st.sampled_from(KINDS),
    bins=st.sampled_from(["equal, and a threshold", "unequal"]),
    sizes=st.sampled_from([(0, 3), (1, 1), (1, 7), (13, 5), (31, 33), (40, 12)]),
    group_count=st.sampled_from([1, 3, 64]),
    per_unit=st.integers(1, 3),
    one_set=st.booleans(),
    tier=st.sampled_from(["numpy", "numba"]),
)
def test_every_tier_gives_the_counts_of_a_loop(seed, metric, kind, bins, sizes, group_count, per_unit, one_set, tier):
    rng = np.random.default_rng(seed)
    people = int(rng.integers(1, 80))
    left = made_up(rng, kind, rng.integers(0, people, sizes[0]), 5, per_unit)
    right = None if one_set else made_up(rng, kind, rng.integers(0, people, sizes[1]), 5, per_unit)
    groups, folds = rng.integers(0, group_count, people), rng.integers(0, 2, people)
    some = list(scores_of(left, left, metric))
    spread = float(np.median(some[0][1])) if some else 0.7  # a score that occurs: a tie
    edges = edges_of(metric, bins, spread)
    np.testing.assert_array_equal(
        count(left, right, groups, folds, edges, metric, tier), by_hand(left, right, groups, folds, edges, metric)
    )


def at_most_one_bin_off(counts, truth, edges, exact):
    """Whether no score is more than one bin away from where it belongs, and none across an exact edge."""
    got, true = np.cumsum(counts, axis=-1), np.cumsum(truth, axis=-1)
    fixed = np.searchsorted(edges, exact)
    below = np.concatenate([np.zeros_like(true[..., :1]), true[..., :-1]], axis=-1)
    above = np.concatenate([true[..., 1:], true[..., -1:]], axis=-1)
    assert ((below <= got) & (got <= above)).all()
    np.testing.assert_array_equal(got[..., fixed], true[..., fixed])
    np.testing.assert_array_equal(counts.sum(axis=-1), truth.sum(axis=-1))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    metric=st.sampled_from(METRICS),
    kind=st.sampled_from(KINDS),
    units=st.sampled_from([2, 17, 60]),
    dimensions=st.sampled_from([1, 16, 128, 131]),
    per_unit=st.integers(1, 2),
)
def test_float32_moves_a_score_by_one_bin_and_never_across_a_threshold(seed, metric, kind, units, dimensions, per_unit):
    rng = np.random.default_rng(seed)
    left = made_up(rng, kind, rng.integers(0, 9, units), dimensions, per_unit)
    right = made_up(rng, kind, rng.integers(0, 9, units), dimensions)
    groups, folds = rng.integers(0, 2, 9), rng.integers(0, 2, 9)
    ((_, scores),) = scores_of(left, right, metric)
    # Thresholds that scores are exactly equal to, and their neighbours: rounding decides nothing.
    ties = rng.choice(scores.ravel(), 3)
    exact = np.unique(np.r_[ties, np.nextafter(ties, np.inf), np.nextafter(ties, -np.inf)])
    edges = np.unique(np.r_[np.linspace(-1, 1, 401) if metric == "cosine" else np.linspace(0, 4, 401), exact])
    truth = count(left, right, groups, folds, edges, metric, "numpy")
    at_most_one_bin_off(count(left, right, groups, folds, edges, metric, "numba", exact), truth, edges, exact)


@pytest.mark.parametrize("tier", ["numpy", "numba"])
@pytest.mark.parametrize("metric", METRICS)
def test_counts_are_the_same_on_any_number_of_threads(metric, tier):
    rng = np.random.default_rng(5)
    left, right = (made_up(rng, "directions", rng.integers(0, 300, n), 24, 2) for n in (1500, 1201))
    groups, folds = rng.integers(0, 3, 300), rng.integers(0, 2, 300)
    edges = np.linspace(-1, 1, 201) if metric == "cosine" else np.linspace(0, 2, 201)
    for references, total in ((right, 1500 * 1201), (None, 1500 * 1499 // 2)):
        one, *others = (
            count(left, references, groups, folds, edges, metric, tier, edges[90:92], threads) for threads in (1, 2, 7)
        )
        assert one.sum() == total
        assert all(each.tobytes() == one.tobytes() for each in others)


@pytest.mark.parametrize("metric", METRICS)
def test_scores_are_those_of_scipy(metric):
    rng = np.random.default_rng(2)
    left, right = (made_up(rng, "unnormalised", np.arange(n), 128) for n in (30, 20))
    ((_, scores),) = scores_of(left, right, metric)
    other = cdist(left.templates.astype(float), right.templates.astype(float), metric)
    np.testing.assert_allclose(scores, 1 - other if metric == "cosine" else other, rtol=1e-12)


def plainly(probes, references, groups, folds, thresholds, crossfit, metric):
    """`tally` from the whole matrix of scores: matches and comparisons `(P, S, S)`."""
    S = len(groups)
    ((_, scores),) = scores_of(probes, references, metric)
    matches, trials = np.zeros((len(thresholds), S, S), int), np.zeros((len(thresholds), S, S), int)
    for u, p in enumerate(probes.subjects):
        for v, r in enumerate(references.subjects):
            for k, limits in enumerate(thresholds):
                if np.isnan(limits).any() or (crossfit[k] and folds[p] != folds[r]):
                    continue
                trials[k, p, r] += 1
                t, s = limits[folds[p]], scores[u, v]
                matches[k, p, r] += (s >= t) if metric == "cosine" else (s <= t)
    return matches, trials


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    metric=st.sampled_from(METRICS),
    kind=st.sampled_from(KINDS),
    tier=st.sampled_from(["numpy", "numba"]),
)
def test_a_tally_is_that_of_the_whole_matrix(seed, metric, kind, tier):
    rng = np.random.default_rng(seed)
    people = 9
    left, right = (made_up(rng, kind, rng.integers(0, people, n), 6, 2) for n in (21, 14))
    groups, folds = rng.integers(0, 3, people), rng.integers(0, 2, people)
    ((_, scores),) = scores_of(left, right, metric)
    ties = rng.choice(scores.ravel(), 4)
    thresholds = np.array([ties[[0, 0]], ties[[1, 2]], [np.nextafter(ties[0], 9)] * 2, [np.nan, 1], ties[[3, 3]]])
    crossfit = np.array([False, True, False, True, False])
    matches, trials = plainly(left, right, groups, folds, thresholds, crossfit, metric)
    result = tally(left, right, groups, folds, thresholds, crossfit, metric, tier)
    others = 1 - np.eye(people, dtype=int)
    e, n = matches * others, trials * others
    member = np.eye(groups.max() + 1, dtype=int)[groups]
    np.testing.assert_array_equal(result.errors, np.stack([e @ member, e.transpose(0, 2, 1) @ member], axis=1))
    np.testing.assert_array_equal(result.comparisons, np.stack([n @ member, n.transpose(0, 2, 1) @ member], axis=1))
    own = np.arange(people)
    np.testing.assert_array_equal(result.mated_comparisons, trials[:, own, own])
    np.testing.assert_array_equal(result.mated_errors, (trials - matches)[:, own, own])
    back, n_back = e.transpose(0, 2, 1), n.transpose(0, 2, 1)
    for table, products in (
        (result.squares, (e * e, e * n, n * n)),
        (result.crosses, (e * back, e * n_back + back * n, n * n_back)),
    ):
        np.testing.assert_array_equal(table, np.stack([member.T @ x @ member for x in products], axis=-1))
    k, i, j = np.nonzero(e)
    np.testing.assert_array_equal(result.pairs, np.column_stack([k, i, j, e[k, i, j], n[k, i, j]]))


@pytest.mark.parametrize("tier", ["numpy", "numba"])
def test_pairs_that_are_spilled_are_those_that_were_kept(tier):
    rng = np.random.default_rng(8)
    left, right = (made_up(rng, "directions", rng.integers(0, 400, n), 8) for n in (900, 500))
    groups, folds = rng.integers(0, 2, 400), rng.integers(0, 2, 400)
    thresholds, crossfit = np.array([[0.5, 0.5], [0.6, 0.7], [0.2, 0.2]]), np.array([False, True, False])
    arguments = (left, right, groups, folds, thresholds, crossfit, "cosine", tier)
    kept = tally(*arguments, threads=2)
    for threads in (1, 2, 7):
        parts = []
        spilled = tally(*arguments, np.array([True, True, False]), parts.append, threads)
        rows = np.concatenate(parts)
        np.testing.assert_array_equal(rows[np.lexsort(rows[:, 2::-1].T)], kept.pairs[kept.pairs[:, 0] < 2])
        assert not len(spilled.pairs)
        for name in ("errors", "comparisons", "mated_errors", "mated_comparisons", "squares", "crosses"):
            np.testing.assert_array_equal(getattr(spilled, name), getattr(kept, name), err_msg=name)


def test_templates_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="finite"):
        Faces(np.array([[np.nan]], np.float32), np.array([0, 1]), np.array([0]))


def test_the_cosine_of_a_template_of_zeros_is_refused():
    zero = Faces(np.zeros((2, 3), np.float32), np.arange(3), np.arange(2))
    with pytest.raises(ValueError, match="template 0 is all zeros"):
        count(zero, None, np.zeros(2, np.int64), np.zeros(2, np.int64), np.array([0.5]), "cosine")


def test_a_small_comparison_is_left_to_numpy_and_the_environment_may_say_otherwise(monkeypatch):
    monkeypatch.delenv("TESTBED_KERNEL_TIER", raising=False)
    few = Faces(np.ones((2000, 2), np.float32), np.arange(2001), np.arange(2000))
    pairs = Faces(np.ones((2000, 2), np.float32), np.arange(0, 2001, 2), np.arange(1000))
    assert choose_tier(few) == "numpy"
    monkeypatch.setenv("TESTBED_KERNEL_TIER", "numba")
    assert choose_tier(few) == "numba"
    monkeypatch.setenv("TESTBED_KERNEL_TIER", "fused")
    assert choose_tier(few, few, np.array([0.5])) == "fused"
    assert choose_tier(few, pairs, np.array([0.5])) == "numba"  # the best of several captures needs the scores
    with pytest.raises(ValueError, match="one template each"):
        choose_tier(few, pairs, np.array([0.5]), "fused")
    monkeypatch.setenv("TESTBED_KERNEL_TIER", "cuda")
    with pytest.raises(ValueError, match="not cuda"):
        choose_tier(few)
