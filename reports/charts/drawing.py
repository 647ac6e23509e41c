"""What all charts share: colours, data sets, tooltips, and how a share is written on an axis.

Colours are Okabe & Ito's, told apart by the colour-blind; shapes and dashes repeat what they say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from reports.reading import EVERYBODY, SAME_GROUP, Figure
from reports.wording import MADE_UP, count, interval, percent, plain

Spec = dict[str, Any]
Rows = list[dict[str, Any]]

INK, GREY, PALE = "#1f2328", "#8a9099", "#d8dce1"
GRID = "#eceef1"
BLUE, ORANGE = "#0072b2", "#d55e00"
SERIES = (BLUE, ORANGE, "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#6b4c9a", "#000000")
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 1], [1, 3], [10, 4], [3, 6])
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-left", "triangle-right")
LABELS = 170
"""Width in pixels of the column of group names, so that charts of several kinds of group line up."""

PERCENT = "datum.value == 0 ? '0' : format(datum.value * 100, '~r') + ' %'"
"""Axis labels of a share, as a Vega expression."""


class Sheets:
    """The data sets of one specification, held beside the chart: Altair copies whatever is inside a chart, often."""

    def __init__(self) -> None:
        self.rows: dict[str, Rows] = {}

    def chart(self, rows: Rows) -> Any:
        """A chart of these rows."""
        known = next((name for name, held in self.rows.items() if held is rows), None)
        name = known or f"d{len(self.rows)}"
        self.rows[name] = rows
        return alt.Chart(alt.NamedData(name=name))

    def specification(self, chart: Any) -> Spec:
        """The whole specification of a chart, or of several put together by `layered` and `panels`."""
        return {"$schema": alt.SCHEMA_URL, "config": _STYLE, **_as_json(chart), "datasets": self.rows}


def either(channel: Any, test: str, one: Any, other: Any) -> Any:
    """A channel with the value `one` where the test holds, else `other`; `alt.condition` is slow to be understood."""
    return channel(other, condition={"test": test, "value": one})


def layered(*charts: Any, **properties: Any) -> Spec:
    """Charts on top of each other. Altair's own `layer` and `concat` copy every chart several times over."""
    return {"layer": [_as_json(chart) for chart in charts], **_plainly(properties)}


def panels(charts: Sequence[Any], **properties: Any) -> Spec:
    """Charts beside or below each other: `columns`, `spacing` and `resolve` as Vega-Lite has them."""
    return {"concat": [_as_json(chart) for chart in charts], **_plainly(properties)}


def made_up(spec: Spec) -> Spec:
    """A chart that says that its people are made up, also where it is taken out of the page."""
    title = spec.get("title") or {"anchor": "start", "fontSize": 11, "fontWeight": "normal", "color": GREY}
    title = {"text": title} if isinstance(title, str) else title
    return {**spec, "title": {**title, "text": " · ".join(filter(None, (MADE_UP, title.get("text"))))}}


def _as_json(chart: Any) -> Spec:
    return chart if isinstance(chart, dict) else dict(chart.to_dict(context={"top_level": False}, validate=False))


def _plainly(properties: dict[str, Any]) -> dict[str, Any]:
    return {name: value.to_dict() if hasattr(value, "to_dict") else value for name, value in properties.items()}


def beside(figure: Figure) -> dict[str, Any]:
    """What stands beside a rate wherever it is drawn: its value, interval, counts, and whether people were too few."""
    return {
        "value": figure["value"],
        "shown": percent(figure["value"]),
        "interval": interval(figure),
        "counts": f"{count(figure['errors'])} / {count(figure['comparisons'])}",
        "few": figure["verdict"] == "insufficient",
    }


def whose(row: Figure, **more: Any) -> Any:
    """A panel's title: the group, and how many people it has; grey where they are too few."""
    same = row["reference_group"] == SAME_GROUP
    group = SAME_GROUP if same else "everybody" if row["probe_group"] == EVERYBODY else plain(row["probe_group"])
    few = row["verdict"] == "insufficient"
    return alt.TitleParams(
        f"{group} · {count(row['subjects'])}" + (" · too few" if few else ""), anchor="start", fontSize=12,
        fontWeight="normal", color=GREY if few else INK, **more,
    )  # fmt: skip


def rate_tooltips(*names: str) -> list[Any]:
    """Tooltip rows of a rate, after the fields that say whose it is."""
    return tooltips(*names, rate="shown", interval="interval", people="people", **{"errors / comparisons": "counts"})


def tooltips(*same: str, **named: str) -> list[Any]:
    """Tooltip rows: a field under its own name, or title=field."""
    return [alt.Tooltip(f"{name}:N", title=name) for name in same] + [
        alt.Tooltip(f"{name}:N", title=title) for title, name in named.items()
    ]


def short(number: float) -> float:
    """Four digits are enough to draw with, and a third of the bytes."""
    return float(f"{number:.4g}")


def cycled(values: Any, number: int) -> list[Any]:
    """The first `number` of `values`, begun again where they run out."""
    return [values[i % len(values)] for i in range(number)]


_STYLE: Spec = {
    "font": "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif",
    "background": "transparent",
    "view": {"stroke": None},
    "axis": {"labelColor": "#3d444d", "titleColor": "#57606a", "titleFontWeight": "normal", "labelFontSize": 11,
             "titleFontSize": 11, "domainColor": "#c4c8cd", "tickColor": "#c4c8cd"},
    "title": {"color": INK},
    "legend": {"labelFontSize": 11},
}  # fmt: skip
