"""What a watch-list does to those who pass: misses, false alerts and precision (METRICS.md § A watch-list).

Two views, counted alike. By *pass*: truth says which pictures show one pass. By *track*: a tracker does, as at a real
gate; a pass may fall into several tracks, each of which can stop somebody. Errors are clustered two ways, by the person
who passed and by the wanted person they were taken for (testbed.evidence.searches): all who pass meet one watch-list.
Stops by mistake are told of people who are not wanted; those of everybody, and how often the wanted are taken for one
another, stand beside. What is told per camera-hour is a rate per pass, or track, times how many there were: it holds at
this traffic.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from testbed.evidence.figures import bounded, verdict
from testbed.evidence.intervals import Clustered
from testbed.evidence.rates import ALPHA, CellData
from testbed.evidence.searches import UNTESTABLE, Array, Gallery, Searches, search_interval, two_way
from testbed.matching.people import Group, People
from testbed.matching.searching import gallery_of
from testbed.matching.tracks import TRACKER
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import ALERTS, FRAMES, SEARCHES, TRACKS, TRANSITS, Table
from testbed.scenario.models import Scenario, Stills, TruthFile, Video
from testbed.scenario.searching import Watchlist
from testbed.scenario.synthetic import Synthetic
from testbed.synthetic.clips import clips
from testbed.synthetic.production import planned_passes

PREVALENCES = tuple(1 / n for n in (10, 100, 1000, 10_000, 100_000, 1_000_000))
"""Shares of passes that are of somebody wanted, for which precision is told."""
NO_THRESHOLD = "no such threshold could be found among so few comparisons"
NONE = (np.zeros(0, np.int64), np.zeros(0, np.int64))


@dataclass(frozen=True)
class Watch:
    """A watch-list in one cell: rows of its tables SEARCHES, TRACKS and ALERTS, and whose each transit is.

    hours: of all cameras together. Photographs have neither hours nor tracks: None. unseen: passes in which no face was
    to be recognised, so that they are none of the searches: subject, wanted; None where nobody knows of them.
    """

    fusion: str
    cameras: int
    hours: float | None
    searches: pl.DataFrame
    tracks: pl.DataFrame | None
    alerts: pl.DataFrame | None
    whose: dict[str, str]
    unseen: pl.DataFrame | None = None


@dataclass(frozen=True)
class Stops:
    """One view of one point: U units (passes or tracks) of known people, and the P passes before the cameras.

    person `(U,)` indexes People; false `(U,)`: somebody was named who it is not; alone: at which units one such person
    alone was named, and who `(n,)`. missed `(P,)`: of passes, those of a wanted person who was not named. What cannot
    be told is None, and `why` says it.
    """

    passes: Gallery
    person: Array
    false: Array | None
    alone: tuple[Array, Array]
    missed: Array | None
    why: str

    @property
    def others(self) -> Array:
        """Which units `(U,)` are of people who are not wanted."""
        return ~np.isin(self.person, self.passes.person[self.passes.mated])

    def false_alerts(self, mine: Array) -> Clustered:
        """Falsely alerted of the units `mine (U,)`."""
        if self.false is None:
            return UNTESTABLE
        return two_way(self.person, self.passes.size, mine, self.false, self.alone)

    def people_stopped(self, mine: Array, passed: Array) -> Clustered:
        """Of the people of the passes `passed (P,)`, those falsely alerted at least once, at units `mine (U,)`."""
        if self.false is None:
            return UNTESTABLE
        each = np.unique(self.passes.person[passed])
        times = np.bincount(np.searchsorted(each, self.person[mine & self.false]), minlength=len(each))
        at, who = (part[mine[self.alone[0]]] for part in self.alone)
        at = np.searchsorted(each, self.person[at])
        pairs = np.unique(np.column_stack([at, who]), axis=0)
        # Decided by one person: nobody else was ever named, alone or among others.
        single = (np.bincount(at, minlength=len(each)) == times) & (np.bincount(pairs[:, 0], minlength=len(each)) == 1)
        decided = pairs[single[pairs[:, 0]]]
        return two_way(each, self.passes.size, np.ones(len(each), bool), times > 0, (decided[:, 0], decided[:, 1]))

    def misses(self, mine: Array) -> Clustered:
        """Missed of the passes `mine (P,)` that are of wanted people."""
        if self.missed is None:
            return UNTESTABLE
        return two_way(self.passes.person, self.passes.size, mine & self.passes.mated, self.missed, NONE)


def watch_of(
    run: RunDirectory, scenario: Scenario, cell: str, people: People, photographs: pl.DataFrame
) -> Watch | None:
    """What a run has of a cell's watch-list; None where the scenario has none. photographs: the cell's REFERENCES."""
    if not isinstance(scenario.search, Watchlist):
        return None

    def of(table: Table) -> pl.DataFrame:
        return run.read(table).filter(pl.col("cell") == cell)

    frames = [run.read(FRAMES, part).select("camera", "seconds") for part in run.parts(FRAMES, cell)]
    clips = scenario.probes.cameras if isinstance(scenario.probes, Video) else []
    unknown = [clip.name for clip in clips if not isinstance(clip.truth, TruthFile)]  # nobody knows who passes there
    shown = pl.concat(frames).filter(~pl.col("camera").is_in(unknown)).sort("camera", "seconds").group_by("camera")
    # The last frame lasts as long as frames do.
    lasting = shown.agg(s=pl.col("seconds").max() - pl.col("seconds").min() + pl.col("seconds").diff().median())
    filmed = not isinstance(scenario.probes, Stills)
    whose = dict(run.read(TRANSITS).select("transit", "subject").rows())
    return Watch(
        scenario.search.fusion, lasting.height, float(lasting["s"].sum()) / 3600 if filmed else None, of(SEARCHES),
        of(TRACKS) if filmed else None, of(ALERTS) if filmed else None, whose,
        _unseen_passes(scenario, lasting["camera"], whose, people, photographs),
    )  # fmt: skip


def _unseen_passes(
    scenario: Scenario, cameras: pl.Series, whose: dict[str, str], people: People, photographs: pl.DataFrame
) -> pl.DataFrame | None:
    """Passes of made-up people before `cameras` that are no transits, since no face was put before the system."""
    if not isinstance(scenario.probes, Synthetic) or not isinstance(scenario.search, Watchlist):
        return None
    able = np.unique(people.index(photographs.filter(pl.col("state") == "enrolled")["subject"]))
    wanted = gallery_of(scenario.search, people, scenario.seed, able).order
    filmed = [clip for clip in clips(scenario.probes, scenario.seed) if clip.name in cameras]
    unseen = planned_passes(scenario.probes, filmed).filter(~pl.col("transit").is_in(list(whose)))
    return unseen.select("subject", wanted=pl.Series(np.isin(people.index(unseen["subject"]), wanted)))


def alerts_of(data: CellData, watch: Watch) -> Iterator[dict[str, Any]]:
    """A row for each operating point of a cell: every group's rates in both views, and precision."""
    if data.searches is None:
        return
    (gallery,) = data.searches.galleries.values()
    for point in data.operating_points:
        passes, tracks = _by_pass(data.searches, gallery, point), _by_track(data, watch, gallery, point)
        yield {
            "system": data.system, "condition": data.condition, "cell": data.cell, "operating_point": point,
            "threshold": data.threshold(point), "wanted": gallery.size, "fusion": watch.fusion,
            "cameras": watch.cameras, "hours": watch.hours, "confidence": 1 - ALPHA,
            "tracking": _tracking(watch, point),
            "groups": [_of_group(data, watch, group, passes, tracks) for group in data.people.within()],
        }  # fmt: skip


