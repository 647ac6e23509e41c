"""Claims: what refutes, what supports, what settles nothing, and what cannot be tested."""

import re
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy import stats

from pipelines.errors import InputError
from testbed.evidence.claims import Claim, RunFacts, judge, misfits, read_claims, verdict_on
from testbed.evidence.claims.speed import seconds_by_part, verdict_on_speed
from testbed.evidence.claims.verdicts import decide, verdict_on_factor
from testbed.evidence.intervals import Clustered, within_group
from testbed.evidence.scored import ScoredCell
from testbed.matching.percent import RULES, PercentRule
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import TIMINGS


def independent(errors, people):
    """A rate over all pairs of `people` with the variance of independent comparisons."""
    M = people * (people - 1) // 2
    p = errors / M
    return Clustered(errors, M, p * (1 - p) / M, people - 1.0, people, people // 2)


def each_once(errors, people):
    """A rate with one trial per person."""
    p = errors / people
    return Clustered(errors, people, p * (1 - p) / people, people - 1.0, people, people)


def claim(**fields):
    return Claim.model_validate({"says": "x", **fields})


def test_a_bound_wholly_on_one_side_decides():
    rate = independent(60, 100)  # 1.2 %
    assert verdict_on(rate, [], 0.001, 0.05, paired=True).verdict == "refuted"
    assert verdict_on(rate, [], 0.1, 0.05, paired=True).verdict == "supported"
    open_ = verdict_on(rate, [], 0.013, 0.05, paired=True)
    assert open_.verdict == "not settled"
    assert open_.low <= 0.013 < open_.high


@pytest.mark.parametrize(
    ("low", "high", "at_most", "at_least", "exactly"),
    [(0.1, 0.4, "supported", "refuted", "refuted"), (0.6, 0.9, "refuted", "supported", "refuted"),
     (0.4, 0.6, "not settled", "not settled", "not settled"), (0.5, 0.5, "supported", "supported", "not settled")],
)  # fmt: skip
def test_limits_decide_by_the_side_they_lie_on_and_never_prove_an_exact_value(low, high, at_most, at_least, exactly):
    assert [decide(low, high, 0.5, sense) for sense in ("at most", "at least", "exactly")] == [
        at_most, at_least, exactly,
    ]  # fmt: skip


def test_the_assumption_free_bound_says_whether_it_agrees():
    rate = independent(60, 100)
    assert not verdict_on(rate, [], 0.02, 0.05, paired=True).free_agrees
    assert verdict_on(rate, [], 0.3, 0.05, paired=True).free_agrees


def test_five_people_can_neither_support_nor_refute_and_the_reason_is_told():
    found = verdict_on(independent(9, 5), [], 0.1, 0.05, paired=True)
    assert found.verdict == "untestable"
    assert found.why == "too few people: 5, where at least 6 are needed"


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
    # Without an error, ln α / ln(1 − b) independent comparisons are needed. Fifty people's have a design effect of 2,
    # one of a person's 49 with the other 48; among more people it is as much larger.
    assert people * (people - 1) / 2 / (1 + people / 50) == pytest.approx(np.log(0.05) / np.log1p(-1e-3), rel=0.04)
    assert found.people_if_half_the_bound > found.people_if_as_observed


def test_without_a_measured_design_effect_the_people_asked_for_are_those_of_disjoint_pairs():
    rate = independent(0, 8)
    found = verdict_on(rate, [], 1e-3, 0.05, paired=True)
    assert 8 + found.people_if_as_observed == pytest.approx(2 * np.log(0.05) / np.log1p(-1e-3), rel=0.01)
    assert found.people_if_half_the_bound > found.people_if_as_observed


def test_more_statements_make_every_verdict_harder():
    rate = independent(60, 100)
    alone, among_many = (verdict_on(rate, [], 0.016, alpha, paired=True).verdict for alpha in (0.05, 0.05 / 200))
    assert (alone, among_many) == ("supported", "not settled")


def one_run(rng, people, share):
    """Clustered comparisons of people who differ (ρ = .4) with true rate `share`."""
    upper = np.triu_indices(people, 1)
    effect, noise = rng.standard_normal(people), rng.standard_normal(len(upper[0]))
    alike = np.sqrt(0.2) * (effect[upper[0]] + effect[upper[1]]) + np.sqrt(0.6) * noise
    x = (alike >= stats.norm.isf(share)).astype(float)
    errors = np.bincount(upper[0], x, people) + np.bincount(upper[1], x, people)
    return within_group(errors, np.full(people, people - 1), np.array([x.sum(), x.sum(), len(x)]))


def test_a_claim_falsely_refuted_is_as_rare_as_promised():
    rng = np.random.default_rng(11)
    runs = 400
    refuted = [verdict_on(one_run(rng, 30, 0.1), [], 0.1, 0.05, paired=True).verdict for _ in range(runs)]
    assert refuted.count("refuted") / runs <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / runs)


