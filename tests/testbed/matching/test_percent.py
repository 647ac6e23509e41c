"""Percent rules against the check values of METRICS.md, and against their own inverses."""

import numpy as np
import polars as pl
import pytest

from pipelines.dlib_models import PERCENT_RULE
from pipelines.errors import InputError
from testbed.matching.comparisons import Matcher
from testbed.matching.people import people_of
from testbed.matching.percent import (
    PERCENTS,
    RULES,
    compreface,
    explained,
    face_recognition_wiki,
    rule_from_table,
    rule_named,
)
from testbed.scorelogs.options import LogOptions
from testbed.scorelogs.survey import Survey


def test_the_wiki_rule_shows_the_values_metrics_gives():
    shown = [face_recognition_wiki(distance) for distance in (0.6, 0.5, 0.59, 0.0)]
    assert shown == pytest.approx([50, 87.45, 72.51, 100], abs=0.005)
    assert RULES["face_recognition wiki"].score(67) == pytest.approx(0.59739, abs=5e-6)


def test_comprefaces_rule_shows_the_values_metrics_gives():
    assert compreface(0.7619) == pytest.approx(98.839, abs=0.0005)
    assert RULES["CompreFace"].score(67) == pytest.approx(1.115, abs=0.0005)


def test_the_linear_rules_are_linear():
    assert [RULES["1-d"].percent(d) for d in (0.0, 0.25, 1.0)] == [100, 75, 0]
    assert [RULES["(1+cos)/2"].percent(c) for c in (-1.0, 0.34, 1.0)] == pytest.approx([0, 67, 100])


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_rule_is_monotone_in_its_direction_and_undone_by_its_inverse(rule):
    percents = np.linspace(0.5, 99.5, 199)
    scores = [rule.score(percent) for percent in percents]
    assert [rule.percent(score) for score in scores] == pytest.approx(percents.tolist(), abs=1e-5)
    assert (np.diff(scores) > 0).all() == (rule.direction == "similarity")
    assert (np.diff(scores) < 0).all() == (rule.direction == "distance")


def test_the_percent_of_a_threshold_stands_for_that_threshold():
    assert RULES["(1+cos)/2"].score(70) == 0.4
    assert RULES["face_recognition wiki"].score(50) == 0.6


def test_every_system_under_test_names_a_rule_that_is_known():
    assert {PERCENT_RULE, "(1+cos)/2"} <= set(RULES)


def test_a_percent_that_no_score_is_shown_as_is_refused():
    with pytest.raises(InputError, match="shows 0 to 100 %"):
        RULES["1-d"].score(101)
    with pytest.raises(InputError, match="CompreFace"):
        RULES["CompreFace"].score(100)


def test_a_rule_for_scores_of_the_other_direction_is_refused():
    with pytest.raises(InputError, match="is for a similarity, these scores are of a distance"):
        rule_named("(1+cos)/2", "distance")
    with pytest.raises(InputError, match="is not known"):
        rule_named("guess", "distance")


def test_a_vendors_table_is_followed_by_straight_lines_both_ways(tmp_path):
    table = tmp_path / "vendor.csv"
    table.write_text("score,percent\n0,100\n0.5,80\n1.0,20\n")
    rule = rule_from_table(table, "distance")
    assert [rule.percent(d) for d in (0.25, 0.5, 0.75)] == pytest.approx([90, 80, 50])
    assert [rule.score(p) for p in (90, 80, 50)] == pytest.approx([0.25, 0.5, 0.75])
    with pytest.raises(InputError, match=r"vendor\.csv shows 20 to 100 %"):
        rule.score(10)
    table.write_text("score,percent\n-1,0\n1,100\n")
    assert rule_from_table(table, "similarity").score(67) == pytest.approx(0.34)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("score,percent\n0,100\n0.5,80\n0.4,20\n", r":4: scores must ascend"),
        ("score,percent\n0,100\n0.5,100\n", r":3: scores must ascend .* percents fall"),
        ("score,percent\n0,100\nhalf,80\n", r":3: score must be a number"),
        ("score,percent\n0,100\n0.5,180\n", r":3: .* from 0 to 100"),
        ("score,percent\n0,100\n0.5\n", r":3: score must be a number"),
        ("distance,percent\n0,100\n1,0\n", r"must be named score and percent"),
        ("score,percent\n0,100\n", r"needs 2 to"),
        ("", r"must be named score and percent"),
    ],
)
def test_a_table_that_is_no_rule_is_refused_with_its_row(tmp_path, text, sentence):
    table = tmp_path / "vendor.csv"
    table.write_text(text)
    with pytest.raises(InputError, match=sentence):
        rule_from_table(table, "distance")


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_explained_percents_are_edges_of_the_counts_of_templates_and_of_logs(rule, tmp_path):
    (tmp_path / "log.csv").write_text("some")
    wanted = [rule.score(percent) for percent in PERCENTS]
    ends = min(wanted) - 0.01, max(wanted) + 0.01
    info = {"threshold": 0.5, "score_range": ends, "metric": "any", "direction": rule.direction,
            "percent_rule": rule.name}  # fmt: skip
    options = LogOptions((tmp_path / "log.csv",), direction=rule.direction, percent_rule=rule.name)
    survey = Survey(options, people_of(pl.DataFrame({"subject": ["a"]}), [], 1), [np.zeros(1, np.int64)] * 2)
    survey.low, survey.high = ends
    for edges in (Matcher.of(info, ["own"]).edges, survey.edges()):
        assert set(wanted) <= set(edges)


def test_percents_of_no_score_here_or_of_no_known_rule_make_no_edges():
    assert explained("face_recognition wiki", "distance", (0.5, 0.7)) == [RULES["face_recognition wiki"].score(p)
                                                                         for p in (50, 67, 80)]  # fmt: skip
    assert explained("the vendor's own", "distance", (0.0, 1.0)) == []
    assert explained(None, "distance", (0.0, 1.0)) == []
    assert explained("face_recognition wiki", "similarity", (0.0, 1.0)) == []
