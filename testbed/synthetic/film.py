"""One camera's clip: people walk through a scene, and what the camera made of it is recorded, with the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from kernels.raster import Rendered, joined, render
from pipelines.errors import InputError
from testbed.runs.tables import FACES
from testbed.scenario.synthetic import Arm, FilmedCamera, Synthetic, arms
from testbed.synthetic.camera import Sensor, Shot, View
from testbed.synthetic.faces import face_in, head_axes
from testbed.synthetic.people.identity import Identity, numbered
from testbed.synthetic.people.person import Person, Pose, Posed
from testbed.synthetic.people.walking import Route, Walker
from testbed.synthetic.recorder import FROZEN, LOST, Recorder, mishaps
from testbed.synthetic.scenes.scene import Lighting, Scene, scene
from testbed.synthetic.visits import Visit, visits

Places = npt.NDArray[np.float64]
Picture = npt.NDArray[np.uint8]

LONGEST = 50_000
"""Frames of a clip."""
FACE_HEIGHT = 1.60
"""Metres: where a camera looks that is aimed at whoever stands on a scene's spot."""
REACH = 1.5
"""Metres around a person within which they, or their shadow, may be in the picture."""
SPEED = 0.9
"""Metres a second of a slow walker."""
TELL_EVERY = 5


@dataclass(frozen=True)
class Clip:
    """What is filmed: a camera as it is in an arm, scene and light filled in. name is that of its files; seed the
    scenario's.
    """

    name: str
    camera: FilmedCamera
    arm: Arm
    seed: int

    @property
    def place(self) -> Scene:
        """Where the camera hangs, lit as it is."""
        return scene(str(self.camera.scene), str(self.camera.light))

    def numbered(self, what: str) -> int:
        """A seed that is the same in every arm: arms differ in their cause alone."""
        return numbered(self.seed, f"camera/{self.camera.name}/{what}") % (1 << 32)

    def visits(self, synthetic: Synthetic, people: int) -> Sequence[Visit]:
        """Who comes by: the same for all cameras of a scene, and in all arms."""
        return visits(synthetic, self.place, people, self.seed, self.camera.fps)

    def frames(self, synthetic: Synthetic, people: int) -> int:
        """About how many frames it will have. Raises InputError where those are too many."""
        last = self.visits(synthetic, people)[-1]
        takes = last.lasts or 2 + np.hypot(*np.diff(last.way, axis=0).T).sum() / SPEED
        frames = int((last.starts + takes) * self.camera.fps)
        if frames > LONGEST:
            raise InputError(
                f"probes: the clip {self.name} would have {frames:,} frames of at most {LONGEST:,}; "
                "let fewer people pass, or more often (every_s)"
            )
        return frames


def clips(synthetic: Synthetic, seed: int) -> list[Clip]:
    """Every clip of a scenario. Raises InputError for a camera that cannot hang where it is wanted."""
    made = []
    for arm in arms(synthetic):
        for which in range(len(synthetic.cameras)):
            camera = arm.camera(synthetic, which)
            places = {"scene": camera.scene or synthetic.scene, "light": camera.light or synthetic.light}
            made.append(Clip(arm.name or camera.name, camera.model_copy(update=places), arm, seed))
            hung(made[-1])
    return made


def hung(clip: Clip) -> tuple[View, Places]:
    """The camera's view, and where it is. Raises InputError where it is inside of something."""
    camera, place = clip.camera, clip.place
    if camera.distance is not None:
        turned, tilt = place.heading + (camera.pan or 0.0), camera.tilt or 0.0
        (sin_h, cos_h), (sin_t, cos_t) = (
            (np.sin(np.radians(angle)), np.cos(np.radians(angle))) for angle in (turned, tilt)
        )
        face = np.array([place.spot[0], FACE_HEIGHT, place.spot[1]])
        eye = face + camera.distance * np.array([sin_h * cos_t, sin_t, cos_h * cos_t])
        pan, field = turned, camera.field or 40.0
    else:
        (x, z), height, pan, tilt, field = _mounted(camera, place)
        eye = np.array([x, height, z])
    if inside := place.within(eye):
        at = ", ".join(f"{each:.2f}" for each in eye)
        where = inside if inside.startswith("outside") else f"inside {inside}"
        raise InputError(
            f"probes.cameras: {camera.name} would hang at ({at}) m, {where} ({place.name}); "
            f"put it into free air, or name a mount: {', '.join(place.mounts)}"
        )
    return View(camera, eye, pan, tilt, field), eye


