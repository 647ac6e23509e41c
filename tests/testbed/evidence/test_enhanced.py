"""Enhanced pictures: three people and three draws worked by hand, and rates against those of single cells."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nan

import numpy as np
import polars as pl
import pytest
from scipy import stats

from testbed.evidence.contrasts import Strangers, share_interval
from testbed.evidence.enhanced import (
    NOT_SEARCHED,
    Draws,
    Searched,
    _clustered,
    completions_of,
    difference,
    enhanced_of,
    examples_of,
    group_of,
    picture_of,
    quantile,
    rates_of,
    searched_with,
    spread_of,
    totals,
)
from testbed.evidence.searches import search_interval, searches_of, two_way
from testbed.matching.people import people_of
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import CANDIDATES, PAIRS, SEARCHES

PEOPLE = people_of(pl.DataFrame({"subject": ["a", "b", "c"]}), [], 1)
MATED = {
    "a": [[("a", 0.9), ("b", 0.4), ("c", 0.1)], [("b", 0.7), ("a", 0.6), ("c", 0.2)], [("b", 0.55), ("a", 0.3)]],
    "b": [None, [("b", 0.8), ("a", 0.2), ("c", 0.1)], [("b", 0.6), ("c", 0.55), ("a", 0.1)]],
    "c": [[("a", 0.45), ("b", 0.4), ("c", 0.2)], None, None],
}
"""Best first, draw by draw; None: no template. A score of 0.5 is a match."""
LIMITS = {"own": np.full((3, 2), 0.5)}


def without(owner, listed):
    return listed and [each for each in listed if each[0] != owner]


def tables(mated=MATED, draws=3):
    """SEARCHES and CANDIDATES with a column draw: everybody searched for while there, and while not."""
    made, rows = [], []
    for owner, lists in mated.items():
        for draw, listed in enumerate(lists[:draws]):
            for name, there, shown in ((owner, True, listed), (f"{owner}, absent", False, without(owner, listed))):
                made.append((f"c{draw}", 3, name, owner, there, "searched" if listed else "failed", draw))
                rows += [(f"c{draw}", 3, name, rank, f"{who}/photograph", who, score, draw)
                         for rank, (who, score) in enumerate(shown or [], start=1)]  # fmt: skip
    return tuple(
        pl.DataFrame(each, schema={**table.columns, "draw": pl.Int64}, orient="row")
        for each, table in ((made, SEARCHES), (rows, CANDIDATES))
    )


def drawn(mated=MATED, draws=3, cut=None, direction="similarity"):
    made, listed = tables(mated, draws)
    return Draws.of(PEOPLE, direction, made, listed, [cut] * draws)


def searched():
    made, listed = (frame.filter(draw=0).drop("draw") for frame in tables())
    return searches_of(PEOPLE, "similarity", {}, made, [listed], None)


def gallery(size=3):
    return replace(searched().galleries[3], size=size)


def told(of, limits=LIMITS, size=3, deviation=0.1):
    return group_of(Searched(of, gallery(size), limits, None), PEOPLE.everyone(), deviation)


# -- draws beside one another -------------------------------------------------------------------------------------
def test_scores_move_from_the_least_to_the_greatest_draw_of_passes_with_two_templates():
    group = told(drawn())
    assert (group["passes"], group["people"], group["without_template"], group["cut_off"]) == (3, 3, 3, 0)
    own, stranger = group["own"], group["stranger"]
    # a: 0.9 to 0.3; b: 0.8 to 0.6; c has one draw alone.
    assert (own["passes"], own["verdict"]) == (2, "insufficient")
    assert own["median"]["value"] == pytest.approx(0.2)
    assert own["ninetieth"]["value"] == pytest.approx(0.6)
    assert own["median"]["in_spreads"]["value"] == pytest.approx(2.0)
    # The best stranger: a 0.4, 0.7, 0.55; b 0.2, 0.55.
    assert stranger["median"]["value"] == pytest.approx(0.3)
    assert stranger["ninetieth"]["value"] == pytest.approx(0.35)
    assert own["median"]["high"] is None  # two people show no upper limit


def test_who_is_on_top_is_counted_over_the_draws_that_have_a_template():
    group = told(drawn())
    assert (group["changes"]["errors"], group["changes"]["comparisons"]) == (1, 2)  # a, then b; b stays
    assert group["on_top"]["value"] == 1.5
    assert group["on_top"]["low"] == 1.0
    assert group["overlap"] is None  # in a gallery of three, five most alike people are everybody


def test_choosing_the_draw_chooses_the_person():
    (at,) = told(drawn())["points"]
    shares = {
        name: (at[name]["errors"], at[name]["comparisons"]) for name in ("right", "stranger", "both", "one", "some")
    }
    # There: a is found in draw 1, b stands on top of a's list in draws 2 and 3; b is found; c never matches anybody.
    # Not there: a matches b in two draws of three, b matches c in one, c nobody; a draw without template is no match.
    assert shares == {"right": (2, 3), "stranger": (1, 3), "both": (1, 3), "one": (3, 9), "some": (2, 3)}
    assert at["people"]["value"] == pytest.approx(2 / 3)
    assert at["threshold"] == 0.5
    assert not at["at_least"]


def test_a_distance_is_worked_the_other_way_round():
    turned = {
        owner: [listed and [(who, 1 - score) for who, score in listed] for listed in lists]
        for owner, lists in MATED.items()
    }
    mirrored = told(drawn(turned, direction="distance"), {"own": np.full((3, 2), -0.5)})
    plainly = told(drawn())
    assert mirrored["points"][0].pop("threshold") == plainly["points"][0].pop("threshold") == 0.5
    assert mirrored["points"] == plainly["points"]
    assert mirrored["on_top"] == plainly["on_top"]
    assert mirrored["own"]["ninetieth"]["value"] == pytest.approx(plainly["own"]["ninetieth"]["value"])


def test_each_draw_is_held_to_the_threshold_of_its_own_condition_and_half():
    limits = np.full((3, 2), 0.5)
    limits[1:] = 0.95  # draws 2 and 3 match nobody
    (at,) = told(drawn(), {"own": limits})["points"]
    assert [at[name]["errors"] for name in ("right", "stranger", "both", "one", "some")] == [1, 0, 0, 0, 0]
    fold = PEOPLE.folds[0]
    limits = np.full((3, 2), 0.95)
    limits[:, fold] = 0.5  # only a's half matches
    (at,) = told(drawn(), {"own": limits})["points"]
    assert at["one"]["errors"] == 2 + (PEOPLE.folds[1] == fold)


def test_without_a_threshold_nothing_is_said_of_matches():
    (at,) = told(drawn(), {"fmr=1e-2": np.full((3, 2), nan)})["points"]
    assert at["threshold"] is None
    assert all(at[name] is None for name in ("right", "stranger", "both", "one", "some", "people"))


def test_one_draw_has_no_range_and_changes_nothing():
    group = told(drawn(draws=1), {"own": np.full((1, 2), 0.5)})
    assert group["own"]["passes"] == 0
    assert group["own"]["median"]["value"] is None
    assert group["changes"]["value"] is None
    (at,) = group["points"]
    assert at["one"]["errors"] == at["some"]["errors"] == 0
    assert (at["right"]["errors"], at["right"]["comparisons"]) == (1, 3)


def test_a_score_that_a_cut_list_left_out_is_counted_and_not_made_up():
    lists = {owner: [listed and listed[:2] for listed in each] for owner, each in MATED.items()}
    lists["a"][2] = [("b", 0.55), ("c", 0.3)]
    lists["c"] = [[("a", 0.9), ("b", 0.8)], None, None]
    of = drawn(lists, cut=2)
    group = told(of)
    assert group["cut_off"] == 2  # a's in draw 3, c's in draw 1
    assert group["own"]["ninetieth"]["value"] == pytest.approx(0.3)  # a: 0.9 and 0.6 alone
    assert group["points"][0]["at_least"]  # c's list ends above 0.5: others may match, too
    assert np.isnan(of.own_scores()[0, 2])
    assert not told(drawn(MATED, cut=5))["points"][0]["at_least"]  # shorter than the cut: it held everybody


def test_a_person_returned_with_several_photographs_counts_once_with_the_best():
    twice = {owner: [listed and [listed[0], *listed] for listed in lists] for owner, lists in MATED.items()}
    assert told(drawn(twice)) == told(drawn())


def test_the_five_most_alike_of_two_draws_overlap_as_their_jaccard_index():
    names = "abcdefghijkl"
    people = people_of(pl.DataFrame({"subject": [*names]}), [], 1)

    def listed(best):
        order = best + "".join(sorted({*names} - {*best}))
        return [(who, 1 - 0.05 * i) for i, who in enumerate(order)]

    made, rows = tables({"a": [listed("abcde"), listed("fbcda"), listed("ghijk")]})
    of = Draws.of(people, "similarity", made, rows, [None] * 3)
    overlap = group_of(Searched(of, gallery(11), {}, None), people.everyone(), None)["overlap"]
    assert overlap["value"] == pytest.approx((4 / 6 + 0 + 0) / 3)
    cut = Draws.of(people, "similarity", made, rows.filter(pl.col("rank") <= 4), [4] * 3)
    short = Searched(cut, gallery(11), {}, 4)
    assert group_of(short, people.everyone(), None)["overlap"] is None  # the fifth is not known


def test_errors_are_charged_to_the_stranger_without_whom_no_draw_would_have_made_them():
    (at,) = told(drawn(), {"own": np.full((3, 2), 0.4)})["points"]
    a, b, c = 0, 1, 2
    rows = {"a": 0, "a, absent": 1, "b": 2, "b, absent": 3, "c": 4, "c, absent": 5}
    of, there = gallery(), np.array([True, False] * 3)

    def expected(mine, errors, decided, times=1):
        found = np.zeros(6 * times)
        found[errors] = 1
        person = np.repeat([a, a, b, b, c, c], times)
        who = np.array(decided, np.int64).reshape(-1, 2)
        rate = two_way(person, of.size, np.repeat(mine, times), found, (who[:, 0], who[:, 1]))
        interval = search_interval(rate)
        return interval.low, interval.high, interval.method

    def got(name):
        return at[name]["low"], at[name]["high"], at[name]["method"]

    # b outranks a, but not in every draw. Of c's list, a and b both match: neither alone.
    assert got("right") == expected(there, [rows["a"], rows["b"]], [])
    assert got("stranger") == expected(there, [rows["a"], rows["c"]], [(rows["a"], b)])
    assert got("some") == expected(~there, [1, 3, 5], [(rows["a, absent"], b), (rows["b, absent"], c)])
    one = [3 * rows["a, absent"] + draw for draw in range(3)]
    errors = [*one, 3 * rows["b, absent"] + 2, 3 * rows["c, absent"]]
    assert got("one") == expected(~there, errors, [*((q, b) for q in one), (errors[3], c)], 3)


def test_who_matches_in_one_draw_matches_in_some_so_no_limit_of_the_one_lies_above_the_other():
    rng, wolf = np.random.default_rng(2), people_of(pl.DataFrame({"subject": [*"abcdefghw"]}), [], 1)
    for _ in range(40):
        reach = rng.random(2)
        lists = {
            who: [[("w", float(rng.random() < reach[0])), *((other, float(rng.random() < reach[1] / 4))
                   for other in "abcdefgh" if other != who)] for _ in range(3)]
            for who in "abcdefgh"
        }  # fmt: skip
        lists = {who: [sorted(each, key=lambda at: -at[1]) for each in all_of] for who, all_of in lists.items()}
        made, rows = tables(lists)
        of = Draws.of(wolf, "similarity", made, rows, [None] * 3)
        (at,) = group_of(Searched(of, gallery(9), {"own": np.full((3, 2), 0.5)}, None), wolf.everyone(), None)["points"]
        assert at["one"]["low"] <= at["some"]["low"]
        assert at["one"]["high"] <= at["some"]["high"]


def test_the_right_person_below_a_stranger_is_no_hit():
    (at,) = told(drawn({"a": [MATED["a"][1]]}, draws=1), {"own": np.full((1, 2), 0.5)})["points"]
    assert (at["right"]["errors"], at["stranger"]["errors"]) == (0, 1)


def test_a_stranger_decides_an_outcome_who_alone_brings_it_about():
    # One stranger on everybody's list makes all errors: as if one person had been searched for, against three.
    wolf = people_of(pl.DataFrame({"subject": [*"abcdefghw"]}), [], 1)
    alone = {who: [[("w", 0.9), (who, 0.2)]] for who in "abcdefgh"}
    alone |= {"w": [[("w", 0.9), ("a", 0.2)]]}
    many = {who: [[(other, 0.9), (who, 0.2)]] for who, other in zip("abcdefghw", "bcdefghwa", strict=True)}
    widths = []
    for lists in (alone, many):
        made, rows = tables(lists, draws=1)
        of = Draws.of(wolf, "similarity", made, rows, [None])
        searched = Searched(of, gallery(9), {"own": np.full((1, 2), 0.5)}, None)
        some = group_of(searched, wolf.everyone(), None)["points"][0]["some"]
        assert some["errors"] >= 8
        widths.append(some["high"] - some["low"])
    assert widths[0] > 1.5 * widths[1]


def test_examples_name_nobody_and_say_at_which_points_a_draw_matches():
    rows = examples_of(drawn(), LIMITS)
    assert [row["group"] for row in rows] == ["everyone"] * 3
    first = rows[0]
    assert [(each["draw"], each["score"], each["reached"]) for each in first["own"]] == [
        (1, 0.9, ["own"]), (2, 0.6, ["own"]), (3, 0.3, []),
    ]  # fmt: skip
    assert [each["score"] for each in rows[2]["stranger"]] == [0.45]
    assert "a" not in {str(value) for row in rows for value in row.values()}


def test_a_quantile_has_the_distribution_free_limits_of_order_statistics():
    values = np.random.default_rng(4).exponential(size=40)
    found = quantile(values, np.arange(40), 0.5)
    # Clopper–Pearson at 2.5 % a side: the median lies between the 14th and the 27th of 40.
    assert stats.binom.cdf(14, 40, 0.5) > 0.025 > stats.binom.cdf(13, 40, 0.5)
    ordered = np.sort(values)
    assert found == {"value": ordered[19], "low": ordered[13], "high": ordered[26]}


def test_the_interval_of_a_quantile_holds_the_truth():
    rng, held = np.random.default_rng(9), 0
    for _ in range(300):
        effect = rng.exponential(size=12)
        values = (effect[:, None] + rng.exponential(size=(12, 3))).ravel()  # three passes a person
        found = quantile(values, np.repeat(np.arange(12), 3), 0.5)
        held += found["low"] <= stats.gamma.median(2) and (
            found["high"] is None or found["high"] >= stats.gamma.median(2)
        )
    assert held >= 0.93 * 300


# -- rates, before and after --------------------------------------------------------------------------------------
def pairs_of(data, positions):
    """Table PAIRS of a cell made by hand, by brute force: probes stand 0.125 beside their person's place."""
    failed, unenrolled = data.attempts[0] > 0, data.enrolments[0] > 0
    rows = []
    for point in data.operating_points:
        limits = data.tallied.thresholds[data.tallied.index(point)]
        for i, mine in enumerate(data.people.subjects):
            for j, other in enumerate(data.people.subjects):
                same = data.people.folds[i] == data.people.folds[j] or not point.startswith("fmr=")
                match = abs(positions[i] + 0.125 - positions[j]) <= limits[data.people.folds[i]]
                if i != j and same and match and not failed[i] and not unenrolled[j]:
                    rows.append((data.cell, "transit", point, mine, other, 1, 1))
    return pl.DataFrame(rows, schema=PAIRS.columns, orient="row")


