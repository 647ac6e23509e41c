"""Clips made on the spot: a frame's grey level is ten times its index, so that a test can tell which it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

MakeClip = Callable[..., Path]


@pytest.fixture
def make_clip(tmp_path: Path) -> MakeClip:
    def make(
        name: str = "clip.mp4",
        frames: int = 12,
        size: tuple[int, int] = (64, 48),
        milliseconds: Sequence[int] | None = None,
        gop: int = 4,
        b_frames: int = 0,
    ) -> Path:
        path = tmp_path / name
        with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
            stream = container.add_stream("libx264", rate=10, options={"bf": str(b_frames), "crf": "10"})
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            stream.gop_size = gop
            stream.codec_context.time_base = Fraction(1, 1000)
            for index in range(frames):
                image = np.full((size[1], size[0], 3), index * 10, np.uint8)
                image[: size[1] // 2, : size[0] // 2] = 255  # the corner that shows which way is up
                picture = av.VideoFrame.from_ndarray(image, format="rgb24")
                picture.pts = milliseconds[index] if milliseconds else index * 100
                picture.time_base = Fraction(1, 1000)
                container.mux(stream.encode(picture))
            container.mux(stream.encode(None))
        return path

    return make