def _mounted(camera: FilmedCamera, place: Scene) -> tuple[tuple[float, float], float, float, float, float]:
    name = camera.mount or next(iter(place.mounts))
    if name not in place.mounts:
        raise InputError(
            f"probes.cameras: {camera.name}: the {place.name} has no mount {name!r}; it has {', '.join(place.mounts)}"
        )
    usual = place.mounts[name]
    if camera.at is not None:
        usual = replace(usual, at=camera.at)
    wanted = {key: getattr(camera, key) for key in ("height", "pan", "tilt", "field")}
    found = replace(usual, **{key: value for key, value in wanted.items() if value is not None})
    return found.at, found.height, found.pan, found.tilt, found.field


def film(synthetic: Synthetic, clip: Clip, people: Sequence[Identity], folder: Path, threads: int = 1) -> None:
    """Write `clips/NAME.mp4` and, before it, `truth/NAME.parquet` (FACES, with `seconds`) under `folder`.

    people: as they are in the clip's arm. Memory does not grow with the clip's pictures. The same bytes for the same
    seed on any number of threads. `clips/.NAME.frames` says meanwhile how many frames are done.
    """
    view, eye = hung(clip)
    camera, place = clip.camera, clip.place
    lighting = place.lighting(str(camera.light), eye)
    sensor = Sensor(camera, view, lighting.lux, lighting.monochrome, clip.numbered("sensor"))
    stage = _Stage(clip, clip.visits(synthetic, len(people)), people, view)
    background = _empty(place, view, lighting, threads)
    fate = mishaps(camera, LONGEST, clip.numbered("mishaps"))
    told = folder / "clips" / f".{clip.name}.frames"
    rows: list[tuple[object, ...]] = []
    shown: tuple[Picture, list[tuple[object, ...]]] | None = None
    number = recorded = 0
    with Recorder(
        folder / "clips" / f"{clip.name}.mp4", camera.size, camera.fps, camera.bitrate_kbps, camera.gop
    ) as recorder:
        while stage.go_on(number / camera.fps):
            seconds = number / camera.fps
            shot, posed, drawn = _drawn(stage, seconds, view, lighting, background, threads)
            picture = sensor.expose(shot, number, seconds)
            if shown is None or fate[number] != FROZEN:
                shown = picture, _faces(stage, posed, view, eye, drawn, picture)
            if fate[number] != LOST:
                recorder.write(shown[0], number)
                rows += [(clip.name, recorded, seconds, *face) for face in shown[1]]
                recorded += 1
            if number % TELL_EVERY == 0:
                told.write_text(str(number))
            number += 1
        columns = {"camera": pl.String, "frame": pl.Int64, "seconds": pl.Float64, **FACES.columns}
        pl.DataFrame(rows, schema=columns, orient="row").write_parquet(folder / "truth" / f"{clip.name}.parquet")
    told.unlink(missing_ok=True)


def _empty(place: Scene, view: View, lighting: Lighting, threads: int) -> Rendered:
    """The scene without anybody: drawn once, for people to be drawn over."""
    drawn = render(place.meshes, place.materials, view.pinhole, lighting.lights, threads=threads)
    colour = np.where(np.isinf(drawn.depth)[..., None], np.asarray(place.outside, np.float32), drawn.colour)
    return replace(drawn, colour=colour.astype(np.float32))


def _drawn(
    stage: _Stage, seconds: float, view: View, lighting: Lighting, background: Rendered, threads: int
) -> tuple[Shot, list[Posed], Rendered]:
    """What falls on the sensor, and who is in it."""
    posed = [actor.person.posed(actor.walker.pose(seconds)) for actor in stage.present]
    meshes = [
        replace(each.mesh, material=each.mesh.material + np.int32(first))
        for each, first in zip(posed, stage.first_material, strict=True)
    ]
    drawn = render(meshes, stage.materials, view.pinhole, lighting.lights, background, threads=threads)
    seen = [actor.moving(seconds, view) for actor in stage.present]
    velocity, distance = np.array([each[0] for each in seen]).reshape(-1, 2), np.array([each[1] for each in seen])
    return Shot(drawn.colour, background.colour, drawn.identity, velocity, distance), posed, drawn


