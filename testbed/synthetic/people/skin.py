"""The colour of skin, from what absorbs light in it: melanin and blood.

Two layers, after Jacques (1998, Skin optics) and Donner and Jensen (2006, A spectral shading model for human skin):
an epidermis that light crosses twice on its slanted way, coloured by melanin, over a dermis without end that scatters,
coloured by blood. Sums over 400–700 nm in steps of 10 nm under daylight give linear sRGB.

A tone 1–10 is a share of melanin. Its order is the Monk scale's; the swatches of that scale are colours for a screen,
of which 1–4 are lighter than skin reflects and 9–10 darker, so tones are placed evenly by their angle between ends
that the model reaches (`ITA`).
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

Spectrum = npt.NDArray[np.float64]

WAVES = np.arange(400.0, 701.0, 10.0)
OXYGENATED = np.array([
    266232, 466840, 480360, 246072, 102580, 62816, 44480, 33209.2, 26629.2, 23684.4, 20932.8, 20035.2, 24202.4, 39956.8,
    53236, 43016, 32613.2, 44496, 50104, 14400.8, 3200, 1506, 942, 610, 442, 368, 319.6, 294, 277.6, 276, 290,
])  # fmt: skip
SPENT = np.array([
    223296, 303956, 407560, 528600, 413280, 103292, 23388.8, 16156.4, 14550, 16684, 20862, 25773.6, 31589.6, 39036.4,
    46592, 53412, 53788, 45072, 37020, 28324.4, 14677.2, 9443.6, 6509.6, 5148.8, 4345.2, 3750.12, 3226.56, 2795.12,
    2407.92, 2051.96, 1794.28,
])  # fmt: skip
"""Molar extinction of haemoglobin with and without oxygen, 1/(cm·mol/l) (Prahl, omlc.org/spectra/hemoglobin)."""
ITA = tuple(float(angle) for angle in np.linspace(58, -64, 10))
"""The typology angle, degrees, of clean skin of tone 1 to 10 (Chardin, 1991: above 55 very light, below −30 dark)."""
MELANIN = np.geomspace(0.002, 2.0, 96)  # share of the epidermis's volume
BLOOD = np.linspace(0.002, 0.10, 48)  # share of the dermis's volume
USUAL_BLOOD = 0.012
LAMP = 850.0
"""The wave length of infrared lamps, nm."""
LAMP_BLOOD = 1058.0, 691.32
"""Molar extinction of haemoglobin with and without oxygen at LAMP, from the same table."""
TO_SRGB = np.array([[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]])
WHITE = np.array([0.95047, 1.0, 1.08883])


def reflected(melanin: npt.ArrayLike, blood: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Share of light that comes back, `(…, 31)`, for shares of melanin and blood by volume."""
    return _returned(melanin, blood, WAVES, OXYGENATED, SPENT)


