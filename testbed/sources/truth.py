"""Truth files: who was where in a recording, frame by frame, from CSV or MOTChallenge gt.txt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipelines.errors import InputError
from testbed.runs.tables import TRANSITS, TRUTH, conform
from testbed.scenario.models import Camera, TruthFile
from testbed.sources.recording import Recording
from testbed.sources.subjects import id_fault

MAX_ROWS = 5_000_000
_MAX_BYTES = 1 << 30
_CSV = ("camera", "frame", "subject", "x", "y", "w", "h")
_MOT = ("frame", "subject", "x", "y", "w", "h", "conf")
_NUMBERS = ("frame", "x", "y", "w", "h")


@dataclass(frozen=True)
class CameraTruth:
    """Who passed one camera: tables TRANSITS and TRUTH, and what the report must say of them."""

    transits: pl.DataFrame
    boxes: pl.DataFrame
    notices: tuple[str, ...]


def read_truth(camera: Camera, truth: TruthFile, clip: Recording, transit_gap_s: float) -> CameraTruth:
    """The truth of one camera; boxes in pixels of the upright picture, clipped to it.

    A subject unseen for more than `transit_gap_s` seconds starts a new transit, `<camera>/<subject>/<n>`,
    n from 1. CSV frames count from 0; MOTChallenge frames and pixels from 1, and its rows with conf 0 are
    left out and counted. Raises InputError, with the row, where a row cannot be true.
    """
    notices = []
    if truth.format == "csv":
        rows = _read(truth.file, _CSV)
        cameras = rows["camera"].unique().sort()
        rows = rows.filter(pl.col("camera") == camera.name)
        if rows.is_empty():
            if len(cameras):
                raise InputError(
                    f"{truth.file}: no row is for camera {camera.name!r}; its cameras are {', '.join(cameras[:5])}"
                )
            notices.append(f"{truth.file}: has no rows: nobody passes camera {camera.name}")
        numbers = _numbers(truth.file, rows, _NUMBERS)
    else:
        rows = _read(truth.file, _MOT)
        numbers = _numbers(truth.file, rows, (*_NUMBERS, "conf"))
        ignored = numbers["conf"] == 0
        if ignored.any():
            notices.append(
                f"{truth.file}: {ignored.sum()} rows are marked as not to be considered (conf 0) and are left out"
            )
        numbers = numbers.filter(~ignored).with_columns(pl.col("frame", "x", "y") - 1)
    _check(truth.file, numbers, clip)
    boxes = _clipped(truth.file, numbers, clip)
    transits = _split(
        boxes.with_columns(pl.Series("seconds", clip.times[boxes["frame"].to_numpy()])), camera.name, transit_gap_s
    )
    passes = transits.group_by("transit", "camera", "subject").agg(
        pl.col("seconds").min().alias("first"), pl.col("seconds").max().alias("last")
    )
    return CameraTruth(conform(TRANSITS, passes), conform(TRUTH, transits.select(list(TRUTH.columns))), tuple(notices))


def _read(path: Path, columns: tuple[str, ...]) -> pl.DataFrame:
    """The file's cells as text, with `row`: the line number in the file."""
    mot = columns is _MOT
    try:
        size = path.stat().st_size
        if size > _MAX_BYTES:
            raise InputError(f"{path}: is larger than {_MAX_BYTES >> 30} GiB; split it by camera")
        if mot and size == 0:
            return pl.DataFrame(schema={"row": pl.Int64, **dict.fromkeys(columns, pl.String)})
        frame = pl.read_csv(
            path, has_header=not mot, infer_schema=False, n_rows=MAX_ROWS + 1, quote_char=None if mot else '"'
        )
    except OSError as error:
        raise InputError(f"{path}: the truth file cannot be read ({error.strerror}); correct `file`") from None
    except pl.exceptions.NoDataError:
        raise InputError(f"{path}: is empty; its first line must be {','.join(columns)}") from None
    except pl.exceptions.PolarsError as error:
        said = str(error).splitlines()[0]
        raise InputError(f"{path}: is not a table of comma-separated text ({said}); save it as CSV") from None
    if len(frame) > MAX_ROWS:
        raise InputError(f"{path}: has more than {MAX_ROWS:,} rows; split it by camera")
    if mot:
        if frame.width < 6:
            raise InputError(
                f"{path}: has {frame.width} columns; MOTChallenge has frame,id,x,y,w,h,conf,class,visibility"
            )
        names = columns[: min(frame.width, len(columns))]
        frame = frame.select(pl.col(old).alias(new) for old, new in zip(frame.columns, names, strict=False))
        if "conf" not in frame.columns:
            frame = frame.with_columns(conf=pl.lit("1"))
    else:
        frame = frame.rename({name: name.strip().lstrip("\ufeff") for name in frame.columns})
        missing = [name for name in columns if name not in frame.columns]
        if missing:
            raise InputError(
                f"{path}: has no column {missing[0]!r}; its first line must be {','.join(columns)}, "
                f"it is {','.join(frame.columns)}"
            )
    cells = frame.select(pl.col(name).str.strip_chars().fill_null("") for name in columns)
    return cells.with_row_index("row", offset=1 if mot else 2)