# -- equal error within a factor -----------------------------------------------------------------------------------
def limits(errors, people, alpha):
    """Clopper and Pearson, one-sided."""
    return stats.beta.ppf(alpha, errors, people - errors + 1), stats.beta.isf(alpha, errors + 1, people - errors)


def test_a_factor_is_judged_by_the_limits_of_the_groups_that_are_farthest_apart():
    rates = {"a": (each_once(90, 100), []), "b": (each_once(20, 100), []), "c": (each_once(50, 100), [])}
    found = verdict_on_factor(rates, 2.0, 0.05, paired=False)
    low = limits(90, 100, 0.05 / 6)[0] / limits(20, 100, 0.05 / 6)[1]
    high = limits(90, 100, 0.05 / 2)[1] / limits(20, 100, 0.05 / 2)[0]
    assert (found.low, found.high) == pytest.approx((low, high))
    assert found.verdict == "refuted"
    assert found.value == pytest.approx(4.5)
    assert "highest a 90 % (90 of 100)" in found.basis
    assert [verdict_on_factor(rates, f, 0.05, paired=False).verdict for f in (4.5, 8.0)] == ["not settled", "supported"]


def test_a_factor_is_not_supported_while_a_group_has_too_few_people_but_is_refuted_by_the_others():
    rates = {"a": (each_once(90, 100), []), "b": (each_once(20, 100), []), "few_people": (each_once(1, 3), [])}
    assert verdict_on_factor(rates, 2.0, 0.05, paired=False).verdict == "refuted"
    found = verdict_on_factor(rates, 8.0, 0.05, paired=False)
    assert (found.verdict, found.why) == ("not settled", "too few people: few people (3)")
    alone = verdict_on_factor({"a": rates["a"], "few_people": rates["few_people"]}, 8.0, 0.05, paired=False)
    assert alone.verdict == "untestable"


def test_a_group_without_errors_leaves_the_factor_without_an_upper_limit():
    rates = {"a": (each_once(5, 100), []), "b": (each_once(0, 100), [])}
    found = verdict_on_factor(rates, 1e6, 0.05, paired=False)
    assert (found.verdict, found.value, found.high) == ("not settled", None, None)
    assert found.people_if_as_observed is None


def test_the_further_people_would_settle_a_factor():
    rates = {"a": (each_once(30, 100), []), "b": (each_once(20, 100), [])}
    found = verdict_on_factor(rates, 2.0, 0.05, paired=False)
    assert found.verdict == "not settled"
    growth = 1 + found.people_if_as_observed / 200
    larger = {
        name: (each_once(round(r.errors * growth), round(r.subjects * growth)), []) for name, (r, _) in rates.items()
    }
    assert verdict_on_factor(larger, 2.0 * 1.01, 0.05, paired=False).verdict == "supported"
    smaller = {name: (each_once(round(r.errors * growth * 0.8), round(r.subjects * growth * 0.8)), [])
               for name, (r, _) in rates.items()}  # fmt: skip
    assert verdict_on_factor(smaller, 2.0, 0.05, paired=False).verdict == "not settled"


