"""Precision: how many stops are of the right person, by how rare the wanted are."""

from __future__ import annotations

from typing import Any

import altair as alt

from reports.charts.drawing import GRID, INK, ORANGE, SERIES, Sheets, Spec, cycled, layered, short, tooltips
from reports.reading import EVERYBODY, Figure
from reports.wording import bounds, percent, plain

_LEAST = 1e-7
"""The foot of the chart: a lower limit of nothing has no place on a logarithmic scale."""
_ONE_IN = "datum.value < 1e6 ? '1 in ' + format(datum.value, ',') : '1 in 1 million'"


def precision(row: Figure) -> Spec:
    """Of one row of alerts: everybody with its band and the run's own share of wanted; groups with people enough."""
    sheets = Sheets()
    told = [group for group in row["groups"] if group["precision"] is not None]
    rows = [_at(group, at) for group in told for at in group["precision"]["at"] if at["value"] is not None]
    enough = {group["group"] for group in told if group["precision"]["verdict"] == "measured"}
    whole = [each for each in rows if each["key"] == EVERYBODY]
    others = [each for each in rows if each["key"] != EVERYBODY and each["key"] in enough]
    own = [_at(group, group["precision"]["own"]) for group in told if group["group"] == EVERYBODY]
    own = [each for each in own if each["value"] is not None]
    x = alt.X(
        "one_in:Q", scale=alt.Scale(type="log", domain=[1, 1e6], nice=False),
        title="of those who pass, this many are wanted (an assumption)",
        axis=alt.Axis(values=[1, 10, 100, 1000, 10_000, 100_000, 1_000_000], labelExpr=_ONE_IN, gridColor=GRID,
                      labelOverlap=False, labelFlush=False),
    )  # fmt: skip
    scale = alt.Scale(type="log", domain=[_LEAST, 1], nice=False, clamp=True)
    axis = alt.Axis(
        values=[1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1], labelExpr="format(datum.value * 100, '~r') + ' %'",
        gridColor=GRID,
    )  # fmt: skip
    y = alt.Y("value:Q", scale=scale, axis=axis, title="of stops, of the right person")
    shown = tooltips("group", "wanted", **{"right person": "shown", "interval": "interval"})
    layers = [
        sheets.chart(whole).mark_area(color=INK, opacity=0.13).encode(
            x=x, y=alt.Y("low:Q", scale=scale, axis=axis, title=None), y2="high:Q"),
        sheets.chart(whole).mark_line(color=INK, strokeWidth=2.5).encode(x=x, y=y),
        sheets.chart(whole).mark_point(filled=True, color=INK, size=30, opacity=1).encode(x=x, y=y, tooltip=shown),
    ]  # fmt: skip
    if others:
        names = list(dict.fromkeys(each["group"] for each in others))
        colour = alt.Color("group:N", title=None, sort=names, legend=alt.Legend(orient="bottom", columns=3),
                           scale=alt.Scale(domain=names, range=cycled(SERIES, len(names))))  # fmt: skip
        lines = sheets.chart(others).encode(x=x, y=y, color=colour)
        layers += [lines.mark_line(strokeWidth=1.5), lines.mark_point(filled=True, size=26).encode(tooltip=shown)]
    if own:
        mark = sheets.chart(own).encode(x=x, y=y)
        layers += [
            mark.mark_rule(color=ORANGE, strokeWidth=2).encode(y=alt.Y("low:Q", scale=scale, title=None), y2="high:Q"),
            mark.mark_point(filled=True, shape="diamond", size=110, color=ORANGE, opacity=1).encode(tooltip=shown),
            mark.mark_text(align="left", dx=9, dy=-6, color=ORANGE, fontSize=11, text="in this run"),
        ]
    return sheets.specification(layered(*layers, width=560, height=300))


def _at(group: Figure, at: Figure) -> dict[str, Any]:
    value = at["value"]
    return {
        "key": group["group"], "group": "everybody" if group["group"] == EVERYBODY else plain(group["group"]),
        "one_in": short(1 / at["prevalence"]) if at["prevalence"] else 1e6, "wanted": percent(at["prevalence"]),
        "value": None if value is None else max(short(value), _LEAST), "low": max(short(at["low"]), _LEAST),
        "high": max(short(at["high"]), _LEAST), "shown": percent(value), "interval": bounds(at["low"], at["high"]),
    }  # fmt: skip
