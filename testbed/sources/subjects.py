"""The people of a scenario: one CSV row each, their group labels, and who says so."""

from __future__ import annotations

import csv
import difflib
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, zip_longest
from pathlib import Path
from typing import get_args

import polars as pl

from pipelines.errors import InputError
from testbed.runs.tables import SUBJECTS, conform
from testbed.scenario.models import RESERVED_GROUPS, Provenance, Subjects, guessed

UNKNOWN = "unknown"
"""The label of an empty group cell: a group of its own, never left out."""

EVERYONE = "everyone"
"""The one group of a scenario that names no group columns."""

PROVENANCES: tuple[str, ...] = get_args(Provenance)

_MAX_ROWS = 1_000_000
_MAX_ID = 100


def read_subjects(subjects: Subjects, groups: Sequence[str]) -> pl.DataFrame:
    """The people to be tested: table SUBJECTS with `groups` and `<group>:provenance`, at most `limit` rows.

    Raises InputError as `read_table` does.
    """
    return pick(read_table(subjects, groups), groups, subjects.limit)


def read_table(subjects: Subjects, groups: Sequence[str], wanting: Sequence[str] | None = None) -> pl.DataFrame:
    """Everybody in the subjects table, whatever `limit` says, in the table's own order.

    Columns: subject, each of `groups` (an empty cell is "unknown"), `<group>:provenance`: of each person where the
    table has that column, else (or where the cell is empty) as `subjects.provenance` says. Raises InputError where the
    file cannot be read as CSV, lacks a column, or a row has a bad or repeated id, a reserved label, a provenance there
    is none of, or one that is inferred though something is `wanting` (default: in `subjects`) for that.
    """
    path = subjects.table
    header, rows = _read_csv(path)
    for column in (subjects.id, *groups, *subjects.provenance):
        _require(path, header, column)
    if "subject" in groups:
        raise InputError(f"{path}: a group column cannot be called 'subject', the name of the ids; rename it")
    place = {column: header.index(column) for column in (subjects.id, *groups)}
    first_line: dict[str, int] = {}
    for line, row in rows:
        subject = row[place[subjects.id]]
        fault = id_fault(subject)
        if fault:
            raise InputError(f"{path}: line {line}: the id {subject!r} {fault}")
        if subject in first_line:
            raise InputError(
                f"{path}: lines {first_line[subject]} and {line} both have the id {subject!r}; give one row per person"
            )
        first_line[subject] = line
    if not first_line:
        raise InputError(f"{path}: has a header but no rows; add one row per person")
    frame = pl.DataFrame({"subject": list(first_line)}, schema={"subject": pl.String}).with_columns(
        column
        for group in groups
        for column in (
            pl.Series(group, [row[place[group]] or UNKNOWN for _, row in rows], dtype=pl.String),
            pl.Series(
                f"{group}:provenance", list(_provenance(subjects, group, header, rows, wanting)), dtype=pl.String
            ),
        )
    )
    _check_labels(path, frame, groups, list(first_line.values()))
    return frame


def _provenance(
    subjects: Subjects, group: str, header: list[str], rows: list[tuple[int, list[str]]],
    wanting: Sequence[str] | None,
) -> Iterator[str]:  # fmt: skip
    """Who says so, for each row."""
    wanting = subjects.wanting if wanting is None else wanting
    column, otherwise = f"{group}:provenance", subjects.provenance.get(group, "not stated")
    if header.count(column) > 1:
        _require(subjects.table, header, column)
    for line, row in rows:
        said = (row[header.index(column)] if column in header else "") or otherwise
        if said not in (*PROVENANCES, "not stated"):
            raise InputError(
                f"{subjects.table}: line {line}: {column}: {said!r} is none of {', '.join(PROVENANCES)}; write one"
            )
        if said == "inferred" and wanting:
            raise InputError(f"{subjects.table}: line {line}: {group} {guessed(wanting)}")
        yield said


def header_of(path: Path) -> list[str]:
    """The names of a table's columns. Raises InputError where it is no CSV."""
    return _read_csv(path)[0]


