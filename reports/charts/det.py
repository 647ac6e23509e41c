"""DET curves: the trade-off between false matches and misses at every threshold."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from reports.charts.drawing import (
    DASHES,
    GRID,
    PALE,
    PERCENT,
    SERIES,
    Rows,
    Sheets,
    Spec,
    cycled,
    layered,
    panels,
    short,
    tooltips,
)
from reports.reading import Contents
from reports.wording import interval, kind_of_group, percent, plain, score
from testbed.matching.people import Group
from testbed.scenario.cells import Cell


def det(contents: Contents, cell: Cell, frame: pl.DataFrame) -> Spec:
    """DET by group, one panel per kind of group; the main operating point marked, insufficient groups thin and grey.

    frame: as `tables.det` gives it.
    """
    sheets = Sheets()
    mine = frame.filter(pl.col("system") == cell.system.label, pl.col("condition") == cell.condition_name)
    parts = []
    for kind, groups in (contents.kinds() or {"": [contents.people.everyone()]}).items():
        curves: Rows = []
        points: Rows = []
        enough = []
        # A logarithmic axis has no zero: it is drawn where half an error among all comparisons would be.
        zero = 0.5 / max(1, _most_compared(contents, cell, groups))
        for group in groups:
            figure, misses = (
                contents.figure("FMR", cell, group.name, group.name),
                contents.figure("FNMR", cell, group.name),
            )
            few = figure is None or figure["verdict"] == "insufficient"
            for t, x, y in mine.filter(pl.col("group") == group.name).select("threshold", "fmr", "fnmr").iter_rows():
                curves.append({"group": plain(group.name), "few": few, "t": short(t), "at": short(max(x, zero)),
                               "fmr": short(x), "fnmr": short(y)})  # fmt: skip
            if figure is None or misses is None or few or figure["value"] is None or misses["value"] is None:
                continue
            enough.append(plain(group.name))
            points.append({"group": plain(group.name), "at": max(figure["value"], zero), "fnmr": misses["value"],
                           "FMR": f"{percent(figure['value'])} {interval(figure)}", "t": score(figure["threshold"]),
                           "FNMR": f"{percent(misses['value'])} {interval(misses)}"})  # fmt: skip
        parts.append(_det_panel(sheets, kind, curves, points, enough, zero))
    apart = {"scale": {"color": "independent", "strokeDash": "independent"}}
    return sheets.specification(panels(parts, columns=3, spacing=18, resolve=apart))


def _most_compared(contents: Contents, cell: Cell, groups: list[Group]) -> int:
    figures = (contents.figure("FMR", cell, group.name, group.name) for group in groups)
    return max((figure["comparisons"] for figure in figures if figure is not None), default=0)


def _det_panel(sheets: Sheets, kind: str, curves: Rows, points: Rows, enough: list[str], zero: float) -> Any:
    ticks = [zero, *(10.0**-k for k in range(6, -1, -1) if 10.0**-k > 2 * zero)]
    x = alt.X(
        "at:Q",
        scale=alt.Scale(type="log", domain=[zero, 1]),
        title="FMR (logarithmic)",
        axis=alt.Axis(
            labelExpr=f"datum.value < {1.5 * zero:.3g} ? '0' : {PERCENT}",
            values=ticks,
            gridColor=GRID,
            labelFlush=False,
        ),
    )
    y = alt.Y(
        "fnmr:Q",
        scale=alt.Scale(type="pow", exponent=0.5, domain=[0, 1]),
        title="FNMR",
        axis=alt.Axis(labelExpr=PERCENT, values=[0, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1], gridColor=GRID),
    )
    colour = alt.Color(
        "group:N",
        sort=enough,
        title=None,
        legend=alt.Legend(orient="bottom", columns=2, symbolType="stroke", symbolSize=250, symbolStrokeWidth=2.5),
        scale=alt.Scale(domain=enough, range=cycled(SERIES, len(enough))),
    )
    dash = alt.StrokeDash(
        "group:N",
        sort=enough,
        title=None,
        legend=None,
        scale=alt.Scale(domain=enough, range=cycled(DASHES, len(enough))),
    )
    base = sheets.chart(curves).encode(
        x=x, y=y, order="t:Q", tooltip=tooltips("group", threshold="t", FMR="fmr", FNMR="fnmr")
    )
    few = base.transform_filter("datum.few").mark_line(color=PALE, strokeWidth=1, strokeDash=[3, 3])
    many = base.transform_filter("!datum.few").mark_line(strokeWidth=2)
    here = sheets.chart(points).mark_point(filled=True, size=80, opacity=1, stroke="white", strokeWidth=1)
    layers = [
        few.encode(detail="group:N"),
        many.encode(color=colour, strokeDash=dash),
        here.encode(x=x, y=y, color=colour, tooltip=tooltips("group", "FMR", "FNMR", threshold="t")),
    ]
    title = alt.TitleParams(kind_of_group(kind or "everybody"), anchor="start", fontSize=12)
    return layered(*layers, width=238, height=210, title=title)
