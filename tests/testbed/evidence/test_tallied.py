"""From templates through the tables to clustered rates, against a recount from the full score matrix."""

import numpy as np
import polars as pl
import pytest

from kernels.crosscount import Faces, scores_of
from testbed.evidence.intervals import across_groups, by_subject, within_group
from testbed.evidence.tallied import Tallied
from testbed.matching.comparisons import Matcher, compare
from testbed.matching.people import people_of
from testbed.runs.tables import COUNTS, MOMENTS, PAIRS, TALLIES, THRESHOLDS

ATTRIBUTES = ["eth", "gender"]


@pytest.fixture(scope="module", params=[1, 2, 3])
def world(request):
    """14 people in 2 × 2 groups, several transits and references for some, none for others."""
    rng = np.random.default_rng(request.param)
    rows = [(f"s{i:02}", "ab"[i % 2], "fm"[i // 2 % 2]) for i in range(14)]
    people = people_of(pl.DataFrame(rows, schema=["subject", *ATTRIBUTES], orient="row"), ATTRIBUTES, request.param)

    def side(most):
        owners = np.sort(rng.integers(0, 14, 25))
        sizes = rng.integers(1, most + 1, len(owners))
        # People cluster by group, so that groups differ and some cross-group matches happen.
        templates = np.repeat(people.groups[owners], sizes)[:, None] * 0.3 + rng.normal(size=(sizes.sum(), 4)) * 0.5
        return Faces(templates.astype(np.float32), np.r_[0, sizes.cumsum()].astype(np.int64), owners.astype(np.int64))

    probes, references = side(3), side(1)
    info = {"threshold": 0.6, "score_range": (0.0, 3.0), "metric": "euclidean", "direction": "distance"}
    matcher = Matcher.of(info, ["own", "fmr=5e-2", 0.9])
    made, _ = compare("c", matcher, probes, references, people, ["own", "fmr=5e-2", 0.9])
    tables = {table.name: frame for table, frame in made}
    tallied = Tallied.of(people, tables[THRESHOLDS.name], tables[TALLIES.name], tables[MOMENTS.name])
    ((_, scores),) = scores_of(probes, references, "euclidean")
    return people, tallied, tables, scores, probes.subjects, references.subjects


def matrices(world, k):
    """Errors and trials `(S, S)` at point k, from the scores themselves."""
    people, tallied, _, scores, left, right = world
    S = len(people.subjects)
    errors, trials = np.zeros((S, S)), np.zeros((S, S))
    crossfit = tallied.points[k].startswith("fmr=")
    for u, i in enumerate(left):
        for v, j in enumerate(right):
            if crossfit and people.folds[i] != people.folds[j]:
                continue
            trials[i, j] += 1
            errors[i, j] += scores[u, v] <= tallied.thresholds[k, people.folds[i]]
    return errors, trials


def same(one, other):
    assert (one.errors, one.comparisons, one.subjects, one.disjoint) == (
        other.errors, other.comparisons, other.subjects, other.disjoint,
    )  # fmt: skip
    assert one.variance == pytest.approx(other.variance)
    assert one.freedom == pytest.approx(other.freedom)


def test_every_group_and_pooled_rate_is_that_of_the_full_matrix(world):
    people, tallied, *_ = world
    for k in range(len(tallied.points)):
        errors, trials = matrices(world, k)
        mated_e, mated_n = (trials - errors).diagonal(), trials.diagonal()
        e, n = errors - np.diag(errors.diagonal()), trials - np.diag(trials.diagonal())
        for group in people.within():
            S = np.flatnonzero(np.isin(people.groups, group.members))
            ee, nn = e[np.ix_(S, S)] + e[np.ix_(S, S)].T, n[np.ix_(S, S)] + n[np.ix_(S, S)].T
            upper = np.triu_indices(len(S), 1)
            x, m = ee[upper], nn[upper]
            same(
                tallied.fmr(k, group, group),
                within_group(ee.sum(1), nn.sum(1), np.array([x @ x, x @ m, m @ m])),
            )
            same(tallied.fnmr(k, group), by_subject(mated_e[S], mated_n[S]))


def test_cross_group_rates_are_those_of_the_full_matrix(world):
    people, tallied, *_ = world
    crossed = [*people.crossed(), *people.single()["gender"]]
    k = tallied.index("own")
    errors, trials = matrices(world, k)
    for a in crossed:
        for b in crossed:
            if set(a.members) & set(b.members):
                continue
            block = np.ix_(np.isin(people.groups, a.members), np.isin(people.groups, b.members))
            x, n = errors[block], trials[block]
            expected = across_groups(
                (x.sum(1), n.sum(1)), (x.sum(0), n.sum(0)), np.array([(x * x).sum(), (x * n).sum(), (n * n).sum()])
            )
            same(tallied.fmr(k, a, b), expected)


def test_same_group_comparisons_are_those_inside_full_cross_groups(world):
    people, tallied, *_ = world
    errors, trials = matrices(world, tallied.index("own"))
    inside = (people.groups[:, None] == people.groups[None]) & ~np.eye(len(people.groups), dtype=bool)
    e, n = errors * inside, trials * inside
    ee, nn = e + e.T, n + n.T
    upper = np.triu_indices(len(e), 1)
    x, m = ee[upper], nn[upper]
    same(
        tallied.fmr_same_group(tallied.index("own")),
        within_group(ee.sum(1), nn.sum(1), np.array([x @ x, x @ m, m @ m])),
    )


def test_a_cross_fitted_threshold_never_saw_the_people_it_judges(world):
    people, tallied, _, scores, left, right = world
    k = tallied.index("fmr=5e-2")
    for fold in (0, 1):
        other = [
            scores[u, v]
            for u, i in enumerate(left)
            for v, j in enumerate(right)
            if i != j and people.folds[i] == people.folds[j] == 1 - fold
        ]
        # The most lenient edge that keeps the rate on the other half's comparisons.
        assert np.mean(np.array(other) <= tallied.thresholds[k, fold]) <= 0.05
        assert np.mean(np.array(other) <= tallied.thresholds[k, fold] + 3.0 / 1500 + 1e-9) > 0.05


def test_counts_tallies_and_pairs_tell_the_same_total(world):
    people, tallied, tables, scores, left, right = world
    counts, pairs = tables[COUNTS.name], tables[PAIRS.name]
    assert counts["comparisons"].sum() == scores.size
    own = tallied.fmr(tallied.index("own"), people.everyone(), people.everyone())
    assert pairs.filter(pl.col("point") == "own")["errors"].sum() == own.errors
    assert own.comparisons == (left[:, None] != right[None]).sum()
