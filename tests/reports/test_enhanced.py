"""The section of enhanced pictures: what draws have in common, in words, tables and a chart."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from dataclasses import replace

import pytest

from reports import charts, enhanced
from reports.reading import read
from reports.stage import report
from testbed.evidence.enhanced import NOT_SEARCHED
from testbed.scenario.enhancing import Prior

POINTS = ("own", "fmr=1e-2")


def rate(value, errors, of=20, verdict="measured", **more):
    return {"value": value, "low": max(0, value - 0.1), "high": min(1, value + 0.1), "errors": errors,
            "comparisons": of, "subjects": 16, "unit": "search", "method": "by hand", "assumption_free": None,
            "verdict": verdict, **more}  # fmt: skip


def mean(value):
    return {"value": value, "low": value - 0.5, "high": value + 0.5, "people": 16, "method": "by hand",
            "verdict": "measured"}  # fmt: skip


def moves(value, high):
    told = {"value": value, "low": value / 2, "high": high}
    spreads = {end: each if each is None else each * 10 for end, each in told.items()}
    return {"passes": 20, "people": 16, "verdict": "measured", "median": {**told, "in_spreads": spreads},
            "ninetieth": {**told, "high": None, "in_spreads": {**spreads, "high": None}}}  # fmt: skip


def group(name):
    at = {"right": rate(0.6, 12), "stranger": rate(0.35, 7), "both": rate(0.25, 5), "one": rate(0.11, 11, 100),
          "some": rate(0.4, 8), "people": mean(1.5), "at_least": False}  # fmt: skip
    return {
        "group": name, "attributes": {}, "passes": 20, "people": 16, "without_template": 2, "cut_off": 3,
        "own": moves(0.05, 0.08), "stranger": moves(0.03, None), "on_top": mean(2.5), "overlap": mean(0.8),
        "changes": rate(0.45, 9, verdict="insufficient" if name == "black male" else "measured"),
        "points": [{"operating_point": point, "threshold": 0.6, **at} for point in POINTS],
    }  # fmt: skip


def prior_of(people, **changed):
    dots = [{"draw": draw, "score": 0.5 + draw / 10, "reached": ["own"] if draw == 1 else []} for draw in (1, 2)]
    examples = [
        {"group": "black male", "own": dots, "stranger": dots[:1]},
        {"group": "white", "own": [], "stranger": []},
    ]
    return {
        "enhance": "prior:north", "enlarge": 8, "draws": 5, "gallery": 19, "cut": None, "spread": 0.1, "why": None,
        "groups": [group(each.name) for each in people.within()], "examples": examples, **changed,
    }  # fmt: skip


def rates_of(people, metric, point, how, draws, value, against):
    return [
        {**rate(value, 7), "enhance": how, "enlarge": 8, "draws": draws, "group": each.name, "attributes": {},
         "metric": metric, "operating_point": point, "threshold": 0.6, "least": value - 0.02, "most": value + 0.03,
         "unit": "transit", "against": against}
        for each in people.within()
    ]  # fmt: skip


def row_of(contents, **changed):
    """What evidence.json says of the first system, by hand."""
    against = [
        {"enhance": "none", "enlarge": None, "value": 0.123, "low": -0.004, "high": 0.2, "before": 0.1, "people": 16,
         "why": None, "verdict": "measured"},
        {"enhance": "bicubic", "enlarge": 8, "value": None, "low": -1.0, "high": 1.0, "before": None, "people": 0,
         "why": "nothing could be compared in both", "verdict": "insufficient"},
    ]  # fmt: skip
    more = {**against[0], "enhance": "bicubic", "enlarge": 8, "value": 0.36, "low": 0.12, "high": 0.6}
    asked = [("FTA", None), *((metric, point) for point in POINTS for metric in ("FNMR", "FRR", "FMR", "FPIR"))]
    rates = [
        each for metric, point in asked
        for how, draws, value, beside in (
            ("none", 1, 0.2, []), ("bicubic", 1, 0.25, []),
            ("prior:north", 5, 0.3, [against[0], more] if metric == "FRR" else against),
        )
        for each in rates_of(contents.people, metric, point, how, draws, value, beside)
    ]  # fmt: skip
    return {
        "system": contents.systems[0], "condition": {"name": "inter_eye_px=12"}, "cells": [], "confidence": 0.95,
        "rates": rates, "priors": [prior_of(contents.people, **changed)],
    }  # fmt: skip


@pytest.fixture
def made(made_up):
    """Makes the report of a run with such a row, and reads it."""

    def make(**changed):
        run, loaded = made_up
        known = {"north": Prior.model_validate({"people": [{"count": 20, "tone": 2}, {"count": 30}]})}
        loaded = replace(loaded, scenario=loaded.scenario.model_copy(update={"priors": known}))
        evidence = json.loads((run.path / "evidence.json").read_text())
        evidence["enhanced"] = [row_of(read(run, loaded), **changed)]
        run.write_bytes("evidence.json", json.dumps(evidence).encode())
        report(run, loaded)
        return read(run, loaded)

    return make


def text(contents, section="enhanced"):
    page = (contents.run.path / "report/index.html").read_text(encoding="utf-8")
    part = page[page.index(f'<section id="{section}">') :]
    said = html.unescape(re.sub(r"<[^>]*>", " ", part[: part.index("</section>")]))
    return " ".join(said.replace("\u202f", " ").split())


def test_the_page_says_that_it_shows_a_mechanism_before_any_figure(made):
    said = text(made())
    assert said.index("not how often it happens in practice") < said.index("Who is most alike changes")
    assert "Its population: 50 made-up people (20: tone 2; 30 of any kind)." in said
    assert "Completed from “north”: 5 draws of each face" in said


def test_sentences_say_what_the_draws_do_with_everything_that_belongs_beside_it(made):
    said = text(made())
    assert "Who is most alike changes from draw to draw in 45.0 % [35.0–55.0 %] (9 of 20 passes, 16 people)." in said
    assert "Over 5 draws, 2.5 different people stand on top on average [2–3]." in said
    assert (
        "the score of the right person moves by 0.050 [0.025–0.080] in the middle pass, 0.5 times the spread of "
        "strangers' scores (20 passes, 16 people)" in said
    )
    assert "the most alike stranger moves by 0.030 [0.015–no limit]" in said
    assert "in 25.0 % [15.0–35.0 %] (5 of 20 passes, 16 people) both happen, each in another draw: who chooses" in said
    assert (
        "People who are not in the gallery of 19, at its own threshold of 0.6: somebody matches in at least "
        "one of 5 draws in 40.0 % [30.0–50.0 %] (8 of 20 passes, 16 people), in one draw in 11.0 % [1.0–21.0 %] (11 of "
        "100 draws, 16 people), and of the picture enlarged 8 times (bicubic) in 25.0 % [15.0–35.0 %] (7 of 20 passes, "
        "16 people); in 7 of its 20 passes no face was found. Over all draws 1.5 different people match on average "
        "[1–2]." in said
    )
    assert (
        "The right person is missed in 30.0 % [20.0–40.0 %] (7 of 20 comparisons, 16 people), and in 25.0 % "
        "[15.0–35.0 %] (7 of 20 comparisons, 16 people) where the picture is enlarged 8 times (bicubic): "
        "+36 [+12; +60] points within the same people." in said
    )
    assert "More draws would only widen every range" in said


def test_what_a_cut_list_hides_is_said(made):
    contents = made()
    whole = contents.enhanced[0]["priors"][0]["groups"][0]
    whole["points"][0]["at_least"] = True
    said = enhanced.in_words(contents, contents.enhanced[0], contents.enhanced[0]["priors"][0])
    assert any("at least 1.5 different people match" in each for each in said)


def test_the_page_counts_the_scores_that_cut_lists_leave_out(made):
    said = text(made(cut=40))
    assert "Lists were cut at 40 candidates: 3 scores of the right person lie beyond and are missing." in said
    assert "2 draws had no template" in said


def test_rates_stand_before_and_after_with_the_difference_within_the_same_people(made):
    said = text(made())
    assert "The picture as it is 20.0 % [10.0–30.0 %]" in said
    assert "Completed from “north” 30.0 % [20.0–40.0 %] draws: 28.0–33.0 %" in said
    assert "+12 [0; +20] against as it is" in said
    assert "+36 [+12; +60] against bicubic" in said
    assert said.count("against bicubic") == len(POINTS)  # of FRR alone: else nothing could be compared in both


def test_a_group_of_too_few_people_is_in_the_table_and_not_concluded_from(made):
    said = text(made())
    assert "black male" in said
    assert "too few people to say (16) 45.0 %" in said


def test_the_first_screen_sets_it_beside_plain_enlargement(made):
    said = text(made(), "found")
    assert "The same few pixels, completed from “north” 5 times, put somebody else on top from draw to draw in" in said
    assert "in at least one of 5 draws in 40.0 %" in said
    assert "of the picture enlarged 8 times (bicubic) in 25.0 %" in said
    assert "The right person is missed in 30.0 %" in said
    assert "+36 [+12; +60] points within the same people" in said
    assert "different people match" not in said
    assert "It shows a mechanism, not how often it happens in practice." in said


def test_what_was_not_searched_is_said_and_the_rates_stand(made):
    said = text(made(why=NOT_SEARCHED, groups=[], examples=[], gallery=None, spread=None))
    assert "What the draws do to searches cannot be told: passes were not searched" in said
    assert "Before and after" in said


def test_one_draw_says_nothing_of_draws(made):
    said = text(made(draws=1))
    assert "There is one draw alone" in said
    assert "Who is most alike" not in said


def test_every_number_is_in_the_csv_and_no_id_of_a_person(made, ids):
    contents = made()
    draws, rates = (
        (contents.run.path / f"report/{name}.csv").read_text(encoding="utf-8")
        for name in ("enhanced_draws", "enhanced")
    )
    rows = {(row["group"], row["measure"], row["operating_point"]): row for row in csv.DictReader(io.StringIO(draws))}
    assert rows["all", "both", "own"]["errors"] == "5"
    assert rows["all", "range, own, median", ""]["value"] == "0.05"
    assert rows["all", "on_top", ""]["subjects"] == "16"
    after = [
        row for row in csv.DictReader(io.StringIO(rates)) if row["enhance"] == "prior:north" and row["group"] == "all"
    ]
    assert {row["against_as_it_is_value"] for row in after} == {"0.123"}
    assert not [name for name in ids if name in draws + rates]


def test_the_chart_fills_the_draws_that_match_and_draws_the_threshold():
    prior = prior_of(people=type("None", (), {"within": lambda self: []})())
    spec = charts.draws(prior, {"operating_point": "own", "threshold": 0.6}, "distance", ("eth", "sex"))
    rows = {name: each for name, each in spec["datasets"].items() if each}
    dots = next(each for each in rows.values() if "match" in each[0])
    assert [(dot["who"], dot["score"], dot["match"]) for dot in dots] == [
        ("the right person", 0.6, True), ("the right person", 0.7, False), ("the most alike stranger", 0.6, True),
    ]  # fmt: skip
    assert [{"threshold": 0.6}] in rows.values()
    assert "more alike to the left" in json.dumps(spec)
    assert "who passed, by eth and sex" in json.dumps(spec)


def test_a_picture_in_which_nothing_was_found_leaves_the_rest_of_the_report_standing(made_up):
    """As it is, a face may be too small to be found at all; only enhanced pictures are then compared."""
    run, loaded = made_up
    evidence = json.loads((run.path / "evidence.json").read_text())
    contents = read(run, loaded)
    first = {contents.reference_cell(system).id for system in contents.systems}
    evidence["score_meaning"] = [row for row in evidence["score_meaning"] if row["cell"] not in first]
    run.write_bytes("evidence.json", json.dumps(evidence).encode())
    report(run, loaded)
    assert "Nothing was compared here." in text(contents, "score-meaning")