def pick(frame: pl.DataFrame, groups: Sequence[str], limit: int | None) -> pl.DataFrame:
    """At most `limit` rows of `frame`, evenly over the full cross of `groups`, as table SUBJECTS (sorted).

    Groups take turns in sorted order; within a group the table's order holds.
    """
    if limit is not None and limit < len(frame):
        by_group: dict[str, list[int]] = {}
        for row, label in enumerate(group_labels(frame, groups)):
            by_group.setdefault(label, []).append(row)
        turns = chain.from_iterable(zip_longest(*(by_group[label] for label in sorted(by_group))))
        chosen = [row for row in turns if row is not None][:limit]
        frame = frame[chosen]
    return conform(SUBJECTS, frame)


def group_labels(frame: pl.DataFrame, groups: Sequence[str]) -> pl.Series:
    """The full-cross label of each row, e.g. "black male": its attributes in `groups` order, space-joined.

    "everyone" where there are no groups.
    """
    expression = pl.concat_str(groups, separator=" ") if groups else pl.lit(EVERYONE)
    return frame.with_columns(expression.alias("group"))["group"]


def id_fault(subject: str) -> str:
    """What keeps `subject` from being an id, said after "the id …", or "": ids become names of files."""
    if not subject:
        return "is empty; give every person an id"
    if "/" in subject or "\\" in subject or ".." in subject or not subject.isprintable():
        return "holds a path separator, '..' or a control character; use letters, digits, '-' and '_'"
    if len(subject) > _MAX_ID:
        return f"is longer than {_MAX_ID} characters; use a shorter one"
    return ""


def _read_csv(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Header and (line number, cells) of each row, cells stripped; commas, semicolons or tabs between them."""
    rows: list[tuple[int, list[str]]] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            separator = max(",;\t", key=stream.readline().count)
            stream.seek(0)
            reader = csv.reader(stream, delimiter=separator, strict=True)
            header = [cell.strip() for cell in next(reader, [])]
            for cells in reader:
                if not cells:
                    continue
                if len(cells) != len(header):
                    raise InputError(
                        f"{path}: line {reader.line_num}: has {len(cells)} cells where the header has {len(header)}; "
                        "quote cells that contain what separates them"
                    )
                if len(rows) == _MAX_ROWS:
                    raise InputError(f"{path}: has more than {_MAX_ROWS:,} rows; split it")
                rows.append((reader.line_num, [cell.strip() for cell in cells]))
    except OSError as error:
        raise InputError(f"{path}: the subjects table cannot be read ({error.strerror}); correct `table`") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: the subjects table is not UTF-8 text; save it as CSV in UTF-8") from None
    except csv.Error as error:
        raise InputError(f"{path}: line {reader.line_num}: is not CSV ({error}); save the table as CSV") from None
    if not header:
        raise InputError(f"{path}: the subjects table is empty; the first line must name the columns")
    return header, rows


def _require(path: Path, header: list[str], column: str) -> None:
    count = header.count(column)
    if count > 1:
        raise InputError(f"{path}: two columns are called {column!r}; rename one")
    if count == 1:
        return
    nearest = difflib.get_close_matches(column, header, n=1)
    hint = f"did you mean {nearest[0]!r}?" if nearest else "name one of them, or add the column"
    raise InputError(f"{path}: has no column {column!r}; its columns are {', '.join(header)}; {hint}")


def _check_labels(path: Path, frame: pl.DataFrame, groups: Sequence[str], lines: list[int]) -> None:
    if not groups:
        return
    crossed = group_labels(frame, groups)
    for group, labels in [*((group, frame[group]) for group in groups), (" × ".join(groups), crossed)]:
        for line, label in zip(lines, labels, strict=True):
            if label.casefold() in RESERVED_GROUPS:
                raise InputError(
                    f"{path}: line {line}: {label!r} as a label of {group} is reserved for the report's own totals; "
                    "use another word"
                )
    crosses = frame.select(pl.struct(groups).alias("cross"), crossed.alias("label")).unique()
    twice = [label for label, count in Counter(crosses["label"]).items() if count > 1]
    if twice:
        raise InputError(f"{path}: different groups would both be called {min(twice)!r}; use labels without spaces")
