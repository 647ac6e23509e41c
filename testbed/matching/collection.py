"""One photograph held against every face of a collection, by the system that a run has put to the test."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from kernels.crosscount import Faces
from kernels.scores import Floats, Metric, scores_of
from pipelines.errors import InputError
from pipelines.interface import Captures
from pipelines.model_file import digest
from testbed.matching.enrolment import one_face
from testbed.replay.segment import describe_system, enrol_photographs
from testbed.runs.directory import RunDirectory
from testbed.runs.progress import Progress, silent
from testbed.runs.tables import PHOTOGRAPHS, REFERENCES
from testbed.sources.collection import Collection

Templates = npt.NDArray[np.float32]

_CHUNK = 4
_IDENTITY = ("name", "options", "models", "versions")
"""What makes a system the one that was put to the test."""


@dataclass(frozen=True)
class Enrolled:
    """The faces of a collection, in memory alone: templates `(F, d)`, and the picture that shows each `(F,)`.

    unreadable, without_face: pictures; without_template: faces that were found and left no template.
    """

    templates: Templates
    pictures: npt.NDArray[np.int64]
    unreadable: int
    without_face: int
    without_template: int


def same_system(run: RunDirectory, label: str, executor: Executor) -> dict[str, Any]:
    """What the system says of itself. Raises InputError where it is not the one the run was made with.

    Nor may it be one whose templates only itself can compare.
    """
    then = run.manifest()["systems"][label]
    if then.get("answers", "templates") != "templates":
        raise InputError(
            f"{run.path}: {label} hands out no templates that can be compared here, it only answers {then['answers']}; "
            "name a calibration of a system that does"
        )
    now: dict[str, Any] = json.loads(json.dumps(executor.submit(describe_system, str(run.path), label).result()))
    for key in _IDENTITY:
        if now[key] != then[key]:
            raise InputError(
                f"{run.path}: is no calibration of {label} as it is here: its {key} were {_told(then[key])} and are "
                f"{_told(now[key])}; run the calibration again"
            )
    return now


def asked_about(run: RunDirectory, label: str, photograph: Path, executor: Executor) -> Templates:
    """The template `(d,)` of the one face of a photograph, as a camera's picture. Raises InputError for none or two."""
    (found,) = executor.submit(enrol_photographs, str(run.path), label, [str(photograph)], True).result()
    template = one_face(found, largest=False)
    if isinstance(template, str):
        if isinstance(found, str):
            raise InputError(found)
        better = "cut it to the one face that is asked about" if len(found) > 1 else "give one that shows the face well"
        raise InputError(f"{photograph}: {template}; {better}")
    return template


def enrol_collection(
    run: RunDirectory, label: str, collection: Collection, executor: Executor, progress: Progress = silent,
    *, named: bool = False,
) -> Enrolled:  # fmt: skip
    """Every face of every picture, as reference photographs are enrolled. Raises InputError where there is none.

    named: a picture at which the system fails is told by its name.
    """
    paths = [str(collection.folder / picture) for picture in collection.pictures]
    futures = [
        executor.submit(enrol_photographs, str(run.path), label, paths[i : i + _CHUNK], False, named)
        for i in range(0, len(paths), _CHUNK)
    ]
    found: list[Captures | str] = []
    for future in futures:
        progress("collection", len(found), len(paths))
        found += future.result()
    progress("collection", len(paths), len(paths))
    enrolled = gathered(found, largest=collection.manifest.one_face_each)
    if not len(enrolled.templates):
        raise InputError(
            f"{collection.folder}: {label} finds no face that it can compare in any of the {len(paths):,} pictures "
            f"({enrolled.unreadable:,} cannot be read); name a folder of pictures of faces"
        )
    return enrolled


def gathered(found: Sequence[Captures | str], *, largest: bool) -> Enrolled:
    """The faces found in each picture, or the sentence why it cannot be read; `largest`: of several the largest."""
    templates, pictures, faults = [], [], 0
    for at, captures in enumerate(found):
        if isinstance(captures, str):
            continue
        faces = range(len(captures))
        if largest and len(captures) > 1:
            faces = range(i := int(np.argmax((captures.boxes[:, 2:] - captures.boxes[:, :2]).prod(axis=1))), i + 1)
        sound = [i for i in faces if not captures.fault(i)]
        faults += len(faces) - len(sound)
        templates += [captures.templates[i] for i in sound]
        pictures += [at] * len(sound)
    width = templates[0].size if templates else 0
    return Enrolled(
        np.array(templates, np.float32).reshape(len(templates), width), np.array(pictures, np.int64),
        sum(isinstance(captures, str) for captures in found),
        sum(not isinstance(captures, str) and not len(captures) for captures in found), faults,
    )  # fmt: skip


def scores_against(template: Templates, enrolled: Enrolled, metric: Metric) -> Floats:
    """The score of one template `(d,)` with every face of the collection `(F,)`."""
    here, there = (
        Faces(rows, np.arange(len(rows) + 1), np.arange(len(rows))) for rows in (template[None], enrolled.templates)
    )
    return cast(Floats, np.concatenate([scores for _, scores in scores_of(here, there, metric)])[0])


def in_calibration(run: RunDirectory, photograph: Path) -> bool:
    """Whether this very file is among the photographs that a run was made of."""
    mine = digest(photograph)
    return any(run.has(table) and mine in run.read(table)["digest"] for table in (REFERENCES, PHOTOGRAPHS))


def _told(value: Any) -> str:
    return ", ".join(f"{k} {str(v)[:12]}" for k, v in value.items()) if isinstance(value, dict) else str(value)
