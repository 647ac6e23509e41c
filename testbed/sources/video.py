"""Recorded clips as a source: frames with their own time stamps, and the truth that belongs to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import polars as pl

from testbed.runs.tables import EYES
from testbed.sources.frames import Take, Truth
from testbed.sources.recording import Recording, read_frames, recording
from testbed.sources.sequence import PictureSequence, read_pictures, sequence

Footage = Recording | PictureSequence
"""What a camera recorded."""


def footage(file: Path, seconds_apart: float | None = None) -> Footage:
    """A clip, or, where `seconds_apart` is given, a folder of pictures. Raises InputError where it cannot be read."""
    return recording(file) if seconds_apart is None else sequence(file, seconds_apart)


class VideoSource:
    """Source of the clips of some cameras, with the truth boxes of table TRUTH; one Take per `segment` frames shown.

    truth: may have the columns EYES as well, NaN where not known. every: only every n-th frame is. apart: of the
    cameras whose file is a folder of pictures, the seconds from one to the next.
    """

    def __init__(
        self, files: Mapping[str, Path], truth: pl.DataFrame, every: int = 1, segment: int = 64,
        apart: Mapping[str, float | None] | None = None,
    ) -> None:  # fmt: skip
        self.cameras = tuple(files)
        self._files = {name: (file, (apart or {}).get(name)) for name, file in files.items()}
        self._every = every
        self._segment = segment
        self._truth = {name: _CameraTruth(truth.filter(pl.col("camera") == name)) for name in self.cameras}

    def segments(self, camera: str) -> int:
        """How many segments of `segment` shown frames the clip has."""
        return -(-self.frames(camera) // self._segment)

    def frames(self, camera: str) -> int:
        """How many frames are shown: every `every`-th."""
        return -(-len(footage(*self._files[camera])) // self._every)

    def read(self, camera: str, segment: int) -> Iterator[Take]:
        """The Take of one segment; one without frames past the end.

        Where the file says too little about its own length, the last segment has as many Takes as it needs.
        """
        clip = footage(*self._files[camera])
        last = self.segments(camera) - 1
        number = segment
        while True:
            start = number * self._segment * self._every
            read = (start, self._segment, self._every)
            frames = read_pictures(clip, *read) if isinstance(clip, PictureSequence) else read_frames(clip, *read)
            if frames or number == segment:
                truth = tuple(self._truth[camera].at(frame.index) for frame in frames)
                yield Take(camera, number, tuple(frames), truth)
            if segment != last or len(frames) < self._segment:
                return
            number += 1


class _CameraTruth:
    """The truth boxes of one camera, looked up by frame."""

    def __init__(self, truth: pl.DataFrame) -> None:
        ordered = truth.sort("frame", "transit")
        self._frames = ordered["frame"].to_numpy()
        self._boxes = ordered.select("x1", "y1", "x2", "y2").to_numpy().astype(np.float32).reshape(-1, 4)
        self._transits = ordered["transit"]
        self._subjects = ordered["subject"]
        self._eyes = None
        if set(EYES) <= set(ordered.columns):
            self._eyes = ordered.select(EYES).to_numpy().astype(np.float64).reshape(-1, 2, 2)

    def at(self, frame: int) -> Truth:
        low, high = np.searchsorted(self._frames, [frame, frame + 1])
        eyes = None if self._eyes is None else self._eyes[low:high]
        return Truth(self._boxes[low:high], tuple(self._transits[low:high]), tuple(self._subjects[low:high]), eyes=eyes)
