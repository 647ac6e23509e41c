"""Whole ways from scores to figures against independent references: loops over comparisons, SciPy, scikit-learn."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import det_curve, roc_curve

from testbed.evidence.calibration import cllr
from testbed.evidence.intervals import across_groups, by_subject, within_group
from testbed.evidence.likelihood import logistic, pool_adjacent_violators
from testbed.evidence.tallied import Tallied
from testbed.matching.comparisons import recorded
from testbed.matching.people import people_of
from testbed.matching.tallying import Comparisons, count_logged, tally_logged
from testbed.matching.thresholds import edges_for, equal_error, share
from testbed.runs.tables import MOMENTS, TALLIES, THRESHOLDS

DIRECTIONS = ("similarity", "distance")


# -- the clustered variance, by hand ------------------------------------------------------------------------------
def test_one_person_who_matches_everybody_by_hand():
    # One comparison per pair of a, b, c, d; a matches b, c and d: p = 3/6. S_a = 3 − 1.5, the others 1 − 1.5.
    # ΣS² = 9/4 + 3/4 = 3, Σe² = 6/4: V = (3 − 1.5)/36, which is also the floor, and what 6 independent ones have.
    rate = within_group(np.array([3, 1, 1, 1]), np.array([3, 3, 3, 3]), np.array([3, 3, 6]))
    assert (rate.errors, rate.comparisons, rate.disjoint) == (3, 6, 2)
    assert rate.variance == pytest.approx(1.5 / 36)
    assert rate.design_effect == pytest.approx(1)
    # d = S: (Σd²)²/Σd⁴ − 1 = 9/(81/16 + 3/16) − 1 = 0.71: one person carries it all, and freedom is at least 1.
    assert rate.freedom == 1


def test_two_images_each_make_the_same_four_people_less_certain_by_hand():
    # As above with 4 comparisons per pair, of which all 4 of a's pairs match: every sum fourfold, every square 16-fold.
    # ΣS² = 48, Σe² = 24, V = 24/24²: p is as uncertain as from one image, and 24 comparisons count as 6.
    rate = within_group(np.array([12, 4, 4, 4]), np.array([12, 12, 12, 12]), np.array([48, 48, 96]))
    assert rate.variance == pytest.approx(1.5 / 36)
    assert rate.design_effect == pytest.approx(4)


def test_two_probes_against_two_references_of_another_group_by_hand():
    # a matches c and d, b nobody: p = 2/4, e = ½ ½ −½ −½. S_a = 1, S_b = −1, S_c = S_d = 0; both sides G/(G − 1) = 2.
    # V = (2·2 + 0 − 1)/16.
    two = np.array([2, 2])
    rate = across_groups((np.array([2, 0]), two), (np.array([1, 1]), two), np.array([2, 2, 4]))
    assert rate.variance == pytest.approx(3 / 16)
    assert (rate.subjects, rate.disjoint) == (4, 2)


def test_misses_of_four_people_by_hand():
    # 1 of 1, 0 of 1, 1 of 2, 0 of 4: p = 2/8; n(p_i − p) = .75, −.25, .5, −1; V = (.5625 + .0625 + .25 + 1)/64.
    rate = by_subject(np.array([1, 0, 1, 0]), np.array([1, 1, 2, 4]))
    assert rate.rate == 0.25
    assert rate.variance == pytest.approx(1.875 / 64)


# -- the clustered variance, comparison by comparison ---------------------------------------------------------------
def logged(seed, people, groups, direction):
    """Random comparisons of several captures a person, some people rarely or never; whole-number scores tie often."""
    rng = np.random.default_rng(seed)
    frame = pl.DataFrame({"subject": [f"s{i}" for i in range(people)], "g": [f"g{i % groups}" for i in range(people)]})
    register = people_of(frame, ["g"], seed)
    captures = [rng.integers(0, people, rng.integers(4, 12)) for _ in range(2)]
    probe, reference = (side.ravel() for side in np.meshgrid(*captures, indexing="ij"))
    kept = rng.random(len(probe)) < 0.8  # a log need not hold every comparison
    probe, reference = probe[kept], reference[kept]
    scores = rng.integers(0, 10, len(probe)).astype(float)
    return Comparisons(probe, reference, probe == reference, scores), register


def tallied(comparisons, people, threshold, direction):
    """Through the shipped tallies and tables."""
    points = [("own", False, threshold, threshold)]
    tally = tally_logged([comparisons], people, points, direction)
    edges = edges_for((0.0, 9.0), 3, [threshold])
    counts = count_logged(comparisons, people, edges, direction)
    tables = {table.name: frame for table, frame in recorded("c", people, edges, counts, points, tally)}
    return Tallied.of(people, tables[THRESHOLDS.name], tables[TALLIES.name], tables[MOMENTS.name])


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6), people=st.integers(3, 8), groups=st.integers(1, 3),
    threshold=st.sampled_from([2.0, 7.0]), direction=st.sampled_from(DIRECTIONS),
)  # fmt: skip
def test_variances_are_sums_over_comparisons_that_share_a_person(seed, people, groups, threshold, direction):
    comparisons, register = logged(seed, people, groups, direction)
    made = tallied(comparisons, register, threshold, direction)
    matches = comparisons.scores >= threshold if direction == "similarity" else comparisons.scores <= threshold
    each = list(zip(
        comparisons.probe_subjects.tolist(), comparisons.reference_subjects.tolist(), matches.tolist(), strict=True
    ))  # fmt: skip
    for a in register.within():
        for b in register.within():
            if a.members != b.members and set(a.members) & set(b.members):
                continue
            inside = [
                (i, j, match) for i, j, match in each
                if i != j and register.groups[i] in a.members and register.groups[j] in b.members
            ]  # fmt: skip
            rate = made.fmr(0, a, b)
            assert (rate.comparisons, rate.errors) == (len(inside), sum(match for *_, match in inside))
            if inside:
                assert rate.variance == pytest.approx(by_loops(inside, crossed=a.members != b.members), abs=1e-12)
        mated = [(i, match) for i, j, match in each if i == j and register.groups[i] in a.members]
        rate = made.fnmr(0, a)
        assert (rate.comparisons, rate.errors) == (len(mated), sum(not match for _, match in mated))
        if mated:
            p = rate.errors / len(mated)
            sum_ = sum((1 - m - p) * (1 - n - p) for i, m in mated for j, n in mated if i == j)
            assert rate.variance == pytest.approx(sum_ / len(mated) ** 2, abs=1e-12)


def by_loops(comparisons, crossed):
    """METRICS' variance from every comparison (i, j) beside every (k, l), with no sum over anything first."""
    M = len(comparisons)
    p = sum(match for *_, match in comparisons) / M
    sides = [len({c[side] for c in comparisons}) for side in (0, 1)]
    weights = [G / (G - 1) if G > 1 else 1.0 for G in sides]
    total = pairs = 0.0
    for i, j, one in comparisons:
        for k, l, other in comparisons:  # noqa: E741
            product = (one - p) * (other - p)
            if crossed:
                total += product * (weights[0] * (i == k) + weights[1] * (j == l) - (i == k and j == l))
                pairs += product * (i == k and j == l)
            else:  # a person may stand on either side
                total += product * bool({i, j} & {k, l})
                pairs += product * ({i, j} == {k, l})
    return max(total, pairs) / M**2


