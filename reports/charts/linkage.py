"""Over the days: records that one person opens, and how often two days of one person are linked."""

from __future__ import annotations

from typing import Any

import altair as alt

from reports.charts.drawing import (
    BLUE,
    GREY,
    GRID,
    INK,
    ORANGE,
    PERCENT,
    SERIES,
    Rows,
    Sheets,
    Spec,
    layered,
    panels,
    short,
    tooltips,
)
from reports.reading import EVERYBODY, Figure
from reports.wording import bounds, count, percent

WIDTH = 300
GREEN = SERIES[2]
"""Of records: the colours of links, whose legend is theirs alone, say other things."""
OPENED, SHARE = "records that one person opened", "share of pairs of days"
KINDS = {"linked": "days of one person, linked", "first": "nobody else as alike", "false": "two people, linked falsely"}


def linkage(row: Figure, point: Figure) -> Spec:
    """Of one cell at one operating point, for everybody: records by day; links by days apart."""
    sheets = Sheets()
    parts = [_records(sheets, point["records"]["growth"]), _links(sheets, row, point)]
    return sheets.specification(panels(parts, columns=2, spacing=40, resolve={"scale": {"color": "independent"}}))


def _records(sheets: Sheets, growth: list[Figure]) -> Spec:
    rows: Rows = [
        {"day": str(each["day"]), "value": short(each["value"]), "low": short(each["low"]), "high": short(each["high"]),
         "records": f"{each['value']:.2f}", "interval": f"[{each['low']:.2f}–{each['high']:.2f}]",
         "people": count(each["people"])}
        for each in growth
    ]  # fmt: skip
    x = alt.X("day:O", title="after day", axis=alt.Axis(labelAngle=0, grid=False))
    axis = alt.Axis(gridColor=GRID, tickCount=5)
    scale = alt.Scale(domainMin=0, nice=True)
    base, ideal = sheets.chart(rows), sheets.chart([{"value": 1}])
    return layered(
        ideal.mark_rule(color=GREY, strokeDash=[4, 3]).encode(y=alt.Y("value:Q", scale=scale, axis=axis, title=OPENED)),
        base.mark_rule(color=GREEN, strokeWidth=2).encode(
            x=x, y=alt.Y("low:Q", scale=scale, axis=axis, title=OPENED), y2="high:Q"),
        base.mark_line(color=GREEN, strokeWidth=2).encode(
            x=x, y=alt.Y("value:Q", scale=scale, axis=axis, title=OPENED)),
        base.mark_point(filled=True, color=GREEN, size=60, opacity=1).encode(
            x=x, y=alt.Y("value:Q", scale=scale, axis=axis, title=OPENED),
            tooltip=tooltips("records", "interval", "people", day="day")),
        width=WIDTH, height=220,
    )  # fmt: skip


def _links(sheets: Sheets, row: Figure, point: Figure) -> Spec:
    rows: Rows = []
    for told, kind in ((point["links"], "linked"), (row["first"], "first"), (point["links"], "false")):
        whole = [each for each in told if each["group"] == EVERYBODY and each["gap"] is not None]
        rows += [_link(each, kind) for each in whole if each[kind]["value"] is not None]
    kinds = [kind for kind in KINDS.values() if any(each["kind"] == kind for each in rows)]
    x = alt.X("gap:O", title="days apart", axis=alt.Axis(labelAngle=0, grid=False))
    axis, scale = alt.Axis(labelExpr=PERCENT, gridColor=GRID, tickCount=5), alt.Scale(domain=[0, 1], nice=False)
    colour = alt.Color("kind:N", title=None, sort=kinds, legend=alt.Legend(orient="bottom", columns=1, labelLimit=260),
                       scale=alt.Scale(domain=list(KINDS.values()), range=[BLUE, INK, ORANGE]))  # fmt: skip
    beside = alt.XOffset("kind:N", sort=kinds)
    base = sheets.chart(rows)
    return layered(
        base.mark_rule(strokeWidth=2).encode(
            x=x, xOffset=beside, y=alt.Y("low:Q", axis=axis, scale=scale, title=SHARE), y2="high:Q", color=colour),
        base.mark_point(filled=True, size=60, opacity=1).encode(
            x=x, xOffset=beside, y=alt.Y("value:Q", axis=axis, scale=scale, title=SHARE), color=colour,
            tooltip=tooltips("kind", "share", "interval", "people")),
        width=WIDTH, height=220,
    )  # fmt: skip


def _link(each: Figure, kind: str) -> dict[str, Any]:
    told = each[kind]
    return {
        "gap": str(each["gap"]), "kind": KINDS[kind], "value": short(told["value"]), "low": short(told["low"]),
        "high": short(told["high"]), "share": percent(told["value"]), "interval": bounds(told["low"], told["high"]),
        "people": count(told["subjects"]),
    }  # fmt: skip
