"""What all people share: how the mesh is cut into parts, where the skin's texture lies, how deep in a fold a vertex is.

Everything is found on the base mesh ("canonical" coordinates, decimetres), once, and kept in the user's cache.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from testbed.synthetic.assets import Arrays, Assets, assets, folder, kept

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]
Number = TypeVar("Number", bound=np.generic)

WIDTH, HEIGHT = 1024, 896
"""The skin's texture, pixels: the cylinder around head and neck, unrolled."""
TOP, BOTTOM, AXIS = 8.7, 4.9, 0.40
"""The cylinder's ends, and how far before the origin its axis stands."""
FRONT, FRONT_SHARE = np.radians(80), 0.35
"""Half the front of the head, and the share of the texture's width it gets on either side of the middle."""


class Material(IntEnum):
    """What a triangle is made of: its row among the textures."""

    SKIN = 0
    HANDS = 1
    EYES = 2
    MOUTH = 3
    TEETH = 4
    LASHES = 5
    SHIRT = 6
    TROUSERS = 7
    SHOES = 8
    HAIR = 9
    FRAMES = 10
    HEADWEAR = 11
    MASK = 12


@dataclass(frozen=True, eq=False)
class Part:
    """Triangles on the deformed mesh. A vertex lies between two of the mesh's, so a cut edge is clean on every body."""

    first: Ints  # (v,)
    second: Ints  # (v,)
    share: Floats  # (v,), 0 at `first`, 1 at `second`
    triangles: Ints  # (t, 3)
    uv: Floats  # (t, 3, 2)
    material: Ints  # (t,)

    def of(self, values: Floats) -> Floats:
        """Values of the mesh's vertices `(V, …)` at this part's."""
        share = self.share.reshape(-1, *[1] * (values.ndim - 1))
        return values[self.first] * (1 - share) + values[self.second] * share


@dataclass(frozen=True, eq=False)
class Template:
    """Parts of every body, and the canonical place of every texel of the skin."""

    body: Part  # head, neck, hands, eyes, lashes, mouth
    clothes: Part
    places: Floats  # (h, w, 3)
    lips: Floats  # (h, w), share
    ears: Floats  # (h, w), share
    lids: Floats  # (h, w), share
    openness: Floats  # (V,), share of the sky a vertex sees
    on_ears: npt.NDArray[np.bool_]  # (V,)
    eyes: tuple[Ints, Ints]  # vertices of the left and right eyeball
    nose: int
    mouth: tuple[int, int]  # corners, left and right
    turns: Floats  # (V,), share of the head's turn a vertex takes part in


@cache
def template() -> Template:
    """The template, from the user's cache, or made (some seconds) and put there. Raises InputError like `assets`."""
    mesh = assets()
    body = _body(mesh)
    arrays = kept("people-template", [Path(__file__), folder() / "3dobjs" / "base.obj"], lambda: _baked(mesh, body))
    skin = mesh.vertices("body")
    lips = skin[np.asarray(arrays["lip_vertices"], bool)]
    places = mesh.positions
    apart = places[lips, 0] * [[1], [-1]] + 0.7 * places[lips, 2]  # the corners, not what lies behind them
    middle = skin[(np.abs(places[skin, 0]) < 0.05) & (places[skin, 1] > 6.75) & (places[skin, 1] < 7.2)]
    places_of, lips_on, ears_on, lids_on, openness = (
        np.asarray(arrays[name], np.float32) for name in ("places", "lips", "ears", "lids", "openness")
    )
    return Template(
        body, _clothes(mesh), places_of, lips_on, ears_on, lids_on, openness, np.asarray(arrays["ear_vertices"], bool),
        (mesh.vertices("helper-l-eye"), mesh.vertices("helper-r-eye")),
        int(middle[np.argmax(places[middle, 2])]), (int(lips[apart[0].argmax()]), int(lips[apart[1].argmax()])),
        _turns(mesh),
    )  # fmt: skip


def unrolled(places: Floats) -> Floats:
    """Where canonical places `(…, 3)` lie on the skin's texture, `(…, 2)` from 0 to 1; the front gets more of it."""
    angle = np.arctan2(places[..., 0], places[..., 2] - AXIS)
    front = np.clip(np.abs(angle) / FRONT, 0, 1) * FRONT_SHARE
    back = np.clip((np.abs(angle) - FRONT) / (np.pi - FRONT), 0, 1) * (0.5 - FRONT_SHARE)
    down = (TOP - places[..., 1]) / (TOP - BOTTOM)
    return np.stack([0.5 + np.sign(angle) * (front + back), np.clip(down, 0, 1)], -1).astype(np.float32)