def _faces(
    stage: _Stage, posed: Sequence[Posed], view: View, eye: Places, drawn: Rendered, picture: Picture
) -> list[tuple[object, ...]]:
    """Rows of FACES, from `transit` on."""
    rows = []
    for mesh, (actor, each) in enumerate(zip(stage.present, posed, strict=True)):
        face = face_in(each, actor.straight, view, eye, drawn, mesh, picture)
        if face is not None:
            box, *numbers = astuple(face)
            rows.append((actor.transit, actor.subject, *box, *numbers, face.put))
    return rows


class _Actor:
    """A person on one visit."""

    def __init__(self, visit: Visit, identity: Identity, subject: str, clip: Clip) -> None:
        place = clip.place
        self.person = Person(identity, infrared=clip.camera.light == "infrared")
        self.subject, self.transit = subject, f"{clip.name}/{subject}/{visit.number}"
        if visit.lasts is None:
            self.walker = Walker(self.person, Route(visit.way), visit.starts, seed=visit.seed)
        else:
            spot = (float(visit.way[0, 0]), float(visit.way[0, 1]))
            self.walker = Walker.stays(self.person, spot, place.heading, visit.starts, visit.lasts, visit.seed)
        standing = self.person.posed(Pose())
        self.straight = head_axes(standing.landmarks)
        self.height = float(standing.landmarks.left_eye[1])

    def near(self, seconds: float, view: View) -> bool:
        """Whether any of them, or their shadow, may be in the picture."""
        x, z = self.walker.pose(seconds).at
        pinhole = view.pinhole
        ((right, _, ahead),) = pinhole.seen(np.array([[x, 1.0, z]]))
        slope = max(pinhole.centre[0], pinhole.width - pinhole.centre[0]) / pinhole.focal[0]
        return bool(ahead > -REACH and abs(right) < max(ahead, 0.0) * slope + REACH * np.hypot(1, slope))

    def moving(self, seconds: float, view: View) -> tuple[Places, float]:
        """Pixels a second that the head moves on the picture `(2,)`, from the next twentieth; and metres away."""
        step = 0.05 if seconds + 0.05 <= self.walker.ends else -0.05
        places = [(pose.at[0], self.height, pose.at[1]) for pose in map(self.walker.pose, (seconds, seconds + step))]
        here, there = view.pinhole.project(np.array(places))[:, :2]
        return np.nan_to_num((there - here) / step), float(np.linalg.norm(places[0] - np.asarray(view.pinhole.eye)))


class _Stage:
    """Who is there as time goes on. People are made when they come, and forgotten when they have gone."""

    def __init__(self, clip: Clip, coming: Sequence[Visit], people: Sequence[Identity], view: View) -> None:
        self._clip, self._coming, self._people, self._view = clip, list(coming), people, view
        self._there: list[_Actor] = []
        self.present: list[_Actor] = []
        self.materials, self.first_material = joined([]), list[int]()

    def go_on(self, seconds: float) -> bool:
        """Let people come and go; False once all have gone."""
        while self._coming and self._coming[0].starts <= seconds:
            visit = self._coming.pop(0)
            self._there.append(_Actor(visit, self._people[visit.person], subject(visit.person), self._clip))
        self._there = [actor for actor in self._there if actor.walker.ends > seconds]
        present = [actor for actor in self._there if actor.near(seconds, self._view)]
        if present != self.present:
            parts = [actor.person.materials for actor in present]
            self.materials = joined(parts)
            self.first_material = [sum(len(part.textures) for part in parts[:row]) for row in range(len(parts))]
        self.present = present
        return bool(self._coming or self._there)


def subject(person: int) -> str:
    """The id of a person, by their place in the population."""
    return f"P{person + 1:04d}"
