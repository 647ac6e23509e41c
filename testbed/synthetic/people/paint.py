"""The textures of a person: skin with its marks, eyes, hair, cloth. Painted in linear light on canonical places."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from kernels.raster import srgb
from testbed.synthetic.people import skin
from testbed.synthetic.people.identity import Identity
from testbed.synthetic.people.template import AXIS, HEIGHT, WIDTH, Floats, Material, template

PIGMENT = {
    "black": (0.022, 0.018, 0.016), "brown": (0.050, 0.029, 0.018), "fair": (0.27, 0.18, 0.09),
    "red": (0.19, 0.065, 0.026), "grey": (0.22, 0.215, 0.21), "white": (0.52, 0.51, 0.49),
}  # fmt: skip
"""Linear sRGB of hair."""
IRISES = ((0.10, 0.05, 0.03), (0.055, 0.03, 0.02), (0.20, 0.14, 0.06), (0.17, 0.22, 0.14), (0.16, 0.25, 0.34))
SHIRTS = {
    "white": (0.66, 0.66, 0.65), "grey": (0.19, 0.19, 0.19), "black": (0.018, 0.018, 0.019),
    "red": (0.36, 0.025, 0.03), "green": (0.04, 0.19, 0.06), "blue": (0.025, 0.06, 0.28),
}  # fmt: skip
"""Linear sRGB of shirts."""
MASKS = ((0.45, 0.62, 0.75), (0.72, 0.73, 0.74), (0.02, 0.02, 0.022))
HAIRLINE = ((0, 18, 38, 52, 62, 70, 80, 97, 104, 112, 140, 180),
            (8.03, 8.02, 7.92, 7.68, 7.5, 7.22, 7.24, 7.4, 7.4, 7.0, 6.55, 6.45))  # fmt: skip
"""Height of the hairline by the angle from the front, degrees; canonical."""
INFRARED = MappingProxyType(
    {
        Material.MOUTH: 0.25,
        Material.TEETH: 0.50,
        Material.SHOES: 0.12,
        Material.FRAMES: 0.06,
    }
)
"""What comes back at 850 nm of what is not skin, hair or cloth, roughly."""


def hairline(identity: Identity, places: Floats) -> Floats:
    """How far canonical places `(…, 3)` lie above a person's hairline, decimetres; negative on the face."""
    angles, heights = HAIRLINE
    own = np.array(heights) + 0.05 * identity.normal("hairline") * (np.array(angles) < 60)
    own = own + 0.04 * identity.normal("sideburns") * ((np.array(angles) > 60) & (np.array(angles) < 90))
    if identity.attributes.sex == "male":  # it goes back at the temples with the years
        own = own + 0.30 * _step(35, 75, identity.years) * identity.uniform("receding") * np.array(
            [0.5, 0.9, 1, 0.4, 0.2, *[0] * 7]
        )
    angle = np.degrees(np.arctan2(np.abs(places[..., 0]), places[..., 2] - AXIS))
    return np.asarray(places[..., 1] - np.interp(angle, angles, own), np.float32)


def hair_pigment(identity: Identity, infrared: bool = False) -> Floats:
    """Linear sRGB of a person's hair. At 850 nm its melanin takes less: all of it is lighter, and more alike."""
    own = np.array(PIGMENT[identity.attributes.hair_colour]) * np.exp(0.15 * identity.normal("hair shade"))
    return np.asarray(np.full(3, 0.08 + 0.75 * own.mean() ** 0.7) if infrared else own, np.float32)


