"""The section of hidden reviewers: what is said of it, with what it rests on, and that it is marked as assumed."""

from __future__ import annotations

import json
import re

import polars as pl
import pytest

from reports import charts, reviewers
from reports.reading import read
from reports.stage import report
from testbed.evidence.reviewers import assumptions
from testbed.scenario.reviewing import Review

WHY = "lists are cut at 1 candidates"


def rate(value, verdict="measured"):
    return {"value": value, "least": value / 2, "most": value * 1.5, "low": value / 4, "high": min(1, value * 2),
            "comparisons": 200, "subjects": 90, "verdict": verdict}  # fmt: skip


def alone(value):
    return {"value": value, "low": value / 2, "high": min(1, value * 2), "errors": round(200 * value),
            "comparisons": 200, "subjects": 90, "method": "made up", "verdict": "measured"}  # fmt: skip


def ends(value, most=2.0):
    return {"value": value, "least": value / 2, "most": most and value * most, "low": value / 4,
            "high": most and value * 2 * most}  # fmt: skip


def group(name, verdict="measured"):
    at = [{"prevalence": p, "value": p * 0.9, "least": p / 2, "most": p, "low": p / 4, "high": p,
           "machine": {"value": p / 2, "low": p / 4, "high": p}} for p in (0.5, 0.1, 0.01, 1e-3, 1e-4)]  # fmt: skip
    return {
        "group": name, "attributes": {}, "survive": rate(0.25, verdict), "wrong_when_there": rate(0.05, verdict),
        "false_identifications": {"machine": alone(0.4), **rate(0.1, verdict)},
        "misses": {"machine": alone(0.2), **rate(0.44, verdict)},
        "work": {"per_1000": ends(8.0), "per_correct": ends(2.0, None), "at_volume": ends(80.0), "shifts": ends(10.0),
                 "candidates": {"there": 1.5, "absent": 0.5}, "searches": 200, "subjects": 90},
        "precision": at,
    }  # fmt: skip


def rows(run, loaded, review, why=None):
    """A row of reviewers for each cell and point; one group has too few people."""
    contents = read(run, loaded)
    groups = [group(g.name, "insufficient" if g.name == "black male" else "measured") for g in contents.people.within()]
    results = dict.fromkeys(reviewers.RESULTS, 0.3)
    moved = [{"assumption": name, "from": 0.1, "to": 0.5, "middle": results, "low": dict.fromkeys(results, 0.2),
              "high": dict.fromkeys(results, 0.4)} for name in ("hit_rate", "alike")]  # fmt: skip
    spread = {"mean": 0.1, "low": 0.05, "high": 0.15, "error": 0.001}
    told = {"groups": groups, "sensitivity": moved,
            "simulation": {"repeats": 400, "seed": 1, "false_identifications": spread, "misses": spread}}  # fmt: skip
    return [
        {"system": cell.system.label, "condition": {"name": cell.condition_name}, "cell": cell.id,
         "operating_point": point, "threshold": 0.6, "gallery_size": 40, "confidence": 0.95, "why": why,
         "assumptions": assumptions(review),
         **(told if why is None else {"groups": [], "sensitivity": [], "simulation": None})}
        for cell in contents.cells for point in ("own", "fmr=1e-2")
    ]  # fmt: skip


def made(run, loaded, review=None, why=None):
    evidence = json.loads((run.path / "evidence.json").read_text())
    evidence["reviewers"] = rows(run, loaded, review or Review(), why)
    run.write_bytes("evidence.json", json.dumps(evidence).encode())
    report(run, loaded)
    return read(run, loaded)


def text(run, section="reviewers"):
    page = (run.path / "report/index.html").read_text(encoding="utf-8")
    part = page[page.index(f'<section id="{section}">') :]
    return " ".join(re.sub(r"<[^>]*>", " ", part[: part.index("</section>")]).replace("\u202f", " ").split())


