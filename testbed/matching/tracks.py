"""A watch-list at cameras as a gate has it, without truth: captures into tracks, tracks into alerts.

The tracker is small, and the same for every system: a face goes on the track whose box, moved on at its latest speed,
it overlaps most (Bochinski et al. 2017, "High-speed tracking-by-detection without using image information", with a
constant-velocity prediction). It is a pure function of captures and templates, so a resumed run makes the same tracks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from kernels.scores import Faces, Metric, scores_of
from pipelines.errors import InputError
from testbed.matching.comparisons import in_use
from testbed.matching.people import People
from testbed.matching.searching import Units, fused, gallery_of
from testbed.matching.thresholds import Direction
from testbed.matching.units import Templates, photographs
from testbed.replay.assignment import overlaps
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import ALERTS, FRAMES, TRACKS, TRANSITS, Table
from testbed.scenario.cells import Cell
from testbed.scenario.models import NobodyEnrolled, Scenario, Video
from testbed.scenario.searching import Fusion, Watchlist
from testbed.scenario.synthetic import Synthetic

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Tracker:
    """gap_s: a face unseen for longer starts a new track; overlap: least intersection over union with where the
    track's box is expected; alike: where given, a face must also match the track's last template at this score.
    """

    gap_s: float = 1.0
    overlap: float = 0.1
    alike: float | None = None


TRACKER = Tracker()


@dataclass
class _Track:
    """One open track: its last box `(4,)` and when, its speed in pixels a second `(2,)`, its last template's row."""

    number: int
    box: Floats
    seconds: float
    template: int
    speed: Floats = field(default_factory=lambda: np.zeros(2))

    def expected(self, seconds: float) -> Floats:
        """Its box, as large as it was, where its speed has brought it by then."""
        return self.box + np.tile(self.speed * (seconds - self.seconds), 2)

    def seen(self, box: Floats, seconds: float, template: int) -> None:
        """Go on with a face."""
        moved = (box - self.box).reshape(2, 2).mean(axis=0)
        self.speed = moved / (seconds - self.seconds) if seconds > self.seconds else self.speed
        self.box, self.seconds = box, seconds
        self.template = template if template >= 0 else self.template


def watch_cell(
    run: RunDirectory, scenario: Scenario, cell: Cell, people: People, captures: pl.DataFrame, templates: Templates,
    references: Faces, thresholds: pl.DataFrame,
) -> list[tuple[Table, pl.DataFrame]]:  # fmt: skip
    """Tables TRACKS and ALERTS of one cell of a filmed watch-list; nothing of any other scenario.

    captures, templates: of the cell; references: all enrolled; thresholds: its THRESHOLDS. Raises InputError for a
    camera without a frame.
    """
    if not isinstance(scenario.search, Watchlist) or not isinstance(scenario.probes, Video | Synthetic):
        return []
    parts = [run.read(FRAMES, part).select("camera", "state") for part in run.parts(FRAMES, cell.id)]
    cameras = [cell.arm] if cell.arm else [camera.name for camera in scenario.probes.cameras]
    check_shown(pl.concat(parts) if parts else pl.DataFrame(schema=FRAMES.columns), cameras)
    info = run.manifest()["systems"][cell.system.label]
    enrolled = Units.photographs(photographs(run, cell.system.label, cell.enrolled), references, people)
    listed = gallery_of(scenario.search, people, scenario.seed, np.unique(references.subjects)).order
    mine = np.isin(references.subjects, listed)
    subjects = references.subjects[mine]
    gallery = Faces(references.templates[mine], np.arange(len(subjects) + 1), subjects)
    named = pl.DataFrame({
        "reference": enrolled.found.filter(pl.Series(mine)),
        "subject": pl.Series(people.subjects).gather(pl.Series(subjects)),
    })  # fmt: skip
    followed = captures.with_columns(
        track=pl.Series(follow(captures, templates, TRACKER, info["metric"], info["direction"]))
    )
    tracks = tracks_of(cell.id, followed)
    scores = scores_of_tracks(tracks, followed, templates, gallery, people, scenario.search.fusion, info["metric"])
    clips = scenario.probes.cameras if isinstance(scenario.probes, Video) else []
    strangers = {clip.name for clip in clips if isinstance(clip.truth, NobodyEnrolled)}
    whose = dict(run.read(TRANSITS).select("transit", "subject").rows())
    points = thresholds.filter(pl.Series(map(in_use, thresholds["point"]), dtype=pl.Boolean))
    alerts = alerts_of(cell.id, tracks, scores, named, whose, strangers, points, people, info["direction"])
    return [(TRACKS, tracks), (ALERTS, alerts)]


