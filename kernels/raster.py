"""Triangles to pictures: a z-buffer rasteriser with textures, soft shadows and smooth edges, for people who walk.

The world is in metres, y up. A camera looks along +z of its own axes, x to the right, y down. Colour is linear light
everywhere: textures are sRGB and decoded when read, results are linear float32 without an upper bound, and `srgb` makes
bytes of them. What a camera adds (lens, noise, gain) is done elsewhere.

`render` works in bands of rows, each by itself, all their edges whole numbers (`kernels.coverage`) and nothing summed
across threads: the same bytes on any number of them. Over a `background` only what moves is drawn, and the background
is darkened where the shadow of it falls. `tier="numpy"` is the twin that defines all this; numba is loaded by those who
draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from kernels.threads import in_order

if TYPE_CHECKING:
    from kernels.coverage import Corners, Texels
    from kernels.shading import Shadows

Array = npt.NDArray[Any]
Tier = Literal["numpy", "numba"]
Three = tuple[float, float, float] | Array

LARGEST = 8192
"""Pixels of a side: edge functions stay exact, and a frame below 2 GB."""
NEAREST = 0.05
"""Metres before the eye at which triangles are cut."""
MARGIN = 4
"""Frames to each side of the frame at which triangles are cut too: their corners stay whole numbers that fit."""
MAP = 512
"""Texels of a mesh's shadow, across."""
BAND = 24
"""Rows of pixels drawn as one task."""
HALVINGS = 14


@dataclass(frozen=True)
class Mesh:
    """Triangles of one thing. Corners go anticlockwise around their outer side. Raises ValueError."""

    positions: npt.NDArray[np.float32]
    """`(V, 3)` metres, in the world."""
    normals: npt.NDArray[np.float32]
    """`(V, 3)` outwards."""
    occlusion: npt.NDArray[np.float32]
    """`(V,)` share of the sky that is seen from there, 0–1."""
    triangles: npt.NDArray[np.int32]
    """`(T, 3)` vertices."""
    uv: npt.NDArray[np.float32]
    """`(T, 3, 2)` where in the texture each corner lies: (0, 0) its upper left, (1, 1) its lower right corner."""
    material: npt.NDArray[np.int32]
    """`(T,)` rows of `Materials`."""
    casts: bool = True
    """Whether it throws a shadow."""

    def __post_init__(self) -> None:
        V, T = len(self.positions), len(self.triangles)
        shapes = {"positions": (V, 3), "normals": (V, 3), "occlusion": (V,), "triangles": (T, 3), "uv": (T, 3, 2)}
        for name, shape in (shapes | {"material": (T,)}).items():
            given = getattr(self, name)
            if given.shape != shape:
                raise ValueError(f"{name} of a mesh must be {shape}, not {given.shape}")
            if given.dtype.kind == "f" and not np.isfinite(given).all():
                raise ValueError(f"{name} of a mesh must be finite numbers")
        if T and not 0 <= self.triangles.min() <= self.triangles.max() < V:
            raise ValueError(f"triangles of a mesh must lie within its {V} vertices")


