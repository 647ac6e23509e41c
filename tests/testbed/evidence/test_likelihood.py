"""Likelihood ratios and their cost against published numbers, hand-worked cases, SciPy and brute force."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from scipy import optimize

from pipelines.errors import InputError
from testbed.evidence.calibration import cllr
from testbed.evidence.decoder import posterior, search_posterior
from testbed.evidence.likelihood import logistic, pool_adjacent_violators
from testbed.evidence.strangers import modelled, share_of_galleries


def test_cllr_is_that_of_the_published_examples():
    assert cllr([1], [1]) == pytest.approx(1)
    assert cllr([1 / 3, 1 / 3], [3, 3]) == pytest.approx(2)
    assert cllr([3, 3], [1 / 3, 1 / 3]) == pytest.approx(0.4150374993)


def test_cllr_weighs_comparisons_and_takes_certainty_at_its_word():
    assert cllr(np.array([2.0, 8.0]), np.array([0.5]), np.array([3, 1]), np.array([5])) == pytest.approx(
        cllr([2, 2, 2, 8], [0.5] * 5)
    )
    assert cllr([np.inf], [0]) == 0
    assert cllr([0], [0]) == np.inf


def test_pav_pools_ties_and_violators_and_corrects_the_prior():
    # Scores 1 2 2 3 4: mated at 2, 3; non-mated at 1, 2, 4 and again 4. Ties at 2 share one posterior; the mated at
    # 3 and the non-mated at 4 are out of order. Shares of mated (of 2) and of non-mated (of 4) by block:
    # {1}: 0 / 1, {2, 3, 4}: pooled as 2/2 over 3/4, since ½/¼ at 2 already exceeds what 3 and 4 make, (½)/(2/4) = 1.
    alike = np.array([1.0, 2, 3, 4])
    ratios = pool_adjacent_violators(alike, np.array([0, 1, 1, 0]), np.array([1, 1, 0, 2]))
    assert ratios == pytest.approx([0, 4 / 3, 4 / 3, 4 / 3])


def test_pav_does_not_depend_on_how_many_comparisons_a_class_has():
    rng = np.random.default_rng(1)
    alike, mated, non_mated = np.arange(30.0), rng.integers(0, 4, 30), rng.integers(0, 9, 30)
    assert pool_adjacent_violators(alike, mated, non_mated * 1000) == pytest.approx(
        pool_adjacent_violators(alike, mated, non_mated)
    )


def test_nothing_monotone_has_a_lower_cllr_than_pav():
    # Every way to cut six scores into runs of equal likelihood ratio, the best ratio in each: brute force.
    rng = np.random.default_rng(3)
    for _ in range(20):
        mated, non_mated = rng.integers(0, 3, 6), rng.integers(0, 3, 6)
        if not mated.sum() or not non_mated.sum():
            continue
        least = np.inf
        for cuts in (c for n in range(6) for c in combinations(range(1, 6), n)):
            runs = np.split(np.arange(6), cuts)
            shares = [(mated[r].sum() / mated.sum(), non_mated[r].sum() / non_mated.sum()) for r in runs]
            ratios = [a / b if b else (np.inf if a else None) for a, b in shares]
            known = [r for r in ratios if r is not None]
            if any(b < a for a, b in pairwise(known)):
                continue
            each = np.concatenate([np.full(len(r), 1.0 if x is None else x) for r, x in zip(runs, ratios, strict=True)])
            least = min(least, cllr(each, each, mated, non_mated))
        best = pool_adjacent_violators(np.arange(6.0), mated, non_mated)
        assert cllr(best, best, mated, non_mated) == pytest.approx(least)


def test_the_logistic_fit_minimises_cllr_among_straight_lines():
    rng = np.random.default_rng(5)
    alike = np.linspace(-1, 1, 60)
    mated = np.histogram(rng.normal(0.3, 0.3, 80), 60, (-1, 1))[0]
    non_mated = np.histogram(rng.normal(-0.2, 0.3, 900), 60, (-1, 1))[0]

    def cost(line):
        ratios = np.exp(line[0] + line[1] * alike)
        return cllr(ratios, ratios, mated, non_mated)

    best = optimize.minimize(cost, [0.0, 1.0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12})
    fitted = logistic(alike, mated, non_mated)
    assert np.log(fitted) == pytest.approx(best.x[0] + best.x[1] * alike, abs=1e-3)


def test_classes_that_are_apart_do_not_break_the_logistic_fit():
    for n in (1, 2, 50):
        mated, non_mated = np.array([0, 0, 0, n]), np.array([3, 3, 0, 0])
        ratios = logistic(np.array([-10.0, -9, 9, 10]), mated, non_mated)
        assert np.isfinite(ratios).all()
        assert ratios[0] < 1 < ratios[-1]


def test_a_posterior_is_bayes_rule():
    assert posterior(99, 0.5) == pytest.approx(0.99)
    assert posterior(1, [1 / 10, 1 / 1000]) == pytest.approx([0.1, 0.001])
    # 1 million to one against, likelihood ratio 1000: about 1 in 1,000.
    assert posterior(1000, 1e-6) == pytest.approx(1000 / (1000 + 1e6 - 1))


@pytest.mark.parametrize("prior", [0, 1, -0.5, 2, float("nan")])
def test_a_prior_that_nothing_can_change_is_refused(prior):
    with pytest.raises(InputError, match="no evidence can change it"):
        posterior(10, prior)


def test_a_search_spreads_the_prior_over_all_it_searched():
    # One candidate of unknown rank: the prior for each person is π/N, and the rest is Bayes.
    for N, inside in ((100, 1.0), (20_000, 0.1)):
        assert search_posterior(50, N, inside)[0] == pytest.approx(posterior(50, inside / N))
    # All candidates known and the person surely among them: probabilities are shares of the likelihood ratios.
    assert search_posterior([6, 3, 1], 3, 1.0) == pytest.approx([0.6, 0.3, 0.1])
    # METRICS' formula as it stands, π = ½.
    assert search_posterior([6, 3, 1], 3, 0.5) == pytest.approx(np.array([3, 1.5, 0.5]) / (0.5 * 10 + 0.5 * 3))
    # Surely among those listed, and none of them can be it: what was believed before stands, finite.
    assert search_posterior([0], 1, 1.0) == pytest.approx([1.0])
    assert search_posterior([0, 0], 2, 1.0) == pytest.approx([0.5, 0.5])
    assert search_posterior([0], 2, 1.0) == pytest.approx([0.0])
    for gallery, inside in ((2, 1.0), (3, 0.0), (3, 1.5)):
        with pytest.raises(InputError):
            search_posterior([6, 3, 1], gallery, inside)


def test_the_share_of_galleries_with_a_match_is_that_of_all_galleries_listed():
    matching = np.array([True, False, True, False, False, False, False])
    for size in range(1, 8):
        galleries = list(combinations(range(7), size))
        share = np.mean([matching[list(gallery)].any() for gallery in galleries])
        assert share_of_galleries(np.array([2.0]), np.array([7.0]), size) == pytest.approx([share])
    sizes = np.arange(1, 35)  # rounding would leave 4e-15, which is more than the nothing of others
    assert not share_of_galleries(np.zeros(34), np.full(34, 34.0), sizes).any()


def test_the_model_overstates_where_strangers_differ():
    # Half of the strangers match nobody, half 20 of 100 references.
    each = share_of_galleries(np.array([0.0, 20.0]), np.array([100.0, 100.0]), 20)
    assert each.mean() < modelled(0.1, 20)
