"""The coverage simulation simulates what it says, and a quick version of it holds (the full one: docs/coverage.md)."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from testbed.evidence.coverage import (
    GAUSSIAN,
    METHODS,
    POPULATIONS,
    across,
    document,
    mated,
    observe,
    rate_at,
    rejections,
    second_look,
    short_of,
    simulate,
    threshold_at,
    within,
    within_captures,
)
from testbed.evidence.intervals import across_groups, within_group


@pytest.mark.parametrize("rate", [0.3, 0.01, 1e-4])
def test_the_true_gaussian_rate_is_scipys(rate):
    for population in GAUSSIAN:
        assert threshold_at(population, 2, rate) == pytest.approx(stats.norm.isf(rate), abs=2e-3)
        assert rate_at(population, 2, threshold_at(population, 2, rate)) == pytest.approx(rate, rel=1e-6)


@pytest.mark.parametrize("population", POPULATIONS, ids=lambda p: p.name)
@pytest.mark.parametrize("design", [within(30), within_captures(20), across(8, 40), mated(60)], ids=lambda d: d.name)
def test_the_true_rate_is_what_many_samples_show(population, design):
    rng = np.random.default_rng(2)
    limit = threshold_at(population, design.effects, 0.05)
    shares = [(design.scores(rng, population) >= limit).mean() for _ in range(600)]
    assert np.mean(shares) == pytest.approx(0.05, abs=4 * np.std(shares) / np.sqrt(600))


def test_rates_are_those_of_the_full_matrices():
    rng = np.random.default_rng(6)
    for design in (within(9), within_captures(7), across(4, 6)):
        scores = design.scores(rng, GAUSSIAN[1]).round(1)  # ties with the limits: they are errors
        limits = np.array([0.2, 0.9]).round(1)
        rates, _, _ = observe(design, scores, limits)
        for rate, limit in zip(rates, limits, strict=True):
            e, n = np.zeros((design.people,) * 2), np.zeros((design.people,) * 2)
            for i, j, score in zip(design.left, design.right, scores, strict=True):
                e[i, j] += score >= limit
                n[i, j] += 1
            moments = np.array([(e * e).sum(), (e * n).sum(), (n * n).sum()])
            if design.kind == "across":
                expected = across_groups((e.sum(1), n.sum(1)), (e.sum(0), n.sum(0)), moments)
            else:
                expected = within_group(e.sum(0) + e.sum(1), n.sum(0) + n.sum(1), moments)
            assert rate == expected


def test_the_jackknife_leaves_out_one_person_at_a_time():
    design = within(7)
    scores = design.scores(np.random.default_rng(8), GAUSSIAN[1])
    _, _, (variance,) = observe(design, scores, np.array([0.0]))
    x = scores >= 0
    left_out = [x[(design.left != i) & (design.right != i)].mean() for i in range(7)]
    assert variance == pytest.approx(6 / 7 * ((left_out - np.mean(left_out)) ** 2).sum())


@pytest.mark.parametrize("design", [within(14), within(40), across(8, 40), mated(20)], ids=lambda d: d.name)
def test_the_shipped_intervals_cover_gaussian_people(design):
    cells = simulate(GAUSSIAN[1], design, 250, 3)
    assert short_of(cells) == []
    # The simulation can tell: comparisons counted as independent fail it.
    assert min(cell.covered[METHODS.index("naive Wilson")] for cell in cells) < 0.9
    assert min(cell.covered[METHODS.index("disjoint pairs")] for cell in cells) > 0.9


def test_the_document_states_its_replicates_and_every_cell():
    cells = simulate(GAUSSIAN[0], within(8), 7, 1)
    size = rejections(GAUSSIAN[0], (8, 8), (0.1, 0.1), 3, 1)
    power = rejections(GAUSSIAN[0], (8, 8), (0.1, 0.4), 3, 1)
    text = document(cells, cells[:1], [(size, power)], 1)
    assert "Replicates: 7 per cell" in text
    assert "(7 replicates)" in text
    assert text.count("| Gaussian, ρ = 0.1 | 8 people |") == len(cells)


def test_low_cells_are_looked_at_again_with_more_and_fresh_samples():
    cells = simulate(GAUSSIAN[1], within(20), 20, 1)
    low = [replace(cells[0], covered=cells[0].covered * 0), *cells[1:]]
    low[1:] = [replace(cell, covered=np.ones_like(cell.covered)) for cell in cells[1:]]
    (again,) = second_look(low, 9)
    assert (again.rate, again.replicates) == (cells[0].rate, 100)
    assert again.covered[0] > 0.8