def textures(identity: Identity, infrared: bool = False) -> tuple[npt.NDArray[np.uint8], ...]:
    """A texture for each Material, `(h, w, 4)` uint8 sRGB and opacity.

    infrared: as a camera without colour sees it by lamps of 850 nm. Skin is `skin.infrared`; the rest are plausible
    greys that keep what is known of it: dyes hardly absorb there, so cloth is light whatever its colour, irises are
    paler, pupils stay dark (the lamp is taken to stand beside the lens), hair is lighter.
    """
    plain = {
        Material.HANDS: _bare(identity, infrared) * np.float32(0.95), Material.MOUTH: (0.09, 0.02, 0.02),
        Material.TEETH: (0.55, 0.50, 0.42), Material.SHOES: (0.03, 0.025, 0.02),
        Material.FRAMES: ((0.01, 0.01, 0.01), (0.06, 0.025, 0.01), (0.22, 0.19, 0.14), (0.2, 0.01, 0.01))[
            identity.choice("frame colour", (4, 2, 2, 1))
        ],
        Material.MASK: _undyed(np.array(MASKS[identity.choice("mask", (3, 2, 1))]), infrared),
    }  # fmt: skip
    painted = {
        Material.SKIN: face(identity, infrared), Material.EYES: _eye(identity, infrared),
        Material.HAIR: _hair(identity, infrared), Material.SHIRT: _cloth(identity, "shirt", infrared),
        Material.TROUSERS: _cloth(identity, "trousers", infrared, 0.15),
        Material.HEADWEAR: _cloth(identity, "headwear", infrared, 0.4),
    }  # fmt: skip
    if infrared:
        plain |= {each: (grey, grey, grey) for each, grey in INFRARED.items()}
    opacity = np.full((64, 8), 255, np.uint8)
    opacity[:] = np.rint(255 * np.linspace(0.9, 0, 64) ** 1.3)[:, None]
    lashes = np.dstack([np.full((64, 8, 3), 70 if infrared else 12, np.uint8), opacity])
    return tuple(
        lashes if each == Material.LASHES
        else _opaque(painted[each] if each in painted else np.full((4, 4, 3), plain[each], np.float32))
        for each in Material
    )  # fmt: skip


def measured(painted: npt.NDArray[np.uint8]) -> float:
    """The typology angle (ITA) of the cheeks and forehead of a skin's texture, degrees."""
    places = template().places
    x, y = np.abs(places[..., 0]), places[..., 1]
    front = places[..., 2] > 1.0
    chosen = front & (((x > 0.3) & (x < 0.55) & (y > 6.8) & (y < 7.05)) | ((x < 0.4) & (y > 7.65) & (y < 7.85)))
    return skin.ita(np.median(skin.decoded(painted[chosen][:, :3]), axis=0))


