"""A pavement between a row of shops and a road with parked cars; a tree and a lamp post to walk behind."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np

from testbed.synthetic.scenes import textures
from testbed.synthetic.scenes.building import (
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
from testbed.synthetic.scenes.scene import Floats, Mount, Scene, Solid

ROAD = -0.12
"""How far the road lies below the pavement, metres."""
CARS = ((2.0, -9.4, "car"), (2.05, -16.2, "car 2"), (7.6, -7.0, "car 2"), (7.7, -19.5, "car"))
"""Left side and front of each parked car (x, z), and its paint."""
LAMPS = ((1.0, 2.6), (1.0, -6.3), (1.0, -19.0))
"""Where street lamps hang (x, z), 5.3 m high: one behind the usual camera, two before it."""
HOUSES = ((-50.0, -27.0, "render", "dark"), (-27.0, -14.0, "brick", "green"), (-14.0, -4.6, "render", "blue"),
          (-4.6, 8.0, "brick", "green"))  # fmt: skip
"""First and last z of each house on the left, its wall and its shop front."""
TREE, POST = (1.0, -11.0), (1.15, -6.3)


LIGHTINGS = {
    "daylight": lit(10000, afar((0.5, 0.8, 0.5), 1.05, (1.03, 1, 0.95)), above=0.66, below=0.31),
    "mixed": lit(300, afar((0.8, 0.6, 0.35), 0.7), *lamps(LAMPS, 5.3, 13, WARM), above=0.64, below=0.31),
    "backlight": lit(3000, afar((-0.12, 0.45, -1), 5, (1.04, 1, 0.95)), above=1.17, below=0.78),
    "night": lit(5, afar((0.3, 1, 0.4), 0.25, WARM), *lamps(LAMPS, 5.3, 42, WARM), above=0.10, below=0.07),
    "infrared": INFRARED,
}
SHINE = {
    "daylight": {"sky": 1.7, "lamp": 0.6, "shop": 0.5, "far": 0.9},
    "mixed": {"sky": 1.0, "lamp": 3.0, "shop": 1.6, "far": 0.6},
    "backlight": {"sky": 9.0, "lamp": 0.6, "shop": 0.6, "far": 1.8},
    "night": {"sky": 0.015, "lamp": 30.0, "shop": 2.5, "far": 0.10},
    "infrared": {"sky": 0.003, "lamp": 0.02, "shop": 0.05, "far": 0.004},
}
"""How brightly what does not depend on the light in the street shows, a white surface of it."""
MOUNTS = {
    "wall": Mount((-1.5, 3.4), 2.9, -5.0, 10.0, 52.0),
    "pole": Mount((1.1, 3.2), 1.7, 16.0, 1.0, 46.0),
    "steep": Mount((-0.6, 1.6), 4.2, 0.0, 40.0, 60.0),
}
PATHS = {
    "along the shops": ((-1.9, -26.0), (-1.8, -12.0), (-1.1, -6.0), (-0.9, 4.5)),
    "along the kerb": ((0.3, -26.0), (0.2, -12.0), (-0.1, -7.0), (0.1, 4.5)),
    "crossing": ((-1.9, -24.0), (-1.6, -14.0), (0.2, -5.0), (0.4, 4.5)),
    "back": ((-1.6, 4.5), (-1.7, -3.0), (-1.2, -12.0), (-1.2, -26.0)),
}


def _cars() -> list[Solid]:
    return [Solid("a parked car", (x, ROAD, z), (x + 1.75, 1.45, z + 4.4)) for x, z, _ in CARS]


SOLIDS = (
    Solid("the floor", (-2.6, -1, -50), (1.6, 0, 8)),
    Solid("the road", (1.6, -1, -50), (9, ROAD, 8)),
    Solid("the far pavement", (9, -1, -50), (12, 0, 8)),
    Solid("the shops", (-12, 0, -50), (-2.6, 11, 8)),
    Solid("the houses across", (12, 0, -50), (20, 12, 8)),
    *_cars(),
    Solid("the tree", (TREE[0] - 0.17, 0, TREE[1] - 0.17), (TREE[0] + 0.17, 3.4, TREE[1] + 0.17)),
    Solid("the lamp post", (POST[0] - 0.08, 0, POST[1] - 0.08), (POST[0] + 0.08, 5.2, POST[1] + 0.08)),
    Solid("the bin", (0.85, 0, -3.4), (1.3, 1.0, -2.95)),
    Solid("the awning", (-2.6, 2.65, -9.0), (-1.5, 3.15, -5.4)),
    Solid("the cable box", (-2.6, 0, -13.8), (-2.25, 1.25, -13.0)),
)


@cache
def paints() -> dict[str, Paint]:
    """Everything's textures."""
    return {
        "paving": Paint(textures.tiles(4, 2, (150, 146, 138), (102, 99, 94), 101, 0.02, 5, bond=True), (1.8, 1.2)),
        "asphalt": Paint(textures.stone((78, 78, 80), [(112, 112, 112), (54, 54, 56)], 102, 5), (2.5, 2.5)),
        "kerb": Paint(textures.tiles(1, 1, (164, 162, 156), (110, 108, 104), 103, 0.03, 3, size=128), (1.0, 1.0)),
        "brick": Paint(textures.tiles(16, 5, (140, 84, 66), (158, 150, 140), 104, 0.12, 9, bond=True), (1.15, 1.2)),
        "render": Paint(textures.plaster((190, 180, 160), 105, 3, 7), (4, 4)),
        "grey brick": Paint(textures.tiles(16, 5, (124, 118, 110), (150, 146, 140), 106, 0.12, 7, True), (1.15, 1.2)),
        "window": Paint(textures.window(107)), "window 2": Paint(textures.window(112, (1, 2), (74, 60, 50))),
        "front": Paint(textures.products(108, 4, bold=0.3, bright=0.55), (2.6, 2.4)),
        "dark": Paint(textures.metal((48, 50, 52), 109), (0.8, 0.8), 0.15),
        "green": Paint(textures.plaster((42, 66, 54), 110, 2, 4, 128), (2, 2), 0.15),
        "blue": Paint(textures.plaster((44, 62, 92), 111, 2, 4, 128), (2, 2), 0.15),
        "awning": Paint(textures.plaster((134, 44, 40), 113, 3, 6, 128), (1.5, 1.5)),
        "car": Paint(textures.plain((112, 116, 122)), None, 0.45),
        "car 2": Paint(textures.plain((88, 24, 26)), None, 0.45),
        "glass": Paint(textures.plain((30, 36, 40)), None, 0.2), "tyre": Paint(textures.plain((24, 24, 25))),
        "lamp": Paint(textures.plain((250, 250, 244))), "red": Paint(textures.plain((150, 20, 18)), None, 0.3),
        "bark": Paint(textures.stone((92, 80, 66), [(58, 50, 42), (120, 108, 92)], 114, 8, 128), (0.6, 0.9)),
        "leaves": Paint(textures.leaves(115), cutout=True),
        "line": Paint(textures.plaster((206, 204, 196), 116, 6, 14, 128), (1, 1)),
        "sky": Paint(textures.clouds((176, 200, 228), (236, 240, 244), 117)),
        "house": Paint(textures.tiles(3, 4, (66, 72, 78), (150, 142, 132), 118, 0.5, 8, size=256), (9, 8)),
    }  # fmt: skip


