"""Which triangle a sample sees: a z-buffer whose edges are integers.

Corners are rounded to 1/256 of the distance between samples, and the edge functions of Pineda (1988) are then whole
numbers below 2⁵³: exact, so a sample on an edge that two triangles share belongs to one of them, by the top-left rule,
and the answer is the same to the bit in both tiers, in any cut into bands and on any number of threads.
Each compiled loop stands beside the NumPy twin that defines it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit
from numba.extending import register_jitable

Array = npt.NDArray[Any]

STEP = 256
"""Steps of a corner between one sample and the next."""
HALF = STEP // 2


class Corners(NamedTuple):
    """Projected vertices and the triangles between them."""

    xy: Array
    """`(V, 2)` int64, in steps: sample (x, y) lies at (x + ½, y + ½) · STEP."""
    w: Array
    """`(V,)` float64 above 0, greater is nearer, linear on the screen: 1/depth in a camera."""
    triangles: Array
    """`(T, 3)` int32."""


class Texels(NamedTuple):
    """The textures of all materials, every one with its halvings, in one line of bytes."""

    bytes: Array
    """uint8: red, green, blue (sRGB), opacity; row by row."""
    levels: Array
    """`(M, L, 3)` int64: offset, height, width of each halving."""
    counts: Array
    """`(M,)` int64: halvings of each, the full size included."""
    uv: Array
    """`(T, 3, 2)` float32: (0, 0) is the texture's upper left corner, (1, 1) the lower right one."""
    material: Array
    """`(T,)` int32."""
    repeats: Array
    """`(M,)` bool: outside 0 to 1 it starts again; otherwise its border goes on."""


@register_jitable  # type: ignore[untyped-decorator]
def texels_per_sample(t: Any, i0: Any, i1: Any, i2: Any, area: Any, w: Array, near: Any, texels: Texels) -> Any:
    """Texels of the full size that a square of one sample's width takes in; `near` is w at the sample.

    The perspective map of the screen onto the triangle has the Jacobian w₀w₁w₂/w³.
    """
    uv, m = texels.uv, texels.material[t]
    du1, dv1 = uv[t, 1, 0] - uv[t, 0, 0], uv[t, 1, 1] - uv[t, 0, 1]
    du2, dv2 = uv[t, 2, 0] - uv[t, 0, 0], uv[t, 2, 1] - uv[t, 0, 1]
    size = texels.levels[m, 0, 1] * texels.levels[m, 0, 2] * np.float64(STEP * STEP)
    return np.abs(du1 * dv2 - du2 * dv1) * size / np.abs(area) * (w[i0] * w[i1] * w[i2]) / (near * near * near)


@register_jitable  # type: ignore[untyped-decorator]
def chance(x: Any, y: Any) -> Any:
    """A number from 0 to below 255 that a texel always has: what it shows at less opacity than that is not there."""
    h = (x * 374761393 + y * 668265263) & 0xFFFFFFFF
    h = ((h ^ (h >> 13)) * 1274126177) & 0xFFFFFFFF
    return ((h ^ (h >> 16)) & 0xFFFF) * (255.0 / 65536.0)


