"""A look-up service: how alike the best stranger is, and how its lists grow with people and cameras."""

from __future__ import annotations

from typing import Any

import altair as alt

from reports.charts.drawing import (
    BLUE,
    GREY,
    GRID,
    ORANGE,
    PERCENT,
    SERIES,
    SHAPES,
    Rows,
    Sheets,
    Spec,
    cycled,
    layered,
    panels,
    short,
    tooltips,
)
from reports.lookups import RIGHT, STRANGER, grown
from reports.reading import Figure
from reports.wording import bounds, count, percent

_SHARES = alt.Axis(labelExpr=PERCENT, gridColor=GRID, tickCount=5)
_WHOLE = alt.Scale(domain=[0, 1], nice=False)
_PEOPLE = "datum.value < 1e6 ? format(datum.value, ',') : format(datum.value / 1e6, ',') + ' million'"
_BAR = 67
_TICKS = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000]


def top_scores(look: Figure, direction: str) -> Spec:
    """Share of searches for people who were not there whose best hit is shown at least so alike, with its interval."""
    sheets = Sheets()
    by_percent = look["percent_rule"] is not None
    told = look["top_scores"]
    rows: Rows = [
        {
            "at": short(row["percent"] if by_percent else row["score"]), "value": short(row["value"]),
            "low": short(row["low"]), "high": short(row["high"]), "share": percent(row["value"]),
            "interval": bounds(row["low"], row["high"]), "searches": count(told["searches"]),
            "people": count(told["people"]),
        }
        for row in told["curve"]
    ]  # fmt: skip
    title = "best hit shown as at least, %" if by_percent else "best hit at least as alike as this score"
    domain = [min(row["at"] for row in rows), max(row["at"] for row in rows)]
    if by_percent:
        domain = [min(domain[0], _BAR), max(domain[1], _BAR)]
    scale = alt.Scale(domain=domain, nice=True, reverse=not by_percent and direction == "distance")
    x = alt.X("at:Q", title=title, scale=scale, axis=alt.Axis(gridColor=GRID))
    y = alt.Y("value:Q", title="searches in which nobody was there", axis=_SHARES, scale=_WHOLE)
    base = sheets.chart(rows)
    layers = [
        base.mark_area(color=BLUE, opacity=0.16).encode(x=x, y=alt.Y("low:Q", axis=_SHARES, scale=_WHOLE), y2="high:Q"),
        base.mark_line(color=BLUE, strokeWidth=2.5).encode(x=x, y=y),
        base.mark_point(filled=True, size=22, color=BLUE, opacity=1).encode(
            x=x, y=y, tooltip=tooltips("share", "interval", "searches", "people", **{"shown at least": "at"})
        ),
    ]
    if by_percent:
        bar = sheets.chart([{"at": _BAR, "words": f"{_BAR} %"}])
        layers += [
            bar.mark_rule(color=ORANGE).encode(x=x),
            bar.mark_text(align="left", dx=5, color=ORANGE, fontSize=11).encode(x=x, y=alt.value(8), text="words:N"),
        ]
    return sheets.specification(layered(*layers, width=560, height=240))


def lookup_growth(look: Figure, name: str) -> Spec:
    """Two panels, by people who passed and number of cameras: a stranger shown though nobody was there, beyond what was
    measured by a model, dashed; and whoever was there on top.
    """
    sheets = Sheets()
    return sheets.specification(
        panels([_strangers(sheets, look, name), _found(sheets, look, name)], columns=1, spacing=30)
    )