def triangles(quads: npt.NDArray[Number]) -> npt.NDArray[Number]:
    """Two triangles for each quad, `(2n, …)`."""
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])


def cut(places: Floats, tris: Ints, field: Floats) -> tuple[Ints, Ints, Floats, Ints, Ints]:
    """The side of triangles where a field of the vertices `(V,)` is positive, cut straight through along its zero.

    Returns first, second, share (of the vertices left), triangles among them, and the row each came from.
    """
    inside = field[tris] > 0
    whole = np.flatnonzero(inside.all(1))
    corners = [((int(a), int(a)), (int(b), int(b)), (int(c), int(c)), int(row)) for row, (a, b, c) in
               zip(whole, tris[whole], strict=True)]  # fmt: skip
    for row in np.flatnonzero(inside.any(1) & ~inside.all(1)):
        polygon: list[tuple[int, int]] = []
        for a, b in zip(tris[row], np.roll(tris[row], -1), strict=True):
            if field[a] > 0:
                polygon.append((int(a), int(a)))
            if (field[a] > 0) != (field[b] > 0):
                polygon.append((int(min(a, b)), int(max(a, b))))
        corners += [(polygon[0], polygon[at], polygon[at + 1], int(row)) for at in range(1, len(polygon) - 1)]
    numbers: dict[tuple[int, int], int] = {}
    found = np.array([[numbers.setdefault(each, len(numbers)) for each in corner[:3]] for corner in corners], np.int32)
    first, second = np.array(list(numbers), np.int32).reshape(-1, 2).T
    low, high = field[first], field[second]
    share = np.where(first == second, 0, low / np.where(first == second, 1, low - high)).astype(np.float32)
    rows = np.array([corner[3] for corner in corners], np.int32)
    return first.astype(np.int32), second.astype(np.int32), share, found, rows


def _body(mesh: Assets) -> Part:
    from scipy.spatial import cKDTree

    quads, texture, place = mesh.quads, mesh.texture, mesh.positions
    chosen: list[tuple[Ints, Floats, Material]] = []

    skin = mesh.faces("body")
    middle = place[quads[skin]].mean(1)
    head = skin[(middle[:, 1] > 4.95) & (np.abs(middle[:, 0]) < 1.5)]
    inner = _masked("inside-mouth", texture[head].mean(1)) > 0.5
    tris = triangles(quads[head[~inner]])
    uv = unrolled(place[tris])
    behind = np.ptp(uv[..., 0], axis=1) > 0.5  # across the seam at the back
    uv[..., 0] = np.where(behind[:, None] & (uv[..., 0] < 0.5), 1, uv[..., 0])
    chosen.append((tris, uv, Material.SKIN))
    tris = triangles(quads[head[inner]])
    chosen.append((tris, np.full((len(tris), 3, 2), 0.5, np.float32), Material.MOUTH))
    tris = triangles(quads[skin[np.abs(middle[:, 0]) > 3.95]])
    chosen.append((tris, np.full((len(tris), 3, 2), 0.5, np.float32), Material.HANDS))
    for side in "lr":
        tris = triangles(quads[mesh.faces(f"helper-{side}-eye")])
        ball = place[np.unique(tris)]
        flat = (place[tris][..., :2] - (ball.min(0) + ball.max(0))[:2] / 2) / 0.145 * [0.5, -0.5] + 0.5
        chosen.append((tris, np.clip(flat, 0.01, 0.99).astype(np.float32), Material.EYES))
        lashes = mesh.faces(f"helper-{side}-eyelashes-1", f"helper-{side}-eyelashes-2")
        tris = triangles(quads[lashes])
        reach = np.asarray(cKDTree(place[mesh.vertices("body")]).query(place[np.unique(tris)])[0], np.float32)
        along = np.zeros(len(place), np.float32)
        along[np.unique(tris)] = reach / reach.max()
        uv = np.stack([triangles(texture[lashes])[..., 0] * 8 % 1, 0.02 + 0.96 * along[tris]], -1)
        chosen.append((tris, uv.astype(np.float32), Material.LASHES))
    tris = triangles(quads[mesh.faces("helper-upper-teeth", "helper-lower-teeth")])
    chosen.append((tris, np.full((len(tris), 3, 2), 0.5, np.float32), Material.TEETH))

    tris, uv = np.concatenate([each[0] for each in chosen]), np.concatenate([each[1] for each in chosen])
    material = np.concatenate([np.full(len(each[0]), each[2], np.int32) for each in chosen])
    used, numbered = np.unique(tris, return_inverse=True)
    return Part(used, used, np.zeros(len(used), np.float32), numbered.reshape(-1, 3).astype(np.int32), uv, material)


