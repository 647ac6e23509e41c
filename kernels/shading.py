"""What colour a pixel is, in linear light: textures, Lambert with a wrap for skin, sheen, soft shadows.

The formulas are plain NumPy, of numbers or of arrays alike (`register_jitable`); `shade` compiles them pixel by pixel,
and `shade_twin`, which defines the result, works on all pixels of a window at once.

A pixel is shaded once for each surface its samples see, not for each sample: at the middle of those samples, on the
triangle that the first of them sees. Texture is read at the pixel's size (halvings, two of them mixed), so what is far
does not flicker.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit
from numba.extending import overload, register_jitable

from kernels.coverage import HALF, STEP, Corners, Texels, texels_per_sample

Array = npt.NDArray[Any]

NEAR_ENOUGH, ALIKE = 0.004, 0.8
"""Samples of one mesh and material are one surface where their depths differ by less than this share, and the cosine
between their normals is at least this."""

BEYOND = 0.25

NOBODY = -2
"""What throws no shadow itself. A background's meshes are −1 to those drawn over it."""

TAPS = 3
"""Texels of a shadow's soft edge."""

_code = np.arange(256) / 255.0
LINEAR = np.where(_code <= 0.04045, _code / 12.92, ((_code + 0.055) / 1.055) ** 2.4)
"""Linear light of each sRGB byte (IEC 61966-2-1)."""


class Surface(NamedTuple):
    """What is interpolated, and what the material makes of it."""

    positions: Array
    normals: Array
    occlusion: Array
    mesh: Array
    """`(T,)` int32."""
    gloss: Array
    scatter: Array
    """`(M,)` and `(M, 3)` float64, as `kernels.raster.Materials` has them."""


class Lighting(NamedTuple):
    """Lights, the sky and the ground, and where they are seen from."""

    vectors: Array
    """`(n, 4)` float64: towards the light, 0, or its place, 1."""
    colours: Array
    """`(n, 3)` float64, strength included."""
    key: int
    """The light that throws shadows, or −1."""
    above: Array
    below: Array
    eye: Array


class Shadows(NamedTuple):
    """For each mesh that throws a shadow, how far along the light its nearest point is."""

    axes: Array
    """`(3, 3)` float64: across, down, and the way the light goes."""
    frames: Array
    """`(n, 5)` float64: left, top (metres), texels per metre, nearest distance, which mesh (−1: none of these)."""
    maps: Array
    """`(n, S, S)` float32 metres, inf where light passes."""


class View(NamedTuple):
    """Pixels and the rays through them."""

    focal: Array
    centre: Array
    rotation: Array


def _chosen(condition: Any, one: Any, other: Any) -> Any:
    return np.where(condition, one, other)


def _within(index: Any, length: Any, again: Any) -> Any:
    """A texel's row or column, of `length`: from the start again, or the border's."""
    return np.where(again, index % length, np.clip(index, 0, length - 1))


@overload(_chosen, strict=False)  # type: ignore[untyped-decorator]
def _chosen_compiled(condition: Any, one: Any, other: Any) -> Any:
    # Numba's `np.where` of numbers allocates.
    return lambda condition, one, other: one if condition else other


@overload(_within, strict=False)  # type: ignore[untyped-decorator]
def _within_compiled(index: Any, length: Any, again: Any) -> Any:
    return lambda index, length, again: index % length if again else min(max(index, 0), length - 1)


@register_jitable(inline="always")  # type: ignore[untyped-decorator]
def _weights(t: Any, x: Any, y: Any, corners: Corners) -> Any:
    """Corners of triangle t, their perspective-correct weights at (x, y) in steps, w there, and twice its area.

    A point beyond the triangle by more than `BEYOND` of its height takes the weights of one that near, so that slivers
    cannot be carried far; within that, the plane goes on and two triangles of it meet without a seam.
    """
    xy, w = corners.xy, corners.w
    i0, i1, i2 = corners.triangles[t, 0], corners.triangles[t, 1], corners.triangles[t, 2]
    ax, ay, bx, by, cx, cy = xy[i0, 0], xy[i0, 1], xy[i1, 0], xy[i1, 1], xy[i2, 0], xy[i2, 1]
    area = np.float64(1) * ((bx - ax) * (cy - ay) - (cx - ax) * (by - ay))
    l1 = ((ax - cx) * (y - cy) - (ay - cy) * (x - cx)) / area
    l2 = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / area
    l0, l1, l2 = np.maximum(1.0 - l1 - l2, -BEYOND), np.maximum(l1, -BEYOND), np.maximum(l2, -BEYOND)
    w0, w1, w2 = w[i0], w[i1], w[i2]
    whole = 1.0 / (l0 + l1 + l2)
    near = np.maximum((l0 * w0 + l1 * w1 + l2 * w2) * whole, np.minimum(np.minimum(w0, w1), w2))
    per = whole / near
    return i0, i1, i2, l0 * w0 * per, l1 * w1 * per, l2 * w2 * per, near, area