@dataclass(frozen=True)
class Materials:
    """What surfaces are made of, a row each; keep one for many frames, for it keeps its halvings. Raises ValueError."""

    textures: tuple[npt.NDArray[np.uint8], ...]
    """`(h, w, 4)` each: sRGB and opacity. Opacity counts in cut-outs alone."""
    gloss: Array
    """`(M,)` 0 is matt; up to ½ a broad sheen of that strength (skin .1); above it turns wet (eyes 1)."""
    double_sided: Array
    """`(M,)` bool: seen from both sides."""
    cutout: Array
    """`(M,)` bool: a texel is there or not, by its opacity and a number that it always has (hair)."""
    scatter: Array | None = None
    """`(M, 3)` how far light creeps around the edge, by colour, 0–1 (skin .30, .14, .10). None: not at all."""
    repeats: Array | None = None
    """`(M,)` bool: the texture starts again outside 0 to 1 (floors). None: its border goes on."""

    def __post_init__(self) -> None:
        M = len(self.textures)
        for name in ("gloss", "double_sided", "cutout", "repeats", "scatter"):
            given, shape = getattr(self, name), (M, 3) if name == "scatter" else (M,)
            if given is not None and np.shape(given) != shape:
                raise ValueError(f"{name} of {M} materials must be {shape}, not {np.shape(given)}")
        for k, texture in enumerate(self.textures):
            if texture.dtype != np.uint8 or texture.ndim != 3 or texture.shape[2] != 4 or not texture.size:
                raise ValueError(f"texture {k} must be (h, w, 4) bytes, not {texture.shape} {texture.dtype}")
            if max(texture.shape) > LARGEST:
                raise ValueError(f"texture {k} is {texture.shape[1]} × {texture.shape[0]}; at most {LARGEST} a side")

    @cached_property
    def halvings(self) -> tuple[Array, Array, Array]:
        """All textures with their halvings as bytes, `(M, HALVINGS, 3)` offset, height, width, and `(M,)` how many."""
        pieces: list[Array] = []
        levels, counts = np.zeros((len(self.textures), HALVINGS, 3), np.int64), np.zeros(len(self.textures), np.int64)
        known: dict[int, int] = {}
        size = 0
        for m, texture in enumerate(self.textures):
            first = known.setdefault(id(texture), m)
            if first < m:
                levels[m], counts[m] = levels[first], counts[first]
                continue
            for level in _halved(texture):
                levels[m, counts[m]] = size, *level.shape[:2]
                counts[m] += 1
                size += level.size
                pieces.append(level.ravel())
        return np.concatenate([np.zeros(0, np.uint8), *pieces]), levels, counts


@dataclass(frozen=True)
class Camera:
    """A pinhole. Raises ValueError."""

    focal: tuple[float, float]
    """Pixels, along x and y."""
    centre: tuple[float, float]
    """Pixels; the middle of the first pixel is (½, ½)."""
    rotation: Array
    """`(3, 3)` world to camera: rows are the camera's right, down and forward."""
    eye: Array
    """`(3,)` metres."""
    width: int
    height: int

    def __post_init__(self) -> None:
        if not (0 < self.width <= LARGEST and 0 < self.height <= LARGEST):
            raise ValueError(f"a frame has 1 to {LARGEST} pixels a side, not {self.width} × {self.height}")
        numbers = np.concatenate([np.ravel(x) for x in (self.focal, self.centre, self.rotation, self.eye)])
        if numbers.size != 16 or not np.isfinite(numbers).all() or min(self.focal) <= 0:
            raise ValueError("a camera needs finite focal lengths above 0, centre, rotation (3, 3) and eye (3,)")
        if not np.allclose(np.asarray(self.rotation) @ np.transpose(self.rotation), np.eye(3), atol=1e-4):
            raise ValueError("the rotation of a camera must keep lengths and angles")

    def project(self, points: Array) -> npt.NDArray[np.float64]:
        """Pixels and depth `(n, 3)` of places `(n, 3)`; NaN pixels where they are not in front of the near plane."""
        x, y, z = self.seen(points).T
        front = np.where(z >= NEAREST, z, np.nan)
        return np.stack([x / front * self.focal[0] + self.centre[0], y / front * self.focal[1] + self.centre[1], z], 1)

    def seen(self, points: Array) -> npt.NDArray[np.float64]:
        """Places `(n, 3)` in the camera's axes; without BLAS, whose sums depend on its threads."""
        x, y, z = np.asarray(points, np.float64).T - np.asarray(self.eye, np.float64)[:, None]
        R = np.asarray(self.rotation, np.float64)
        return np.stack([R[k, 0] * x + R[k, 1] * y + R[k, 2] * z for k in range(3)], axis=1)


def look_at(eye: Three, target: Three, up: Three = (0.0, 1.0, 0.0)) -> npt.NDArray[np.float64]:
    """The rotation of a camera at `eye` that looks at `target`."""
    ahead = np.asarray(target, np.float64) - np.asarray(eye, np.float64)
    ahead /= np.linalg.norm(ahead)
    right = np.cross(ahead, up)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(ahead, right), ahead])


