"""Where a photograph lands in the camera's picture: face size, place and motion."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from testbed.scenario.models import Condition

Linear = npt.NDArray[np.float32]
"""A picture in linear light: float32 `(h, w, 3)`, 0 black, 1 white."""

_EYES_DOWN = 0.42
"""How far down the picture the middle of the eyes is, as a share of its height."""


@dataclass(frozen=True)
class Placement:
    """Photograph pixels to camera pixels: `scale · p + shift`, pixel centres at whole numbers."""

    scale: float
    shift: npt.NDArray[np.float64]

    def points(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Points `(…, 2)` of the photograph in the camera's picture."""
        return self.scale * points + self.shift


def placements(eyes: npt.NDArray[np.float64], face_px: float, condition: Condition) -> list[Placement]:
    """One placement per frame of a clip in which the face crosses the picture at constant speed.

    `eyes` `(2, 2)` are the photograph's pupils, `face_px` the distance they shall have. In the middle of the
    clip the middle of the eyes is at half the width and 0.42 of the height.
    """
    scale = face_px / inter_eye(eyes)
    width, height = condition.frame
    start = np.array([(width - 1) / 2, _EYES_DOWN * height]) - scale * eyes.mean(axis=0)
    step = condition.motion_eyes_per_s * face_px / condition.fps
    offsets = (np.arange(condition.frames) - (condition.frames - 1) / 2) * step
    return [Placement(scale, start + np.array([offset, 0.0])) for offset in offsets]


def inter_eye(eyes: npt.NDArray[np.float64]) -> float:
    """Distance between the pupils `(2, 2)`, pixels."""
    return float(np.hypot(*(eyes[1] - eyes[0])))


def shrink(picture: Linear, width: int, height: int) -> Linear:
    """`picture` at a smaller size, each pixel the mean of what it covers (no aliasing)."""
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.float32)


def place(picture: Linear, photograph: tuple[int, int], placement: Placement, frame: tuple[int, int]) -> Linear:
    """The camera's picture of size `frame` (width, height), from a shrunken copy of the photograph.

    `photograph` is the width and height of the original, to which `placement` refers. What lies beyond its
    edge repeats the edge.
    """
    original = np.array(photograph, np.float64)
    ratio = original / (picture.shape[1], picture.shape[0])
    # From the copy's pixel centres to the original's, then on to the camera's.
    scale = placement.scale * ratio
    shift = placement.scale * (ratio / 2 - 0.5) + placement.shift
    matrix = np.array([[scale[0], 0.0, shift[0]], [0.0, scale[1], shift[1]]])
    placed = cv2.warpAffine(picture, matrix, frame, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(placed, np.float32)
