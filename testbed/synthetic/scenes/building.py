"""What places are built of: flat panels, cut small, painted with drawn textures, darker where less sky is seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from kernels.raster import Light, Lights, Materials, Mesh
from testbed.synthetic.scenes.scene import Floats, Lighting, Solid, Triple

REACH, RAYS = 2.2, 40
"""Metres within which things darken each other, and rays that look for them."""
WHITE, WARM, COOL = (1.0, 1.0, 1.0), (1.08, 1.0, 0.85), (0.95, 1.0, 1.06)
"""Colours of light: mild, for cameras balance white."""
FAR = 150.0
"""Metres to the sky."""


@dataclass(frozen=True, eq=False)
class Paint:
    """A material: texture `(h, w, 4)` bytes, and after how many metres it starts again (None: once over a panel)."""

    texture: npt.NDArray[np.uint8]
    size: tuple[float, float] | None = None
    gloss: float = 0.0
    cutout: bool = False


@dataclass(frozen=True, eq=False)
class Panel:
    """A flat piece: corners `(4, 3)` lower left, lower right, upper right, upper left, as seen from its front.

    cut      metres of the largest piece for light that changes over it
    normals  `(4, 3)` of what is round
    lit      it shines by itself, or is lit by what is out there: the name of how brightly
    """

    corners: Floats
    paint: str
    cut: float = 1.0
    normals: Floats | None = None
    lit: str = ""


@cache
def materials(paints: Callable[[], Mapping[str, Paint]]) -> Materials:
    """All paints of a place as materials, in their order; made once, for their halvings are kept."""
    each = list(paints().values())
    return Materials(
        tuple(p.texture for p in each), np.array([p.gloss for p in each]), np.array([p.cutout for p in each]),
        np.array([p.cutout for p in each]), None, np.array([p.size is not None for p in each]),
    )  # fmt: skip


def mesh(
    panels: Iterable[Panel], paints: Mapping[str, Paint], solids: Sequence[Solid], lighting: Lighting,
    shine: Mapping[str, float], casts: bool = False,
) -> Mesh:  # fmt: skip
    """Panels as one mesh; its occlusion is what light arrives there, above 1 on what is lit by other light."""
    parts = [(*_cut(panel, paints[panel.paint]), panel) for panel in panels]
    starts = np.cumsum([0, *(len(part[0]) for part in parts)])
    positions, normals = (np.concatenate([part[k] for part in parts]) for k in (0, 1))
    counts = [len(part[2]) for part in parts]
    order = {name: row for row, name in enumerate(paints)}
    occlusion = openness(positions, normals, solids)
    for start, part in zip(starts, parts, strict=False):
        if part[4].lit:
            own = slice(start, start + len(part[0]))
            occlusion[own] = _shining(positions[own], normals[own], lighting.lights, shine[part[4].lit])
    return Mesh(
        positions.astype(np.float32), normals.astype(np.float32), occlusion.astype(np.float32),
        np.concatenate([part[2] + start for part, start in zip(parts, starts, strict=False)]).astype(np.int32),
        np.concatenate([part[3] for part in parts]).astype(np.float32),
        np.repeat([order[part[4].paint] for part in parts], counts).astype(np.int32),
        casts,
    )  # fmt: skip


def lamps(places: Sequence[tuple[float, float]], height: float, strength: float, colour: Triple = WHITE) -> list[Light]:
    """Lamps at places (x, z), lit downwards from that height."""
    return [Light((x, height, z), colour, strength, point=True) for x, z in places]


def lit(lux: float, *lights: Light, above: float, below: float) -> Lighting:
    """Lights, and grey light from above and below, all as shares of lux."""
    return Lighting(Lights(lights, (above,) * 3, (below,) * 3), lux)


def afar(vector: Triple, strength: float, colour: Triple = WHITE) -> Light:
    """The light that throws shadows: where it comes from, and how strong it is."""
    return Light(vector, colour, strength, shadows=True)


INFRARED = replace(lit(4, above=0.012, below=0.008), monochrome=True, lamp=True)
"""Next to nothing but the camera's own lamp, whatever the place."""


def rectangle(corner: Triple, right: Triple, up: Triple, paint: str, cut: float = 1.0, lit: str = "") -> Panel:
    """A panel from its lower left corner and two edges."""
    c, r, u = (np.array(each, np.float64) for each in (corner, right, up))
    return Panel(np.stack([c, c + r, c + r + u, c + u]), paint, cut, lit=lit)


def box(
    low: Triple, high: Triple, paint: str, faces: str = "xXyYzZ", cut: float = 1.0, lit: str = "", **other: str
) -> list[Panel]:
    """The named faces of a block: x, y, z where these are lowest, X, Y, Z where highest; `other`: paints by face."""
    (x, y, z), (X, Y, Z) = low, high
    w, h, d = X - x, Y - y, Z - z
    sides: dict[str, tuple[Triple, Triple, Triple]] = {
        "x": ((x, y, z), (0, 0, d), (0, h, 0)), "X": ((X, y, Z), (0, 0, -d), (0, h, 0)),
        "y": ((X, y, Z), (-w, 0, 0), (0, 0, -d)), "Y": ((x, Y, Z), (w, 0, 0), (0, 0, -d)),
        "z": ((X, y, z), (-w, 0, 0), (0, h, 0)), "Z": ((x, y, Z), (w, 0, 0), (0, h, 0)),
    }  # fmt: skip
    return [rectangle(*sides[face], other.get(face, paint), cut, lit) for face in faces]


