"""What the reader of a score log is told about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Literal, get_args

from pipelines.errors import InputError
from testbed.matching.thresholds import Direction

Form = Literal["tidy", "genuine-impostor", "four-column", "five-column", "matrix", "candidates"]
FORMS: tuple[Form, ...] = get_args(Form)


def form_named(name: str | None) -> Form | None:
    """The form of that name, None for None. Raises InputError for any other name."""
    if name is None:
        return None
    for form in FORMS:
        if form == name:
            return form
    raise InputError(f"--form {name}: is none of {', '.join(FORMS)}")


@dataclass(frozen=True)
class LogOptions:
    """A score log and how to read it; what is None is guessed, and the guess is a notice of the run.

    files: one file, or two for genuine-impostor: mated scores, then non-mated ones. columns: role → the log's own
    name for it (roles: `columns.SYNONYMS`, and `probe_X`, `reference_X` for a group X). subjects: a CSV with one
    row per person, `subject_id` its column of ids (None: the first); groups: its columns, or those of the log.
    threshold: the vendor's own, in score units. missing: the score that stands for none; NaN, infinite and empty
    ones always do. diagonal_mated: row i and column i of a matrix are one person, all others strangers. probe_ids,
    reference_ids: files with the person of each row and column, one a line. gallery: how many people are enrolled in
    what candidate lists search; enrolled: a file with their ids, one a line. percent_rule: as PipelineInfo has it.
    complete: every attempt is in the log, so that none without a score means that none failed. allow_inferred,
    label_errors: as a scenario's `subjects` has them.
    """

    files: tuple[Path, ...]
    form: Form | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    subjects: Path | None = None
    subject_id: str | None = None
    groups: tuple[str, ...] = ()
    threshold: float | None = None
    direction: Direction = "similarity"
    missing: float | None = None
    diagonal_mated: bool = False
    probe_ids: Path | None = None
    reference_ids: Path | None = None
    gallery: int | None = None
    enrolled: Path | None = None
    system: str | None = None
    percent_rule: str | None = None
    complete: bool = False
    allow_inferred: bool = False
    label_errors: Path | None = None
    seed: int = 1

    @property
    def tables(self) -> tuple[Path | None, ...]:
        """The files beside the log."""
        return self.subjects, self.probe_ids, self.reference_ids, self.enrolled

    def __post_init__(self) -> None:
        if not self.files:
            raise InputError("no score log is named; give a file")
        if self.threshold is not None and not isfinite(self.threshold):
            raise InputError(f"--threshold {self.threshold}: is no score; give the score from which faces match")
        for path in (*self.files, *self.tables):
            if path is not None and not path.is_file():
                raise InputError(f"{path}: there is no such file; name the log, or its ids or subjects, by a file")
            if path is not None and not path.stat().st_size:
                raise InputError(f"{path}: is empty (0 bytes); export it again")
