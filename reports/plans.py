"""A plan's chart as a file of its own, without a network."""

from __future__ import annotations

import json
from pathlib import Path

import vl_convert

from pipelines.errors import InputError
from reports.charts.drawing import Spec
from reports.charts.planning import planning
from testbed.evidence.planning import CURVE, Plan, curve

SCALE = 2
"""Pixels of a PNG per point, so that it can be printed."""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
      content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>How many people a test needs</title>
</head>
<body>
<div id="plan"></div>
<script>{script}</script>
<script>vegaEmbed("#plan", {spec}, {{actions: false, renderer: "svg", ast: true}});</script>
</body>
</html>
"""


def draw(plan: Plan, groups: int, claims: int, measured: str | None, path: Path) -> None:
    """Write the chart of a plan to `path`: .html, .png or .svg. measured: where its design effect was, None if assumed.

    Raises InputError for another ending, for a rate that has no pairs, and where the file cannot be written.
    """
    makers = {".html": _html, ".png": _png, ".svg": _svg}
    if path.suffix not in makers:
        raise InputError(f"--out {path}: ends in {path.suffix or 'nothing'}; give a file ending in .html, .png or .svg")
    if plan.metric != "FMR":
        raise InputError(f"--out {path}: only FMR has a curve to draw; {plan.metric} needs as many people as trials")
    bounds = sorted({*CURVE, plan.bound}, reverse=True)
    rows = curve(plan.metric, bounds, groups, claims, plan.confidence, plan.effect)
    value = plan.effect.value
    words = f"at an assumed design effect of {value:g}" if measured is None else f"as alike as in {measured}"
    spec = planning(rows, words, at=plan.bound)
    spec |= {"background": "white", "padding": 16, "title": _title(plan)}
    try:
        path.write_bytes(makers[path.suffix](spec))
    except OSError as error:
        raise InputError(
            f"--out {path}: cannot be written ({error.strerror}); name a file in a folder that is there"
        ) from None


def _title(plan: Plan) -> Spec:
    said = (
        f"{plan.statements} statement{'s' if plan.statements > 1 else ''} at {plan.confidence:.0%} confidence together"
    )
    return {
        "text": "How many people a test needs in each group", "anchor": "start", "offset": 14,
        "subtitle": f"so that not one false match among them supports the bound; {said}",
        "subtitleColor": "#57606a", "fontSize": 15,
    }  # fmt: skip


def _html(spec: Spec) -> bytes:
    script = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;").replace("</script", "<\\/script")
    return _PAGE.format(script=script, spec=json.dumps(spec).replace("<", "\\u003c")).encode()


def _png(spec: Spec) -> bytes:
    return bytes(vl_convert.vegalite_to_png(json.dumps(spec), scale=SCALE))


def _svg(spec: Spec) -> bytes:
    return vl_convert.vegalite_to_svg(json.dumps(spec)).encode()
