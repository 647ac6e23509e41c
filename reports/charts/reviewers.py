"""Reviewers: what each assumption does to the result, and how many of those named are the right person."""

from __future__ import annotations

from typing import Any

import altair as alt

from reports.charts.drawing import (
    BLUE,
    GREY,
    GRID,
    INK,
    LABELS,
    ORANGE,
    PERCENT,
    Rows,
    Sheets,
    Spec,
    layered,
    panels,
    short,
    tooltips,
)
from reports.reading import EVERYBODY, Figure
from reports.reviewers import ASSUMPTIONS, RESULTS, assumed
from reports.wording import bounds, percent

_LEAST = 1e-6
"""The foot of the chart of precision: nothing has no place on a logarithmic scale."""
_HOURS = "hours_per_correct"


def tornado(row: Figure) -> Spec:
    """For each result a panel: how far each assumption alone moves it, from its low end (blue) to its high (orange)."""
    sheets = Sheets()
    told = [result for result in RESULTS if all(
        each[end][result] is not None for each in row["sensitivity"] for end in ("low", "high", "middle"))]  # fmt: skip
    return sheets.specification(panels([_panel(sheets, row, result) for result in told], columns=1, spacing=22))


def _panel(sheets: Sheets, row: Figure, result: str) -> Any:
    rows: Rows = [
        {
            "assumption": ASSUMPTIONS[each["assumption"]], "end": end, "value": short(each[side][result]),
            "middle": short(each["middle"][result]), "assumed": assumed(each["assumption"], each[end_of]),
            "result": f"{each[side][result]:.3g} h" if result == _HOURS else percent(each[side][result]),
        }
        for each in row["sensitivity"] if abs(each["high"][result] - each["low"][result]) > 1e-12
        for end, side, end_of in (("low end", "low", "from"), ("high end", "high", "to"))
    ]  # fmt: skip
    reach = {r["assumption"]: 0.0 for r in rows}
    for r in rows:
        reach[r["assumption"]] += abs(r["value"] - r["middle"])
    order = sorted(reach, key=lambda name: -reach[name])
    y = alt.Y("assumption:N", sort=order, title=None, axis=alt.Axis(
        labelLimit=LABELS + 90, minExtent=LABELS + 90, maxExtent=LABELS + 90, domain=False, ticks=False, labelPadding=8,
    ))  # fmt: skip
    ends = [r["value"] for r in rows]
    if result == _HOURS:
        axis = alt.Axis(gridColor=GRID, tickCount=5)
        scale = alt.Scale(domain=[0, max(ends, default=1)], nice=True)
    else:
        axis = alt.Axis(gridColor=GRID, tickCount=5, labelExpr=PERCENT)
        scale = alt.Scale(domain=[0, min(1.0, 1.15 * max(ends, default=1))], nice=False)
    x = alt.X("value:Q", scale=scale, axis=axis, title=None)
    colour = alt.Color("end:N", title="the assumption at its", sort=["low end", "high end"], scale=alt.Scale(
        domain=["low end", "high end"], range=[BLUE, ORANGE]), legend=alt.Legend(orient="top"))  # fmt: skip
    base = sheets.chart(rows).encode(y=y)
    middle = sheets.chart(rows[:1])
    return layered(
        middle.mark_rule(color=INK, strokeDash=[3, 3]).encode(x=alt.X("middle:Q", scale=scale, title=None)),
        base.mark_bar(height=12, opacity=0.75).encode(x=x, x2="middle:Q", color=colour),
        base.mark_point(filled=True, size=36, opacity=1).encode(
            x=x, color=colour, tooltip=tooltips("assumption", "assumed", "result")
        ),
        width=430, height={"step": 21},
        title=alt.TitleParams(RESULTS[result], anchor="start", fontSize=12, fontWeight="normal"),
    )  # fmt: skip


def reviewed_precision(row: Figure) -> Spec:
    """Of those named, the right person, by how often the person is there: reviewers with both bands, the machine."""
    sheets = Sheets()
    at = next(group for group in row["groups"] if group["group"] == EVERYBODY)["precision"] or []
    rows = [_drawn(each, each) | {"least": _foot(each["least"]), "most": _foot(each["most"])} for each in at]
    machine = [_drawn(each, each["machine"]) for each in at]
    x = alt.X(
        "one_in:Q", scale=alt.Scale(type="log", domain=[2, 10_000], nice=False),
        title="the person is there in 1 search of this many (an assumption)",
        axis=alt.Axis(values=[2, 10, 100, 1000, 10_000], format=",", gridColor=GRID, labelFlush=False),
    )  # fmt: skip
    scale = alt.Scale(type="log", domain=[min((r["low"] for r in rows + machine), default=_LEAST), 1], clamp=True)
    axis = alt.Axis(values=[1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1], labelExpr=PERCENT, gridColor=GRID)
    y = alt.Y("value:Q", scale=scale, axis=axis, title="of those named, the right person")
    shown = tooltips("who", "share", "interval", **{"there in 1 of": "one_in"})

    def band(low: str, high: str, opacity: float) -> Any:
        return sheets.chart(rows).mark_area(color=BLUE, opacity=opacity).encode(
            x=x, y=alt.Y(f"{low}:Q", scale=scale, axis=axis, title=None), y2=f"{high}:Q")  # fmt: skip

    def line(of: Rows, who: str, colour: str, dash: list[int]) -> list[Any]:
        base = sheets.chart([{**each, "who": who} for each in of])
        return [
            base.mark_line(color=colour, strokeWidth=2.2, strokeDash=dash).encode(x=x, y=y),
            base.mark_point(filled=True, color=colour, size=34, opacity=1).encode(x=x, y=y, tooltip=shown),
        ]

    layers = [band("low", "high", 0.12), band("least", "most", 0.2), *line(machine, "the machine alone", GREY, [5, 4]),
              *line(rows, "with reviewers", BLUE, [1, 0])]  # fmt: skip
    return sheets.specification(layered(*layers, width=560, height=260))


def _foot(value: float | None) -> float:
    return _LEAST if value is None else max(short(value), _LEAST)


def _drawn(at: Figure, told: Figure) -> dict[str, Any]:
    return {"one_in": short(1 / at["prevalence"]), "value": _foot(told["value"]), "low": _foot(told["low"]),
            "high": _foot(told["high"]), "share": percent(told["value"]),
            "interval": bounds(told["low"], told["high"])}  # fmt: skip
