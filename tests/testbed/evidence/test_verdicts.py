"""Plain words say no more than the interval does."""

import pytest

from testbed.evidence.verdicts import family_words, pair_words, words


def row(**changes):
    base = {
        "metric": "FMR", "group": "black female", "reference": "white male", "ratio": 9.0, "low": 3.2149,
        "high": 40.01, "subjects": 30, "verdict": "higher",
    }  # fmt: skip
    return base | changes


def test_a_shown_difference_states_the_lower_limit_rounded_down_and_the_upper_rounded_up():
    assert words(row()) == (
        "black female: strangers of the same group are taken for one another at least 3.2 times as often as in "
        "white male, at most 41."
    )
    assert "at least 1.9 times" in words(row(low=1.99))
    assert "at least 1.02 times" in words(row(low=1.029))
    assert "at least 3.0 times" in words(row(low=3.0))
    assert "at least 1,234 times" in words(row(low=1234.5))


def test_an_open_upper_limit_is_not_stated():
    assert words(row(high=None)).endswith("as in white male.")


@pytest.mark.parametrize(("low", "high"), [(0.31, 2.5), (0.0, None), (None, None), (0.00012, 7.0)])
def test_what_is_not_shown_is_never_called_no_difference(low, high):
    said = words(row(verdict="not shown", low=low, high=high))
    assert "is not shown, nor that it is the same" in said
    assert "no difference" not in said
    assert "at least" not in said


def test_what_the_data_allow_is_stated_outwards():
    assert words(row(verdict="not shown", low=0.319, high=2.51)).endswith("the data allow from 0.31 to 2.6 times.")
    assert words(row(verdict="not shown", low=0.0, high=None)).endswith("from 0 to any number of times.")


def test_small_groups_and_the_reference_are_not_ranked():
    assert words(row(verdict="insufficient", low=None, high=None, subjects=1)) == (
        "black female: too few people to say (1 person)."
    )
    assert "compared with" in words(row(verdict="reference", group="white male"))


@pytest.mark.parametrize(
    ("p", "often"),
    [
        (1.0, "in nearly every sample"), (0.4, "in about 40 of 100 samples"), (0.032, "in about 32 of 1,000 samples"),
        (1 / 2001, "in fewer than 1 of 1,000 samples"),
    ],
)  # fmt: skip
def test_a_p_is_how_often_it_would_come_up_and_never_no_difference(p, often):
    for said in (family_words(p), pair_words(p)):
        assert often in said
        assert "no difference" not in said
        assert "one rate" in said


def test_an_untested_family_says_so():
    assert family_words(None).startswith("Not tested")
    assert pair_words(None) == ""
