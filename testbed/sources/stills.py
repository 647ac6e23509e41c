"""Probe photographs as a source: each is one pass of one person before a camera called "stills"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.errors import InputError
from pipelines.interface import Image
from pipelines.model_file import digest
from testbed.runs.tables import EYES, PHOTOGRAPHS, TRANSITS, conform
from testbed.sources.eyes import locate
from testbed.sources.frames import Frame, Take, Truth
from testbed.sources.photographs import Photograph, read_photograph

CAMERA = "stills"
SEGMENT = 8
"""Photographs per segment."""

_FACE_SIDE = 2.2
_FACE_BELOW_EYES = 0.5


@dataclass(frozen=True)
class StillsSurvey:
    """What the probe photographs are: tables TRANSITS and PHOTOGRAPHS, and what the report must say of them."""

    transits: pl.DataFrame
    photographs: pl.DataFrame
    notices: tuple[str, ...]


def survey_stills(probes: Sequence[Photograph], executor: Executor | None = None) -> StillsSurvey:
    """Read every probe photograph once and locate its eyes; `executor`, where given, shares the work.

    Raises InputError where no photograph can be read, or two files of one person have the same stem.
    """
    transits = [f"{probe.subject}/{probe.path.stem}" for probe in probes]
    _distinct(probes, transits)
    chunks = [[probe.path for probe in probes[i : i + SEGMENT]] for i in range(0, len(probes), SEGMENT)]
    measured = executor.map(_measure, chunks) if executor else map(_measure, chunks)
    photographs = pl.DataFrame(
        [
            (CAMERA, frame, transit, probe.subject, str(probe.path), *row)
            for frame, (probe, transit, row) in enumerate(
                zip(probes, transits, (row for chunk in measured for row in chunk), strict=True)
            )
        ],
        schema=list(PHOTOGRAPHS.columns.items()),
        orient="row",
    )
    unreadable = photographs.filter(pl.col("state") == "unreadable")
    if len(unreadable) == len(photographs):
        reason = f": {unreadable['reason'][0]}" if len(unreadable) else "; correct the pattern in `probes: images`"
        raise InputError(f"none of the {len(photographs)} probe photographs can be read{reason}")
    eyeless = photographs.filter(pl.col("state") == "ok", pl.col("left_eye_x").is_null())
    notices = []
    if len(unreadable):
        notices.append(
            f"{len(unreadable)} of {len(photographs)} probe photographs cannot be read: {named(unreadable['transit'])}"
        )
    if len(eyeless):
        notices.append(
            f"the bench could not locate the eyes in {len(eyeless)} of {len(photographs)} probe photographs, "
            f"so no camera condition can be made of them: {named(eyeless['transit'])}"
        )
    passes = photographs.select("transit", "camera", "subject", pl.lit(0.0).alias("first"), pl.lit(0.0).alias("last"))
    return StillsSurvey(conform(TRANSITS, passes), conform(PHOTOGRAPHS, photographs), tuple(notices))


def named(names: Sequence[str] | pl.Series) -> str:
    """The first five of `names`, and a sign that there are more."""
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")


def face_box(eyes: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """The truth box of a face `(4,)` x1 y1 x2 y2 from its pupils `(2, 2)`, pixels.

    A square of 2.2 inter-eye distances, centred half of one below the middle of the eyes.
    """
    distance = float(np.hypot(*(eyes[1] - eyes[0])))
    centre = eyes.mean(axis=0) + np.array([0.0, _FACE_BELOW_EYES * distance])
    half = _FACE_SIDE * distance / 2
    return np.concatenate([centre - half, centre + half]).astype(np.float32)


class StillsSource:
    """Source of the photographs that table PHOTOGRAPHS lists; one Take, of one frame, per photograph."""

    cameras: tuple[str, ...] = (CAMERA,)

    def __init__(self, photographs: pl.DataFrame) -> None:
        self._photographs = photographs

    def segments(self, camera: str) -> int:
        """How many segments of eight photographs there are."""
        return -(-len(self._photographs) // SEGMENT)

    def frames(self, camera: str) -> int:
        """How many photographs there are."""
        return len(self._photographs)

    def read(self, camera: str, segment: int) -> Iterator[Take]:
        """The photographs of one segment; an unreadable one comes without image, with the reason.

        Raises InputError where a photograph is no longer the one that was surveyed.
        """
        for row in self._photographs.slice(segment * SEGMENT, SEGMENT).iter_rows(named=True):
            index = row["frame"]
            if row["state"] == "ok":
                frame = Frame(_unchanged(Path(row["file"]), row["digest"]), index, 0.0)
            else:
                frame = Frame(None, index, 0.0, row["reason"])
            eyes = None
            if row["left_eye_x"] is not None:
                eyes = np.array([row[name] for name in EYES], dtype=np.float64).reshape(2, 2)
            boxes = np.empty((0, 4), np.float32) if eyes is None else face_box(eyes)[None]
            known = None if eyes is None else eyes[None]
            truth = Truth(boxes, (row["transit"],), (row["subject"],), anywhere=eyes is None, alone=True, eyes=known)
            yield Take(camera, index, (frame,), (truth,), eyes)


def _measure(paths: Sequence[Path]) -> list[tuple[str | float | None, ...]]:
    """Columns digest, state, reason and the eyes of PHOTOGRAPHS for each file."""
    rows: list[tuple[str | float | None, ...]] = []
    for path in paths:
        try:
            content = digest(path)
        except OSError as error:
            rows.append((None, "unreadable", f"{path}: the photograph cannot be read ({error.strerror})", *[None] * 4))
            continue
        try:
            eyes = locate(read_photograph(path))
        except InputError as error:
            rows.append((content, "unreadable", str(error), *[None] * 4))
            continue
        rows.append((content, "ok", "", *([None] * 4 if eyes is None else map(float, eyes.ravel()))))
    return rows


def _unchanged(path: Path, surveyed: str) -> Image:
    image = read_photograph(path)
    if digest(path) != surveyed:
        raise InputError(f"{path}: the photograph has changed since the run began; put it back or start a new run")
    return image


def _distinct(probes: Sequence[Photograph], transits: Sequence[str]) -> None:
    repeated = {transit for transit, count in Counter(transits).items() if count > 1}
    if repeated:
        transit = min(repeated)
        one, other = [probe.path for probe, name in zip(probes, transits, strict=True) if name == transit][:2]
        raise InputError(
            f"{one} and {other}: both would be the transit {transit}; rename one, or make the pattern narrower"
        )
