"""What every source of pictures delivers: takes of frames, with the truth that belongs to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from pipelines.interface import Image


@dataclass(frozen=True)
class Frame:
    """One picture of one camera: RGB uint8 `(h, w, 3)`, or None where it could not be had, and why."""

    image: Image | None
    index: int
    seconds: float
    reason: str = ""


@dataclass(frozen=True)
class Truth:
    """Who is where in one frame: boxes `(n, 4)` float32 pixels x1 y1 x2 y2, and whose they are.

    `anywhere` says that the place is not known: the largest face of the picture is the one person's. `alone` says
    that nobody else is in the picture, known or not.
    `eyes` `(n, 2, 2)` float64 pixels, image-left then image-right pupil, NaN where not known; None: of no face.
    """

    boxes: npt.NDArray[np.float32]
    transits: tuple[str, ...]
    subjects: tuple[str, ...]
    anywhere: bool = False
    alone: bool = False
    eyes: npt.NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Take:
    """Consecutive frames of one camera that belong together: a photograph, or a stretch of video.

    `truth` has one entry per frame. `eyes` is `(2, 2)` float64 pixels, image-left then image-right pupil,
    for a photograph whose eyes were located, else None.
    """

    camera: str
    index: int
    frames: tuple[Frame, ...]
    truth: tuple[Truth, ...]
    eyes: npt.NDArray[np.float64] | None = None


class Source(Protocol):
    """Where takes come from, cut into segments that can be read in any order, by any worker."""

    cameras: tuple[str, ...]

    def segments(self, camera: str) -> int:
        """How many segments the camera's recording has."""
        ...

    def frames(self, camera: str) -> int:
        """How many frames the system will be shown from this camera (before conditions): for progress."""
        ...

    def read(self, camera: str, segment: int) -> Iterator[Take]:
        """The takes of one segment, in order."""
        ...
