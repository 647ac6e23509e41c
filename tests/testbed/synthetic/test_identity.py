"""Identities and populations: what is declared, what is drawn, and what a family shares."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from pipelines.errors import InputError
from testbed.synthetic.people.identity import AGES, LEVELS, Attributes, Identity
from testbed.synthetic.population import SIBLINGS, TWINS, counterfactuals, crossing, family, population

WOMAN = Attributes(sex="female", age="30-44", tone=5, family="B")


def test_a_draw_is_standard_normal_and_each_name_has_its_own():
    draws = np.array([[Identity(seed, WOMAN).normal(name) for name in ("nose", "chin")] for seed in range(3000)])
    assert abs(draws.mean(0)).max() < 4 / np.sqrt(3000)
    assert draws.std(0) == pytest.approx([1, 1], abs=0.05)
    assert abs(np.corrcoef(draws.T)[0, 1]) < 4 / np.sqrt(3000)


@pytest.mark.parametrize("alike", [0.0, SIBLINGS, TWINS, 1.0])
def test_the_traits_of_a_family_correlate_as_asked(alike):
    pairs = np.array([
        [member.normal("nose") for member in family(seed, 2, alike, WOMAN)] for seed in range(3000)
    ])  # fmt: skip
    assert np.corrcoef(pairs.T)[0, 1] == pytest.approx(alike, abs=0.06)


def test_everybody_is_of_age_and_within_the_declared_band():
    for age, (first, last) in AGES.items():
        years = [Identity(seed, replace(WOMAN, age=age)).years for seed in range(300)]
        assert 18 <= first <= min(years) <= max(years) < last


def test_a_crossing_has_as_many_of_each_kind_as_asked():
    levels = {"sex": ("female", "male"), "tone": (1, 5, 10)}
    people = population(crossing(levels, 4, family="C"), seed=3)
    assert Counter((each.attributes.sex, each.attributes.tone) for each in people) == {
        (sex, tone): 4 for sex in levels["sex"] for tone in levels["tone"]
    }
    assert {each.attributes.family for each in people} == {"C"}
    assert len({each.seed for each in people}) == 24


def test_what_nobody_declared_stands_in_for_nothing_else():
    people = population([({}, 2000)], seed=5)
    counts = Counter((each.attributes.tone > 5, each.attributes.family) for each in people)
    assert len(counts) == 6
    assert min(counts.values()) > 250  # 333 of each expected


def test_the_same_seed_makes_the_same_people_and_another_seed_others():
    rows = [({"sex": "male"}, 5)]
    assert population(rows, 1) == population(rows, 1)
    assert not {each.seed for each in population(rows, 1)} & {each.seed for each in population(rows, 2)}


def test_a_counterfactual_changes_one_attribute_and_no_draw():
    person = Identity(7, WOMAN)
    for changed, tone in zip(counterfactuals(person, "tone"), range(1, 11), strict=True):
        assert changed.attributes == replace(WOMAN, tone=tone)
        assert changed.normal("nose") == person.normal("nose")
    assert [each.attributes.glasses for each in counterfactuals(person, "glasses")] == [False, True]


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([({"sex": "female", "beard": "full"}, 1)], "beard: full with sex: female cannot be drawn"),
        ([({"hair": "afro", "headwear": "cap"}, 1)], "headwear: cap with hair: afro cannot be drawn"),
        ([({"age": "0-17"}, 1)], "age: '0-17' is not one of 18-29"),
        ([({"tone": 11}, 1)], "tone: 11 is not one of 1, 2"),
        ([({"tone": True}, 1)], "tone: True is not one of 1, 2"),
        ([({"race": "x"}, 1)], "race: people have no such attribute; known: sex, age"),
        ([({}, 0)], "a population of 0 people cannot be made; ask for 1 to 100,000"),
        ([({}, 10**9)], "a population of 1,000,000,000 people"),
        ([({}, -1)], "cannot have -1 people"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(rows, sentence):
    with pytest.raises(InputError, match=sentence):
        population(rows, 1)


def test_what_is_drawn_fits_what_is_declared():
    people = population([({"beard": "full"}, 30), ({"headwear": "cap"}, 60), ({"headwear": "headscarf"}, 20)], seed=2)
    assert {each.attributes.sex for each in people[:30]} == {"male"}
    assert "afro" not in {each.attributes.hair for each in people[30:90]}
    assert all(getattr(each.attributes, name) in levels for each in people for name, levels in LEVELS.items())
