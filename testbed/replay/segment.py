"""One segment of one camera through one cell: what a worker does."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from time import perf_counter
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.black_box import answers, asked, fault, misshapen, unlisted
from pipelines.errors import InputError
from pipelines.interface import Captures, Image, Pipeline, PipelineInfo, Searcher
from testbed.conditions.camera import deliver
from testbed.conditions.enhancement import enhance, resolver
from testbed.replay.assignment import assign
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import CAPTURES, FRAMES, TIMINGS
from testbed.scenario.cells import Cell
from testbed.scenario.enhancing import Completion, SuperResolver
from testbed.scenario.loading import Loaded, reload
from testbed.scenario.models import ENHANCEMENT
from testbed.scenario.systems import build
from testbed.sources.frames import Frame, Source, Take, Truth
from testbed.sources.survey import open_source
from testbed.synthetic.prior import FacePrior, read_prior


@dataclass(frozen=True)
class Segment:
    """The rows of one segment: tables FRAMES, CAPTURES, TIMINGS, templates `(n, d)` float32, and kept crops (PNG)."""

    frames: pl.DataFrame
    captures: pl.DataFrame
    timings: pl.DataFrame
    templates: npt.NDArray[np.float32]
    crops: Mapping[str, bytes]


@dataclass
class _Rows:
    frames: list[tuple[Any, ...]] = field(default_factory=list)
    captures: list[tuple[Any, ...]] = field(default_factory=list)
    timings: list[tuple[Any, ...]] = field(default_factory=list)
    templates: list[npt.NDArray[np.float32]] = field(default_factory=list)
    crops: dict[str, bytes] = field(default_factory=dict)


def replay_segment(run_path: str, cell_id: str, camera: str, segment: int) -> Segment:
    """Read, degrade, detect, make templates, match to truth. A pure function of the run's inputs and seed."""
    loaded, cell, _ = _experiment(run_path, cell_id)
    pipeline = _pipeline(run_path, cell.system.label)
    rows = _Rows()
    for delivered, per_frame in _delivered(run_path, cell_id, camera, segment):
        _record(rows, delivered, pipeline, cell, loaded, per_frame)
    dimensions = pipeline.info.dimensions
    templates = np.array(rows.templates, np.float32).reshape(len(rows.templates), dimensions)
    return Segment(
        frames=pl.DataFrame(rows.frames, schema=FRAMES.columns, orient="row"),
        captures=pl.DataFrame(rows.captures, schema=CAPTURES.columns, orient="row"),
        timings=pl.DataFrame(rows.timings, schema=TIMINGS.columns, orient="row"),
        templates=templates,
        crops=rows.crops,
    )


def describe_system(run_path: str, label: str) -> dict[str, Any]:
    """Build a system in this worker and return its PipelineInfo as a dict (raises InputError where it cannot be)."""
    pipeline = _pipeline(run_path, label)
    info = asked(label, "its `info`", lambda: pipeline.info, lambda told: (
        "" if isinstance(told, PipelineInfo) else f"is a {type(told).__name__}; give a PipelineInfo"
    ))  # fmt: skip
    return {**asdict(info), "answers": answers(pipeline)}


def try_enhancers(run_path: str) -> None:
    """Open every super-resolver of the scenario. Raises InputError where one is none, or enlarges otherwise."""
    for condition in _loaded(run_path).scenario.conditions:
        if isinstance(condition.enhance, SuperResolver):
            resolver(condition.enhance.model, condition.enlarge)


