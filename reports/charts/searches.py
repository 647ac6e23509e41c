"""Searches of a gallery: how far down its lists a person is found, and strangers returned as galleries grow."""

from __future__ import annotations

from typing import Any

import altair as alt

from reports.charts.drawing import (
    BLUE,
    GREY,
    GRID,
    INK,
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
from reports.reading import Contents, Figure
from reports.wording import kind_of_group, plain
from testbed.scenario.cells import Cell


def cmc(contents: Contents, cell: Cell, size: int) -> Spec:
    """CMC of one gallery: a panel for everybody, with the interval as a band, and one for each kind of group."""
    sheets = Sheets()
    parts = []
    for kind, groups in {"everybody": [contents.people.everyone()], **contents.kinds()}.items():
        rows = [
            {"group": plain(group.name), "rank": figure["rank"], "people": figure["subjects"], **_drawn(figure)}
            for group in groups
            for figure in contents.found_by_rank(cell, group.name, size)
        ]
        if rows:
            parts.append(_cmc_panel(sheets, kind_of_group(kind), rows, band=kind == "everybody"))
    return sheets.specification(panels(parts, columns=2, spacing=28, resolve=_OWN))


def growth(contents: Contents, cell: Cell) -> Spec:
    """FPIR for everybody against the size of the gallery, as measured, and dashed the model 1 − (1 − FMR)^N."""
    sheets = Sheets()
    rows = [
        {"gallery": size, "what": what, "people": figure["subjects"], **_drawn(figure)}
        for size in contents.gallery_sizes(cell)
        for what, figure in contents.returned(cell, size).items()
    ]
    base = sheets.chart(rows).encode(
        x=alt.X("gallery:Q", title="people in the gallery", scale=alt.Scale(type="log"), axis=alt.Axis(gridColor=GRID)),
        y=alt.Y("value:Q", title=None, axis=_SHARES, scale=_WHOLE),
        color=alt.Color("what:N", title=None, scale=alt.Scale(domain=["measured", "model"], range=[BLUE, GREY])),
        tooltip=rate_tooltips("what", "gallery"),
    )
    measured, model = (base.transform_filter(f"datum.what === '{what}'") for what in ("measured", "model"))
    return sheets.specification(
        layered(
            model.mark_line(strokeDash=[6, 4]),
            model.mark_point(size=50),
            measured.mark_rule(strokeWidth=2).encode(y="low:Q", y2="high:Q"),
            measured.mark_point(filled=True, size=70, opacity=1),
            width=400, height=200,
        )
    )  # fmt: skip


def _drawn(figure: Figure) -> dict[str, Any]:
    return {**beside(figure), **{name: short(figure[name]) for name in ("value", "low", "high")}}


_OWN = {"scale": {"color": "independent", "shape": "independent"}}
_SHARES = alt.Axis(labelExpr=PERCENT, gridColor=GRID, tickCount=5)
_WHOLE = alt.Scale(domain=[0, 1])


def _cmc_panel(sheets: Sheets, title: str, rows: Rows, *, band: bool) -> Spec:
    order = list(dict.fromkeys(row["group"] for row in rows))
    legend = None if band else alt.Legend(orient="bottom", columns=3, symbolSize=90, symbolOpacity=1)
    colour = alt.Color(
        "group:N", sort=order, title=None, legend=legend,
        scale=alt.Scale(domain=order, range=[INK] if band else cycled(SERIES, len(order))),
    )  # fmt: skip
    shape = alt.Shape(
        "group:N", sort=order, title=None, legend=legend,
        scale=alt.Scale(domain=order, range=cycled(SHAPES, len(order))),
    )  # fmt: skip
    base = sheets.chart(rows).encode(
        x=alt.X("rank:O", title="within this rank", scale=alt.Scale(type="point", padding=0.4),
                axis=alt.Axis(labelAngle=0)),
        color=colour, tooltip=rate_tooltips("group", "rank"),
    )  # fmt: skip
    y = alt.Y("value:Q", title=None, axis=_SHARES, scale=_WHOLE)
    limits = base.mark_area(opacity=0.13).encode(y=alt.Y("low:Q", title=None, axis=_SHARES, scale=_WHOLE), y2="high:Q")
    layers = [
        *([limits] if band else []),
        base.mark_line(strokeWidth=2).encode(y=y),
        base.transform_filter("!datum.few").mark_point(filled=True, size=60, opacity=1).encode(y=y, shape=shape),
        base.transform_filter("datum.few").mark_point(filled=False, size=60, color=GREY).encode(y=y, shape=shape),
    ]
    return layered(*layers, width=400, height=200, title=alt.TitleParams(title, anchor="start", fontSize=12))
