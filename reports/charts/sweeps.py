"""Rates against the settings of the camera that a scenario sweeps over."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any

import altair as alt
import polars as pl

from reports.charts.drawing import (
    GREY,
    GRID,
    PERCENT,
    SERIES,
    SHAPES,
    Rows,
    Sheets,
    Spec,
    beside,
    cycled,
    layered,
    panels,
    rate_tooltips,
    short,
)
from reports.reading import Contents
from reports.wording import plain, setting
from testbed.scenario.cells import SWEPT, written


def swept(contents: Contents) -> list[str]:
    """Settings that vary between the run's camera conditions."""
    cameras = [cell.condition for cell in contents.cells if not cell.condition.clean]
    return [name for name in SWEPT if len({getattr(camera, name) for camera in cameras}) > 1]


def sweep(contents: Contents, name: str, frame: pl.DataFrame) -> Spec:
    """FMR, FNMR, FTA and GFRR against one swept setting, a line and an interval band per system.

    frame: as `tables.sweep` gives it. Where several settings vary, each combination of the others is a row of panels.
    """
    sheets = Sheets()
    others = [other for other in swept(contents) if other != name]
    rows: Rows = []
    combinations: list[str] = []
    places: dict[str, Any] = {}
    by_cell = {(cell.system.label, cell.condition_name): cell.condition for cell in contents.cells}
    for row in frame.iter_rows(named=True):
        setting_of = by_cell[row["system"], row["condition"]]
        held = "" if setting_of.clean else ", ".join(f"{plain(o)} {written(getattr(setting_of, o))}" for o in others)
        value = None if setting_of.clean else getattr(setting_of, name)
        if row["value"] is None:
            continue
        combinations.append(held)
        at = "clean" if setting_of.clean else written(value)
        places[at] = inf if value is None else value
        rows.append({
            "metric": row["metric"], "system": row["system"], "condition": at, "held": held, "people": row["people"],
            **beside(row), "value": short(row["value"]), "low": short(row["low"]), "high": short(row["high"]),
        })  # fmt: skip
    order = list(places)
    if all(isinstance(place, int | float) for place in places.values()):
        order.sort(key=lambda at: -places[at])  # from the easiest picture to the hardest, as most settings go
    grouped = bool(contents.people.attributes)
    parts = []
    for held in dict.fromkeys(each for each in combinations if each) or [""]:
        mine = [row for row in rows if row["held"] in ("", held)]
        titles = {"FMR": "FMR, same group" if grouped else "FMR", "FNMR": "FNMR", "FTA": "FTA", "GFRR": "GFRR"}
        parts += [
            _sweep_panel(sheets, [r for r in mine if r["metric"] == metric], f"{title}{', ' + held if held else ''}",
                         order, contents.systems, setting(name))
            for metric, title in titles.items()
        ]  # fmt: skip
    return sheets.specification(panels(parts, columns=2, spacing=28))


def _sweep_panel(sheets: Sheets, rows: Rows, title: str, order: list[str], systems: Sequence[str], axis: str) -> Any:
    base = sheets.chart(rows).encode(
        x=alt.X(
            "condition:O",
            sort=order,
            title=axis,
            scale=alt.Scale(type="point", padding=0.4),
            axis=alt.Axis(labelAngle=0),
        ),
        color=alt.Color(
            "system:N",
            sort=list(systems),
            title=None,
            legend=alt.Legend(orient="top", symbolSize=90, symbolOpacity=1),
            scale=alt.Scale(domain=list(systems), range=cycled(SERIES, len(systems))),
        ),
        tooltip=rate_tooltips("system", "condition"),
    )
    shape = alt.Shape(
        "system:N",
        sort=list(systems),
        title=None,
        scale=alt.Scale(domain=list(systems), range=cycled(SHAPES, len(systems))),
    )
    y_axis = alt.Axis(labelExpr=PERCENT, gridColor=GRID, tickCount=5)
    band = base.mark_area(opacity=0.13).encode(y=alt.Y("low:Q", title=None, axis=y_axis), y2="high:Q")
    line = base.mark_line(strokeWidth=2).encode(y=alt.Y("value:Q", axis=y_axis))
    point = (
        base.transform_filter("!datum.few").mark_point(filled=True, size=60, opacity=1).encode(y="value:Q", shape=shape)
    )
    few = (
        base.transform_filter("datum.few")
        .mark_point(filled=False, size=60, color=GREY)
        .encode(y="value:Q", shape=shape)
    )
    return layered(
        band, line, point, few, width=400, height=190, title=alt.TitleParams(title, anchor="start", fontSize=12)
    )
