"""Reference photographs into templates, with the reason wherever none could be made (FTE)."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.errors import InputError
from pipelines.interface import Captures
from pipelines.model_file import digest, digest_of_all
from testbed.matching.black_box import registered
from testbed.replay.segment import enrol_photographs
from testbed.runs.directory import RunDirectory
from testbed.runs.progress import Progress
from testbed.runs.tables import REFERENCES
from testbed.scenario.loading import Loaded
from testbed.sources.survey import references

_CHUNK = 4


def enrol(run: RunDirectory, loaded: Loaded, executor: Executor, progress: Progress) -> list[str]:
    """Write table REFERENCES and `references/<system>.npy`; returns what is to be noted.

    Raises InputError where nobody could be enrolled, or the photographs are not those the run began with.
    """
    systems = run.manifest()["systems"]
    everyone = list(dict.fromkeys(cell.system.label for cell in loaded.cells))
    labels = [label for label in everyone if systems[label].get("answers") != "searches"]
    photographs = references(loaded.scenario, run)
    began_with = run.manifest().get("reference_photographs")
    if began_with is not None and digest_of_all([photograph.path for photograph in photographs]) != began_with:
        raise InputError(
            "the reference photographs have changed since this run began; put the old ones back, "
            "or start a new run with another --out"
        )
    chunks = [photographs[i : i + _CHUNK] for i in range(0, len(photographs), _CHUNK)]
    futures = {
        label: [executor.submit(enrol_photographs, str(run.path), label, [str(p.path) for p in c]) for c in chunks]
        for label in labels
    }
    largest = loaded.scenario.references is not None and loaded.scenario.references.face == "largest"
    rows: list[tuple[Any, ...]] = []
    done, total = 0, len(photographs) * len(labels)
    progress("enrol", done, total)
    for label in labels:
        templates: list[npt.NDArray[np.float32]] = []
        for chunk, future in zip(chunks, futures[label], strict=True):
            for photograph, captures in zip(chunk, future.result(), strict=True):
                template = one_face(captures, largest)
                state, reason = ("failed", template) if isinstance(template, str) else ("enrolled", "")
                name = f"{photograph.subject}/{photograph.path.stem}"
                row = None
                if not isinstance(template, str):
                    row = len(templates)
                    templates.append(template)
                rows.append((
                    label, name, photograph.subject, photograph.path.name, digest(photograph.path),
                    state, reason, row,
                ))  # fmt: skip
                done += 1
            progress("enrol", done, total, label)
        dimensions = run.manifest()["systems"][label]["dimensions"]
        run.write_array(f"references/{label}", np.array(templates, np.float32).reshape(-1, dimensions))
    for label in everyone:
        if label not in labels:
            rows += registered(run, loaded, label, photographs, executor)
    table = pl.DataFrame(rows, schema=REFERENCES.columns, orient="row")
    for label in everyone if photographs else []:
        mine = table.filter(pl.col("system") == label)
        if not (mine["state"] == "enrolled").any():
            why = mine["reason"].value_counts(sort=True)["reason"][0]
            raise InputError(
                f"{label}: none of the {mine.height} reference photographs could be enrolled (most often: {why}); "
                "check `references.images` and the system's options"
            )
    run.write(REFERENCES, table)
    return _notices(table)


def _notices(table: pl.DataFrame) -> list[str]:
    """One sentence per system and reason for which photographs were not enrolled."""
    failed = table.filter(pl.col("state") == "failed").group_by("system", "reason").len().sort("system", "reason")
    return [
        f"{system}: {n} of {table.filter(pl.col('system') == system).height} reference photographs "
        f"could not be enrolled ({reason}); they count as failures to enrol (FTE)"
        for system, reason, n in failed.rows()
    ]


def one_face(captures: Captures | str, largest: bool) -> npt.NDArray[np.float32] | str:
    """The template of the one face, or why there is none: a stranger's face must never be enrolled as the subject's.

    largest: the scenario says that of several faces the largest is the subject's.
    """
    if isinstance(captures, str):
        return captures
    if not len(captures):
        return "no face found"
    if len(captures) > 1 and not largest:
        return f"{len(captures)} faces found where one was expected"
    i = int(np.argmax((captures.boxes[:, 2:] - captures.boxes[:, :2]).prod(axis=1)))
    template: npt.NDArray[np.float32] = captures.templates[i]
    return captures.fault(i) or template
