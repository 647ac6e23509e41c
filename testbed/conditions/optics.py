"""What lens and shutter do to the light: motion blur and defocus."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from testbed.conditions.geometry import Linear


def motion_kernel(length: float) -> npt.NDArray[np.float32]:
    """Weights `(n,)` of n = 2k + 1 neighbours along x for a picture moving `length` pixels in the exposure.

    Each is the share of the path that lies in that pixel, so any length counts, not only whole ones; they
    sum to one, and a path within one pixel leaves the picture as it is.
    """
    reach = int(np.ceil(max(0.0, (length - 1) / 2)))
    centres = np.arange(-reach, reach + 1)
    if reach == 0:
        return np.ones(1, np.float32)
    overlap = np.minimum(centres + 0.5, length / 2) - np.maximum(centres - 0.5, -length / 2)
    return np.asarray(overlap / length, np.float32)


def motion_blur(picture: Linear, length: float) -> Linear:
    """The mean of `picture` over a move of `length` pixels along x."""
    kernel = motion_kernel(length)
    if len(kernel) == 1:
        return picture
    blurred = cv2.sepFilter2D(picture, -1, kernel, np.ones(1, np.float32), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(blurred, np.float32)


def defocus(picture: Linear, deviation: float) -> Linear:
    """`picture` blurred by a Gaussian of that standard deviation in pixels; 0 leaves it as it is."""
    if deviation == 0:
        return picture
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), deviation, borderType=cv2.BORDER_REPLICATE), np.float32)
