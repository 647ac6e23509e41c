"""Truth from tables of text: CSV, and MOTChallenge's gt.txt. Both say who it is."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from pipelines.errors import InputError
from testbed.sources.annotations import MAX_ROWS, ROWS, Annotations, bounded

_CSV = ("camera", "frame", "subject", "x", "y", "w", "h")
_MOT = ("frame", "subject", "x", "y", "w", "h", "conf")
_NUMBERS = ("frame", "x", "y", "w", "h")


def read_csv(path: Path, camera: str) -> Annotations:
    """The rows of one camera; frames count from 0. Raises InputError where none is, or a cell is no number."""
    rows, notices = _read(path, _CSV), list[str]()
    cameras = rows["camera"].unique().sort()
    rows = rows.filter(pl.col("camera") == camera)
    if rows.is_empty():
        if len(cameras):
            raise InputError(f"{path}: no row is for camera {camera!r}; its cameras are {', '.join(cameras[:5])}")
        notices.append(f"{path}: has no rows: nobody passes camera {camera}")
    return _annotations(_numbers(path, rows, _NUMBERS), notices)


def read_mot(path: Path) -> Annotations:
    """All rows but those with conf 0, which are counted; frames and pixels, which count from 1, from 0."""
    numbers = _numbers(path, _read(path, _MOT), (*_NUMBERS, "conf"))
    ignored, notices = numbers["conf"] == 0, list[str]()
    if ignored.any():
        notices.append(f"{path}: {ignored.sum()} rows are marked as not to be considered (conf 0) and are left out")
    return _annotations(numbers.filter(~ignored).with_columns(pl.col("frame", "x", "y") - 1), notices)


def _annotations(numbers: pl.DataFrame, notices: list[str]) -> Annotations:
    rows = numbers.with_columns(track=pl.lit(None)).select(pl.col(name).cast(dtype) for name, dtype in ROWS.items())
    return Annotations(rows, None, tuple(notices))


def _read(path: Path, columns: tuple[str, ...]) -> pl.DataFrame:
    """The file's cells as text, with `row`: the line number in the file."""
    mot = columns is _MOT
    try:
        if bounded(path).stat().st_size == 0 and mot:
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
