"""Score logs of every form as chunks of comparisons, so that no log need fit into memory."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.errors import InputError
from testbed.scorelogs.columns import SIDES, require, roles_of
from testbed.scorelogs.options import FORMS, Form, LogOptions

CHUNK = 250_000
"""Comparisons that are in memory at one time."""

_ABSENT = ("", "nan", "-nan", "na", "n/a", "null", "none", "-")
_MATED = {
    **dict.fromkeys(("1", "1.0", "true", "yes", "mated", "genuine", "same", "match"), True),
    **dict.fromkeys(("0", "0.0", "-1", "false", "no", "non-mated", "impostor", "imposter", "different"), False),
}
_POSITIONAL: dict[str, tuple[str, ...]] = {
    "four-column": ("reference_subject", "probe_subject", "probe", "score"),
    "five-column": ("reference_subject", "reference", "probe_subject", "probe", "score"),
}
"""Columns as bob.bio writes them: claimed id, (model,) real id, probe, score."""


@dataclass(frozen=True)
class Log:
    """A log being read. `rows` in all; chunks: row (as an editor numbers it), probe, reference, score (NaN: missing),
    probe_subject, reference_subject, mated (null: those of one subject), and `probe_X`, `reference_X` of groups X.

    known: whether it says which person each probe and reference is; else every one is a person of its own. Candidate
    lists have `rank` in place of mated, and rows without a reference for probes of which nobody was returned.
    """

    form: Form
    rows: int
    chunks: Iterator[pl.DataFrame]
    known: bool
    notices: tuple[str, ...]


def open_log(options: LogOptions) -> Log:
    """Look at the log's first lines and begin to read it. Raises InputError where it cannot be read so."""
    form, path = options.form or _guess(options), options.files[0]
    if form not in FORMS:
        raise InputError(f"{form!r} is no form of a score log; choose among {', '.join(FORMS)}")
    if len(options.files) != (2 if form == "genuine-impostor" else 1):
        wanted = "two files, mated scores and then non-mated ones" if form == "genuine-impostor" else "one file"
        raise InputError(f"{path}: a log of form {form} is {wanted}, and {len(options.files)} are named")
    if options.diagonal_mated and form != "matrix":
        raise InputError(
            f"{path}: is read as {form}, which has no diagonal; drop --diagonal-mated, or say --form matrix"
        )
    if form != "candidates" and (options.gallery is not None or options.enrolled is not None):
        raise InputError(
            f"{path}: is read as {form}, which searches no gallery; drop --gallery and --enrolled, or say "
            "--form candidates"
        )
    notices = () if options.form else (f"{path.name}: read as a score log of form {form} (guessed; else say --form)",)
    if form == "genuine-impostor":
        return _two_lists(options, notices)
    if form == "matrix":
        return _matrix(options, notices)
    return _table(options, form, notices)


def _guess(options: LogOptions) -> Form:
    path = options.files[0]
    if len(options.files) == 2:
        return "genuine-impostor"
    if path.suffix == ".npy" or options.probe_ids or options.diagonal_mated:
        return "matrix"
    if path.suffix == ".parquet":
        header = _reading(path, lambda: list(_parquet(path).collect_schema()))
    else:
        lines, separator = _first_lines(path)
        header = lines[0]
        if separator in " \t" and len(header) in (4, 5) and _numeric(header[-1]):
            return "four-column" if len(header) == 4 else "five-column"
        cells = chain.from_iterable(line[1:] for line in lines[1:])
        if "score" not in roles_of(header, options.columns) and len(header) > 1 and all(map(_numeric, cells)):
            return "matrix"
    return "candidates" if "rank" in roles_of(header, options.columns) else "tidy"


