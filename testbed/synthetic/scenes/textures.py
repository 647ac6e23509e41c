"""Textures of places, drawn from a fixed seed: `(h, w, 4)` bytes, sRGB. Most fit together where they start again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Colour = tuple[float, float, float]


def plain(colour: Colour) -> Bytes:
    """One colour."""
    return _bytes(np.tile(np.array(colour, np.float64), (4, 4, 1)))


def plaster(colour: Colour, seed: int, rough: float = 3.0, dirt: float = 4.0, size: int = 512) -> Bytes:
    """A coat of paint: fine grain, and wide stains."""
    return _bytes(np.array(colour) + (rough * _cloud(size, 0.4, seed) + dirt * _cloud(size, 1.6, seed + 1))[..., None])


def stone(colour: Colour, chips: Sequence[Colour], seed: int, dirt: float = 3.0, size: int = 512) -> Bytes:
    """Terrazzo or asphalt: grains of other colours in a ground."""
    picture = np.array(colour) + (2.5 * _cloud(size, 0.2, seed) + dirt * _cloud(size, 1.6, seed + 1))[..., None]
    for row, chip in enumerate(chips):
        grains = np.clip(3 * (_cloud(size, 0.75, seed + 2 + row) - 1.25), 0, 1)[..., None]
        picture += grains * (np.array(chip) - picture)
    return _bytes(picture)


def tiles(
    rows: int, columns: int, colour: Colour, joint: Colour, seed: int, width: float = 0.03, spread: float = 4.0,
    bond: bool = False, ground: Bytes | None = None, size: int = 512,
) -> Bytes:  # fmt: skip
    """Tiles or bricks with joints `width` of a row wide; `bond`: every other row is half a tile off."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] / size * np.array([rows, columns])[:, None, None]
    row = y.astype(int)
    x = x + 0.5 * (row % 2) * bond
    column = x.astype(int) % columns
    tint = rng.normal(0, spread, (rows, columns))[row, column] + rng.normal(0, spread / 4, (rows, columns))[row, column]
    u, v = x % 1, y % 1
    aspect = rows / columns
    edge = np.minimum(np.minimum(u, 1 - u) * aspect, np.minimum(v, 1 - v))
    soft = 1.2 * rows / size
    inside = np.clip((edge - width / 2) / soft, 0, 1)[..., None]
    bevel = np.clip(1 - (edge - width / 2) / (width + soft), 0, 1) * np.where(v < 0.5, 1.0, -1.0) * 7
    base = np.array(colour) if ground is None else ground[..., :3].astype(np.float64)
    stains = 2.0 * _cloud(size, 0.4, seed + 1) + 4.0 * _cloud(size, 1.6, seed + 2)
    picture = base + (tint + bevel + stains)[..., None]
    return _bytes(np.array(joint) + stains[..., None] + inside * (picture - np.array(joint)))


def metal(colour: Colour, seed: int, size: int = 256) -> Bytes:
    """Brushed metal."""
    streaks = np.random.default_rng(seed).normal(0, 1, (size, 1)) + 0.4 * np.random.default_rng(seed).normal(
        0, 1, (size, size)
    )
    return _bytes(np.array(colour) + (4 * streaks + 3 * _cloud(size, 1.6, seed))[..., None])


def poster(seed: int, high: int = 384, wide: int = 256) -> Bytes:
    """A poster that says nothing: fields, discs and stripes within a white border."""
    rng = np.random.default_rng(seed)
    colours = rng.permutation(np.array([
        (38, 70, 110), (214, 92, 52), (236, 196, 92), (64, 130, 104), (230, 224, 210), (120, 52, 76), (30, 34, 40)
    ], np.float64))  # fmt: skip
    y, x = np.mgrid[:high, :wide] / wide
    picture = colours[0] + (y / y.max())[..., None] * 0.6 * (colours[1] - colours[0])
    for colour in colours[2:5]:
        cx, cy, r = rng.uniform(0.1, 0.9), rng.uniform(0.1, high / wide - 0.1), rng.uniform(0.1, 0.38)
        if rng.random() < 0.6:
            inside = np.hypot(x - cx, y - cy) < r
        else:
            inside = np.abs((x - cx) * np.cos(9 * r) + (y - cy) * np.sin(9 * r)) < 0.3 * r
        picture[inside] = colour
    foot = y > 0.86 * y.max()
    picture[foot] = colours[5]
    picture[foot & (y > 0.90 * y.max()) & (y < 0.92 * y.max()) & (x > 0.1) & (x < 0.7)] = 230
    border = (x < 0.03) | (x > 0.97) | (y < 0.03) | (y > y.max() - 0.03)
    picture[border] = 235
    return _bytes(picture)


