"""Who is who in a log: probes, references and people, numbered as they come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.errors import InputError
from testbed.scorelogs.columns import SIDES
from testbed.scorelogs.spill import ROW
from testbed.sources.subjects import UNKNOWN


@dataclass
class Register:
    """Grows with the people and pictures of a log, never with its comparisons.

    units: for each side, the name of every probe or reference → its number; owners: the number of its subject.
    known: whether the log names people; subjects: id → number; labels: id → its group labels, from the subjects
    table where there is one (`table`).
    """

    path: Path
    groups: tuple[str, ...]
    known: bool
    table: Mapping[str, tuple[str, ...]] | None
    units: dict[str, dict[str, int]] = field(default_factory=lambda: {side: {} for side in SIDES})
    owners: dict[str, list[int]] = field(default_factory=lambda: {side: [] for side in SIDES})
    subjects: dict[str, int] = field(default_factory=dict)
    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def enter(self, chunk: pl.DataFrame) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
        """A chunk of Log.chunks as spill.ROW records, with the probes' and the references' subjects `(n,)`.

        Raises InputError where one picture is said to be of two people, a person to be in two groups or in none of
        the subjects table's rows, or mated comparisons to be of two people.
        """
        same = chunk["probe_subject"] == chunk["reference_subject"]
        mated = chunk["mated"].fill_null(same) if chunk["mated"].null_count() else chunk["mated"]
        if self.known and (mated != same).any():
            row, said = chunk.filter(mated != same).select("row", "mated").row(0)
            raise InputError(
                f"{self.path}: row {row}: is said to be {'mated' if said else 'non-mated'}, but probe and reference "
                f"are of {'two people' if said else 'one person'}; correct the ids or the column of mated comparisons"
            )
        rows = np.zeros(chunk.height, ROW)
        subjects = []
        for side in SIDES:
            rows[side] = self.number(chunk, side)
            subjects.append(np.array(self.owners[side], np.int64)[rows[side]])
        rows["row"], rows["score"], rows["mated"] = chunk["row"], chunk["score"], mated
        return rows, subjects[0], subjects[1]

    def number(self, chunk: pl.DataFrame, side: str) -> npt.NDArray[Any]:
        """The numbers `(n,)` of a chunk's probes or references, new ones entered. Raises InputError as `enter`."""
        units, owners = self.units[side], self.owners[side]
        columns = [side, f"{side}_subject", *(f"{side}_{group}" for group in self.groups if self.table is None)]
        for row, name, subject, *labels in (
            chunk.unique(columns, keep="first", maintain_order=True).select("row", *columns).iter_rows()
        ):
            person = self._person(row, subject, tuple(label or UNKNOWN for label in labels))
            if units.setdefault(name, len(owners)) == len(owners):
                owners.append(person)
            elif owners[units[name]] != person:
                raise InputError(
                    f"{self.path}: row {row}: the {side} {name!r} is of the person {subject!r}, and of another in an "
                    "earlier row; give each picture one person"
                )
        names = chunk[side].unique()
        numbers = pl.Series([units[name] for name in names], dtype=pl.UInt32)
        return chunk[side].replace_strict(names, numbers, return_dtype=pl.UInt32).to_numpy()

    def _person(self, row: int, subject: str, labels: tuple[str, ...]) -> int:
        if self.table is not None:
            if subject not in self.table:
                raise InputError(
                    f"{self.path}: row {row}: the person {subject!r} has no row in the subjects table; add it, or name "
                    "the columns of the people with --column probe_subject=NAME and --column reference_subject=NAME"
                )
            labels = self.table[subject]
        if self.labels.setdefault(subject, labels) != labels:
            raise InputError(
                f"{self.path}: row {row}: the person {subject!r} is in the group {' '.join(labels)!r}, and in an "
                f"earlier row in {' '.join(self.labels[subject])!r}; give each person one"
            )
        return self.subjects.setdefault(subject, len(self.subjects))
