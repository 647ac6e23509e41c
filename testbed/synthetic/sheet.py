"""A contact sheet of made-up people: faces to look at, with what was declared of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kernels.raster import Camera, Light, Lights, look_at, render, srgb
from testbed.runs.progress import Progress, silent
from testbed.synthetic.people.identity import Identity
from testbed.synthetic.people.person import Person, Pose, Posed
from testbed.synthetic.people.template import Material

ACROSS, MOST = 8, 48
"""Faces in a row, and on a sheet."""
SIZE, LABEL = (180, 216), 40
"""Pixels of a picture, and of the words under it."""
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


def sheet(people: Sequence[Identity], path: Path, table: Path, progress: Progress = silent) -> int:
    """Write a picture of at most 48 people, evenly spread over all, and a CSV of what is declared of everyone.

    Returns how many are on the picture. The CSV has a row for each person, with `picture` (its number there, or
    empty) and `ita` (degrees, measured on the painted skin; empty for those without a picture).
    """
    import polars as pl
    from PIL import Image, ImageDraw

    from testbed.synthetic.people.paint import measured

    shown = np.unique(np.linspace(0, len(people) - 1, min(len(people), MOST)).round().astype(int))
    rows = -(-len(shown) // ACROSS)
    page = Image.new("RGB", (min(len(shown), ACROSS) * SIZE[0], rows * (SIZE[1] + LABEL)), "white")
    pen, angles = ImageDraw.Draw(page), dict[int, float]()
    for number, row in enumerate(shown):
        progress("draw", number, len(shown))
        identity = people[row]
        corner = number % ACROSS * SIZE[0], number // ACROSS * (SIZE[1] + LABEL)
        person = Person(identity)
        page.paste(Image.fromarray(portrait(person)[0]), corner)
        angles[int(row)] = measured(person.materials.textures[Material.SKIN])
        for line, words in enumerate(_words(identity, angles[int(row)])):
            pen.text((corner[0] + 4, corner[1] + SIZE[1] + 2 + 12 * line), words, fill="black")
    progress("draw", len(shown), len(shown))
    page.save(path)
    numbers = {int(row): number + 1 for number, row in enumerate(shown)}
    pl.DataFrame([
        {"person": row, "seed": each.seed, **asdict(each.attributes), "years": round(each.years, 1),
         "picture": numbers.get(row), "ita": round(angles[row], 1) if row in angles else None}
        for row, each in enumerate(people)
    ], infer_schema_length=None).write_csv(table)  # fmt: skip
    return len(shown)


def _words(identity: Identity, angle: float) -> tuple[str, str, str]:
    who = identity.attributes
    worn = [name for name, there in (("glasses", who.glasses), ("mask", who.mask)) if there]
    worn += [level for level in (who.headwear, who.beard) if level != "none"]
    return (
        f"{who.sex} {who.age}  shape {who.family}", f"tone {who.tone}  ITA {angle:.0f}°",
        ", ".join([f"{who.hair} {who.hair_colour}" if who.hair != "bald" else "bald", *worn]),
    )  # fmt: skip
