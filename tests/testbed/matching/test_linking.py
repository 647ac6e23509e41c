"""Records and links: worked by hand, and against plain loops."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from testbed.matching import linking
from testbed.matching.linking import filed, link_cell, unit
from testbed.matching.people import people_of
from testbed.runs.tables import CAPTURES, LINKS, MOMENTS, RECORDS, TALLIES, THRESHOLDS

DAYS = {"cafe": 1, "cafe.day-2": 2, "cafe.day-3": 3}


def on_a_line(*places):
    """Templates on a line: their distance is how far apart they stand."""
    return np.array([[place, 0.0] for place in places], np.float32)


def filed_on_a_line(places, threshold):
    templates = on_a_line(*places)
    return filed(templates, np.full(len(templates), threshold), "euclidean", "distance").tolist()


def test_a_template_goes_to_the_record_whose_first_template_is_nearest():
    #  0 opens; 1 is within 1 of it (a tie); 1.5 is not, though 1 is near it; 0.8 is nearer to 1.5 than to 0.
    assert filed_on_a_line([0, 1, 1.5, 0.8, 9, 0.75], 1.0) == [0, 0, 1, 1, 2, 0]


def test_of_two_records_that_are_equally_near_the_older_takes_it():
    assert filed_on_a_line([0, 2, 1], 1.0) == [0, 1, 0]
    assert filed_on_a_line([2, 0, 1], 1.0) == [0, 1, 0]


def test_each_template_is_held_to_its_own_threshold():
    templates = on_a_line(0, 1, 1)
    assert filed(templates, np.array([0.0, 0.5, 1.5]), "euclidean", "distance").tolist() == [0, 1, 1]
    assert filed(templates[:2], np.array([0.0, 1.5]), "euclidean", "distance").tolist() == [0, 0]


def by_loops(templates, least, metric, direction):
    records, result = [], []
    for template, limit in zip(templates.astype(np.float64), least, strict=True):
        best, at = None, None
        for k, leader in enumerate(records):
            if metric == "euclidean":
                alike = -float(np.linalg.norm(template - leader))
            else:
                alike = float(template @ leader / np.linalg.norm(template) / np.linalg.norm(leader))
            if best is None or alike > best:
                best, at = alike, k
        if best is None or best < (limit if direction == "similarity" else -limit):
            records.append(template)
            at = len(records) - 1
        result.append(at)
    return result


@pytest.mark.parametrize(
    ("metric", "direction", "limit"), [("euclidean", "distance", 2.2), ("cosine", "similarity", 0.6)]
)
def test_records_are_those_of_plain_loops_whatever_the_block(metric, direction, limit, monkeypatch):
    rng = np.random.default_rng(4)
    centres = rng.normal(size=(12, 8))
    templates = (centres[rng.integers(12, size=150)] + 0.5 * rng.normal(size=(150, 8))).astype(np.float32)
    least = limit * rng.uniform(0.8, 1.2, 150)
    wanted = by_loops(templates, least, metric, direction)
    assert 12 < len(set(wanted)) < 100
    for together in (7, 256):
        monkeypatch.setattr(linking, "TOGETHER", together)
        assert filed(templates, least, metric, direction).tolist() == wanted


# -- a cell -------------------------------------------------------------------------------------------------------
def captures(*faces):
    """Rows of CAPTURES: (camera, subject or None), a template for each, in that order."""
    rows = [
        ("c", camera, k, 0, float(k), 0, 0, 9, 9, 1.0, subject and f"{camera}/{subject}/1", subject, None, "ok", "", k)
        for k, (camera, subject) in enumerate(faces)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=CAPTURES.columns, orient="row")


def linked(faces, places, came, thresholds, subjects="ABC", limits=None):
    people = people_of(pl.DataFrame({"subject": list(subjects)}), [], 1)
    points = pl.DataFrame([("c", *row) for row in thresholds], schema=THRESHOLDS.columns, orient="row")
    passes = pl.DataFrame(came, schema={"subject": pl.String, "camera": pl.String}, orient="row")
    made = link_cell("c", captures(*faces), on_a_line(*places), DAYS, people, points, passes, "euclidean", "distance")
    return people, {
        table.name: pl.concat([each for t, each in made if t is table]) for table in (RECORDS, LINKS, TALLIES, MOMENTS)
    }  # fmt: skip


ONE, TWO = "cafe", "cafe.day-2"
SCRIPT = [(ONE, "A"), (ONE, "A"), (ONE, "B"), (TWO, "B"), (TWO, "A"), (TWO, None)]
PLACES = [0.0, 0.5, 3.0, 0.2, 0.9, 50.0]
CAME = [(who, camera) for who in "ABC" for camera in (ONE, TWO)]  # C comes, and is never found


def test_records_say_who_opened_them_and_who_else_lies_there():
    _, tables = linked(SCRIPT, PLACES, CAME, [("own", False, 1.0, 1.0), ("looser:3", False, 9.0, 9.0)])
    assert tables["records"].select(pl.exclude("cell", "point")).rows() == [
        (0, 1, "A", 2, True), (0, 2, "A", 1, False), (0, 2, "B", 1, False), (1, 1, "B", 1, True), (2, 2, None, 1, True),
    ]  # fmt: skip
    assert tables["records"]["point"].unique().to_list() == ["own"]  # ladders open nothing


def test_three_people_on_two_days_are_linked_as_worked_by_hand():
    _, tables = linked(SCRIPT, PLACES, CAME, [("own", False, 1.0, 1.0)])
    rows = {row["subject"]: row for row in tables["links"].iter_rows(named=True)}
    # A: 0.5 to 0.9 is 0.4; B of the first day (3.0) is 2.1 away. B: 3.0 to 0.2 is 2.8, and A stands 0.2 from it.
    assert rows["A"]["score"] == pytest.approx(0.4)
    assert (rows["A"]["closer"], rows["A"]["others"]) == (0, 1)
    assert rows["B"]["score"] == pytest.approx(2.8)
    assert (rows["B"]["closer"], rows["B"]["others"]) == (1, 1)
    assert (rows["C"]["score"], rows["C"]["closer"], rows["C"]["others"]) == (None, None, 2)
    false = tables["tallies"].filter((pl.col("unit") == unit(1)) & ~pl.col("mated") & (pl.col("role") == "probe"))
    # B's second day is taken for A's first (0.2); A's second day for B's first is not (2.1).
    assert false.select("subject", "errors", "comparisons").rows() == [("A", 0, 1), ("B", 1, 1)]


def test_who_is_no_more_alike_than_another_is_not_first():
    faces = [(ONE, "A"), (ONE, "B"), (TWO, "A")]
    _, tables = linked(faces, [1.0, 3.0, 2.0], [("A", ONE), ("A", TWO), ("B", ONE)], [("own", False, 9.0, 9.0)])
    assert tables["links"].select("subject", "closer", "others").rows() == [("A", 1, 1)]


@pytest.mark.parametrize("together", [2, 64])
def test_false_links_are_those_of_plain_loops_at_every_gap(together, monkeypatch):
    monkeypatch.setattr(linking, "PEOPLE", together)
    rng = np.random.default_rng(2)
    subjects = "ABCDEFG"
    faces = [(camera, who) for camera in DAYS for who in subjects for _ in range(rng.integers(0, 4))]
    places = [2.0 * subjects.index(who) + rng.normal() for _, who in faces]
    points = [("fmr=1e-1", True, 0.6, 0.9), ("own", False, 1.0, 1.0)]
    people, tables = linked(faces, places, [(w, c) for w in subjects for c in DAYS], points, subjects)
    fold = dict(zip(people.subjects, people.folds, strict=True))
    best = {}
    for k, (camera, who) in enumerate(faces):
        best.setdefault((who, DAYS[camera]), []).append(np.float32(places[k]))
    wrong = 0
    for gap in (None, 1, 2):
        for point, crossfit, *limits in points:
            wanted = {}
            for (one, a), mine in best.items():
                for (other, b), theirs in best.items():
                    if a <= b or (gap is not None and a - b != gap):
                        continue
                    if one != other and crossfit and fold[one] != fold[other]:
                        continue
                    score = min(abs(float(x) - float(y)) for x in mine for y in theirs)
                    matches = score <= limits[fold[one]]
                    key = (one, one == other)
                    errors, n = wanted.get(key, (0, 0))
                    wanted[key] = errors + (matches != (one == other)), n + 1
            made = tables["tallies"].filter(
                (pl.col("unit") == unit(gap)) & (pl.col("point") == point) & (pl.col("role") == "probe")
            )
            found = {(r["subject"], r["mated"]): (r["errors"], r["comparisons"]) for r in made.iter_rows(named=True)}
            assert found == wanted, (gap, point)
            wrong += sum(errors for (_, mated), (errors, _) in wanted.items() if not mated)
    assert wrong > 10


def test_templates_of_another_half_of_the_people_are_held_to_its_threshold():
    people, tables = linked(SCRIPT, PLACES, CAME, [("fmr=1e-1", True, 0.1, 100.0)])
    second = {subject for subject, fold in zip(people.subjects, people.folds, strict=True) if fold == 1}
    opened = tables["records"].filter("opened").group_by("subject").len()
    by_person = dict(opened.rows())
    # Who is held to 0.1 opens a record with every template; who is held to 100 (and nobody, to 50.05) never but first.
    assert by_person.get("A", 0) == (3 if "A" not in second else 1)
    assert None not in by_person


def test_a_point_that_could_not_be_found_opens_no_record():
    _, tables = linked(SCRIPT, PLACES, CAME, [("fmr=1e-4", True, float("nan"), float("nan"))])
    assert tables["records"].is_empty()
    assert tables["links"].height == 3