@dataclass(frozen=True)
class Light:
    """A lamp, or light from afar (the sun). An albedo of 1 that faces it at strength 1 (a lamp: from 1 m) shows 1."""

    vector: Three
    """Towards the light; of a `point`, where it is (metres)."""
    colour: Three = (1.0, 1.0, 1.0)
    strength: float = 1.0
    point: bool = False
    shadows: bool = False
    """At most one light from afar throws shadows."""


@dataclass(frozen=True)
class Lights:
    """All light. Raises ValueError."""

    lights: tuple[Light, ...]
    above: Three = (0.0, 0.0, 0.0)
    """Light from the sky, on what faces up; mixed with `below` for what faces sideways."""
    below: Three = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        numbers = [*self.above, *self.below, *(x for k in self.lights for x in (*k.vector, *k.colour, k.strength))]
        if not np.isfinite(numbers).all():
            raise ValueError("lights must be finite numbers")
        if any(k.shadows and k.point for k in self.lights) or sum(k.shadows for k in self.lights) > 1:
            raise ValueError("only one light may throw shadows, and it must be one from afar, not a point")
        if any(not k.point and not np.any(k.vector) for k in self.lights):
            raise ValueError("a light from afar needs a direction")


@dataclass(frozen=True)
class Rendered:
    """A picture and what it shows."""

    colour: npt.NDArray[np.float32]
    """`(h, w, 3)` linear light."""
    depth: npt.NDArray[np.float32]
    """`(h, w)` metres along the camera's axis; inf where there is nothing."""
    identity: npt.NDArray[np.int32]
    """`(h, w)` which mesh most of the pixel shows; −1: none of them."""
    boxes: npt.NDArray[np.float64]
    """`(meshes, 4)` left, top, right, bottom in pixels, hidden parts included, cut at the frame; NaN: not in it."""
    key: npt.NDArray[np.float32] | None = field(default=None, repr=False)
    """`(h, w, 3)` the part of colour that the light with shadows gives; None over a background."""
    shadows: Shadows | None = field(default=None, repr=False)
    """The shadows that its meshes throw, for what is drawn over it."""


def joined(several: Sequence[Materials]) -> Materials:
    """All materials of several as one: those of the second come after the first's, and so on; so do their halvings."""
    nothing = Materials((), np.zeros(0, np.float32), np.zeros(0, bool), np.zeros(0, bool))
    parts = [nothing, *several]
    M = [len(part.textures) for part in parts]
    scatter = [np.zeros((m, 3)) if part.scatter is None else part.scatter for m, part in zip(M, parts, strict=True)]
    repeats = [np.zeros(m, bool) if part.repeats is None else part.repeats for m, part in zip(M, parts, strict=True)]
    one = Materials(
        tuple(texture for part in parts for texture in part.textures),
        np.concatenate([part.gloss for part in parts]), np.concatenate([part.double_sided for part in parts]),
        np.concatenate([part.cutout for part in parts]), np.concatenate(scatter), np.concatenate(repeats),
    )  # fmt: skip
    texels, levels, counts = zip(*(part.halvings for part in parts), strict=True)
    starts = np.cumsum([0, *map(len, texels)])
    moved = [each + np.array([start, 0, 0]) for each, start in zip(levels, starts, strict=False)]
    # What a frozen dataclass keeps of a cached property: work that its parts have done already.
    one.__dict__["halvings"] = np.concatenate(texels), np.concatenate(moved), np.concatenate(counts)
    return one


def backdrop(colour: Array) -> Rendered:
    """A background of linear light `(h, w, 3)` that is infinitely far and takes no shadow."""
    linear = np.array(colour, np.float32)
    size = linear.shape[:2]
    if linear.shape != (*size, 3) or not np.isfinite(linear).all():
        raise ValueError(f"a backdrop must be finite numbers (h, w, 3), not {linear.shape}")
    nothing = np.full(size, np.inf, np.float32), np.full(size, -1, np.int32), np.zeros((0, 4))
    return Rendered(linear, *nothing, np.zeros_like(linear))