def _clothes(mesh: Assets) -> Part:
    tris, place = triangles(mesh.quads[mesh.faces("helper-tights")]), mesh.positions
    x, y, z = place.T
    collar = 5.62 - 0.32 * (z - 0.1) + 0.55 * np.clip(np.abs(x) - 0.75, 0, 2) - y  # round, lower in front
    belt, ankle = y - 0.2, y + 7.75
    regions: list[tuple[Material, Callable[[], Floats]]] = [
        (Material.SHIRT, lambda: np.minimum(collar, belt)), (Material.TROUSERS, lambda: np.minimum(-belt, ankle)),
        (Material.SHOES, lambda: -ankle),
    ]  # fmt: skip
    parts, count = [], 0
    for material, field in regions:
        first, second, share, found, _ = cut(place, tris, field())
        at = (place[first] * (1 - share[:, None]) + place[second] * share[:, None])[found]
        uv = np.stack([at[..., 0] / 9.5 + 0.5, (6.3 - at[..., 1]) / 14.8], -1).astype(np.float32)
        parts.append((first, second, share, found + count, uv, np.full(len(found), material, np.int32)))
        count += len(first)
    return Part(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def _turns(mesh: Assets) -> Floats:
    """All of the head turns with it, the neck less and less downwards."""
    turns = np.zeros(len(mesh.positions), np.float32)
    face = (
        "head",
        "jaw",
        "eye",
        "levator",
        "oculi",
        "orbicularis",
        "oris",
        "risorius",
        "special",
        "temporalis",
        "tongue",
    )
    for bone, weights in mesh.weights.items():
        part = 1.0 if bone.startswith(face) else {"neck03": 0.75, "neck02": 0.4, "neck01": 0.1}.get(bone, 0.0)
        turns += np.float32(part) * weights
    return np.clip(turns, 0, 1)


def _masked(name: str, uv: Floats) -> Floats:
    """One of the asset's masks at places of its own texture, 0–1."""
    from PIL import Image

    image = np.asarray(Image.open(folder() / "textures" / f"mpfb_{name}.jpg").convert("L"))
    rows, columns = image.shape
    across = np.clip(uv[..., 0] * columns, 0, columns - 1).astype(int)
    return np.asarray(image[np.clip((1 - uv[..., 1]) * rows, 0, rows - 1).astype(int), across] / 255, np.float32)


def _baked(mesh: Assets, body: Part) -> Arrays:
    """Canonical place and the asset's masks at every texel of the skin, and every vertex's openness."""
    from scipy.ndimage import distance_transform_edt

    skin = mesh.faces("body")
    tris, texture = triangles(mesh.quads[skin]), triangles(mesh.texture[skin])
    near = mesh.positions[tris][..., 1].max(1) > BOTTOM - 0.2
    inner = _masked("inside-mouth", texture.mean(1)) > 0.5
    tris, texture = tris[near & ~inner], texture[near & ~inner]
    rows, shares = _sampled(unrolled(mesh.positions[tris]) * np.array([WIDTH, HEIGHT], np.float32))
    place = np.einsum("nk,nkc->nc", shares, mesh.positions[tris[rows]])
    masks = np.einsum("nk,nkc->nc", shares, texture[rows])
    texel = unrolled(place) * np.array([WIDTH, HEIGHT], np.float32)
    column, row = (np.clip(texel[:, at], 0, size - 1).astype(int) for at, size in ((0, WIDTH), (1, HEIGHT)))
    outermost = np.argsort(np.hypot(place[:, 0], place[:, 2] - AXIS), kind="stable")  # of several, the last stays
    found = np.full((HEIGHT, WIDTH, 5), np.nan, np.float32)
    found[row[outermost], column[outermost]] = np.concatenate([place, masks], 1)[outermost]
    nearest = distance_transform_edt(np.isnan(found[..., 0]), return_distances=False, return_indices=True)
    found = found[tuple(nearest)]
    vertex_uv = np.zeros((len(mesh.positions), 2), np.float32)
    vertex_uv[mesh.quads[skin]] = mesh.texture[skin]
    return {
        "places": found[..., :3],
        **{name: _masked(mask, found[..., 3:]).astype(np.float16)
           for name, mask in (("lips", "lips"), ("ears", "ears"), ("lids", "eyelids"))},
        "lip_vertices": _masked("lips", vertex_uv[mesh.vertices("body")]) > 0.5,
        "ear_vertices": _masked("ears", vertex_uv) > 0.3,
        "openness": _openness(mesh),
    }  # fmt: skip


def _sampled(corners: Floats) -> tuple[npt.NDArray[np.int64], Floats]:
    """Points that leave no gap of a pixel on triangles `(t, 3, 2)` in pixels: their row, and shares of the corners."""
    size = np.abs(corners - np.roll(corners, 1, axis=1)).max((1, 2))
    rows, shares = [], []
    for steps in (2, 4, 8, 16, 32, 64):
        here = np.flatnonzero((size <= steps * 0.7) & (size > steps * 0.35 if steps > 2 else True))
        first, second = np.meshgrid(np.arange(steps + 1), np.arange(steps + 1), indexing="ij")
        kept = first + second <= steps
        grid = np.stack([first[kept], second[kept], steps - first[kept] - second[kept]], 1) / steps
        rows.append(np.repeat(here, len(grid)))
        shares.append(np.tile(grid, (len(here), 1)))
    return np.concatenate(rows), np.concatenate(shares).astype(np.float32)


def _openness(mesh: Assets, views: int = 64) -> Floats:
    """The share of directions from which each vertex is seen, weighted by the slant of its surface."""
    tris = triangles(mesh.quads[mesh.faces("body", "helper-l-eye", "helper-r-eye")])
    used = np.unique(tris)
    normal = normals(mesh.positions, tris)[used]
    start = mesh.positions[used] + 0.02 * normal
    rows, shares = _sampled(_edges(mesh.positions, tris))
    points = np.einsum("nk,nkc->nc", shares, mesh.positions[tris[rows]])
    turn = np.arange(views) * (np.pi * (3 - np.sqrt(5)))  # a Fibonacci sphere
    level = 1 - (2 * np.arange(views) + 1) / views
    seen, facing = np.zeros(len(used)), np.zeros(len(used))
    for angle, z in zip(turn, level, strict=True):
        towards = np.array([np.cos(angle) * np.sqrt(1 - z * z), np.sin(angle) * np.sqrt(1 - z * z), z])
        across = np.cross(towards, [0.3, 0.9, 0.2])
        across /= np.linalg.norm(across)
        frame = np.stack([across, np.cross(towards, across)], 1)
        pixel = np.floor((points @ frame + 12) / 0.05).astype(np.int64) @ [500, 1]
        nearest = np.full(500 * 500, -np.inf)
        np.maximum.at(nearest, pixel, points @ towards)
        here = np.floor((start @ frame + 12) / 0.05).astype(np.int64) @ [500, 1]
        slant = np.maximum(normal @ towards, 0)
        seen += slant * (start @ towards > nearest[here] - 0.05)
        facing += slant
    openness = np.ones(len(mesh.positions), np.float32)
    openness[used] = seen / np.maximum(facing, 1e-6)
    return openness


def _edges(positions: Floats, tris: Ints) -> Floats:
    """Triangles laid flat with their true lengths, in units of 0.04 dm, `(t, 3, 2)`."""
    a, b, c = (positions[tris[:, at]] for at in range(3))
    base = np.linalg.norm(b - a, axis=1)
    along = np.einsum("nc,nc->n", c - a, b - a) / np.maximum(base, 1e-9)
    high = np.sqrt(np.maximum(np.einsum("nc,nc->n", c - a, c - a) - along**2, 0))
    flat = np.zeros((len(tris), 3, 2), np.float32)
    flat[:, 1, 0], flat[:, 2, 0], flat[:, 2, 1] = base, along, high
    return np.asarray(flat / 0.04, np.float32)


def normals(positions: Floats, tris: Ints) -> Floats:
    """Unit normals of the vertices, each the mean of its triangles' by area, `(V, 3)`."""
    a, b, c = (positions[tris[:, at]] for at in range(3))
    faces = np.cross(b - a, c - a)
    total = np.stack([
        np.bincount(tris.ravel(), np.repeat(faces[:, axis], 3), len(positions)) for axis in range(3)
    ], 1)  # fmt: skip
    return np.asarray(total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12), np.float32)