def precision(prevalence: float, found: tuple[float, float], false: tuple[float, float]) -> tuple[float, float]:
    """Limits of the share of stops that are of the right person, where `prevalence` of those who pass are wanted.

    found, false: limits of the shares stopped of the wanted, and of the others. `π·t / (π·t + (1 − π)·f)` rises with
    t and falls with f. Where nobody may be stopped at all, nothing is known: 0, or 1.
    """

    def share(t: float, f: float, unknown: float) -> float:
        stops = prevalence * t + (1 - prevalence) * f
        return prevalence * t / stops if stops > 0 else unknown

    return share(found[0], false[1], 0.0), share(found[1], false[0], 1.0)


# -- the two views ------------------------------------------------------------------------------------------------
def _by_pass(searches: Searches, gallery: Gallery, point: str) -> Stops:
    """Passes as searches found them; nothing is known where a list was cut while candidates still passed."""
    limit = searches.limits[point][searches.people.folds[gallery.person]]
    full = (gallery.end >= limit) | np.isnan(limit)
    false, missed = gallery.best >= limit, gallery.mated & ~(gallery.true >= limit)
    alone = np.flatnonzero(false & (gallery.second < limit))
    cut = f"lists are cut at {gallery.limit} candidates, some before this threshold: a longer `search.length` tells"
    return Stops(
        gallery, gallery.person, None if (full & ~false).any() else false, (alone, gallery.who[alone]),
        None if (full & missed).any() else missed, NO_THRESHOLD if np.isnan(limit).any() else cut,
    )  # fmt: skip


