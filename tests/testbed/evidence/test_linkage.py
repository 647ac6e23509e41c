"""Linking over days: three people by hand, and limits that are not narrower than people allow."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import stats

from testbed.evidence.intervals import by_subject, rate_interval, within_group
from testbed.evidence.linkage import linkage_of, per_person
from testbed.evidence.rates import CellData
from testbed.evidence.tallied import Tallied
from testbed.matching.linking import link_cell
from testbed.matching.people import people_of
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import ATTEMPTS, CAPTURES, LINKS, MOMENTS, RECORDS, TALLIES, THRESHOLDS
from testbed.scenario.synthetic import Synthetic


def test_a_mean_by_person_is_students_where_each_has_one_trial():
    counts = np.array([3, 1, 4, 1, 5, 9, 2, 6])
    made = per_person(counts, np.ones(8, np.int64), 20)
    wanted = stats.t.interval(0.95, 7, counts.mean(), stats.sem(counts))
    assert (made["low"], made["high"]) == pytest.approx(wanted)
    assert made["value"] == counts.mean()


def test_people_with_more_days_weigh_more_and_cluster():
    counts, trials = np.array([6, 2, 0, 9, 4, 4]), np.array([3, 1, 1, 3, 2, 0])
    made = per_person(counts, trials, 20)
    assert (made["value"], made["people"]) == (21 / 10, 5)  # who never came counts nowhere
    without = np.array([15 / 7, 19 / 9, 21 / 9, 12 / 7, 17 / 8])  # each of the five left out in turn
    spread = np.sqrt(4 / 5 * ((without - 21 / 10) ** 2).sum())
    assert made["high"] == pytest.approx(21 / 10 + stats.t.ppf(0.975, 4) * spread)
    rng = np.random.default_rng(1)
    drawn = rng.integers(0, 5, (20_000, 5))
    means = counts[drawn].sum(axis=1) / trials[drawn].sum(axis=1)
    half = (made["high"] - made["low"]) / 2 / stats.t.ppf(0.975, 4)
    assert half == pytest.approx(means.std() * np.sqrt(5 / 4), rel=0.15)


def test_people_who_are_all_alike_do_not_make_a_limit_of_no_width():
    made = per_person(np.ones(10, np.int64), np.ones(10, np.int64), 7)
    share = 1 - 0.025**0.1
    assert (made["low"], made["high"]) == pytest.approx((1 - share, 1 + 6 * share))
    assert per_person(np.zeros(0), np.zeros(0), 7)["value"] is None


# -- a cell -------------------------------------------------------------------------------------------------------
DAYS = {"cafe": 1, "cafe.day-2": 2}
SYNTHETIC = Synthetic.model_validate(
    {"kind": "synthetic", "people": [{"count": 3}], "cameras": [{"name": "cafe"}], "days": 2}
)


def cell(tmp_path, faces, came, points, sexes):
    """Evidence of one cell: faces (camera, subject, place on a line), came (camera, subject)."""
    rows = [
        ("c", camera, k, 0, float(k), 0, 0, 9, 9, 1.0, who and f"{camera}/{who}/1", who, None, "ok", "", k)
        for k, (camera, who, _) in enumerate(faces)
    ]  # fmt: skip
    captures = pl.DataFrame(rows, schema=CAPTURES.columns, orient="row")
    templates = np.array([[place, 0] for *_, place in faces], np.float32)
    people = people_of(pl.DataFrame({"subject": list(sexes), "sex": list(sexes.values())}), ["sex"], 1)
    thresholds = pl.DataFrame([("c", *point) for point in points], schema=THRESHOLDS.columns, orient="row")
    attempts = pl.DataFrame(
        [("c", camera, f"{camera}/{who}/1", who, 1, "acquired", "") for camera, who in came],
        schema=ATTEMPTS.columns, orient="row",
    )  # fmt: skip
    made = link_cell("c", captures, templates, DAYS, people, thresholds, attempts, "euclidean", "distance")
    tables = {t.name: pl.concat([each for u, each in made if u is t]) for t in (TALLIES, MOMENTS)}
    run = RunDirectory.create(tmp_path / "run", {})
    run.write(CAPTURES, captures, "c/cafe/000000")
    for table in (RECORDS, LINKS):
        run.write(table, next(each for t, each in made if t is table))
    none = np.zeros(len(sexes), np.int64)
    data = CellData(
        cell="c", system="s", condition={"name": "clean"}, direction="distance",
        operating_points=tuple(point[0] for point in points), people=people,
        tallied=Tallied.of(people, thresholds, *(tables[t.name].clear() for t in (TALLIES, MOMENTS))),
        attempts=(none, none), enrolments=(none, none), counts=np.zeros((2, 2, 2, 3)), edges=np.arange(2.0),
    )  # fmt: skip
    given = {ATTEMPTS.name: attempts, THRESHOLDS.name: thresholds, **tables}
    (row,) = linkage_of(data, run, SYNTHETIC, given)
    return row, people, tables


def of(rows, group, gap=None):
    return next(row for row in rows if row["group"] == group and row.get("gap") == gap)


def test_three_people_on_two_days_as_worked_by_hand(tmp_path):
    one, two = "cafe", "cafe.day-2"
    faces = [(one, "A", 0.0), (one, "A", 5.0), (one, "B", 3.0), (two, "B", 0.2), (two, "A", 0.9), (two, None, 50.0)]
    came = [(camera, who) for camera in (one, two) for who in "ABC"]
    points = [("own", False, 1.0, 1.0), ("fmr=1e-4", True, np.nan, np.nan)]
    row, _, _ = cell(tmp_path, faces, came, points, {"A": "f", "B": "m", "C": "m"})
    # Left behind: A 2 and 1, B 1 and 1, C none on two days.
    left = of(row["left_behind"], "all")
    assert (left["templates_a_day"]["value"], left["person_days"]) == (5 / 6, 6)
    assert (left["days_without"]["errors"], left["days_without"]["comparisons"]) == (2, 6)
    assert (left["never"]["errors"], left["never"]["comparisons"], left["never"]["subjects"]) == (1, 3, 3)
    assert of(row["left_behind"], "f")["templates_a_day"]["value"] == 1.5
    assert of(row["left_behind"], "f")["never"]["errors"] == 0
    own, nothing = row["points"]
    # Records: 0 (A, with B of day 2 at 0.2 and A at 0.9), 5 (A), 3 (B), 50 (nobody): A opened two, B one.
    records = own["records"]
    assert (records["records"], records["mixed"], records["of_nobody"], records["templates"]) == (4, 1, 1, 6)
    whole = of(records["groups"], "all")
    assert (whole["records_each"]["value"], whole["records_each"]["people"]) == (1.5, 2)
    assert (whole["several"]["errors"], whole["shared"]["errors"], whole["shared"]["comparisons"]) == (1, 2, 2)
    assert [(g["day"], g["value"]) for g in records["growth"]] == [(1, 1.5), (2, 1.5)]
    # Links: A's days are 0.9 apart at best, B's 2.8; C left nothing. Nobody is nearer to A; A is nearer to B.
    link, first = of(own["links"], "all"), of(row["first"], "all")
    assert (link["linked"]["errors"], link["linked"]["comparisons"], link["without_template"]) == (1, 3, 1)
    assert (first["first"]["errors"], first["first"]["comparisons"]) == (1, 3)
    # Falsely: B of day 2 with A of day 1 (0.2), not A of day 2 with B of day 1 (2.1).
    assert (link["false"]["errors"], link["false"]["comparisons"]) == (1, 2)
    assert of(own["links"], "m")["linked"]["comparisons"] == 2
    assert link["linked"]["verdict"] == "insufficient"
    assert (nothing["records"], nothing["links"]) == (None, [])


def test_intervals_are_clustered_by_person_and_by_both_people(tmp_path):
    rng = np.random.default_rng(5)
    sexes = {f"P{k}": "fm"[k % 2] for k in range(14)}
    home = {who: rng.normal(0, 3) for who in sexes}
    faces = [(c, who, home[who] + rng.normal()) for c in DAYS for who in sexes for _ in range(3)]
    came = [(camera, who) for camera in DAYS for who in sexes]
    row, people, _ = cell(tmp_path, faces, came, [("own", False, 0.5, 0.5)], sexes)
    at = {(who, camera): [p for c, w, p in faces if (c, w) == (camera, who)] for camera in DAYS for who in sexes}

    def linked(later, earlier):
        pairs = ((a, b) for a in at[later, "cafe.day-2"] for b in at[earlier, "cafe"])
        return min(abs(np.float32(a) - np.float32(b)) for a, b in pairs) <= 0.5

    own = np.array([linked(who, who) for who in people.subjects])
    made = of(row["points"][0]["links"], "all")
    wanted = rate_interval(by_subject(own, np.ones(14, np.int64)), [])
    assert (made["linked"]["low"], made["linked"]["high"]) == pytest.approx((wanted.low, wanted.high))
    false = np.array([[linked(a, b) and a != b for b in people.subjects] for a in people.subjects], np.int64)
    assert 5 < false.sum() < 100
    both = (false + false.T)[np.triu_indices(14, 1)]
    moments = np.array([(both**2).sum(), 2 * both.sum(), 4 * len(both)], np.float64)
    each = within_group(false.sum(0) + false.sum(1), np.full(14, 26), moments)
    wanted = rate_interval(each, [])
    assert (made["false"]["errors"], made["false"]["comparisons"]) == (false.sum(), 182)
    assert (made["false"]["low"], made["false"]["high"]) == pytest.approx((wanted.low, wanted.high))


def test_one_day_says_nothing_of_links(tmp_path):
    one = SYNTHETIC.model_copy(update={"days": 1})
    assert list(linkage_of(None, RunDirectory.create(tmp_path / "run", {}), one, {})) == []
