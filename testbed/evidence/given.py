"""Tables that people hand in beside a run, as CSV: label errors, checked identities."""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl

from pipelines.errors import InputError

MOST_BYTES = 1 << 26


def read_given(path: Path, what: str) -> pl.DataFrame:
    """A CSV file with a header, every cell as text without spaces around it. Raises InputError.

    Cells may be parted by semicolons, as spreadsheets do where the comma is the decimal sign. what: what the file is,
    for the message.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(f"{path}: is larger than 64 MiB; name {what}")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); name {what}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not UTF-8 text; save {what} as CSV in UTF-8") from None
    first = text.partition("\n")[0]
    separator = ";" if first.count(";") > first.count(",") else ","
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(text.splitlines(), delimiter=separator) if row]
    except csv.Error as error:
        raise InputError(f"{path}: is not CSV ({error}); save {what} as CSV") from None
    if len(rows) < 2:
        raise InputError(f"{path}: has no rows; {what} has a header and at least one row")
    header = rows[0]
    if len(set(header)) < len(header):
        raise InputError(f"{path}: two columns are called alike; rename one")
    for line, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            raise InputError(f"{path}: row {line}: has {len(row)} cells where the header has {len(header)}")
    return pl.DataFrame(rows[1:], schema=dict.fromkeys(header, pl.String), orient="row")
