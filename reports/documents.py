"""The HTML report: one file that works offline, made from a run's contents by a Jinja2 template."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

import polars as pl
import vl_convert
import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reports import (
    alerts,
    catalogue,
    charts,
    claims,
    contrasts,
    enhanced,
    findings,
    heads,
    linkage,
    lookups,
    meaning,
    reviewers,
    synthetic,
    tables,
    truth,
    wording,
)
from reports.charts.drawing import Spec, made_up
from reports.reading import EVERYBODY, SAME_GROUP, Contents
from testbed.scenario.models import Video
from testbed.scenario.synthetic import Synthetic


@dataclass
class Drawings:
    """The charts of one page, in the order they were placed, each with the words that describe it.

    made_up: each says that its people do not exist.
    """

    made_up: bool = False
    specs: list[tuple[str, Spec]] = field(default_factory=list)

    def place(self, spec: Spec, words: str) -> Markup:
        """The chart's place in the page."""
        if self.made_up:
            spec, words = made_up(spec), f"{wording.MADE_UP}: {words}"
        self.specs.append((f"chart-{len(self.specs)}", spec))
        return Markup('<div class="plot" id="{}" role="img" aria-label="{}"></div>').format(self.specs[-1][0], words)

    def as_json(self) -> Markup:
        """All specifications as JSON that cannot end the script element it stands in."""
        text = json.dumps(dict(self.specs), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return Markup(text.replace("<", "\\u003c"))


def page(template: str, **given: Any) -> str:
    """A page that works offline: a template with the words, the style and the scripts that every page has."""
    environment = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": wording.percent, "interval": wording.interval, "plain": wording.plain, "n": wording.count,
        "condition": wording.condition, "under": lambda name: wording.capital(wording.under(name)),
        "capital": wording.capital, "score": wording.score, "setting": wording.setting,
        "point_name": wording.point_name, "ratio": wording.ratio,
        "anchor": catalogue.anchor, "kind": wording.kind_of_group, "listed": wording.listed,
    }  # fmt: skip
    environment.globals |= {"bounds": wording.bounds, "too_few": wording.too_few, "times": wording.times}
    return environment.get_template(template).render(
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        style=_text("style.css"),
        draw=_text("draw.js"),
        vega=_vega(),
        **given,
    )


def html(contents: Contents, csvs: dict[str, pl.DataFrame]) -> str:
    """The report. csvs: the tables of `tables.all_tables`; those that are not empty lie beside the page."""
    return page(
        "report.html.j2",
        run=contents,
        scenario=contents.scenario,
        systems=contents.systems,
        information=wording.without_folders(contents.manifest.get("systems", {})),
        everybody=EVERYBODY,
        same_group=SAME_GROUP,
        video=isinstance(contents.scenario.probes, Video | Synthetic),
        findings=findings,
        contrasts=contrasts,
        enhanced=enhanced,
        lookups=lookups,
        alerts=alerts,
        heads=heads,
        linkage=linkage,
        reviewers=reviewers,
        catalogue=catalogue.rooms(),
        at_point=wording.at_point(contents.main_point, whose="each system's" if len(contents.systems) > 1 else "its"),
        who_says=wording.WHO_SAYS,
        tables=tables,
        meaning=meaning,
        truth=truth,
        charts=charts,
        drawings=Drawings(contents.synthetic),
        synthetic=synthetic,
        csvs=csvs,
        claims=claims,
        claimed=claims.by_claim(contents.claims),
        rows={
            name: csvs[name].to_dicts() for name in ("fmr_by_group", "failures", "what_was_found", "groups", "timings")
        },
        resolved=yaml.safe_dump(
            wording.without_folders(contents.manifest["scenario"]), sort_keys=False, allow_unicode=True, width=100
        ),
        inputs=inputs(contents),
    )


def inputs(contents: Contents) -> list[tuple[str, str]]:
    """Inputs and their SHA-256: files by name; photographs, whose names are ids of people, as one digest of digests."""
    listed = [(wording.file_name(path), known) for path, known in contents.manifest.get("inputs", {}).items()]
    photographs = {
        "reference photographs": contents.references.unique("reference")["digest"],
        "probe photographs": contents.photographs()["digest"],
    }
    for what, digests in photographs.items():
        known = sorted(digest for digest in digests if digest)
        if known:
            together = hashlib.sha256("".join(known).encode()).hexdigest()
            listed.append((f"{len(known)} {what} (SHA-256 of their sorted digests)", together))
    return listed


def _text(name: str) -> Markup:
    return Markup(files("reports").joinpath("templates", name).read_text(encoding="utf-8"))


@cache
def _vega() -> Markup:
    """Vega, Vega-Lite and Vega-Embed as one script, from the vl-convert that is installed."""
    return Markup(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;").replace("</script", "<\\/script"))