def infrared(melanin: npt.ArrayLike, blood: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """What a camera without colour sees of skin by a lamp of 850 nm, `(…, 3)`, all three alike.

    It is the same model at another wave length. Melanin's absorption falls as λ^-3.33 (Jacques 1998), so that it takes
    a quarter of what it takes at 550 nm, and blood takes a fortieth: dark and light skin come near each other, though
    not together (Jacquez and others, 1955, measured differences of pigment up to 1 µm), and flush and lips lose most of
    their contrast. The tones are those that the model makes by daylight; how alike they are at 850 nm is its
    prediction, fitted to no measurement of people. Tone 2 reflects 63 %, tone 10 20 %: 3 to 1, by day 9 to 1 in green.
    """
    rich, spent = (np.array([each]) for each in LAMP_BLOOD)
    once = _returned(melanin, blood, np.array([LAMP]), rich, spent)
    return np.repeat(once, 3, axis=-1).astype(np.float32)


def _returned(
    melanin: npt.ArrayLike, blood: npt.ArrayLike, waves: Spectrum, rich: Spectrum, spent: Spectrum
) -> npt.NDArray[np.float64]:
    """Share of light that comes back at each wave length, given the extinction of blood there."""
    m, b = (np.asarray(each, float)[..., None] for each in (melanin, blood))
    own = 0.244 + 85.3 * np.exp(-(waves - 154) / 66.2)  # 1/cm, of bloodless, colourless skin
    black, red = 6.6e11 * waves**-3.33, 2.9e15 * waves**-4.75  # eumelanin, phaeomelanin
    in_blood = np.log(10) * 150 / 64500 * (0.75 * rich + 0.25 * spent)
    epidermis = m * (0.85 * black + 0.15 * red) + (1 - m) * own
    dermis = b * in_blood + (1 - b) * own
    scattered = 147.4 * waves**-0.22 + 2.2e12 * waves**-4.0
    left = scattered / (scattered + dermis)
    slope = np.sqrt(3 * (1 - left))
    inside = (1 + 0.47) / (1 - 0.47)  # light turned back at the surface, for an index of 1.4
    deep = left / 2 * (1 + np.exp(-4 / 3 * inside * slope)) * np.exp(-slope)
    path = 2 * 2.0 * 0.006  # cm: 60 µm, crossed twice and on a slant
    # Melanin lies in grains, unevenly: what is absorbed varies from ray to ray (Gamma, shape 1.5), and more comes back.
    through = (1 + path * epidermis / 1.5) ** -1.5
    return np.asarray(0.02 + 0.98 * deep * through, np.float64)  # the surface itself scatters 2 % back


def linear(spectrum: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Linear sRGB of a reflectance `(…, 31)` under daylight (observer: Wyman, Sloan and Shirley's fit, 2013)."""
    matching = _observer() * _daylight()
    xyz = np.einsum("...w,cw->...c", spectrum, matching / matching[1].sum()) * (WHITE / _white())
    return np.asarray(np.einsum("...c,rc->...r", xyz, TO_SRGB), np.float64)


@cache
def colours() -> npt.NDArray[np.float32]:
    """Linear sRGB for each of `MELANIN` (rows) and `BLOOD`, `(96, 48, 3)`."""
    table = linear(reflected(*np.meshgrid(MELANIN, BLOOD, indexing="ij")))
    return np.clip(table, 0.003, 1).astype(np.float32)


def colour(melanin: npt.NDArray[np.float32], blood: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Linear sRGB `(…, 3)` of shares of melanin and blood, from the table, between its entries linearly."""
    import cv2

    across = (blood - BLOOD[0]) / (BLOOD[-1] - BLOOD[0]) * (len(BLOOD) - 1)
    down = np.log(np.maximum(melanin, MELANIN[0]) / MELANIN[0]) / np.log(MELANIN[-1] / MELANIN[0]) * (len(MELANIN) - 1)
    x, y = (np.atleast_2d(each).astype(np.float32) for each in (across, down))
    found = cv2.remap(colours(), x, y, interpolation=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found.reshape(*np.shape(melanin), 3), np.float32)


@cache
def melanin(tone: int) -> float:
    """The share of melanin of a tone 1–10: that whose clean skin has the angle `ITA`."""
    angles = np.array([ita(linear(reflected(share, USUAL_BLOOD))) for share in MELANIN])
    return float(np.exp(np.interp(-ITA[tone - 1], -angles, np.log(MELANIN))))


def ita(colour: npt.ArrayLike) -> float:
    """The individual typology angle of a linear sRGB colour, degrees: arctan((L* − 50) / b*). Light skin is high."""
    lightness, _, yellow = lab(colour)
    return float(np.degrees(np.arctan2(lightness - 50, yellow)))


def tone(angle: float) -> int:
    """The tone, 1–10, whose clean skin is nearest to an angle."""
    return 1 + int(np.argmin(np.abs(np.array(ITA) - angle)))


def lab(colour: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """CIE L*a*b* (D65) of linear sRGB `(3,)`."""
    x = np.linalg.solve(TO_SRGB, np.asarray(colour, float)) / WHITE
    f = np.where(x > (6 / 29) ** 3, np.cbrt(np.maximum(x, 0)), x / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def decoded(srgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """sRGB uint8 as linear light 0–1."""
    value = srgb / 255
    return np.asarray(np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4), np.float64)


def _observer() -> npt.NDArray[np.float64]:
    def bump(centre: float, below: float, above: float) -> npt.NDArray[np.float64]:
        return np.exp(-0.5 * ((WAVES - centre) * np.where(centre > WAVES, below, above)) ** 2)

    return np.stack([
        0.362 * bump(442.0, 0.0624, 0.0374) + 1.056 * bump(599.8, 0.0264, 0.0323) - 0.065 * bump(501.1, 0.0490, 0.0382),
        0.821 * bump(568.8, 0.0213, 0.0247) + 0.286 * bump(530.9, 0.0613, 0.0322),
        1.217 * bump(437.0, 0.0845, 0.0278) + 0.681 * bump(459.0, 0.0385, 0.0725),
    ])  # fmt: skip


def _daylight() -> npt.NDArray[np.float64]:
    """A black body at 6504 K; `linear` scales what is left of its tint to D65's white."""
    return np.asarray(WAVES**-5.0 / (np.exp(1.4388e7 / (WAVES * 6504)) - 1), np.float64)


def _white() -> npt.NDArray[np.float64]:
    matching = _observer() * _daylight()
    return np.asarray(matching.sum(1) / matching[1].sum(), np.float64)