@register_jitable(inline="always")  # type: ignore[untyped-decorator]
def _mixed(values: Array, c: int, i0: Any, i1: Any, i2: Any, p0: Any, p1: Any, p2: Any) -> Any:
    return p0 * values[i0, c] + p1 * values[i1, c] + p2 * values[i2, c]


@register_jitable(inline="always")  # type: ignore[untyped-decorator]
def _bilinear(u: Any, v: Any, m: Any, level: Any, texels: Texels) -> Any:
    """Linear red, green, blue between the four nearest texels of a halving."""
    o, high, wide = texels.levels[m, level, 0], texels.levels[m, level, 1], texels.levels[m, level, 2]
    again = texels.repeats[m]
    x, y = u * wide - 0.5, v * high - 0.5
    left, top = np.floor(x), np.floor(y)
    fx, fy = x - left, y - top
    c0, r0 = np.int64(left), np.int64(top)
    c1, r1 = c0 + 1, r0 + 1
    c0, c1, r0, r1 = (
        _within(c0, wide, again),
        _within(c1, wide, again),
        _within(r0, high, again),
        _within(r1, high, again),
    )
    a, b, c, d = o + 4 * (r0 * wide + c0), o + 4 * (r0 * wide + c1), o + 4 * (r1 * wide + c0), o + 4 * (r1 * wide + c1)
    wa, wb, wc, wd = (1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy
    t, light = texels.bytes, LINEAR
    return (
        wa * light[t[a]] + wb * light[t[b]] + wc * light[t[c]] + wd * light[t[d]],
        wa * light[t[a + 1]] + wb * light[t[b + 1]] + wc * light[t[c + 1]] + wd * light[t[d + 1]],
        wa * light[t[a + 2]] + wb * light[t[b + 2]] + wc * light[t[c + 2]] + wd * light[t[d + 2]],
    )


@register_jitable(inline="always")  # type: ignore[untyped-decorator]
def _albedo(u: Any, v: Any, m: Any, ratio: Any, texels: Texels) -> Any:
    """Texture at the size at which a pixel takes in `ratio` of its texels: two halvings mixed."""
    level = np.minimum(0.5 * np.log2(np.maximum(ratio, 1.0)), texels.counts[m] - 1.0)
    fine = np.int64(np.floor(level))
    share = level - fine
    r, g, b = _bilinear(u, v, m, fine, texels)
    R, G, B = _bilinear(u, v, m, np.minimum(fine + 1, texels.counts[m] - 1), texels)
    return r + share * (R - r), g + share * (G - g), b + share * (B - b)


@register_jitable(inline="always")  # type: ignore[untyped-decorator]
def _unit(x: Any, y: Any, z: Any) -> Any:
    per = 1.0 / (np.sqrt(x * x + y * y + z * z) + 1e-12)
    return x * per, y * per, z * per


@register_jitable(inline="always")  # type: ignore[untyped-decorator]
def _towards(k: int, X: Any, Y: Any, Z: Any, lighting: Lighting) -> Any:
    """The unit vector to a light, and how much of its strength arrives: all, or 1/distance² (m)."""
    x, y, z, point = lighting.vectors[k, 0], lighting.vectors[k, 1], lighting.vectors[k, 2], lighting.vectors[k, 3]
    x, y, z = x - point * X, y - point * Y, z - point * Z
    square = x * x + y * y + z * z
    length = np.sqrt(square) + 1e-12
    return x / length, y / length, z / length, 1.0 / (1.0 + point * (square - 1.0) + 1e-12)


@register_jitable(inline="always")  # type: ignore[untyped-decorator]
def _lambert(cosine: Any, wrap: Any) -> Any:
    """Light that also reaches a little around the edge, as it does in skin."""
    return np.maximum((cosine + wrap) / (1.0 + wrap), 0.0)


@register_jitable(inline="always")  # type: ignore[untyped-decorator]
def _reflected(
    k: int, m: Any, r: Any, g: Any, b: Any, X: Any, Y: Any, Z: Any, nx: Any, ny: Any, nz: Any, vx: Any, vy: Any,
    vz: Any, occlusion: Any, surface: Surface, lighting: Lighting,
) -> Any:  # fmt: skip
    """What comes of light k from a surface of that colour: wrapped Lambert, and Blinn–Phong for the sheen."""
    lx, ly, lz, share = _towards(k, X, Y, Z, lighting)
    cosine = nx * lx + ny * ly + nz * lz
    hx, hy, hz = _unit(lx + vx, ly + vy, lz + vz)
    peak = np.maximum(nx * hx + ny * hy + nz * hz, 0.0)
    peak2 = peak * peak
    peak4 = peak2 * peak2
    peak8 = peak4 * peak4
    broad = peak8 * peak4 * peak2
    tight = broad * broad
    tight = tight * tight
    tight = tight * tight * peak2
    gloss = surface.gloss[m]
    wet = _chosen(gloss > 0.5, 4.0 * (gloss - 0.5) * tight * tight, 0.0)
    sheen = (np.minimum(gloss, 0.5) * broad * np.maximum(cosine, 0.0)) + wet * (cosine > 0)
    here = share * (0.45 + 0.55 * occlusion)
    return (
        here * lighting.colours[k, 0] * (r * _lambert(cosine, surface.scatter[m, 0]) + sheen),
        here * lighting.colours[k, 1] * (g * _lambert(cosine, surface.scatter[m, 1]) + sheen),
        here * lighting.colours[k, 2] * (b * _lambert(cosine, surface.scatter[m, 2]) + sheen),
    )


@register_jitable(inline="always")  # type: ignore[untyped-decorator]
def _facing(back: Any, nx: Any, ny: Any, nz: Any, vx: Any, vy: Any, vz: Any) -> Any:
    """The normal of the side that is seen, bent no further away than edge-on."""
    side = _chosen(back, -1.0, 1.0)
    nx, ny, nz = side * nx, side * ny, side * nz
    away = np.minimum(nx * vx + ny * vy + nz * vz, 0.0)
    return _unit(nx - away * vx, ny - away * vy, nz - away * vz)


@register_jitable(inline="always")  # type: ignore[untyped-decorator]
def _along(X: Any, Y: Any, Z: Any, axes: Array) -> Any:
    """A place or a direction as a shadow map has it."""
    return (
        axes[0, 0] * X + axes[0, 1] * Y + axes[0, 2] * Z,
        axes[1, 0] * X + axes[1, 1] * Y + axes[1, 2] * Z,
        axes[2, 0] * X + axes[2, 1] * Y + axes[2, 2] * Z,
    )


@njit(nogil=True, cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def lit(X: float, Y: float, Z: float, nx: float, ny: float, nz: float, own: int, shadows: Shadows) -> float:
    """The share of the key light that arrives at a place of mesh `own` with that normal."""
    least, size = 1.0, shadows.maps.shape[1]
    a, b, d = _along(X, Y, Z, shadows.axes)
    na, nb, nd = _along(nx, ny, nz, shadows.axes)
    for k in range(len(shadows.frames)):
        scale = shadows.frames[k, 2]
        off = 2.0 / scale if shadows.frames[k, 4] == own else 0.0  # a mesh's own texels are as coarse as this
        u, v = (a + off * na - shadows.frames[k, 0]) * scale - 0.5, (b + off * nb - shadows.frames[k, 1]) * scale - 0.5
        at = d + off * nd - 1.0 / scale
        left, top = int(np.floor(u)), int(np.floor(v))
        if left < 1 or top < 1 or left + 3 > size or top + 3 > size or at <= shadows.frames[k, 3]:
            continue
        fu, fv, total = u - left, v - top, 0.0
        for j in range(4):
            row = 1.0 - fv if j == 0 else (fv if j == 3 else 1.0)
            for i in range(4):
                if at <= shadows.maps[k, top + j - 1, left + i - 1]:
                    total += row * (1.0 - fu if i == 0 else (fu if i == 3 else 1.0))
        least = min(least, total / (TAPS * TAPS))
    return least


def lit_twin(X: Array, Y: Array, Z: Array, nx: Array, ny: Array, nz: Array, own: Array, shadows: Shadows) -> Array:
    """The same in NumPy, of places `(n,)`."""
    least, size = np.ones(len(X)), shadows.maps.shape[1]
    a, b, d = _along(X, Y, Z, shadows.axes)
    na, nb, nd = _along(nx, ny, nz, shadows.axes)
    for (left, top, scale, nearest, mesh), depths in zip(shadows.frames, shadows.maps, strict=True):
        off = np.where(mesh == own, 2.0 / scale, 0.0)
        u, v = (a + off * na - left) * scale - 0.5, (b + off * nb - top) * scale - 0.5
        at = d + off * nd - 1.0 / scale
        c, r = np.floor(u).astype(np.int64), np.floor(v).astype(np.int64)
        fu, fv = u - c, v - r
        held = (c >= 1) & (r >= 1) & (c + 3 <= size) & (r + 3 <= size) & (at > nearest)
        total, one = np.zeros(len(X)), np.ones(len(X))
        for j, row in enumerate((1.0 - fv, one, one, fv)):
            for i, column in enumerate((1.0 - fu, one, one, fu)):
                there = depths[np.clip(r + j - 1, 0, size - 1), np.clip(c + i - 1, 0, size - 1)]
                total += np.where(at <= there, row * column, 0.0)
        least = np.where(held, np.minimum(least, total / (TAPS * TAPS)), least)
    return least


@register_jitable(inline="always")  # type: ignore[untyped-decorator]
def _ray(x: Any, y: Any, depth: Any, view: View, eye: Array) -> Any:
    """The place seen at that depth in the middle of pixel (x, y)."""
    a, b = (x + 0.5 - view.centre[0]) / view.focal[0] * depth, (y + 0.5 - view.centre[1]) / view.focal[1] * depth
    R = view.rotation
    return (
        eye[0] + R[0, 0] * a + R[1, 0] * b + R[2, 0] * depth,
        eye[1] + R[0, 1] * a + R[1, 1] * b + R[2, 1] * depth,
        eye[2] + R[0, 2] * a + R[1, 2] * b + R[2, 2] * depth,
    )


@register_jitable(inline="always")  # type: ignore[untyped-decorator]
def _akin(t: Any, s: Any, near: Any, other: Any, corners: Corners, texels: Texels, surface: Surface) -> Any:
    """Whether two samples' triangles are one surface to a pixel."""
    N, a, b = surface.normals, corners.triangles[t, 0], corners.triangles[s, 0]
    cosine = N[a, 0] * N[b, 0] + N[a, 1] * N[b, 1] + N[a, 2] * N[b, 2]
    same = (surface.mesh[t] == surface.mesh[s]) & (texels.material[t] == texels.material[s])
    return (t == s) | (same & (np.abs(near - other) <= NEAR_ENOUGH * near) & (cosine >= ALIKE))


@register_jitable(inline="always")  # type: ignore[untyped-decorator]
def _placed(
    t: Any, x: Any, y: Any, samples: int, corners: Corners, texels: Texels, surface: Surface, eye: Array
) -> Any:
    """Of triangle t at (x, y): place, normal, way to the eye, occlusion, texture coordinates, texels a pixel, depth."""
    i0, i1, i2, p0, p1, p2, near, area = _weights(t, x, y, corners)
    P, N, o = surface.positions, surface.normals, surface.occlusion
    X, Y, Z = (
        _mixed(P, 0, i0, i1, i2, p0, p1, p2),
        _mixed(P, 1, i0, i1, i2, p0, p1, p2),
        _mixed(P, 2, i0, i1, i2, p0, p1, p2),
    )
    nx, ny, nz = _unit(
        _mixed(N, 0, i0, i1, i2, p0, p1, p2), _mixed(N, 1, i0, i1, i2, p0, p1, p2), _mixed(N, 2, i0, i1, i2, p0, p1, p2)
    )
    vx, vy, vz = _unit(eye[0] - X, eye[1] - Y, eye[2] - Z)
    nx, ny, nz = _facing(area > 0, nx, ny, nz, vx, vy, vz)
    uv = texels.uv
    u = p0 * uv[t, 0, 0] + p1 * uv[t, 1, 0] + p2 * uv[t, 2, 0]
    v = p0 * uv[t, 0, 1] + p1 * uv[t, 1, 1] + p2 * uv[t, 2, 1]
    ratio = texels_per_sample(t, i0, i1, i2, area, corners.w, near, texels) * (samples * samples)
    return X, Y, Z, nx, ny, nz, vx, vy, vz, p0 * o[i0] + p1 * o[i1] + p2 * o[i2], u, v, ratio, 1.0 / near


@register_jitable(inline="always")  # type: ignore[untyped-decorator]
def _coloured(
    m: Any, X: Any, Y: Any, Z: Any, nx: Any, ny: Any, nz: Any, vx: Any, vy: Any, vz: Any, occlusion: Any,
    u: Any, v: Any, ratio: Any, arrives: Any, texels: Texels, surface: Surface, lighting: Lighting,
) -> Any:  # fmt: skip
    """Linear red, green, blue, and the part of them that the key light gives."""
    r, g, b = _albedo(u, v, m, ratio, texels)
    up = 0.5 + 0.5 * ny
    red = r * occlusion * (lighting.below[0] + up * (lighting.above[0] - lighting.below[0]))
    green = g * occlusion * (lighting.below[1] + up * (lighting.above[1] - lighting.below[1]))
    blue = b * occlusion * (lighting.below[2] + up * (lighting.above[2] - lighting.below[2]))
    kr, kg, kb = 0.0 * red, 0.0 * green, 0.0 * blue
    for k in range(len(lighting.vectors)):
        dr, dg, db = _reflected(k, m, r, g, b, X, Y, Z, nx, ny, nz, vx, vy, vz, occlusion, surface, lighting)
        if k == lighting.key:
            dr, dg, db = dr * arrives, dg * arrives, db * arrives
            kr, kg, kb = dr, dg, db
        red, green, blue = red + dr, green + dg, blue + db
    return red, green, blue, kr, kg, kb


@njit(nogil=True, cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def darken(
    top: int, bottom: int, view: View, eye: Array, shadows: Shadows, depth: Array, key: Array, colour: Array
) -> None:
    """Take from the colour of a background's rows, in place, the key light that no longer arrives."""
    frames, axes, side = shadows.frames, shadows.axes, shadows.maps.shape[1]
    left, above = frames[:, 0].min(), frames[:, 1].min()
    right, under = (frames[:, 0] + side / frames[:, 2]).max(), (frames[:, 1] + side / frames[:, 2]).max()
    for y in range(top, bottom):
        for x in range(depth.shape[1]):
            if depth[y, x] < np.inf:
                X, Y, Z = _ray(x, y, np.float64(depth[y, x]), view, eye)
                a, b, _ = _along(X, Y, Z, axes)
                # Most of a frame lies outside all maps.
                if left < a < right and above < b < under and key[y, x, 0] + key[y, x, 1] + key[y, x, 2] > 0:
                    lost = 1.0 - lit(X, Y, Z, 0.0, 0.0, 0.0, NOBODY, shadows)
                    if lost > 0:
                        for c in range(3):
                            colour[y, x, c] -= lost * key[y, x, c]


def darken_twin(
    top: int, bottom: int, view: View, eye: Array, shadows: Shadows, depth: Array, key: Array, colour: Array
) -> None:
    """The same in NumPy."""
    y, x = np.nonzero((depth[top:bottom] < np.inf) & (key[top:bottom].sum(axis=2) > 0))
    y += top
    X, Y, Z = _ray(x, y, depth[y, x].astype(np.float64), view, eye)
    still = np.zeros(len(x))
    lost = 1.0 - lit_twin(X, Y, Z, still, still, still, np.full(len(x), NOBODY), shadows)
    colour[y, x] = np.where(lost[:, None] > 0, colour[y, x] - lost[:, None] * key[y, x], colour[y, x])


@njit(nogil=True, cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def shade(
    nearest: Array, seen: Array, samples: int, left: int, top: int, corners: Corners, texels: Texels,
    surface: Surface, lighting: Lighting, shadows: Shadows,
    colour: Array, depth: Array, identity: Array, key: Array,
) -> None:  # fmt: skip
    """Colour `(H, W, 3)`, depth, identity and key, in place, over what a window of them at (left, top) holds.

    nearest, seen `(h·samples, w·samples)`, as `cover` finds them in that window. Depth and identity are those of the
    surface that most samples see, the first of equals; key is left alone unless it is as large as colour.
    """
    all_samples = samples * samples
    mine, near = np.empty(all_samples, np.int64), np.empty(all_samples, np.float32)
    across, down = np.empty(all_samples, np.int64), np.empty(all_samples, np.int64)
    for s in range(all_samples):
        across[s], down[s] = s % samples, s // samples
    for y in range(seen.shape[0] // samples):
        for x in range(seen.shape[1] // samples):
            bare, fy, fx = 0, top + y, left + x
            for s in range(all_samples):
                mine[s] = seen[y * samples + down[s], x * samples + across[s]]
                near[s] = nearest[y * samples + down[s], x * samples + across[s]]
                bare += mine[s] < 0
            if bare == all_samples:
                continue
            behind, most = bare / all_samples, bare
            red, green, blue = behind * colour[fy, fx, 0], behind * colour[fy, fx, 1], behind * colour[fy, fx, 2]
            kr = kg = kb = 0.0
            for s in range(all_samples):
                t = mine[s]
                if t < 0:
                    continue
                px, py, n = 0, 0, 0
                for o in range(s, all_samples):
                    if mine[o] == t or (mine[o] >= 0 and _akin(t, mine[o], near[s], near[o], corners, texels, surface)):
                        mine[o] = -1
                        px += across[o]
                        py += down[o]
                        n += 1
                at_x = (fx * samples + px / n) * STEP + HALF
                at_y = (fy * samples + py / n) * STEP + HALF
                X, Y, Z, nx, ny, nz, vx, vy, vz, occlusion, u, v, ratio, far = _placed(
                    t, at_x, at_y, samples, corners, texels, surface, lighting.eye
                )
                arrives = 1.0
                if lighting.key >= 0:
                    arrives = lit(X, Y, Z, nx, ny, nz, surface.mesh[t], shadows)
                r, g, b, dr, dg, db = _coloured(
                    texels.material[t], X, Y, Z, nx, ny, nz, vx, vy, vz, occlusion, u, v, ratio, arrives,
                    texels, surface, lighting,
                )  # fmt: skip
                share = n / all_samples
                red, green, blue = red + share * r, green + share * g, blue + share * b
                kr, kg, kb = kr + share * dr, kg + share * dg, kb + share * db
                if n > most:
                    most = n
                    depth[fy, fx], identity[fy, fx] = far, surface.mesh[t]
            colour[fy, fx, 0], colour[fy, fx, 1], colour[fy, fx, 2] = red, green, blue
            if key.shape == colour.shape:
                key[fy, fx, 0], key[fy, fx, 1], key[fy, fx, 2] = kr, kg, kb


def shade_twin(
    nearest: Array, seen: Array, samples: int, left: int, top: int, corners: Corners, texels: Texels,
    surface: Surface, lighting: Lighting, shadows: Shadows,
    colour: Array, depth: Array, identity: Array, key: Array,
) -> None:  # fmt: skip
    """The same in NumPy: the k-th surface of every pixel at once."""
    n_all, h, w = samples * samples, seen.shape[0] // samples, seen.shape[1] // samples
    window = slice(top, top + h), slice(left, left + w)
    depth, identity = depth[window], identity[window]
    mine, w_at = (
        a.reshape(h, samples, w, samples).transpose(0, 2, 1, 3).reshape(h, w, n_all) for a in (seen.copy(), nearest)
    )
    most = (mine < 0).sum(axis=2)
    touched = most < n_all
    total = np.where(touched[..., None], colour[window] * (most / n_all)[..., None], colour[window])
    keys = np.zeros(total.shape)
    for s in range(n_all):
        y, x = np.nonzero(mine[:, :, s] >= 0)
        t, near = mine[y, x, s], w_at[y, x, s]
        px, py, n = np.zeros(len(t), np.int64), np.zeros(len(t), np.int64), np.zeros(len(t), np.int64)
        for o in range(s, n_all):
            held = (mine[y, x, o] >= 0) & _akin(t, mine[y, x, o], near, w_at[y, x, o], corners, texels, surface)
            mine[y, x, o] = np.where(held, -1, mine[y, x, o])
            px, py, n = px + held * (o % samples), py + held * (o // samples), n + held
        at_x = ((left + x) * samples + px / n) * STEP + HALF
        at_y = ((top + y) * samples + py / n) * STEP + HALF
        *where, far = _placed(t, at_x, at_y, samples, corners, texels, surface, lighting.eye)
        X, Y, Z, nx, ny, nz, *_ = where
        arrives = lit_twin(X, Y, Z, nx, ny, nz, surface.mesh[t], shadows) if lighting.key >= 0 else np.ones(len(t))
        colours = _coloured(texels.material[t], *where, arrives, texels, surface, lighting)
        share = (n / n_all)[:, None]
        total[y, x] += share * np.stack(colours[:3], axis=1)
        keys[y, x] += share * np.stack(colours[3:], axis=1)
        more = n > most[y, x]
        y, x = y[more], x[more]
        most[y, x], depth[y, x], identity[y, x] = n[more], far[more], surface.mesh[t[more]]
    colour[window] = total
    if key.shape == colour.shape:
        key[window][touched] = keys[touched]
