"""A station hall, 14 m wide and 6 m high, where people funnel through three gaps between ticket gates."""

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
    pillar,
    rectangle,
    sky,
)
from testbed.synthetic.scenes.scene import Mount, Scene, Solid

HIGH = 6.0
LAMPS = ((-3.5, 2.0), (3.5, 2.0), (-3.5, -8.0), (3.5, -8.0))
"""Where the ceiling lamps hang (x, z); the first and the last burn at night too."""
GATES = (-1.68, -0.56, 0.56, 1.68)
"""The middle of each cabinet (x); gaps are 0.84 m wide."""
ABOVE = HIGH + 0.1
"""Lamps just above the ceiling light all but it."""

LIGHTINGS = {
    "daylight": lit(500, afar((-0.35, 0.8, 0.6), 0.85, COOL), *lamps(LAMPS, ABOVE, 2.5), above=0.45, below=0.25),
    "mixed": lit(300, afar((0.9, 0.6, 0.4), 0.9, COOL), *lamps(LAMPS, ABOVE, 15, WARM), above=0.30, below=0.17),
    "backlight": lit(80, afar((-0.12, 0.42, -1), 5, COOL), above=1.05, below=0.83),
    "night": lit(5, afar((0.25, 1, 0.35), 0.35, WARM), *lamps(LAMPS[::3], ABOVE, 52, WARM), above=0.15, below=0.09),
    "infrared": INFRARED,
}
SHINE = {
    "daylight": {"sky": 2.6, "out": 1.6, "lamp": 3.0, "other lamp": 3.0, "sign": 1.2},
    "mixed": {"sky": 1.1, "out": 0.7, "lamp": 5.0, "other lamp": 5.0, "sign": 1.6},
    "backlight": {"sky": 9.0, "out": 5.0, "lamp": 2.0, "other lamp": 2.0, "sign": 3.0},
    "night": {"sky": 0.02, "out": 0.08, "lamp": 25.0, "other lamp": 0.05, "sign": 1.6},
    "infrared": {"sky": 0.003, "out": 0.006, "lamp": 0.01, "other lamp": 0.01, "sign": 0.05},
}
"""How brightly what does not depend on the light in the hall shows, a white surface of it."""
MOUNTS = {
    "ceiling": Mount((0.4, 4.0), 2.95, 3.0, 10.5, 50.0),
    "column": Mount((2.4, 2.6), 1.65, 24.0, 1.0, 48.0),
    "steep": Mount((0.0, 1.6), 3.9, 0.0, 40.0, 60.0),
}
PATHS = {
    "left": ((-8.6, -14.0), (-6.0, -13.8), (-1.7, -8.0), (-1.12, -5.2), (-1.12, -1.6), (-0.8, 5.5)),
    "middle": ((-8.6, -14.6), (-5.0, -14.2), (-0.5, -8.5), (0.0, -5.2), (0.0, -1.6), (0.2, 5.5)),
    "right": ((8.6, -14.2), (6.0, -13.6), (1.9, -8.0), (1.12, -5.2), (1.12, -1.6), (0.9, 5.5)),
    "crossing": ((6.2, 0.4), (2.4, -0.3), (-2.6, -0.4), (-6.2, 0.6)),
}
SOLIDS = (
    Solid("the floor", (-10, -1, -16), (10, 0, 6)),
    Solid("the ceiling", (-10, HIGH, -16), (10, 7, 6)),
    Solid("the left wall", (-10, 0, -12), (-7, HIGH, 6)),
    Solid("the right wall", (7, 0, -12), (10, HIGH, 6)),
    Solid("the near wall", (-7, 0, 5.9), (7, HIGH, 7)),
    Solid("the far window", (-10, 0, -16), (10, HIGH, -15.9), clear=True),
    Solid("the left column", (-4.3, 0, -8.3), (-3.7, HIGH, -7.7)),
    Solid("the right column", (3.7, 0, -8.3), (4.3, HIGH, -7.7)),
    *(Solid(f"gate {row + 1}", (x - 0.14, 0, -4.3), (x + 0.14, 1.05, -2.5)) for row, x in enumerate(GATES)),
    Solid("the left fence", (-7, 0, -3.45), (-1.82, 1.2, -3.35)),
    Solid("the right fence", (1.82, 0, -3.45), (7, 1.2, -3.35)),
    Solid("the board", (-1.6, 2.95, -6.6), (1.6, 3.8, -6.4)),
    Solid("the ticket machine", (-7, 0, -2.2), (-6.3, 1.9, -1.2)),
    Solid("the second ticket machine", (-7, 0, -0.9), (-6.3, 1.9, 0.1)),
    Solid("the bin", (5.2, 0, -2.9), (5.7, 0.95, -2.4)),
)