def products(seed: int, shelves: int = 4, high: int = 512, wide: int = 512, bold: float = 1.0, bright: float = 1.0
) -> Bytes:  # fmt: skip
    """Shelves full of coloured packets; starts again sideways."""
    rng = np.random.default_rng(seed)
    picture = np.full((high, wide, 3), 34.0)
    step = high // shelves
    for shelf in range(shelves):
        floor = (shelf + 1) * step - 10
        x = 0
        while x < wide - 4:
            kind = rng.uniform(40, 225, 3)
            kind = rng.uniform(50, 205) + bold * (kind - kind.mean())
            width, tall = int(rng.integers(12, 34)), int(step * rng.uniform(0.45, 0.84))
            for _ in range(int(rng.integers(2, 6))):
                right = min(x + width, wide)
                shade = rng.uniform(0.88, 1.05) * np.linspace(1.05, 0.82, right - x)[None, :, None]
                picture[floor - tall : floor, x:right] = kind * shade
                label = floor - int(tall * 0.72), floor - int(tall * 0.35)
                picture[label[0] : label[1], x + 2 : max(right - 2, x + 2)] = 0.35 * kind + rng.uniform(60, 150)
                picture[floor - tall : floor, right - 1 : right] *= 0.45
                x = right
            x += int(rng.integers(0, 5))
        picture[floor - step + 10 : floor - step + 40] *= np.linspace(0.35, 1, 30)[:, None, None]
        picture[floor : floor + 10] = 196
        picture[floor + 3 : floor + 8, rng.integers(0, wide, 60)] = 120
    return _bytes(bright * picture)


def window(seed: int, panes: tuple[int, int] = (2, 2), frame: Colour = (222, 220, 214), size: int = 256) -> Bytes:
    """A window by day: dark glass with a reflection of the sky, in a frame."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] / size
    glow = np.clip(1.2 - 1.5 * y + 0.25 * np.sin(5 * x + rng.uniform(0, 6)), 0, 1)[..., None]
    picture = np.array([34.0, 40, 46]) + glow * np.array([58.0, 68, 78])
    side = rng.uniform(0.12, 0.3)
    curtain = ((x < side) | (x > 1 - side)) & (rng.random() < 0.7)
    picture[curtain] = 0.5 * picture[curtain] + (60 + 14 * np.sin(60 * x[curtain]))[:, None]
    bars = np.zeros((size, size), bool)
    for share, count in ((x, panes[0]), (y, panes[1])):
        bars |= np.abs((share * count + 0.5) % 1 - 0.5) < 0.022 * count
    picture[bars | (np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y)) < 0.05)] = frame
    return _bytes(picture)


def leaves(seed: int, size: int = 256) -> Bytes:
    """A cluster of leaves, with nothing between them."""
    y, x = np.mgrid[:size, :size] / (size / 2) - 1
    cloud = _cloud(size, 0.9, seed)
    picture = np.array([66.0, 92, 48]) + (16 * _cloud(size, 0.5, seed + 1))[..., None] - 18 * (y[..., None] + 0.2)
    there = np.clip(400 * (cloud + 0.9 - 1.9 * np.hypot(x, y) ** 2) + 128, 0, 255)
    return np.dstack([_bytes(picture)[..., :3], there.astype(np.uint8)])


def board(seed: int, rows: int = 5, wide: int = 256, high: int = 96) -> Bytes:
    """An indicator board: rows of lit dots that spell nothing."""
    rng = np.random.default_rng(seed)
    picture = np.full((high, wide, 3), 16.0)
    step = high // rows
    for row in range(rows):
        for start in (8, wide // 3, wide * 3 // 4):
            end = start + int(rng.integers(20, 56))
            on = rng.random(((step - 6) // 2, (min(end, wide - 6) - start) // 2)) < 0.6
            dots = np.kron(on, np.ones((2, 2)))[..., None] * np.array([226.0, 150, 40])
            patch = picture[row * step + 3 : row * step + 3 + dots.shape[0], start : start + dots.shape[1]]
            np.maximum(patch, dots, out=patch)
    return _bytes(picture)


def grid(colour: Colour, bar: Colour, count: int, width: float, seed: int, size: int = 256) -> Bytes:
    """Ceiling panels between bars."""
    return tiles(count, count, colour, bar, seed, width, 1.5, size=size)


def clouds(top: Colour, foot: Colour, seed: int, size: int = 256) -> Bytes:
    """A hazy sky, brighter towards the horizon."""
    y = np.linspace(0, 1, size)[:, None, None] ** 1.5
    veil = 6 * _cloud(size, 1.8, seed)[..., None]
    return _bytes(np.array(top) + y * (np.array(foot) - np.array(top)) + veil)


def _cloud(size: int, slope: float, seed: int) -> Floats:
    """Noise of mean 0 and variance 1 that starts again at its edges; the higher the slope, the wider its shapes."""
    noise = np.fft.rfft2(np.random.default_rng(seed).normal(size=(size, size)))
    k = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None])
    k[0, 0] = np.inf
    cloud = np.fft.irfft2(noise * k**-slope, (size, size))
    return np.asarray(cloud / cloud.std())


def _bytes(picture: Floats) -> Bytes:
    opaque = np.full((*picture.shape[:2], 1), 255, np.uint8)
    return np.concatenate([np.clip(np.rint(picture), 0, 255).astype(np.uint8), opaque], axis=2)