@cache
def panels() -> tuple[tuple[Panel, ...], tuple[Panel, ...]]:
    """The street, and what throws shadows in it."""
    built: list[Panel] = [rectangle((-3, 0, 8), (4.6, 0, 0), (0, 0, -58), "paving", 1.0)]
    built += box((1.6, ROAD, -50), (1.75, 0.0, 8), "kerb", "XY", 2)
    built += [rectangle((1.75, ROAD, 8), (7.25, 0, 0), (0, 0, -58), "asphalt", 1.8)]
    built += box((9, ROAD, -50), (12, 0, 8), "paving", "xY", 3)
    for line in np.arange(-46, 8, 6.0):
        built += [rectangle((5.35, ROAD + 0.004, line), (0.12, 0, 0), (0, 0, -2.5), "line", 3)]
    for house in HOUSES:
        built += _house(*house)
    for row, z in enumerate(np.arange(-50, 8, 9.6)):
        wall = ("grey brick", "render", "brick")[row % 3]
        built += box((12, 0, z), (12.3, 10 + 1.2 * (row % 3), z + 9.6), wall, "xYzZ", 4)
        for level in (1.0, 4.2, 7.2):
            for at in (1.2, 4.0, 6.8):
                built += box((11.94, level, z + at), (12, level + 1.7, z + at + 1.3), "dark", "x", 4, x="window")
    built += [rectangle((-90, ROAD - 0.02, -49.9), (180, 0, 0), (0, 0, -50), "paving", 25, "far")]
    for left, right, high in ((-40, -4.5, 6.5), (-4, 3, 4.6), (3.5, 40, 5.6)):
        built += box((left, ROAD, -86), (right, high, -78), "house", "Z", 20, "far")

    things: list[Panel] = []
    for x, z, paint in CARS:
        things += _car(x, z, paint)
    things += pillar(TREE, 0.16, 0, 3.4, "bark", 10, 0.75)
    rng = np.random.default_rng(119)
    for _ in range(46):
        middle = np.array([TREE[0], 4.5, TREE[1]]) + rng.normal(0, 1, 3) * (0.75, 0.6, 0.75)
        turn, lean = rng.uniform(0, 2 * np.pi), rng.uniform(-0.5, 0.5)
        across = np.array([np.cos(turn), 0, np.sin(turn)]) * rng.uniform(0.5, 0.9)
        up = np.array([np.sin(turn) * lean, 1, -np.cos(turn) * lean]) * rng.uniform(0.45, 0.8)
        out = (middle - (TREE[0], 4.0, TREE[1])) / np.linalg.norm(middle - (TREE[0], 4.0, TREE[1]))
        corners = np.stack([middle - across - up, middle + across - up, middle + across + up, middle - across + up])
        things += [Panel(corners, "leaves", 3, np.tile(out, (4, 1)))]
    things += pillar(POST, 0.11, 0, 0.9, "dark", 8, 0.59) + pillar(POST, 0.065, 0.9, 5.2, "dark", 8)
    things += box((POST[0] - 0.9, 5.2, POST[1] - 0.06), (POST[0] + 0.08, 5.3, POST[1] + 0.06), "dark", "xXYzZ")
    things += [rectangle((POST[0] - 0.9, 5.19, POST[1] - 0.1), (0.5, 0, 0), (0, 0, 0.2), "lamp", 1, "lamp")]
    things += box((0.85, 0, -3.4), (1.3, 0.9, -2.95), "green", "xXzZ", 1)
    things += box((0.82, 0.9, -3.43), (1.33, 1.0, -2.92), "dark", "xXYzZy", 1)
    things += box((-2.6, 0, -13.8), (-2.25, 1.25, -13.0), "green", "XYzZ", 1)
    return (*built, *sky()), tuple(things)