def face(identity: Identity, infrared: bool = False) -> Floats:
    """The skin of head and neck, linear sRGB `(HEIGHT, WIDTH, 3)`."""
    made, who, coloured = template(), identity.attributes, skin.infrared if infrared else skin.colour
    x, y, z = np.abs(made.places[..., 0]), made.places[..., 1], made.places[..., 2]
    front = _step(0.55, 0.95, z)
    noise = np.random.default_rng(identity.stream("skin"))
    broad, fine, grain = (_noise(noise, cell, octaves) for cell, octaves in ((110, 3), (18, 3), (4, 2)))
    old = float(_step(30, 78, identity.years))

    # Blood: flushed cheeks, nose, ears, under the eyes. Shares multiply, so the marks suit any skin.
    cheeks, nose = _bell(x, 0.48, 0.2) * _bell(y, 6.95, 0.2), _bell(x, 0, 0.12) * _bell(y, 6.95, 0.12) * (z > 1.4)
    tired = _bell(x, 0.30, 0.13) * _bell(y, 7.13, 0.06) * front
    bags = max(0.0, 0.2 + 0.15 * identity.normal("bags") + 0.4 * old)
    flush = 0.5 + 0.35 * identity.uniform("flush")
    blood = skin.USUAL_BLOOD * np.exp(
        0.22 * identity.normal("blood") + 0.07 * broad + 0.07 * fine
        + flush * (cheeks * front + 0.7 * nose + 0.6 * made.ears) + 0.5 * bags * tired
    )  # fmt: skip
    spots = np.clip(_noise(np.random.default_rng(identity.stream("freckles")), 7, 1) - 1.7, 0, 1)
    freckles = max(0.0, 0.5 * identity.normal("freckles")) * _bell(x, 0.3, 0.35) * _bell(y, 7.0, 0.25) * front
    aged = 0.5 * old * np.clip(_noise(noise, 26, 2) - 1.6, 0, 1)
    pigment = 0.05 * broad + (0.04 + 0.05 * old) * fine + 0.03 * grain + spots * freckles + aged + 0.35 * bags * tired
    pigment = pigment + 0.10 * made.lids + _moles(identity, made.places)
    melanin = skin.melanin(who.tone) * np.exp(pigment)
    colour = coloured(melanin.astype(np.float32), blood.astype(np.float32))
    colour *= (1 - (0.04 + 0.40 * old) * _lines(identity, x, y) * front)[..., None]

    lips = _step(0.25, 0.75, made.lips)[..., None]
    paint = identity.uniform("lipstick") * (who.sex == "female") * (identity.uniform("made up") < 0.5) * (not infrared)
    rosy = coloured(
        np.full((1, 1), 0.8 * skin.melanin(who.tone), np.float32),
        np.full((1, 1), 0.05 * np.exp(0.25 * identity.normal("lips")), np.float32),
    )
    rosy = rosy * (1 - 0.6 * paint) + 0.6 * paint * np.array([0.30, 0.04, 0.05]) * np.exp(0.4 * identity.normal("hue"))
    colour = colour * (1 - lips) + rosy * np.float32(0.92) * (1 + 0.05 * grain[..., None]) * lips
    nostrils = _bell(x, 0.105, 0.032) * _bell(y, 6.855, 0.02) * (z > 1.35)
    colour *= (1 - 0.7 * nostrils)[..., None]
    rim = made.lids * _bell(x, 0.31, 0.16) * _bell(y, 7.27, 0.035)
    colour *= (1 - 0.35 * np.clip(rim, 0, 1))[..., None]

    hair = hair_pigment(identity, infrared)
    brow = hair * 0.75 if who.hair_colour in ("grey", "white") else np.minimum(hair * 0.75, 0.14)
    strands = np.clip(0.88 + 0.16 * _noise(noise, 4, 2), 0, 1)
    colour = _over(colour, brow, _brows(identity, x, y, noise) * front * strands)
    colour = _over(colour, brow * 0.9, _beard(identity, x, y, z) * (1 - lips[..., 0]) * (1 - made.ears) * strands)
    if who.hair != "bald":
        cover = {"shaved": 0.62, "short": 0.9}.get(who.hair, 0.95)
        above = hairline(identity, made.places) + 0.03 * grain
        colour = _over(colour, hair, cover * _step(-0.05, 0.08, above) * (1 - made.ears) * np.clip(strands + 0.1, 0, 1))
    return np.clip(colour, 0.002, 0.95).astype(np.float32)


def _moles(identity: Identity, places: Floats) -> Floats:
    noise = np.random.default_rng(identity.stream("moles"))
    total = np.zeros(places.shape[:2], np.float32)
    for _ in range(round(2 + 1.5 * abs(identity.normal("moles")))):
        at, size = np.array([noise.uniform(-0.7, 0.7), noise.uniform(6.3, 7.9)]), noise.uniform(0.006, 0.015)
        apart = ((places[..., :2] - at) ** 2).sum(-1)
        total += np.where(places[..., 2] > 0.8, 1.4 * np.exp(-apart / size**2), 0).astype(np.float32)
    return total


