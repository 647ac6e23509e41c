"""Comparisons on disk, so that none need stay in memory: all between two people in one partition."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.errors import InputError

Array = npt.NDArray[Any]
ROW = np.dtype([("row", "<i8"), ("probe", "<u4"), ("reference", "<u4"), ("mated", "?"), ("score", "<f8")])
"""One comparison: its row in the log, the numbers of its probe and reference, mated, score (NaN: missing)."""

PARTITIONS = 64


LISTED = np.dtype([("row", "<i8"), ("probe", "<u4"), ("reference", "<u4"), ("rank", "<i4"), ("score", "<f8")])
"""One candidate: its row in the log, the numbers of its probe and reference (NOBODY: none returned), rank, score."""
NOBODY = 2**32 - 1


class Spill:
    """Records of one type in PARTITIONS files of `folder`, in the order they came.

    Plain records and not Parquet, because every chunk of the log appends to every partition.
    """

    def __init__(self, folder: Path, record: np.dtype[Any] = ROW) -> None:
        self.record = record
        self.paths = [folder / f"{i}.rows" for i in range(PARTITIONS)]
        self._open = ExitStack()

    def __enter__(self) -> Spill:
        self._files = [self._open.enter_context(path.open("wb")) for path in self.paths]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._open.close()

    def add(self, rows: Array, one: Array, other: Array) -> None:
        """Append records `(n,)` of comparisons between persons `one` and `other` `(n,)`, numbered in any way."""
        low, high = np.minimum(one, other).astype(np.uint64), np.maximum(one, other).astype(np.uint64)
        # Fibonacci hashing: consecutive numbers, as a matrix has them, spread evenly.
        mixed = (low * np.uint64(0x9E3779B97F4A7C15) + high) * np.uint64(0xBF58476D1CE4E5B9)
        partition = (mixed >> np.uint64(58)).astype(np.int64)  # the upper 6 bits: one of 64
        order = np.argsort(partition, kind="stable")
        ends = np.searchsorted(partition[order], np.arange(PARTITIONS + 1))
        for file, start, end in zip(self._files, ends, ends[1:], strict=False):
            file.write(rows[order[start:end]].tobytes())

    def read(self) -> Iterator[Array]:
        """Every partition's records, one after the other; a partition may be empty."""
        return (np.fromfile(path, self.record) for path in self.paths)


def distinct(rows: Array, where: str) -> Array:
    """A partition's records without repeated ones. Raises InputError where two scores contradict one another."""
    order = np.lexsort([rows["row"], rows["reference"], rows["probe"]])
    ordered = rows[order]
    again = (np.diff(ordered["probe"]) == 0) & (np.diff(ordered["reference"]) == 0)
    first, second = ordered[:-1][again], ordered[1:][again]
    differ = ~((first["score"] == second["score"]) | (np.isnan(first["score"]) & np.isnan(second["score"])))
    if differ.any():
        a, b = first[differ][0], second[differ][0]
        raise InputError(
            f"{where}: rows {a['row']} and {b['row']} score the same probe and reference differently "
            f"({a['score']:g} and {b['score']:g}); keep one of them, or give every picture an id of its own"
        )
    return ordered[np.r_[True, ~again]] if len(rows) else rows
