"""Indices against hand-worked values, brute force over the bounds, and their limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbed.evidence.indices import (
    Bounded,
    bounded,
    fdr,
    garbe,
    gini,
    indices_of,
    inequity_rate,
    max_over_geomean,
    max_over_min,
)
from testbed.evidence.intervals import Clustered, rate_interval


def exact(*rates):
    x = np.array(rates, float)
    return Bounded(x, x, x)


def around(rates, low, high):
    return Bounded(np.array(rates, float), np.array(low, float), np.array(high, float))


def test_the_indices_are_those_worked_by_hand():
    fmr, fnmr = exact(0.01, 0.02, 0.04), exact(0.1, 0.1, 0.4)
    assert max_over_min(fmr).value == pytest.approx(4)
    assert max_over_geomean(fmr).value == pytest.approx(2)  # geometric mean of 1, 2, 4 is 2
    # Σ|x_i−x_j| over ordered pairs: 2·(1+3+2) = 12; mean 7/3: 3/2 · 12/(2·9·7/3) = 3/7. FNMR: 2·(0+3+3)=12, mean 2.
    assert gini(fmr.rates) == pytest.approx(3 / 7)
    assert garbe(fmr, fnmr, 0.25).value == pytest.approx(0.25 * 3 / 7 + 0.75 * 1.5 * 12 / (18 * 2))
    assert fdr(fmr, fnmr, 0.25).value == pytest.approx(1 - (0.25 * 0.03 + 0.75 * 0.3))
    assert inequity_rate(fmr, fnmr, 0.25).value == pytest.approx(4**0.25 * 4**0.75)


def test_one_group_with_all_the_errors_is_the_greatest_inequality():
    assert gini(np.array([0, 0, 0.2])) == pytest.approx(1)
    assert gini(np.array([0.1, 0.1, 0.1])) == 0


def test_no_errors_in_any_group_is_insufficient_not_equal():
    none, some = around([0, 0], [0, 0], [0.1, 0.2]), exact(0.1, 0.2)
    for index in (max_over_min(none), max_over_geomean(none), garbe(none, some), inequity_rate(some, none)):
        assert (index.value, index.low, index.high, index.verdict) == (None, None, None, "insufficient")


def test_a_group_without_errors_leaves_the_ratio_undefined_and_its_interval_stands():
    x = around([0, 0.2], [0, 0.15], [0.05, 0.25])
    index = max_over_min(x)
    assert (index.value, index.high, index.verdict) == (None, None, "interval only")
    assert index.low == pytest.approx(0.15 / 0.05)
    assert inequity_rate(x, exact(0.1, 0.2)).verdict == "interval only"


def test_fewer_than_two_groups_are_insufficient():
    one = exact(0.1)
    indices = (max_over_min(one), max_over_geomean(one), garbe(one, one), fdr(one, one), inequity_rate(one, one))
    assert {index.verdict for index in indices} == {"insufficient"}


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), groups=st.integers(2, 5))
def test_the_intervals_are_the_extremes_over_the_bounds(seed, groups):
    """Every point within the bounds lies in the interval, and the interval's ends are nearly reached."""
    rng = np.random.default_rng(seed)
    low = rng.uniform(0.05, 0.4, groups)
    high = low + rng.uniform(0, 0.5, groups)
    x = Bounded((low + high) / 2, low, high)
    corners = (np.arange(2**groups)[:, None] >> np.arange(groups)) & 1
    inside = rng.uniform(low, high, (4000, groups))
    levels = np.clip(np.linspace(low.min(), high.max(), 400)[:, None], low, high)
    points = np.concatenate([np.where(corners, high, low), inside, levels])
    definitions = {
        "max/min": (max_over_min(x), points.max(1) / points.min(1)),
        "max/geomean": (max_over_geomean(x), points.max(1) / np.exp(np.log(points).mean(1))),
        "FDR": (fdr(x, x), 1 - np.ptp(points, axis=1)),
        "GARBE": (garbe(x, x), np.array([gini(point) for point in points])),
    }
    for name, (index, values) in definitions.items():
        assert index.low <= values.min() + 1e-9, name
        assert index.high >= values.max() - 1e-9, name
        assert index.low <= index.value <= index.high, name
        assert index.high == pytest.approx(values.max(), abs=1e-9) or name == "FDR", name
        assert index.low == pytest.approx(values.min(), abs=0.02) or name == "max/geomean", name


