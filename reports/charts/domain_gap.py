"""Made-up faces beside photographs: scores at one face size, and faces found by size."""

from __future__ import annotations

from typing import Any

import altair as alt

from reports.charts.drawing import (
    BLUE,
    GRID,
    INK,
    ORANGE,
    PERCENT,
    Rows,
    Sheets,
    Spec,
    layered,
    panels,
    short,
    tooltips,
)
from reports.reading import Contents, Figure
from reports.synthetic import most, sizes
from reports.wording import interval, percent
from testbed.scenario.cells import Cell

WHO = {"strangers": "strangers", "same_person": "same person"}
FACES = {"made_up": "made up", "photographs": "photographs"}


def domain_gap(contents: Contents, cell: Cell) -> Spec:
    """Of one cell: scores at the face size with most people, filled (made up) and as lines (photographs); faces found
    at every size. Without photographs of the same system only what is made up.
    """
    sheets, rows = Sheets(), sizes(contents, cell)
    chosen = most(rows)
    assert chosen is not None, "drawn only where there are faces"
    threshold = contents.manifest["systems"][cell.system.label]["threshold"]
    return sheets.specification(
        panels([_scores(sheets, chosen, threshold), _found(sheets, rows)], columns=2, spacing=36,
               resolve={"scale": {"color": "independent"}})
    )  # fmt: skip


def _scores(sheets: Sheets, row: Figure, threshold: float) -> Any:
    made_up, photographs = (_bins(row[whose], name) for whose, name in FACES.items())
    colour = alt.Color("who:N", title=None, scale=alt.Scale(domain=[*WHO.values()], range=[BLUE, ORANGE]),
                       legend=alt.Legend(orient="top", direction="horizontal"))  # fmt: skip
    y = alt.Y("share:Q", title=None, stack=None, axis=alt.Axis(format="~%", tickCount=3, gridColor=GRID))
    x = alt.X("low:Q", title="score", scale=alt.Scale(zero=False), axis=alt.Axis(grid=False, tickCount=6))
    told = tooltips("faces", "who", "low", share="share", comparisons="n")
    bars = sheets.chart(made_up).mark_bar(opacity=0.5, binSpacing=0)
    lines = sheets.chart(photographs).mark_line(interpolate="step-after", strokeWidth=1.5)
    rule = sheets.chart([{"low": threshold}]).mark_rule(color=INK)
    return layered(
        bars.encode(x=x, x2="high:Q", y=y, y2=alt.Y2Datum(0), color=colour, tooltip=told),
        lines.encode(x=x, y=y, color=colour, tooltip=told),
        rule.encode(x="low:Q", tooltip=[alt.Tooltip("low:Q", title="own threshold")]),
        width=430, height=170,
        title=alt.TitleParams(f"scores at about {row['inter_eye_px']:g} px: filled made up, lines photographs",
                              anchor="start", fontSize=11, fontWeight="normal"),
    )  # fmt: skip


def _bins(side: Figure | None, faces: str) -> Rows:
    scores = side and side["scores"]
    if not scores:
        return []
    rows: Rows = []
    for key, who in WHO.items():
        total = sum(scores[key])
        # A bin without comparisons is drawn too, so that the line of photographs comes down to it.
        rows += [
            {"faces": faces, "who": who, "low": short(scores["low"] + i * scores["width"]), "n": n,
             "high": short(scores["low"] + (i + 1) * scores["width"]), "share": short(n / total)}
            for i, n in enumerate([*scores[key], 0]) if total
        ]  # fmt: skip
    return rows


def _found(sheets: Sheets, rows: list[Figure]) -> Any:
    found: Rows = []
    for row in rows:
        for side, name in ((row[whose], name) for whose, name in FACES.items() if row[whose]):
            told = side["found"]
            found.append({
                "faces": name, "size": short(side["mean_inter_eye_px"]), "band": row["inter_eye_px"],
                **{end: told[end] for end in ("value", "low", "high")}, "shown": percent(told["value"]),
                "interval": interval(told), "counts": f"{told['found']} / {told['shown']}", "people": side["people"],
            })  # fmt: skip
    base = sheets.chart(found).encode(
        x=alt.X("size:Q", title="pixels between the eyes", scale=alt.Scale(type="log", nice=False, padding=14),
                axis=alt.Axis(values=sorted({row["band"] for row in found}), grid=False)),
        color=alt.Color("faces:N", title=None, scale=alt.Scale(domain=[*FACES.values()], range=[ORANGE, INK]),
                        legend=alt.Legend(orient="top", direction="horizontal")),
        tooltip=tooltips("faces", "size", found="shown", interval="interval", people="people",
                         **{"found / shown": "counts"}),
    )  # fmt: skip
    axis = alt.Axis(labelExpr=PERCENT, gridColor=GRID, tickCount=5)
    y = alt.Y("value:Q", title=None, axis=axis, scale=alt.Scale(domain=[0, 1]))
    return layered(
        base.mark_rule(strokeWidth=2).encode(y=alt.Y("low:Q", title=None, axis=axis), y2="high:Q"),
        base.mark_line(strokeWidth=1, opacity=0.5).encode(y=y),
        base.mark_point(filled=True, size=50, opacity=1).encode(
            y=y, shape=alt.Shape("faces:N", legend=None, scale=alt.Scale(domain=[*FACES.values()],
                                                                         range=["circle", "diamond"]))
        ),
        width=300, height=170, title=alt.TitleParams("faces found", anchor="start", fontSize=11, fontWeight="normal"),
    )  # fmt: skip
