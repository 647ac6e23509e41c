"""What a scenario may assume of reviewers, and what it is told where it assumes something else."""

import pytest

from testbed.scenario.loading import ScenarioError, reload
from testbed.scenario.reviewing import SOURCES, VARIED, Review

SEARCH = "search: {kind: identification}\n"


def test_a_number_is_a_range_without_width_and_both_survive_being_resolved(base, read):
    made = read(base + SEARCH + "review: {hit_rate: 0.6, fatigue: [0, 0.2], reviewers: 2, agree: either}\n")
    review = made.scenario.review
    assert (review.hit_rate, review.fatigue, review.agree) == ((0.6, 0.6), (0.0, 0.2), "either")
    assert reload(made.resolved).scenario.review == review


def test_without_a_review_nobody_looks(base, read):
    assert read(base + SEARCH).scenario.review is None


def test_every_default_range_says_where_it_is_from():
    assert set(SOURCES) == set(VARIED) <= set(Review.model_fields)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("{hit_rate: 1.2}", "review.hit_rate: should lie between 0 and 1, not 1.2"),
        ("{false_alarm_rate: [0.3, -0.1]}", "review.false_alarm_rate: should lie between 0 and 1, not -0.1"),
        ("{hit_rate: [0.7, 0.5]}", "review.hit_rate: the range begins with its higher end; write [0.5, 0.7]"),
        ("{alike: strong}", "review.alike: should be a number or a range [low, high] between 0 and 5, not 'strong'"),
        ("{fatigue: []}", "review.fatigue: should be a number or a range [low, high] between 0 and 1, not []"),
        ("{shared: [0, 0.5, 1]}", "review.shared: should be a number or a range [low, high] between 0 and 1, not [0"),
        (
            "{prevalence: true}",
            "review.prevalence: should be a number or a range [low, high] between 0 and 1, not True",
        ),
        ("{length: 0}", "review.length: should be at least 1, not 0"),
        ("{reviewers: 3}", "review.reviewers: should be at most 2, not 3"),
        ("{reviewers: 2, agree: all}", "review.agree: should be one of both, either, not 'all'"),
        ("{hitrate: 0.5}", "review.hitrate: unknown key; did you mean `hit_rate`?"),
    ],
)
def test_a_mistake_in_a_review_is_told_in_one_sentence(base, read, said, sentence):
    with pytest.raises(ScenarioError) as error:
        read(base + SEARCH + f"review: {said}\n")
    (problem,) = error.value.problems
    assert sentence in problem


def test_reviewers_need_searches(base, read):
    with pytest.raises(ScenarioError) as error:
        read(base + "review: {}\n")
    assert "review: reviewers look at what searches return: add `search: {kind: …}`" in str(error.value)
