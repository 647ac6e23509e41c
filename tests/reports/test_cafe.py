"""The sections of cameras that film for days: what evidence holds is said in plain words, with its interval and n."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import polars as pl
import pytest

from reports import charts, findings, heads, linkage
from reports.reading import read
from reports.stage import report
from reports.wording import THIN


def rate(value, errors, comparisons, people=9, verdict="measured"):
    return {"value": value, "low": value / 2, "high": min(1.0, 2 * value), "method": "made up", "errors": errors,
            "comparisons": comparisons, "subjects": people, "unit": "person", "verdict": verdict,
            "assumption_free": None}  # fmt: skip


def mean(value, people=9):
    return {"value": value, "low": value / 2, "high": 2 * value, "people": people, "method": "made up",
            "verdict": "measured"}  # fmt: skip


def found_in(cell, source):
    both = {"found": rate(0.4, 4, 10), "template": rate(0.3, 3, 10)}
    bins = [
        {"by": by, "unit": "u", "from": low, "to": high, "heads": 10, **both}
        for by, low, high in (("size", 24, 32), ("size", 128, None), ("pitch", -15, 15), ("light", 0.1, 0.2))
    ]
    return {
        "system": cell.system.label, "condition": {"name": cell.condition_name}, "cell": cell.id, "confidence": 0.95,
        "source": source, "pictures": 50, "cameras": 1, "stay_s": 1800.0, "heads": 10, **both, "bins": bins,
        "counted_by": "stretch" if source == "annotated heads" else "person",
        "groups": [] if source == "annotated heads" else [{"group": "all", "attributes": {}, **both}],
        "unexplained": {"faces": 1, **rate(0.02, 1, 50)},
    }  # fmt: skip


def linked_in(cell, groups):
    links = [
        {"group": group, "attributes": {}, "gap": gap, "linked": rate(0.4, 8, 20), "without_template": 1,
         "false": rate(0.04, 3, 75)}
        for gap in (None, 1, 2) for group in groups
    ]  # fmt: skip
    records = {
        "records": 13, "templates": 60, "mixed": 3, "of_nobody": 1,
        "groups": [{"group": group, "attributes": {}, "records_each": mean(1.5), "several": rate(0.3, 3, 9),
                    "shared": rate(0.2, 2, 9), "people_by_records": [{"records": 1, "people": 6}]} for group in groups],
        "growth": [{"day": day, **mean(day / 2)} for day in (1, 2, 3)],
    }  # fmt: skip
    return {
        "system": cell.system.label, "condition": {"name": cell.condition_name}, "cell": cell.id, "confidence": 0.95,
        "days": 3,
        "left_behind": [{"group": group, "attributes": {}, "person_days": 30, "templates_a_day": mean(12.0),
                         "days_without": rate(0.1, 3, 30), "never": rate(0.2, 2, 10)} for group in groups],
        "first": [{"group": group, "attributes": {}, "gap": gap, "others": 14.0, "first": rate(0.45, 9, 20)}
                  for gap in (None, 1, 2) for group in groups],
        "points": [{"operating_point": "fmr=1e-2", "threshold": 0.3, "records": None, "links": []},
                   {"operating_point": "own", "threshold": 0.6, "records": records, "links": links}],
    }  # fmt: skip


@pytest.fixture
def told(made_up):
    run, loaded = made_up
    contents = read(run, loaded)
    groups = [group.name for group in contents.people.within()]
    given = {
        "heads": [found_in(cell, source) for cell in contents.cells for source in ("annotated heads", "made-up faces")],
        "linkage": [linked_in(cell, groups) for cell in contents.cells],
    }
    evidence = json.loads((run.path / "evidence.json").read_text())
    run.write_bytes("evidence.json", json.dumps({**evidence, **given}).encode())
    report(run, loaded)
    return run, read(run, loaded)


def text(run, section):
    page = (run.path / "report/index.html").read_text(encoding="utf-8")
    part = page[page.index(f'<section id="{section}">') :]
    return " ".join(re.sub(r"<[^>]*>", " ", part[: part.index("</section>")]).split()).replace("\u202f", " ")


def test_who_is_found_is_said_with_what_it_rests_on(told):
    run, contents = told
    said = text(run, "heads")
    assert "In 50 pictures there were 10 heads that people boxed by hand: a face was found in 40.0 % of them" in said
    assert "Nobody knows whose heads these are" in said
    assert "all heads of one camera in 30 minutes count together, as who stays is no new evidence" in said
    assert "all pictures of one person count together" in said
    assert "Found where no head is: 1 face, in 2.0 % of the pictures [1.0–4.0 %]" in said
    table = pl.read_csv(run.path / "report/heads.csv")
    assert table.height == len(contents.cells) * (2 * (1 + 4) + 1 + 2 * (1 + 1 + 4) + 1)


@pytest.mark.parametrize(
    ("bin", "words"),
    [((24, 32, "size"), "24 to 32"), ((128, None, "size"), "over 128"), ((-90, -15, "pitch"), "−90 to −15"),
     ((0.02, 0.05, "light"), "2 to 5 %")],
)  # fmt: skip
def test_bins_are_called_by_their_ends(bin, words):
    assert heads.called(*bin) == words


def test_a_panel_for_each_thing_that_heads_are_told_apart_by(told):
    drawn = charts.heads(told[1].heads[0])
    assert len(drawn["concat"]) == 3
    assert sum(len(rows) for rows in drawn["datasets"].values()) == 4


def test_what_days_give_away_is_said_for_everybody_and_stands_by_group(told):
    run, contents = told
    said = text(run, "linkage")
    assert "on a day one person leaves 12.0 templates behind on average [6–24.0] (9 people)" in said
    assert "would hold 13 records after 3 days: 1.5 opened by one person on average" in said
    assert "Faces of more than one person lie in 3 records, and 20.0 % of the people are in such a record" in said
    assert "Faces that no truth explains fill 1 record of their own." in said
    assert "both days were linked in 40.0 % [20.0–80.0 %] (8 of 20, 9 people)" in said
    assert "nobody else was as alike, among 14.0 others on average" in said
    assert "Two different people were linked in 4.0 % [2.0–8.0 %] (3 of 75, 9 people)" in said
    for group in contents.people.within():
        assert group.name.replace("_", " ") in said or group.name == "all" or "<" in group.name
    table = pl.read_csv(run.path / "report/linkage.csv")
    groups = len(contents.people.within())
    assert table.height == len(contents.cells) * groups * (3 + 3 + 3 + 6)
    assert table["people"].null_count() == 0


def test_the_headline_of_a_film_of_days_answers_each_part_of_the_question_in_one_sentence(told):
    contents = replace(told[1], heads=told[1].heads[1:2])
    seen, left, records, links, *_ = findings.headline(contents, contents.systems[0])
    assert "there were 10 faces that could be seen: a face was found in 40.0" in seen
    assert left.replace(THIN, " ").startswith("Of 10 people 2 left no template on any day (20.0 % [10.0–40.0 %])")
    assert "9 people who left a template would open 1.5 each on average" in records
    assert links.startswith("At its own threshold, two days of one person were linked in 40.0")
    assert "and falsely two different people in 4.0" in links
    assert "without a threshold, the person's own day was the most alike in 45.0" in links
    row = contents.linkage[0]
    unknown = replace(contents, linkage=[{**row, "points": row["points"][:1]}])
    assert linkage.headline(unknown, contents.reference_cell(row["system"]))[1:] == [
        "No threshold could be found, so nothing is said of records and links."
    ]


def test_footage_with_which_nothing_is_compared_leads_with_who_is_found(told):
    _, contents = told
    few = {**contents.heads[0], "found": rate(0.4, 4, 10, people=1, verdict="insufficient")}
    footage = replace(contents, heads=[few], linkage=[], figures=[], contrasts=[], differentials=[],
                      scenario=contents.scenario.model_copy(update={"references": None}))  # fmt: skip
    seen, little, *more = findings.headline(footage, contents.systems[0])
    assert "10 heads that people boxed by hand: a face was found in 40.0" in seen
    assert little == "That rests on 1 stretch of time: too few to say anything."
    assert more == []
    assert "It rests on 1 stretch of time; all heads of one camera in 30 minutes" in findings.unit(footage)
    assert heads.alone(contents) == []


def test_a_threshold_that_was_not_found_says_so(told):
    row = told[1].linkage[0]
    said = linkage.in_words(row, row["points"][0])
    assert said[-1] == "No threshold could be found among so few comparisons, so nothing is said of records and links."


def test_links_are_drawn_by_days_apart_with_records_beside(told):
    row = told[1].linkage[0]
    drawn = charts.linkage(row, row["points"][1])
    rows = [each for rows in drawn["datasets"].values() for each in rows]
    assert [each["day"] for each in rows if "day" in each] == ["1", "2", "3"]
    assert sorted({(each["gap"], each["kind"]) for each in rows if "gap" in each}) == [
        (gap, kind) for gap in "12" for kind in sorted(charts_kinds())
    ]


def charts_kinds():
    return ["days of one person, linked", "nobody else as alike", "two people, linked falsely"]


def test_runs_without_truth_of_heads_or_days_have_no_such_sections(page):
    assert 'id="heads"' not in page
    assert 'id="linkage"' not in page