@pytest.fixture
def near(cell):
    """Sixteen people, some of them close enough to be taken for one another; one never found, one not enrolled."""
    places = np.r_[np.arange(8) * 0.2, np.arange(8) * 5.0 + 10]
    data = cell(places, ["x", "y"] * 8, unseen=[2], unenrolled=[5])
    return data, pairs_of(data, places)


@pytest.mark.parametrize(
    ("metric", "point"), [("FTA", None), *((m, p) for m in ("FNMR", "FRR", "FMR") for p in ("own", "fmr=1e-9"))]
)
def test_the_rate_of_one_draw_is_that_of_its_cell(near, metric, point):
    data, pairs = near
    for group in data.people.within():
        mine = np.isin(data.people.groups, group.members)
        counted = totals([data], metric, point, pairs)
        at = np.ix_(*[mine] * counted[0].ndim)
        expected, _ = data.clustered(metric, point, group, group)
        found = _clustered(counted[0][at], counted[1][at])
        assert found == replace(
            expected, variance=pytest.approx(expected.variance), freedom=pytest.approx(expected.freedom)
        )


def test_a_threshold_found_on_halves_compares_inside_a_half_only(near):
    data, pairs = near
    found = replace(data, tallied=replace(data.tallied, thresholds=np.full_like(data.tallied.thresholds, 0.25)))
    _, trials = totals([found], "FMR", "fmr=1e-9", pairs)
    for i in range(16):
        for j in range(16):
            compared = i not in (2, j) and j != 5 and data.people.folds[i] == data.people.folds[j]
            assert trials[i, j] == compared
    untold = replace(data, tallied=replace(data.tallied, thresholds=np.full_like(data.tallied.thresholds, nan)))
    assert not any(totals([untold], metric, "own", pairs)[1].any() for metric in ("FNMR", "FRR", "FMR"))