def register(run_path: str, label: str, gallery: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Hand a Searcher its gallery, (name, path) of photographs; returns those that could not be enrolled, and why."""
    return _searcher(run_path, label, gallery)[1]


def search_segment(
    run_path: str, cell_id: str, camera: str, segment: int, gallery: tuple[tuple[str, str], ...], k: int
) -> list[tuple[str, str | None, float | None]]:
    """What a Searcher answers to each delivered picture that shows one person: (transit, reference, score).

    A picture that returns nobody has one row, of nobody. Raises InputError where an answer cannot be.
    """
    label = _experiment(run_path, cell_id)[1].system.label
    searcher, failed = _searcher(run_path, label, gallery)
    names = {name for name, _ in gallery if name not in failed}
    rows: list[tuple[str, str | None, float | None]] = []
    for take, _ in _delivered(run_path, cell_id, camera, segment):
        for frame, truth in zip(take.frames, take.truth, strict=True):
            if frame.image is None or len(truth.transits) != 1:
                continue
            found = asked(
                label, f"the search of {camera}, picture {frame.index},",
                partial(searcher.search, frame.image, k), lambda f: fault(f, names, k, searcher.info.direction),
            )  # fmt: skip
            listed = zip(found.references, map(float, found.scores), strict=True)
            rows += [(truth.transits[0], *each) for each in listed] or [(truth.transits[0], None, None)]
    return rows


def _delivered(run_path: str, cell_id: str, camera: str, segment: int) -> Iterator[tuple[Take, float]]:
    """The takes of a segment as the cell's camera delivers them, and the seconds that took for each frame."""
    loaded, cell, source = _experiment(run_path, cell_id)
    # The same noise for every system under one condition, whatever the condition is called and whatever else is
    # swept: systems, and runs, are compared on identical pictures.
    # Every enhancer is handed the same picture, too: enhancement comes after the camera.
    camera_alone = cell.condition.model_dump_json(exclude=set(ENHANCEMENT))
    seed = [loaded.scenario.seed, _stable(camera_alone), _stable(camera)]
    prior = _prior(run_path, cell.condition.enhance.prior) if isinstance(cell.condition.enhance, Completion) else None
    for take in source.read(camera, segment):
        started = perf_counter()
        recorded = deliver(take, cell.condition, [*seed, take.index])
        delivered = enhance(recorded, cell.condition, prior, [*seed, take.index])
        yield delivered, (perf_counter() - started) / max(1, len(delivered.frames))


def enrol_photographs(
    run_path: str, label: str, paths: list[str], as_frames: bool = False, named: bool = True
) -> list[Captures | str]:  # fmt: skip
    """What the system makes of each reference photograph; a sentence in place of one that cannot be read.

    as_frames: they are shown to it as a camera's pictures are. named: what goes wrong is told with the file's name.
    """
    from testbed.sources.photographs import read_photograph

    pipeline = _pipeline(run_path, label)
    results: list[Captures | str] = []
    for path in paths:
        try:
            image = read_photograph(Path(path))
        except InputError as error:
            results.append(str(error))
            continue
        faces = asked(
            label, f"the enrolment of {path if named else 'a picture'}",
            partial(pipeline.capture if as_frames else pipeline.enrol, [image]),
            lambda f: misshapen(f, 1, pipeline.info.dimensions),
        )  # fmt: skip
        results += faces
    return results


def _record(rows: _Rows, take: Take, pipeline: Pipeline, cell: Cell, loaded: Loaded, delivery: float) -> None:
    for frame, truth in zip(take.frames, take.truth, strict=True):
        whose = truth.transits[0] if len(truth.transits) == 1 else None
        key = (cell.id, take.camera, frame.index)
        if frame.image is None:
            # A frame that never was (a take the bench could not make) is not one that failed to decode.
            state = "undelivered" if take.camera == "stills" else "undecodable"
            rows.frames.append((*key, take.index, frame.seconds, None, None, whose, state, frame.reason, 0))
            continue
        height, width = frame.image.shape[:2]
        if answers(pipeline) == "searches":  # it shows no faces; it is asked when galleries are there
            rows.frames.append((*key, take.index, frame.seconds, width, height, whose, "ok", frame.reason, 0))
            continue
        (faces,) = asked(
            cell.system.label, f"the capture of {take.camera}, picture {frame.index},",
            partial(pipeline.capture, [frame.image]), lambda f: misshapen(f, 1, pipeline.info.dimensions),
        )  # fmt: skip
        rows.frames.append((*key, take.index, frame.seconds, width, height, whose, "ok", frame.reason, len(faces)))
        _record_faces(rows, key, frame, truth, faces, loaded.scenario.iou)
        rows.timings.extend((*key, stage, s) for stage, s in {"deliver": delivery, **faces.timings}.items())
        if loaded.scenario.keep_crops:
            for i, box in enumerate(faces.boxes):
                name = f"{cell.id}/{take.camera}/{frame.index:08d}-{i}.png"
                rows.crops[name] = _png(frame.image, box)


def _record_faces(
    rows: _Rows, key: tuple[str, str, int], frame: Frame, truth: Truth, faces: Captures, least: float
) -> None:
    for i, owner in enumerate(assign(faces.boxes, truth, least)):
        transit, subject, iou = (
            (truth.transits[owner[0]], truth.subjects[owner[0]], owner[1]) if owner else (None, None, None)
        )
        reason = faces.fault(i)
        row = None if reason else len(rows.templates)
        if row is not None:
            rows.templates.append(faces.templates[i])
        score = float(faces.scores[i])
        rows.captures.append((
            *key, i, frame.seconds, *map(float, faces.boxes[i]),
            None if np.isnan(score) else score, transit, subject,
            None if iou is None or np.isnan(iou) else iou, "failed" if reason else "ok", reason, row,
        ))  # fmt: skip


def _png(image: Image, box: npt.NDArray[np.float32]) -> bytes:
    height, width = image.shape[:2]
    x1, y1, x2, y2 = np.clip(np.rint(box), 0, [width, height, width, height]).astype(int)
    crop = image[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)]
    return bytes(cv2.imencode(".png", crop[..., ::-1])[1])


def _stable(name: str) -> int:
    """A number for a name that is the same in every process (Python's own hash is not)."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")


@lru_cache(maxsize=1)
def _loaded(run_path: str) -> Loaded:
    return reload(RunDirectory.open(Path(run_path)).manifest()["scenario"])


@lru_cache(maxsize=1)
def _source(run_path: str) -> Source:
    return open_source(_loaded(run_path).scenario, RunDirectory.open(Path(run_path)))


def _experiment(run_path: str, cell_id: str) -> tuple[Loaded, Cell, Source]:
    loaded = _loaded(run_path)
    (cell,) = (cell for cell in loaded.cells if cell.id == cell_id)
    return loaded, cell, _source(run_path)


@lru_cache(maxsize=2)
def _prior(run_path: str, name: str) -> FacePrior:
    return read_prior(RunDirectory.open(Path(run_path)), name)


@lru_cache(maxsize=2)
def _pipeline(run_path: str, label: str) -> Pipeline:
    system = next(cell.system for cell in _loaded(run_path).cells if cell.system.label == label)
    return build(system)


@lru_cache(maxsize=1)
def _searcher(run_path: str, label: str, gallery: tuple[tuple[str, str], ...]) -> tuple[Searcher, dict[str, str]]:
    from testbed.sources.photographs import read_photograph

    searcher = cast(Searcher, _pipeline(run_path, label))
    images, failed = {}, {}
    for name, path in gallery:
        try:
            images[name] = read_photograph(Path(path))
        except InputError as error:
            failed[name] = str(error)
    refused = asked(
        label, f"the enrolment of {len(images)} photographs", lambda: searcher.enrol(images),
        lambda f: unlisted(f, images),
    )  # fmt: skip
    return searcher, {**failed, **refused}
