"""A look-up in the report: every sentence says its numbers, and what is modelled is told and drawn as a model."""

import json
import re
from pathlib import Path

import pytest

from reports import charts, lookups
from reports.reading import read
from reports.stage import report
from testbed.evidence.stage import evaluate
from testbed.runs.directory import RunDirectory
from testbed.scenario.loading import reload
from testbed.scorelogs.options import LogOptions
from testbed.scorelogs.stage import import_log

EXAMPLES = Path(__file__).parents[2] / "examples"


def rate(value, low, high, errors, comparisons=20):
    return {"value": value, "low": low, "high": high, "errors": errors, "comparisons": comparisons, "unit": "search",
            "subjects": 20, "method": "by hand", "assumption_free": None, "verdict": "measured"}  # fmt: skip


def grown(measure, cameras, size, value, low, high):
    return {"shown": "own", "threshold": 0.6, "percent": None, "measure": measure, "cameras": cameras, "choices": 1,
            "possible": 1, "size": size, "value": value, "low": low, "high": high, "people": 20,
            "searches": 20}  # fmt: skip


def made(**changed):
    """What evidence.json says of one cell's look-ups, by hand."""
    level = {"shown": "own", "threshold": 0.6, "percent": None}
    growth = [
        grown(measure, cameras, size, value / 100, (value - 5) / 100, (value + 5) / 100)
        for cameras, shift in ((1, 0), (4, 20))
        for measure, values in (("returned", (10, 40)), ("right", (60, 50)), ("wrong", (5, 12)))
        for size, value in zip((2, 18), (each + shift for each in values), strict=True)
    ]
    rows = [
        {"size": size, "how": "beside" if size <= 18 else "extrapolated", "cameras": cameras, "value": value,
         "low": value / 2 if size <= 18 else None, "high": min(1, 2 * value) if size <= 18 else None}
        for size, cameras, value in ((2, 4, 0.2), (18, 4, 0.8), (875_000, 175_000, 1.0))
    ]  # fmt: skip
    return {
        "system": "s", "condition": {"name": "clean"}, "cell": "c", "people": 19, "percent_rule": "1-d",
        "stills": False, "why": None, "cameras": 4, "people_per_camera": 5.0,
        "example": {"photograph": None, "lists": 20, "rows": [
            {"rank": 1, "camera": "gate", "score": 0.3, "percent": 70.0, "who": 1, "reached": ["own"]},
            {"rank": 2, "camera": "yard", "score": 0.4, "percent": 60.0, "who": 1, "reached": []},
        ]},
        "top_hits": [
            {"group": "all", "attributes": {}, **shown, "absent": rate(0.5, 0.3, 0.7, 10),
             "stranger": rate(0.1, 0.02, 0.3, 2), "right": rate(0.8, 0.6, 0.9, 16)}
            for shown in ({"shown": "anybody", "threshold": None, "percent": None}, level,
                          {"shown": "67 %", "threshold": 0.33, "percent": 67})
        ],
        "top_scores": {"people": 20, "searches": 20, "deciles": [
            {"share": 0.5, "score": 0.3, "percent": 70.0, "score_low": 0.35, "percent_low": 65.0, "score_high": None,
             "percent_high": None},
        ], "curve": [
            {"score": 0.5, "percent": 50.0, "value": 1.0, "low": 0.83, "high": 1.0},
            {"score": 0.3, "percent": 70.0, "value": 0.5, "low": 0.3, "high": 0.7},
        ]},
        "growth": growth,
        "model": [{**level, "cameras": 4, "fmr": 0.1, "fmr_low": 0.05, "fmr_high": 0.2, "subjects": 20,
                   "measured_up_to": 18, "breaks_at": 18, "rows": rows}],
        "median_people": [
            {**level, "measured_up_to": 18, "subjects": 20, "value": 7, "low": 3, "high": None, "how": "measured",
             "modelled": None},
            {"shown": "67 %", "threshold": 0.33, "percent": 67, "measured_up_to": 18, "subjects": 20, "value": None,
             "low": 12, "high": None, "how": "more than 18", "modelled": 40},
        ],
        **changed,
    }  # fmt: skip