def _by_track(data: CellData, watch: Watch, gallery: Gallery, point: str) -> Stops | None:
    """Tracks of passes that were put before the system, with the alerts they raised; None of photographs."""
    if watch.tracks is None or watch.alerts is None or data.searches is None:
        return None
    by, passes = ["camera", "track"], watch.searches.sort("gallery", "search")["search"]
    known = watch.tracks.filter(pl.col("transit").is_in(passes.implode())).sort(by).with_row_index("at")
    raised = watch.alerts.filter(pl.col("point") == point).join(known.select(*by, "at", "transit"), by)
    wrong = raised.filter(pl.col("verdict") == "false").with_columns(
        who=pl.col("subject").rank("dense").cast(pl.Int64) - 1, named=pl.len().over("at")
    )  # fmt: skip
    false = np.zeros(known.height, bool)
    false[wrong["at"].to_numpy()] = True
    alone = wrong.filter(pl.col("named") == 1)
    found = raised.filter(pl.col("verdict") == "true")["transit"]
    missed = gallery.mated & ~passes.is_in(found.unique().implode()).to_numpy()
    person = data.people.index(known["transit"].replace_strict(watch.whose, return_dtype=pl.String))
    nothing = bool(np.isnan(data.searches.limits[point]).any())
    return Stops(
        gallery, person, None if nothing else false, (alone["at"].to_numpy(), alone["who"].to_numpy()),
        None if nothing else missed, NO_THRESHOLD,
    )  # fmt: skip


# -- rows ---------------------------------------------------------------------------------------------------------
def _of_group(data: CellData, watch: Watch, group: Group, passes: Stops, tracks: Stops | None) -> dict[str, Any]:
    gallery = passes.passes
    mine = _inside(data, gallery.person, group)
    wanted = mine & gallery.mated
    return {
        "group": group.name, "attributes": group.attributes, "passes": int(mine.sum()),
        "people": len(np.unique(gallery.person[mine])), "wanted_passes": int(wanted.sum()),
        "wanted_people": len(np.unique(gallery.person[wanted])),
        "by_pass": _view(data, watch, group, passes),
        "by_track": None if tracks is None else _view(data, watch, group, tracks),
        "unseen": None if watch.unseen is None else _unseen(data, watch, watch.unseen, group, passes),
        "precision": _precisions(passes, mine),
    }  # fmt: skip


def _view(data: CellData, watch: Watch, group: Group, stops: Stops) -> dict[str, Any]:
    """Misses among passes of wanted people; of all others, false alerts among units, per camera-hour and by person.

    Beside them false alerts of everybody, and of the wanted, who were taken for one another.
    """
    passed, mine = (_inside(data, person, group) for person in (stops.passes.person, stops.person))
    others, told = mine & stops.others, stops.false is not None
    false, crowd = _rate(stops.false_alerts(others), stops, told=told), passed & ~stops.passes.mated
    hourly = int(others.sum()) / watch.hours if watch.hours else None
    each = np.bincount(stops.person[others], minlength=len(data.people.subjects))[stops.passes.person[crowd]].tolist()
    return {
        "missed": _rate(stops.misses(passed), stops, told=stops.missed is not None), "false_alerts": false,
        "false_alerts_of_all": _rate(stops.false_alerts(mine), stops, told=told),
        "wanted_mistaken": _rate(stops.false_alerts(mine & ~stops.others), stops, told=told),
        "people_stopped": {
            **_rate(stops.people_stopped(others, crowd), stops, told=told),
            "least_each": min(each, default=0), "most_each": max(each, default=0),
        },
        "per_camera_hour": None if hourly is None or false["value"] is None else
        {"units": hourly, **{name: hourly * false[name] for name in ("value", "low", "high")}},
    }  # fmt: skip


