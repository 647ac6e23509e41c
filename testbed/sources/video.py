"""Recorded clips as a source: frames with their own time stamps, and the truth that belongs to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import polars as pl

from testbed.sources.frames import Take, Truth
from testbed.sources.recording import read_frames, recording


class VideoSource:
    """Source of the clips of some cameras, with the truth boxes of table TRUTH; one Take per `segment` frames shown.

    every: only every n-th frame is.
    """

    def __init__(self, files: Mapping[str, Path], truth: pl.DataFrame, every: int = 1, segment: int = 64) -> None:
        self.cameras = tuple(files)
        self._files = dict(files)
        self._every = every
        self._segment = segment
        self._truth = {name: _CameraTruth(truth.filter(pl.col("camera") == name)) for name in self.cameras}

    def segments(self, camera: str) -> int:
        """How many segments of `segment` shown frames the clip has."""
        return -(-self.frames(camera) // self._segment)

    def frames(self, camera: str) -> int:
        """How many frames are shown: every `every`-th."""
        return -(-len(recording(self._files[camera])) // self._every)

    def read(self, camera: str, segment: int) -> Iterator[Take]:
        """The Take of one segment; one without frames past the end.

        Where the file says too little about its own length, the last segment has as many Takes as it needs.
        """
        clip = recording(self._files[camera])
        last = self.segments(camera) - 1
        number = segment
        while True:
            start = number * self._segment * self._every
            frames = read_frames(clip, start, self._segment, self._every)
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

    def at(self, frame: int) -> Truth:
        low, high = np.searchsorted(self._frames, [frame, frame + 1])
        return Truth(self._boxes[low:high], tuple(self._transits[low:high]), tuple(self._subjects[low:high]))
