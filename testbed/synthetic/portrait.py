"""A photograph of a made-up person: straight from before them, in a bright room, without any camera's faults."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kernels.raster import Camera, Light, Lights, look_at, render, srgb
from testbed.synthetic.people.person import Person, Pose, Posed

SIZE = (180, 216)
"""Pixels."""
ROOM = Lights(
    (Light((0.5, 0.8, 1.0), (1.0, 0.97, 0.93), 1.05, shadows=True), Light((-0.8, 0.3, 0.6), (0.9, 0.95, 1.0), 0.35)),
    above=(0.50, 0.52, 0.55), below=(0.26, 0.24, 0.23),
)  # fmt: skip
"""A lamp from the upper left, a weaker one from the right, and a bright room."""
BEHIND = 0.30


def portrait(
    person: Person,
    pose: Pose = Pose(),
    eyes: float = 40,
    size: tuple[int, int] = SIZE,
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float64]]:
    """A picture of a face from straight before it, with so many pixels between the eyes, `(h, w, 3)`.

    Also where its landmarks are, `(5, 2)` pixels: left eye, right eye, nose, left and right corner of the mouth.
    """
    posed = person.posed(pose)
    camera = before(posed, eyes, size)
    drawn = render([posed.mesh], person.materials, camera, ROOM)
    picture = np.where((drawn.identity >= 0)[..., None], drawn.colour, BEHIND)
    marks = posed.landmarks
    places = [marks.left_eye, marks.right_eye, marks.nose, marks.left_mouth, marks.right_mouth]
    return srgb(picture), camera.project(np.stack(places))[:, :2]


def before(posed: Posed, eyes: float, size: tuple[int, int]) -> Camera:
    """A camera two and a half metres before a person who faces +z, at the height of the eyes."""
    left, right = posed.landmarks.left_eye, posed.landmarks.right_eye
    middle = (left + right) / 2 - np.array([0, 0.02, 0])
    focal = eyes * 2.5 / float(np.linalg.norm(left - right))
    eye = middle + np.array([0, 0, 2.5])
    return Camera((focal, focal), (size[0] / 2, size[1] / 2), look_at(eye, middle), eye, *size)