def _first_lines(path: Path) -> tuple[list[list[str]], str]:
    """The cells of the first lines, and what separates them."""
    try:
        with path.open(encoding="utf-8-sig") as stream:
            lines = [line for line in (stream.readline(1 << 22).rstrip("\r\n") for _ in range(4)) if line.strip()]
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not UTF-8 text; save the log as CSV in UTF-8, Parquet or NPY") from None
    if not lines:
        raise InputError(f"{path}: is empty; export the score log again")
    separator = max(",;\t ", key=lines[0].count)
    return list(csv.reader(lines, delimiter=separator)), separator


def _numeric(cell: str) -> bool:
    if cell.strip().lower() in _ABSENT:
        return True
    try:
        float(cell)
    except ValueError:
        return False
    return True


# -- rows: tidy, candidates, four and five columns ----------------------------------------------------------------
def _table(options: LogOptions, form: Form, notices: tuple[str, ...]) -> Log:
    path, positional = options.files[0], _POSITIONAL.get(form)
    first_row = 1 if positional or path.suffix == ".parquet" else 2
    frame = _parquet(path) if path.suffix == ".parquet" else _delimited(path, positional)
    header = _reading(path, lambda: list(frame.collect_schema()))
    roles = {name: name for name in header} if positional else roles_of(header, options.columns, options.groups)
    by_column = _group_columns(options) if not options.subjects else []
    if form == "four-column":
        roles["reference"] = roles["reference_subject"]  # a claimed identity has one model
    lists = form == "candidates"
    needed = ["probe", "reference", "score", *(["rank"] if lists else [])]
    require(path, header, roles, [*needed, *by_column])
    subjects = [f"{side}_subject" for side in SIDES]
    named = [role for role in subjects if role in roles]
    if len(named) == 1:
        require(path, header, roles, subjects)
    known = bool(named or options.subjects)
    if not known and lists:
        raise InputError(
            f"{path}: nothing says which person each probe and candidate is; name the columns with --column "
            "probe_subject=NAME and --column reference_subject=NAME, or give --subjects"
        )
    if not known and "mated" not in roles:
        raise InputError(
            f"{path}: nothing says which comparisons are mated; name a column with --column mated=NAME, or those of "
            "the people with --column probe_subject=NAME and --column reference_subject=NAME, or give --subjects"
        )
    if not positional and (
        told := [f"{c} as {role}" for role, c in roles.items() if c not in (role, options.columns.get(role))]
    ):
        notices += (f"{path.name}: columns read by their names: {', '.join(told)} (else say --column ROLE=NAME)",)
    if options.subjects and not named:
        notices += (f"{path.name}: probes and references are called by the ids of the subjects table",)
    total = int(_reading(path, lambda: frame.select(pl.len()).collect(engine="streaming").item()))
    if not total:
        raise InputError(f"{path}: has a header but no rows; export the score log again")

    def chunks() -> Iterator[pl.DataFrame]:
        start = first_row
        wanted = dict.fromkeys([*needed, *named, *by_column, *(["mated"] if "mated" in roles and not lists else [])])
        source = frame.select(pl.col(roles[role]).alias(role) for role in wanted)
        for batch in _batches(path, source):
            numbered = batch.with_row_index("row", start).cast({"row": pl.Int64})
            yield _normal(options, numbered, named=bool(named), lists=lists)
            start += batch.height

    return Log(form, total, chunks(), known, notices)


def _group_columns(options: LogOptions) -> list[str]:
    return [f"{side}_{group}" for group in options.groups for side in SIDES]