def test_draws_are_counted_together_and_no_draw_is_a_new_person(near):
    data, pairs = near
    rows = {
        (row["enhance"], row["metric"], row["operating_point"], row["group"]): row
        for row in rates_of({("none", None): [data], ("prior:p", 4): [data] * 5}, pairs)
    }
    once, five = rows["none", "FNMR", "own", "all"], rows["prior:p", "FNMR", "own", "all"]
    assert (five["errors"], five["comparisons"], five["draws"]) == (5 * once["errors"], 5 * once["comparisons"], 5)
    assert five["value"] == five["least"] == five["most"] == once["value"]
    for metric in ("FMR", "FRR", "FTA"):
        one, many = (rows[of, metric, None if metric == "FTA" else "own", "all"] for of in ("none", "prior:p"))
        assert many["value"] == one["value"]
        assert many["high"] - many["low"] >= 0.8 * (one["high"] - one["low"])  # five copies are no more evidence
        (against,) = many["against"]
        assert against["value"] == 0
        assert against["low"] < 0 < against["high"]
        assert one["against"] == []


def test_each_enhancer_is_set_beside_the_picture_as_it_is_and_plain_enlargement(near):
    data, pairs = near
    enhancers = {of: [data] for of in (("none", None), ("bicubic", 4), ("lanczos", 4), ("prior:p", 4))}
    beside = {row["enhance"]: [base["enhance"] for base in row["against"]] for row in rates_of(enhancers, pairs)}
    assert beside == {"none": [], "bicubic": ["none"], "lanczos": ["none", "bicubic"], "prior:p": ["none", "bicubic"]}


