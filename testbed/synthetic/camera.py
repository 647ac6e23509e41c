"""A surveillance camera: from linear light as it is drawn to the bytes that its encoder is given.

In this order: what moves smears over the shutter time and leans with the rolling shutter; the lens bends and blurs;
photosites count electrons; gain and conversion; colours from the mosaic; the tone curve of sRGB; colours smoothed and
luma sharpened; the clock.

How much light that is: a white surface under 100 lux fills a photosite's well in 1/50 s. A lens of f/1.4 does that to
photosites of 3 µm (a base speed of about ISO 300); at f/2 it takes 200 lux. White balance is taken to be right: white
fills red, green and blue photosites alike. An infrared camera has no mosaic: each photosite takes all light.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from kernels.raster import LARGEST, Camera, look_at, srgb
from pipelines.errors import InputError
from testbed.scenario.synthetic import FilmedCamera

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]
Image = npt.NDArray[np.uint8]

FULL = 2.0
"""Lux seconds on a white surface that fill the well: 100 lux for 1/50 s."""
LUMINANCE = np.array([[0.2126, 0.7152, 0.0722]], np.float32)

GREY, SETTLES, FASTEST = 0.18, 0.4, 1e-5
"""Automatic exposure makes the mean grey level that of this share of white, with this time constant (seconds), by
shutters down to this time (seconds; surveillance cameras say 1/100,000 in their data sheets: few have an iris)."""

STILL = 0.3
"""Pixels below which nothing smears or leans."""
MOST_BENT = 3.0
"""How many times farther out a corner may lie before the lens bends it."""

BLACK, WHITE = 256, 4095
"""What a 12-bit converter says of no light, so that read noise may go below it, and the most that it can say."""
FEW, STEPS, SIGMAS, PER_SIGMA = 20, 64, 5, 64
"""Below so many electrons a photosite counts as Poisson's law says, tabled at so many steps an electron and, up to
so many standard deviations, so many steps each; above, a normal deviate of the right variance does."""

LENS = 0.55
"""Standard deviation of what lens and low-pass filter blur at best, pixels: without it fine leaves turn to rainbows."""
SMOOTH = 1.0, 0.1
"""Pixels over which colours are smoothed, and how many more for each decibel of gain: cameras do, noise is coloured."""

DAY = datetime(2031, 5, 14, 10)
"""What the clock shows at second 0; twelve hours later where it is dark."""
DARK = 20.0
"""Lux."""


@dataclass(frozen=True, eq=False)
class Shot:
    """A frame as `View.pinhole` draws it, before the camera does anything to it."""

    colour: Floats
    """`(h, w, 3)` linear light."""
    background: Floats
    """`(h, w, 3)` the same without anyone."""
    identity: npt.NDArray[np.int32]
    """`(h, w)` who it shows, a row of `velocity`; −1: the background."""
    velocity: npt.NDArray[np.float64]
    """`(movers, 2)` pixels a second."""
    distance: npt.NDArray[np.float64]
    """`(movers,)` metres from the camera: who is nearer stays in front."""


class View:
    """Where a camera looks, and how its lens bends what it sees. Raises InputError where it bends too much.

    The division model (Fitzgibbon 2001): what a pinhole shows at ρ from the middle of the picture lies at r, where
    ρ = r / (1 + k·r²), in units of half the width. To first order r = ρ(1 + k·ρ²), but one to one out to the corners,
    and exact both ways. At any k the left and the right edge are `field` degrees apart.
    """

    def __init__(self, settings: FilmedCamera, eye: Array, pan: float, tilt: float, field: float) -> None:
        self.size = W, H = settings.size
        self.k = k = settings.distortion
        # The middles of all pixels; for a place in the picture, (½, ½) is the middle of the first.
        x, y = (np.arange(W) + 0.5) * 2 / W - 1, ((np.arange(H) + 0.5) * 2 - H)[:, None] / W
        bent = 1 + k * (x**2 + y**2)
        w, h = W, H
        if k:
            reach = [np.abs(side / bent).max() * W / 2 for side in (x, y)]
            w, h = (2 * int(np.ceil(each + 1)) for each in reach)
            if not 1 / MOST_BENT <= bent.min() <= bent.max() <= 2 or max(w, h) > LARGEST:
                raise InputError(
                    f"camera {settings.name}: `distortion: {k:g}` bends the corners of a picture of {W} × {H} too far "
                    "to be drawn; take a value nearer 0"
                )
        across, down = (np.float32(side / bent * W / 2 + (each - 1) / 2) for side, each in ((x, w), (y, h)))
        self._maps = (across, down) if k else None
        a, b = np.radians([pan, tilt])
        ahead = np.array([-np.sin(a) * np.cos(b), -np.sin(b), -np.cos(a) * np.cos(b)])
        focal = W / 2 / (1 + k) / np.tan(np.radians(field) / 2)
        eye = np.asarray(eye, np.float64)
        self.pinhole = Camera((focal, focal), (w / 2, h / 2), look_at(eye, eye + ahead), eye, w, h)

    def placed(self, points: Array) -> npt.NDArray[np.float64]:
        """Where places `(n, 2)` of the pinhole's picture are in the delivered one; NaN stays, or is out of reach."""
        half = self.size[0] / 2
        at = (np.asarray(points, np.float64) - self.pinhole.centre) / half
        inside = 1 - 4 * self.k * (at**2).sum(axis=1, keepdims=True)
        root = np.sqrt(np.where(inside >= 0, inside, np.nan))
        return np.asarray(at * 2 / (1 + root) * half + np.array(self.size) / 2)

    def taken(self, picture: Array) -> Array:
        """The sensor's `(H, W, …)` of the pinhole's `(h, w, …)`: light between pixels is mixed, whole numbers not."""
        if self._maps is None:
            return picture
        how = cv2.INTER_LINEAR if picture.dtype.kind == "f" else cv2.INTER_NEAREST
        return np.asarray(cv2.remap(picture.astype(np.float32, copy=False), *self._maps, how)).astype(picture.dtype)


