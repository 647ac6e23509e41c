"""The forest plot: false match rate by group, with intervals and counts."""

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
    beside,
    either,
    layered,
    panels,
    rate_tooltips,
)
from reports.reading import EVERYBODY, SAME_GROUP, Contents, Figure
from reports.tables import ranked
from reports.wording import count, interval, kind_of_group, percent, plain, too_few
from testbed.scenario.cells import Cell

PLOT = 360
_COLUMNS = (
    ("rate", "rate [95 % interval]", PLOT + 14, "left"),
    ("people", "people", PLOT + 250, "right"),
    ("counts", "false matches / comparisons", PLOT + 420, "right"),
)
"""Text beside a forest plot: field, heading, pixels from the plot's left edge, alignment."""

_NAMES = alt.Axis(labelLimit=LABELS, minExtent=LABELS, maxExtent=LABELS, domain=False, ticks=False, labelPadding=8)
_SHARES = alt.Scale(type="pow", exponent=0.4, domain=[0, 1])
_SHARE_TICKS = [0, 0.001, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1]


def forest(contents: Contents, cell: Cell) -> Spec:
    """Within-group FMR of one cell: point, interval and counts by group; a rule at the same-group rate."""
    sheets = Sheets()
    everyone = {"": [contents.people.everyone()]}
    same = contents.figure("FMR", cell, EVERYBODY, SAME_GROUP)
    parts = []
    kinds = {**everyone, **contents.kinds()}
    for kind, groups in kinds.items():
        rows = [
            _row(plain(group.name) if kind else "all strangers", figure, contents.size(group))
            for group, figure in ranked(contents, cell, groups)
        ]
        if kind == "" and same is not None:
            rows.append(_row(SAME_GROUP, same, same["subjects"]))
        if rows:
            last = kind == list(kinds)[-1]
            parts.append(_forest_panel(sheets, kind, rows, same, axis=last, head=kind == ""))
    return sheets.specification(panels(parts, columns=1, spacing=10))


def _row(label: str, figure: Figure, people: int | None) -> dict[str, Any]:
    few = figure["verdict"] == "insufficient"
    return {
        "group": label,
        "people": count(people),
        "low": figure["low"],
        "high": figure["high"],
        "rate": too_few(people) if few else f"{percent(figure['value'])}  {interval(figure)}",
        **beside(figure),
    }


def _forest_panel(sheets: Sheets, kind: str, rows: Rows, same: Figure | None, *, axis: bool, head: bool) -> Any:
    order = [row["group"] for row in rows]
    base = sheets.chart(rows).encode(
        y=alt.Y("group:N", sort=order, title=None, axis=_NAMES),
        color=either(alt.ColorValue, "datum.few", GREY, BLUE),
        tooltip=rate_tooltips("group"),
    )
    x_axis = alt.Axis(
        values=_SHARE_TICKS, labelExpr=PERCENT, title="false match rate (stretched towards zero)" if axis else None,
        labels=axis, ticks=axis, domain=axis, gridColor=GRID,
    )  # fmt: skip
    x = alt.X("low:Q", scale=_SHARES, axis=x_axis)
    line = base.mark_rule(strokeWidth=2).encode(
        x=x, x2="high:Q", strokeDash=either(alt.StrokeDashValue, "datum.few", [3, 3], [1, 0])
    )
    points = [
        base.transform_filter("datum.value !== null && !datum.few").mark_point(filled=True, size=70, opacity=1),
        base.transform_filter("datum.value !== null && datum.few").mark_point(filled=False, size=60, fill="white"),
    ]
    layers = [line, *(point.encode(x=alt.X("value:Q", scale=_SHARES)) for point in points)]
    if same is not None and same["value"] is not None and same["verdict"] == "measured":
        rule = sheets.chart([{"x": same["value"]}])
        layers.insert(0, rule.mark_rule(color=ORANGE, strokeDash=[4, 3], opacity=0.8).encode(x="x:Q"))
    layers += [column for place in _COLUMNS for column in _text_column(sheets, base, *place, head=head)]
    title_at = alt.TitleParams(kind_of_group(kind or "everybody"), anchor="start", fontSize=12, offset=6)
    return layered(*layers, width=PLOT, height={"step": 22}, title=title_at)


def _text_column(sheets: Sheets, base: Any, field: str, heading: str, at: int, align: str, *, head: bool) -> list[Any]:
    """A column of text to the right of the plot, its heading only in the first panel."""
    ink = either(alt.ColorValue, "datum.few", "#6b7280", INK)
    column = base.mark_text(align=align, fontSize=12).encode(x=alt.XValue(at), text=f"{field}:N", color=ink)
    if not head:
        return [column]
    title = sheets.chart([{}]).mark_text(align=align, fontSize=11, color="#57606a", text=heading)
    return [column, title.encode(x=alt.XValue(at), y=alt.YValue(-12))]