def test_bounds_are_simultaneous_and_leave_out_groups_with_too_few_people():
    enough = Clustered(30, 435, 0.0004, 12.0, 30, 15)
    few = Clustered(1, 10, 0.01, 1.0, 5, 2)
    x = bounded([(enough, []), (few, []), (enough, [])])
    interval = rate_interval(enough, [], 0.05 / 2)
    assert x.rates == pytest.approx([30 / 435] * 2)
    assert (x.low[0], x.high[1]) == pytest.approx((interval.low, interval.high))


def test_no_group_with_people_enough_leaves_nothing_to_compare():
    few = Clustered(1, 10, 0.01, 1.0, 5, 2)
    assert max_over_min(bounded([(few, [])])).verdict == "insufficient"


@pytest.fixture
def uneven(cell):
    """Ten people a and ten b at near places, so that b are confused more; three c; one b is never found."""
    places = [*np.arange(10) * 0.2, *20 + np.arange(10) * 0.1, 50, 55, 60]
    return cell(places, ["a"] * 10 + ["b"] * 10 + ["c"] * 3, unseen=(11,))


def test_a_row_holds_the_index_of_the_groups_with_people_enough_and_names_the_others(uneven):
    rows = {(r["name"], *r["metrics"]): r for r in indices_of(uneven) if r["operating_point"] in (None, "own")}
    groups = [g for g in uneven.people.crossed() if g.name != "c"]
    rates = [uneven.clustered("FMR", "own", g, g) for g in groups]
    expected = max_over_min(bounded(rates))
    row = rows["max/min", "FMR"]
    assert (row["groups"], row["left_out"]) == (["a", "b"], ["c"])
    assert (row["value"], row["low"], row["high"]) == (expected.value, expected.low, expected.high)
    assert row["value"] == pytest.approx(rates[1][0].rate / rates[0][0].rate)
    assert row["value"] > row["equal"] == 1
    assert set(rows) == {
        *((name, metric) for name in ("max/min", "max/geomean") for metric in ("FTA", "FMR", "FNMR")),
        *((name, "FMR", "FNMR") for name in ("GARBE", "FDR", "IR")),
    }


def test_an_index_of_both_errors_stands_on_bounds_of_half_the_level_each(uneven):
    row = next(r for r in indices_of(uneven) if r["name"] == "FDR" and r["operating_point"] == "own")
    groups = [g for g in uneven.people.crossed() if g.name != "c"]
    fmr, fnmr = (
        bounded([uneven.clustered(m, "own", g, g if m == "FMR" else None) for g in groups], 0.025, paired=m == "FMR")
        for m in ("FMR", "FNMR")
    )
    assert (row["low"], row["high"]) == (fdr(fmr, fnmr).low, fdr(fmr, fnmr).high)


def test_why_an_index_has_no_value_is_said(uneven, small_cell):
    rows = {(r["name"], r["operating_point"]): r for r in indices_of(small_cell)}
    assert rows["GARBE", "own"]["why"] == "Not given: of FMR and FNMR no group has an error."
    one_sided = {r["name"]: r for r in indices_of(uneven) if r["operating_point"] == "own" and len(r["metrics"]) == 2}
    assert one_sided["GARBE"]["why"] == one_sided["IR"]["why"] == "Not given: of FNMR no group has an error."
    few = [r for r in indices_of(uneven) if r["metrics"] == ["FTA"] and r["name"] == "max/min"]
    assert few[0]["verdict"] == "interval only"
    assert "without any error" in few[0]["why"]
    assert all((r["why"] is None) == (r["verdict"] == "measured") for r in indices_of(uneven))
