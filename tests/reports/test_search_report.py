"""A run that compares and searches: galleries of several sizes, and the model beside the measurement."""

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from reports import charts, findings, tables
from reports.reading import read
from reports.stage import report
from testbed.evidence.stage import evaluate
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import CANDIDATES, SEARCHES
from testbed.scenario.loading import reload
from testbed.scorelogs.options import LogOptions
from testbed.scorelogs.stage import import_log

EXAMPLES = Path(__file__).parents[2] / "examples"
SIZES = (10, 20, 40)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> RunDirectory:
    """The example log of comparisons, and searches of all its probes in nested galleries of its people."""
    options = LogOptions((EXAMPLES / "scores.csv",), subjects=EXAMPLES / "people.csv", threshold=0.6,
                         direction="distance")  # fmt: skip
    run = import_log(options, tmp_path_factory.mktemp("searches") / "run")
    loaded = reload(run.manifest()["scenario"])
    cell = loaded.cells[0].id
    log = pl.read_csv(EXAMPLES / "scores.csv").drop_nulls("score")
    people = sorted(log["reference_subject"].unique())
    probes = log.unique("probe").select(search="probe", subject="probe_subject", state=pl.lit("searched"))
    named = [pl.lit(cell).alias("cell")]
    searches, candidates = [], []
    for size in SIZES:
        gallery = people[5 : 5 + size]
        of = [*named, pl.lit(size).alias("gallery")]
        searches.append(probes.with_columns(*of, mated=pl.col("subject").is_in(gallery)))
        listed = log.filter(pl.col("reference_subject").is_in(gallery)).sort("score").with_columns(
            *of, rank=pl.int_range(1, pl.len() + 1).over("probe")
        )  # fmt: skip
        candidates.append(
            listed.filter(pl.col("rank") <= 8).select(
                "cell", "gallery", "rank", "reference", "score", search="probe", subject="reference_subject"
            )
        )
    run.write(SEARCHES, pl.concat(searches))
    run.write(CANDIDATES, pl.concat(candidates), f"{cell}/log/0")
    evaluate(run, loaded)
    report(run, loaded)
    return run


@pytest.fixture(scope="module")
def contents(run):
    return read(run, reload(run.manifest()["scenario"]))


def test_every_gallery_has_its_rates(run, contents):
    cell = contents.cells[0]
    assert contents.gallery_sizes(cell) == list(SIZES)
    assert contents.ranks(cell, 40, "own") == [1, 5]
    log = pl.read_csv(EXAMPLES / "scores.csv")
    for size in SIZES:
        gallery = sorted(log["reference_subject"].unique())[5 : 5 + size]
        strangers = log.filter(pl.col("reference_subject").is_in(gallery) & ~pl.col("probe_subject").is_in(gallery))
        alerts = strangers.group_by("probe").agg((pl.col("score") <= 0.6).any())["score"]
        figure = contents.figure("FPIR", cell, gallery=size)
        assert (figure["errors"], figure["comparisons"]) == (alerts.sum(), len(alerts))


def test_the_model_is_drawn_dashed_beside_the_measured_rate(run, contents):
    evidence = json.loads((run.path / "evidence.json").read_text())["figures"]
    fmr = contents.figure("FMR", contents.cells[0], "all", "all")["value"]
    models = {f["gallery_size"]: f["value"] for f in evidence if f["metric"] == "FPIR model"}
    assert models == pytest.approx({size: 1 - (1 - fmr) ** size for size in SIZES})
    drawn = charts.growth(contents, contents.cells[0])
    rows = [row for rows in drawn["datasets"].values() for row in rows]
    assert {(row["gallery"], row["what"]) for row in rows} == {(n, w) for n in SIZES for w in ("measured", "model")}
    assert any(layer["mark"].get("strokeDash") for layer in drawn["layer"])


def test_where_the_model_leaves_the_measured_interval_is_said(run, contents):
    cell = contents.cells[0]
    within, outside = contents.model_breaks(cell)
    assert sorted(within + outside) == list(SIZES)
    for size in SIZES:
        measured, model = (contents.figure(name, cell, *who, gallery=size)
                           for name, who in (("FPIR", ()), ("FPIR model", ("all", "all"))))  # fmt: skip
        assert (size in outside) == (not measured["low"] <= model["value"] <= measured["high"])
    said = f"Here it breaks: it lies outside the interval of what was measured in a gallery of {outside[0]}" \
        if outside else "Here it lies inside the interval of what was measured"  # fmt: skip
    assert said in (run.path / "report" / "index.html").read_text()


def test_the_page_says_what_searches_return_and_still_what_comparisons_do(run):
    page = (run.path / "report" / "index.html").read_text()
    assert "of searches for people who are not in the gallery of 40 people" in page
    assert "cannot be known from lists" not in page
    assert "1 − (1 − FMR)" in page
    assert 'id="by-group"' in page


def test_where_the_main_threshold_cannot_be_told_the_next_one_is_spoken_of_by_name(contents):
    (cell,), main = contents.cells, contents.main_point
    other = next(point for point in contents.searched_points(cell) if point != main)
    assert contents.searched_point(cell) == main
    untold = [
        {**f, "value": None, "comparisons": 0, "method": "by hand"}
        if (f["unit"], f["operating_point"]) == ("search", main) else f
        for f in contents.figures
    ]  # fmt: skip
    without = replace(contents, figures=untold)
    assert without.searched_point(cell) == other
    said = findings._searches(without, cell)
    assert said[0] == "At its own threshold, searches cannot be told: by hand."
    assert said[1].startswith("At the threshold for a false match rate of 1\u202f%, of searches for people who are not")
    assert tables.glance(without, cell.system.label)["FPIR"] == contents.figure("FPIR", cell, point=other, gallery=40)
    assert without.returned(cell, 40)["measured"]["operating_point"] == other
    nothing = replace(contents, figures=[f for f in untold if f["operating_point"] != other])
    assert nothing.searched_point(cell) == main
    assert len(findings._searches(nothing, cell)) == 1