# -- curves ---------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module", params=DIRECTIONS)
def scored(request):
    """Direction, scores with ties, and which are mated."""
    rng = np.random.default_rng(11)
    mated = np.r_[np.ones(70, bool), np.zeros(900, bool)]
    scores = np.round(rng.normal(size=970) * 20) + np.where(mated, 30.0, 0.0)  # whole numbers: sums do not undo ties
    return request.param, scores if request.param == "similarity" else 100 - scores, mated


def binned(direction, scores, mated, edges):
    """Bins of non-mated and of mated scores, by the shipped counting."""
    people = people_of(pl.DataFrame({"subject": ["a", "b"]}), [], 1)
    first = np.zeros(len(scores), np.int64)
    counts = count_logged(Comparisons(first, np.where(mated, 0, 1), mated, scores), people, edges, direction)
    return counts.sum(axis=(0, 1, 3))


def test_rates_at_every_edge_are_on_scikit_learns_roc_and_det_curves(scored):
    direction, scores, mated = scored
    edges = np.unique(scores)
    non_mated_bins, mated_bins = binned(direction, scores, mated, edges)
    fmr, fnmr = share(non_mated_bins, direction), 1 - share(mated_bins, direction)
    alike, order = (scores, slice(None, None, -1)) if direction == "similarity" else (-scores, slice(None))
    ours = np.column_stack([np.r_[0, fmr[order]], np.r_[1, fnmr[order]]])  # from the threshold that nothing reaches
    false, true, limits = roc_curve(mated, alike, drop_intermediate=False)
    assert np.abs(limits[1:]).tolist() == np.abs(edges[order]).tolist()
    assert ours == pytest.approx(np.column_stack([false, 1 - true]))
    false, missed, _ = det_curve(mated, alike)  # without what comes before the first and after the last of its steps
    for point in np.column_stack([false, missed]):
        assert np.isclose(ours, point).all(axis=1).any()