@cache
def paints() -> dict[str, Paint]:
    """Everything's textures."""
    granite = textures.stone((142, 142, 142), [(88, 88, 90), (186, 184, 180), (116, 110, 104)], 41)
    return {
        "floor": Paint(textures.tiles(2, 2, (0, 0, 0), (96, 95, 92), 42, 0.01, 3, ground=granite), (1.8, 1.8), 0.2),
        "concrete": Paint(textures.tiles(2, 1, (158, 155, 148), (112, 110, 105), 43, 0.012, 3), (2.4, 2.4)),
        "cladding": Paint(textures.tiles(2, 4, (186, 182, 168), (120, 116, 108), 44, 0.012, 3), (2.4, 2.4), 0.1),
        "ceiling": Paint(textures.grid((150, 150, 148), (84, 84, 82), 4, 0.08, 45), (2.4, 2.4)),
        "dark": Paint(textures.metal((52, 54, 57), 46), (0.8, 0.8), 0.15),
        "steel": Paint(textures.metal((156, 158, 160), 47), (0.9, 0.9), 0.3),
        "glass": Paint(textures.plaster((112, 128, 130), 48, 1, 3, 128), (2, 2), 0.4),
        "lamp": Paint(textures.plain((252, 252, 248))),
        "green": Paint(textures.plain((60, 210, 110))), "red": Paint(textures.plain((220, 50, 40))),
        "board": Paint(textures.board(49)),
        "screen": Paint(textures.poster(63, 192, 256)),
        "orange": Paint(textures.plain((206, 108, 40)), None, 0.1),
        "poster": Paint(textures.poster(52), None, 0.1), "poster 2": Paint(textures.poster(57), None, 0.1),
        "yellow": Paint(textures.tiles(4, 4, (190, 156, 56), (146, 118, 40), 53, 0.2, 3, size=128), (0.4, 0.4)),
        "sky": Paint(textures.clouds((206, 220, 238), (244, 246, 248), 54)),
        "paving": Paint(textures.tiles(4, 4, (150, 148, 142), (110, 108, 104), 55, size=256), (2.4, 2.4)),
        "house": Paint(textures.tiles(3, 4, (60, 66, 72), (150, 142, 132), 56, 0.5, 8, size=256), (12, 9)),
    }  # fmt: skip


