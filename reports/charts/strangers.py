"""A stranger's top score: how soon a search shows somebody who is not there, as more people are searched."""

from __future__ import annotations

from typing import Any

import altair as alt

from reports.charts.drawing import BLUE, GREY, GRID, ORANGE, Rows, Sheets, Spec, layered, panels, short, tooltips, whose
from reports.reading import Figure
from reports.wording import bounds, count, percent

_SHARES = alt.Scale(domain=[0, 1], nice=False)
_WIDTH = 560
_PEOPLE = "datum.value < 1e6 ? format(datum.value, ',') : format(datum.value / 1e6, ',') + ' million'"


def strangers(rows: list[Figure], point: str) -> Spec:
    """One panel for each row of score_meaning: the chance of a match for a stranger, by people searched.

    Measured as far as the people go, solid; beyond, by a model, dashed. point: an operating point of one threshold.
    """
    sheets = Sheets()
    alone = len(rows) == 1
    return sheets.specification(
        panels([_panel(sheets, row, point, alone) for row in rows], columns=1 if alone else 3, spacing=26)
    )


def _panel(sheets: Sheets, row: Figure, point: str, alone: bool) -> Any:
    told = next(each for each in row["stranger"] if each["operating_point"] == point)
    chances: Rows = [
        {
            "size": each["size"], "people": count(each["size"]), "value": short(each["value"]),
            "low": short(each["low"]), "high": short(each["high"]), "how": each["how"],
            "chance": percent(each["value"]),
            "interval": bounds(each["low"], each["high"]) if each["how"] == "measured"
            else "none: the model is not tested here",
        }
        for each in told["chances"]
    ]  # fmt: skip
    measured = [each for each in chances if each["how"] == "measured"]
    beyond = measured[-1:] + [each for each in chances if each["how"] != "measured"]
    ticks = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000] if alone else [1, 100, 10_000, 1_000_000]
    x = alt.X(
        "size:Q", scale=alt.Scale(type="log", domain=[1, 1_000_000], nice=False),
        title="people searched" if alone else None,
        axis=alt.Axis(values=ticks, labelExpr=_PEOPLE, gridColor=GRID, labelFlush=True),
    )  # fmt: skip
    axis = alt.Axis(format=".0%", values=[0, 0.25, 0.5, 0.75, 1], gridColor=GRID)
    y = alt.Y("value:Q", scale=_SHARES, axis=axis, title="strangers who are shown a match" if alone else None)
    shown = tooltips("people", "how", "chance", "interval")
    few = row["verdict"] == "insufficient"
    colour = GREY if few else BLUE
    layers = [
        sheets.chart(measured)
        .mark_area(color=colour, opacity=0.18)
        .encode(x=x, y=alt.Y("low:Q", axis=axis), y2="high:Q"),
        sheets.chart(measured).mark_line(color=colour, strokeWidth=2.5).encode(x=x, y=y),
        sheets.chart(beyond).mark_line(color=colour, strokeWidth=1.5, strokeDash=[5, 4]).encode(x=x, y=y),
        sheets.chart(chances).mark_point(filled=True, size=26, color=colour, opacity=1).encode(x=x, y=y, tooltip=shown),
        sheets.chart([{"value": 0.5}]).mark_rule(color=ORANGE, strokeWidth=1).encode(y=y),
    ]
    if alone:
        early = any(each["size"] <= 1000 and each["value"] >= 0.5 for each in chances)
        half = {"value": 0.5, "words": "half of all searches by strangers show a match"}
        words = sheets.chart([half]).mark_text(align="right" if early else "left", dy=-7, color=ORANGE, fontSize=11)
        layers.append(words.encode(x=alt.value(_WIDTH - 6 if early else 6), y=y, text="words:N"))
    if alone and told["measured_up_to"] > 1:
        edge = {"size": told["measured_up_to"], "words": "beyond: a model →"}
        rule = sheets.chart([edge])
        layers += [
            rule.mark_rule(color=GREY, strokeDash=[2, 3]).encode(x=x),
            rule.mark_text(align="left", dx=6, color=GREY, fontSize=11).encode(
                x=x, y=alt.value(290), text="words:N"
            ),
        ]  # fmt: skip
    title = whose(row)
    width, height = (_WIDTH, 300) if alone else (250, 140)
    return layered(*layers, width=width, height=height, title=title)
