"""The section of a watch-list: what is said of a gate, in numbers that evidence holds."""

from __future__ import annotations

import json
import re

import polars as pl
import pytest

from reports import alerts, charts, findings
from reports.reading import read
from reports.stage import report

PREVALENCES = [10.0**-k for k in range(1, 7)]


def rate(value, low, high, errors, comparisons, people, verdict="measured"):
    return {"value": value, "low": low, "high": high, "method": "made up", "assumption_free": None, "errors": errors,
            "comparisons": comparisons, "subjects": people, "verdict": verdict}  # fmt: skip


def view(times, verdict):
    return {
        "missed": rate(0.25, 0.1, 0.5, 5, 20, 9, verdict), "false_alerts": rate(0.04, 0.01, 0.1, 8, 200, 80, verdict),
        "false_alerts_of_all": rate(0.05, 0.02, 0.1, 11, 220, 89, verdict),
        "wanted_mistaken": rate(0.15, 0.03, 0.4, 3, 20, 9, verdict),
        "people_stopped": {**rate(0.0875, 0.03, 0.2, 7, 80, 80, verdict), "least_each": 1, "most_each": 4 * times},
        "per_camera_hour": {"units": 400.0 * times, "value": 16.0 * times, "low": 4.0 * times, "high": 40.0 * times},
    }  # fmt: skip


def group(name, verdict="measured"):
    at = [{"prevalence": p, "value": p * 10, "low": 0.0, "high": min(1.0, p * 30)} for p in PREVALENCES]
    return {
        "group": name, "attributes": {}, "passes": 220, "people": 89, "wanted_passes": 20, "wanted_people": 9,
        "by_pass": view(1, verdict), "by_track": view(2, verdict),
        "unseen": {"wanted_passes": 12, "other_passes": 30, "wanted_people": 1, "others_per_camera_hour": 460.0,
                   "missed": rate(17 / 32, 0.2, 0.8, 17, 32, 10, verdict)},
        "precision": {"verdict": verdict, "own": {"prevalence": 0.1, "value": 0.6, "low": 0.3, "high": 0.9}, "at": at},
    }  # fmt: skip


def alerts_of(run, loaded):
    """A row of alerts for each cell and point; one group has too few people."""
    contents = read(run, loaded)
    groups = [group(g.name, "insufficient" if g.name == "black male" else "measured") for g in contents.people.within()]
    tracking = {"gap_s": 1.0, "overlap": 0.1, "alike": None, "captures": 900, "tracks": 230, "tracks_of_passes": 228,
                "passes_followed": 190, "passes": 200, "broken": 30, "mixed": 3, "unassigned": 2,
                "alerts": {"true": 15, "false": 16, "unknown": 1}}  # fmt: skip
    return [
        {"system": cell.system.label, "condition": {"name": cell.condition_name}, "cell": cell.id,
         "operating_point": point, "threshold": 0.6, "wanted": 10, "fusion": "max score", "cameras": 2, "hours": 0.5,
         "confidence": 0.95, "tracking": tracking, "groups": groups}
        for cell in contents.cells for point in ("own", "fmr=1e-2")
    ]  # fmt: skip


@pytest.fixture
def watched(made_up):
    run, loaded = made_up
    evidence = json.loads((run.path / "evidence.json").read_text())
    run.write_bytes("evidence.json", json.dumps({**evidence, "alerts": alerts_of(run, loaded)}).encode())
    report(run, loaded)
    return run, loaded, read(run, loaded)


def text(run):
    page = (run.path / "report/index.html").read_text(encoding="utf-8")
    section = page[page.index('<section id="alerts">') :]
    words = " ".join(re.sub(r"<[^>]*>", " ", section[: section.index("</section>")]).split())
    return words.replace("\u202f", " ")


def test_the_page_says_what_happens_in_an_hour_to_whom_and_how_sure(watched):
    run, _, _ = watched
    said = text(run)
    assert (
        "At its own threshold of 0.6, of 1,000 passes of people who are not wanted, 40.0 end with a stop by mistake "
        "[10.0–100] (8 of 200 passes, 80 people). In one hour at one camera, at this traffic, such people pass 400 "
        "times and are stopped by mistake 16.0 times [4–40.0] (scaled from the same 200 passes)."
    ) in said
    assert "Of 100 passes of the wanted, 25.0 go unnoticed [10.0–50.0] (5 of 20 passes, 9 people)." in said
    assert (
        "12 further passes of the wanted (and 30 of others) showed no face that could be recognised and are not "
        "counted; counted as unnoticed, 17 of 32 (53.1 % [20.0–80.0 %]) go unnoticed."
    ) in said
    assert "for somebody else who is wanted at 3 of their 20 passes (15.0 % [3.0–40.0 %])" in said
    assert "1 person of the wanted showed no face that could be recognised at any pass" in said
    assert "people who are not wanted pass 460 times an hour at a camera; without, as in the table, 400 times" in said
    assert "in 1 to 4 passes each, 2.5 on average" in said
    assert "in 1 to 8 tracks each" in said
    assert "2 cameras filmed 30.0 minutes together" in said
    assert "at this traffic" in said
    assert (
        "Counted by track, people who are not wanted are stopped by mistake 32.0 times an hour [8–80.0]; by pass, 16.0 "
        "times [4–40.0]."
    ) in said
    assert "too few people to say (9)" in said
    assert "15 right, 16 wrong, 1 where nobody knows who it was" in said


