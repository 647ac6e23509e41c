"""A look-up service: what it shows of a photograph, and how often that is a stranger (METRICS.md § Look-up).

One photograph is searched among everyone who passed the cameras: once with the person's own passes taken out, so that
whoever is shown is a stranger, and once with them. What stands on top of the lists is read from tables SEARCHES and
CANDIDATES; how it grows with people and cameras needs every score, and is counted from the templates.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import ceil, inf, isfinite
from typing import Any

import numpy as np
import polars as pl

from kernels.scores import Faces, scores_of
from testbed.evidence.figures import verdict
from testbed.evidence.intervals import Clustered, rate_interval
from testbed.evidence.lookup_growth import RETURNED, Growth, Share, growth
from testbed.evidence.rates import ALPHA, CellData
from testbed.evidence.scored import Array, ScoredCell
from testbed.evidence.searches import Gallery, Searches, search_interval, two_way
from testbed.evidence.strangers import median_among, modelled
from testbed.matching.people import Group
from testbed.matching.percent import PERCENTS, RULES, PercentRule
from testbed.matching.units import captures_of, photographs, references_of
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import ATTEMPTS, CANDIDATES, SEARCHES, TRANSITS

SHOWN = 67
"""The percent that the growth is told for, beside the operating points."""
CITY = 175_000
"""Cameras up to which the model is drawn, at the run's own people per camera."""
MOST = 1_000_000
"""People up to which it is drawn of photographs, which have no cameras."""
DECILES = tuple(tenth / 10 for tenth in range(1, 10))
CURVE = 49
"""Scores that the distribution of top scores is drawn at."""
NOT_GROWN: dict[str, Any] = {"people_per_camera": None, "growth": [], "model": [], "median_people": []}


@dataclass(frozen=True)
class Level:
    """What is shown at least: anybody (no threshold), an operating point, or a percent. limits `(2,)`: by half of the
    people, turned so that greater is more alike; threshold: in the system's unit, as a mean of both.
    """

    name: str
    limits: Array
    threshold: float | None = None
    percent: float | None = None

    def as_json(self) -> dict[str, Any]:
        """What stands beside every figure at this level."""
        return {"shown": self.name, "threshold": self.threshold, "percent": self.percent}


def lookup_of(data: CellData, scored: ScoredCell, run: RunDirectory, enrolled: str = "") -> dict[str, Any]:
    """What evidence.json says of the look-ups of a cell in which they were made.

    enrolled: which of each person's photographs is searched, where a cell has one of several (`Cell.enrolled`).
    """
    searches = data.searches
    assert searches is not None, "the scenario asks for look-ups"
    size = searches.gallery_sizes[-1]
    gallery, rule = searches.galleries[size], _rule(scored)
    levels = levels_of(scored, data.operating_points, rule)
    put = run.read(ATTEMPTS).filter((pl.col("cell") == data.cell) & (pl.col("state") != "undelivered"))
    cameras = sorted(put["camera"].unique())
    stills = run.manifest()["scenario"]["probes"]["kind"] == "stills"
    return {
        "system": data.system, "condition": data.condition, "cell": data.cell, "people": size,
        "percent_rule": None if rule is None else rule.name, "stills": stills, "cameras": len(cameras),
        "example": example_of(data, searches, size, run, rule, levels),
        "top_hits": [
            row for group in data.people.within() for row in top_hits(searches, gallery, group, levels)
        ],
        "top_scores": top_scores(searches, gallery, rule),
        **_grown(scored, run, levels[1:], put, cameras, enrolled, stills=stills),
    }  # fmt: skip


def levels_of(scored: ScoredCell, points: tuple[str, ...], rule: PercentRule | None) -> list[Level]:
    """Anybody; the operating points that have a threshold; the percents that the rule has a score for."""
    sign = 1.0 if scored.direction == "similarity" else -1.0
    levels = [Level("anybody", np.full(2, -inf))]
    for point in points:
        limits = scored.tallied.thresholds[scored.tallied.index(point)]
        if not np.isnan(limits).any():
            levels.append(Level(point, sign * limits, float(limits.mean())))
    for percent in PERCENTS if rule else ():
        score = rule.score(percent) if rule else 0.0
        if scored.edges[0] < score < scored.edges[-1]:
            levels.append(Level(f"{percent} %", np.full(2, sign * score), score, percent))
    return levels


