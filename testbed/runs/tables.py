"""The tables of a run directory: their columns, once, for writers, readers and the documentation.

Each entry is a Polars schema. `sort` names the columns that make rows unique; every writer sorts by them
so that the same run gives the same bytes on any number of workers.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Table:
    """One table: what it holds, its columns, and the columns its rows are sorted by."""

    name: str
    holds: str
    columns: dict[str, type[pl.DataType] | pl.DataType]
    sort: tuple[str, ...]
    open_ended: bool = False
    """More columns may follow (group attributes, condition values)."""


EYES = ("left_eye_x", "left_eye_y", "right_eye_x", "right_eye_y")
"""Pupils: image-left, image-right; pixels, whole numbers are pixel centres."""
BOX: dict[str, type[pl.DataType] | pl.DataType] = {
    "x1": pl.Float32, "y1": pl.Float32, "x2": pl.Float32, "y2": pl.Float32,
}  # fmt: skip

CELLS = Table(
    "cells",
    "one row per system under one condition; these follow as columns: arm of a contrast (or empty), picture (the "
    "condition's name but for the arm), and the condition's values (null: not set)",
    {"cell": pl.String, "system": pl.String, "condition": pl.String},
    ("cell",),
    open_ended=True,
)
SUBJECTS = Table(
    "subjects",
    "every enrolled or passing person; group attributes and `<attribute>:provenance` follow as columns",
    {"subject": pl.String},
    ("subject",),
    open_ended=True,
)
TRANSITS = Table(
    "transits",
    "truth: one pass of one person through one camera (a still is a one-frame transit); times in seconds",
    {
        "transit": pl.String,
        "camera": pl.String,
        "subject": pl.String,
        "first": pl.Float64,
        "last": pl.Float64,
    },
    ("camera", "transit"),
)
TRUTH = Table(
    "truth/boxes",
    "truth: who was where; frame is the index in the camera's recording (for stills: the photograph)",
    {"camera": pl.String, "frame": pl.Int64, "transit": pl.String, "subject": pl.String, **BOX},
    ("camera", "frame", "transit"),
)
FACES = Table(
    "truth/faces",
    "truth of made-up people: every face in every frame as recorded (a frame that never arrived has none). box: "
    "hairline to chin, as detectors frame faces, cut at the frame; degrees as the camera sees it: yaw to the person's "
    "left, pitch downwards, roll towards the left shoulder; eyes: pupils, image-left first; visible: share of the face "
    "that is in the picture and hidden by no other person or thing, 0-1 (what is worn, or turned away, hides nothing); "
    "luminance: of the brow as recorded, linear, 1 = white (null: hidden); put: it was put before the system",
    {
        "camera": pl.String, "frame": pl.Int64, "transit": pl.String, "subject": pl.String, **BOX,
        "inter_eye_px": pl.Float64, "yaw": pl.Float64, "pitch": pl.Float64, "roll": pl.Float64,
        **dict.fromkeys(EYES, pl.Float64),
        "distance_m": pl.Float64, "visible": pl.Float64, "luminance": pl.Float64, "put": pl.Boolean,
    },
    ("camera", "frame", "transit"),
)  # fmt: skip
HEADS = Table(
    "truth/heads",
    "truth without names: heads (or faces) that annotators boxed in a recording, and nobody knows whose they are; "
    "head: number in the frame, from 0; track: the annotator's own, where a head was followed (null: it was not). "
    "Pixels of the picture as recorded, whose width and height `recorded` in run.json has (as delivered it may be "
    "smaller or larger: see frames). A found face in such a head stays unassigned; heads with names are in truth/boxes",
    {"camera": pl.String, "frame": pl.Int64, "head": pl.Int32, "track": pl.String, **BOX},
    ("camera", "frame", "head"),
)
ANNOTATED = Table(
    "truth/annotated",
    "of cameras whose truth says which pictures were looked at (idl, cvat, chokepoint): those pictures; one with no "
    "box shows nobody, and of one without a row here nothing is known",
    {"camera": pl.String, "frame": pl.Int64},
    ("camera", "frame"),
)
PHOTOGRAPHS = Table(
    "truth/photographs",
    "the probe photographs, in order, with the eyes as measured by the bench (null: not located), pixels",
    {
        "camera": pl.String, "frame": pl.Int64, "transit": pl.String, "subject": pl.String,
        "file": pl.String, "digest": pl.String, "state": pl.String, "reason": pl.String,
        **dict.fromkeys(EYES, pl.Float64),
    },
    ("camera", "frame"),
)  # fmt: skip
REFERENCES = Table(
    "references",
    "every reference photograph under every system: state is enrolled | failed (and why: FTE); "
    "row is its line in references/<system>.npy",
    {
        "system": pl.String, "reference": pl.String, "subject": pl.String, "file": pl.String,
        "digest": pl.String, "state": pl.String, "reason": pl.String, "row": pl.Int64,
    },
    ("system", "reference"),
)  # fmt: skip
FRAMES = Table(
    "frames",
    "every frame a system was shown: state is ok | undecodable | undelivered (and why)",
    {
        "cell": pl.String, "camera": pl.String, "frame": pl.Int64, "take": pl.Int64, "seconds": pl.Float64,
        "width": pl.Int32, "height": pl.Int32, "transit": pl.String,
        "state": pl.String, "reason": pl.String, "faces": pl.Int32,
    },
    ("cell", "camera", "frame"),
)  # fmt: skip
CAPTURES = Table(
    "captures",
    "every face a system found; transit is null where no truth box explains it (unassigned); state is "
    "ok | failed (no template, and why); row is its line in the .npy of the same stem",
    {
        "cell": pl.String, "camera": pl.String, "frame": pl.Int64, "face": pl.Int32, "seconds": pl.Float64,
        **BOX, "score": pl.Float32, "transit": pl.String, "subject": pl.String, "iou": pl.Float32,
        "state": pl.String, "reason": pl.String, "row": pl.Int64,
    },
    ("cell", "camera", "frame", "face"),
)  # fmt: skip
TIMINGS = Table(
    "timings",
    "seconds per frame and stage (outside byte identity)",
    {"cell": pl.String, "camera": pl.String, "frame": pl.Int64, "stage": pl.String, "seconds": pl.Float64},
    ("cell", "camera", "frame", "stage"),
)
ATTEMPTS = Table(
    "attempts",
    "one row per transit that was put before a system: acquired | failed (and why: FTA) | undelivered",
    {
        "cell": pl.String, "camera": pl.String, "transit": pl.String, "subject": pl.String,
        "captures": pl.Int32, "state": pl.String, "reason": pl.String,
    },
    ("cell", "camera", "transit"),
)  # fmt: skip
COUNTS = Table(
    "counts",
    "pass 1: comparisons of (transit, reference) by group pair, mated, fold and score bin; bin i lies "
    "between edge i-1 and edge i of `edges`. fold: 0 | 1 both subjects in that half, -1 one in each",
    {
        "cell": pl.String, "unit": pl.String, "probe_group": pl.String, "reference_group": pl.String,
        "mated": pl.Boolean, "fold": pl.Int8, "bin": pl.Int32, "comparisons": pl.Int64,
    },
    ("cell", "unit", "probe_group", "reference_group", "mated", "fold", "bin"),
)  # fmt: skip
EDGES = Table(
    "edges",
    "the score bins of each system, in its own unit; every threshold in use is an edge",
    {"cell": pl.String, "edge": pl.Int32, "score": pl.Float64},
    ("cell", "edge"),
)
THRESHOLDS = Table(
    "thresholds",
    "the thresholds of pass 2: threshold_0 and threshold_1 apply to comparisons inside fold 0 and 1 "
    "(they differ, and comparisons between folds are left out, only where `crossfit`)",
    {
        "cell": pl.String, "point": pl.String, "crossfit": pl.Boolean,
        "threshold_0": pl.Float64, "threshold_1": pl.Float64,
    },
    ("cell", "point"),
)  # fmt: skip
TALLIES = Table(
    "tallies",
    "pass 2: per subject, its role, the opposite group and threshold: errors (non-mated: matches; mated: "
    "non-matches) and comparisons",
    {
        "cell": pl.String, "unit": pl.String, "point": pl.String, "mated": pl.Boolean, "role": pl.String,
        "subject": pl.String, "opposite_group": pl.String, "errors": pl.Int64, "comparisons": pl.Int64,
    },
    ("cell", "unit", "point", "mated", "role", "subject", "opposite_group"),
)  # fmt: skip
MOMENTS = Table(
    "moments",
    "pass 2: sums over pairs of different people (probe group, reference group). squares: Σerr², Σerr·n, Σn²; "
    "crosses: the same products with the pair's other direction (see kernels.crosscount.Tally)",
    {
        "cell": pl.String, "unit": pl.String, "point": pl.String,
        "probe_group": pl.String, "reference_group": pl.String,
        "err2": pl.Float64, "err_n": pl.Float64, "n2": pl.Float64,
        "cross_err2": pl.Float64, "cross_err_n": pl.Float64, "cross_n2": pl.Float64,
    },
    ("cell", "unit", "point", "probe_group", "reference_group"),
)  # fmt: skip
PAIRS = Table(
    "pairs",
    "pass 2: pairs of different people with false matches at the thresholds in use (sparse); errors of "
    "probe_subject's transits against reference_subject's references",
    {
        "cell": pl.String, "unit": pl.String, "point": pl.String,
        "probe_subject": pl.String, "reference_subject": pl.String,
        "errors": pl.Int64, "comparisons": pl.Int64,
    },
    ("cell", "unit", "point", "probe_subject", "reference_subject"),
)  # fmt: skip
SEARCHES = Table(
    "searches",
    "one row per search of a gallery: search is the transit (or a log's probe), subject its person, mated whether "
    "that person is enrolled, gallery how many people are; state is searched | failed (no template: nothing returned)",
    {
        "cell": pl.String, "gallery": pl.Int64, "search": pl.String, "subject": pl.String, "mated": pl.Boolean,
        "state": pl.String,
    },
    ("cell", "gallery", "search"),
)  # fmt: skip
CANDIDATES = Table(
    "candidates",
    "in parts, each of whole lists: what a search returned, best first, with rank as the system gave it (from 1)",
    {
        "cell": pl.String, "gallery": pl.Int64, "search": pl.String, "rank": pl.Int32, "reference": pl.String,
        "subject": pl.String, "score": pl.Float64,
    },
    ("cell", "gallery", "search", "rank", "reference"),
)  # fmt: skip
TRACKS = Table(
    "tracks",
    "of a watch-list: the captures that the tracker took for one pass, as a gate works without truth; numbered by "
    "camera; first, last: seconds; transit: the one most of its captures belong to (of several, the first seen; null: "
    "no truth box explains any); purity: share of its captures that do",
    {
        "cell": pl.String, "camera": pl.String, "track": pl.Int64, "first": pl.Float64, "last": pl.Float64,
        "captures": pl.Int32, "transit": pl.String, "purity": pl.Float64,
    },
    ("cell", "camera", "track"),
)  # fmt: skip
ALERTS = Table(
    "alerts",
    "every track at which the fused score of a wanted person passes a threshold, one row for each such person, with "
    "the reference that scored best; verdict: true | false (it is somebody else) | unknown (nobody knows who it was)",
    {
        "cell": pl.String, "point": pl.String, "camera": pl.String, "track": pl.Int64, "reference": pl.String,
        "subject": pl.String, "score": pl.Float64, "verdict": pl.String,
    },
    ("cell", "point", "camera", "track", "subject"),
)  # fmt: skip
RECORDS = Table(
    "records",
    "of films of several days: what a database would hold that opens a record for every face it does not recognise at "
    "a point's threshold: a row for each record and the days and people of its faces (null: no truth box explains "
    "them); captures: templates filed there; opened: one of these began the record",
    {
        "cell": pl.String, "point": pl.String, "record": pl.Int64, "day": pl.Int64, "subject": pl.String,
        "captures": pl.Int64, "opened": pl.Boolean,
    },
    ("cell", "point", "record", "day", "subject"),
)  # fmt: skip
LINKS = Table(
    "links",
    "of films of several days: every person who came on two of them: how alike their templates of both days are at "
    "best (null: on one there is none), how many others of the earlier day are at least as alike to those of the "
    "later, and how many others have a template there. What others are falsely linked stands in tallies and moments, "
    "unit `days N apart`, with the later day as the probe",
    {
        "cell": pl.String, "subject": pl.String, "earlier": pl.Int64, "later": pl.Int64, "score": pl.Float64,
        "closer": pl.Int64, "others": pl.Int64,
    },
    ("cell", "subject", "earlier", "later"),
)  # fmt: skip
CURVES = Table(
    "curves",
    "DET: FMR and FNMR at every score edge, by group pair (drawn, not quoted: the figures with intervals "
    "stand in evidence.json)",
    {
        "cell": pl.String, "probe_group": pl.String, "reference_group": pl.String,
        "threshold": pl.Float64, "fmr": pl.Float64, "fnmr": pl.Float64,
    },
    ("cell", "probe_group", "reference_group", "threshold"),
)  # fmt: skip
DISTRIBUTIONS = Table(
    "distributions",
    "scores as drawn: share of a group's mated and non-mated comparisons in each display bin",
    {
        "cell": pl.String, "group": pl.String, "mated": pl.Boolean, "low": pl.Float64, "high": pl.Float64,
        "comparisons": pl.Int64, "share": pl.Float64,
    },
    ("cell", "group", "mated", "low"),
)  # fmt: skip

TABLES = (
    CELLS, SUBJECTS, TRANSITS, TRUTH, FACES, HEADS, ANNOTATED, PHOTOGRAPHS, REFERENCES, FRAMES, CAPTURES, TIMINGS,
    ATTEMPTS, COUNTS, EDGES, THRESHOLDS, TALLIES, MOMENTS, PAIRS, SEARCHES, CANDIDATES, TRACKS, ALERTS,
    RECORDS, LINKS, CURVES, DISTRIBUTIONS,
)  # fmt: skip


def conform(table: Table, frame: pl.DataFrame) -> pl.DataFrame:
    """`frame` with `table`'s columns in order and type, sorted; raises ValueError on a missing column."""
    missing = [name for name in table.columns if name not in frame.columns]
    if missing:
        raise ValueError(f"table {table.name}: columns {missing} are missing")
    extra = [name for name in frame.columns if name not in table.columns]
    if extra and not table.open_ended:
        raise ValueError(f"table {table.name}: columns {extra} are not in its schema")
    typed = frame.select(
        *(pl.col(name).cast(dtype) for name, dtype in table.columns.items()), *(pl.col(n) for n in extra)
    )
    return typed.sort(table.sort, nulls_last=False)