def _unseen(data: CellData, watch: Watch, unseen: pl.DataFrame, group: Group, stops: Stops) -> dict[str, Any]:
    """Passes in which no face was to be recognised; misses and traffic if they are counted, the wanted as unnoticed."""
    person, wanted = data.people.index(unseen["subject"]), unseen["wanted"].to_numpy()
    mine, gallery = _inside(data, person, group), stops.passes
    passed = np.r_[_inside(data, gallery.person, group), mine]
    everybody = replace(gallery, person=np.r_[gallery.person, person], mated=np.r_[gallery.mated, wanted])
    missed = None if stops.missed is None else np.r_[stops.missed, np.ones(len(mine), bool)]
    return {
        "wanted_passes": int((mine & wanted).sum()), "other_passes": int((mine & ~wanted).sum()),
        "wanted_people": len(np.setdiff1d(person[mine & wanted], gallery.person)),
        "missed": _rate(replace(stops, passes=everybody, missed=missed).misses(passed), stops, told=missed is not None),
        "others_per_camera_hour": int((passed & ~everybody.mated).sum()) / watch.hours if watch.hours else None,
    }  # fmt: skip


def _rate(rate: Clustered, stops: Stops, *, told: bool) -> dict[str, Any]:
    interval = bounded(search_interval(rate, ALPHA))
    return {
        "value": rate.rate if rate.comparisons else None, **(interval if told else {**interval, "method": stops.why}),
        "errors": rate.errors, "comparisons": rate.comparisons, "subjects": rate.subjects,
        "verdict": verdict([rate], paired=False),
    }  # fmt: skip


def _precisions(stops: Stops, mine: Array) -> dict[str, Any] | None:
    """Precision at every prevalence, and at the run's own; None where either rate is not known.

    Both rates are bounded at half of the error each, so both bounds hold together.
    """
    gallery = stops.passes
    missed, false = stops.misses(mine), stops.false_alerts(mine & ~gallery.mated)
    if not missed.comparisons or not false.comparisons:
        return None
    low, high = ((end.low, end.high) for end in (search_interval(rate, ALPHA / 2) for rate in (missed, false)))
    found, others = (1 - low[1], 1 - low[0]), high
    own = float(gallery.mated[mine].mean())
    at = []
    for prevalence in (own, *PREVALENCES):
        least, most = precision(prevalence, found, others)
        value = precision(prevalence, (1 - missed.rate,) * 2, (false.rate,) * 2)[0]
        stopped = missed.errors < missed.comparisons or false.errors
        at.append({"prevalence": prevalence, "value": value if stopped else None, "low": least, "high": most})
    return {"verdict": verdict([missed, false], paired=False), "own": at[0], "at": at[1:]}


def _tracking(watch: Watch, point: str) -> dict[str, Any] | None:
    """What the tracker made of the passes, and the alerts of all its tracks by what truth says of them."""
    if watch.tracks is None or watch.alerts is None:
        return None
    tracks, known = watch.tracks, watch.tracks.filter(pl.col("transit").is_not_null())
    raised = watch.alerts.filter(pl.col("point") == point)
    return {
        **asdict(TRACKER), "captures": int(tracks["captures"].sum()), "tracks": tracks.height,
        "tracks_of_passes": known.height, "passes_followed": known["transit"].n_unique(),
        "passes": watch.searches.height, "broken": int((known.group_by("transit").len()["len"] > 1).sum()),
        "mixed": int((known["purity"] < 1).sum()), "unassigned": tracks.height - known.height,
        "alerts": {said: int((raised["verdict"] == said).sum()) for said in ("true", "false", "unknown")},
    }  # fmt: skip


def _inside(data: CellData, person: Array, group: Group) -> Array:
    return np.asarray(np.isin(data.people.groups[person], group.members))