def _rule(scored: ScoredCell) -> PercentRule | None:
    rule = RULES.get(scored.percent_rule or "")
    return rule if rule is not None and rule.direction == scored.direction else None


# -- what stands on top -------------------------------------------------------------------------------------------
def top_hits(searches: Searches, gallery: Gallery, group: Group, levels: list[Level]) -> list[dict[str, Any]]:
    """For photographs of a group, at each level: whose face is on top, where the person was not there, and where.

    absent: somebody is shown, who is a stranger; stranger: the person was there, and a stranger is on top;
    right: the person is on top. Else nobody is shown.
    """
    rows = []
    for level in levels:
        limit = level.limits[searches.people.folds[gallery.person]]
        rates = {
            name: on_top(gallery, searches.of(gallery, group, mated=mated), limit, right=name == "right")
            for name, mated in (("absent", False), ("stranger", True), ("right", True))
        }
        row = {"group": group.name, "attributes": group.attributes, **level.as_json()}
        rows.append({**row, **{name: _told(rate) for name, rate in rates.items()}})
    return rows


def on_top(gallery: Gallery, mine: Array, limit: Array, *, right: bool = False) -> Clustered:
    """Searches `mine` whose best candidate reaches `limit (Q,)` and is a stranger, or the right person.

    Decided by a stranger who alone brings it about: without whom a stranger would not be, or the right person would be,
    on top.
    """
    shown = gallery.best >= np.maximum(limit, -np.finfo(float).max)
    there, first = gallery.rank > 0, gallery.rank == 1
    # Another stranger would take the place of the best one.
    another = (gallery.second >= limit) & (gallery.second > gallery.true)
    if right:
        outranked = there & ~first & (gallery.true >= limit) & ~another
        at = np.flatnonzero(outranked)
        return two_way(gallery.person, gallery.size, mine, first & (gallery.true >= limit), (at, gallery.who[at]))
    wrong = shown & ~first
    at = np.flatnonzero(wrong & ~another)
    return two_way(gallery.person, gallery.size, mine, wrong, (at, gallery.who[at]))


def top_scores(searches: Searches, gallery: Gallery, rule: PercentRule | None) -> dict[str, Any]:
    """How alike the best stranger is, in searches for people who are not there: quantiles, and a curve of shares.

    A quantile's interval: the scores at which the bounds of the share of searches hold it (Woodruff 1952), between
    the scores of the curve, outwards.
    """
    sign = 1.0 if searches.direction == "similarity" else -1.0
    mine = ~gallery.mated
    best = np.sort(gallery.best[mine])
    told: dict[str, Any] = {
        "searches": len(best),
        "people": len(np.unique(gallery.person[mine])),
        "deciles": [],
        "curve": [],
    }
    finite = best[np.isfinite(best)]
    if not len(finite):
        return told

    def score(alike: float | None) -> dict[str, Any]:
        if alike is None or not isfinite(alike):
            return {"score": None, "percent": None}
        return {"score": sign * alike, "percent": rule.percent(sign * alike) if rule else None}

    at = np.unique(np.quantile(finite, np.linspace(0, 1, CURVE), method="inverted_cdf"))
    shares = [on_top(gallery, mine, np.full(len(mine), alike)) for alike in at]
    bounds = [search_interval(share, ALPHA) for share in shares]
    told["curve"] = [
        {**score(alike), "value": share.rate, "low": bound.low, "high": bound.high}
        for alike, share, bound in zip(at, shares, bounds, strict=True)
    ]
    for decile in DECILES:
        above = 1 - decile
        low = max((alike for alike, bound in zip(at, bounds, strict=True) if bound.low > above), default=None)
        high = min((alike for alike, bound in zip(at, bounds, strict=True) if bound.high < above), default=None)
        value = best[ceil(decile * len(best) - 1e-9) - 1]
        row = {"share": decile, **score(value)}
        for name, alike in (("low", low), ("high", high)):
            row |= {f"{what}_{name}": each for what, each in score(alike).items()}
        told["deciles"].append(row)
    return told


