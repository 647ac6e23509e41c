"""What lies over a head: hair, cap, headscarf, mask, glasses. Own geometry, fitted to this head, with clean edges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from testbed.synthetic.assets import assets
from testbed.synthetic.people.identity import Identity
from testbed.synthetic.people.paint import hairline
from testbed.synthetic.people.template import AXIS, Floats, Ints, Material, cut, normals, template, triangles

THICKNESS = {"short": 0.16, "long": 0.20, "tied": 0.09, "afro": 0.62}
"""How far hair stands off the scalp, decimetres."""


@dataclass(frozen=True, eq=False)
class Covering:
    """A sheet of one material that turns with the head."""

    positions: Floats  # (v, 3)
    triangles: Ints  # (t, 3)
    uv: Floats  # (t, 3, 2)
    material: Material
    turns: Floats  # (v,), share of the head's turn


def coverings(identity: Identity, positions: Floats) -> list[Covering]:
    """All that a person wears on their head over the mesh `positions` `(V, 3)`, decimetres."""
    who, head = identity.attributes, Head(positions)
    worn: list[Covering] = []
    if who.headwear == "headscarf":
        worn.append(_headscarf(head))
    elif who.hair in THICKNESS:
        worn += _hair(identity, positions, head)
    if who.headwear == "cap":
        worn += _cap(positions)
    if who.mask:
        worn += _mask(head)
    if who.glasses:
        worn.append(_glasses(identity, positions, head))
    return worn


class Head:
    """How far this head reaches in each direction from its middle, ears and all, smoothed as cloth would lie."""

    STEPS = (120, 60)  # azimuth, elevation

    def __init__(self, positions: Floats) -> None:
        from scipy.ndimage import distance_transform_edt, gaussian_filter, grey_dilation

        mesh = assets()
        eyes = (mesh.joint(positions, "l-eye") + mesh.joint(positions, "r-eye")) / 2
        self.middle = (eyes + np.array([0, -0.08, -0.85])).astype(np.float32)
        tris = template().body.first[template().body.triangles]
        corners = positions[tris[template().body.material == Material.SKIN]]
        grid = np.array([(a, b, 6 - a - b) for a in range(7) for b in range(7 - a)], np.float32) / 6
        away = np.einsum("gk,tkc->tgc", grid, corners).reshape(-1, 3) - self.middle
        far = np.linalg.norm(away, axis=1)
        at = self._cells(np.arctan2(away[:, 0], away[:, 2]), np.arcsin(away[:, 1] / far)).round().astype(int)
        reach = np.zeros(self.STEPS)
        np.maximum.at(reach, (at[0] % self.STEPS[0], np.clip(at[1], 0, self.STEPS[1] - 1)), far)
        around = np.concatenate([reach, reach, reach])
        nearest = distance_transform_edt(around == 0, return_distances=False, return_indices=True)
        around = around[tuple(nearest)]
        once = slice(self.STEPS[0], 2 * self.STEPS[0])
        self.tight = np.maximum(gaussian_filter(around, 2.5), gaussian_filter(around, 0.7))[once]
        self.draped = np.maximum(gaussian_filter(grey_dilation(around, (13, 7)), (4, 3)), around)[once]

    def _cells(self, azimuth: npt.NDArray[np.floating], elevation: npt.NDArray[np.floating]) -> Floats:
        across = azimuth / (2 * np.pi) * self.STEPS[0]
        return np.stack([across, (elevation / np.pi + 0.5) * (self.STEPS[1] - 1)]).astype(np.float32)

    def at(
        self, azimuth: npt.ArrayLike, elevation: npt.ArrayLike, off: npt.ArrayLike, draped: npt.ArrayLike = 0
    ) -> Floats:
        """Places `(…, 3)` that far off the head, in directions given in degrees (azimuth 0 is the front).

        draped: 0 where cloth lies tight, 1 where it hangs from ear to ear.
        """
        from scipy.ndimage import map_coordinates

        a, e, far = np.broadcast_arrays(np.radians(azimuth), np.radians(elevation), off)
        tight, loose = (
            map_coordinates(each, self._cells(a, e), order=1, mode="grid-wrap") for each in (self.tight, self.draped)
        )
        reach = tight + (loose - tight) * draped + far
        direction = np.stack([np.cos(e) * np.sin(a), np.sin(e), np.cos(e) * np.cos(a)], -1)
        return np.asarray(self.middle + reach[..., None] * direction, np.float32)


def _hair(identity: Identity, positions: Floats, head: Head) -> list[Covering]:
    mesh, made, style = assets(), template(), identity.attributes.hair
    canonical = mesh.positions
    above = np.where(made.on_ears | (canonical[:, 1] < 6.3), -0.05, hairline(identity, canonical)).astype(np.float32)
    quads = mesh.quads[mesh.faces("body")]
    tris = triangles(quads[canonical[quads][..., 1].min(1) > 6.2])
    first, second, share, found, _ = cut(canonical, tris, above)
    along = share[:, None]
    at, rest, high = (v[first] * (1 - along) + v[second] * along for v in (positions, canonical, above[:, None]))
    found, (at, rest, high) = _halved(found, [at, rest, high])
    thick = THICKNESS[style] * np.exp(0.22 * identity.normal("hair thickness"))
    if identity.attributes.headwear == "cap":
        thick = min(thick, 0.08)
    outward = normals(at, found)
    radial = at - (head.middle + np.array([0, 0.25, -0.15], np.float32))
    radial /= np.linalg.norm(radial, axis=1, keepdims=True)
    outward = 0.4 * outward + 0.6 * radial
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    rise = np.clip(high[:, 0] / (0.5 if style == "afro" else 0.3), 0, 1)
    rise = rise * (2 - rise)  # round at the edge
    x, y, z = rest.T
    wave = 1 + 0.10 * np.sin(6 * x + 3 * identity.normal("wave")) * np.sin(5 * z + 3 * identity.normal("waves"))
    top = 0.65 + 0.6 * np.clip((y - 7.4) / 0.9, 0, 1) if style == "short" else 1.0
    at = at + outward * (0.008 + thick * rise * wave * top)[:, None]
    angle = np.arctan2(x, z - AXIS)
    flat = np.stack([angle / (2 * np.pi) + 0.5, np.clip((8.7 - y) / 3.2, 0.01, 0.99)], -1)[found]
    flat[..., 0] = np.where((np.ptp(flat[..., 0], axis=1) > 0.5)[:, None] & (flat[..., 0] < 0.5), 1, flat[..., 0])
    worn = [Covering(at.astype(np.float32), found, flat.astype(np.float32), Material.HAIR, _whole(at))]
    if style == "long":
        worn.append(_hanging(identity, at, rest))
    if style == "tied":
        worn.append(_bun(identity, at, rest))
    return worn


def _hanging(identity: Identity, at: Floats, rest: Floats) -> Covering:
    """A curtain from the sides and back of the hair down to the shoulders, thick by being closed on itself."""
    band = (rest[:, 1] > 7.45) & (rest[:, 1] < 7.8)
    middle = np.array([0, 0, np.median(at[:, 2]) + 0.1], np.float32)
    out = at[band] - middle
    angle = np.degrees(np.arctan2(np.abs(out[:, 0]), out[:, 2]))
    order = np.argsort(angle)
    begin = 68 + 4 * identity.normal("curtain")
    sides = np.linspace(begin, 360 - begin, 49)
    reach = np.interp(np.minimum(sides, 360 - sides), angle[order], np.hypot(out[:, 0], out[:, 2])[order])
    reach = np.convolve(np.pad(reach, 3, mode="edge"), np.ones(7) / 7, mode="valid")
    level = float(np.median(at[band, 1]))
    down = np.linspace(0, 1, 14)[:, None]
    long = (1.75 + 0.25 * np.clip(identity.normal("hair length"), -2, 1)) * np.ones_like(sides)
    ease = np.sin(np.pi * np.clip(down * 1.6, 0, 1)) * 0.06 - 0.10 * down
    wave = 0.03 * np.sin(np.radians(sides) * 11 + 2 * identity.normal("curl")) * down

    def sheet(inwards: float) -> Floats:
        r = reach - 0.03 + ease + wave - inwards
        a = np.radians(sides)
        return np.stack([r * np.sin(a), level - long * down + 0 * r, middle[2] + r * np.cos(a)], -1)

    grid = np.concatenate([sheet(0), sheet(0.12)[::-1]]).astype(np.float32)
    return _grid(grid, Material.HAIR, np.clip(1 - 0.45 * np.concatenate([down, down[::-1]]), 0, 1) + 0 * sides)


def _bun(identity: Identity, at: Floats, rest: Floats) -> Covering:
    back = at[(rest[:, 2] < np.quantile(rest[:, 2], 0.2)) & (rest[:, 1] > 7.0)]
    height = 0.35 + 0.35 * identity.uniform("bun height")
    middle = np.array([0, np.quantile(back[:, 1], height), back[:, 2].min() - 0.12], np.float32)
    around, up = np.meshgrid(np.linspace(0, 2 * np.pi, 25), np.linspace(-np.pi / 2, np.pi / 2, 13))
    ball = np.stack([np.cos(up) * np.sin(around), np.sin(up), np.cos(up) * np.cos(around)], -1)
    size = np.array([0.36, 0.34, 0.28]) * np.exp(0.15 * identity.normal("bun"))
    return _grid((middle + ball * size)[::-1].astype(np.float32), Material.HAIR)


def _cap(positions: Floats) -> list[Covering]:
    mesh, made = assets(), template()
    canonical = mesh.positions
    quads = mesh.quads[mesh.faces("body")]
    tris = triangles(quads[canonical[quads][..., 1].min(1) > 6.8])
    above = canonical[:, 1] - 7.58 - 0.16 * canonical[:, 2]
    first, second, share, found, _ = cut(canonical, tris, np.where(made.on_ears, -0.05, above).astype(np.float32))
    at = positions[first] * (1 - share[:, None]) + positions[second] * share[:, None]
    rest = canonical[first] * (1 - share[:, None]) + canonical[second] * share[:, None]
    radial = at - (at.mean(0) - np.array([0, 0.35, 0], np.float32))
    radial /= np.linalg.norm(radial, axis=1, keepdims=True)
    crown = (at + radial * 0.13).astype(np.float32)
    shell = Covering(crown, found, np.full((*found.shape, 2), 0.5, np.float32), Material.HEADWEAR, _whole(crown))
    rim = crown[(first != second) & (rest[:, 2] > 0.2)]
    angle = np.arctan2(rim[:, 0], rim[:, 2] - AXIS)
    order = np.argsort(angle)
    sides = np.radians(np.linspace(-62, 62, 25))
    edge = np.stack([np.interp(sides, angle[order], rim[order, axis]) for axis in range(3)], -1)
    out = np.linspace(-0.03, 1, 9)[:, None, None]
    long = 0.72 * np.cos(sides * 90 / 66)[None, :, None]
    fall = np.array([0, -0.30, 1.0]) * long * out + np.array([0, -0.12, 0]) * (np.sin(sides) ** 2)[None, :, None] * out
    visor = (edge + fall + np.array([0, 0.01, 0])).astype(np.float32)
    return [shell, _grid(visor, Material.HEADWEAR)]


def _headscarf(head: Head) -> Covering:
    elevation = np.linspace(90, -64, 44)[:, None]
    inside = np.clip(1 - ((elevation + 3) / 42) ** 2, 0, 1)
    opening = 47 * np.sqrt(inside)  # degrees from the front to the edge of the cloth
    share = np.linspace(0, 1, 61)[None]
    azimuth = opening + share * (360 - 2 * opening)
    near = np.minimum(azimuth - opening, 360 - opening - azimuth)
    loose = np.clip(near / 25, 0, 1) + np.clip((-30 - elevation) / 20, 0, 1)
    fold = 0.02 * np.sin(np.radians(azimuth) * 9 + elevation / 12)
    low = np.clip((-40 - elevation) / 24, 0, 1) * (1 + np.cos(np.radians(azimuth))) / 2  # it hangs deeper in front
    grid = head.at(azimuth, elevation - 14 * low, 0.05 + 0.06 * np.clip(loose, 0, 1) + fold, np.clip(loose, 0, 1))
    turns = np.clip((grid[..., 1] - head.middle[1] + 1.9) / 0.9, 0.1, 1)
    return _grid(grid, Material.HEADWEAR, turns)


def _mask(head: Head) -> list[Covering]:
    azimuth = np.linspace(-64, 64, 41)[None]
    side = (azimuth / 64) ** 2
    top, bottom = -4 - 10 * side, -52 + 22 * side
    elevation = top + np.linspace(0, 1, 24)[:, None] * (bottom - top)
    sheet = _grid(head.at(np.broadcast_to(azimuth, elevation.shape), elevation, 0.05), Material.MASK)
    share = np.linspace(0, 1, 12)
    loops = [
        _tube(head.at(side * (62 + 36 * share), from_ + (to - from_) * share, 0.02), 0.012, Material.MASK)
        for side in (1, -1) for from_, to in ((-15, 3), (-29, -14))
    ]  # fmt: skip
    return [sheet, _joined(loops)]


def _glasses(identity: Identity, positions: Floats, head: Head) -> Covering:
    mesh = assets()
    eyes = [mesh.joint(positions, "l-eye"), mesh.joint(positions, "r-eye")]
    wide, tall = 0.245 + 0.02 * identity.normal("lens width"), 0.17 + 0.025 * identity.normal("lens height")
    tall, wide = float(np.clip(tall, 0.12, 0.22)), float(np.clip(wide, 0.21, 0.29))
    square = (2.0, 2.6, 4.0)[identity.choice("lens shape", (1, 1, 1))]
    thick = (0.014, 0.022, 0.030)[identity.choice("frame", (1, 1, 1))]
    skin = positions[template().body.first]
    brow = skin[(np.abs(np.abs(skin[:, 0]) - eyes[0][0]) < 0.25) & (np.abs(skin[:, 1] - eyes[0][1] - 0.1) < 0.25)]
    plane = max(float(np.quantile(brow[:, 2], 0.97)) + 0.05, eyes[0][2] + 0.27)

    def before(x: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        return np.asarray(plane - 0.12 * (x / 0.55) ** 2)

    turn = np.linspace(0, 2 * np.pi, 33)
    c, s = np.cos(turn), np.sin(turn)
    tubes = []
    for eye in eyes:
        x = 1.04 * eye[0] + wide * np.sign(c) * np.abs(c) ** (2 / square)
        y = eye[1] - 0.03 + tall * np.sign(s) * np.abs(s) ** (2 / square)
        tubes.append(np.stack([x, y, before(x)], -1))
    inner, outer = 1.04 * eyes[0][0] - wide, 1.04 * eyes[0][0] + wide
    x = np.linspace(-inner, inner, 9)
    tubes.append(np.stack([x, eyes[0][1] + 0.05 + 0.03 * np.cos(x / inner * 1.5), before(x) + 0.01], -1))
    for side, eye in ((1, eyes[0]), (-1, eyes[1])):
        ear = head.at([side * 96.0], [7.0], 0.0)[0]
        beside = max(abs(float(ear[0])) - 0.06, outer)
        x = side * np.interp(np.linspace(0, 1, 9), [0, 0.15, 1], [outer, max(outer, beside - 0.04), beside])
        z = np.linspace(float(before(np.array(outer))), ear[2], 9)
        tubes.append(np.stack([x, np.linspace(eye[1] + 0.05, eye[1] + 0.06, 9), z], -1))
    return _joined([_tube(each.astype(np.float32), thick, Material.FRAMES) for each in tubes])


def _tube(path: Floats, radius: float, material: Material) -> Covering:
    along = np.gradient(path, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-9
    across = np.cross(along, [0.1, 0.2, 1.0])
    across /= np.linalg.norm(across, axis=1, keepdims=True) + 1e-9
    other = np.cross(along, across)
    turn = np.linspace(0, 2 * np.pi, 7)[:, None, None]
    return _grid((path + radius * (across * np.cos(turn) + other * np.sin(turn))).astype(np.float32), material)


def _joined(parts: list[Covering]) -> Covering:
    starts = np.cumsum([0, *(len(each.positions) for each in parts[:-1])])
    return Covering(
        np.concatenate([each.positions for each in parts]),
        np.concatenate([each.triangles + start for each, start in zip(parts, starts, strict=True)]).astype(np.int32),
        np.concatenate([each.uv for each in parts]), parts[0].material, np.concatenate([each.turns for each in parts]),
    )  # fmt: skip


def _grid(places: Floats, material: Material, turns: npt.NDArray[np.floating] | None = None) -> Covering:
    """A sheet from a grid of places `(rows, columns, 3)`; its texture runs along it."""
    rows, columns = places.shape[:2]
    number = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns)
    quads = np.stack([number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]], -1).reshape(-1, 4)
    down, across = np.meshgrid(np.linspace(0.02, 0.98, rows), np.linspace(0.02, 0.98, columns), indexing="ij")
    tris, flat = triangles(quads), np.stack([across, down], -1).reshape(-1, 2).astype(np.float32)
    whole = _whole(places.reshape(-1, 3)) if turns is None else turns.reshape(-1).astype(np.float32)
    return Covering(places.reshape(-1, 3), tris, flat[tris], material, whole)


def _halved(tris: Ints, values: list[Floats]) -> tuple[Ints, list[Floats]]:
    """Each triangle cut into four at the middles of its edges, with the values of the vertices in between."""
    edges = np.sort(np.concatenate([tris[:, [0, 1]], tris[:, [1, 2]], tris[:, [2, 0]]]), 1)
    unique, number = np.unique(edges, axis=0, return_inverse=True)
    a, b, c = (len(values[0]) + number.reshape(3, -1)).astype(np.int32)
    x, y, z = tris.T
    four = np.concatenate([np.stack(each, 1) for each in ((x, a, c), (a, y, b), (c, b, z), (a, b, c))])
    return four, [np.concatenate([v, (v[unique[:, 0]] + v[unique[:, 1]]) / 2]) for v in values]


def _whole(places: Floats) -> Floats:
    return np.ones(len(places), np.float32)
