"""Rates against a setting: of the camera, within a run; of anything, over several runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    tooltips,
)
from reports.reading import Contents, Figure
from reports.wording import count, plain, setting
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


def over_runs(
    rows: Sequence[Figure],
    written: Callable[[float | None], str],
    between: Callable[[Figure], str],
    key: str,
    times: int | None = None,
) -> Spec:
    """A rate against the value in which runs differ: a point with its interval for each run, a line for each system.

    rows: as `reports.sweeps.rows_of` gives them; each condition is a panel. Values that are all numbers lie on a scale,
    a logarithmic one where they span more than a factor of twenty; others lie side by side. times: of how many it is
    told, else per cent.
    """
    sheets = Sheets()
    numbers = all(row["at"] is not None for row in rows)
    factor = times or 1
    drawn: Rows = [
        {
            "at": row["at"] if numbers else row["swept"], "system": row["line"][0], "condition": row["line"][1],
            "swept": row["swept"], "value": short(factor * row["value"]), "low": short(factor * row["low"]),
            "high": short(factor * row["high"]), "shown": written(row["value"]), "interval": between(row),
            "counts": f"{count(row['errors'])} / {count(row['comparisons'])}", "people": count(row["people"]),
            "few": row["verdict"] == "insufficient",
        }
        for row in rows if row["value"] is not None
    ]  # fmt: skip
    if numbers:
        at = sorted({row["at"] for row in drawn})
        wide = at[0] > 0 and at[-1] > 20 * at[0]
        scale = alt.Scale(type="log" if wide else "linear", zero=False, padding=24, nice=False)
        x = alt.X("at:Q", title=key, scale=scale, axis=alt.Axis(values=at, format="~r", grid=False))
    else:
        order = list(dict.fromkeys(row["swept"] for row in rows))
        x = alt.X("at:N", title=key, sort=order, scale=alt.Scale(type="point", padding=0.4),
                  axis=alt.Axis(labelAngle=0))  # fmt: skip
    systems, conditions = (list(dict.fromkeys(row["line"][part] for row in rows)) for part in (0, 1))
    top = max((row["high"] for row in drawn), default=1.0)
    parts = [
        _run_panel(sheets, [row for row in drawn if row["condition"] == condition], x, key, systems, times, top,
                   title=condition, width=620 if len(conditions) == 1 else 400)
        for condition in conditions if any(row["condition"] == condition for row in drawn)
    ]  # fmt: skip
    return sheets.specification(panels(parts, columns=2, spacing=28))


def _run_panel(
    sheets: Sheets,
    rows: Rows,
    x: Any,
    key: str,
    systems: Sequence[str],
    times: int | None,
    top: float,
    *,
    title: str,
    width: int,
) -> Spec:
    legend = alt.Legend(orient="top", symbolSize=90, symbolOpacity=1) if len(systems) > 1 else None
    colour, shape = (
        channel("system:N", sort=list(systems), title=None, legend=legend,
                scale=alt.Scale(domain=list(systems), range=cycled(values, len(systems))))
        for channel, values in ((alt.Color, SERIES), (alt.Shape, SHAPES))
    )  # fmt: skip
    axis = alt.Axis(gridColor=GRID, tickCount=5, **({} if times else {"labelExpr": PERCENT}))
    scale = alt.Scale(domain=[0, top], nice=True)
    rates = alt.Y("value:Q", title=f"of {times:,}" if times and times > 1 else None, axis=axis, scale=scale)
    named = {key: "swept", "rate": "shown", "interval": "interval", "errors / counted": "counts", "people": "people"}
    base = sheets.chart(rows).encode(x=x, tooltip=tooltips("system", **named))
    line = base.mark_line(strokeWidth=1.5, opacity=0.5).encode(y=rates, color=colour)
    bar = base.mark_rule(strokeWidth=2.5, opacity=0.45).encode(y=alt.Y("low:Q"), y2="high:Q", color=colour)
    point = base.transform_filter("!datum.few").mark_point(filled=True, size=75, opacity=1)
    few = base.transform_filter("datum.few").mark_point(filled=False, size=75, color=GREY)
    return layered(
        line, bar, point.encode(y=rates, color=colour, shape=shape), few.encode(y=rates, shape=shape), width=width,
        height=240, title=alt.TitleParams(title, anchor="start", fontSize=12),
    )  # fmt: skip
