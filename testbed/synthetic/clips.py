"""Which clips a scenario asks for, and where their cameras hang."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pipelines.errors import InputError
from testbed.scenario.synthetic import Arm, FilmedCamera, Synthetic, arms, of_day
from testbed.synthetic.camera import View
from testbed.synthetic.people.identity import numbered
from testbed.synthetic.scenes.scene import Scene, scene
from testbed.synthetic.visits import Visit, visits

Place = npt.NDArray[np.float64]
"""`(3,)` metres."""

LONGEST = 50_000
"""Frames of a clip."""
FACE_HEIGHT = 1.60
"""Metres: where a camera looks that is aimed at whoever stands on a scene's spot."""
SPEED = 0.65
"""Metres a second: nobody walks more slowly."""


@dataclass(frozen=True)
class Clip:
    """What is filmed: a camera as it is in an arm, on a day, scene and light filled in. name is that of its files; seed
    the scenario's.
    """

    name: str
    camera: FilmedCamera
    arm: Arm
    seed: int
    day: int = 1

    @property
    def place(self) -> Scene:
        """Where the camera hangs, lit as it is."""
        return scene(str(self.camera.scene), str(self.camera.light))

    def numbered(self, what: str) -> int:
        """A seed that is the same in every arm: arms differ in their cause alone."""
        return numbered(self.seed, f"camera/{of_day(self.camera.name, self.day)}/{what}") % (1 << 32)

    def visits(self, synthetic: Synthetic, people: int) -> Sequence[Visit]:
        """Who comes by: the same for all cameras of a scene, and in all arms."""
        return visits(synthetic, self.place, people, self.seed, self.camera.fps, self.day)

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
            placed = camera.model_copy(update=places)
            made += [
                Clip(arm.name or of_day(camera.name, day), placed, arm, seed, day)
                for day in range(1, synthetic.days + 1)
            ]
            hung(made[-1])
    return made


def hung(clip: Clip) -> tuple[View, Place]:
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