def check_shown(frames: pl.DataFrame, cameras: Sequence[str]) -> None:
    """Raises InputError for a camera without a frame that could be shown. frames: camera and state of FRAMES."""
    shown = set(frames.filter(pl.col("state") == "ok")["camera"])
    for camera in cameras:
        if camera not in shown:
            raise InputError(
                f"camera {camera!r}: has no frame that could be shown to a system, so no hours of it can be counted; "
                "give it a recording that can be read, or leave the camera out"
            )


def follow(
    captures: pl.DataFrame, templates: Templates, tracker: Tracker, metric: Metric, direction: Direction
) -> Ints:
    """The track of each row of CAPTURES `(n,)`, numbered from 0 within each camera as tracks begin.

    Frame by frame, pairs of a track and a face are taken by overlap, the greatest first; of equal ones the older
    track, then the first face. templates `(n, d)`, which column `row` indexes, are used only where tracker.alike.
    """
    at = captures.with_row_index("at").sort("camera", "frame", "face")
    result = np.zeros(captures.height, np.int64)
    for (_,), of_camera in at.group_by("camera", maintain_order=True):
        tracks: list[_Track] = []  # those that can still go on
        begun = 0
        for (_,), faces in of_camera.group_by("frame", maintain_order=True):
            boxes = faces.select("x1", "y1", "x2", "y2").to_numpy().astype(np.float64)
            rows = np.where(faces["state"] == "ok", faces["row"].fill_null(-1), -1)
            seconds, rank = float(faces["seconds"][0]), faces["at"].to_numpy()
            tracks = [track for track in tracks if seconds - track.seconds <= tracker.gap_s]
            expected = np.array([track.expected(seconds) for track in tracks]).reshape(-1, 4)
            overlap = overlaps(expected, boxes)
            if tracker.alike is not None:
                lasts = np.array([track.template for track in tracks], np.int64)
                overlap[_unlike(templates, lasts, rows, tracker.alike, metric, direction)] = 0
            free = [True] * len(boxes)
            taken: set[int] = set()
            for i, j in sorted(zip(*np.nonzero(overlap >= tracker.overlap), strict=True),
                               key=lambda pair: (-overlap[pair], *pair)):  # fmt: skip
                if i not in taken and free[j]:
                    taken.add(i)
                    free[j] = False
                    tracks[i].seen(boxes[j], seconds, int(rows[j]))
                    result[rank[j]] = tracks[i].number
            for j in np.flatnonzero(free):
                result[rank[j]] = begun
                tracks.append(_Track(begun, boxes[j], seconds, int(rows[j])))
                begun += 1
    return result


def tracks_of(cell: str, captures: pl.DataFrame) -> pl.DataFrame:
    """Table TRACKS of one cell, from its captures with column `track`."""
    by = ["camera", "track"]
    ordered = captures.sort("camera", "frame", "face")
    whole = ordered.group_by(by).agg(first=pl.col("seconds").min(), last=pl.col("seconds").max(), captures=pl.len())
    named = ordered.filter(pl.col("transit").is_not_null()).group_by(*by, "transit", maintain_order=True).len("most")
    most = named.sort("most", descending=True, maintain_order=True).group_by(by, maintain_order=True).first()
    made = whole.join(most, by, how="left").with_columns(purity=pl.col("most") / pl.col("captures"))
    return made.select(pl.lit(cell).alias("cell"), pl.exclude("most")).select(*TRACKS.columns).sort(TRACKS.sort)