def plain(words):
    return re.sub(r"[\u202f\u00a0]", " ", words)


def test_more_cameras_are_answered_with_what_was_measured_at_the_same_number_of_people():
    logic, absent, present, beyond = map(plain, lookups.excuse(made(), "own"))
    assert "can add only strangers" in logic
    assert "where 18 people had passed" in absent
    assert "40.0 % [35.0–45.0 %] with 1 camera, 60.0 % [55.0–65.0 %] with 4 cameras (20 people photographed)" in absent
    assert "50.0 % [45.0–55.0 %] with 1 camera, 70.0 % [65.0–75.0 %] with 4 cameras" in present
    assert present.endswith("More cameras did bring the right person up more often.")
    assert beyond.startswith("Extrapolated, not measured: for 175,000 cameras and 875,000 people")
    assert "(5)" in beyond


def test_what_lies_beyond_the_measurement_has_no_interval_and_says_where_the_model_was_wrong_already():
    look = made()
    beyond = plain(lookups.excuse(look, "own")[-1])
    assert (
        "in 100 % of searches for somebody who was not there: a model, untested beyond 18 people, and already wrong at "
        "18 people (it says 80.0 % where 60.0 % [55.0–65.0 %] was measured)."
    ) in beyond
    assert plain(lookups.model(look, "own")) == (
        "The model breaks at 18 people: it says 80.0 % where 60.0 % [55.0–65.0 %] was measured."
    )
    look["model"][0]["breaks_at"] = None
    assert "already wrong" not in lookups.excuse(look, "own")[-1]
    assert plain(lookups.model(look, "own")) == (
        "The model stays within the intervals of what was measured: at 18 people, the most measured, it says 80.0 % "
        "where 60.0 % [55.0–65.0 %] was measured."
    )


def test_the_list_is_marked_at_the_services_own_threshold_whatever_the_report_speaks_of():
    look = made()
    assert lookups.called(look, "fmr=5e-2") == (
        "own", "Marked is whom the service itself calls a match, at its own threshold of 0.6."
    )  # fmt: skip
    look["example"]["rows"][0]["reached"] = ["fmr=5e-2"]
    assert lookups.called(look, "fmr=5e-2")[1].endswith("of 0.6: here nobody.")
    look["top_hits"][1]["shown"] = "fmr=5e-2"
    assert plain(lookups.called(look, "fmr=5e-2")[1]) == (
        "Marked is who would be called a match, at the threshold for a false match rate of 5 %."
    )


def test_where_the_main_threshold_could_not_be_found_another_is_spoken_of():
    assert lookups.point_of(made(), "fmr=1e-4") == "own"
    assert lookups.point_of(made(top_hits=[]), "fmr=1e-4") == "fmr=1e-4"


@pytest.mark.parametrize(
    ("after", "said"),
    [(52, "is not shown here"), (30, "less often."), (70, "did bring the right person up more often")],
)
def test_nothing_is_said_to_help_that_is_not_shown_to(after, said):
    look = made()
    for row in look["growth"]:
        if (row["measure"], row["cameras"]) == ("right", 4):
            row |= {"value": after / 100, "low": (after - 5) / 100, "high": (after + 5) / 100}
    assert said in lookups.excuse(look, "own")[2]


def test_photographs_have_no_cameras_to_add():
    look = made(stills=True, people_per_camera=None, cameras=1)
    look["growth"] = [row for row in look["growth"] if row["cameras"] == 1]
    _, said, beyond = lookups.excuse(look, "own")
    assert "cameras cannot be added to this test" in said
    assert "cameras" not in beyond
    alone = lookups.excuse({**look, "stills": False, "people_per_camera": 5.0}, "own")
    assert "one camera alone" in alone[1]