class Sensor:
    """The eye of a camera from frame to frame; its exposure follows the light.

    lux is what falls on a surface that the drawing shows as its albedo. The noise of a frame depends on the seed, the
    frame and the light alone, and each photosite has deviates of its own, so that two films of one seed that differ in
    one thing differ in that thing only.
    """

    shutter_s: float
    """Shutter time of the last frame, seconds."""
    gain_db: float
    """Gain of the last frame, decibels (20 are a factor of ten)."""

    def __init__(
        self, settings: FilmedCamera, view: View, lux: float, monochrome: bool, seed: int, day: int = 1
    ) -> None:
        if lux <= 0:
            raise ValueError(f"there must be some light, not {lux} lux")
        self.settings, self.view, self.lux, self.monochrome, self.seed = settings, view, lux, monochrome, seed
        self.shutter_s, self.gain_db, self._today = settings.exposure_s, settings.gain_db, DAY + timedelta(day - 1)
        self._level = self._wanted = self._seconds = np.nan

    def settle(self) -> None:
        """Forget what was seen before: the next frame is exposed as a first one."""
        self._level = self._wanted = self._seconds = np.nan

    def expose(self, shot: Shot, frame: int, seconds: float) -> Image:
        """The picture `(H, W, 3)`, RGB; call it frame by frame, for the exposure has a memory.

        A mover is where `shot` shows it halfway through the exposure of the middle row.
        """
        settings = self.settings
        if settings.automatic:
            self._adjust(shot.colour, seconds)
        light = self.view.taken(smeared(shot, self.shutter_s, settings.rolling_s, settings.size[1]))
        light = cv2.GaussianBlur(light, (0, 0), float(np.hypot(LENS, settings.defocus_px)))
        generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([self.seed, frame])))
        sites = luminance(light) if self.monochrome else mosaic(light)
        filled = np.float32(self.lux * self.shutter_s / FULL * settings.full_well)
        electrons = counted(np.maximum(sites, 0) * filled, settings.read_noise, generator)
        said = converted(electrons, settings.full_well, self.gain_db)
        image = developed(said, settings.sharpen, None if self.monochrome else SMOOTH[0] + SMOOTH[1] * self.gain_db)
        if settings.clock:
            dark = self.monochrome or self.lux < DARK
            stamp(image, self._today + timedelta(hours=12 * dark, seconds=int(seconds)))
        return image

    def _adjust(self, colour: Floats, seconds: float) -> None:
        """Shutter and gain of this frame, from what the frames before it showed; the first is settled at once."""
        settings, fastest = self.settings, min(FASTEST, self.settings.exposure_s)
        unit = self.lux / FULL
        limits = np.log2([unit * fastest, unit * settings.exposure_s * 10 ** (settings.gain_db / 20)])
        seen = metered(colour, *limits)
        if np.isnan(self._level):
            self._level = self._wanted = seen
        else:
            self._level += (self._wanted - self._level) * -np.expm1((self._seconds - seconds) / SETTLES)
        self._wanted, self._seconds = seen, seconds
        level = 2.0**self._level
        self.shutter_s = float(np.clip(level / unit, fastest, settings.exposure_s))
        self.gain_db = float(np.clip(20 * np.log10(level / unit / self.shutter_s), 0, settings.gain_db))