def _numbers(path: Path, rows: pl.DataFrame, names: tuple[str, ...]) -> pl.DataFrame:
    """`rows` with the columns `names` as Float64; every one of them finite."""
    numbers = rows.with_columns(pl.col(name).cast(pl.Float64, strict=False) for name in names)
    for name in names:
        bad = ~(numbers[name].is_finite().fill_null(value=False))
        if bad.any():
            at = int(bad.arg_max() or 0)
            raise InputError(f"{path}: row {rows['row'][at]}: {name} is {rows[name][at]!r}; it must be a number")
    return numbers


def _check(path: Path, numbers: pl.DataFrame, clip: Recording) -> None:
    """Raise InputError at the first row that cannot be true."""
    for subject in numbers["subject"].unique(maintain_order=True):
        fault = id_fault(subject)
        if fault:
            row = numbers.filter(pl.col("subject") == subject)["row"][0]
            raise InputError(f"{path}: row {row}: the subject {subject!r} {fault}")
    frame = pl.col("frame")
    faults = (
        (
            (frame < 0) | (frame != frame.floor()),
            "its frame is no frame number; CSV counts from 0, MOTChallenge from 1",
        ),
        (frame >= len(clip), f"its frame is beyond the end of the video, which has {len(clip)} frames"),
        ((pl.col("w") <= 0) | (pl.col("h") <= 0), "w and h must be larger than zero"),
        (pl.struct("frame", "subject").is_duplicated(), "its subject stands twice in this frame; keep one box"),
    )
    for condition, fault in faults:
        wrong = numbers.filter(condition)
        if len(wrong):
            raise InputError(f"{path}: row {wrong['row'][0]}: {fault}")


def _clipped(path: Path, numbers: pl.DataFrame, clip: Recording) -> pl.DataFrame:
    """row, frame, subject and the part of each box that lies in the picture."""
    boxes = numbers.select(
        "row",
        pl.col("frame").cast(pl.Int64),
        "subject",
        pl.col("x").clip(0, clip.width).alias("x1"),
        pl.col("y").clip(0, clip.height).alias("y1"),
        (pl.col("x") + pl.col("w")).clip(0, clip.width).alias("x2"),
        (pl.col("y") + pl.col("h")).clip(0, clip.height).alias("y2"),
    )
    outside = boxes.filter((pl.col("x2") <= pl.col("x1")) | (pl.col("y2") <= pl.col("y1")))
    if len(outside):
        raise InputError(
            f"{path}: row {outside['row'][0]}: the box lies wholly outside the picture "
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
