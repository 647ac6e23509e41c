"""Who is found at all: the heads in which a system found a face (METRICS.md § Cameras that film for days).

Two kinds of truth. *Annotated heads*: boxed by hand, some perhaps of people who are known. *Made-up faces*: all is
known of each. Both speak of the height of a whole head in the picture as the system was shown it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import inf
from typing import Any

import numpy as np
import polars as pl
from scipy.optimize import linear_sum_assignment

from testbed.evidence.figures import bounded, verdict
from testbed.evidence.intervals import by_subject, rate_interval
from testbed.evidence.rates import ALPHA
from testbed.evidence.searches import Array
from testbed.matching.people import People
from testbed.replay.assignment import overlaps
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import ANNOTATED, BOX, CAPTURES, FACES, FRAMES, HEADS, TRUTH, Table
from testbed.scenario.cells import Cell
from testbed.scenario.models import Scenario, TruthFile, Video
from testbed.scenario.synthetic import Synthetic, of_day
from testbed.synthetic.faces import HIDDEN, TURNED

HEAD = 1.2
"""Height of a head, crown to chin, over that of a face box, hairline to chin: 1.199, standard deviation 0.019, over 24
people drawn without hair. Hair adds to it."""
OF_EYES = 1.48
"""Height of a head over that of a box made of its two eyes, 2.2 of their distances: a head of 26 pixels has 8 there."""
CLEAR = 26.0
"""Pixels: a head that looks at the camera then has its eyes 8 pixels apart, and less the more it is turned."""
STAY_S = {"annotated heads": 1800.0, "made-up faces": 10.0}
"""Seconds of one camera that count as one look: who sits there for half an hour is no new evidence every minute, and
who walks through the drawings is gone after a few seconds."""
BINS: dict[str, tuple[str, tuple[float, ...]]] = {
    "size": ("pixels", (0, 12, 16, 24, 32, 48, 64, 96, 128, inf)),
    "yaw": ("degrees", (0, 15, 30, 45, 60, 75, 90, 180)),
    "pitch": ("degrees", (-90, -15, 15, 30, 45, 60, 90)),
    "light": ("share of white", (0, 0.02, 0.05, 0.1, 0.2, 0.4, inf)),
}
"""What heads are told apart by: its unit, and the edges of the bins, each from one edge to below the next."""
KINDS = ("person", "track", "stretch")
"""What is independent of a head: whose it is, if that is known; the annotator's track; else the time it falls into."""
KEY = ["camera", "frame"]