@cache
def panels() -> tuple[tuple[Panel, ...], tuple[Panel, ...]]:
    """The hall, and the gates, which throw shadows."""
    built: list[Panel] = [rectangle((-10, 0, 6), (20, 0, 0), (0, 0, -22), "floor", 0.9)]
    built += [rectangle((-10, HIGH, -16), (20, 0, 0), (0, 0, 22), "ceiling", 2)]
    for x, face, low, high in ((-7.0, "X", -7.3, -7.0), (7.0, "x", 7.0, 7.3)):
        built += box((low, 0.2, -12), (high, 3.2, 6), "cladding", face, 1.2)
        built += box((low, 3.2, -12), (high, HIGH, 6), "concrete", face, 1.2)
        off = 0.02 if x < 0 else -0.02
        built += box((low + off, 0, -12), (high + off, 0.2, 6), "dark", face + "Y", 1.2)
        built += box((low + 2 * off, 3.15, -12), (high + 2 * off, 3.25, 6), "dark", face + "yY", 2)
    for x, face in ((-10.0, "X"), (10.0, "x")):
        built += box((x - 0.1, 0, -16), (x + 0.1, HIGH, -12), "cladding", face, 1.5)
    for low in (-10.0, 7.0):
        built += box((low, 0, -12), (low + 3, HIGH, -11.7), "concrete", "z", 1.5)
    built += box((-7, 0, 5.9), (7, HIGH, 6.4), "concrete", "z", 2)
    for x in (-4.0, 4.0):
        built += box((x - 0.3, 0.25, -8.3), (x + 0.3, HIGH, -7.7), "concrete", "xXzZ", 0.8)
        built += box((x - 0.33, 0, -8.33), (x + 0.33, 0.25, -7.67), "dark", "xXzZY")
        built += box((x - 0.2, 1.1, -7.7), (x + 0.2, 1.9, -7.67), "dark", "xXyYZ", Z="poster")
    for z in (-14.0, -10.0, -6.0, -2.0, 2.0):  # beams
        built += box(
            (-10 if z < -12 else -7, 5.45, z - 0.2), (10 if z < -12 else 7, HIGH, z + 0.2), "concrete", "yzZ", 2
        )
    for row, (x, z) in enumerate(LAMPS):
        lamp = "lamp" if row % 3 == 0 else "other lamp"
        for along in (-1.3, 1.3):
            built += box((x - 0.15, 5.4, z + along - 0.9), (x + 0.15, 5.46, z + along + 0.9), "lamp", "xXyzZ", lit=lamp)
    built += box((-1.6, 2.95, -6.6), (1.6, 3.8, -6.4), "dark", "xXyYz")
    built += [rectangle((-1.6, 2.95, -6.4), (3.2, 0, 0), (0, 0.85, 0), "board", 4, "sign")]
    for x in (-1.2, 1.2):
        built += pillar((x, -6.5), 0.03, 3.8, HIGH, "dark", 6)
    for x, face in ((-7.0, "X"), (7.0, "x")):
        for z, name in ((-9.5, "poster"), (-5.6, "poster 2"), (3.2, "poster")):
            low, high = sorted((x, x + (0.06 if x < 0 else -0.06)))
            built += box((low, 1.0, z - 0.7), (high, 2.9, z + 0.7), "dark", face + "yYzZ", 2, **{face: name})
    for z in (-2.2, -0.9):
        built += box((-7, 0, z), (-6.3, 1.9, z + 1), "steel", "YzZX", 0.8)
        built += box((-6.3, 1.5, z), (-6.27, 1.9, z + 1), "orange", "XyzZ")
        built += [rectangle((-6.29, 1.0, z + 0.85), (0, 0, -0.7), (0, 0.42, 0), "screen", 1, "sign")]
    built += box((5.2, 0, -2.9), (5.7, 0.95, -2.4), "dark", "xXzZ", Y="steel")
    built += [rectangle((-7, 0.004, -1.2), (14, 0, 0), (0, 0, -0.4), "yellow", 1)]
    for x in np.arange(-10, 10.1, 2.0):  # the far window
        built += box((x - 0.06, 0, -16), (x + 0.06, HIGH, -15.85), "dark", "xXZ", 2)
    for y, thick in ((0.0, 0.25), (2.4, 0.12), (4.4, 0.08), (HIGH - 0.3, 0.3)):
        built += box((-10, y, -16), (10, y + thick, -15.88), "dark", "yYZ", 2)
    built += [rectangle((-90, -0.02, -16), (180, 0, 0), (0, 0, -75), "paving", 25, "out")]
    for left, right, high in ((-62, -16, 5.4), (-15, 7, 3.8), (9, 60, 4.8)):
        built += box((left, 0, -88), (right, high, -78), "house", "xXZ", 20, "out")

    gates: list[Panel] = []
    for row, x in enumerate(GATES):
        gates += box((x - 0.14, 0.0, -4.3), (x + 0.14, 0.9, -2.5), "steel", "xXzZ", 0.6)
        gates += box((x - 0.15, 0.9, -4.36), (x + 0.15, 1.05, -2.44), "dark", "xXyYzZ", 0.6, Y="steel")
        gates += box((x - 0.07, 1.055, -2.72), (x + 0.07, 1.07, -2.5), "orange", "YZxX")
        colour = "red" if row == 3 else "green"
        gates += [rectangle((x - 0.05, 0.72, -2.495), (0.1, 0, 0), (0, 0.1, 0), colour, 1, "sign")]
    for start, end in ((-7.0, -1.82), (1.82, 7.0)):
        gates += box((start, 0.12, -3.42), (end, 1.12, -3.38), "glass", "xXzZ", 1)
        gates += box((start, 1.12, -3.45), (end, 1.2, -3.35), "steel", "xXyYzZ", 2)
        for x in np.linspace(start + 0.05, end - 0.05, 5):
            gates += pillar((x, -3.4), 0.035, 0, 1.12, "steel", 6)
    return (*built, *sky()), tuple(gates)


def built(light: str) -> Scene:
    """The hall under that light."""
    lighting, shine = LIGHTINGS[light], SHINE[light]
    hall, gates = panels()
    meshes = (
        mesh(hall, paints(), SOLIDS, lighting, shine), mesh(gates, paints(), SOLIDS, lighting, shine, casts=True)
    )  # fmt: skip
    return Scene(
        "gate", meshes, materials(paints), (shine["sky"],) * 3,
        {name: np.array(points) for name, points in PATHS.items()},
        (0.0, -1.6), 0.0, MOUNTS, LIGHTINGS, SOLIDS, ((-10, 0, -16), (10, HIGH, 6)), ((-9, -15.5), (9, 5.7)),
    )  # fmt: skip
