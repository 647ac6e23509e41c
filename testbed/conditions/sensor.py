"""What the sensor makes of the light: linear light in, noise, and the sRGB grey levels that come out."""

from __future__ import annotations

import cv2
import numpy as np

from pipelines.interface import Image
from testbed.conditions.geometry import Linear

FULL_WELL = 10_000
"""Electrons of a white pixel in full light: a small surveillance sensor with pixels of about 3 µm."""

_STEPS = 65_535


def _decode(grey: np.ndarray[tuple[int], np.dtype[np.float64]]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.where(grey <= 0.04045, grey / 12.92, ((grey + 0.055) / 1.055) ** 2.4)


def _encode(light: np.ndarray[tuple[int], np.dtype[np.float64]]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


_TO_LIGHT = _decode(np.arange(256) / 255).astype(np.float32)
_TO_GREY = np.rint(_encode(np.arange(_STEPS + 1) / _STEPS) * 255).astype(np.uint8)


def to_light(image: Image) -> Linear:
    """sRGB grey levels as linear light (IEC 61966-2-1)."""
    return np.asarray(cv2.LUT(image, _TO_LIGHT), np.float32)


def to_grey(light: Linear) -> Image:
    """Linear light, clipped to 0 … 1, as sRGB grey levels; the inverse of `to_light`."""
    steps = np.clip(light, 0, 1) * np.float32(_STEPS) + np.float32(0.5)
    return np.asarray(_TO_GREY[steps.astype(np.uint16)], np.uint8)


def expose(scene: Linear, light: float, noise: float, generator: np.random.Generator) -> Linear:
    """The scene as the sensor reads it: same brightness, since the gain makes up for missing `light`, but noisy.

    A pixel of value v (1 is white) collects 10,000·light·v electrons and is read with a standard deviation of
    `noise`/255 of full scale at full light. Referred to the scene, the variance of each channel is therefore
    `v / (10,000·light) + (noise / (255·light))²`: shot noise, as a normal deviate, and read noise. Pixels and
    channels are independent: no demosaicing, no noise reduction. May leave 0 … 1; `to_grey` clips.
    """
    shot = np.maximum(scene, 0) * np.float32(1 / (FULL_WELL * light))
    deviation = np.sqrt(shot + np.float32((noise / 255 / light) ** 2))
    return np.asarray(scene + deviation * generator.standard_normal(scene.shape, dtype=np.float32), np.float32)