def _house(z0: float, z1: float, wall: str, trim: str) -> list[Panel]:
    """A shop front with two storeys above it, from z0 to z1 along the pavement."""
    face = -2.6
    built = box((face - 0.3, 3.2, z0), (face, 10.5, z1), wall, "X", 1.5)
    built += box((face - 0.3, 10.5, z0), (face + 0.25, 10.8, z1), "render", "XyY", 3)
    built += box((face - 0.3, 2.75, z0 + 0.1), (face + 0.1, 3.3, z1 - 0.1), trim, "XyYzZ", 1.5)
    count = max(1, round((z1 - z0) / 3.2))
    step = (z1 - z0) / count
    for bay in range(count):
        at = z0 + bay * step
        built += box((face - 0.3, 0, at), (face, 2.75, at + 0.35), wall, "XzZ", 1)
        if bay % 3 == 1:  # a door
            built += box((face - 0.3, 0, at + 0.35), (face - 0.2, 2.75, at + 1.5), trim, "X", 1)
            built += box((face - 0.2, 0.9, at + 0.55), (face - 0.19, 2.1, at + 1.3), "glass", "X", 2)
            left = at + 1.5
        else:
            left = at + 0.35
        built += box((face - 0.3, 0, left), (face - 0.05, 0.6, at + step), trim, "XYzZ", 1)
        built += [rectangle((face - 0.18, 0.6, at + step), (0, 0, left - at - step), (0, 2.15, 0), "front", 4, "shop")]
        for z in (left + 0.03, (left + at + step) / 2, at + step - 0.03):
            built += box((face - 0.18, 0.6, z - 0.03), (face - 0.1, 2.75, z + 0.03), trim, "XzZ", 3)
        for level in (4.0, 7.2):
            name = "window" if wall == "brick" else "window 2"
            middle = at + step / 2
            built += box((face - 0.1, level, middle - 0.55), (face + 0.02, level + 1.9, middle + 0.55), name, "X", 3)
            built += box(
                (face - 0.1, level - 0.12, middle - 0.7), (face + 0.12, level, middle + 0.7), "render", "XYyzZ", 3
            )
    if z0 == -14:
        slope = np.array([[-1.5, 2.65, -5.4], [-1.5, 2.65, -9.0], [-2.6, 3.15, -9.0], [-2.6, 3.15, -5.4]], float)
        built += [Panel(slope, "awning"), Panel(slope[::-1] - [0, 0.02, 0], "awning")]
        built += box((-1.52, 2.45, -9.0), (-1.5, 2.65, -5.4), "awning", "xX", 2)
    return built


