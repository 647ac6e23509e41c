"""A camera at work: people walk through a scene, and what it made of them is recorded, with the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, replace
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from kernels.raster import render
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import FACES
from testbed.scenario.synthetic import Synthetic
from testbed.synthetic.camera import Sensor, Shot
from testbed.synthetic.clips import LONGEST, Clip, hung
from testbed.synthetic.faces import face_in
from testbed.synthetic.people.identity import Identity
from testbed.synthetic.recorder import FROZEN, LOST, Recorder, mishaps
from testbed.synthetic.stage import Stage

Picture = npt.NDArray[np.uint8]
Rows = list[tuple[object, ...]]

TELL_EVERY = 5
"""Frames."""


class Shooting:
    """One camera with people before it. Frames are taken in order: automatic exposure has a memory.

    people: as they are in the clip's arm. The same pictures for the same seed on any number of threads.
    """

    def __init__(self, synthetic: Synthetic, clip: Clip, people: Sequence[Identity], threads: int = 1) -> None:
        self.view, self.eye = hung(clip)
        place, self._threads = clip.place, threads
        self._alone = synthetic.frames_each if synthetic.staging == "one by one" else 0
        lighting = place.lighting(str(clip.camera.light), self.eye)
        self._lights = lighting.lights
        seed = clip.numbered("sensor")
        self._sensor = Sensor(clip.camera, self.view, lighting.lux, lighting.monochrome, seed, clip.day)
        self._stage = Stage(clip, clip.visits(synthetic, len(people)), people, self.view)
        # Drawn once, for people to be drawn over.
        empty = render(place.meshes, place.materials, self.view.pinhole, self._lights, threads=threads)
        colour = np.where(np.isinf(empty.depth)[..., None], np.asarray(place.outside, np.float32), empty.colour)
        self._empty = replace(empty, colour=colour.astype(np.float32))

    def frame(self, number: int, seconds: float) -> tuple[Picture, Rows] | None:
        """The picture, and its rows of FACES from `transit` on; None once everybody has gone."""
        stage = self._stage
        if not stage.go_on(seconds):
            return None
        if self._alone and number % self._alone == 0:
            self._sensor.settle()
        posed = [actor.person.posed(actor.walker.pose(seconds)) for actor in stage.present]
        meshes = [
            replace(each.mesh, material=each.mesh.material + np.int32(first))
            for each, first in zip(posed, stage.first_material, strict=True)
        ]
        drawn = render(
            meshes, stage.materials, self.view.pinhole, self._lights, self._empty, threads=self._threads
        )  # fmt: skip
        moving = [actor.moving(seconds, self.view) for actor in stage.present]
        velocity, distance = np.array([v for v, _ in moving]).reshape(-1, 2), np.array([d for _, d in moving])
        shot = Shot(drawn.colour, self._empty.colour, drawn.identity, velocity, distance)
        picture = self._sensor.expose(shot, number, seconds)
        rows: Rows = []
        for mesh, (actor, each) in enumerate(zip(stage.present, posed, strict=True)):
            face = face_in(each, actor.straight, self.view, self.eye, drawn, mesh, picture)
            if face is not None:
                box, *numbers = astuple(face)
                rows.append((actor.transit, actor.subject, *box, *numbers, face.put))
        return picture, rows


def _packed(table: pl.DataFrame) -> bytes:
    content = BytesIO()
    table.write_parquet(content)
    return content.getvalue()


def film(synthetic: Synthetic, clip: Clip, people: Sequence[Identity], folder: Path, threads: int = 1) -> None:
    """Write `clips/NAME.mp4` and, before it, `truth/NAME.parquet` (FACES, with `seconds`) under `folder`.

    Memory does not grow with the clip's pictures. `clips/.NAME.frames` says meanwhile how many frames are done.
    """
    camera, shooting = clip.camera, Shooting(synthetic, clip, people, threads)
    fate = mishaps(camera, LONGEST, clip.numbered("mishaps"))
    path, told = folder / "clips" / f"{clip.name}.mp4", folder / "clips" / f".{clip.name}.frames"
    rows: Rows = []
    shown: tuple[Picture, Rows] | None = None
    number = recorded = 0
    alone = synthetic.staging == "one by one"  # nobody's pictures then depend on who came before
    with Recorder(path, camera.size, camera.fps, camera.bitrate_kbps, camera.gop) as recorder:
        while taken := shooting.frame(number, seconds := number / camera.fps):
            if alone and number % synthetic.frames_each == 0:
                recorder.cut()
            if fate[number] != LOST:
                if shown is None or fate[number] != FROZEN:
                    shown = taken
                picture, faces = shown
                recorder.write(picture, number)
                rows += [(clip.name, recorded, seconds, *face) for face in faces]
                recorded += 1
            if number % TELL_EVERY == 0:
                told.write_text(str(number))
            number += 1
        columns = {"camera": pl.String, "frame": pl.Int64, "seconds": pl.Float64, **FACES.columns}
        RunDirectory(folder).write_bytes(
            f"truth/{clip.name}.parquet", _packed(pl.DataFrame(rows, columns, orient="row"))
        )
    told.unlink(missing_ok=True)
