"""Indices, label errors and corrections as a reader sees them; labels are hostile, ids are nowhere."""

from __future__ import annotations

import csv
import html
import json
import re
from pathlib import Path
from typing import Any

import pytest

from reports.stage import report
from testbed.runs.directory import RunDirectory
from testbed.scenario.loading import Loaded


def index(cell: str, name: str, metrics: list[str], verdict: str, hostile: str, **values: Any) -> dict[str, Any]:
    return {
        "name": name, "metrics": metrics, "weight": None, "kind": "eth",
        "system": "one", "condition": {"name": "clean"}, "cell": cell, "operating_point": "own", "threshold": 0.6,
        "value": None, "low": None, "high": None,
        "confidence": 0.95, "groups": ["black", "white"], "left_out": [hostile], "equal": 1, "verdict": verdict,
        "words": "What it is.", "why": None, **values,
    }  # fmt: skip


@pytest.fixture
def page(made_up: tuple[RunDirectory, Loaded], hostile: str) -> tuple[str, Path]:
    """The report of a run with indices, label errors and corrections."""
    run, loaded = made_up
    cell = loaded.cells[0].id
    path = run.path / "evidence.json"
    evidence = json.loads(path.read_text())
    whose = {"system": "one", "condition": {"name": "clean"}, "cell": cell, "operating_point": "own", "threshold": 0.6}
    rate = {"value": 0.25, "low": 0.1, "high": 0.5, "errors": 20, "comparisons": 80, "subjects": 8, "confidence": 0.95}
    evidence["indices"] = [
        index(cell, "max/min", ["FMR"], "measured", hostile, value=92.1, low=11.35, high=642.1),
        index(cell, "IR", ["FMR", "FNMR"], "interval only", hostile, low=2.5, why="A group has no error."),
        index(cell, "GARBE", ["FMR", "FNMR"], "insufficient", hostile, why="Not given: no group has an error."),
    ]
    told = {"compared_with": "white", "shown": True, "still_shown": False, "words": "black: no longer shown, 3_4."}
    evidence["label_sensitivity"] = [
        {**whose, **rate, "metric": "FMR", "kind": "eth", "file": "m.csv", "probe_group": name, "reference_group": name,
         "corrected": corrected, "corrected_low": 0.05, "corrected_high": 0.6, "least": 0.25, "greatest": 0.31,
         "why": None, "verdict": "measured", **(told if name == "black" else dict.fromkeys(told))}
        for name, corrected in (("black", 0.31), (hostile, None))
    ]  # fmt: skip
    moved = {f"corrected_{name}": value for name, value in {**rate, "value": 0.1, "errors": 8}.items()}
    same = {f"corrected_{name}": value for name, value in rate.items()}
    evidence["corrections"] = {
        "file": "sheet.csv", "rows": 40, "same_person": 13, "followed": 1, "every_comparison_known": False,
        "false_matches": {"same": 12, "different": 7, "unclear": 1, "listed": 23, "unanswered": 3}, "unanswered": 9,
        "others": {"same": 1, "different": 19, "unclear": 0, "share": 0.05, "low": 0.001, "high": 0.249,
                   "confidence": 0.95, "pairs": 131, "estimated_low": 0.166, "estimated_high": 32.6},
        "figures": [
            {**whose, **rate, **after, "metric": "FMR", "probe_group": name, "reference_group": name,
             "gallery_size": None, "rank": None, "verdict": "measured"}
            for name, after in ((hostile, moved), ("white", same))
        ],
        "verdicts": [{**whose, "metric": "FMR", "kind": "eth", "group": hostile, "verdict": "higher",
                      "corrected_verdict": "not shown", "words": "Was higher.", "corrected_words": "Is not shown."}],
    }  # fmt: skip
    run.write_bytes("evidence.json", json.dumps(evidence).encode())
    run.note(label_errors={"eth": {"file": "m.csv", "labels": ["black", hostile], "assigned": [[0.9, 0.1], [0, 1]]}})
    return report(run, loaded).read_text(encoding="utf-8"), run.path / "report"


def section(page: str, name: str) -> str:
    found = re.search(rf'<section id="{name}">.*?</section>', page, re.DOTALL)
    assert found
    return found[0]


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_an_index_stands_with_its_interval_its_definition_and_who_was_left_out(
    page: tuple[str, Path], hostile: str
) -> None:
    text = section(page[0], "indices")
    assert '<a href="#max-over-min">max/min</a>' in text
    assert "92.1</td><td>11.3 to 642" in text
    assert "at least 2.5<small>A group has no error.</small>" in text
    assert re.search(r'href="#garbe">GARBE</a> \(FMR and FNMR\): not given: no group has an error', text)
    assert re.search(rf"left out.*{re.escape(html.escape(hostile))}", text)
    assert "We prefer the" in text
    assert [row["left_out"] for row in rows(page[1], "indices")] == [f"'{hostile}"] * 3


def test_rates_for_wrong_labels_stand_beside_those_as_labelled(page: tuple[str, Path], hostile: str) -> None:
    text = section(page[0], "labels")
    for told in ("m.csv", "25.0\u202f%", "31.0\u202f%", "no longer shown, 3 4.", html.escape(hostile)):
        assert told in text
    assert [row["corrected"] for row in rows(page[1], "label_sensitivity")] == ["0.31", ""]


def test_corrections_show_what_moves_both_ways_and_count_what_does_not(page: tuple[str, Path], hostile: str) -> None:
    text = section(page[0], "corrections")
    for told in (
        "12 turned out to be one person, so that the match was right", "between 0 and 33 are one person",
        "20 of 80", "8 of 80", "Unchanged: 1 rate of", "such comparisons could not be moved",
        "1 pair more by inference", "Of the 23 pairs falsely matched", "<b>3 have no answer</b>",
        "In all, 9 pairs of the sheet have no answer", "As recorded: Was higher. Corrected: Is not shown.",
    ):  # fmt: skip
        assert told in text
    assert html.escape(hostile) in text
    assert len(rows(page[1], "corrections")) == 2


def test_no_id_and_no_markup_comes_through(page: tuple[str, Path], ids: list[str]) -> None:
    assert "<script>alert" not in page[0]
    for file in page[1].iterdir():
        assert not [name for name in ids if name in file.read_text(encoding="utf-8")], file


def test_without_label_errors_and_checks_there_is_no_such_section(made_up: tuple[RunDirectory, Loaded]) -> None:
    run, loaded = made_up
    text = report(run, loaded).read_text(encoding="utf-8")
    assert not [name for name in ("indices", "labels", "corrections") if f'id="{name}"' in text]


def test_the_test_of_one_rate_for_all_stands_beside_the_ratio_in_words(made_up: tuple[RunDirectory, Loaded]) -> None:
    run, loaded = made_up
    text = section(report(run, loaded).read_text(encoding="utf-8"), "by-group")
    assert "If all groups had one rate, differences as large as these would come up in" in text
    assert "black: strangers of the same group are taken for one another at least 5.3 times as often" in text
    assert "no difference." in text  # "… does not show that there is no difference."
    assert text.count("no difference") == text.count("does not show that there is no difference")
