"""Score distributions, with the thresholds in use."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from reports.charts.drawing import (
    BLUE,
    GREY,
    GRID,
    INK,
    ORANGE,
    Rows,
    Sheets,
    Spec,
    either,
    layered,
    panels,
    short,
    tooltips,
)
from reports.reading import EVERYBODY, Contents
from reports.wording import condition, count, plain
from testbed.scenario.cells import Cell


def scores(contents: Contents, cell: Cell, frame: pl.DataFrame) -> Spec:
    """Scores of strangers and of the same person, one panel per group, the thresholds as rules.

    frame: table DISTRIBUTIONS as `tables.distributions` gives it.
    """
    sheets = Sheets()
    mine = frame.filter(pl.col("system") == cell.system.label, pl.col("condition") == cell.condition_name)
    parts = []
    for group in contents.people.within():
        figure = contents.figure("FMR", cell, group.name, group.name)
        few = figure is None or figure["verdict"] == "insufficient"
        title = f"{plain(group.name)} · {count(contents.size(group))}" + (" · too few" if few else "")
        parts.append(
            _scores_panel(sheets, mine.filter(pl.col("group") == group.name), _thresholds(contents, cell), title, few)
        )
    return sheets.specification(panels(parts, columns=4, spacing=16, resolve={"scale": {"x": "shared"}}))


def scores_by_condition(contents: Contents, system: str, frame: pl.DataFrame) -> Spec:
    """Scores of everybody, one panel per condition."""
    sheets = Sheets()
    parts = []
    everybody = frame.filter(pl.col("system") == system, pl.col("group") == EVERYBODY)
    for name in contents.conditions:
        cell = contents.cell(system, name)
        rows = everybody.filter(pl.col("condition") == name)
        parts.append(_scores_panel(sheets, rows, _thresholds(contents, cell), condition(name), few=False))
    return sheets.specification(panels(parts, columns=4, spacing=16, resolve={"scale": {"x": "shared"}}))


def _thresholds(contents: Contents, cell: Cell) -> Rows:
    points = contents.thresholds.filter(
        (pl.col("cell") == cell.id) & ((pl.col("point") == "own") | pl.col("point").str.contains("^(fmr|given)="))
    )
    return [
        {"x": (a + b) / 2, "point": _point(point), "main": point == contents.main_point}
        for point, a, b in points.select("point", "threshold_0", "threshold_1").iter_rows()
        if a is not None and b is not None and a == a and b == b
    ]


def _point(point: str) -> str:
    return "own threshold" if point == "own" else point.replace("fmr=", "FMR ").replace("given=", "given ")


def _scores_panel(sheets: Sheets, frame: pl.DataFrame, rules: Rows, title: str, few: bool) -> Any:
    rows = [
        {
            "low": short(low), "high": short(high), "share": short(share), "n": n,
            "who": "same person" if mated else "strangers",
        }
        for low, high, share, n, mated in frame.select("low", "high", "share", "comparisons", "mated").iter_rows()
    ]  # fmt: skip
    bars = (
        sheets.chart(rows)
        .mark_bar(opacity=0.35 if few else 0.65, binSpacing=0)
        .encode(
            x=alt.X("low:Q", title=None, scale=alt.Scale(zero=False), axis=alt.Axis(grid=False, tickCount=5)),
            x2="high:Q",
            y2=alt.Y2Datum(0),
            y=alt.Y("share:Q", title=None, axis=alt.Axis(format="~%", tickCount=3, gridColor=GRID)),
            color=alt.Color(
                "who:N",
                title=None,
                scale=alt.Scale(domain=["strangers", "same person"], range=[BLUE, ORANGE]),
                legend=alt.Legend(orient="top", direction="horizontal"),
            ),
            tooltip=tooltips("who", "low", "high", share="share", comparisons="n"),
        )
    )
    rule = (
        sheets.chart(rules)
        .mark_rule(color=INK)
        .encode(
            x="x:Q",
            strokeDash=either(alt.StrokeDashValue, "datum.main", [1, 0], [3, 3]),
            tooltip=[alt.Tooltip("point:N", title="threshold"), alt.Tooltip("x:Q", title="score")],
        )
    )
    colour = GREY if few else INK
    return layered(
        bars,
        rule,
        width=186,
        height=80,
        title=alt.TitleParams(title, anchor="start", fontSize=11, fontWeight="normal", color=colour),
    )