def luminance(colour: Floats) -> Floats:
    """`(h, w)` of linear light `(h, w, 3)`."""
    return np.asarray(cv2.transform(np.ascontiguousarray(colour), LUMINANCE), np.float32)


def metered(colour: Floats, lowest: float, highest: float) -> float:
    """log2 of the amplification, within limits, that brings the mean grey level to that of `GREY`.

    Centre-weighted, by every eighth pixel both ways. Grey levels are those of a gamma of 2.2, up to white: a bright
    window counts as white, however bright.
    """
    grey = np.maximum(luminance(colour[4::8, 4::8]), 0) ** (1 / 2.2)
    h, w = grey.shape
    y, x = np.linspace(-1, 1, h)[:, None], np.linspace(-1, 1, w)
    weight = np.exp(-(x**2) - y**2)
    weight /= weight.sum()
    for _ in range(24):
        middle = (lowest + highest) / 2
        if (np.minimum(grey * 2 ** (middle / 2.2), 1) * weight).sum() < GREY ** (1 / 2.2):
            lowest = middle
        else:
            highest = middle
    return (lowest + highest) / 2


def smeared(shot: Shot, shutter_s: float, rolling_s: float, rows: int) -> Floats:
    """The light `(h, w, 3)` gathered while the shutter is open, rows read one after another.

    Each mover is a layer that slides along its velocity; the nearest comes last. What of a mover is hidden by a nearer
    one is taken to be like what is seen of it beside that, as far as it may come to light. What stands still in front
    of a mover is part of the background: at its edge a few pixels of the mover spill over.
    """
    reach = np.ceil(np.abs(shot.velocity) * (shutter_s + rolling_s) / 2).astype(int) + 3
    window = (4 * reach.max(initial=0) + 1,) * 2  # it slides out from behind one who slides away
    if not (np.hypot(*shot.velocity.T) * max(shutter_s, rolling_s / 2) >= STILL).any():
        return shot.colour
    height, width = shot.identity.shape
    order = np.argsort(-shot.distance, kind="stable")
    rank = np.full(len(order) + 1, -1)  # the last: background
    rank[order] = np.arange(len(order))
    nearness = rank[shot.identity].astype(np.int16)
    around = np.ones((3, 3), np.uint8)  # the rim shows mover and background mixed: it goes with the mover
    light = shot.colour.copy()
    cv2.copyTo(shot.background, cv2.dilate((nearness >= 0).view(np.uint8), around), light)
    for place, k in enumerate(order):
        own = (nearness == place).view(np.uint8)
        x, y, w, h = cv2.boundingRect(own)
        if not w:
            continue
        right, down = reach[k]
        part = slice(max(y - down, 0), min(y + h + down, height)), slice(max(x - right, 0), min(x + w + right, width))
        other = nearness[part]
        mask = (cv2.dilate(own[part], around) & ((other < 0) | (other == place))).astype(np.float32)
        layer = np.dstack([shot.colour[part] * mask[..., None], mask])
        delay = (np.arange(height)[part[0]] + 0.5 - height / 2) * (rolling_s / rows)
        hidden = other > place
        if hidden.any():
            seen = np.maximum(cv2.blur(np.float32(~hidden), window), 1e-3)
            layer[hidden] = cv2.blur(layer, window)[hidden] / seen[hidden, None]
        layer = _slid(layer, shot.velocity[k], shutter_s, delay)
        light[part] = light[part] * (1 - layer[..., 3:]) + layer[..., :3]
    return light