def _lines(identity: Identity, x: Floats, y: Floats) -> Floats:
    """Creases of age: from nose to mouth, across the forehead, beside the eyes."""
    fold = _bell(0.30 + 0.55 * np.clip(7.0 - y, 0, 0.5) - x + 0.03, 0, 0.018) * _step(6.45, 6.6, y)
    total = fold * (1 - _step(6.88, 7.0, y))
    for row in range(4):
        height = 7.68 + 0.085 * row + 0.012 * np.sin(5 * x + 3 * identity.normal(f"crease/{row}"))
        total = total + 0.5 * _bell(y, height, 0.010) * (1 - _step(0.35, 0.6, x))
    for row in range(3):
        foot = _bell(y - 7.25 - (row - 1) * (x - 0.46) * 0.7, 0, 0.010)
        total = total + 0.5 * foot * _step(0.52, 0.56, x) * (1 - _step(0.62, 0.72, x))
    return np.asarray(np.clip(total, 0, 1), np.float32)


def _brows(identity: Identity, x: Floats, y: Floats, noise: np.random.Generator) -> Floats:
    soft = identity.attributes.sex == "female"
    begin, end = 0.12 + 0.02 * identity.normal("brow begin"), 0.56 + 0.025 * identity.normal("brow end")
    along = np.clip((x - begin) / (end - begin), -0.2, 1.2)
    arch, slope = 0.035 + 0.015 * soft + 0.016 * identity.normal("brow arch"), 0.04 * identity.normal("brow slope")
    middle = 7.50 + 0.018 * identity.normal("brow height") + slope * (along - 0.5)
    middle = middle + arch * np.sin(np.pi * np.clip(0.8 * along + 0.05, 0, 1)) - 0.04 * np.clip(along - 0.65, 0, 1)
    thick = np.clip((0.044 if soft else 0.060) + 0.012 * identity.normal("brow thick"), 0.024, 0.10)
    thick = thick * (1 - 0.55 * np.clip(along, 0, 1) ** 1.5) * 0.8
    away = np.abs(y - middle + 0.005 * _noise(noise, 6, 2)) / thick
    dense = np.clip(0.72 + 0.14 * identity.normal("brow dense"), 0.3, 0.95)
    return np.asarray(dense * (1 - _step(0.5, 1.15, away)) * _step(-0.08, 0.12, along) * (1 - _step(0.85, 1.08, along)))


def _beard(identity: Identity, x: Floats, y: Floats, z: Floats) -> Floats:
    dense = {"none": 0.10 if identity.attributes.sex == "male" else 0.0, "stubble": 0.45, "full": 0.93}
    jaw = (1 - _step(6.48, 6.78, y - 0.5 * np.clip(x - 0.35, 0, 1))) * _step(5.92, 6.15, y) * _step(0.1, 0.5, z)
    sides = _step(0.60, 0.72, x) * (1 - _step(7.0, 7.25, y)) * _step(6.0, 6.2, y) * _step(0.55, 0.75, z)
    lip = _bell(y, 6.80 - 0.10 * x, 0.042) * (1 - _step(0.24, 0.34, x)) * (z > 0.8)
    return np.asarray(dense[identity.attributes.beard] * np.maximum.reduce([jaw, sides, lip]))


def _bare(identity: Identity, infrared: bool) -> Floats:
    share = np.full((1, 1), skin.melanin(identity.attributes.tone), np.float32)
    coloured = skin.infrared if infrared else skin.colour
    return np.asarray(coloured(share, np.full((1, 1), skin.USUAL_BLOOD * 1.2, np.float32))[0, 0])


def _eye(identity: Identity, infrared: bool, size: int = 256) -> Floats:
    down, across = (np.mgrid[0:size, 0:size] + 0.5) / (size / 2) - 1
    radius, angle = np.hypot(down, across), np.arctan2(down, across)
    noise = np.random.default_rng(identity.stream("iris"))
    kind = identity.choice("iris", (6, 5, 1.5, 0.7, 0.8))  # whatever the tone: nothing else may change with it
    spokes = np.exp(np.interp(angle, np.linspace(-np.pi, np.pi, 90), np.tile(noise.normal(0, 0.2, 30), 3)))
    middle, ring = np.array([0.46, 0.42, 0.40]), np.array(IRISES[kind])
    if infrared:  # the iris's melanin takes little there, and the white's veins vanish
        middle, ring = np.full(3, 0.46), np.full(3, 0.22 + 0.3 * ring.mean())
    white = middle * (1 - 0.3 * _step(0.4, 0.95, radius))[..., None]
    iris = ring * (spokes * (1 - 0.65 * _step(0.33, 0.46, radius)))[..., None]
    colour = _over(white.astype(np.float32), iris, 1 - _step(0.43, 0.48, radius))
    return _over(colour, np.full(3, 0.006), 1 - _step(0.16, 0.20, radius))