def scores_of_tracks(
    tracks: pl.DataFrame, captures: pl.DataFrame, templates: Templates, references: Faces, people: People,
    fusion: Fusion, metric: Metric,
) -> Floats:  # fmt: skip
    """Each track's fused score against each reference `(tracks, references)`; NaN for one without a template.

    tracks: TRACKS of a cell; captures: its CAPTURES, with column `track`.
    """
    name = pl.concat_str("camera", pl.lit("/"), "track")
    # In the place of transits, and of nobody in particular: fused as they are, whoever it is.
    stood = captures.with_columns(transit=name, subject=pl.lit(people.subjects[0]))
    faces, kept = fused(stood, templates, people, fusion, metric)
    names = stood.filter(pl.col("state") == "ok")["transit"].unique().sort().filter(pl.Series(kept, dtype=pl.Boolean))
    place = {track: k for k, track in enumerate(names)}
    rows = np.array([place.get(track, -1) for track in tracks.select(name.alias("name"))["name"]], np.int64)
    result = np.full((tracks.height, len(references)), np.nan)
    for units, block in scores_of(faces, references, metric):
        at = np.flatnonzero((rows >= units.start) & (rows < units.stop))
        result[at] = block[rows[at] - units.start]
    return result


def alerts_of(
    cell: str, tracks: pl.DataFrame, scores: Floats, references: pl.DataFrame, whose: dict[str, str],
    strangers: set[str], thresholds: pl.DataFrame, people: People, direction: Direction,
) -> pl.DataFrame:  # fmt: skip
    """Table ALERTS of one cell: the wanted people whose best reference passes at a track; a tie passes.

    tracks: TRACKS of the cell; scores `(tracks, references)` float64, NaN where a track has no template; references:
    columns reference and subject, those of the wanted; whose: the subject of each transit; strangers: cameras that
    nobody enrolled passes; thresholds: THRESHOLDS of the points wanted. A track is held to the threshold of its
    person's half of the people, as all else of that person is; where nobody knows whose it is, to the mean of both,
    which is what the report prints.
    """
    sign = 1.0 if direction == "similarity" else -1.0
    person = [None if transit is None else whose[transit] for transit in tracks["transit"]]
    place = {subject: i for i, subject in enumerate(people.subjects)}
    fold = np.array([2 if who is None else people.folds[place[who]] for who in person], np.int64)
    parts = [pl.DataFrame(schema=ALERTS.columns)]
    for subject, of in references.with_row_index("column").group_by("subject", maintain_order=True):
        mine = sign * scores[:, of["column"].to_numpy()]
        best = mine.argmax(axis=1)
        score = mine[np.arange(len(mine)), best]
        truth = [
            "true" if who == subject[0] else "unknown" if who is None and camera not in strangers else "false"
            for who, camera in zip(person, tracks["camera"], strict=True)
        ]
        every = tracks.select("camera", "track").with_columns(
            pl.Series("verdict", truth, pl.String), reference=of["reference"].gather(best),
            score=sign * score, subject=pl.lit(subject[0]), cell=pl.lit(cell),
        )  # fmt: skip
        for point, *halves in thresholds.select("point", "threshold_0", "threshold_1").rows():
            limits = sign * np.array([*halves, np.mean(halves)])
            passing = every.filter(pl.Series(score >= limits[fold], dtype=pl.Boolean))
            parts.append(passing.with_columns(point=pl.lit(point)).select(
                pl.col(name).cast(dtype) for name, dtype in ALERTS.columns.items()
            ))  # fmt: skip
    return pl.concat(parts).sort(ALERTS.sort)


def _unlike(
    templates: Templates, tracks: Ints, faces: Ints, alike: float, metric: Metric, direction: Direction
) -> npt.NDArray[Any]:
    """Which pairs of a track's last template and a face's do not match `(tracks, faces)`; one without any may."""
    result = np.zeros((len(tracks), len(faces)), bool)
    known = np.ix_(tracks >= 0, faces >= 0)
    if result[known].size:
        left, right = (
            Faces(templates[rows], np.arange(len(rows) + 1), np.arange(len(rows)))
            for rows in (tracks[tracks >= 0], faces[faces >= 0])
        )
        score = np.concatenate([block for _, block in scores_of(left, right, metric)])
        result[known] = score < alike if direction == "similarity" else score > alike
    return result