def heads_of(run: RunDirectory, scenario: Scenario, cell: Cell, people: People) -> Iterator[dict[str, Any]]:
    """A row for each kind of truth a cell has; none of arms of a contrast, which measure detection themselves."""
    if cell.arm:
        return
    frames = _parts(run, FRAMES, cell.id, *KEY, "seconds", "width", "height", "state").filter(pl.col("state") == "ok")
    captures = _parts(run, CAPTURES, cell.id, *KEY, *BOX, "face", "transit", "state")
    frames = frames.join(_recorded(run, scenario), "camera").with_columns(
        across=pl.col("width") / pl.col("recorded_width"), down=pl.col("height") / pl.col("recorded_height")
    )
    for source, (shown, heads, unexplained) in {
        "annotated heads": _annotated(run, scenario, frames, captures),
        "made-up faces": _made_up(run, frames, captures),
    }.items():
        if heads.is_empty():
            continue
        stay = STAY_S[source]
        block = pl.format("{}/{}", "camera", (pl.col("seconds") // stay).cast(pl.Int64))
        shown = shown.with_columns(block=block)
        heads = heads.join(shown.select(*KEY, "block"), KEY).with_columns(who=pl.coalesce("who", "block"))
        there = heads.filter("put")
        known = there.filter(pl.col("kind") == KINDS[0])
        # Where some are of nobody known, everybody is no group of the rest.
        groups = [group for group in people.within() if group.attributes or known.height == there.height]
        beside = shown.join(unexplained.group_by(KEY).agg(n=pl.len()), KEY, how="left").fill_null(0)
        blocks = beside["block"].rank("dense").to_numpy().astype(np.int64) - 1
        yield {
            "system": cell.system.label, "condition": {"name": cell.condition_name}, "cell": cell.id,
            "confidence": 1 - ALPHA, "source": source, "pictures": shown.height, "cameras": shown["camera"].n_unique(),
            "stay_s": stay, "counted_by": " or ".join(kind for kind in KINDS if kind in heads["kind"]),
            "heads": there.height, **_both(there),
            "groups": [{"group": group.name, "attributes": group.attributes, **_both(_of(known, people, group.members))}
                       for group in groups] if known.height else [],
            "bins": [row for by in BINS for row in _binned(heads, by)],
            "unexplained": {"faces": unexplained.height, **_rate((beside["n"] > 0).to_numpy(), blocks)},
        }  # fmt: skip


def assigned(faces: Array, heads: Array) -> Array:
    """The head `(n,)` that each found face `(n, 4)` is taken to be of, −1 for none; heads `(m, 4)`, pixels x1 y1 x2 y2.

    A face may be of a head in which its centre lies. One to one: as many as can be, then the greatest overlap.
    """
    result = np.full(len(faces), -1)
    if not len(faces) or not len(heads):
        return result
    centre = (faces[:, :2] + faces[:, 2:]) / 2
    inside = ((centre[:, None] >= heads[None, :, :2]) & (centre[:, None] <= heads[None, :, 2:])).all(axis=2)
    worth = np.where(inside, min(inside.shape) + overlaps(faces, heads), 0.0)
    rows, columns = linear_sum_assignment(worth, maximize=True)
    found = np.asarray(inside)[rows, columns]
    result[rows[found]] = columns[found]
    return result


# -- the two kinds of truth ---------------------------------------------------------------------------------------
Truth = tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]
"""Pictures that truth speaks of (camera, frame, seconds); the heads in them; found faces that no head explains.

Heads: camera, frame, who (null: nobody knows), kind (of KINDS), found, template, and what BINS tells them apart by
(null: not known); put: it was there to be found; by_<bin>: it was there to be found but for that.
"""


def _annotated(run: RunDirectory, scenario: Scenario, frames: pl.DataFrame, captures: pl.DataFrame) -> Truth:
    none = frames.head(0)
    if not run.has(ANNOTATED):
        return none, none, none
    shown = frames.join(run.read(ANNOTATED), KEY, how="semi")
    boxed = pl.concat([run.read(HEADS), run.read(TRUTH)], how="diagonal").select(*KEY, "subject", "track", *BOX)
    heads = _delivered(boxed, shown).sort(*KEY, *BOX)
    eyes = [camera.name for camera in scenario.probes.cameras
            if isinstance(camera.truth, TruthFile) and camera.truth.format == "chokepoint"
            ] if isinstance(scenario.probes, Video) else []  # fmt: skip
    high = pl.when(pl.col("camera").is_in(eyes)).then(OF_EYES).otherwise(1.0)
    faces = captures.join(shown, KEY, how="semi").sort(*KEY, "face")
    found, template = np.zeros((2, heads.height), bool)
    explained = np.zeros(faces.height, bool)
    at = dict(_places(heads))
    for key, rows in _places(faces):
        there = at.get(key, np.zeros(0, np.int64))
        which = assigned(*(each[list(BOX)].to_numpy().astype(np.float64) for each in (faces[rows], heads[there])))
        taken = which >= 0
        explained[rows[taken]] = True
        found[there[which[taken]]] = True
        template[there[which[taken]]] = (faces["state"].gather(rows[taken]) == "ok").to_numpy()
    known = heads.select(
        *KEY, who=pl.coalesce("subject", pl.format("{}/{}", "camera", "track")),
        size=high * (pl.col("y2") - pl.col("y1")),
        kind=pl.coalesce(*(pl.when(pl.col(c).is_not_null()).then(pl.lit(k))
                           for c, k in zip(("subject", "track", "camera"), KINDS, strict=True))),
        **dict.fromkeys(("yaw", "pitch", "light"), pl.lit(None, pl.Float64)), put=pl.lit(value=True),
        **{f"by_{by}": pl.lit(by == "size") for by in BINS}, found=pl.Series(found), template=pl.Series(template),
    )  # fmt: skip
    return shown, known, faces.filter(pl.Series(~explained, dtype=pl.Boolean))


def _made_up(run: RunDirectory, frames: pl.DataFrame, captures: pl.DataFrame) -> Truth:
    none = frames.head(0)
    if not run.has(FACES):
        return none, none, none
    every = _delivered(run.read(FACES), frames)
    # Of a pass in which no face was put before the camera, none can be assigned.
    faces = every.join(run.read(TRUTH), [*KEY, "transit"], how="semi")
    of_transit = captures.filter(pl.col("transit").is_not_null())
    faces = faces.join(of_transit.select(*KEY, "transit", "state"), [*KEY, "transit"], how="left")
    size = HEAD * (pl.col("y2") - pl.col("y1"))
    seen, ahead = pl.col("visible") >= HIDDEN, pl.max_horizontal(pl.col("yaw").abs(), pl.col("pitch").abs()) <= TURNED
    known = faces.select(
        *KEY, who="subject", kind=pl.lit(KINDS[0]), size=size, yaw=pl.col("yaw").abs(), pitch="pitch",
        light="luminance", put="put",
        by_size=seen & ahead, by_yaw=seen & (size >= CLEAR) & (pl.col("pitch").abs() <= TURNED),
        by_pitch=seen & (size >= CLEAR) & (pl.col("yaw").abs() <= TURNED), by_light="put",
        found=pl.col("state").is_not_null(), template=(pl.col("state") == "ok").fill_null(value=False),
    )  # fmt: skip
    loose = captures.filter(pl.col("transit").is_null()).with_columns(
        x=(pl.col("x1") + pl.col("x2")) / 2, y=(pl.col("y1") + pl.col("y2")) / 2
    )
    inside = pl.col("x").is_between("x1_right", "x2_right") & pl.col("y").is_between("y1_right", "y2_right")
    of_somebody = loose.join(every.select(*KEY, *BOX), KEY).filter(inside)
    return frames, known, loose.join(of_somebody, [*KEY, "face"], how="anti")


def _recorded(run: RunDirectory, scenario: Scenario) -> pl.DataFrame:
    """How large each camera's pictures were when truth was told of them; those of which nothing is needed left out."""
    sizes = run.manifest().get("recorded", {})
    if isinstance(scenario.probes, Synthetic):
        of_name = {camera.name: camera.size for camera in scenario.probes.cameras}
        sizes = {
            of_day(name, day): size for name, size in of_name.items() for day in range(1, scenario.probes.days + 1)
        }
    rows = [(name, *size) for name, size in sizes.items()]
    columns = {"camera": pl.String, "recorded_width": pl.Int64, "recorded_height": pl.Int64}
    return pl.DataFrame(rows, schema=columns, orient="row")


def _delivered(boxes: pl.DataFrame, shown: pl.DataFrame) -> pl.DataFrame:
    """Boxes of the pictures shown, in pixels as delivered: a condition may have shrunk or enlarged the picture."""
    ends = {name: pl.col(name).cast(pl.Float64) * pl.col("across" if name[0] == "x" else "down") for name in BOX}
    return boxes.join(shown.select(*KEY, "across", "down"), KEY).with_columns(**ends)


# -- rates --------------------------------------------------------------------------------------------------------
def _both(heads: pl.DataFrame) -> dict[str, Any]:
    """Shares of heads in which a face was found, and of which there is a template."""
    who = heads["who"].rank("dense").to_numpy().astype(np.int64) - 1
    return {name: _rate(heads[name].to_numpy(), who) for name in ("found", "template")}


def _binned(heads: pl.DataFrame, by: str) -> Iterator[dict[str, Any]]:
    """A row for every bin that has heads; all that is told apart by something else as it must be to be found."""
    unit, edges = BINS[by]
    mine = heads.filter(pl.col(f"by_{by}") & pl.col(by).is_not_null())
    at = np.searchsorted(edges, mine[by].to_numpy(), "right") - 1
    at = np.minimum(at, len(edges) - 2)  # the last bin holds its upper edge
    for k, (low, high) in enumerate(pairwise(edges)):
        inside = mine.filter(pl.Series(at == k, dtype=pl.Boolean))
        if inside.height:
            yield {"by": by, "unit": unit, "from": low, "to": None if high == inf else high, "heads": inside.height,
                   **_both(inside)}  # fmt: skip


def _rate(errors: Array, who: Array) -> dict[str, Any]:
    """A share of heads (pictures), clustered by whose they are, or by the stretch of time they fall into."""
    G = int(who.max(initial=-1)) + 1
    rate = by_subject(np.bincount(who, errors, minlength=G), np.bincount(who, minlength=G))
    return {
        "value": rate.rate if rate.comparisons else None, **bounded(rate_interval(rate, [], ALPHA)),
        "errors": rate.errors, "comparisons": rate.comparisons, "subjects": rate.subjects,
        "verdict": verdict([rate], paired=False),
    }  # fmt: skip


def _of(heads: pl.DataFrame, people: People, members: tuple[int, ...]) -> pl.DataFrame:
    inside = np.isin(people.groups[people.index(heads["who"])], members)
    return heads.filter(pl.Series(inside, dtype=pl.Boolean))


def _places(table: pl.DataFrame) -> Iterator[tuple[tuple[Any, ...], Array]]:
    """The rows of each picture of a sorted table."""
    for key, rows in table.with_row_index("at").group_by(KEY, maintain_order=True):
        yield key, rows["at"].to_numpy().astype(np.int64)


def _parts(run: RunDirectory, table: Table, cell: str, *columns: str) -> pl.DataFrame:
    parts = [run.read(table, part).select(columns) for part in run.parts(table, cell)]
    return pl.concat(parts) if parts else pl.DataFrame(schema=table.columns).select(columns)