def _hair(identity: Identity, infrared: bool) -> Floats:
    noise = np.random.default_rng(identity.stream("hair"))
    curl = identity.uniform("curl") < {"afro": 1.0, "short": 0.3}.get(identity.attributes.hair, 0.0)
    if curl:
        streaks = 0.4 * _noise(noise, 5, 2, (256, 512)) + 0.15 * _noise(noise, 40, 2, (256, 512))
    else:
        streaks = 0.32 * _noise(noise, 5, 3, (256, 512), stretch=0.05) + 0.12 * _noise(noise, 60, 2, (256, 512))
    return np.asarray(hair_pigment(identity, infrared) * np.exp(streaks)[..., None], np.float32)


def _cloth(identity: Identity, name: str, infrared: bool, light: float = 0.2) -> Floats:
    noise = np.random.default_rng(identity.stream(name))
    if name == "shirt":
        dye = np.array(SHIRTS[identity.attributes.shirt]) * np.exp(0.12 * identity.normal("shirt light"))
        dye = dye * np.exp(0.06 * np.array([identity.normal(f"shirt/{band}") for band in "rgb"]))
    else:
        tint = np.exp(0.32 * np.array([identity.normal(f"{name}/{band}") for band in "rgb"]))
        dye = 0.75 * light * np.exp(-1.8 * identity.uniform(f"{name} light")) * tint / tint.mean()
    weave = np.exp(0.05 * _noise(noise, 3, 1, (128, 128)) + 0.06 * _noise(noise, 40, 2, (128, 128)))
    return np.asarray(np.clip(_undyed(dye, infrared) * weave[..., None], 0.01, 0.8), np.float32)


def _undyed(dye: npt.NDArray[np.floating], infrared: bool) -> npt.NDArray[np.floating]:
    """The colour of cloth; at 850 nm nearly that of the bare fibre."""
    return np.full(3, 0.42 + 0.3 * dye.mean()) if infrared else dye


def _noise(
    noise: np.random.Generator, cell: float, octaves: int, shape: tuple[int, int] = (HEIGHT, WIDTH), stretch: float = 1
) -> Floats:
    """Smooth noise of unit deviation whose widest bumps are `cell` pixels; `stretch` below 1 draws it out downwards."""
    import cv2

    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        size = cell / 2**octave
        coarse = (max(2, round(shape[0] / size * stretch)) + 3, max(2, round(shape[1] / size)) + 3)
        bumps = noise.standard_normal(coarse).astype(np.float32)
        total += 0.55**octave * cv2.resize(bumps, shape[::-1], interpolation=cv2.INTER_CUBIC)
    return np.asarray(total / total.std(), np.float32)


def _over(under: Floats, colour: npt.ArrayLike, share: npt.NDArray[np.floating]) -> Floats:
    part = np.clip(share, 0, 1)[..., None].astype(np.float32)
    return np.asarray(under * (1 - part) + np.asarray(colour, np.float32) * part, np.float32)


def _opaque(colour: Floats) -> npt.NDArray[np.uint8]:
    return np.dstack([srgb(colour), np.full(colour.shape[:2], 255, np.uint8)])


def _step(low: float, high: float, value: npt.ArrayLike) -> Floats:
    share = np.clip((np.asarray(value, np.float32) - low) / (high - low), 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def _bell(value: npt.ArrayLike, middle: npt.ArrayLike, width: float) -> Floats:
    return np.asarray(np.exp(-0.5 * ((np.asarray(value) - middle) / width) ** 2), np.float32)
