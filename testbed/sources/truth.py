"""Truth files: who was where in a recording, frame by frame, or where heads were that nobody knows the names of."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from pipelines.errors import InputError
from testbed.runs.tables import ANNOTATED, HEADS, TRANSITS, TRUTH, conform
from testbed.scenario.models import Camera, TruthFile
from testbed.sources.annotations import Annotations
from testbed.sources.sequence import PictureSequence
from testbed.sources.subjects import id_fault
from testbed.sources.truth_chokepoint import read_chokepoint
from testbed.sources.truth_cvat import read_cvat
from testbed.sources.truth_idl import read_idl
from testbed.sources.truth_tables import read_csv, read_mot
from testbed.sources.video import Footage


@dataclass(frozen=True)
class CameraTruth:
    """Tables of one camera (TRANSITS, TRUTH, HEADS, ANNOTATED), and what the report must say of them.

    `annotated` is None where the file does not say which frames were looked at: one without a row shows nobody.
    """

    transits: pl.DataFrame
    boxes: pl.DataFrame
    heads: pl.DataFrame
    annotated: pl.DataFrame | None
    notices: tuple[str, ...]


def read_truth(camera: Camera, truth: TruthFile, footage: Footage, transit_gap_s: float) -> CameraTruth:
    """The truth of one camera; boxes in pixels of the upright picture, clipped to it.

    A subject unseen for more than `transit_gap_s` seconds starts a new transit, `<camera>/<subject>/<n>`,
    n from 1. Of whom nobody knows the name, there is a head in each frame, and no transit. Raises InputError, with
    the row or line, where a box cannot be true.
    """
    found = _read(camera, truth, footage)
    _check(truth, found.rows, footage)
    boxes = _clipped(truth, found.rows, footage)
    known = boxes.filter(pl.col("subject").is_not_null())
    transits = _split(
        known.with_columns(pl.Series("seconds", footage.times[known["frame"].to_numpy()])), camera.name, transit_gap_s
    )
    passes = transits.group_by("transit", "camera", "subject").agg(
        pl.col("seconds").min().alias("first"), pl.col("seconds").max().alias("last")
    )
    heads = boxes.filter(pl.col("subject").is_null()).sort("frame", "row")
    heads = heads.with_columns(camera=pl.lit(camera.name), head=pl.int_range(pl.len()).over("frame"))
    annotated, notices = None, list(found.notices)
    if found.looked_at is not None:
        annotated = pl.DataFrame({"frame": found.looked_at}, {"frame": pl.Int64}).with_columns(
            camera=pl.lit(camera.name)
        )
        unknown = len(footage) - len(annotated)
        if unknown:
            notices.append(
                f"camera {camera.name}: of {unknown} of {len(footage)} pictures the truth file says nothing; they are "
                "not judged"
            )
    return CameraTruth(
        conform(TRANSITS, passes),
        conform(TRUTH, transits.select(list(TRUTH.columns))),
        conform(HEADS, heads.select(list(HEADS.columns))),
        None if annotated is None else conform(ANNOTATED, annotated),
        tuple(notices),
    )


def _read(camera: Camera, truth: TruthFile, footage: Footage) -> Annotations:
    match truth.format:
        case "csv":
            return read_csv(truth.file, camera.name)
        case "mot":
            return read_mot(truth.file)
        case "idl":
            if not isinstance(footage, PictureSequence):
                raise InputError(
                    f"{truth.file}: is about pictures with names; the camera's `file` must be their folder"
                )
            return read_idl(truth.file, footage)
        case "cvat":
            return read_cvat(truth, footage)
        case "chokepoint":
            return read_chokepoint(truth.file, footage)


def _check(truth: TruthFile, numbers: pl.DataFrame, clip: Footage) -> None:
    """Raise InputError at the first row that cannot be true."""
    path, row_is = truth.file, _row_is(truth)
    for subject in numbers["subject"].drop_nulls().unique(maintain_order=True):
        fault = id_fault(subject)
        if fault:
            row = numbers.filter(pl.col("subject") == subject)["row"][0]
            raise InputError(f"{path}: {row_is} {row}: the subject {subject!r} {fault}")
    frame, named = pl.col("frame"), pl.col("subject").is_not_null()
    faults = (
        (~pl.all_horizontal(pl.col("x", "y", "w", "h").is_finite()), "its box must be finite numbers"),
        (
            (frame < 0) | (frame != frame.floor()),
            "its frame is no frame number; CSV counts from 0, MOTChallenge from 1",
        ),
        (frame >= len(clip), f"its frame is beyond the end of the video, which has {len(clip)} frames"),
        ((pl.col("w") <= 0) | (pl.col("h") <= 0), "w and h must be larger than zero"),
        (named & pl.struct("frame", "subject").is_duplicated(), "its subject stands twice in this frame; keep one box"),
    )
    for condition, fault in faults:
        wrong = numbers.filter(condition)
        if len(wrong):
            raise InputError(f"{path}: {row_is} {wrong['row'][0]}: {fault}")


def _clipped(truth: TruthFile, numbers: pl.DataFrame, clip: Footage) -> pl.DataFrame:
    """row, frame, subject, track and the part of each box that lies in the picture."""
    boxes = numbers.select(
        "row",
        pl.col("frame").cast(pl.Int64),
        "subject",
        "track",
        pl.col("x").clip(0, clip.width).alias("x1"),
        pl.col("y").clip(0, clip.height).alias("y1"),
        (pl.col("x") + pl.col("w")).clip(0, clip.width).alias("x2"),
        (pl.col("y") + pl.col("h")).clip(0, clip.height).alias("y2"),
    )
    outside = boxes.filter((pl.col("x2") <= pl.col("x1")) | (pl.col("y2") <= pl.col("y1")))
    if len(outside):
        raise InputError(
            f"{truth.file}: {_row_is(truth)} {outside['row'][0]}: the box lies wholly outside the picture "
            f"of {clip.width} × {clip.height} pixels"
        )
    return boxes


def _split(boxes: pl.DataFrame, camera: str, gap: float) -> pl.DataFrame:
    """`boxes` (with seconds) with camera and transit."""
    ordered = boxes.sort("subject", "frame")
    away = pl.col("seconds").diff().over("subject") > gap
    number = (away.fill_null(value=False).cast(pl.Int64).cum_sum().over("subject") + 1).cast(pl.String)
    return ordered.with_columns(
        camera=pl.lit(camera), transit=pl.concat_str(pl.lit(f"{camera}/"), "subject", pl.lit("/"), number)
    )


def _row_is(truth: TruthFile) -> str:
    """What a row is called in sentences about the file."""
    return "row" if truth.format in ("csv", "mot") else "line"