def pillar(
    at: tuple[float, float], radius: float, low: float, high: float, paint: str, sides: int = 10, top: float = 1.0
) -> list[Panel]:
    """A round pillar, `top` times as thick at its upper end, without its end faces."""
    turn = np.radians(np.arange(sides + 1) * 360 / sides)
    around = np.stack([np.sin(turn), 0 * turn, np.cos(turn)], 1)
    foot, head = np.array([at[0], low, at[1]]), np.array([at[0], high, at[1]])
    return [
        Panel(
            np.stack([foot + a * radius, foot + b * radius, head + b * radius * top, head + a * radius * top]),
            paint, 1.5, np.stack([a, b, b, a]),
        )
        for a, b in pairwise(around)
    ]  # fmt: skip


def sky(lit: str = "sky", paint: str = "sky") -> list[Panel]:
    """A wall around everything, and a lid on it, far away."""
    turn = np.radians(np.arange(13) * 30.0)
    ring = np.stack([FAR * np.sin(turn), 0 * turn - 10, FAR * np.cos(turn)], 1)
    rise = np.array([0, 90.0, 0])
    walls = [Panel(np.stack([b, a, a + rise, b + rise]), paint, FAR, lit=lit) for a, b in pairwise(ring)]
    return [*walls, rectangle((-FAR, 79, -FAR), (2 * FAR, 0, 0), (0, 0, 2 * FAR), paint, 2 * FAR, lit)]


def openness(points: Floats, normals: Floats, solids: Sequence[Solid]) -> Floats:
    """Share of the sky `(n,)` seen from points `(n, 3)` past solids near them; a solid hides nothing from within."""
    k = (np.arange(RAYS) + 0.5) / RAYS
    turn = np.arange(RAYS) * np.pi * (3 - 5**0.5)
    local = np.stack([np.sqrt(k) * np.cos(turn), np.sqrt(k) * np.sin(turn), np.sqrt(1 - k)], 1)  # even in cos²
    helper = np.where(np.abs(normals[:, 1:2]) > 0.9, [[1.0, 0, 0]], [[0, 1.0, 0]])
    across = np.cross(helper, normals)
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    axes = np.stack([across, np.cross(normals, across), normals], 1)
    ways = np.einsum("rk,nkc->nrc", local, axes)
    ways = np.where(np.abs(ways) < 1e-6, 1e-6, ways)
    from_ = points + 0.01 * normals
    hidden = np.zeros(ways.shape[:2])
    blocks = [each for each in solids if not each.clear]
    for low, high in ((np.array(each.low), np.array(each.high)) for each in blocks):
        near = np.flatnonzero(((from_ > low - REACH) & (from_ < high + REACH)).all(axis=1))
        if not len(near):
            continue
        first, second = (low - from_[near])[:, None] / ways[near], (high - from_[near])[:, None] / ways[near]
        enter, leave = np.minimum(first, second).max(axis=2), np.maximum(first, second).min(axis=2)
        hit = (enter > -1e-6) & (enter < leave) & (enter < REACH)
        hidden[near] = np.maximum(hidden[near], np.where(hit, 1 - 0.8 * enter / REACH, 0.0))
    return np.asarray(1 - 0.85 * hidden.mean(axis=1))


def _cut(panel: Panel, paint: Paint) -> tuple[Floats, Floats, npt.NDArray[np.int64], Floats]:
    """Positions, normals, triangles and their texture coordinates."""
    a, b, c, d = panel.corners
    across = max(1, int(np.ceil(max(np.linalg.norm(b - a), np.linalg.norm(c - d)) / panel.cut - 1e-6)))
    up = max(1, int(np.ceil(max(np.linalg.norm(d - a), np.linalg.norm(c - b)) / panel.cut - 1e-6)))
    t, s = (each.ravel() for each in np.meshgrid(np.arange(up + 1) / up, np.arange(across + 1) / across, indexing="ij"))
    weights = np.stack([(1 - s) * (1 - t), s * (1 - t), s * t, (1 - s) * t], 1)
    positions = np.einsum("nk,kc->nc", weights, panel.corners)
    flat = np.cross(c - a, d - b)
    flat /= np.linalg.norm(flat)
    normals = np.einsum("nk,kc->nc", weights, np.tile(flat, (4, 1)) if panel.normals is None else panel.normals)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    if paint.size is None:
        uv = np.stack([s, 1 - t], 1)
    else:
        right = (b - a) / np.linalg.norm(b - a)
        uv = np.stack([positions @ right / paint.size[0], -positions @ np.cross(flat, right) / paint.size[1]], 1)
    i = (np.arange(up)[:, None] * (across + 1) + np.arange(across)).ravel()
    e, f, g = i + 1, i + across + 2, i + across + 1
    triangles = np.concatenate([np.stack([i, e, f], 1), np.stack([i, f, g], 1)])
    return positions, normals, triangles, uv[triangles]


def _shining(points: Floats, normals: Floats, lights: Lights, wanted: float) -> Floats:
    """The occlusion `(n,)` at which a white surface there shows `wanted`, whatever the scene's own light is.

    The renderer has no surface that shines; it takes ambient × occlusion + direct × (0.45 + 0.55 occlusion).
    """
    up = 0.5 + 0.5 * normals[:, 1]
    ambient = np.mean(lights.below) + up * (np.mean(lights.above) - np.mean(lights.below))
    direct = np.zeros(len(points))
    for light in lights.lights:
        way = np.asarray(light.vector, np.float64) - light.point * points
        square = (way**2).sum(axis=1)
        cosine = np.maximum((way * normals).sum(axis=1) / np.sqrt(square), 0)
        direct += cosine * light.strength * np.mean(light.colour) / (square if light.point else 1.0)
    return np.asarray(np.maximum(wanted - 0.45 * direct, 0) / (ambient + 0.55 * direct))
