"""A station passage, 4 m wide and 4.2 m high, tiled, with posters; a glazed lobby at its far end."""

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

HIGH = 4.2
LAMPS = ((0.0, 1.0), (0.0, -3.0), (0.0, -7.0), (0.0, -11.0))
"""Where the ceiling lamps hang (x, z); the first and the third burn at night too."""
ABOVE = HIGH + 0.1
"""Lamps just above the ceiling light all but it."""

LIGHTINGS = {
    "daylight": lit(500, afar((0.3, 0.8, 0.6), 0.8, COOL), *lamps(LAMPS, ABOVE, 1.3), above=0.51, below=0.29),
    "mixed": lit(300, afar((0.9, 0.65, 0.35), 0.9, COOL), *lamps(LAMPS, ABOVE, 7, WARM), above=0.30, below=0.16),
    "backlight": lit(60, afar((0.06, 0.42, -1), 5, COOL), above=1.05, below=0.83),
    "night": lit(4, afar((0.2, 1, 0.3), 0.3, WARM), *lamps(LAMPS[::2], ABOVE, 18, WARM), above=0.13, below=0.08),
    "infrared": INFRARED,
}
SHINE = {
    "daylight": {"sky": 3.0, "out": 1.6, "lamp": 3.0, "other lamp": 3.0},
    "mixed": {"sky": 1.2, "out": 0.7, "lamp": 5.0, "other lamp": 5.0},
    "backlight": {"sky": 9.0, "out": 10.0, "lamp": 2.0, "other lamp": 2.0},
    "night": {"sky": 0.02, "out": 0.06, "lamp": 25.0, "other lamp": 0.05},
    "infrared": {"sky": 0.003, "out": 0.006, "lamp": 0.01, "other lamp": 0.01},
}
"""How brightly what does not depend on the light in the passage shows, a white surface of it."""
MOUNTS = {
    "ceiling": Mount((0.3, 2.2), 2.75, 2.0, 13.0, 52.0),
    "wall": Mount((-1.85, 2.6), 1.65, -17.0, 1.0, 45.0),
    "steep": Mount((0.0, 0.4), 3.4, 0.0, 36.0, 62.0),
}
PATHS = {
    "left": ((-4.6, -14.6), (-1.2, -14.4), (-0.75, -12.0), (-0.6, -3.0), (-0.7, 3.6)),
    "right": ((4.6, -14.4), (1.1, -14.2), (0.6, -12.0), (0.55, -4.0), (0.7, 3.6)),
    "crossing": ((4.6, -15.0), (1.3, -14.6), (1.1, -11.0), (-0.9, -2.5), (-1.0, 3.6)),
    "back": ((1.35, 3.6), (1.4, -3.0), (1.3, -13.6), (4.6, -13.9)),
}
SOLIDS = (
    Solid("the floor", (-8, -1, -17), (8, 0, 4)),
    Solid("the ceiling", (-8, HIGH, -17), (8, 5.2, 4)),
    Solid("the left wall", (-8, 0, -13), (-2, HIGH, 4)),
    Solid("the right wall", (2, 0, -13), (8, HIGH, 4)),
    Solid("the near wall", (-2, 0, 3.9), (2, HIGH, 5)),
    Solid("the beam", (-2, 3.35, -13), (2, HIGH, -12.6)),
    Solid("the far window", (-8, 0, -17), (8, HIGH, -16.9), clear=True),
    Solid("the hanging sign", (-1.1, 2.95, -11.1), (1.1, 3.4, -10.9)),
    Solid("the bin", (-1.98, 0, -9.3), (-1.56, 0.9, -8.9)),
    Solid("the cabinet", (1.72, 0, -6.0), (2, 1.5, -5.4)),
)


@cache
def paints() -> dict[str, Paint]:
    """Everything's textures."""
    terrazzo = textures.stone((150, 146, 138), [(96, 92, 88), (188, 184, 176), (124, 100, 84)], 11)
    return {
        "floor": Paint(textures.tiles(2, 2, (0, 0, 0), (92, 88, 82), 12, 0.016, 4, ground=terrazzo), (1.2, 1.2), 0.16),
        "tiles": Paint(textures.tiles(12, 6, (206, 205, 194), (138, 134, 124), 13, 0.06, 3, True), (0.9, 0.9), 0.2),
        "band": Paint(textures.tiles(2, 4, (52, 92, 104), (120, 122, 116), 14, 0.05, 4, size=256), (0.6, 0.3), 0.22),
        "plaster": Paint(textures.plaster((178, 174, 162), 15), (3, 3)),
        "ceiling": Paint(textures.grid((186, 184, 176), (118, 116, 110), 2, 0.03, 16), (1.2, 1.2)),
        "dark": Paint(textures.metal((58, 60, 62), 17), (0.8, 0.8), 0.15),
        "steel": Paint(textures.metal((150, 152, 152), 18), (0.8, 0.8), 0.25),
        "lamp": Paint(textures.plain((252, 252, 248))),
        "red": Paint(textures.plain((150, 30, 26)), None, 0.2),
        "sign": Paint(textures.plain((28, 56, 112)), None, 0.1),
        "yellow": Paint(textures.tiles(4, 4, (196, 160, 52), (150, 120, 40), 19, 0.2, 3, size=128), (0.4, 0.4)),
        "sky": Paint(textures.clouds((214, 226, 240), (244, 246, 248), 20)),
        "paving": Paint(textures.tiles(4, 4, (150, 148, 142), (110, 108, 104), 21, size=256), (2.4, 2.4)),
        "poster": Paint(textures.poster(22), None, 0.12), "poster 2": Paint(textures.poster(25), None, 0.12),
        "poster 3": Paint(textures.poster(31), None, 0.12),
    }  # fmt: skip


