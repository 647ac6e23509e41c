"""Likelihood ratios against the score, and the percent it is shown as."""

from __future__ import annotations

from typing import Any

import altair as alt

from reports.charts.drawing import BLUE, GREY, GRID, ORANGE, Rows, Sheets, Spec, layered, panels, short, tooltips, whose
from reports.reading import Figure
from reports.wording import beyond, count, ratio, score

_RATIOS = "datum.value < 0 ? '1/' + format(pow(10, -datum.value), ',') : format(pow(10, datum.value), ',')"
_FADED = "#f1f2f4"


def likelihood(rows: list[Figure], direction: str) -> Spec:
    """One panel for each row of score_meaning: the likelihood ratio at every score, and how far the people carry it.

    Where the system shows scores as percent, those of the row's percents stand above. direction: distance or
    similarity; more alike is drawn to the right either way.
    """
    sheets = Sheets()
    alone = len(rows) == 1
    return sheets.specification(
        panels([_panel(sheets, row, direction, alone) for row in rows], columns=1 if alone else 3, spacing=26)
    )


def _panel(sheets: Sheets, row: Figure, direction: str, alone: bool) -> Any:
    least, most = row["log10_limits"]
    curve: Rows = [
        {
            "score": short(each["score"]), "ratio": short(each["log10"]), "words": _held(each["log10"], least, most),
            "logistic": short(min(max(each["logistic"], least), most)), "at": score(each["score"]),
            "percent": "–" if each["percent"] is None else f"{each['percent']:.1f} %",
        }
        for each in row["likelihood_ratios"]
    ]  # fmt: skip
    scores = [each["score"] for each in curve]
    width, height = (560, 300) if alone else (250, 140)
    top, bottom = _whole(most), -_whole(-least)
    x = alt.X(
        "score:Q",
        scale=alt.Scale(domain=[min(scores), max(scores)], nice=False, reverse=direction == "distance"),
        title=f"score ({direction}), more alike to the right" if alone else None,
        axis=alt.Axis(tickCount=6 if alone else 4, grid=False),
    )
    y = alt.Y(
        "ratio:Q",
        scale=alt.Scale(domain=[bottom, top], nice=False),
        title="likelihood ratio" if alone else None,
        axis=alt.Axis(values=list(range(bottom, top + 1)), labelExpr=_RATIOS, gridColor=GRID),
    )
    base = sheets.chart(curve).encode(x=x, tooltip=tooltips("percent", score="at", **{"likelihood ratio": "words"}))
    few = row["verdict"] == "insufficient"
    colour = GREY if few else BLUE
    beyond = sheets.chart([{"ratio": most, "end": top}, {"ratio": bottom, "end": least}])
    layers = [
        beyond.mark_rect(color=_FADED).encode(y=y, y2="end:Q"),
        sheets.chart([{"ratio": 0}]).mark_rule(color=GREY, strokeWidth=1).encode(y=y),
        base.mark_line(color=ORANGE, strokeWidth=1.2, strokeDash=[4, 3]).encode(y=alt.Y("logistic:Q")),
        base.mark_line(color=colour, strokeWidth=2.5).encode(y=y),
        base.mark_point(filled=True, size=26, opacity=0, color=colour).encode(y=y),
    ]
    if alone:
        who = "these scores" if row["subjects"] is None else count(row["subjects"], "people")
        told = (
            (most, -4, f"beyond what {who} can show"), (0, -4, "↑ speaks for the same person"),
            (0, 12, "↓ speaks for a stranger"),
        )  # fmt: skip
        for at, dy, words in told:
            text = sheets.chart([{"ratio": at, "words": words}])
            layers.append(
                text.mark_text(align="left", baseline="bottom", dy=dy, color="#6b7280", fontSize=11)
                .encode(x=alt.value(6), y=y, text="words:N")
            )  # fmt: skip
    layers += _percents(sheets, row, x, width, direction)
    title = whose(row, offset=22 if row["percents"] else 6)
    return layered(*layers, width=width, height=height, title=title)


def _percents(sheets: Sheets, row: Figure, x: Any, width: int, direction: str) -> list[Any]:
    """Marks above the plot where the percents stand that the system would show; none where two would collide."""
    scores = [each["score"] for each in row["likelihood_ratios"]]
    low, high = min(scores), max(scores)
    marks: Rows = []
    for each in row["percents"] or []:
        if low <= each["score"] <= high:
            part = (each["score"] - low) / (high - low)
            at = width * (1 - part if direction == "distance" else part)
            if not marks or abs(at - marks[-1]["at"]) > 34:
                marks.append({"score": each["score"], "words": f"{each['percent']} %", "at": at})
    if not marks:
        return []
    base = sheets.chart(marks)
    layers = [
        base.mark_text(dy=-9, color="#57606a", fontSize=11, clip=False).encode(x=x, y=alt.value(0), text="words:N"),
        base.mark_tick(color="#57606a", height=6, thickness=1, clip=False).encode(x=x, y=alt.value(-2)),
    ]
    if min(mark["at"] for mark in marks) > 72:
        said = sheets.chart([{}]).mark_text(align="left", dy=-9, color="#57606a", fontSize=11, text="shown as")
        layers.append(said.encode(x=alt.value(0), y=alt.value(0)))
    return layers


def _held(log10: float, least: float, most: float) -> str:
    return beyond(ratio(log10), "over" if log10 >= most - 1e-9 else "under" if log10 <= least + 1e-9 else None)


def _whole(limit: float) -> int:
    """The next whole power of ten beyond a limit, with some room."""
    return int(limit + 0.15) + 1