def test_the_page_says_what_is_assumed_before_it_says_what_follows(made_up):
    made(*made_up)
    said = text(made_up[0])
    assert said.index("Driven by assumptions.") < said.index("would still end with a stranger named")
    assert "How people answer was not measured here" in said
    assert (made_up[0].path / "report/index.html").read_text().count('id="reviewers"') == 1
    assert "picks the right person, where shown 50.0 % 60.0 % 70.0 % With candidate lists of a passport system" in said
    assert "the second copies the first" not in said  # there is one reviewer
    assert (
        "If a reviewer answered as assumed, 10.0 % of searches for people who are not there would still end with a "
        "stranger named (5.0–15.0 % over what is assumed, [2.5–20.0 %] with the sampling of people too), against "
        "40.0 % by the machine alone (200 searches, 90 people)."
    ) in said
    assert "of lists that show strangers only (200 searches, 90 people), 25.0 % still end with one of them" in said
    takes = "a correct identification takes 2 hours (1–no limit assumed, [0.5–no limit] with sampling) of review "
    assert f"{takes}(200 searches, 90 people" in said
    assert "too few people to say (90)" in said
    first = text(made_up[0], "found")
    assert (
        "40.0 % by the machine alone (200 searches, 90 people); of searches for people who are there, 44.0 %" in first
    )
    assert "against 20.0 % in which the machine alone does not put the person first" in first
    assert "A correct identification takes 2 hours" in first


def test_why_more_lists_fool_than_are_assumed_to_is_told_where_more_do(made_up):
    row = rows(*made_up, Review())[0]
    why = "more than the 14.0–30.0\u202f% assumed of usual lists: the more alike a candidate"
    assert why not in " ".join(reviewers.in_words(row))
    row["groups"][0]["survive"] |= {"value": 0.349}
    assert why in " ".join(reviewers.in_words(row))


def test_a_sentence_on_too_few_people_says_so(made_up):
    row = rows(*made_up, Review())[0]
    row["groups"][0]["survive"] |= {"verdict": "insufficient", "comparisons": 4, "subjects": 3}
    assert "strangers only (4 searches, 3 people; too few people to say (3))" in " ".join(reviewers.in_words(row))


def test_two_reviewers_and_ones_own_numbers_are_named(made_up):
    made(*made_up, Review(reviewers=2, agree="either", hit_rate=0.9, length=5))
    said = text(made_up[0])
    assert (
        "Two reviewers, each alone, look at every candidate that reaches the threshold, 5 at most, and say who" in said
    )
    assert "Whoever either of them names is named." in said
    assert "picks the right person, where shown 90.0 % 90.0 % 90.0 % Stated by whoever made this run." in said
    assert "the second copies the first" in said


def test_every_group_point_and_assumption_stands_in_the_csvs_marked_as_assumed(made_up):
    contents = made(*made_up)
    folder, groups = made_up[0].path / "report", len(contents.people.within())
    table = pl.read_csv(folder / "reviewers.csv")
    assert table.height == groups * len(contents.reviewers)
    assert set(table["basis"]) == {"lists measured, answers assumed"}
    assert pl.read_csv(folder / "reviewers_precision.csv").height == 5 * table.height
    assert pl.read_csv(folder / "reviewers_sensitivity.csv").height == len(contents.reviewers) * 2 * 4


def test_what_cannot_be_told_is_said_and_nothing_is_drawn(made_up):
    made(*made_up, why=WHY)
    said = text(made_up[0])
    assert f"What reviewers leave of the errors cannot be told: {WHY}." in said
    assert "Which assumption matters most?" not in said


def test_each_bar_reaches_from_the_low_end_to_the_high_end_through_the_middle(made_up):
    contents = made(*made_up)
    drawn = charts.tornado(contents.reviewers[0])
    bars = [row for data in drawn["datasets"].values() for row in data]
    assert {(row["end"], row["value"], row["middle"]) for row in bars} == {
        ("low end", 0.2, 0.3),
        ("high end", 0.4, 0.3),
    }
    assert len(drawn["concat"]) == len(reviewers.RESULTS)


def test_without_reviewers_there_is_no_such_section(page):
    assert '<section id="reviewers">' not in page


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_precision_of_nothing_has_a_place_on_a_logarithmic_scale(made_up, value):
    contents = made(*made_up)
    row = contents.reviewers[0]
    for at in row["groups"][0]["precision"]:
        at |= {"value": value, "low": 0.0, "least": None}
    drawn = charts.reviewed_precision(row)
    assert all(each["value"] > 0 and each["low"] > 0 for data in drawn["datasets"].values() for each in data)
