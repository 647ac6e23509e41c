import numpy as np
import polars as pl

from testbed.matching.people import people_of


def table(rows):
    return pl.DataFrame(rows, schema=["subject", "eth", "gender"], orient="row")


def test_both_halves_hold_every_group():
    people = people_of(table([(str(i), "ab"[i % 2], "fm"[i % 3 % 2]) for i in range(60)]), ["eth", "gender"], 7)
    for group in range(len(people.labels)):
        halves = np.bincount(people.folds[people.groups == group], minlength=2)
        assert abs(halves[0] - halves[1]) <= 1


def test_the_halves_depend_on_the_seed_alone():
    rows = table([(str(i), "a", "f") for i in range(40)])
    one, same, other = (people_of(rows, ["eth", "gender"], seed).folds.tolist() for seed in (1, 1, 2))
    assert one == same != other


def test_one_word_under_two_attributes_names_two_groups():
    people = people_of(table([("1", "unknown", "f"), ("2", "a", "unknown")]), ["eth", "gender"], 1)
    names = [group.name for group in people.within()]
    assert "eth=unknown" in names
    assert "gender=unknown" in names
    assert len(names) == len(set(names))


def test_without_attributes_there_is_only_everybody():
    people = people_of(table([("1", "a", "f"), ("2", "b", "m")]), [], 1)
    assert [group.name for group in people.within()] == ["all"]
    assert people.labels == ("everyone",)