def test_rates_between_scores_are_those_counted_one_by_one(scored):
    direction, scores, mated = scored
    edges = edges_for((scores.min() - 0.01, scores.max() + 0.01), 333, [12.0])
    for kind, truth in enumerate((~mated, mated)):
        counted = [
            np.mean(scores[truth] >= edge if direction == "similarity" else scores[truth] <= edge) for edge in edges
        ]
        assert share(binned(direction, scores, mated, edges)[kind], direction) == pytest.approx(counted)


def test_the_eer_is_the_midpoint_of_the_step_where_raw_scores_cross(scored):
    direction, scores, mated = scored
    edges = np.unique(scores)
    edge, eer = equal_error(*binned(direction, scores, mated, edges), direction)
    alike = scores if direction == "similarity" else -scores
    step = []
    for threshold in np.sort(alike):
        fmr, fnmr = np.mean(alike[~mated] >= threshold), np.mean(alike[mated] < threshold)
        step.append((abs(fmr - fnmr), (fmr + fnmr) / 2, threshold))
    gap, midpoint, threshold = min(step)
    assert eer == pytest.approx(midpoint)
    assert abs(edges[edge]) == abs(threshold)
    # scikit-learn's curve, solved for FMR = FNMR along straight lines, crosses between the two rates of that step.
    false, true, _ = roc_curve(mated, alike, drop_intermediate=False)
    between = optimize.brentq(lambda x: x - 1 + np.interp(x, false, true), 0, 1)
    assert abs(between - eer) <= gap / 2 + 1e-9


# -- likelihood ratios ----------------------------------------------------------------------------------------------
def test_pav_on_bins_is_isotonic_regression_on_the_raw_scores(scored):
    """scikit-learn's on every score with its class weight, and SciPy's on pooled ties."""
    direction, scores, mated = scored
    alike = scores if direction == "similarity" else -scores
    places, inverse = np.unique(alike, return_inverse=True)
    ratios = pool_adjacent_violators(places, np.bincount(inverse, mated), np.bincount(inverse, ~mated))
    weights = np.where(mated, 1 / mated.sum(), 1 / (~mated).sum())
    posterior = IsotonicRegression(y_min=0, y_max=1).fit(alike, mated, sample_weight=weights).predict(places)
    of_raw = np.divide(posterior, 1 - posterior, out=np.full(len(places), np.inf), where=posterior < 1 - 1e-12)
    assert ratios == pytest.approx(of_raw, rel=1e-9)
    total = np.bincount(inverse, weights)
    scipys = optimize.isotonic_regression(np.bincount(inverse, weights * mated) / total, weights=total).x
    finite = np.isfinite(ratios)
    assert (ratios / (1 + ratios))[finite] == pytest.approx(scipys[finite], abs=1e-9)
    assert scipys[~finite] == pytest.approx(1)


def test_cllr_of_bins_is_that_of_the_raw_scores(scored):
    _, scores, mated = scored
    places, inverse = np.unique(scores, return_inverse=True)
    ratios = logistic(places, np.bincount(inverse, mated), np.bincount(inverse, ~mated))
    each = ratios[inverse]
    direct = (np.log2(1 + 1 / each[mated]).mean() + np.log2(1 + each[~mated]).mean()) / 2
    assert cllr(ratios, ratios, np.bincount(inverse, mated), np.bincount(inverse, ~mated)) == pytest.approx(direct)
