"""Claims: what refutes, what supports, what settles nothing, and what cannot be tested."""

import numpy as np
import pytest

from pipelines.errors import InputError
from testbed.evidence.claims import Claim, judge, read_claims, verdict_on
from testbed.evidence.intervals import Clustered, within_group
from testbed.evidence.planning import plan


def independent(errors, people):
    """A rate over all pairs of `people` with the variance of independent comparisons."""
    M = people * (people - 1) // 2
    p = errors / M
    return Clustered(errors, M, p * (1 - p) / M, people - 1.0, people, people // 2)


def test_a_bound_wholly_on_one_side_decides():
    rate = independent(60, 100)  # 1.2 %
    assert verdict_on(rate, [], 0.001, 0.05, paired=True).verdict == "refuted"
    assert verdict_on(rate, [], 0.1, 0.05, paired=True).verdict == "supported"
    open_ = verdict_on(rate, [], 0.013, 0.05, paired=True)
    assert open_.verdict == "not settled"
    assert open_.low <= 0.013 < open_.high


def test_the_assumption_free_bound_says_whether_it_agrees():
    rate = independent(60, 100)
    assert not verdict_on(rate, [], 0.02, 0.05, paired=True).free_agrees
    assert verdict_on(rate, [], 0.3, 0.05, paired=True).free_agrees


def test_five_people_can_neither_support_nor_refute():
    assert verdict_on(independent(9, 5), [], 0.1, 0.05, paired=True).verdict == "untestable"


def test_the_further_people_would_settle_it():
    rate = Clustered(0, 1225, 0.0, 49.0, 50, 25)
    lender = Clustered(122, 1225, 0.1 * 0.9 / 1225 * 2, 20.0, 50, 25)
    found = verdict_on(rate, [lender], 1e-3, 0.05, paired=True)
    assert found.verdict == "not settled"
    people = 50 + found.people_if_as_observed
    M = people * (people - 1) // 2
    larger = Clustered(0, M, 0.0, people - 1.0, people, people // 2)
    lender = Clustered(M // 10, M, 0.1 * 0.9 / M * 2, 20.0, people, people // 2)
    assert verdict_on(larger, [lender], 1e-3, 0.05, paired=True).verdict == "supported"
    # With no error to come, planning from nothing asks for about as many people.
    assert people == pytest.approx(plan("FMR", 1e-3, design_effect=2).borrowed, rel=0.02)
    assert found.people_if_half_the_bound > found.people_if_as_observed


def test_more_statements_make_every_verdict_harder():
    rate = independent(60, 100)
    alone, among_many = (verdict_on(rate, [], 0.016, alpha, paired=True).verdict for alpha in (0.05, 0.05 / 200))
    assert (alone, among_many) == ("supported", "not settled")


def test_a_claim_falsely_refuted_is_as_rare_as_promised():
    """People differ (ρ = .4), the claim is exactly true: at most 5 % of runs refute it."""
    rng = np.random.default_rng(11)
    people, runs, refuted = 30, 400, 0
    upper = np.triu_indices(people, 1)
    limit = 1.2815515655446004  # 10 % of a standard normal lie above
    for _ in range(runs):
        effect = rng.standard_normal(people)
        noise = rng.standard_normal(len(upper[0]))
        x = (np.sqrt(0.2) * (effect[upper[0]] + effect[upper[1]]) + np.sqrt(0.6) * noise >= limit).astype(float)
        errors = np.bincount(upper[0], x, people) + np.bincount(upper[1], x, people)
        rate = within_group(errors, np.full(people, people - 1), np.array([x.sum(), x.sum(), len(x)]))
        refuted += verdict_on(rate, [], 0.1, 0.05, paired=True).verdict == "refuted"
    assert refuted / runs <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / runs)


def test_a_claims_file_tells_all_its_mistakes_with_their_lines(tmp_path):
    path = tmp_path / "claims.yaml"
    mistaken = ["claims:", "- says: few errors", "  metric: FMR", "  at_mst: 1e-4"]
    impossible = ["- says: accurate", "  metric: accuracy", "  at_least: 2"]
    path.write_text("\n".join(mistaken + impossible))
    with pytest.raises(InputError) as told:
        read_claims(path)
    assert "claims.yaml:4" in str(told.value)
    assert "at_most" in str(told.value)
    assert "claims.yaml:7" in str(told.value)


def test_a_claim_on_what_the_run_does_not_have_is_refused(small_cell):
    for change, word in (
        ({"groups": ["martian"]}, "martian"),
        ({"system": "other"}, "other"),
        ({"condition": "fog"}, "fog"),
        ({"operating_point": "fmr=0.5"}, "fmr=0.5"),
    ):
        claim = Claim.model_validate({"says": "x", "metric": "FMR", "at_most": 0.1, **change})
        with pytest.raises(InputError, match=word):
            judge([claim], 0.95, [small_cell])


def test_accuracy_is_judged_under_every_reading(small_cell):
    claim = Claim.model_validate({"says": "99 % accurate", "metric": "accuracy", "at_least": 0.5})
    rows = judge([claim], 0.95, [small_cell])
    assert [(row["read_as"], row["reference_group"]) for row in rows] == [
        ("FMR", "all"), ("FMR", "same group"), ("FNMR", None), ("GFRR", None),
    ]  # fmt: skip
    assert {row["statements"] for row in rows} == {4}
    assert all(row["verdict"] == "supported" for row in rows if row["read_as"] == "FNMR")
