"""Captures and references gathered into the units that are compared."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from kernels.crosscount import Faces
from testbed.matching.people import People, clip
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import CAPTURES, REFERENCES

Templates = npt.NDArray[np.float32]


def captures_of(run: RunDirectory, cell: str, dimensions: int) -> tuple[pl.DataFrame, Templates]:
    """All captures of a cell and their templates `(n, dimensions)`; column `row` indexes the latter."""
    frames, arrays, start = [], [np.zeros((0, dimensions), np.float32)], 0
    for part in run.parts(CAPTURES, cell):
        array = run.read_array(f"captures/{part}")
        frames.append(run.read(CAPTURES, part).with_columns(row=pl.col("row") + start))
        arrays.append(array)
        start += len(array)
    return pl.concat(frames) if frames else pl.DataFrame(schema=CAPTURES.columns), np.concatenate(arrays)


def transits_as_probes(captures: pl.DataFrame, templates: Templates, people: People) -> Faces:
    """Captures that truth assigns to somebody, one unit per transit (unassigned ones are neither kind of probe)."""
    return _units(captures.filter(pl.col("transit").is_not_null()), "transit", templates, people)


def captures_as_probes(captures: pl.DataFrame, templates: Templates, crowd: People, cameras: list[str]) -> Faces:
    """Every capture of the clips `cameras`, each a unit, belonging to the clip's pseudo-subject."""
    theirs = captures.filter(pl.col("camera").is_in(cameras)).with_columns(
        subject=pl.col("camera").replace_strict({camera: clip(camera) for camera in cameras}, return_dtype=pl.String),
        capture=pl.concat_str("camera", pl.lit("/"), "frame", pl.lit("/"), "face"),
    )
    return _units(theirs, "capture", templates, crowd)


def references_of(run: RunDirectory, system: str, people: People, called: str = "") -> Faces:
    """Enrolled reference photographs, each a unit of its own; `called`: of each person the one of that name."""
    table = photographs(run, system, called).filter(pl.col("state") == "enrolled")
    owners, rows = people.index(table["subject"]), table["row"].to_numpy().astype(np.int64)
    order = np.lexsort([rows, owners])
    templates: Templates = run.read_array(f"references/{system}")
    return Faces(templates[rows[order]], np.arange(len(rows) + 1), owners[order])


def photographs(run: RunDirectory, system: str, called: str = "") -> pl.DataFrame:
    """A system's rows of table REFERENCES; `called`: of each person the one of that name."""
    mine = pl.col("system") == system
    if called:
        mine &= pl.col("reference") == pl.concat_str("subject", pl.lit(f"/{called}"))
    return run.read(REFERENCES).filter(mine)


def _units(captures: pl.DataFrame, unit: str, templates: Templates, people: People) -> Faces:
    usable = captures.filter(pl.col("state") == "ok")
    usable = usable.with_columns(person=people.index(usable["subject"])).sort("person", unit, "camera", "frame", "face")
    first = usable.with_row_index().group_by("person", unit, maintain_order=True).first()
    starts = np.r_[first["index"].to_numpy(), usable.height].astype(np.int64)
    rows = usable["row"].to_numpy().astype(np.int64)
    return Faces(templates[rows], starts, first["person"].to_numpy().astype(np.int64))
