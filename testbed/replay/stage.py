"""The replay stage: every cell, camera and segment, in parallel, written part by part."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from itertools import islice
from pathlib import Path

import polars as pl

from pipelines.errors import InputError
from testbed.conditions.enhancement import NOT_COMPLETED
from testbed.replay.segment import Segment, describe_system, replay_segment, try_enhancers
from testbed.runs.directory import RunDirectory
from testbed.runs.progress import Progress, silent
from testbed.runs.tables import CAPTURES, CELLS, FRAMES, TIMINGS
from testbed.scenario.enhancing import Completion, SuperResolver
from testbed.scenario.loading import Loaded
from testbed.scenario.models import ENHANCEMENT, Condition, Log, Stills
from testbed.scenario.searching import Identification
from testbed.sources.frames import Source
from testbed.sources.survey import digest_of_input, open_source, survey

Task = tuple[str, str, int]
"""Cell, camera, segment."""


def replay(run: RunDirectory, loaded: Loaded, executor: Executor, workers: int, progress: Progress = silent) -> None:
    """Run the stage, or what is left of it; a stage that had finished is run anew. The parent alone writes.

    Raises InputError where an input has changed since the run began.
    """
    if isinstance(loaded.scenario.probes, Log):
        raise InputError(f"{run.path}: comes from a score log, which is not replayed; run `testbed audit` anew")
    if run.done("replay"):
        run.clear(FRAMES)
    run.begin("replay")
    _check_systems(run, loaded, executor)
    executor.submit(try_enhancers, str(run.path)).result()
    if run.manifest().get("surveyed"):
        _check_inputs(run)
    else:
        survey(loaded.scenario, run, executor, progress)
        run.note(surveyed=True)
    run.write(CELLS, cells_table(loaded))
    source = open_source(loaded.scenario, run)
    sizes = dict(_tasks(loaded, source))
    waiting = [task for task in sizes if not run.has(FRAMES, _part(task))]
    total = sum(sizes.values())
    done = total - sum(sizes[task] for task in waiting)
    progress("replay", done, total)
    for task, segment in _completed(run, executor, waiting, 2 * workers):
        _write(run, _part(task), segment)
        done += sizes[task]
        progress("replay", done, total, f"{task[0]} · {task[1]}")
    if any(isinstance(condition.enhance, Completion) for condition in loaded.scenario.conditions):
        _note_incomplete(run, loaded, [_part(task) for task in sizes])
    run.finish("replay")


def cells_table(loaded: Loaded) -> pl.DataFrame:
    """Table CELLS: the condition's values as columns, null where the step is left out."""
    rows, settings = [], list[str]()
    for cell in loaded.cells:
        values = cell.condition.model_dump(mode="json", exclude={"clean", "frame", *ENHANCEMENT})
        width, height = cell.condition.frame
        values |= {"frame_width": width, "frame_height": height}
        if cell.condition.clean:
            values = dict.fromkeys(values)
        settings = list(values)
        numbers = {name: None if value is None else float(value) for name, value in values.items()}
        rows.append({
            "cell": cell.id, "system": cell.system.label, "condition": cell.condition_name, "arm": cell.arm,
            "picture": cell.picture, **numbers, **_enhancement(cell.condition),
        })  # fmt: skip
    table = pl.DataFrame(rows, infer_schema_length=None)
    return table.cast(dict.fromkeys(settings, pl.Float64)).cast(dict.fromkeys(("draw", "enlarge"), pl.Int64))


def _enhancement(condition: Condition) -> dict[str, str | int | None]:
    """Its columns of CELLS: enhance (none, bicubic, lanczos, model:FILE, prior:NAME), draw (of a prior), enlarge."""
    match condition.enhance:
        case "none":
            return {"enhance": "none", "draw": None, "enlarge": None}
        case Completion(prior=name, draw=draw):
            return {"enhance": f"prior:{name}", "draw": draw, "enlarge": condition.enlarge}
        case SuperResolver(model=path):
            return {"enhance": f"model:{path.name}", "draw": None, "enlarge": condition.enlarge}
        case word:
            return {"enhance": word, "draw": None, "enlarge": condition.enlarge}