def test_a_difference_of_whole_events_is_that_of_contrasts():
    rng = np.random.default_rng(3)
    before, after = (rng.random((12, 12)) < p for p in (0.1, 0.3))
    trials = 1 - np.eye(12)
    found = difference((before * trials, trials), (after * trials, trials))
    d = np.where(trials > 0, after.astype(float) - before, nan)
    expected = Strangers.of(d)
    assert found["value"] == pytest.approx(expected.mean)
    assert (found["low"], found["high"]) == pytest.approx(expected.rate_bounds())
    assert (found["people"], found["verdict"]) == (12, "measured")
    one = difference((before[0] * 1, np.ones(12)), (after[0] * 1, np.ones(12)))
    assert (one["low"], one["high"]) == pytest.approx(share_interval(after[0] * 1.0 - before[0]))


def test_only_people_with_trials_both_times_are_compared():
    before, after = (np.array([1, 0, 1]), np.array([1, 0, 1])), (np.array([0, 2, 5]), np.array([0, 5, 5]))
    found = difference(before, after)  # the third alone: 1 of 1, then 5 of 5
    assert (found["value"], found["people"], found["verdict"]) == (0.0, 1, "insufficient")
    nothing = difference((np.zeros(3), np.zeros(3)), after)
    assert (nothing["value"], nothing["low"], nothing["high"]) == (None, -1.0, 1.0)
    assert nothing["why"]


