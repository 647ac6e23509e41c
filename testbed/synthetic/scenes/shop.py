"""A shop, 7 m wide, with a glass front that people come in by; shelves and a counter hide them to the shoulders."""

from __future__ import annotations

from functools import cache

import numpy as np

from testbed.synthetic.scenes import textures
from testbed.synthetic.scenes.building import (
    COOL,
    INFRARED,
    WARM,
    Paint,
    Panel,
    afar,
    box,
    lamps,
    lit,
    materials,
    mesh,
    rectangle,
    sky,
)
from testbed.synthetic.scenes.scene import Mount, Scene, Solid

HIGH = 3.6
LAMPS = ((-0.4, 0.4), (-1.8, -3.4), (1.6, -3.4), (-0.4, -7.2))
"""Where the ceiling lamps hang (x, z); the first burns at night too."""
ABOVE = HIGH + 0.1
"""Lamps just above the ceiling light all but it."""

LIGHTINGS = {
    "daylight": lit(500, afar((0.25, 0.85, 0.55), 0.75), *lamps(LAMPS, ABOVE, 1.2), above=0.46, below=0.26),
    "mixed": lit(300, afar((-0.75, 0.55, -0.6), 1.2, COOL), *lamps(LAMPS, ABOVE, 4.5, WARM), above=0.60, below=0.35),
    "backlight": lit(80, afar((0.14, 0.5, -1), 5, COOL), above=1.05, below=0.83),
    "night": lit(3, afar((0.1, 1, 0.35), 0.3, WARM), *lamps(LAMPS[:1], ABOVE, 19, WARM), above=0.15, below=0.09),
    "infrared": INFRARED,
}
SHINE = {
    "daylight": {"sky": 3.0, "out": 1.8, "lamp": 3.0, "other lamp": 3.0},
    "mixed": {"sky": 2.4, "out": 1.6, "lamp": 4.0, "other lamp": 4.0},
    "backlight": {"sky": 9.0, "out": 12.0, "lamp": 1.5, "other lamp": 1.5},
    "night": {"sky": 0.03, "out": 0.12, "lamp": 25.0, "other lamp": 0.05},
    "infrared": {"sky": 0.003, "out": 0.012, "lamp": 0.01, "other lamp": 0.01},
}
"""How brightly what does not depend on the light in the shop shows, a white surface of it."""
MOUNTS = {
    "ceiling": Mount((0.5, 1.6), 2.8, 8.0, 14.0, 58.0),
    "counter": Mount((1.9, -0.6), 1.6, 33.0, 1.0, 52.0),
    "steep": Mount((-0.4, -0.6), 3.3, 0.0, 42.0, 70.0),
}
PATHS = {
    "in": ((-6.2, -10.6), (-1.6, -10.4), (-0.1, -9.6), (-0.1, -8.4), (-0.5, -5.5), (-0.4, 2.1)),
    "right aisle": (
        (6.2, -10.8), (1.4, -10.4), (0.2, -9.7), (0.2, -8.3), (2.3, -7.6), (2.3, -2.6), (0.4, -2.2), (0.2, 2.1)
    ),
    "left aisle": ((-6.2, -11.0), (0.0, -9.8), (0.0, -8.0), (-2.55, -6.4), (-2.5, -1.9), (-0.9, -0.6), (-0.9, 2.1)),
    "out": ((0.1, 2.1), (0.1, -6.5), (0.3, -8.2), (0.3, -9.7), (6.2, -10.4)),
}  # fmt: skip
SOLIDS = (
    Solid("the floor", (-8, -1, -12), (8, 0, 2.5)),
    Solid("the ceiling", (-3.5, HIGH, -9.1), (3.5, 4.6, 2.5)),
    Solid("the left wall", (-8, 0, -9.1), (-3.5, HIGH, 2.5)),
    Solid("the right wall", (3.5, 0, -9.1), (8, HIGH, 2.5)),
    Solid("the near wall", (-3.5, 0, 2.4), (3.5, HIGH, 3.5)),
    Solid("the glass front", (-3.5, 0, -9.1), (-0.75, 2.9, -9.0), clear=True),
    Solid("the glass front", (0.75, 0, -9.1), (3.5, 2.9, -9.0), clear=True),
    Solid("the lintel", (-3.5, 2.9, -9.1), (3.5, HIGH, -8.9)),
    Solid("the left shelf", (-3.5, 0, -8.2), (-3.05, 2.1, -0.6)),
    Solid("the right shelf", (3.05, 0, -8.2), (3.5, 2.1, -2.0)),
    Solid("the middle shelf", (0.8, 0, -7.0), (1.6, 1.45, -3.2)),
    Solid("the low shelf", (-2.2, 0, -5.6), (-1.5, 1.4, -2.6)),
    Solid("the counter", (0.9, 0, -1.9), (3.5, 1.2, -1.2)),
)


