"""The page of a sweep: figures of evidence, each at its value, and nothing that evidence does not hold."""

from __future__ import annotations

import json
import re
import shutil

import polars as pl
import pytest

from pipelines.errors import InputError
from reports import sweeps
from reports.catalogue import anchor
from testbed.runs.directory import RunDirectory


@pytest.fixture
def runs(made_up, tmp_path):
    """Two runs that differ in FMR: doubled in the second; it measured no FTA."""
    run, loaded = made_up
    other = RunDirectory(tmp_path / "other")
    shutil.copytree(run.path, other.path)
    evidence = json.loads((run.path / "evidence.json").read_text())
    for figure in evidence["figures"]:
        if figure["metric"] == "FMR":
            figure["value"], figure["high"] = 2 * figure["value"], 1.0
    evidence["figures"] = [figure for figure in evidence["figures"] if figure["metric"] != "FTA"]
    other.write_bytes("evidence.json", json.dumps(evidence).encode())
    return [("4", loaded, run), ("16", loaded, other)]


def specs(page):
    found = re.search(r'<script type="application/json" id="specs">(.*?)</script>', page, re.S)
    return list(json.loads(found[1]).values())


def test_each_point_is_a_figure_of_its_run(runs, tmp_path):
    page = sweeps.write(tmp_path / "out", "seed", runs)
    table = pl.read_csv(tmp_path / "out/sweep.csv")
    fmr = table.filter((pl.col("metric") == "FMR") & (pl.col("system") == "one") & (pl.col("condition") == "clean"))
    assert fmr.select("run", "swept", "value", "high", "reference_group").rows() == [
        ("run", 4, 0.05, pytest.approx(0.15), "same group"), ("other", 16, 0.1, 1.0, "same group"),
    ]  # fmt: skip
    # Two systems under three conditions: a panel each, with a line for each system, on a numeric axis.
    first = specs(page.read_text())[0]
    assert len(first["concat"]) == len(first["datasets"]) == 3
    for rows in first["datasets"].values():
        assert sorted((row["system"], row["at"]) for row in rows) == [
            ("one", 4.0), ("one", 16.0), ("two", 4.0), ("two", 16.0),
        ]  # fmt: skip
    assert first["concat"][0]["layer"][0]["encoding"]["x"]["type"] == "quantitative"


def test_the_page_says_that_points_depend_on_each_other_and_links_each_report(runs, tmp_path):
    page = sweeps.write(tmp_path / "out", "seed", runs).read_text()
    assert "points beside each other are not independent" in page
    assert "no trend is judged" in page
    assert 'href="run/report/index.html">4</a>' in page
    assert 'href="other/report/index.html">16</a>' in page
    assert "not in this run" in page  # FTA of the second
    assert "somebody/secret" not in page


def test_values_that_are_no_numbers_lie_side_by_side_and_nothing_is_run_as_markup(runs, tmp_path):
    words = [(value, *rest) for value, (_, *rest) in zip(("<b>best</b>", "max score"), runs, strict=True)]
    page = sweeps.write(tmp_path / "out", "search.fusion", words).read_text()
    assert "<b>best</b>" not in page
    x = specs(page)[0]["concat"][0]["layer"][0]["encoding"]["x"]
    assert (x["type"], x["sort"]) == ("nominal", ["<b>best</b>", "max score"])


def test_an_asked_metric_that_no_run_measured_is_said_to_be_absent(runs, tmp_path):
    page = sweeps.write(tmp_path / "out", "seed", runs, [sweeps.known("FPIR")]).read_text()
    assert "None of these runs has measured it" in page
    assert specs(page) == []


def test_made_up_people_are_marked_on_the_page_its_charts_and_its_table(runs, tmp_path):
    for _, _, run in runs:
        run.note(synthetic=True)
    page = sweeps.write(tmp_path / "out", "seed", runs).read_text()
    assert "Made-up people: nobody on this page exists" in page
    assert all("made-up people" in spec["title"]["text"] for spec in specs(page))
    assert "The runs share people" not in page
    assert "nobody is in two runs" in page
    assert "The runs share people" in sweeps.write(tmp_path / "out", "search.wanted", runs).read_text()
    assert pl.read_csv(tmp_path / "out/sweep.csv")["made_up_people"].all()


def test_every_metric_is_defined_in_the_catalogue():
    assert all(anchor(metric.entry) for metric in (*sweeps.MAIN, *sweeps.MORE))
    with pytest.raises(InputError, match="did you mean `FNMR`"):
        sweeps.known("FNMRR")