def test_the_interval_of_a_difference_of_draws_holds_the_truth():
    """People differ in how often they are taken for others; a draw differs from a draw. Truth: 10 points more."""
    rng, held, people = np.random.default_rng(5), 0, 24
    trials = 1 - np.eye(people)
    for _ in range(200):
        look = rng.normal(0, 0.5, people)
        alike = look[:, None] + look + rng.normal(0, 0.7, (people, people))
        spread = np.sqrt(2 * 0.5**2 + 0.7**2 + 0.5**2)
        one = alike + rng.normal(0, 0.5, alike.shape) > spread * stats.norm.isf(0.2)
        five = alike + rng.normal(0, 0.5, (5, *alike.shape)) > spread * stats.norm.isf(0.3)
        found = difference((one * trials, trials), (five.sum(axis=0) * trials, 5 * trials))
        held += found["low"] <= 0.1 <= found["high"]
    assert held >= 0.93 * 200


def test_the_spread_is_that_of_strangers_scores(near):
    data, _ = near
    counts = data.counts[:, :, 0].sum(axis=(0, 1))
    middles = np.r_[data.edges[0], (data.edges[1:] + data.edges[:-1]) / 2, data.edges[-1]]
    assert spread_of([data]) == pytest.approx(np.repeat(middles, counts).std(ddof=1))
    assert spread_of([replace(data, counts=0 * data.counts)]) is None


