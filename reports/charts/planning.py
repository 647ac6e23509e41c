"""How many people it would take: people per group against the rate that is to be shown not to be exceeded."""

from __future__ import annotations

from typing import Any

import altair as alt

from reports.charts.drawing import BLUE, GREY, GRID, INK, ORANGE, Rows, Sheets, Spec, layered, short, tooltips
from reports.meaning import largest_group
from reports.wording import count

_LINES = {
    "disjoint": ("sure: each person in one pair only", BLUE, [1, 0]),
    "borrowed": ("{}", ORANGE, [1, 0]),
    "optimistic": ("optimistic: all pairs independent", GREY, [5, 4]),
}
_ABOVE, _BELOW = {"align": "right", "dx": -8, "dy": -7}, {"align": "left", "dx": 8, "dy": 12}
_ONE_IN = "datum.value >= 0.99 ? '1' : '1 in ' + format(1 / datum.value, ',.0f')"
_PEOPLE = "datum.value < 1e6 ? format(datum.value, ',') : format(datum.value / 1e6, ',') + ' million'"


def planning(
    rows: list[dict[str, Any]], effect: str, people: list[dict[str, Any]] | None = None, at: float | None = None
) -> Spec:
    """People per group by bound, a line for each reckoning; both axes logarithmic.

    rows: a curve as `testbed.evidence.planning.curve` gives it; effect: the words for its design effect; people: a
    run's groups with the people they had, marked; at: the bound that is planned for, marked.
    """
    sheets = Sheets()
    lines: Rows = [
        {"bound": short(row["bound"]), "people": row[name], "line": words.format(effect), "needed": count(row[name]),
         "rate": f"1 in {round(1 / row['bound']):,}"}
        for name, (words, _, _) in _LINES.items()
        for row in rows
        if row[name] is not None
    ]  # fmt: skip
    names = [words.format(effect) for words, _, _ in _LINES.values()]
    highest = max(row["people"] for row in lines)
    bounds = [row["bound"] for row in rows]
    powers = [10**k for k in range(1, 13) if 10**k <= 2 * highest]
    x = alt.X(
        "bound:Q",
        scale=alt.Scale(type="log", domain=[max(bounds), min(bounds)], nice=False),
        title="false match rate that is to be shown not to be exceeded",
        axis=alt.Axis(values=[10.0**-k for k in range(1, 7)], labelExpr=_ONE_IN, gridColor=GRID, labelFlush=False),
    )
    y = alt.Y(
        "people:Q",
        scale=alt.Scale(type="log", domain=[5, 2 * highest], nice=False),
        title="people needed in each group, without one false match",
        axis=alt.Axis(values=powers, labelExpr=_PEOPLE, gridColor=GRID),
    )
    colour = alt.Color(
        "line:N", title=None, sort=names, scale=alt.Scale(domain=names, range=[c for _, c, _ in _LINES.values()]),
        legend=None,
    )  # fmt: skip
    dash = alt.StrokeDash(
        "line:N", sort=names, legend=None, scale=alt.Scale(domain=names, range=[d for _, _, d in _LINES.values()])
    )
    shown = tooltips("line", **{"not exceeded": "rate", "people per group": "needed"})
    base = sheets.chart(lines)
    ends = [row for row in lines if row["bound"] == min(bounds)]
    layers = [
        base.mark_line(strokeWidth=2.5).encode(x=x, y=y, color=colour, strokeDash=dash),
        base.mark_point(filled=True, size=60, opacity=0).encode(x=x, y=y, color=colour, tooltip=shown),
        sheets.chart(ends)
        .mark_text(align="left", dx=8, fontSize=12, clip=False)
        .encode(x=x, y=y, color=colour, text="line:N"),
    ]
    layers += _here(sheets, people or [], x, y) + _wanted(sheets, lines, at, x, y, colour)
    return sheets.specification(layered(*layers, width=520, height=340))


def _here(sheets: Sheets, people: list[dict[str, Any]], x: Any, y: Any) -> list[Any]:
    """A band from the smallest to the largest group of the run, in words."""
    if not people:
        return []
    sizes = [each["people"] for each in people]
    band = sheets.chart([{"people": max(sizes), "least": max(5, min(sizes)), "words": largest_group(people)}])
    return [
        band.mark_rect(color=INK, opacity=0.07).encode(y=y, y2="least:Q"),
        band.mark_rule(color=INK, strokeWidth=1).encode(y=y),
        band.mark_text(align="right", dx=-6, dy=-7, fontSize=11, color=INK).encode(
            x=alt.value(520), y=y, text="words:N"
        ),
    ]


def _wanted(sheets: Sheets, lines: Rows, at: float | None, x: Any, y: Any, colour: Any) -> list[Any]:
    """The bound that is planned for, with the people it takes by each reckoning."""
    if at is None:
        return []
    here = [row for row in lines if row["bound"] == short(at)]
    rule = sheets.chart([{"bound": at}]).mark_rule(color=INK, strokeWidth=1, strokeDash=[2, 3]).encode(x=x)
    points = sheets.chart(here).mark_point(filled=True, size=70, opacity=1).encode(x=x, y=y, color=colour)
    lowest = min(row["people"] for row in here)
    words = [
        sheets.chart([row]).mark_text(fontSize=12, fontWeight="bold", **place).encode(
            x=x, y=y, color=colour, text="needed:N"
        )
        for row in here
        for place in [_BELOW if row["people"] == lowest else _ABOVE]
    ]  # fmt: skip
    return [rule, points, *words]