def test_the_people_it_takes_are_said_with_their_limits():
    look = made()
    assert plain(lookups.crowd(look, "own")) == (
        "Searched among 7 people who passed, none of them the right one, half of the photographs would more likely "
        "than not bring up a stranger called a match at its own threshold (95 % limits: it may take as few as 3, and "
        "there is no upper limit; 20 people photographed)."
    )
    said = plain(lookups.crowd(look, "67 %"))
    assert said.startswith("Searched among 18 people who passed, none of them the right one, fewer than half of the ")
    assert "it may take as few as 12" in said
    assert "about 40 people on: an extrapolation" in said
    assert plain(lookups.typical(look)) == (
        "The middle one of these best hits is shown as 70 % (95 % limits: at least 65 %); 20 searches, 20 people."
    )


def test_the_model_is_drawn_dashed_and_what_was_measured_solid():
    top, _ = charts.lookup_growth(made(), "own")["concat"]
    layers = [layer["mark"] for layer in top["layer"]]
    assert any(mark["type"] == "line" and "strokeDash" in mark for mark in layers)
    assert any(mark["type"] == "line" and "strokeDash" not in mark for mark in layers)
    datasets = charts.lookup_growth(made(), "own")["datasets"].values()
    words = [row.get("words") for rows in datasets for row in rows]
    assert "beyond: a model, extrapolated →" in words
    assert "the model breaks" in words
    bands = [layer for layer in top["layer"] if layer["mark"]["type"] == "area"]
    assert len(bands) == 1  # of what was measured


def test_scores_without_a_percent_rule_are_drawn_as_scores_the_more_alike_to_the_right():
    drawn = charts.top_scores(made(percent_rule=None), "distance")
    scale = drawn["layer"][0]["encoding"]["x"]["scale"]
    assert scale["reverse"]
    assert [row["at"] for row in next(iter(drawn["datasets"].values()))] == [0.5, 0.3]


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    """The report of the example log, with look-ups as if its run had made them."""
    options = LogOptions((EXAMPLES / "scores.csv",), subjects=EXAMPLES / "people.csv", threshold=0.6,
                         direction="distance")  # fmt: skip
    run = import_log(options, tmp_path_factory.mktemp("lookups") / "run")
    loaded = reload(run.manifest()["scenario"])
    evaluate(run, loaded)
    cell = loaded.cells[0]
    evidence = json.loads((run.path / "evidence.json").read_text())
    assert evidence["lookup"] == []
    look = made(system=cell.system.label, condition={"name": cell.condition_name}, cell=cell.id)
    people = read(run, loaded).people
    look["top_hits"] = [
        {**row, "group": group.name} for group in people.within() for row in look["top_hits"]
    ]  # fmt: skip
    (run.path / "evidence.json").write_text(json.dumps({**evidence, "lookup": [look]}))
    report(RunDirectory.open(run.path), loaded)
    return run.path / "report"


def test_the_page_shows_the_list_the_customer_sees_and_then_the_truth(page):
    html = plain((page / "index.html").read_text())
    section = html[html.index('<section id="lookup">') :]
    section = section[: section.index("</section>")]
    assert "what the customer sees" in section
    assert section.index("70 %") < section.index("somebody else: person 1")
    assert section.count("called a match</small>") == 1
    assert "With more cameras it would have worked" in section
    assert "at least 67 %" in section
    for link in ("#look-up", "#top-hit", "#growth", "#fmr"):
        assert f'href="{link}"' in section
        assert f'id="{link[1:]}"' in html


def test_the_tables_say_how_every_row_was_made(page):
    assert {path.stem for path in page.glob("lookup_*.csv")} == {
        "lookup_top_hits", "lookup_top_scores", "lookup_growth",
    }  # fmt: skip
    growth = (page / "lookup_growth.csv").read_text()
    assert "measured" in growth
    assert "model, extrapolated" in growth
    hits = (page / "lookup_top_hits.csv").read_text().splitlines()
    assert "people" in hits[0].split(",")
    assert "comparisons" in hits[0].split(",")