@cache
def paints() -> dict[str, Paint]:
    """Everything's textures."""
    lino = textures.stone((168, 162, 150), [(138, 132, 122), (192, 188, 178)], 71)
    return {
        "floor": Paint(textures.tiles(4, 4, (0, 0, 0), (140, 134, 124), 72, 0.01, 3, False, lino), (1.6, 1.6), 0.25),
        "plaster": Paint(textures.plaster((196, 190, 176), 73), (3, 3)),
        "ceiling": Paint(textures.grid((196, 195, 190), (150, 150, 148), 2, 0.03, 74), (1.2, 1.2)),
        "dark": Paint(textures.metal((60, 60, 62), 75), (0.8, 0.8), 0.15),
        "steel": Paint(textures.metal((168, 170, 172), 76), (0.9, 0.9), 0.25),
        "wood": Paint(textures.metal((138, 104, 70), 77), (0.7, 0.7), 0.12),
        "tall goods": Paint(textures.products(78, 5, bold=0.45), (1.9, 2.1)),
        "low goods": Paint(textures.products(81, 4, bold=0.5), (1.7, 1.45)),
        "top goods": Paint(textures.plaster((108, 106, 102), 79, 6, 6, 128), (0.8, 0.8)),
        "lamp": Paint(textures.plain((252, 252, 248))),
        "red": Paint(textures.plain((156, 38, 34)), None, 0.15),
        "blue": Paint(textures.plain((40, 76, 120)), None, 0.15),
        "poster": Paint(textures.poster(82), None, 0.1), "poster 2": Paint(textures.poster(87), None, 0.1),
        "mat": Paint(textures.plaster((62, 60, 58), 83, 8, 3, 128), (0.6, 0.6)),
        "sky": Paint(textures.clouds((206, 220, 238), (244, 246, 248), 84)),
        "paving": Paint(textures.tiles(4, 4, (158, 156, 150), (118, 116, 110), 85, size=256), (2.4, 2.4)),
        "asphalt": Paint(textures.stone((86, 86, 88), [(120, 120, 120)], 86, size=256), (2, 2)),
        "house": Paint(textures.tiles(3, 4, (66, 72, 78), (168, 150, 134), 88, 0.5, 8, size=256), (9, 8)),
    }  # fmt: skip


