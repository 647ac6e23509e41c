"""Templates that somebody else made: a matrix in one file, who they are in another."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from kernels.crosscount import Faces
from pipelines.errors import InputError

Metric = Literal["euclidean", "cosine"]
ROWS = 65_536
"""Templates looked at together while they are checked."""


@dataclass(frozen=True)
class TemplateSet:
    """Templates on disk, each a unit of its own, in the order of their subjects.

    order `(n,)`: rows of the file by subject; subjects `(n,)`: of the rows in that order, ascending; groups `(S,)`:
    each subject's. longest: the greatest norm. The matrix itself stays on disk.
    """

    path: Path
    order: npt.NDArray[np.int64]
    subjects: npt.NDArray[np.int64]
    groups: npt.NDArray[np.int64]
    labels: tuple[str, ...]
    longest: float

    def __len__(self) -> int:
        return len(self.order)

    def faces(self, part: slice) -> Faces:
        """The templates of a stretch of the order, read from disk."""
        templates = np.asarray(mapped(self.path)[self.order[part]], np.float32)
        return Faces(templates, np.arange(len(templates) + 1), self.subjects[part])


def mapped(path: Path) -> npt.NDArray[Any]:
    """The matrix of templates `(n, d)`, not read yet. Raises InputError."""
    if not path.is_file():
        raise InputError(f"{path}: there is no such file; name the matrix of templates")
    with path.open("rb") as stream:
        if stream.read(6) != b"\x93NUMPY":
            raise InputError(f"{path}: is no NumPy matrix (.npy); save one with numpy.save, a template in each row")
    try:
        matrix: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(
            f"{path}: cannot be read as a NumPy matrix ({error}); save one with numpy.save, a template in each row"
        ) from None
    if matrix.ndim != 2 or matrix.dtype not in (np.float32, np.float16) or not matrix.size:
        raise InputError(
            f"{path}: holds {matrix.dtype} of shape {matrix.shape}; a template a row is needed, float32 or float16"
        )
    return matrix


def template_set(path: Path, people: Path, attributes: list[str], metric: Metric) -> TemplateSet:
    """The templates at `path` and their people: a CSV or Parquet file with a row for each template, in order.

    Its column `subject` names the person, `attributes` the groups. Raises InputError where the files do not fit each
    other, a template has no direction (cosine) or is not finite, or a person is in two groups.
    """
    attributes = list(dict.fromkeys(attributes))
    if "subject" in attributes:
        raise InputError(f"{people}: 'subject' names the people and is no group; name another column")
    matrix, table = mapped(path), _table(people, attributes)
    if table.height != len(matrix):
        raise InputError(
            f"{people}: has {table.height:,} rows and {path.name} {len(matrix):,} templates; one row each, in order"
        )
    ids = table["subject"].unique().sort()
    by_person = table.group_by("subject").agg(
        pl.col(attributes).n_unique(), pl.col(attributes).first().name.suffix(":")
    )
    for attribute in attributes:
        twice = by_person.filter(pl.col(attribute) > 1)["subject"].sort()
        if len(twice):
            raise InputError(f"{people}: subject {twice[0]!r} has two values of {attribute}; a person is in one group")
    label = pl.concat_str([f"{a}:" for a in attributes], separator=" ") if attributes else pl.lit("everyone")
    grouped = by_person.sort("subject").with_columns(label=label)
    labels = tuple(grouped["label"].unique().sort())
    if attributes and grouped.select(f"{a}:" for a in attributes).n_unique() > len(labels):
        raise InputError(f"{people}: two groups would be called alike; use labels without spaces")
    groups = grouped["label"].replace_strict({g: i for i, g in enumerate(labels)}, return_dtype=pl.Int64).to_numpy()
    owner = table["subject"].replace_strict(ids, np.arange(len(ids)), return_dtype=pl.Int64).to_numpy()
    order = np.argsort(owner, kind="stable")
    return TemplateSet(path, order, owner[order], groups.astype(np.int64), labels, _longest(path, matrix, metric))


def _table(people: Path, attributes: list[str]) -> pl.DataFrame:
    if not people.is_file():
        raise InputError(f"{people}: there is no such file; name the table of people, a row for each template")
    try:
        if people.suffix == ".parquet":
            read = pl.read_parquet(people)
        else:
            with people.open(encoding="utf-8-sig", errors="replace") as stream:
                header = stream.readline()
            separator = max(",;\t", key=header.count)
            read = pl.read_csv(people, infer_schema=False, separator=separator)
    except (OSError, pl.exceptions.PolarsError) as error:
        why = str(error).splitlines()[0]
        raise InputError(f"{people}: cannot be read as a table ({why}); give CSV or Parquet") from None
    for column in ("subject", *attributes):
        if column not in read.columns:
            raise InputError(f"{people}: has no column {column!r}; it has {', '.join(read.columns)}")
    table = read.select(pl.col("subject", *attributes).cast(pl.String).str.strip_chars())
    for column in table.columns:
        empty = table[column].fill_null("").eq("").arg_true()
        if len(empty):
            raise InputError(f"{people}: row {empty[0] + 2}: {column} is empty; every template has one")
    return table


def _longest(path: Path, matrix: npt.NDArray[Any], metric: Metric) -> float:
    longest = 0.0
    for first in range(0, len(matrix), ROWS):
        squares = (np.asarray(matrix[first : first + ROWS], np.float64) ** 2).sum(axis=1)
        wrong = np.flatnonzero(~np.isfinite(squares) | ((squares == 0) & (metric == "cosine")))
        if len(wrong):
            what = "all zeros, so it has no cosine" if squares[wrong[0]] == 0 else "not finite (NaN or infinite)"
            raise InputError(
                f"{path}: template {first + wrong[0]} (counted from 0) is {what}; leave it out of both files"
            )
        longest = max(longest, float(np.sqrt(squares.max())))
    return longest