@pytest.mark.parametrize(("factor", "wrong"), [(2.0, "refuted"), (1.99, "supported")])
def test_a_factor_is_wrongly_judged_as_rarely_as_promised(factor, wrong):
    """The truth is a factor of 2 exactly: refuting 2, or supporting less, are errors."""
    rng = np.random.default_rng(7)
    runs = 300
    verdicts = [
        verdict_on_factor(
            {"a": (one_run(rng, 30, 0.2), []), "b": (one_run(rng, 30, 0.1), []), "c": (one_run(rng, 30, 0.1), [])},
            factor, 0.05, paired=True,
        ).verdict
        for _ in range(runs)
    ]  # fmt: skip
    assert verdicts.count(wrong) / runs <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / runs)


def test_groups_that_share_people_are_not_compared(small_cell):
    with pytest.raises(InputError, match="share people"):
        judge([claim(metric="FMR", within_factor=2, groups=["all", "a"])], 0.95, [small_cell])
    with pytest.raises(InputError, match="no attribute 'age'"):
        judge([claim(metric="FMR", within_factor=2, across="age")], 0.95, [small_cell])


# -- accuracy ------------------------------------------------------------------------------------------------------
def test_accuracy_is_judged_under_every_reading(small_cell):
    rows = judge([claim(metric="accuracy", at_least=0.5)], 0.95, [small_cell])
    assert [(row["read_as"], row["reference_group"]) for row in rows] == [
        ("FMR", "all"), ("FMR", "same group"), ("FNMR", None), ("GFRR", None), ("all comparisons", None),
    ]  # fmt: skip
    assert {row["statements"] for row in rows} == {5}
    assert all(row["verdict"] == "supported" for row in rows if row["read_as"] == "FNMR")


def test_all_comparisons_together_weigh_both_errors_by_how_often_each_could_happen(cell):
    rng = np.random.default_rng(2)
    tested = cell(rng.normal(0, 3, 40), ["a"] * 20 + ["b"] * 20)
    fmr, fnmr, mix = (
        next(r for r in judge([claim(metric="accuracy", at_least=0.9)], 0.95, [tested]) if r["read_as"] == name)
        for name in ("FMR", "FNMR", "all comparisons")
    )
    assert (mix["errors"], mix["comparisons"]) == (fmr["errors"] + fnmr["errors"], 40 * 39 + 40)
    assert mix["low"] < mix["value"] < mix["high"]
    # Both limits at half the level each: a little wider than the false matches' share of it alone.
    assert mix["high"] >= fmr["high"] * 1560 / 1600


# -- N % similar means N % likely ----------------------------------------------------------------------------------
@pytest.fixture
def shown(cell, monkeypatch):
    """Eighty people on a line; a distance d is shown as 100 − d %. The same person is within 10, strangers anywhere."""
    monkeypatch.setitem(RULES, "100-d", PercentRule("100-d", "distance", lambda d: 100 - d, lambda p: 100 - p))
    rates = cell(np.random.default_rng(5).normal(0, 20, 80), ["a"] * 40 + ["b"] * 40)
    own = np.linspace(0, 10, 80)
    limits = rates.tallied.thresholds[:, :1]
    rates = replace(rates, tallied=replace(rates.tallied, mated_errors=(own > limits).astype(float)))
    counts = np.stack([np.zeros_like(rates.counts)] * 2 + [rates.counts], axis=3)
    counts[:, :, 1] = 0
    np.add.at(counts, (rates.people.groups, rates.people.groups, 1, 2, np.searchsorted(rates.edges, own)), 1)
    scored = ScoredCell(
        rates.cell, rates.system, rates.condition, rates.direction, ("own",), "100-d", rates.people, rates.tallied,
        rates.attempts[1], counts, rates.edges,
    )  # fmt: skip

    def judged(percent, prior=0.5, means="at least", rule="100-d"):
        asked = claim(metric="calibration", percent=percent, prior=prior, means=means, groups="all")
        return judge([asked], 0.95, [rates], RunFacts(scored=lambda _: replace(scored, percent_rule=rule)))

    return judged


def test_a_percentage_that_overstates_is_refuted(shown):
    """At 80 % there are strangers only: nobody there is the same person."""
    for means in ("at least", "exactly"):
        (row,) = shown(80, means=means)
        assert row["verdict"] == "refuted"
        assert row["low"] <= row["value"] <= row["high"] < 0.8
        assert "0 of 80 of the same person" in row["basis"]