def example_of(
    data: CellData, searches: Searches, size: int, run: RunDirectory, rule: PercentRule | None, levels: list[Level]
) -> dict[str, Any] | None:
    """The list of a photograph of somebody who was not there: of all such lists, that of the median top score.

    Nobody who exists is named: of real people, `who` numbers the people on the list. reached: the operating points
    that a candidate reaches.
    """
    made = run.read(SEARCHES).filter(
        (pl.col("cell") == data.cell) & (pl.col("gallery") == size) & ~pl.col("mated") & (pl.col("state") == "searched")
    )
    lists = [run.read(CANDIDATES, part) for part in run.parts(CANDIDATES, data.cell)]
    theirs = [part.filter(pl.col("gallery") == size).join(made, "search", how="semi") for part in lists]
    first = pl.concat([pl.DataFrame(schema=CANDIDATES.columns), *(part.filter(pl.col("rank") == 1) for part in theirs)])
    if first.is_empty():
        return None
    first = first.sort("score", "search", descending=[searches.direction == "distance", False])
    median = first["search"][(first.height - 1) // 2]
    listed = pl.concat([part.filter(pl.col("search") == median) for part in theirs]).sort("rank")
    camera = dict(run.read(TRANSITS).select("transit", "camera").iter_rows())
    people = list(dict.fromkeys(listed["subject"]))
    named = bool(run.manifest().get("synthetic"))
    sign = 1.0 if searches.direction == "similarity" else -1.0
    owner = made.filter(pl.col("search") == median)["subject"][0]
    fold = searches.people.folds[searches.people.subjects.index(owner)]
    return {
        "photograph": owner if named else None,
        "lists": first.height,
        "rows": [
            {
                "rank": row["rank"], "camera": camera.get(row["reference"]), "score": row["score"],
                "percent": rule.percent(row["score"]) if rule else None,
                "who": row["subject"] if named else people.index(row["subject"]) + 1,
                "reached": [
                    level.name for level in levels
                    if level.percent is None and isfinite(level.limits[0]) and sign * row["score"] >= level.limits[fold]
                ],
            }
            for row in listed.iter_rows(named=True)
        ],
    }  # fmt: skip


def _told(rate: Clustered) -> dict[str, Any]:
    interval = search_interval(rate, ALPHA)
    return {
        "value": rate.rate if rate.comparisons else None, "low": interval.low, "high": interval.high,
        "errors": rate.errors, "comparisons": rate.comparisons, "subjects": rate.subjects, "unit": "search",
        "method": interval.method, "assumption_free": None, "verdict": verdict([rate], paired=False),
    }  # fmt: skip


# -- more people, more cameras ------------------------------------------------------------------------------------
def _grown(
    scored: ScoredCell, run: RunDirectory, levels: list[Level], put: pl.DataFrame, cameras: list[str], enrolled: str,
    *, stills: bool,
) -> dict[str, Any]:  # fmt: skip
    """Growth at the operating points and at SHOWN %, the model beyond, and the median stranger at every level.

    why: nothing of it can be told, else None.
    """
    people = scored.people
    passed = np.zeros((len(people.subjects), len(cameras)), bool)
    places = put["camera"].replace_strict({name: c for c, name in enumerate(cameras)}, return_dtype=pl.Int64)
    passed[people.index(put["subject"]), places.to_numpy()] = True
    limits = np.array([level.limits for level in levels]).reshape(-1, 2)[:, people.folds]
    bounds = _upper_limits(scored, levels, scored.acquired.sum() / max(1, int(passed.sum())))
    grown = growth(alike_of(scored, run, cameras, enrolled), passed, limits, bounds, ALPHA)
    if not grown:
        return {**NOT_GROWN, "why": "fewer than three people passed a camera"}
    drawn = [k for k, level in enumerate(levels) if level.percent in (None, SHOWN)]
    last = grown[-1]
    each = int(passed.any(axis=1).sum()) / len(cameras)
    return {
        "why": None,
        "people_per_camera": None if stills else each,
        "growth": [
            {
                **levels[k].as_json(), "measure": measure, "cameras": g.cameras, "choices": g.choices,
                "possible": g.possible, "size": int(size), **_share(share),
            }
            for g in grown for k in drawn for measure, told in g.shares.items()
            for size, share in zip(g.sizes, told[k], strict=True)
        ],
        "model": [_modelled(levels[k], last, k, None if stills else each) for k in drawn],
        "median_people": [
            {**level.as_json(), "measured_up_to": int(last.candidates.min()),
             "subjects": len(last.candidates),
             **asdict(median_among(last.matches[k], last.candidates, int(last.candidates.min()),
                                   last.shares[RETURNED][k][0].value))}
            for k, level in enumerate(levels)
        ],
    }  # fmt: skip


def alike_of(
    scored: ScoredCell, run: RunDirectory, cameras: list[str], enrolled: str = ""
) -> Iterator[tuple[Array, Array]]:
    """Blocks for `growth`: every photograph, and how alike each person's passes at each camera are to it."""
    info, people = run.manifest()["systems"][scored.system], scored.people
    S, C = len(people.subjects), len(cameras)
    captures, templates = captures_of(run, scored.cell, info["dimensions"])
    usable = captures.filter((pl.col("state") == "ok") & pl.col("transit").is_not_null())
    usable = usable.filter(pl.col("camera").is_in(cameras))
    at = people.index(usable["subject"]) * C + np.array([cameras.index(name) for name in usable["camera"]], np.int64)
    order = np.argsort(at, kind="stable")
    cells, starts = np.unique(at[order], return_index=True)
    rows = usable["row"].to_numpy().astype(np.int64)[order]
    passes = Faces(templates[rows], np.r_[starts, len(rows)].astype(np.int64), cells // C)
    faces = references_of(run, scored.system, people, enrolled)
    sign = 1.0 if scored.direction == "similarity" else -1.0
    for units, scores in scores_of(faces, passes, info["metric"]) if len(passes) else ():
        alike = np.full((len(scores), S * C), -inf)
        alike[:, cells] = sign * scores
        yield faces.subjects[units], alike.reshape(-1, S, C)
    # A photograph without a template was handed in all the same, and shows nobody.
    failed = photographs(run, scored.system, enrolled)
    if len(passes):
        failed = failed.filter(pl.col("state") != "enrolled")
    for owner in people.index(failed["subject"]):
        yield np.array([owner]), np.full((1, S, C), -inf)


def _upper_limits(scored: ScoredCell, levels: list[Level], passes: float) -> Array:
    """For each level an upper limit of the chance that a stranger who passes one camera (`passes` times) matches.

    From the upper limit of FMR at the level, or at the next looser threshold that is tallied; 1 where there is none.
    """
    everybody = scored.population(scored.people.everyone())
    sign = 1.0 if scored.direction == "similarity" else -1.0
    looser = [(sign * scored.tallied.thresholds[k, 0], int(k)) for k in scored.thresholds()]
    limits = []
    for level in levels:
        near = [(alike, k) for alike, k in looser if alike <= level.limits.min()]
        if level.name in scored.tallied.points:
            near = [(0.0, scored.tallied.index(level.name))]
        high = rate_interval(everybody.fmr(max(near)[1]), everybody.looser, ALPHA).high if near else 1.0
        limits.append(min(1.0, passes * high))
    return np.array(limits)


def _share(share: Share) -> dict[str, Any]:
    return {**asdict(share), "value": None if np.isnan(share.value) else share.value}


def _modelled(level: Level, last: Growth, k: int, each: float | None) -> dict[str, Any]:
    """The model beside the measurement, and beyond it up to CITY cameras with `each` people (None: MOST people).

    Limits are those of FMR. Beyond the measurement there are none: the model itself is not tested there.
    """
    one = last.shares[RETURNED][k][0]
    most = MOST if each is None else max(int(last.sizes[-1]) + 1, round(CITY * each))
    beyond = np.unique(np.geomspace(last.sizes[-1], most, 13).round().astype(int))
    return {
        **level.as_json(), "cameras": last.cameras, "fmr": one.value, "fmr_low": one.low, "fmr_high": one.high,
        "subjects": one.people, "measured_up_to": int(last.sizes[-1]), "breaks_at": last.breaks_at(k),
        "rows": [
            {"size": int(size), "how": "beside" if size <= last.sizes[-1] else "extrapolated",
             "cameras": last.cameras if size <= last.sizes[-1] or each is None else round(size / each),
             **{name: None if name != "value" and size > last.sizes[-1] else modelled(p, int(size)) for name, p in
                (("value", one.value), ("low", one.low), ("high", one.high))}}
            for size in (*last.sizes, *beyond[1:])
        ],
    }  # fmt: skip