def srgb(linear: Array) -> npt.NDArray[np.uint8]:
    """Linear light as sRGB bytes (IEC 61966-2-1); above 1 is white."""
    x = np.clip(linear, 0.0, 1.0)
    return np.asarray(np.where(x <= 0.0031308, x * 12.92, 1.055 * x ** (1 / 2.4) - 0.055) * 255 + 0.5).astype(np.uint8)


def render(
    meshes: Sequence[Mesh], materials: Materials, camera: Camera, lights: Lights, background: Rendered | None = None,
    samples: int = 2, threads: int | None = None, tier: Tier = "numba",
) -> Rendered:  # fmt: skip
    """Draw meshes, over nothing (black, infinitely far) or over a `background` drawn before with the same camera.

    samples: by samples, in a pixel, decide what is seen there; colour is worked out once a surface and pixel.
    Raises ValueError where a material is not there, or the background is of another size or drawn over another one.
    """
    from kernels import coverage, shading  # numba is loaded by those who draw

    if not 1 <= samples <= 4:
        raise ValueError(f"samples must be 1 to 4, not {samples}")
    size = camera.height, camera.width
    behind = None if background is None else background.key
    if background is not None and (background.depth.shape != size or behind is None):
        raise ValueError(f"the background must be {size[1]} × {size[0]} pixels and drawn over none itself")
    for k, mesh in enumerate(meshes):
        if len(mesh.material) and not 0 <= mesh.material.min() <= mesh.material.max() < len(materials.textures):
            raise ValueError(f"mesh {k} names a material that is not among the {len(materials.textures)}")
    compiled = tier == "numba"
    extents, cover = (coverage.extents, coverage.cover) if compiled else (coverage.extents_twin, coverage.cover_twin)
    shade, darken = (shading.shade, shading.darken) if compiled else (shading.shade_twin, shading.darken_twin)

    scene, corners, texels, boxes = _projected(meshes, materials, camera, samples)
    both = np.asarray(materials.double_sided, bool)[texels.material]
    spans = extents(corners, both, camera.width * samples, camera.height * samples)
    key = next((k for k, light in enumerate(lights.lights) if light.shadows), -1)
    lighting = shading.Lighting(
        np.array([_vector(light) for light in lights.lights], np.float64).reshape(-1, 4),
        np.array([np.multiply(k.colour, k.strength) for k in lights.lights], np.float64).reshape(-1, 3),
        key,
        *(np.asarray(x, np.float64) for x in (lights.above, lights.below, camera.eye)),
    )
    thrown = _shadows([] if key < 0 else meshes, lighting.vectors[key, :3] if key >= 0 else None, threads, tier)
    falling = thrown
    if background is not None and background.shadows is not None:
        falling = _both(thrown, background.shadows)
    rotation = np.ascontiguousarray(camera.rotation, np.float64)
    view = shading.View(np.array(camera.focal, np.float64), np.array(camera.centre, np.float64), rotation)
    drawn = Rendered(
        np.zeros((*size, 3), np.float32) if background is None else np.empty((*size, 3), np.float32),
        np.full(size, np.inf, np.float32) if background is None else np.empty(size, np.float32),
        np.full(size, -1, np.int32),
        boxes,
        np.zeros((*size, 3), np.float32) if background is None else None,
        thrown,
    )
    key_light = np.zeros((0, 0, 0), np.float32) if drawn.key is None else drawn.key
    cutout = np.asarray(materials.cutout, bool)

    def band(top: int) -> None:
        bottom = min(top + BAND, camera.height)
        if background is not None:
            rows = slice(top, bottom)
            drawn.colour[rows], drawn.depth[rows] = background.colour[rows], background.depth[rows]
            if behind is not None and len(thrown.maps):
                darken(top, bottom, view, lighting.eye, thrown, drawn.depth, behind, drawn.colour)
        chosen = np.flatnonzero((spans[:, 2] < bottom * samples) & (spans[:, 3] >= top * samples))
        if not len(chosen):
            return
        left, right = spans[chosen, 0].min() // samples, spans[chosen, 1].max() // samples + 1
        window = int(left), int(right), top, bottom
        nearest, seen = cover(corners, chosen, spans, texels, cutout, drawn.depth, samples, window)
        shade(
            nearest, seen, samples, window[0], top, corners, texels, scene, lighting, falling,
            drawn.colour, drawn.depth, drawn.identity, key_light,
        )  # fmt: skip

    for _ in in_order(band, range(0, camera.height, BAND), threads):
        pass
    boxes[[not (spans[scene.mesh == k, 2] <= spans[scene.mesh == k, 3]).any() for k in range(len(meshes))]] = np.nan
    return drawn


