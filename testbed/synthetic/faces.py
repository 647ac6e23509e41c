"""The truth about a face in a picture: where it is, how large, which way it looks, and how much of it is hidden.

What people wear is their own: a mask or glasses hide nothing of a face here, other people and things do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kernels.raster import Rendered
from testbed.synthetic.camera import View
from testbed.synthetic.people.person import Landmarks, Posed

Floats = npt.NDArray[np.float64]

SMALLEST, TURNED, HIDDEN = 8.0, 75.0, 0.5
"""A face was put before a system where its eyes are so many pixels apart, it is turned at most so far from the camera
(degrees, either way), and at least this share of it is seen."""
BROW = 0.35, 0.40
"""Where light on the skin is read: so far above the middle of the eyes, within so much around it, in eye distances."""
LEAST = 0.1
"""A face of which less than this share lies within the frame is not in the picture."""
_LUMA = np.array([0.2126, 0.7152, 0.0722])


@dataclass(frozen=True)
class Face:
    """A row of table FACES, but for where it belongs."""

    box: tuple[float, float, float, float]
    inter_eye_px: float
    yaw: float
    pitch: float
    roll: float
    left_eye_x: float
    left_eye_y: float
    right_eye_x: float
    right_eye_y: float
    distance_m: float
    visible: float
    luminance: float | None

    @property
    def put(self) -> bool:
        """Whether it was there to be found."""
        turned = max(abs(self.yaw), abs(self.pitch)) > TURNED
        return self.inter_eye_px >= SMALLEST and self.visible >= HIDDEN and not turned


def head_axes(marks: Landmarks) -> Floats:
    """The head's own axes, the columns of `(3, 3)`: to its left, upwards, ahead; from eyes and nose."""
    left, right, nose = (np.asarray(each, np.float64) for each in (marks.left_eye, marks.right_eye, marks.nose))
    x = (left - right) / np.linalg.norm(left - right)
    ahead = nose - (left + right) / 2
    up = np.cross(ahead, x)
    up /= np.linalg.norm(up)
    return np.stack([x, up, np.cross(x, up)], axis=1)


def face_in(
    posed: Posed, straight: Floats, view: View, eye: Floats, drawn: Rendered, mesh: int, picture: npt.NDArray[np.uint8]
) -> Face | None:
    """The truth about mesh number `mesh` of a picture as recorded; None where its face is not in it at all.

    straight: the head's axes when it looks along +z. eye: where the camera is.
    """
    marks = posed.landmarks
    eyes = np.stack([marks.left_eye, marks.right_eye]).astype(np.float64)
    pinhole = view.pinhole.project(np.concatenate([eyes, posed.face]))[:, :2]
    if not np.isfinite(pinhole).all():
        return None  # some of it is behind the camera
    height, width = picture.shape[:2]
    placed = view.placed(pinhole)
    if not np.isfinite(placed[:2]).all():
        return None  # beyond what the lens brings into the picture
    box = np.concatenate(
        [np.nanmin(placed[2:], axis=0), np.nanmax(placed[2:], axis=0)]
    )  # chin to hairline, as YuNet's boxes are
    inside = (placed[2:] >= 0).all(1) & (placed[2:] < (width, height)).all(1)
    if inside.mean() < LEAST:
        return None
    clipped = np.clip(box, 0, [width, height, width, height])
    seen = inside & _shown(pinhole[2:], drawn, mesh)
    to_camera = eye - eyes.mean(0)
    axes = head_axes(marks)
    x, y, z = (axes @ straight.T).T @ to_camera
    apart = np.linalg.norm(eyes[0] - eyes[1])
    # Bare skin, whatever is worn: above and between the eyes.
    brow = np.linalg.norm(posed.face - (eyes.mean(0) + BROW[0] * apart * axes[:, 1]), axis=1) < BROW[1] * apart
    across = placed[0] - placed[1]  # from the right eye to the left one, which is to the right in the picture
    return Face(
        tuple(map(float, clipped)), float(np.hypot(*across)),  # type: ignore[arg-type]
        float(-np.degrees(np.arctan2(x, z))), float(np.degrees(np.arctan2(y, np.hypot(x, z)))),
        float(np.degrees(np.arctan2(across[1], across[0]))),
        *_pixel(placed[1]), *_pixel(placed[0]),
        float(np.linalg.norm(to_camera)), float(seen.mean()), _luminance(picture, placed[2:][seen & brow]),
    )  # fmt: skip


def _pixel(place: Floats) -> tuple[float, float]:
    """A place, of which (½, ½) is the middle of the first pixel, counted from there."""
    return float(place[0] - 0.5), float(place[1] - 0.5)


def _shown(pinhole: Floats, drawn: Rendered, mesh: int) -> npt.NDArray[np.bool_]:
    """Which places on a face fall on a pixel that shows this person, not something before them."""
    rows, columns = drawn.identity.shape
    x, y = np.clip(np.floor(pinhole), 0, (columns - 1, rows - 1)).astype(np.int64).T
    return np.asarray(drawn.identity[y, x] == mesh)


def _luminance(picture: npt.NDArray[np.uint8], places: Floats) -> float | None:
    """Median luminance at places of a picture, decoded from sRGB; None where there are none."""
    if not len(places):
        return None
    x, y = np.floor(places).astype(np.int64).T
    values = picture[y, x].astype(np.float64) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return float(np.median(linear @ _LUMA))
