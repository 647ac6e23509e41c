import pytest
from scipy import stats

from pipelines.errors import InputError
from testbed.evidence.intervals import Clustered, rate_interval
from testbed.evidence.planning import plan, zero_errors_needed


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


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"metric": "EER", "bound": 0.1}, "EER"),
        ({"metric": "FMR", "bound": 0.0}, "--bound"),
        ({"metric": "FMR", "bound": 0.1, "groups": 0}, "--groups"),
        ({"metric": "FMR", "bound": 0.1, "confidence": 1.0}, "--confidence"),
        ({"metric": "FMR", "bound": 0.1, "design_effect": 0.5}, "--design-effect"),
    ],
)
def test_impossible_values_are_named(arguments, word):
    with pytest.raises(InputError, match=word):
        plan(**arguments)