def test_a_percentage_below_what_the_score_is_worth_is_supported_as_at_least_and_refuted_as_exact(shown):
    """At 95 % the same person is several times likelier than a stranger; beforehand it was the person 99 in 100."""
    (least,), (exact,) = (shown(95, prior=0.99, means=means) for means in ("at least", "exactly"))
    assert (least["verdict"], exact["verdict"]) == ("supported", "refuted")
    assert least["low"] >= 0.95
    assert exact["low"] > 0.95


def test_the_upper_limit_is_bayes_rule_on_the_limits_of_both_shares(shown):
    """Each share's limit stands at half of the level: that of the mated, one a person, by Clopper and Pearson."""
    (row,) = shown(80)
    mated, strangers = (int(n.replace(",", "")) for n in re.findall(r"([\d,]+) of [\d,]+ of", row["basis"])[:2])
    most = stats.beta.isf(0.025, mated + 1, 80 - mated)
    share = most * (1 - row["high"]) / row["high"]  # of strangers, as the limit has it
    observed = strangers / (80 * 79)
    assert observed / 2 < share < observed


def test_where_the_prior_is_low_the_same_percentage_means_less(shown):
    (high,), (low,) = shown(95, prior=0.5), shown(95, prior=0.001)
    assert low["value"] < high["value"]
    assert low["high"] < high["high"]


def test_every_percentage_is_a_statement(shown):
    rows = shown([50, 67, 90])
    assert [row["bound"] for row in rows] == [0.5, 0.67, 0.9]
    assert {row["statements"] for row in rows} == {3}


def test_a_percentage_without_a_rule_or_that_nobody_came_near_is_untestable(shown):
    (row,) = shown(67, rule=None)
    assert (row["verdict"], row["why"]) == ("untestable", "how s shows a score as percent is not known")
    (row,) = shown(1)
    assert row["verdict"] == "untestable"
    assert row["why"].startswith("1 % stands for a score of 99, which nobody here came near")


# -- searches ------------------------------------------------------------------------------------------------------
class Searched:
    """Searches of a gallery of 40: 1 in 20 searches of strangers alerts, 1 in 4 enrolled people is not found."""

    gallery_sizes = (10, 40)

    def fpir(self, point, size, group):
        return each_once(10, 200)

    def fnir(self, point, size, rank, group):
        return each_once(50 if rank == 1 else 10, 200)


@pytest.mark.parametrize(
    ("fields", "verdict", "why"),
    [({"metric": "FPIR", "gallery_size": 40, "at_most": 0.01}, "refuted", None),
     ({"metric": "FPIR", "gallery_size": 40, "at_most": 0.2}, "supported", None),
     ({"metric": "FNIR", "gallery_size": 40, "at_most": 0.1}, "refuted", None),
     ({"metric": "FNIR", "gallery_size": 40, "at_most": 0.1, "rank": 5}, "supported", None),
     ({"metric": "FPIR", "gallery_size": 20000, "at_most": 0.01}, "untestable",
      "N = 20,000 lies beyond the 40 measured: extrapolation"),
     ({"metric": "FPIR", "gallery_size": 20, "at_most": 0.01}, "untestable",
      "N = 20 was not measured; measured were 10, 40")],
)  # fmt: skip
def test_searches_are_judged_where_they_were_made_and_nowhere_else(small_cell, fields, verdict, why):
    (row,) = judge([claim(groups="all", **fields)], 0.95, [replace(small_cell, searches=Searched())])
    assert (row["verdict"], row["why"]) == (verdict, why)


def test_without_searches_no_formula_stands_in(small_cell):
    (row,) = judge([claim(metric="FPIR", gallery_size=40, at_most=0.9, groups="all")], 0.95, [small_cell])
    assert (row["verdict"], row["value"]) == ("untestable", None)
    assert row["why"].startswith("no searches were made")


# -- speed ---------------------------------------------------------------------------------------------------------
HARDWARE = {"processor": "Made-up Processor 9000", "cores": 2}


