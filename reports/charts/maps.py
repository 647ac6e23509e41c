"""Rates as coloured tables: false matches across groups, faces never found by group and condition."""

from __future__ import annotations

from typing import Any

import altair as alt

from reports.charts.drawing import INK, LABELS, Rows, Sheets, Spec, beside, either, layered, panels, rate_tooltips
from reports.reading import Contents, Figure
from reports.wording import condition, kind_of_group, number, plain
from testbed.scenario.cells import Cell


def across(contents: Contents, cell: Cell) -> Spec:
    """FMR of every probe group against every reference group, number in the cell; insufficient ones grey."""
    sheets = Sheets()
    maps = []
    for kind, groups in contents.kinds().items():
        names = [group.name for group in groups]
        rows = [
            _map_cell(figure, probe, reference)
            for probe in names
            for reference in names
            if (figure := contents.figure("FMR", cell, probe, reference))
        ]
        maps.append(_map(sheets, rows, [plain(name) for name in names], kind_of_group(kind)))
    *singles, crossed = maps
    rows_of = [panels(singles, spacing=30)] if singles else []
    return sheets.specification(panels([*rows_of, crossed], columns=1, spacing=24))


def _map_cell(figure: Figure, probe: str, reference: str) -> dict[str, Any]:
    few = figure["verdict"] == "insufficient"
    return {
        "probe": plain(probe),
        "reference": plain(reference),
        "people": figure["subjects"],
        "text": "too few" if few else number(figure["value"]),
        "limit": "" if few else f"≤ {number(figure['high'])}",
        **beside(figure),
    }


def _map(sheets: Sheets, rows: Rows, order: list[str], title: str) -> Any:
    base = sheets.chart(rows).encode(
        x=alt.X("reference:N", sort=order, title=None, axis=alt.Axis(labelAngle=-35, labelLimit=150)),
        y=alt.Y("probe:N", sort=order, title=None, axis=alt.Axis(labelLimit=LABELS)),
        tooltip=rate_tooltips("probe", "reference"),
    )
    fill = alt.Color("value:Q", scale=alt.Scale(type="pow", exponent=0.4, domain=[0, 1], range=["#f4f8fb", "#08306b"]),
                     legend=None)  # fmt: skip
    enough = base.transform_filter("!datum.few").mark_rect(stroke="white", strokeWidth=2).encode(color=fill)
    few = base.transform_filter("datum.few").mark_rect(
        fill="#f1f1f1", stroke="#c4c8cd", strokeDash=[3, 3], strokeWidth=1
    )
    ink = either(alt.ColorValue, "datum.value > 0.15", "white", INK)
    measured = base.transform_filter("!datum.few").encode(color=ink)
    text = measured.mark_text(fontSize=11.5, dy=-5).encode(text="text:N")
    limit = measured.mark_text(fontSize=8.5, dy=8).encode(text="limit:N")
    none = base.transform_filter("datum.few").mark_text(fontSize=9, color="#7a808a").encode(text="text:N")
    return layered(
        few,
        enough,
        text,
        limit,
        none,
        width={"step": 52},
        height={"step": 34},
        title=alt.TitleParams(f"{title}: before the camera ↓, enrolled →", anchor="start", fontSize=12),
    )


def acquisition(contents: Contents, system: str) -> Spec:
    """FTA by group and condition: with its interval, insufficient groups in grey."""
    sheets = Sheets()
    conditions = contents.conditions
    names = [condition(name) for name in conditions]
    rows = []
    groups = contents.people.within()
    for group in groups:
        for name, shown in zip(conditions, names, strict=True):
            figure = contents.figure("FTA", contents.cell(system, name), group.name, point=None)
            if figure is None or figure["value"] is None:
                continue
            low, high = number(figure["low"]), number(figure["high"])
            rows.append({
                "group": plain(group.name), "condition": shown, "people": figure["subjects"],
                "text": f"{number(figure['value'])} [{low}–{high}]", **beside(figure),
            })  # fmt: skip
    base = sheets.chart(rows).encode(
        x=alt.X("condition:N", sort=names, title=None, axis=alt.Axis(
            labelAngle=0, labelLimit=110, labelExpr="split(replace(datum.label, ' between', '|between'), '|')")),
        y=alt.Y("group:N", sort=[plain(group.name) for group in groups], title=None, axis=alt.Axis(labelLimit=LABELS)),
        tooltip=rate_tooltips("group", "condition"),
    )  # fmt: skip
    fill = alt.Color("value:Q", legend=None, scale=alt.Scale(domain=[0, 1], range=["#fdf6ef", "#9c3d00"]))
    enough = base.transform_filter("!datum.few").mark_rect(stroke="white", strokeWidth=2).encode(color=fill)
    few = base.transform_filter("datum.few").mark_rect(fill="#f1f1f1", stroke="#c4c8cd", strokeDash=[3, 3])
    ink = (
        alt.when("datum.few").then(alt.value("#7a808a")).when("datum.value > 0.55").then(alt.value("white"))
    ).otherwise(alt.value(INK))  # fmt: skip
    text = base.mark_text(fontSize=10.5).encode(text="text:N", color=ink)
    return sheets.specification(layered(few, enough, text, width={"step": 104}, height={"step": 24}))