def _car(x: float, z: float, paint: str) -> list[Panel]:
    """A parked car from its left side and lower end; its front looks along −z."""
    built = box((x, 0.18, z), (x + 1.75, 0.62, z + 4.4), paint, "xXyzZ", 1.2)
    profile = (
        (4.4, 0.62),
        (4.32, 0.92),
        (3.75, 0.98),
        (3.25, 1.40),
        (1.75, 1.42),
        (1.05, 0.95),
        (0.1, 0.78),
        (0.0, 0.62),
    )
    inset = {0: 0.0, 1: 0.03, 2: 0.06, 3: 0.22, 4: 0.22, 5: 0.06, 6: 0.03, 7: 0.0}
    rim = [
        np.array([[x + inset[k], y, z + along], [x + 1.75 - inset[k], y, z + along]])
        for k, (along, y) in enumerate(profile)
    ]
    for k in range(7):
        (a, b), (c, d) = rim[k], rim[k + 1]
        built += [Panel(np.stack([a, b, d, c]), "glass" if k in (2, 4) else paint)]
    for side in (0, 1):

        def at(k: int, side: int = side) -> Floats:
            return np.asarray(rim[k][side])

        def foot(k: int, side: int = side) -> Floats:
            return np.array([x + 1.75 * side, 0.62, z + profile[k][0]])

        pieces = [
            (foot(0), foot(2), at(2), at(1), paint), (foot(2), foot(5), at(5), at(2), paint),
            (foot(5), foot(7), at(6), at(5), paint), (at(2), at(5), at(4), at(3), "glass"),
        ]  # fmt: skip
        for a, b, c, d, name in pieces:
            corners = np.stack([a, b, c, d]) if side else np.stack([b, a, d, c])
            built += [Panel(corners, name)]
        sill, roof = at(2) * 0.45 + at(5) * 0.55, at(3) * 0.45 + at(4) * 0.55
        wide = np.array([0, 0, 0.06])
        off = np.array([0.012 if side else -0.012, 0, 0])
        post = [sill + wide + off, sill - wide + off, roof - wide + off, roof + wide + off]
        built += [Panel(np.stack(post if side else [post[1], post[0], post[3], post[2]]), paint)]
        face = x + 1.75 * side + (0.015 if side else -0.015)
        for along in (0.8, 3.55):
            inner = face - 0.22 if side else face + 0.02
            built += box((inner, ROAD, z + along - 0.2), (inner + 0.2, 0.2, z + along + 0.2), "tyre", "xXzZ")
            turn = np.radians(np.arange(0, 361, 30))
            ring = np.stack(
                [0 * turn + face, 0.2 + 0.31 * np.sin(turn), z + along - (1 if side else -1) * 0.31 * np.cos(turn)], 1
            )
            hub = np.array([face, 0.2, z + along])
            for radius, name, out in ((1.0, "tyre", 0.0), (0.58, "lamp", 0.006 if side else -0.006)):
                for a, b in pairwise(ring):
                    push = np.array([out, 0, 0])
                    a2, b2 = hub + radius * (a - hub) + push, hub + radius * (b - hub) + push
                    built += [Panel(np.stack([hub + push, a2, (a2 + b2) / 2, b2]), "car" if name == "lamp" else name)]
    for left in (0.1, 1.3):
        built += box((x + left, 0.55, z - 0.01), (x + left + 0.35, 0.7, z), "lamp", "z")
        built += box((x + left, 0.66, z + 4.4), (x + left + 0.35, 0.8, z + 4.41), "red", "xXyYZ")
    built += box((x + 0.55, 0.4, z + 4.4), (x + 1.2, 0.52, z + 4.41), "line", "Z")
    return built


def built(light: str) -> Scene:
    """The street under that light."""
    lighting, shine = LIGHTINGS[light], SHINE[light]
    street, things = panels()
    meshes = (
        mesh(street, paints(), SOLIDS, lighting, shine),
        mesh(things, paints(), SOLIDS, lighting, shine, casts=True),
    )
    return Scene(
        "street", meshes, materials(paints), (shine["sky"],) * 3,
        {name: np.array(points) for name, points in PATHS.items()},
        (-0.6, -2.6), 0.0, MOUNTS, LIGHTINGS, SOLIDS, ((-12, ROAD, -50), (20, 14, 8)), ((-2.6, -30), (1.6, 6)),
    )  # fmt: skip
