"""Who is found at all: the share of heads in which a face was found, by size, angle and light."""

from __future__ import annotations

import altair as alt

from reports.charts.drawing import BLUE, GREY, GRID, PERCENT, Rows, Sheets, Spec, layered, panels, short, tooltips
from reports.heads import BY, called
from reports.reading import Figure
from reports.wording import bounds, count, percent

WIDTH = 300
TITLE = "a face was found in"


def heads(row: Figure) -> Spec:
    """Of one row of heads: a panel for each thing that heads are told apart by; grey where too few stand behind it."""
    sheets = Sheets()
    drawn: dict[str, Rows] = {}
    for each in row["bins"]:
        found, template = each["found"], each["template"]
        drawn.setdefault(each["by"], []).append({
            "bin": called(each["from"], each["to"], each["by"]), "value": short(found["value"]),
            "low": short(found["low"]), "high": short(found["high"]), "few": found["verdict"] == "insufficient",
            "found": percent(found["value"]), "interval": bounds(found["low"], found["high"]),
            "template": percent(template["value"]), "heads": count(each["heads"]), "rests on": count(found["subjects"]),
        })  # fmt: skip
    parts = [_panel(sheets, by, rows) for by, rows in drawn.items()]
    return sheets.specification(panels(parts, columns=2, spacing=26))


def _panel(sheets: Sheets, by: str, rows: Rows) -> Spec:
    order = [row["bin"] for row in rows]
    x = alt.X("bin:N", sort=order, title=BY[by], axis=alt.Axis(labelAngle=0 if len(order) < 5 else -40, grid=False))
    axis, scale = alt.Axis(labelExpr=PERCENT, gridColor=GRID, tickCount=5), alt.Scale(domain=[0, 1], nice=False)
    colour = alt.Color("few:N", legend=None, scale=alt.Scale(domain=[False, True], range=[BLUE, GREY]))
    base = sheets.chart(rows)
    shown = tooltips("found", "interval", "template", "heads", "rests on")
    y = alt.Y("value:Q", title=TITLE, axis=axis, scale=scale)
    return layered(
        base.mark_rule(strokeWidth=2).encode(x=x, y=alt.Y("low:Q", axis=axis, scale=scale, title=TITLE), y2="high:Q",
                                            color=colour),
        base.mark_point(filled=True, size=60, opacity=1).encode(x=x, y=y, color=colour, tooltip=shown),
        width=WIDTH, height=190,
    )  # fmt: skip