def test_speed_is_the_mean_over_frames_with_students_t_over_parts():
    parts = np.array([[10, 0.9], [10, 1.0], [10, 1.1], [10, 1.0]])  # ten frames a second
    found = verdict_on_speed(parts, "processor 9000", HARDWARE, 5, 0.05)
    low, high = stats.t.interval(0.9, 3, 0.1, stats.sem(parts[:, 1] / 10))
    assert (found.low, found.value, found.high) == pytest.approx((1 / high, 10, 1 / low))
    assert [verdict_on_speed(parts, "9000", HARDWARE, fps, 0.05).verdict for fps in (5, 10, 20)] == [
        "supported", "not settled", "refuted",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("parts", "device", "why"),
    [(np.zeros((0, 2)), "9000", "no frame was timed"), (np.ones((5, 2)), "Jetson", "another device: Made-up"),
     (np.ones((2, 2)), "9000", "too few segments: 2")],
)  # fmt: skip
def test_speed_is_untestable_without_timings_on_another_device_or_in_two_segments(parts, device, why):
    found = verdict_on_speed(parts, device, HARDWARE, 1, 0.05)
    assert found.verdict == "untestable"
    assert why in found.why


def test_the_time_in_which_the_bench_makes_pictures_is_not_the_systems(tmp_path):
    run = RunDirectory.create(tmp_path / "run", {})
    rows = [("c", "cam", frame, stage, s) for frame in (0, 1) for stage, s in (("deliver", 9.0), ("detect", 0.25))]
    run.write(TIMINGS, pl.DataFrame(rows, schema=TIMINGS.columns, orient="row"), "c/cam/000000")
    assert seconds_by_part(run, "c").tolist() == [[2, 0.5]]
    assert seconds_by_part(run, "other").shape == (0, 2)


# -- runs ----------------------------------------------------------------------------------------------------------
def test_nothing_is_said_of_people_on_made_up_ones(small_cell):
    facts = RunFacts(synthetic=True, hardware=HARDWARE, parts=lambda _: np.array([[10, 1.0], [10, 1.1], [10, 0.9]]))
    claims = [claim(metric="FNMR", at_most=0.9), claim(metric="FMR", within_factor=9),
              claim(metric="fps", at_least=1, device="9000")]  # fmt: skip
    rows = judge(claims, 0.95, [small_cell], facts)
    assert {(row["read_as"], row["verdict"]) for row in rows} == {
        ("FNMR", "untestable"), ("FMR", "untestable"), ("fps", "supported"),
    }  # fmt: skip
    assert {row["why"] for row in rows if row["read_as"] != "fps"} == {"synthetic people: no evidence about real ones"}
    assert {row["statements"] for row in rows} == {4}


def test_where_it_is_not_known_who_is_who_nothing_is_supported(small_cell):
    (row,) = judge([claim(metric="FNMR", at_most=0.9, groups="all")], 0.95, [small_cell], RunFacts(people_known=False))
    assert row["verdict"] == "untestable"
    assert row["why"].startswith("it is not known who is who")


def test_a_claim_on_what_the_run_does_not_have_is_refused(small_cell):
    for change, word in (
        ({"groups": ["martian"]}, "martian"),
        ({"system": "other"}, "other"),
        ({"condition": "fog"}, "fog"),
        ({"operating_point": "fmr=0.5"}, "fmr=0.5"),
    ):
        with pytest.raises(InputError, match=word):
            judge([claim(metric="FMR", at_most=0.1, **change)], 0.95, [small_cell])


def test_everything_that_a_run_does_not_have_is_told_at_once_with_its_line(small_cell, tmp_path):
    path = tmp_path / "claims.yaml"
    path.write_text(
        "claims:\n- says: x\n  metric: FMR\n  at_most: 0.1\n  system: other\n  condition: fog\n"
        "  operating_point: fmr=0.5\n  groups:\n  - a\n  - west\n"
        "- says: y\n  metric: FMR\n  within_factor: 2\n  across: colour\n"
    )
    with pytest.raises(InputError) as told:
        read_claims(path, lambda claims: misfits(claims, [small_cell]))
    lines = str(told.value).splitlines()
    for line, words in zip(lines, (
        "5: claims[0].system: the run has no system 'other'", "6: claims[0].condition: the run has no condition 'fog'",
        "7: claims[0].operating_point: the run was not evaluated at 'fmr=0.5'",
        "10: claims[0].groups[1]: there is no group 'west'", "14: claims[1].across: there is no attribute 'colour'",
    ), strict=True):  # fmt: skip
        assert line.startswith(f"{path}:{words}")