def _vector(light: Light) -> tuple[float, float, float, float]:
    x, y, z = np.asarray(light.vector, np.float64)
    return x, y, z, float(light.point)


def _halved(texture: Array) -> list[Array]:
    """A texture, and its halvings down to one texel; averaged as light, weighted with opacity."""
    from kernels.shading import LINEAR

    levels = [np.ascontiguousarray(texture)]
    while max(levels[-1].shape[:2]) > 1 and len(levels) < HALVINGS:
        last = levels[-1]
        even = np.pad(last, [(0, n % 2 if n > 1 else 1) for n in last.shape[:2]] + [(0, 0)], mode="edge")
        four = even.reshape(even.shape[0] // 2, 2, even.shape[1] // 2, 2, 4)
        weight = np.maximum(four[..., 3:] / 255.0, 1e-6)
        light = (LINEAR[four[..., :3]] * weight).sum(axis=(1, 3)) / weight.sum(axis=(1, 3))
        opacity = (four[..., 3].mean(axis=(1, 3)) + 0.5).astype(np.uint8)
        levels.append(np.dstack([srgb(light), opacity]))
    return levels


def _projected(
    meshes: Sequence[Mesh], materials: Materials, camera: Camera, samples: int
) -> tuple[Any, Corners, Texels, Array]:
    """All meshes as one, on the screen in steps of `kernels.coverage`, cut where they leave the view; and boxes."""
    from kernels.coverage import STEP, Corners, Texels
    from kernels.shading import Surface

    def joined(name: str, shape: tuple[int, ...], dtype: type) -> Array:
        return np.concatenate([np.zeros((0, *shape), dtype), *(np.asarray(getattr(m, name), dtype) for m in meshes)])

    starts = np.cumsum([0, *(len(m.positions) for m in meshes)])
    positions, normals = joined("positions", (3,), np.float32), joined("normals", (3,), np.float32)
    occlusion, uv = joined("occlusion", (), np.float32), joined("uv", (3, 2), np.float32)
    triangles = np.concatenate([
        np.zeros((0, 3), np.int32),
        *(m.triangles.astype(np.int32) + np.int32(s) for m, s in zip(meshes, starts, strict=False)),
    ])  # fmt: skip
    material = joined("material", (), np.int32)
    mesh = np.repeat(np.arange(len(meshes), dtype=np.int32), [len(m.triangles) for m in meshes])
    points, planes = camera.seen(positions), _planes(camera)

    boxes = np.full((len(meshes), 4), np.nan)
    outside = np.zeros(len(points), bool)
    for plane in planes:
        outside |= points[:, 0] * plane[0] + points[:, 1] * plane[1] + points[:, 2] * plane[2] < plane[3]
    crossing = outside[triangles].any(axis=1) if outside.any() else np.zeros(len(triangles), bool)
    if crossing.any():
        cut = np.flatnonzero(crossing)
        parent, weights = clipped(points[triangles[cut]], planes)
        parent = cut[parent]

        def mixed(values: Array) -> Array:
            return np.asarray(np.einsum("tij,tj...->ti...", weights, values)).reshape(-1, *values.shape[2:])

        of, first = triangles[parent], len(points)
        points = np.concatenate([points, mixed(points[of])])
        positions, normals, occlusion = (
            np.concatenate([x, mixed(x[of]).astype(np.float32)]) for x in (positions, normals, occlusion)
        )
        outside = np.concatenate([outside, np.zeros(len(points) - first, bool)])
        new = np.arange(first, len(points), dtype=np.int32).reshape(-1, 3)
        keep = ~crossing
        triangles = np.concatenate([triangles[keep], new])
        uv = np.concatenate([uv[keep], mixed(uv[parent]).reshape(-1, 3, 2).astype(np.float32)])
        material, mesh = (np.concatenate([x[keep], x[parent]]) for x in (material, mesh))
    depth = np.where(outside, 1.0, points[:, 2])
    x = np.where(outside, 0.0, points[:, 0]) / depth * camera.focal[0] + camera.centre[0]
    y = np.where(outside, 0.0, points[:, 1]) / depth * camera.focal[1] + camera.centre[1]
    xy = np.rint(np.stack([x, y], axis=1) * (samples * STEP)).astype(np.int64)
    limits = np.array([camera.width, camera.height], np.float64)
    for k in range(len(meshes)):
        own = slice(starts[k], starts[k + 1])
        used = np.flatnonzero(~outside[own]) + starts[k]
        if crossing.any():
            used = np.concatenate([used, triangles[(mesh == k) & (triangles[:, 0] >= starts[-1])].ravel()])
        if len(used):
            place = np.clip(np.stack([x[used], y[used]], axis=1), 0, limits)
            boxes[k] = *place.min(axis=0), *place.max(axis=0)
    M = len(materials.textures)
    scatter = np.zeros((M, 3)) if materials.scatter is None else np.asarray(materials.scatter, np.float64)
    repeats = np.zeros(M, bool) if materials.repeats is None else np.asarray(materials.repeats, bool)
    surface = Surface(positions, normals, occlusion, mesh, np.asarray(materials.gloss, np.float64), scatter)
    texels = Texels(*materials.halvings, uv, material, repeats)
    return surface, Corners(xy, 1.0 / depth, triangles), texels, boxes


def _planes(camera: Camera) -> Array:
    """`(5, 4)`: n, d with n·p ≥ d in view: the near plane, and `MARGIN` frames to each side."""
    (fx, fy), (cx, cy) = camera.focal, camera.centre
    left, right = cx + MARGIN * camera.width, (1 + MARGIN) * camera.width - cx
    above, under = cy + MARGIN * camera.height, (1 + MARGIN) * camera.height - cy
    sides = [[fx, 0, left, 0], [-fx, 0, right, 0], [0, fy, above, 0], [0, -fy, under, 0]]
    return np.array([[0, 0, 1, NEAREST], *sides], np.float64)


def clipped(corners: Array, planes: Array) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """What of triangles `(n, 3, 3)` lies where normal·p ≥ d for all planes `(k, 4)` (Sutherland & Hodgman 1974).

    Which triangle each piece `(m,)` is of, and its corners as weights of that one's `(m, 3, 3)`. Two triangles that
    share an edge cut it at the same point to the bit: a cut is always reckoned from inside to outside.
    """
    parent, weights = np.arange(len(corners)), np.tile(np.eye(3), (len(corners), 1, 1))
    for *normal, distance in planes:
        points = np.einsum("tij,tjk->tik", weights, corners[parent])
        d = points[..., 0] * normal[0] + points[..., 1] * normal[1] + points[..., 2] * normal[2] - distance
        inside = d >= 0
        count = inside.sum(axis=1)
        pieces = [(parent[count == 3], weights[count == 3])]
        for n in (1, 2):
            rows = np.flatnonzero(count == n)
            odd = (inside if n == 1 else ~inside)[rows].argmax(axis=1)  # the corner alone on its side comes first
            order = (odd[:, None] + np.arange(3)) % 3
            W, D = np.take_along_axis(weights[rows], order[..., None], 1), np.take_along_axis(d[rows], order, 1)
            a, b, c = W.transpose(1, 0, 2)
            da, db, dc = D.T
            if n == 1:
                pieces.append((parent[rows], np.stack([a, _cut(a, b, da, db), _cut(a, c, da, dc)], axis=1)))
            else:
                ab, ac = _cut(b, a, db, da), _cut(c, a, dc, da)
                pieces += [(parent[rows], np.stack([ab, b, c], axis=1)), (parent[rows], np.stack([ab, c, ac], axis=1))]
        parent, weights = (np.concatenate(part) for part in zip(*pieces, strict=True))
    return parent, weights


def _cut(inside: Array, outside: Array, d: Array, beyond: Array) -> Array:
    share = (d / (d - beyond))[:, None]
    return np.asarray((1.0 - share) * inside + share * outside)


def _shadows(meshes: Sequence[Mesh], towards: Array | None, threads: int | None, tier: Tier) -> Shadows:
    """The shadow map of every mesh that throws one; its texels on a grid that stands still."""
    from kernels import coverage, shading

    casting = [k for k, mesh in enumerate(meshes) if mesh.casts and len(mesh.triangles)]
    frames, maps = np.zeros((len(casting), 5)), np.empty((len(casting), MAP, MAP), np.float32)
    if towards is None:
        return shading.Shadows(np.eye(3), frames, maps)
    axes = look_at(towards, (0, 0, 0), (0, 0, 1) if abs(towards[1]) > 0.9 * np.linalg.norm(towards) else (0, 1, 0))
    extents, cover = (
        (coverage.extents, coverage.cover) if tier == "numba" else (coverage.extents_twin, coverage.cover_twin)
    )
    nowhere = np.full((1, 1), np.inf, np.float32)

    def thrown(row: int) -> None:
        mesh = meshes[casting[row]]
        x, y, z = mesh.positions.astype(np.float64).T
        along = np.stack([a[0] * x + a[1] * y + a[2] * z for a in axes], axis=1)
        low, high = along.min(axis=0), along.max(axis=0)
        extent = max(high[0] - low[0], high[1] - low[1], 0.05) / (MAP - 8)
        texel = 2.0 ** (np.ceil(4 * np.log2(extent)) / 4)
        left, top = (np.floor(low[:2] / texel) - 3) * texel
        steps = np.rint((along[:, :2] - (left, top)) * (coverage.STEP / texel)).astype(np.int64)
        beyond = high[2] + 1.0
        plain = _no_texels(len(mesh.triangles))
        corners = coverage.Corners(steps, beyond - along[:, 2], np.array(mesh.triangles, np.int32))
        spans = extents(corners, np.ones(len(mesh.triangles), bool), MAP, MAP)
        chosen = np.flatnonzero(spans[:, 2] <= spans[:, 3])
        nearest, seen = cover(corners, chosen, spans, plain, np.zeros(1, bool), nowhere, MAP, (0, 1, 0, 1))
        maps[row] = np.where(seen >= 0, beyond - nearest, np.inf)
        frames[row] = left, top, 1.0 / texel, low[2], casting[row]

    for _ in in_order(thrown, range(len(casting)), threads):
        pass
    return shading.Shadows(axes, frames, maps)


def _no_texels(triangles: int) -> Texels:
    from kernels.coverage import Texels

    sizes = np.zeros((1, HALVINGS, 3), np.int64), np.ones(1, np.int64)
    none = np.zeros((1, 3, 2), np.float32), np.zeros(triangles, np.int32)
    return Texels(np.zeros(4, np.uint8), *sizes, *none, np.zeros(1, bool))


def _both(thrown: Shadows, standing: Shadows) -> Shadows:
    """Shadows of what moves and of the background, whose meshes are none of these."""
    frames = np.concatenate([thrown.frames, standing.frames * (1, 1, 1, 1, 0) + (0, 0, 0, 0, -1)])
    return thrown._replace(frames=frames, maps=np.concatenate([thrown.maps, standing.maps]))