def test_every_group_stands_in_the_table_and_in_the_csv(watched):
    run, _, contents = watched
    table = pl.read_csv(run.path / "report/alerts.csv")
    names = {g.name for g in contents.people.within()}
    assert {name.removeprefix("'") for name in table["group"]} == names
    assert set(table["counted_by"]) == {"pass", "track"}
    assert table.height == len(names) * len(contents.alerts) * 2
    assert pl.read_csv(run.path / "report/precision.csv").height == len(names) * len(contents.alerts) * 7


def test_precision_is_drawn_with_its_band_for_groups_with_people_enough(watched):
    _, _, contents = watched
    drawn = charts.precision(contents.alerts[0])
    rows = [row for rows in drawn["datasets"].values() for row in rows]
    assert "black male" not in {row["key"] for row in rows}
    assert {"all", "black", "female"} <= {row["key"] for row in rows}
    whole = [row for row in rows if row["key"] == "all" and row["one_in"] == 1e6]
    assert whole[0]["value"] == pytest.approx(1e-5)
    assert whole[0]["low"] > 0  # nothing, on a logarithmic scale
    own = [row for row in rows if row["interval"] == "[30.0–90.0\u202f%]"]
    assert [row["one_in"] for row in own] == [10]


def test_what_cannot_be_told_is_said_and_not_printed_as_a_number(made_up):
    run, loaded = made_up
    (row, *_) = alerts_of(run, loaded)
    nothing = {**rate(None, 0.0, 1.0, 0, 0, 0, "insufficient"), "method": "lists are cut at 5"}
    for each in row["groups"]:
        each["precision"] = None
        each["by_pass"] |= {"missed": nothing, "false_alerts": nothing, "per_camera_hour": None}
        each["unseen"] |= {"missed": nothing}
    assert alerts.in_words(row) == [
        "How many are stopped by mistake at its own threshold of 0.6 cannot be told: lists are cut at 5.",
        "How many of the wanted pass unnoticed at its own threshold of 0.6 cannot be told: lists are cut at 5.",
        "12 further passes of the wanted (and 30 of others) showed no face that could be recognised and are not "
        "counted.",
    ]


@pytest.mark.parametrize(
    ("share", "low", "high", "words"),
    [
        (0.26, 0.1, 0.4, "of 100 stops about 26.0 would be of the right person [10.0–40.0]"),
        (1.0, 0.7, 1.0, "of 100 stops all would be of the right person [70.0–100]"),
        (0.001, 0.00014, 0.0041, "of 1,000 stops about 1 would be of the right person [0.14–4.1]"),
        (1 / 1250, 0.0002, 0.004, "of 10,000 stops about 8 would be of the right person [2–40.0]"),
        (0.0, 0.0, 0.0003, "of 100,000 stops none would be of the right person [0–30.0]"),
    ],
)
def test_a_share_of_stops_and_its_interval_are_told_in_the_same_stops(share, low, high, words):
    assert alerts.right({"value": share, "low": low, "high": high}) == words


def test_precision_where_few_are_wanted_stands_in_a_table(watched):
    run, _, _ = watched
    said = text(run)
    assert "If 1 in 1,000 of those who pass were wanted, of 100 stops about 1 would be of the right person" in said
    table = said[said.index("of 100,000 stops, of the right person") :]
    assert "1 in 100 10,000 [0–30,000] 1 in 1,000 1,000 [0–3,000] 1 in 10,000 100 [0–300] 1 in 100,000 10.0" in table


def test_what_was_found_is_said_as_the_gate_says_it_and_nothing_of_searches(watched):
    _, _, contents = watched
    system = contents.systems[0]
    said = findings.headline(contents, system)
    row = contents.alerted(contents.reference_cell(system))[0]
    assert set(alerts.in_words(row)) < set(said)
    assert not any("return somebody" in each or "do not return them first" in each for each in said)
    assert "At the gate" in {finding.heading for finding in findings.findings(contents, system)}


def test_a_run_without_a_watch_list_has_no_such_section(page):
    assert 'id="alerts"' not in page


def test_a_watch_list_of_photographs_is_told_by_pass_alone(made_up):
    run, loaded = made_up
    rows = alerts_of(run, loaded)
    for row in rows:
        row["tracking"] = row["hours"] = None
        for each in row["groups"]:
            each["by_track"] = each["unseen"] = each["by_pass"]["per_camera_hour"] = None
    evidence = json.loads((run.path / "evidence.json").read_text())
    run.write_bytes("evidence.json", json.dumps({**evidence, "alerts": rows}).encode())
    report(run, loaded)
    assert "These are photographs: they have no hours, and no tracks." in text(run)
    assert "What tracking did" not in text(run)
    assert set(pl.read_csv(run.path / "report/alerts.csv")["counted_by"]) == {"pass"}
