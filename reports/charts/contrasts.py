"""Effects of changed causes: a point and an interval about zero for every pair of arms, measure by measure."""

from __future__ import annotations

from typing import Any

import altair as alt

from reports.charts.drawing import (
    BLUE,
    GREY,
    GRID,
    INK,
    ORANGE,
    Rows,
    Sheets,
    Spec,
    either,
    layered,
    panels,
    short,
    tooltips,
)
from reports.contrasts import MEASURES, allowed, at, by_pair, change, effect
from reports.reading import Figure
from reports.wording import count

PLOT, NAMES = 300, 290
"""Width in pixels of a panel, and of the names of what was changed."""


def contrasts(rows: list[Figure], point: str) -> Spec:
    """All pairs of one system and condition; measures that need a threshold at one operating point."""
    sheets = Sheets()
    pairs = [at(pair, point) for pair in by_pair(rows)]
    order = list(dict.fromkeys(change(pair[0]) for pair in pairs))
    drawn: dict[str, Rows] = {}
    for row in (row for pair in pairs for row in pair):
        if (place := _placed(row)) is not None:
            drawn.setdefault(row["metric"], []).append(place)
    parts = [
        _panel(sheets, metric, drawn[metric], order, named=i % 2 == 0)
        for i, metric in enumerate(metric for metric in MEASURES if metric in drawn)
    ]
    return sheets.specification(panels(parts, columns=2, spacing=22))


def _placed(row: Figure) -> dict[str, Any] | None:
    """An effect where it is drawn: percentage points, or standard deviations with more alike to the right."""
    told = row["more_alike"] if row["unit"] == "score" else row
    if told is None or told["value"] is None or told["low"] is None:
        return None
    value, low, high = (short((100 if row["unit"] == "share" else 1) * told[end]) for end in ("value", "low", "high"))
    shown, verdict = row["verdict"].startswith("shown"), row["verdict"]
    colour = GREY if row["placebo"] else ORANGE if verdict == "shown: worse" else BLUE if shown else INK
    said = effect(row) if shown else allowed(row) if verdict == "not shown" else "too few people to say"
    return {
        "change": change(row), "value": value, "low": low, "high": high, "colour": colour, "shown": shown,
        "verdict": verdict, "few": verdict == "insufficient", "says": said, "people": count(row["people"]),
    }  # fmt: skip


def _panel(sheets: Sheets, metric: str, rows: Rows, order: list[str], *, named: bool) -> Any:
    score = metric.endswith("score")
    worse_right = metric in ("FTA", "FNMR", "FRR", "FMR", "non-mated score")
    unit = "standard deviations, more alike to the right" if score else "percentage points"
    names = alt.Axis(labels=named, labelLimit=NAMES, ticks=False, domain=False, labelPadding=8,
                     **({"minExtent": NAMES, "maxExtent": NAMES} if named else {}))  # fmt: skip
    base = sheets.chart(rows).encode(
        y=alt.Y("change:N", sort=order, title=None, axis=names, scale=alt.Scale(domain=order)),
        color=alt.Color("colour:N", scale=None),
        tooltip=tooltips(**{"changed": "change", "effect": "says", "people": "people", "verdict": "verdict"}),
    )
    axis = alt.Axis(
        title=f"{unit}; {'right' if worse_right else 'left'} is worse", gridColor=GRID, tickCount=5, labelOverlap=True
    )
    x = alt.X("low:Q", axis=axis, scale=alt.Scale(nice=True, zero=True))
    zero = sheets.chart([{"zero": 0}]).mark_rule(color=INK, opacity=0.6).encode(x="zero:Q")
    dashes = either(alt.StrokeDashValue, "datum.few", [3, 3], [1, 0])
    line = base.mark_rule(strokeWidth=2).encode(x=x, x2="high:Q", strokeDash=dashes)
    points = [
        base.transform_filter("datum.shown").mark_point(filled=True, size=70, opacity=1).encode(x="value:Q"),
        base.transform_filter("!datum.shown").mark_point(filled=False, size=60, fill="white").encode(x="value:Q"),
    ]
    title = alt.TitleParams(f"{MEASURES[metric]} ({metric})", anchor="start", fontSize=12, offset=6)
    return layered(zero, line, *points, width=PLOT, height={"step": 22}, title=title)