def _batches(path: Path, frame: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    batches = iter(_reading(path, lambda: frame.collect_batches(chunk_size=CHUNK, maintain_order=True)))
    while (batch := _reading(path, lambda: next(batches, None))) is not None:
        # The reader's own batches may be larger than was asked for.
        yield from batch.iter_slices(CHUNK)


def _reading(path: Path, action: Any) -> Any:
    try:
        return action()
    except pl.exceptions.PolarsError as error:
        told = str(error).splitlines()[0]
        raise InputError(f"{path}: cannot be read as a score log ({told}); export it again, one row a line") from None


def _parquet(path: Path) -> pl.LazyFrame:
    return _reading(path, lambda: pl.scan_parquet(path, glob=False))  # type: ignore[no-any-return]


def _delimited(path: Path, positional: Sequence[str] | None) -> pl.LazyFrame:
    lines, separator = _first_lines(path)
    if positional is not None and len(lines[0]) != len(positional):
        raise InputError(
            f"{path}: line 1 has {len(lines[0])} cells, not {len(positional)} ({', '.join(positional)}), "
            "one space or tab apart; name the right --form"
        )
    schema = None if positional is None else dict.fromkeys(positional, pl.String)
    return pl.scan_csv(
        path, separator=separator, has_header=positional is None, infer_schema=False, schema=schema, glob=False,
        raise_if_empty=False,
    )  # fmt: skip


def _normal(options: LogOptions, batch: pl.DataFrame, *, named: bool, lists: bool) -> pl.DataFrame:
    """A chunk as Log.chunks promises it, from columns called by their roles; lists: of candidates."""
    path = options.files[0]
    batch = _scored(path, batch, options.missing).with_columns(
        pl.col(name).cast(pl.String).str.strip_chars()
        for name in batch.columns
        if name not in ("row", "score", "mated")
    )
    if lists:
        batch = _ranked(path, batch, named=named)
    names = [*SIDES, *(f"{side}_subject" for side in SIDES if named)]
    empty = [pl.col(name).fill_null("") == "" for name in names]
    if lists:  # a probe of which nobody was returned stands in a row without a reference
        empty = [each & (pl.col("reference").is_not_null() | pl.lit(name.startswith("probe")))
                 for each, name in zip(empty, names, strict=True)]  # fmt: skip
    blank = batch.filter(pl.any_horizontal(empty))
    if blank.height:
        raise InputError(f"{path}: row {blank['row'][0]}: a probe, reference or subject has no id; give each one")
    if not named:
        own = [pl.col(s) if options.subjects else pl.format(f"{s} {{}}", pl.col(s)) for s in SIDES]
        batch = batch.with_columns(each.alias(f"{side}_subject") for each, side in zip(own, SIDES, strict=True))
    if lists:
        return batch
    if "mated" not in batch.columns:
        return batch.with_columns(mated=pl.lit(None, pl.Boolean))
    said = batch["mated"].cast(pl.String).str.strip_chars().str.to_lowercase()
    mated = said.replace_strict(_MATED, default=None, return_dtype=pl.Boolean)
    if mated.null_count():
        row = batch.filter(mated.is_null()).row(0, named=True)
        raise InputError(f"{path}: row {row['row']}: mated is {row['mated']!r}; write true or false")
    return batch.with_columns(mated=mated)


def _ranked(path: Path, batch: pl.DataFrame, *, named: bool) -> pl.DataFrame:
    """A chunk of candidates: rank as Int32; reference and its subject null where a row has neither it nor a score."""
    nobody = (pl.col("reference").fill_null("").str.to_lowercase().is_in(_ABSENT)) & pl.col("score").is_nan()
    sides = ["reference", *(["reference_subject"] if named else [])]
    batch = batch.with_columns(pl.when(~nobody).then(pl.col(name).fill_null("")).alias(name) for name in sides)
    candidate = pl.col("reference").is_not_null()
    unscored = batch.filter(candidate & pl.col("score").is_nan())
    if unscored.height:
        row, reference = unscored.select("row", "reference").row(0)
        raise InputError(
            f"{path}: row {row}: the candidate {reference!r} has no score; give it one, or leave its id empty too if "
            "nobody was returned"
        )
    rank = pl.col("rank").cast(pl.Float64, strict=False)
    wrong = batch.filter(candidate & (rank.is_null() | (rank != rank.round()) | (rank < 0) | (rank >= 2**31)))
    if wrong.height:
        row, said = wrong.select("row", "rank").row(0)
        raise InputError(f"{path}: row {row}: the rank {said!r} is no whole number; write 1 for the best candidate")
    return batch.with_columns(rank=pl.when(candidate).then(rank).otherwise(0).cast(pl.Int32))


def _scored(path: Path, batch: pl.DataFrame, missing: float | None) -> pl.DataFrame:
    """`batch` with its column score as float64, NaN wherever there is none. Raises InputError on other text."""
    score = pl.col("score")
    if not batch.schema["score"].is_numeric():
        text = pl.col("score").cast(pl.String).str.strip_chars()
        absent = text.is_null() | text.str.to_lowercase().is_in(_ABSENT)
        number = text.cast(pl.Float64, strict=False)
        wrong = batch.filter(number.is_null() & ~absent)
        if wrong.height:
            row, said = wrong.select("row", "score").row(0)
            raise InputError(f"{path}: row {row}: the score {said!r} is not a number; write it with a decimal point")
        score = number
    value = score.cast(pl.Float64)
    none = value.is_null() | ~value.is_finite() | (value == missing if missing is not None else pl.lit(value=False))
    return batch.with_columns(score=pl.when(none).then(pl.lit(float("nan"))).otherwise(value))


# -- two lists of scores ------------------------------------------------------------------------------------------
def _two_lists(options: LogOptions, notices: tuple[str, ...]) -> Log:
    frames = [
        pl.scan_csv(p, has_header=False, schema={"score": pl.String}, separator="\x1f", glob=False)
        for p in options.files
    ]
    totals = [
        int(_reading(path, lambda frame=frame: frame.select(pl.len()).collect(engine="streaming").item()))
        for path, frame in zip(options.files, frames, strict=True)
    ]

    def chunks() -> Iterator[pl.DataFrame]:
        for path, frame, mated in zip(options.files, frames, (True, False), strict=True):
            start = 1
            for batch in _batches(path, frame):
                rows = _scored(path, batch.with_row_index("row", start).cast({"row": pl.Int64}), options.missing)
                start += batch.height
                name = pl.format("genuine {}" if mated else "impostor {}", pl.col("row"))
                yield rows.with_columns(
                    probe=name, reference=name, mated=pl.lit(value=mated),
                    probe_subject=pl.format("probe {}", name), reference_subject=pl.format("reference {}", name),
                )  # fmt: skip

    return Log("genuine-impostor", sum(totals), chunks(), False, notices)


# -- matrices -----------------------------------------------------------------------------------------------------
def _matrix(options: LogOptions, notices: tuple[str, ...]) -> Log:
    path = options.files[0]
    ids: list[list[str] | None]
    rows: Rows
    if path.suffix == ".npy":
        array = _array(path)
        shape, ids = array.shape, [None, None]
        rows = ((i + 1, np.asarray(line, np.float64)) for i, line in enumerate(array))
    else:
        shape, ids, rows = _csv_matrix(path)
        told = ("the first column as the ids of rows", "the first line as the ids of columns")
        if read := [each for each, found in zip(told, ids, strict=True) if found]:
            notices += (f"{path.name}: read {' and '.join(read)} (guessed: they are no scores)",)
    for i, listed in enumerate((options.probe_ids, options.reference_ids)):
        if listed is not None:
            ids[i] = listed.read_text(encoding="utf-8-sig").split("\n")
            ids[i] = [line.strip() for line in ids[i] or [] if line.strip()]
            if len(ids[i] or []) != shape[i]:
                what = ("rows", "columns")[i]
                raise InputError(
                    f"{listed}: has {len(ids[i] or [])} ids for the {shape[i]} {what} of {path}; match them"
                )
    if shape[0] != shape[1] and (options.diagonal_mated or None in ids):
        raise InputError(
            f"{path}: the matrix is not square ({shape[0]} × {shape[1]}), so its diagonal says nothing; give the "
            "person of each row and column with --probe-ids and --reference-ids"
        )
    if None in ids and not options.diagonal_mated:
        raise InputError(
            f"{path}: nothing says who is who; say --diagonal-mated if row i and column i are the same person, "
            "or give --probe-ids and --reference-ids"
        )
    numbers = [str(i + 1) for i in range(max(shape))]
    people = [listed or numbers[:n] for listed, n in zip(ids, shape, strict=True)]
    if options.diagonal_mated and people[0] != people[1] and not options.subjects:
        people = [numbers[: shape[0]]] * 2  # the ids name pictures: it is the place that names the person
    names = [_distinct(listed or numbers[:n]) for listed, n in zip(ids, shape, strict=True)]
    side = pl.DataFrame({"reference": names[1], "reference_subject": people[1]}, schema_overrides=_TEXT)

    def chunks() -> Iterator[pl.DataFrame]:
        step, waiting = max(1, CHUNK // shape[1]), []
        derived = pl.lit(None, pl.Boolean)
        for i, (number, scores) in enumerate(rows):
            if len(scores) != shape[1]:
                raise InputError(f"{path}: row {number} has {len(scores)} scores where others have {shape[1]}")
            diagonal = np.arange(shape[1]) == i
            line = side.with_columns(
                row=pl.lit(number, pl.Int64), probe=pl.lit(names[0][i]), probe_subject=pl.lit(people[0][i]),
                score=pl.Series(scores), mated=pl.Series(diagonal) if options.diagonal_mated else derived,
            )  # fmt: skip
            waiting.append(line)
            if len(waiting) == step:
                yield _scored(path, pl.concat(waiting), options.missing)
                waiting = []
        if waiting:
            yield _scored(path, pl.concat(waiting), options.missing)

    return Log("matrix", shape[0] * shape[1], chunks(), True, notices)


_TEXT = {"reference": pl.String, "reference_subject": pl.String}


def _array(path: Path) -> npt.NDArray[Any]:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path}: cannot be read as NPY ({error}); save plain numbers with numpy.save") from None
    if array.ndim != 2 or array.dtype.kind not in "fiu":
        raise InputError(f"{path}: is no matrix of numbers (shape {array.shape}, {array.dtype}); save two dimensions")
    return array  # type: ignore[no-any-return]


Rows = Iterator[tuple[int, npt.NDArray[np.float64]]]


def _csv_matrix(path: Path) -> tuple[tuple[int, int], list[list[str] | None], Rows]:
    """Shape, the ids of rows and columns where it has them, and its rows with their line numbers.

    A header is text, or the line too many of an otherwise square matrix; so is the index column.
    """
    lines, separator = _first_lines(path)
    with path.open(encoding="utf-8-sig", newline="") as stream:
        firsts = [line.split(separator, 1)[0].strip().strip('"') for line in stream if line.strip()]
    height, width = len(firsts), len(lines[0])
    corner = not lines[0][0].strip() and height == width
    header = corner or not all(map(_numeric, lines[0][1:])) or height == width + 1
    index = corner or not all(map(_numeric, firsts[1:])) or width == height + 1 or len(lines[-1]) == width + 1
    columns = lines[0][-(len(lines[-1]) - index) :] if header else None
    ids = [firsts[header:] if index else None, [cell.strip() for cell in columns] if columns else None]

    def rows() -> Rows:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, delimiter=separator)
            for i, cells in enumerate(line for line in reader if line):
                if not header or i:
                    yield reader.line_num, _numbers(path, reader.line_num, cells[index:])

    return (height - header, len(lines[-1]) - index), ids, rows()


def _numbers(path: Path, line: int, cells: list[str]) -> npt.NDArray[np.float64]:
    try:
        return np.array(cells, np.float64)
    except ValueError:
        for i, cell in enumerate(cells):
            if not _numeric(cell):
                raise InputError(
                    f"{path}: row {line}: the score {cell!r} (the {i + 1}. of the row) is not a number"
                ) from None
        return np.array(["nan" if cell.strip().lower() in _ABSENT else cell for cell in cells], np.float64)


def _distinct(names: list[str]) -> list[str]:
    """`names`, where one that comes again is numbered: several pictures of one person."""
    seen: dict[str, int] = {}
    numbered = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        numbered.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return numbered
