"""Reliability: do stated chances come true, at a stated prior."""

from __future__ import annotations

from typing import Any

import altair as alt

from reports.charts.drawing import BLUE, GREY, GRID, PALE, Rows, Sheets, Spec, layered, panels, short, tooltips, whose
from reports.reading import Figure
from reports.wording import bounds, count, percent

_APART = 0.022
"""Points whose stated chances coincide are drawn this far apart, so that each can be seen."""
_CHANCES = alt.Scale(domain=[0, 1], nice=False)


def reliability(rows: list[Figure]) -> Spec:
    """One panel for each row of score_meaning that has a diagram: chance stated, against the share that came true."""
    sheets = Sheets()
    size = 300 if len(rows) == 1 else 190
    return sheets.specification(panels([_panel(sheets, row, size) for row in rows], columns=4, spacing=26))


def _panel(sheets: Sheets, row: Figure, size: int) -> Any:
    bins: Rows = []
    for each, at in zip(row["reliability"]["bins"], _apart(row["reliability"]["bins"]), strict=True):
        if each["predicted"] is None or each["observed"] is None:
            continue
        bins.append({
            "at": short(at), "said": percent(each["predicted"]), "true": short(each["observed"]),
            "came true": percent(each["observed"]), "low": short(each["low"]), "high": short(each["high"]),
            "interval": bounds(each["low"], each["high"]), "thin": each["thin"],
            "counts": f"{count(round(each['mated']))}, {count(round(each['non_mated']))}",
        })  # fmt: skip
    axis = alt.Axis(format=".0%", values=[0, 0.25, 0.5, 0.75, 1], gridColor=GRID)
    x = alt.X(
        "at:Q", scale=_CHANCES, axis=axis, title="chance that the likelihood ratio states" if size > 200 else None
    )
    y = alt.Y("low:Q", scale=_CHANCES, axis=axis, title="share that was the same person" if size > 200 else None)
    base = sheets.chart(bins).encode(
        x=x,
        tooltip=tooltips("interval", "came true", stated="said", **{"same person, strangers": "counts"}),
        color=alt.condition("datum.thin", alt.value(PALE), alt.value(BLUE)),
    )
    ideal = sheets.chart([{"at": 0, "low": 0}, {"at": 1, "low": 1}])
    return layered(
        ideal.mark_line(color=GREY, strokeDash=[4, 3], strokeWidth=1).encode(x=x, y=y),
        base.mark_rule(strokeWidth=2.5, opacity=0.45).encode(y=y, y2="high:Q"),
        base.mark_point(filled=True, size=60, opacity=1).encode(y=alt.Y("true:Q", scale=_CHANCES)),
        width=size, height=size, title=whose(row),
    )  # fmt: skip


def _apart(bins: list[Figure]) -> list[float]:
    """Where each interval of scores stands: its stated chance, moved inwards where another stands already."""
    taken: list[float] = []
    for each in bins:
        at = 0.5 if each["predicted"] is None else float(each["predicted"])
        inwards = -_APART if at > 0.5 else _APART
        while any(abs(at - other) < 0.9 * _APART for other in taken):
            at += inwards
        taken.append(at)
    return taken