def _strangers(sheets: Sheets, look: Figure, name: str) -> Any:
    told = next(row for row in look["model"] if row["shown"] == name)
    rows = _rows(look, name, STRANGER)
    modelled: Rows = [
        {"size": row["size"], "how": row["how"], "cameras": count(row["cameras"]), **_drawn(row)}
        for row in told["rows"]
    ]
    x = _people([1, max(row["size"] for row in modelled)], "people who passed")
    base = sheets.chart(modelled)
    layers = [
        base.mark_line(color=GREY, strokeDash=[5, 4]).encode(x=x, y=_y()),
        base.mark_point(filled=True, size=16, color=GREY, opacity=1).encode(
            x=x, y=_y(), tooltip=tooltips("people", "cameras", "interval", **{"by the model": "share", "how": "how"})
        ),
        *_measured(sheets, rows, x),
    ]  # fmt: skip
    edge = sheets.chart([{"size": told["measured_up_to"], "words": "beyond: a model, extrapolated →"}])
    layers += [
        edge.mark_rule(color=GREY, strokeDash=[2, 3]).encode(x=x),
        edge.mark_text(align="left", dx=6, color=GREY, fontSize=11).encode(x=x, y=alt.value(250), text="words:N"),
    ]
    if told["breaks_at"] is not None:
        broken = sheets.chart([{"size": told["breaks_at"], "words": "the model breaks"}])
        layers += [
            broken.mark_rule(color=ORANGE).encode(x=x),
            broken.mark_text(align="right", dx=-5, color=ORANGE, fontSize=11).encode(
                x=x, y=alt.value(10), text="words:N"
            ),
        ]
    return layered(*layers, width=560, height=260, title=_title("Nobody was there: a stranger is shown"))


def _found(sheets: Sheets, look: Figure, name: str) -> Any:
    rows = _rows(look, name, RIGHT)
    x = _people([1, max(2, *(row["size"] for row in rows))], "people who passed, the person among them")
    return layered(
        *_measured(sheets, rows, x), width=560, height=200, title=_title("The person was there, and is on top")
    )


def _measured(sheets: Sheets, rows: Rows, x: Any) -> list[Any]:
    order = sorted({row["cameras"] for row in rows})
    # One camera less is one line less: with all of them last, drawn on top, in blue.
    colours = [*cycled(SERIES[1:], len(order) - 1), BLUE]
    legend = None if len(order) == 1 else alt.Legend(orient="top", title="cameras", symbolOpacity=1)
    colour = alt.Color("cameras:O", sort=order, legend=legend, scale=alt.Scale(domain=order, range=colours))
    shape = alt.Shape(
        "cameras:O", sort=order, legend=legend, scale=alt.Scale(domain=order, range=cycled(SHAPES, len(order)))
    )
    base = sheets.chart(rows).encode(x=x, color=colour)
    return [
        base.mark_area(opacity=0.15).encode(y=alt.Y("low:Q", axis=_SHARES, scale=_WHOLE), y2="high:Q"),
        base.mark_line(strokeWidth=2.5).encode(y=_y()),
        base.mark_point(filled=True, size=34, opacity=1).encode(
            y=_y(), shape=shape,
            tooltip=tooltips("people", "cameras", "interval", **{"measured": "share", "photographed": "photographed"}),
        ),
    ]  # fmt: skip


def _rows(look: Figure, name: str, measure: str) -> Rows:
    numbers = sorted({row["cameras"] for row in look["growth"]})
    return [
        {"size": row["size"], "cameras": row["cameras"], "photographed": count(row["people"]), **_drawn(row)}
        for number in numbers for row in grown(look, name, measure, number) if row["value"] is not None
    ]  # fmt: skip


def _drawn(row: Figure) -> dict[str, Any]:
    known = row["low"] is not None
    limits = {end: short(row[end]) for end in (("value", "low", "high") if known else ("value",))}
    return {**limits, "people": count(row["size"]), "share": percent(row["value"]),
            "interval": bounds(row["low"], row["high"]) if known else "none: the model is not tested here"}  # fmt: skip


def _people(domain: list[int], title: str) -> Any:
    ticks = [tick for tick in _TICKS if tick <= domain[1]] if domain[1] > 50 else [1, 2, 5, 10, 20, 50]
    return alt.X(
        "size:Q", scale=alt.Scale(type="log", domain=domain, nice=False), title=title,
        axis=alt.Axis(values=ticks, labelExpr=_PEOPLE, gridColor=GRID, labelFlush=True),
    )  # fmt: skip


def _y() -> Any:
    return alt.Y("value:Q", title="of searches", axis=_SHARES, scale=_WHOLE)


def _title(words: str) -> Any:
    return alt.TitleParams(words, anchor="start", fontSize=12, fontWeight="normal")
