import json

import numpy as np
import pytest
from scipy import stats

from pipelines.errors import InputError
from testbed.evidence.intervals import Clustered, rate_interval
from testbed.evidence.planning import DesignEffect, curve, measured_in, plan, planning_of, zero_errors_needed
from testbed.runs.directory import RunDirectory


def test_one_in_ten_thousand_needs_246_people_if_all_pairs_were_independent():
    assert plan("FMR", 1e-4).optimistic == 246  # METRICS.md § Planning
    four = plan("FMR", 1e-4, groups=4)
    assert four.optimistic > 246
    assert four.disjoint > four.borrowed > four.optimistic


def test_the_number_is_the_first_that_scipys_bound_accepts():
    for bound, alpha in ((0.01, 0.05), (1e-3, 0.0125), (0.3, 0.01)):
        n = zero_errors_needed(bound, alpha)
        upper = [stats.binomtest(0, trials).proportion_ci(1 - 2 * alpha, "exact").high for trials in (n - 1, n)]
        assert upper[1] <= bound < upper[0]


def test_a_test_of_the_planned_size_would_be_accepted_by_the_shipped_bound():
    planned = plan("FMR", 0.02, groups=3)
    alpha = 2 * 0.05 / 3  # two-sided interval whose upper limit is the one-sided bound of three statements
    for people, enough in ((planned.disjoint, True), (planned.disjoint - 2, False)):
        rate = Clustered(0, people * (people - 1) // 2, 0.0, people - 1.0, people, people // 2)
        assert (rate_interval(rate, [], alpha).high <= 0.02) is enough


def test_misses_need_one_person_each():
    assert plan("FNMR", 0.05).disjoint == plan("FNMR", 0.05).comparisons == 59


def design_effect(people, samples):
    """How much more the share of all pairs that match varies from sample to sample than independent pairs' would."""
    rng = np.random.default_rng(people)
    one, other = np.triu_indices(people, 1)
    rates = []
    for _ in range(samples):
        u = rng.standard_normal(people) * np.sqrt(0.15)
        rates.append((u[one] + u[other] + np.sqrt(0.7) * rng.standard_normal(len(one)) >= 1.2).mean())
    p = np.mean(rates)
    return np.var(rates) * len(one) / (p * (1 - p))


def test_a_measured_design_effect_grows_with_people_as_it_does_among_more_people():
    small, large = design_effect(30, 1500), design_effect(120, 1500)
    assert large > 3 * small
    assert DesignEffect(small, 30).of(120) == pytest.approx(large, rel=0.15)  # standard error of each 4 %
    assert DesignEffect(3.0).of(120) == 3.0  # one that is assumed stays what it is


def test_people_who_are_alike_make_the_last_people_count_in_proportion():
    independent, alike = (plan("FMR", 1e-6, effect=DesignEffect(value, 30)) for value in (1.0, 4.0))
    assert independent.borrowed == independent.optimistic
    # Far out, n* = G / (4ρ) with ρ = (4 − 1) / (2·28).
    assert alike.borrowed == pytest.approx(alike.comparisons * 4 * 3 / 56, rel=0.01)
    assert alike.optimistic < alike.borrowed < alike.disjoint


def test_a_curve_is_the_plan_at_every_bound():
    rows = curve("FMR", (1e-2, 1e-3), groups=4, claims=2)
    assert [row["bound"] for row in rows] == [1e-2, 1e-3]
    planned = plan("FMR", 1e-3, groups=4, claims=2)
    assert (rows[1]["disjoint"], rows[1]["borrowed"]) == (planned.disjoint, planned.borrowed)


def test_a_run_says_what_it_would_have_needed_with_its_own_design_effect(scored):
    (row,) = planning_of(scored(60, 0.6, 1))
    assert row["people"] == [{"group": "all", "people": 60}]
    assert (row["measured_in"], row["measured_on"], row["statements"]) == ("all", 60, 1)
    assert row["design_effect"] > 2
    effect = DesignEffect(row["design_effect"], 60)
    assert row["rows"][2] == curve("FMR", (1e-4,), effect=effect)[0]
    json.dumps(row, allow_nan=False)


def test_without_a_measured_design_effect_nothing_is_borrowed(scored):
    (row,) = planning_of(scored(6, 0.1, 1))
    assert row["design_effect"] is None
    assert {each["borrowed"] for each in (*row["rows"], *row["curve"])} == {None}


def test_the_design_effect_of_a_run_is_that_of_its_most_alike_pairs(tmp_path, scored):
    run = RunDirectory.create(tmp_path / "run", {"scenario": {}})
    rows = [
        row for people, correlation in ((60, 0.1), (40, 0.8)) for row in planning_of(scored(people, correlation, 1))
    ]
    with pytest.raises(InputError, match="evaluate"):
        measured_in(run.path)
    for known in (rows, []):
        run.write_bytes("evidence.json", json.dumps({"planning": known}).encode())
        run.begin("evaluate")
        run.finish("evaluate")
        if known:
            assert measured_in(run.path) == (DesignEffect(rows[1]["design_effect"], 40), "c, all")
        else:
            with pytest.raises(InputError, match="no design effect could be measured"):
                measured_in(run.path)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"metric": "EER", "bound": 0.1}, "EER"),
        ({"metric": "FMR", "bound": 0.0}, "--bound"),
        ({"metric": "FMR", "bound": 0.1, "groups": 0}, "--groups"),
        ({"metric": "FMR", "bound": 0.1, "confidence": 1.0}, "--confidence"),
        ({"metric": "FMR", "bound": 0.1, "effect": DesignEffect(0.5)}, "--design-effect"),
    ],
)
def test_impossible_values_are_named(arguments, word):
    with pytest.raises(InputError, match=word):
        plan(**arguments)