@cache
def panels() -> tuple[Panel, ...]:
    """The passage and its lobby."""
    built: list[Panel] = []
    built += [rectangle((-8, 0, 4), (16, 0, 0), (0, 0, -21), "floor", 0.8)]
    built += [rectangle((-8, HIGH, -17), (16, 0, 0), (0, 0, 21), "ceiling", 1.2)]
    for side, face in ((-2.0, "X"), (2.0, "x")):
        low, high = (side - 0.3, side) if face == "X" else (side, side + 0.3)
        built += box((low, 0.15, -13), (high, 1.15, 4), "tiles", face, 0.8)
        built += box((low, 1.15, -13), (high, 1.45, 4), "band", face, 0.8)
        built += box((low, 1.45, -13), (high, 3.0, 4), "tiles", face, 0.8)
        built += box((low, 3.0, -13), (high, HIGH, 4), "plaster", face, 0.8)
        out = 0.02 if face == "X" else -0.02
        built += box((low + out, 0, -13), (high + out, 0.15, 4), "dark", face + "Y", 0.8)
        built += box((low + 2 * out, 3.0, -13), (high + 2 * out, 3.06, 4), "steel", face + "yY", 1.5)
    for left in (-8, 2):  # seen from the lobby
        built += box((left, 0, -13), (left + 6, HIGH, -12.7), "plaster", "z", 1.2)
    built += box((-2, 3.35, -13), (2, HIGH, -12.6), "plaster", "zZy", 0.8)
    built += box((-2, 0, 3.9), (2, HIGH, 4.4), "plaster", "z", 1.2)
    for z, name in ((-1.2, "poster"), (-4.2, "poster 2"), (-10.0, "poster 3")):
        built += box((-2, 1.0, z - 0.65), (-1.95, 2.75, z + 0.65), "dark", X=name)
    for z, name in ((-0.2, "poster 3"), (-3.4, "poster"), (-8.6, "poster 2")):
        built += box((1.95, 1.0, z - 0.65), (2, 2.75, z + 0.65), "dark", x=name)
    for row, (_, z) in enumerate(LAMPS):
        lamp = "lamp" if row % 2 == 0 else "other lamp"
        built += box((-0.12, HIGH - 0.09, z - 0.75), (0.12, HIGH, z + 0.75), "lamp", "xXyzZ", lit=lamp)
    built += box((-1.1, 2.95, -11.1), (1.1, 3.4, -10.9), "sign", Z="sign", y="dark")
    for x in (-0.9, 0.9):
        built += pillar((x, -11.0), 0.02, 3.4, HIGH, "steel", 6)
    built += box((-0.95, 3.05, -10.9), (-0.65, 3.3, -10.89), "lamp", "Z", lit="lamp")
    built += box((-1.98, 0, -9.3), (-1.56, 0.9, -8.9), "steel", "xXYzZ", Y="dark")
    built += box((1.72, 0.1, -6.0), (2, 1.5, -5.4), "steel", "xYzZ", 0.7)
    built += box((1.88, 1.0, -7.3), (2, 1.75, -6.9), "red", "xyYzZ")
    built += box((-1.99, 2.2, -6.4), (-1.75, 2.4, -6.2), "dark")  # a loudspeaker
    built += [rectangle((-1.5, 0.004, 4), (0.4, 0, 0), (0, 0, -17), "yellow", 1.0)]
    for x in np.arange(-8, 8.1, 1.6):  # the far window
        built += box((x - 0.05, 0, -17), (x + 0.05, HIGH, -16.9), "dark", "xXZ", 1.5)
    for y, thick in ((0.0, 0.35), (2.5, 0.09), (HIGH - 0.2, 0.2)):
        built += box((-8, y, -17), (8, y + thick, -16.92), "dark", "yYZ", 1.5)
    for x, face in ((-8.0, "X"), (8.0, "x")):
        built += box((x - 0.1, 0, -17), (x + 0.1, HIGH, -13), "plaster", face, 1.2)
    built += [rectangle((-90, -0.02, -17), (180, 0, 0), (0, 0, -75), "paving", 25, "out")]
    built += box((-60, 0, -60.5), (60, 7, -60), "plaster", "Z", 20, "out")
    return (*built, *sky())


def built(light: str) -> Scene:
    """The passage under that light."""
    lighting = LIGHTINGS[light]
    made = mesh(panels(), paints(), SOLIDS, lighting, SHINE[light])
    return Scene(
        "corridor", (made,), materials(paints), (SHINE[light]["sky"],) * 3,
        {name: np.array(points) for name, points in PATHS.items()}, (-0.2, -3.0), 0.0, MOUNTS, LIGHTINGS, SOLIDS,
        ((-8, 0, -17), (8, HIGH, 4)), ((-5, -16.5), (5, 3.8)),
    )  # fmt: skip