def _slid(layer: Floats, velocity: Array, shutter_s: float, delay: Array) -> Floats:
    """The mean of a layer `(h, w, …)` while it moves, row by row so many seconds late."""
    speed = float(np.hypot(*velocity))
    if speed * shutter_s >= STILL:
        layer = cv2.filter2D(layer, -1, _streak(*velocity * shutter_s), borderType=cv2.BORDER_REPLICATE)
    if speed * np.abs(delay).max() >= STILL:
        h, w = layer.shape[:2]
        late = delay[:, None]
        x, y = np.broadcast_arrays(np.arange(w) - velocity[0] * late, np.arange(h)[:, None] - velocity[1] * late)
        layer = cv2.remap(
            layer, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
    return layer


def _streak(x: float, y: float) -> Floats:
    """What a point leaves that moves by so many pixels, as a kernel whose sum is 1."""
    n = 4 * int(np.ceil(max(abs(x), abs(y))))
    middle = np.ceil(np.abs([y, x]) / 2).astype(int) + 1
    at = ((np.arange(n) + 0.5) / n - 0.5)[:, None] * (y, x) + middle
    first = np.floor(at).astype(int)
    kernel = np.zeros(2 * middle + 1)
    for corner in ((0, 0), (0, 1), (1, 0), (1, 1)):
        place = first + corner
        np.add.at(kernel, tuple(place.T), (1 - np.abs(at - place)).prod(axis=1) / n)
    return kernel.astype(np.float32)


def mosaic(light: Floats) -> Floats:
    """What each photosite of rows RGRG…, GBGB… takes of colours `(h, w, 3)`: `(h, w)`, even sides."""
    sites = light[..., 1].copy()
    sites[::2, ::2], sites[1::2, 1::2] = light[::2, ::2, 0], light[1::2, 1::2, 2]
    return sites


def counted(expected: Floats, read_noise: float, generator: np.random.Generator) -> Floats:
    """Electrons `(h, w)` as read out where so many are expected: shot noise (Poisson) and read noise (normal)."""
    z = generator.standard_normal(expected.shape, np.float32)
    counts = expected + np.sqrt(expected + np.float32(read_noise**2)) * z
    few = np.flatnonzero(expected < FEW)
    if len(few):
        row = (expected.ravel()[few] * STEPS + 0.5).astype(np.int32)
        column = np.clip(z.ravel()[few] * PER_SIGMA + (SIGMAS * PER_SIGMA + 0.5), 0, 2 * SIGMAS * PER_SIGMA)
        noise = generator.standard_normal(expected.shape, np.float32).ravel()[few] * np.float32(read_noise)
        counts.ravel()[few] = _quantiles()[row, column.astype(np.int32)] + noise
    return np.asarray(counts, np.float32)


@lru_cache(maxsize=1)
def _quantiles() -> npt.NDArray[np.uint8]:
    """Poisson's quantiles: rows are means, columns standard normal deviates."""
    from scipy.stats import norm, poisson

    u = norm.cdf(np.arange(-SIGMAS * PER_SIGMA, SIGMAS * PER_SIGMA + 1) / PER_SIGMA)
    means = np.arange(FEW * STEPS + 1)[:, None] / STEPS
    shares = np.asarray(poisson.cdf(np.arange(4 * FEW), means))
    return np.stack([np.searchsorted(row, u) for row in shares]).astype(np.uint8)


def converted(electrons: Floats, full_well: float, gain_db: float) -> npt.NDArray[np.uint16]:
    """What the converter says: `BLACK` for none, `WHITE` and no more for a full well, or less of it with gain."""
    scale = np.float32((WHITE - BLACK) / full_well * 10 ** (gain_db / 20))
    return np.asarray(np.clip(electrons * scale + np.float32(BLACK + 0.5), 0, WHITE), np.uint16)


def developed(said: npt.NDArray[np.uint16], sharpen: float, smooth: float | None) -> Image:
    """The picture `(h, w, 3)`, sRGB: the tone curve and sharpening; colours from the mosaic (edge-aware), smoothed.

    smooth: pixels, standard deviation; at half the resolution, which is all an encoder keeps. None: there is no mosaic.
    """
    fine = said << 4  # what is between two photosites lies between two numbers
    if smooth is None:
        return np.asarray(cv2.cvtColor(_sharpened(cv2.LUT(fine, _tone()), sharpen), cv2.COLOR_GRAY2RGB), np.uint8)
    image = cv2.LUT(cv2.demosaicing(fine, cv2.COLOR_BayerRGGB2RGB_EA), _tone())
    luma, *colours = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb))
    h, w = luma.shape
    halves = (cv2.resize(each, (w // 2, h // 2), interpolation=cv2.INTER_AREA) for each in colours)
    colours = [cv2.resize(cv2.GaussianBlur(half, (0, 0), smooth / 2), (w, h)) for half in halves]
    return np.asarray(cv2.cvtColor(cv2.merge([_sharpened(luma, sharpen), *colours]), cv2.COLOR_YCrCb2RGB), np.uint8)


@lru_cache(maxsize=1)
def _tone() -> Image:
    return srgb((np.arange(65_536) / 16 - BLACK) / (WHITE - BLACK))


def _sharpened(luma: Image, amount: float) -> Image:
    """Unsharp masking: so many times what a blur of one pixel takes away is added."""
    return np.asarray(cv2.addWeighted(luma, 1 + amount, cv2.GaussianBlur(luma, (5, 5), 1.0), -amount, 0), np.uint8)


def stamp(image: Image, at: datetime) -> None:
    """Write date and time into the lower left corner, in place: white, with a dark rim."""
    rim, white = _written(f"{at:%Y-%m-%d %H:%M:%S}", image.shape[0])
    part = image[-len(rim) :, : rim.shape[1]]
    rim, white = (each[-len(part) :, : part.shape[1]] for each in (rim, white))
    part[...] = (part * (1 - rim) + white + np.float32(0.5)).astype(np.uint8)


@lru_cache(maxsize=4)
def _written(text: str, height: int) -> tuple[Floats, Floats]:
    """How much of the picture the words and their rim cover, 0–1, and their white, 0–255; `(h, w, 1)` each."""
    scale, gap = max(height / 900, 0.4), max(height // 60, 4)
    (w, h), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    letters = np.zeros((h + below + 2 * gap, w + 2 * gap), np.uint8)
    cv2.putText(letters, text, (gap, gap + h), cv2.FONT_HERSHEY_SIMPLEX, scale, 255, 1, cv2.LINE_AA)
    thick = 2 * max(1, height // 500) + 1
    rim = cv2.dilate(letters, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (thick, thick)))
    return (rim / np.float32(255))[..., None], letters.astype(np.float32)[..., None]
