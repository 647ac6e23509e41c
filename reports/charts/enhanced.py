"""The same few pixels drawn several times: scores of the right person and the best stranger, and the threshold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from reports.charts.drawing import BLUE, GRID, INK, ORANGE, Rows, Sheets, Spec, layered, short, tooltips
from reports.reading import Figure
from reports.wording import listed, plain

WHO = {"own": "the right person", "stranger": "the most alike stranger"}


def draws(prior: Figure, at: Figure | None, direction: str, attributes: Sequence[str]) -> Spec:
    """A line for each pass of some, over its draws; filled where a draw is a match at the point `at`.

    attributes: what the groups of who passed are labels of.
    """
    sheets = Sheets()
    point = at["operating_point"] if at else None
    dots: Rows = []
    spans: Rows = []
    for number, example in enumerate(_ordered(prior["examples"], direction), start=1):
        whose = f"{plain(example['group'])} · pass {number}"
        for who, words in WHO.items():
            told = [each for each in example[who] if each["score"] is not None]
            scores = [short(each["score"]) for each in told]
            if scores:
                spans.append({"pass": whose, "who": words, "low": min(scores), "high": max(scores)})
            dots += [
                {"pass": whose, "who": words, "score": value, "draw": each["draw"], "match": point in each["reached"]}
                for each, value in zip(told, scores, strict=True)
            ]
    order = list(dict.fromkeys(row["pass"] for row in spans))
    passed = f"who passed, by {listed(map(plain, attributes))}" if attributes else "who passed"
    names = alt.Axis(title=passed, ticks=False, domain=False, labelPadding=8, grid=True,
                     gridColor=GRID, labelLimit=200)  # fmt: skip
    y = alt.Y("pass:N", sort=order, axis=names, scale=alt.Scale(paddingInner=0.3))
    lane = alt.YOffset("who:N", sort=[*WHO.values()])
    alike = "left" if direction == "distance" else "right"
    title = f"score; more alike to the {alike}"
    x = alt.X("low:Q", title=title, scale=alt.Scale(zero=False, nice=True),
              axis=alt.Axis(gridColor=GRID, tickCount=8))  # fmt: skip
    colour = alt.Color("who:N", title=None, sort=[*WHO.values()], legend=alt.Legend(orient="top"),
                       scale=alt.Scale(domain=[*WHO.values()], range=[BLUE, ORANGE]))  # fmt: skip
    scored = sheets.chart(dots).encode(
        x=alt.X("score:Q", title=title), y=y, yOffset=lane, color=colour, tooltip=tooltips("who", "draw", "score")
    )
    layers: list[Any] = [
        sheets.chart(spans)
        .mark_rule(strokeWidth=2, opacity=0.5)
        .encode(x=x, x2="high:Q", y=y, yOffset=lane, color=colour),
        scored.transform_filter("!datum.match").mark_point(size=34, opacity=1, fill="white"),
        scored.transform_filter("datum.match").mark_point(size=34, opacity=1, filled=True),
    ]  # fmt: skip
    if at is not None:
        threshold = sheets.chart([{"threshold": short(at["threshold"])}])
        layers.append(threshold.mark_rule(color=INK, strokeDash=[4, 3]).encode(x=alt.X("threshold:Q", title=title)))
    return sheets.specification(layered(*layers, width=560, height={"step": 11}))


def _ordered(examples: list[Figure], direction: str) -> list[Figure]:
    """The passes whose stranger is most alike first."""
    sign = 1 if direction == "distance" else -1
    return sorted(
        examples,
        key=lambda each: min((sign * s["score"] for s in each["stranger"] if s["score"] is not None), default=0),
    )