def _tasks(loaded: Loaded, source: Source) -> Iterator[tuple[Task, int]]:
    """Every task, with the frames it will show the system (for progress)."""
    for cell in loaded.cells:
        clip = 1 if cell.condition.clean or not isinstance(loaded.scenario.probes, Stills) else cell.condition.frames
        for camera in [cell.arm] if cell.arm else source.cameras:
            segments = source.segments(camera)
            frames = max(source.frames(camera), 1) * clip
            for segment in range(segments):
                share = frames * (segment + 1) // segments - frames * segment // segments
                yield (cell.id, camera, segment), share


def _part(task: Task) -> str:
    cell, camera, segment = task
    return f"{cell}/{camera}/{segment:06d}"


def _completed(
    run: RunDirectory, executor: Executor, tasks: list[Task], in_flight: int
) -> Iterator[tuple[Task, Segment]]:
    """Results as they come, with a bounded number of tasks handed out: memory does not grow with the video."""
    queue = iter(tasks)
    running: dict[Future[Segment], Task] = {}
    while True:
        for task in islice(queue, in_flight - len(running)):
            running[executor.submit(replay_segment, str(run.path), *task)] = task
        if not running:
            return
        finished, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in finished:
            yield running.pop(future), future.result()


def _write(run: RunDirectory, part: str, segment: Segment) -> None:
    """FRAMES last: its presence says that the part is whole."""
    run.write_array(f"captures/{part}", segment.templates)
    run.write(CAPTURES, segment.captures, part)
    run.write(TIMINGS, segment.timings, part)
    for name, png in segment.crops.items():
        run.write_bytes(f"crops/{name}", png)
    run.write(FRAMES, segment.frames, part)


def _note_incomplete(run: RunDirectory, loaded: Loaded, parts: list[str]) -> None:
    """A notice of pictures with faces that an enhancer could not complete."""
    completing = {cell.id for cell in loaded.cells if isinstance(cell.condition.enhance, Completion)}
    frames = pl.concat([run.read(FRAMES, part) for part in parts if part.split("/")[0] in completing])
    shown = frames.filter(pl.col("state") == "ok")
    told = [each for each in run.manifest().get("notices", []) if NOT_COMPLETED not in each]
    if some := shown.filter(pl.col("reason") != "").height:
        told.append(f"{some} of {shown.height} pictures that a prior was to complete have {NOT_COMPLETED}")
    run.note(notices=told)


def _check_systems(run: RunDirectory, loaded: Loaded, executor: Executor) -> None:
    """Every system is built once before any long work, and what it says of itself is recorded."""
    labels = list(dict.fromkeys(cell.system.label for cell in loaded.cells))
    futures = [executor.submit(describe_system, str(run.path), label) for label in labels]
    systems = {label: future.result() for label, future in zip(labels, futures, strict=True)}
    for label, info in systems.items():
        low, high = info["score_range"]
        for point in loaded.scenario.operating_points:
            if isinstance(point, float | int) and not low <= point <= high:
                raise InputError(
                    f"operating_points: the threshold {point:g} lies outside the scores of {label}, "
                    f"which go from {low:g} to {high:g} ({info['direction']})"
                )
        search, kind = loaded.scenario.search, info["answers"]
        if not (isinstance(search, Identification) or (kind != "searches" and search is None) or kind == "templates"):
            said = "only answers searches" if kind == "searches" else "compares its templates by itself"
            raise InputError(
                f"system {label}: {said}, so it can only be searched among reference photographs; "
                "write `search: {kind: identification}`"
            )
        photographs = loaded.scenario.references
        if kind == "searches" and photographs is not None and photographs.face == "largest":
            raise InputError(
                f"system {label}: only answers searches, and is handed whole photographs, in which nobody can choose "
                "the largest face for it; leave out `references.face`"
            )
    run.note(systems=systems)


def _check_inputs(run: RunDirectory) -> None:
    for path, known in run.manifest().get("inputs", {}).items():
        try:
            same = digest_of_input(Path(path)) == known
        except OSError as error:
            raise InputError(
                f"{path}: was used by this run and cannot be read any more ({error.strerror}); restore it"
            ) from None
        if not same:
            raise InputError(f"{path}: has changed since this run began; start a new run with another --out")