# -- a run --------------------------------------------------------------------------------------------------------
def a_run(path, data, pairs, cells, search=True):
    made, listed = tables()
    cut = dict.fromkeys(("n", "c0", "c1", "c2", "other"))
    manifest = {"search": {"kind": "identification"}, "lists_cut_at": cut}
    run = RunDirectory.create(path, manifest if search else {})
    run.write(PAIRS, pairs)
    if search:
        plain = [made.filter(draw=0).with_columns(cell=pl.lit(name)) for name in ("n", "other")]
        run.write(SEARCHES, pl.concat([made, *plain]).drop("draw"))
        for draw in range(3):
            run.write(CANDIDATES, listed.filter(draw=draw).drop("draw"), f"c{draw}/searches/000")
        run.write(CANDIDATES, listed.filter(draw=0).with_columns(cell=pl.lit("n")).drop("draw"), "n/searches/000")
    return run


def cells_table(rows):
    names = ("cell", "system", "condition", "picture", "arm", "scale", "enhance", "draw", "enlarge")
    return pl.DataFrame(rows, schema=names, orient="row")


def test_cells_of_one_picture_stand_together_and_draws_in_their_order(tmp_path, cell):
    places = np.arange(3) * 5.0
    data = cell(places, ["x", "x", "x"])
    pairs = pairs_of(data, places).clear()
    judged = [
        replace(data, cell=name, condition={"name": condition}, searches=searched(), direction="similarity",
                people=replace(data.people, subjects=("a", "b", "c")))
        for name, condition in (("n", "scale=0.5,enhance=none"), ("c2", "scale=0.5,enhance=prior-p-3"),
                                ("c1", "scale=0.5,enhance=prior-p-2"), ("c0", "scale=0.5,enhance=prior-p-1"),
                                ("other", "scale=1,enhance=none"))
    ]  # fmt: skip
    cells = cells_table([
        ("c2", "s", "", "", "", 0.5, "prior:p", 3, 4), ("c0", "s", "", "", "", 0.5, "prior:p", 1, 4),
        ("c1", "s", "", "", "", 0.5, "prior:p", 2, 4), ("n", "s", "", "", "", 0.5, "none", None, None),
        ("other", "s", "", "", "", 1.0, "none", None, None),
    ])  # fmt: skip
    (row,) = enhanced_of(a_run(tmp_path / "run", data, pairs, cells), cells, judged)
    assert row["cells"] == ["n", "c2", "c1", "c0"]
    assert row["condition"] == {"name": "scale=0.5"}
    (prior,) = row["priors"]
    assert (prior["enhance"], prior["draws"], prior["gallery"], prior["why"]) == ("prior:p", 3, 3, None)
    assert prior["groups"][0]["on_top"]["value"] == 1.5
    assert [each["score"] for each in prior["examples"][0]["own"]] == [0.9, 0.6, 0.3]  # the draws in their order
    assert {(rate["enhance"], rate["draws"]) for rate in row["rates"]} == {("none", 1), ("prior:p", 3)}
    # FPIR of the picture as it is: that of its cell; of three draws: their mean, beside it within the same people.
    returned = {
        rate["enhance"]: rate
        for rate in row["rates"]
        if rate["metric"] == "FPIR" and (rate["group"], rate["operating_point"]) == ("all", "own")
    }
    plainly, drawn_thrice = returned["none"], returned["prior:p"]
    cell_own = replace(searched(), limits={"own": data.tallied.thresholds[data.tallied.index("own")]}).fpir(
        "own", 3, PEOPLE.everyone()
    )
    assert (plainly["errors"], plainly["comparisons"]) == (cell_own.errors, cell_own.comparisons) == (2, 3)
    assert (plainly["low"], plainly["high"]) == (search_interval(cell_own).low, search_interval(cell_own).high)
    assert (drawn_thrice["errors"], drawn_thrice["comparisons"]) == (5, 9)
    assert (drawn_thrice["least"], drawn_thrice["most"]) == pytest.approx((1 / 3, 2 / 3))
    assert drawn_thrice["against"][0]["value"] == pytest.approx((0 + 1 / 3 - 2 / 3) / 3)
    # Nothing was searched, or by something else than a pass: said, and the rates stand.
    bare = a_run(tmp_path / "bare", data, pairs, cells, search=False)
    (row,) = enhanced_of(bare, cells, judged)
    assert row["priors"][0]["why"] == NOT_SEARCHED
    assert row["rates"]
    assert completions_of(judged[3:0:-1], searched_with(bare, judged[3:0:-1]))["groups"] == []
    assert "FPIR" not in {rate["metric"] for rate in row["rates"]}


def test_nothing_is_said_where_nothing_is_enhanced(tmp_path, near):
    data, pairs = near
    cells = cells_table([("c", "s", "clean", "clean", "", None, "none", None, None)])
    run = a_run(tmp_path / "run", data, pairs, cells)
    assert enhanced_of(run, cells, [data]) == []
    assert enhanced_of(run, cells.drop("enhance"), [data]) == []


@pytest.mark.parametrize(
    ("name", "picture"),
    [("enhance=none", "camera"), ("inter_eye_px=12,enhance=prior-a-3,enlarge=4", "inter_eye_px=12"),
     ("clean,enhance=bicubic,enlarge=4", "clean"), ("tilt=10; enhance=none", "tilt=10")],
)  # fmt: skip
def test_a_picture_is_named_without_its_enhancer(name, picture):
    assert picture_of(name) == picture


def test_draws_without_any_candidate_are_no_error():
    of = drawn({"a": [None, None, None]})
    group = told(of)
    assert (group["passes"], group["without_template"]) == (1, 3)
    assert group["points"][0]["some"]["errors"] == 0
    assert of.end.min() == inf
    assert examples_of(of, LIMITS) == []