@cache
def panels() -> tuple[tuple[Panel, ...], tuple[Panel, ...]]:
    """The shop, and what stands in it, which throws shadows."""
    built: list[Panel] = [rectangle((-3.5, 0, 2.5), (7, 0, 0), (0, 0, -11.6), "floor", 0.6)]
    built += [rectangle((-3.5, HIGH, -9.1), (7, 0, 0), (0, 0, 11.6), "ceiling", 1.2)]
    built += box((-3.8, 0, -9.1), (-3.5, HIGH, 2.5), "plaster", "Xz", 0.9)
    built += box((3.5, 0, -9.1), (3.8, HIGH, 2.5), "plaster", "xz", 0.9)
    built += box((-3.5, 0, 2.4), (3.5, HIGH, 2.6), "plaster", "z", 1.2)
    for low in (-8.0, 3.5):
        built += box((low, 0, -9.1), (low + 4.5, HIGH, -8.9), "plaster", "z", 2)
    built += box((-3.5, 2.9, -9.1), (3.5, HIGH, -8.9), "plaster", "yzZ", 0.9)
    built += box((-3.4, 2.95, -8.9), (3.4, 3.3, -8.86), "blue", "Zy", 2)
    for x in (-3.46, -2.1, -0.78, 0.78, 2.1, 3.46):
        built += box((x - 0.035, 0, -9.09), (x + 0.035, 2.9, -9.0), "steel", "xXZz", 1)
    for left, right in ((-3.5, -0.75), (0.75, 3.5)):
        built += box((left, 0, -9.09), (right, 0.3, -9.0), "steel", "YZz", 1)
        built += box((left, 2.1, -9.07), (right, 2.16, -9.01), "steel", "yYZz", 1)
    built += box((-3.3, 0.5, -9.0), (-2.3, 1.9, -8.98), "poster 2", "Z")
    built += box((-0.75, 0, -8.15), (-0.70, 2.25, -8.1), "steel", "xXZz")
    # the door, open
    built += box((-0.75, 2.18, -9.0), (-0.70, 2.25, -8.1), "steel", "xXyY")
    built += box((-0.75, 0.0, -9.0), (-0.70, 0.15, -8.1), "steel", "xXY")
    built += [rectangle((-0.7, 0.006, -7.6), (1.4, 0, 0), (0, 0, -1.2), "mat")]
    for row, (x, z) in enumerate(LAMPS):
        lamp = "other lamp" if row else "lamp"
        built += box((x - 0.3, HIGH - 0.03, z - 0.6), (x + 0.3, HIGH, z + 0.6), "lamp", "xXyzZ", lit=lamp)
    for z in (-0.1, 1.2):
        built += box((3.44, 1.2, z - 0.45), (3.5, 2.5, z + 0.45), "dark", "x", 2, x="poster")
    built += box((3.1, 1.0, -8.9), (3.5, 2.0, -8.4), "dark", "xZzYy", 1)
    built += box((-3.5, 2.5, -7.0), (-3.46, 3.2, -1.5), "red", "XyYzZ", 2)
    built += box((3.46, 2.5, -7.5), (3.5, 3.2, -2.4), "blue", "xyYzZ", 2)
    built += [rectangle((-90, -0.01, -9.1), (180, 0, 0), (0, 0, -3.4), "paving", 20, "out")]
    built += [rectangle((-90, -0.12, -12.5), (180, 0, 0), (0, 0, -7.5), "asphalt", 20, "out")]
    built += [rectangle((-90, -0.12, -20.0), (180, 0, 0), (0, 0.11, 0), "paving", 20, "out")]
    built += [rectangle((-90, -0.01, -20.0), (180, 0, 0), (0, 0, -90), "paving", 40, "out")]
    for left, right, high in ((-60, -9, 9), (-8, 5, 7), (6, 60, 11)):
        built += box((left, 0, -36), (right, high, -24), "house", "xXZ", 20, "out")

    goods: list[Panel] = []
    goods += box((-3.5, 0, -8.2), (-3.05, 2.1, -0.6), "steel", "zZ", 0.9)
    goods += box((-3.5, 0, -8.2), (-3.05, 2.1, -0.6), "tall goods", "XY", 0.8, Y="top goods")
    goods += box((3.05, 0, -8.2), (3.5, 2.1, -2.0), "tall goods", "xYzZ", 0.8, Y="top goods", z="steel", Z="steel")
    goods += box((0.8, 0, -7.0), (1.6, 1.45, -3.2), "low goods", "xXYzZ", 0.8, Y="top goods")
    goods += box((-2.2, 0, -5.6), (-1.5, 1.4, -2.6), "low goods", "xXYzZ", 0.8, Y="top goods")
    goods += box((0.9, 0, -1.9), (3.5, 1.1, -1.2), "wood", "xzZ", 0.7)
    goods += box((0.86, 1.1, -1.94), (3.5, 1.2, -1.16), "steel", "xyYzZ", 0.7)
    goods += box((2.3, 1.2, -1.75), (2.7, 1.55, -1.4), "dark")  # the till
    goods += box((1.3, 1.2, -1.8), (1.48, 1.32, -1.6), "dark")
    goods += box((-1.45, 0, -7.6), (-1.05, 0.55, -7.2), "blue", "xXYzZ")  # baskets
    return (*built, *sky()), tuple(goods)


def built(light: str) -> Scene:
    """The shop under that light."""
    lighting, shine = LIGHTINGS[light], SHINE[light]
    room, goods = panels()
    meshes = mesh(room, paints(), SOLIDS, lighting, shine), mesh(goods, paints(), SOLIDS, lighting, shine, casts=True)
    return Scene(
        "shop", meshes, materials(paints), (shine["sky"],) * 3,
        {name: np.array(points) for name, points in PATHS.items()},
        (-0.4, -4.2), 0.0, MOUNTS, LIGHTINGS, SOLIDS, ((-8, 0, -12), (8, HIGH, 2.5)), ((-7, -11.8), (7, 2.3)),
    )  # fmt: skip