@pytest.mark.parametrize(
    ("text", "told"),
    [("", "is empty; a claims file needs at least claims"), ("hello", "beginning with `claims: …`"),
     ("claims:\n- says: x\n  metric: FMR\n  at_most: 5 %\n", ":4: claims[0].at_most: should be a number, not '5 %'; "
      "write 0.05 for 5 %"),
     ("claims:\n- says: x\n  metric: FMR\n  at_most: 0.1\n  at_most: 0.9\n", "at_most: the key is given again")],
)  # fmt: skip
def test_a_file_that_is_no_claims_file_is_told_what_one_holds(tmp_path, text, told):
    path = tmp_path / "claims.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        read_claims(path)
    assert told in str(error.value)
    assert "scenario" not in str(error.value)


# -- files ---------------------------------------------------------------------------------------------------------
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


@pytest.mark.parametrize(
    ("fields", "line", "told"),
    [("metric: FMR", 2, "needs `at_most` or `within_factor`"),
     ("metric: FMR\n  at_most: 0.1\n  within_factor: 2", 2, "only one of `at_most` or `within_factor`"),
     ("metric: FMR\n  at_least: 0.1", 4, "does not belong to a claim on FMR"),
     ("metric: calibration\n  percent: 67", 2, "needs `prior`"),
     ("metric: calibration\n  prior: 0.5\n  percent: [67, 200]", 5, "between 0 and 100, not 200"),
     ("metric: calibration\n  percent: 67\n  prior: 1", 5, "should be less than 1"),
     ("metric: FPIR\n  at_most: 0.01", 2, "needs `gallery_size`"),
     ("metric: FPIR\n  at_most: 0.01\n  gallery_size: 9\n  rank: 2", 6, "does not belong to a claim on FPIR"),
     ("metric: fps\n  at_least: 25", 2, "needs `device`"),
     ("metric: FMR\n  within_factor: 0.5", 4, "should be greater than 1"),
     ("metric: FMR\n  within_factor: 2\n  groups: all", 5, "compares groups"),
     ("metric: FMR\n  at_most: 0.1\n  across: sex", 5, "does not belong")],
)  # fmt: skip
def test_a_claim_that_does_not_hang_together_is_told_where(tmp_path, fields, line, told):
    path = tmp_path / "claims.yaml"
    path.write_text(f"claims:\n- says: x\n  {fields}\n")
    with pytest.raises(InputError) as error:
        read_claims(path)
    assert told in str(error.value)
    assert f"claims.yaml:{line}:" in str(error.value)


def test_nothing_is_supported_by_failures_that_a_log_does_not_list(cell):
    told = cell(np.arange(40) * 5.0, ["a"] * 20 + ["b"] * 20)
    claims = [claim(metric=m, at_most=0.5, groups="all") for m in ("FTA", "FRR", "GFRR", "FNMR")]
    claims += [claim(metric="FTA", within_factor=2), claim(metric="accuracy", at_least=0.5)]
    rows = judge(claims, 0.95, [told])
    assert {row["verdict"] for row in rows[:4]} == {"supported"}
    untold = judge(claims, 0.95, [replace(told, failures_known=False)])
    for before, row in zip(rows, untold, strict=True):
        if row["read_as"] in ("FTA", "FRR", "GFRR"):
            assert (row["verdict"], row["value"]) == ("untestable", None)
            assert row["why"] == "not known from this log: it lists no failures"
        else:
            assert row == before
    missing = judge(claims, 0.95, [replace(told, mated_complete=False)])
    assert [row["verdict"] for row in missing[:4]] == ["supported", "untestable", "untestable", "supported"]
    assert "mated comparisons may be missing" in missing[1]["why"]