@njit(nogil=True, cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def extents(corners: Corners, both: Array, width: int, height: int) -> Array:
    """First and last column and row of samples that a triangle may cover, `(T, 4)` int32; the frame's, if it is cut.

    Last is below first for what is not drawn: no area, outside the frame, or seen from behind unless `both` `(T,)`.
    Corners go anticlockwise around the side that is seen.
    """
    xy, triangles = corners.xy, corners.triangles
    found = np.empty((len(triangles), 4), np.int32)
    for t in range(len(triangles)):
        i0, i1, i2 = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax, ay, bx, by, cx, cy = xy[i0, 0], xy[i0, 1], xy[i1, 0], xy[i1, 1], xy[i2, 0], xy[i2, 1]
        area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
        left, right = (min(ax, bx, cx) + HALF - 1) // STEP, (max(ax, bx, cx) - HALF) // STEP
        top, bottom = (min(ay, by, cy) + HALF - 1) // STEP, (max(ay, by, cy) - HALF) // STEP
        left, right, top, bottom = max(left, 0), min(right, width - 1), max(top, 0), min(bottom, height - 1)
        if not (area < 0 or (both[t] and area > 0)) or right < left or bottom < top:
            left, right, top, bottom = 0, -1, 0, -1
        found[t, 0], found[t, 1], found[t, 2], found[t, 3] = left, right, top, bottom
    return found


def extents_twin(corners: Corners, both: Array, width: int, height: int) -> Array:
    """The same in NumPy."""
    a, b, c = (corners.xy[corners.triangles[:, k]] for k in range(3))
    area = (b - a)[:, 0] * (c - a)[:, 1] - (c - a)[:, 0] * (b - a)[:, 1]
    first = np.maximum((np.minimum(np.minimum(a, b), c) + HALF - 1) // STEP, 0)
    last = np.minimum((np.maximum(np.maximum(a, b), c) - HALF) // STEP, (width - 1, height - 1))
    drawn = ((area < 0) | (both & (area > 0))) & (first <= last).all(axis=1)
    found = np.stack([first[:, 0], last[:, 0], first[:, 1], last[:, 1]], axis=1).astype(np.int32)
    return np.where(drawn[:, None], found, np.array([0, -1, 0, -1], np.int32))


@njit(nogil=True, cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def cover(
    corners: Corners, chosen: Array, spans: Array, texels: Texels, cutout: Array, backdrop: Array, samples: int,
    window: tuple[int, int, int, int],
) -> tuple[Array, Array]:  # fmt: skip
    """The nearest w `(rows, columns)` float32 and its triangle (−1: none) of each sample in a window of pixels.

    chosen: the triangles to draw, in the order in which the first of equals wins; spans `(T, 4)`: their `extents`.
    backdrop `(h, w)` float32: the depth that is already there; samples × samples in each of its pixels.
    cutout `(M,)` bool: materials whose texels are there or not by `chance`, by their opacity.
    window: of pixels, first column and the one after the last, and the same of rows.
    """
    left, right, top, bottom = window[0] * samples, window[1] * samples, window[2] * samples, window[3] * samples
    rows, columns = bottom - top, right - left
    nearest, seen = np.empty((rows, columns), np.float32), np.full((rows, columns), -1, np.int32)
    for y in range(rows):
        row, at = window[2] + y // samples, 0
        for x in range(window[0], window[1]):
            near = np.float32(1) / backdrop[row, x]
            for _ in range(samples):
                nearest[y, at] = near
                at += 1
    xy, w, triangles = corners.xy, corners.w, corners.triangles
    for k in range(len(chosen)):
        t = chosen[k]
        i0, i1, i2 = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax, ay, bx, by, cx, cy = xy[i0, 0], xy[i0, 1], xy[i1, 0], xy[i1, 1], xy[i2, 0], xy[i2, 1]
        area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
        turn = 1 if area > 0 else -1  # edges of a triangle seen from behind run the other way round
        ux, uy, vx, vy, sx, sy = cx - bx, cy - by, ax - cx, ay - cy, bx - ax, by - ay
        ux, uy, vx, vy, sx, sy = turn * ux, turn * uy, turn * vx, turn * vy, turn * sx, turn * sy
        # Edges on top and on the left hold their samples; of the others, only what lies inside by at least a step.
        ue = 0 if uy < 0 or (uy == 0 and ux > 0) else 1
        ve = 0 if vy < 0 or (vy == 0 and vx > 0) else 1
        se = 0 if sy < 0 or (sy == 0 and sx > 0) else 1
        x0, x1 = max(spans[t, 0], left), min(spans[t, 1], right - 1)
        y0, y1 = max(spans[t, 2], top), min(spans[t, 3], bottom - 1)
        px, per = x0 * STEP + HALF, 1.0 / abs(area)
        w0, w1, w2 = w[i0], w[i1] - w[i0], w[i2] - w[i0]
        m = texels.material[t]
        for y in range(y0, y1 + 1):
            py = y * STEP + HALF
            e0 = ux * (py - by) - uy * (px - bx) - ue
            e1 = vx * (py - cy) - vy * (px - cx) - ve
            e2 = sx * (py - ay) - sy * (px - ax) - se
            for x in range(x0, x1 + 1):
                if (e0 | e1 | e2) >= 0:
                    l1, l2 = (e1 + ve) * per, (e2 + se) * per
                    near = w0 + l1 * w1 + l2 * w2
                    if np.float32(near) > nearest[y - top, x - left]:
                        there = True
                        if cutout[m]:
                            p1, p2 = l1 * w[i1] / near, l2 * w[i2] / near
                            p0 = 1.0 - p1 - p2
                            ratio = texels_per_sample(t, i0, i1, i2, area, w, near, texels)
                            level = 0
                            while ratio > 2 and level < texels.counts[m] - 1:
                                ratio *= 0.25
                                level += 1
                            o, high, wide = (
                                texels.levels[m, level, 0],
                                texels.levels[m, level, 1],
                                texels.levels[m, level, 2],
                            )
                            u = p0 * texels.uv[t, 0, 0] + p1 * texels.uv[t, 1, 0] + p2 * texels.uv[t, 2, 0]
                            v = p0 * texels.uv[t, 0, 1] + p1 * texels.uv[t, 1, 1] + p2 * texels.uv[t, 2, 1]
                            if texels.repeats[m]:
                                u, v = u - np.floor(u), v - np.floor(v)
                            column = min(max(int(np.floor(u * wide)), 0), wide - 1)
                            row = min(max(int(np.floor(v * high)), 0), high - 1)
                            there = texels.bytes[o + 4 * (row * wide + column) + 3] > chance(column, row)
                        if there:
                            nearest[y - top, x - left] = near
                            seen[y - top, x - left] = t
                e0, e1, e2 = e0 - uy * STEP, e1 - vy * STEP, e2 - sy * STEP
    return nearest, seen


def cover_twin(
    corners: Corners, chosen: Array, spans: Array, texels: Texels, cutout: Array, backdrop: Array, samples: int,
    window: tuple[int, int, int, int],
) -> tuple[Array, Array]:  # fmt: skip
    """The same in NumPy, a triangle at a time."""
    with np.errstate(divide="ignore"):
        there = np.float32(1) / backdrop[window[2] : window[3], window[0] : window[1]]
    nearest = np.repeat(np.repeat(there, samples, 0), samples, 1)
    seen = np.full(nearest.shape, -1, np.int32)
    left, right, top, bottom = np.multiply(window, samples)
    for t in chosen:
        i = corners.triangles[t]
        xy, w = corners.xy[i], corners.w[i]
        (bx, by), (cx, cy) = xy[1] - xy[0], xy[2] - xy[0]
        area = bx * cy - cx * by
        x = np.arange(max(spans[t, 0], left), min(spans[t, 1] + 1, right))
        y = np.arange(max(spans[t, 2], top), min(spans[t, 3] + 1, bottom))[:, None]
        inside, edges = np.ones((len(y), len(x)), bool), []
        for k in range(3):
            (ax, ay), (dx, dy) = xy[(k + 1) % 3], np.sign(area) * (xy[(k + 2) % 3] - xy[(k + 1) % 3])
            edges.append(dx * (y * STEP + HALF - ay) - dy * (x * STEP + HALF - ax))
            inside &= edges[k] >= (0 if dy < 0 or (dy == 0 and dx > 0) else 1)
        per = 1.0 / abs(area)
        l1, l2 = edges[1] * per, edges[2] * per
        near = w[0] + l1 * (w[1] - w[0]) + l2 * (w[2] - w[0])
        here = np.ix_(y[:, 0] - top, x - left)
        drawn = inside & (near.astype(np.float32) > nearest[here])
        if cutout[texels.material[t]]:
            drawn[drawn] = _opaque(t, i, area, corners.w, l1[drawn], l2[drawn], near[drawn], texels)
        nearest[here] = np.where(drawn, near.astype(np.float32), nearest[here])
        seen[here] = np.where(drawn, t, seen[here])
    return nearest, seen


def _opaque(t: int, i: Array, area: int, w: Array, l1: Array, l2: Array, near: Array, texels: Texels) -> Array:
    """Whether the texel of a cut-out is there."""
    m = texels.material[t]
    p1, p2 = l1 * w[i[1]] / near, l2 * w[i[2]] / near
    u, v = (np.stack([1.0 - p1 - p2, p1, p2], axis=1)[..., None] * texels.uv[t]).cumsum(axis=1)[:, -1].T
    ratio = texels_per_sample(t, *i, area, w, near, texels)
    level = (ratio[:, None] > 2.0 * 4.0 ** np.arange(texels.counts[m] - 1)).sum(axis=1)
    offset, high, wide = texels.levels[m, level].T
    if texels.repeats[m]:
        u, v = u - np.floor(u), v - np.floor(v)
    column = np.clip(np.floor(u * wide).astype(np.int64), 0, wide - 1)
    row = np.clip(np.floor(v * high).astype(np.int64), 0, high - 1)
    return np.asarray(texels.bytes[offset + 4 * (row * wide + column) + 3] > chance(column, row))
