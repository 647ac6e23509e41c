"""The section of a watch-list: what is said of a gate, in numbers that evidence holds."""

from __future__ import annotations

import json
import re

import polars as pl
import pytest

from reports import alerts, charts
from reports.reading import read
from reports.stage import report

PREVALENCES = [10.0**-k for k in range(1, 7)]


def rate(value, low, high, errors, comparisons, people, verdict="measured"):
    return {"value": value, "low": low, "high": high, "method": "made up", "assumption_free": None, "errors": errors,
            "comparisons": comparisons, "subjects": people, "verdict": verdict}  # fmt: skip


def view(times, verdict):
    return {
        "missed": rate(0.25, 0.1, 0.5, 5, 20, 9, verdict), "false_alerts": rate(0.04, 0.01, 0.1, 8, 200, 90, verdict),
        "people_stopped": rate(0.08, 0.03, 0.2, 7, 90, 90, verdict),
        "per_camera_hour": {"units": 400.0 * times, "value": 16.0 * times, "low": 4.0 * times, "high": 40.0 * times},
    }  # fmt: skip


def group(name, verdict="measured"):
    at = [{"prevalence": p, "value": p * 10, "low": 0.0, "high": min(1.0, p * 30)} for p in PREVALENCES]
    return {
        "group": name, "attributes": {}, "passes": 200, "people": 90, "wanted_passes": 20, "wanted_people": 9,
        "by_pass": view(1, verdict), "by_track": view(2, verdict),
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
    return " ".join(re.sub(r"<[^>]*>", " ", section[: section.index("</section>")]).split())


def test_the_page_says_what_happens_in_an_hour_to_whom_and_how_sure(watched):
    run, _, _ = watched
    said = text(run)
    assert "people pass 400 times; 16.0 times somebody is stopped by mistake [4–40.0]" in said
    assert "Of 100 passes of the wanted, 25.0 go unnoticed [10.0–50.0] (5 of 20, 9 people)." in said
    assert "2 cameras filmed 30.0 minutes together" in said
    assert "at this traffic" in said
    assert "Counted by track, 32.0 stops an hour are mistakes [8–80.0]; by pass, 16.0 [4–40.0]." in said
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
    nothing = {**rate(None, 0.0, 1.0, 0, 0, 0, "insufficient"), "method": "lists are cut at 1 candidates"}
    for each in row["groups"]:
        each["precision"] = None
        each["by_pass"] |= {"missed": nothing, "false_alerts": nothing, "per_camera_hour": None}
    assert alerts.in_words(row) == [
        "How many are stopped by mistake cannot be told: lists are cut at 1 candidates.",
        "How many of the wanted pass unnoticed cannot be told: lists are cut at 1 candidates.",
    ]


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.26, "of 100 stops about 26.0"),
        (1.0, "of 100 stops all"),
        (1 / 1100, "about 1 stop in 1,100"),
        (0.0, "no stop"),
    ],
)
def test_a_share_of_stops_is_told_in_stops(share, words):
    assert alerts.right(share) == words


def test_a_run_without_a_watch_list_has_no_such_section(page):
    assert 'id="alerts"' not in page


def test_a_watch_list_of_photographs_is_told_by_pass_alone(made_up):
    run, loaded = made_up
    rows = alerts_of(run, loaded)
    for row in rows:
        row["tracking"] = row["hours"] = None
        for each in row["groups"]:
            each["by_track"] = each["by_pass"]["per_camera_hour"] = None
    evidence = json.loads((run.path / "evidence.json").read_text())
    run.write_bytes("evidence.json", json.dumps({**evidence, "alerts": rows}).encode())
    report(run, loaded)
    assert "These are photographs: they have no hours, and no tracks." in text(run)
    assert "What tracking did" not in text(run)
    assert set(pl.read_csv(run.path / "report/alerts.csv")["counted_by"]) == {"pass"}
