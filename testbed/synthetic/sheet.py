"""Contact sheets to look at: made-up people with what was declared of each, and scenes under every light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import product
from pathlib import Path

import numpy as np

from testbed.runs.progress import Progress, silent
from testbed.scenario.synthetic import LIGHTS, SCENES, Synthetic
from testbed.synthetic.clips import clips
from testbed.synthetic.film import Shooting
from testbed.synthetic.people.identity import Identity
from testbed.synthetic.people.person import Person
from testbed.synthetic.people.template import Material
from testbed.synthetic.population import population
from testbed.synthetic.portrait import SIZE, portrait

ACROSS, MOST = 8, 48
"""Faces in a row, and on a sheet."""
LABEL = 40
"""Pixels of the words under a picture."""
MOMENTS = {"corridor": (4, 16.0), "gate": (6, 23.0), "street": (6, 24.0), "shop": (4, 17.0)}
"""Of each scene a seed, and seconds: several people are near and look this way."""
STILL = (400, 224)
"""Pixels of a picture of a scene on a sheet; it is filmed half as large again."""


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


def places(path: Path, progress: Progress = silent) -> int:
    """Write a picture of every scene under every light, as its usual camera records it; returns how many."""
    from PIL import Image, ImageDraw

    shots = list(product(SCENES, LIGHTS))
    page = Image.new("RGB", (len(LIGHTS) * STILL[0], len(SCENES) * (STILL[1] + LABEL // 2)), "white")
    pen = ImageDraw.Draw(page)
    for number, (place, light) in enumerate(shots):
        progress("film", number, len(shots))
        synthetic = Synthetic.model_validate({
            "kind": "synthetic", "people": [{"count": 8}], "scene": place, "light": light, "every_s": 1.6,
            "cameras": [{"name": place, "size": [3 * side // 2 for side in STILL], "clock": False}],
        })  # fmt: skip
        seed, seconds = MOMENTS[place]
        (clip,) = clips(synthetic, seed)
        taken = Shooting(synthetic, clip, population([({}, 8)], 8), threads=2).frame(0, seconds)
        assert taken is not None, "a moment at which somebody is there"
        corner = number % len(LIGHTS) * STILL[0], number // len(LIGHTS) * (STILL[1] + LABEL // 2)
        page.paste(Image.fromarray(taken[0]).resize(STILL), corner)
        pen.text((corner[0] + 4, corner[1] + STILL[1] + 3), f"{place}, {light}", fill="black")
    progress("film", len(shots), len(shots))
    page.save(path)
    return len(shots)


def _words(identity: Identity, angle: float) -> tuple[str, str, str]:
    who = identity.attributes
    worn = [name for name, there in (("glasses", who.glasses), ("mask", who.mask)) if there]
    worn += [level for level in (who.headwear, who.beard) if level != "none"]
    return (
        f"{who.sex} {who.age}  shape {who.family}", f"tone {who.tone}  ITA {angle:.0f}°",
        ", ".join([f"{who.hair} {who.hair_colour}" if who.hair != "bald" else "bald", *worn]),
    )  # fmt: skip
