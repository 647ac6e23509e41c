"""The recorder behind a camera: H.264 in MP4, frames that never arrive, and a picture that stands still."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np
import numpy.typing as npt

from pipelines.errors import InputError
from testbed.scenario.synthetic import FilmedCamera

OK, LOST, FROZEN = 0, 1, 2
"""What becomes of a frame: it arrives; it never does; in its place comes the one before it again."""

_LIMITED, _BT709 = 1, 1
"""libav's numbers for limited range and for the BT.709 matrix."""


def mishaps(settings: FilmedCamera, frames: int, seed: int) -> npt.NDArray[np.uint8]:
    """`OK`, `LOST` or `FROZEN` for each frame; the first always arrives.

    Losses are independent. Freezes begin at any time, `freezes_per_min` on average, and last a second; a frame may be
    lost meanwhile. For one seed a higher share only adds to what is lost.
    """
    draws = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(0,)))).random((frames, 2))
    fate = np.full(frames, OK, np.uint8)
    lasts = max(1, round(settings.fps))
    starts = draws[:, 0] < settings.freezes_per_min / 60 / settings.fps
    fate[np.convolve(starts, np.ones(lasts))[:frames] > 0] = FROZEN
    fate[draws[:, 1] < settings.drops] = LOST
    fate[:1] = OK
    return fate


def frames_in(path: Path) -> int:
    """How many frames a clip holds; 0 where it is none, or was cut short."""
    try:
        with av.open(f"file:{path}") as container:
            return int(container.streams.video[0].frames)
    except (av.FFmpegError, OSError, IndexError):
        return 0


GLOBAL_HEADER = 1 << 22
"""libav's flag: what decoders must know beforehand stands in the file's header, not in its packets."""


class Recorder:
    """Writes a clip: no B-frames, a key frame every `gop` frames, BT.709 in limited range, as an IP camera sends it.

    The rate is held within a buffer of a second. The clip appears under its name when it is whole, and not at all where
    an error ended it. Same frames, same bytes: one thread, no time of creation. Raises InputError where this PyAV has
    no libx264, or the file cannot be written.
    """

    def __init__(self, path: Path, size: tuple[int, int], fps: float, bitrate_kbps: float, gop: int) -> None:
        if "libx264" not in av.codecs_available:
            raise InputError(
                "made-up cameras need the encoder libx264, which this PyAV lacks; install PyAV's own wheel"
            )
        self.path, self._partial = path, path.with_name(f".{path.name}.part")
        self._last = -1
        self._tick = 1 / Fraction(fps).limit_denominator(1001)
        self._settings = (size, gop, bitrate_kbps)
        try:
            self._container = av.open(
                f"file:{self._partial}", "w", format="mp4", container_options={"fflags": "+bitexact"}
            )
            # Its own encoder only writes the header: `cut` must be able to begin with another one.
            self._stream = self._container.add_stream("libx264", rate=1 / self._tick)
            self._stream.time_base = self._tick
            self._set(self._stream.codec_context)
            self._container.start_encoding()
        except OSError as error:
            raise self._unwritable(error) from None
        self._encoder = self._fresh()

    def _fresh(self) -> av.VideoCodecContext:
        """An encoder that remembers nothing."""
        encoder = av.VideoCodecContext.create("libx264", "w")
        encoder.framerate = 1 / self._tick
        encoder.flags |= GLOBAL_HEADER
        self._set(encoder)
        return encoder

    def _set(self, encoder: av.VideoCodecContext) -> None:
        (width, height), gop, kbps = self._settings
        encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
        encoder.time_base = self._tick
        encoder.color_range, encoder.colorspace = _LIMITED, _BT709
        encoder.color_primaries, encoder.color_trc = _BT709, _BT709
        encoder.bit_rate = max(1000, round(kbps * 1000))
        encoder.gop_size = gop
        encoder.thread_count = 1
        rate = max(1, round(kbps))
        encoder.options = {
            "preset": "veryfast", "tune": "zerolatency", "bf": "0", "threads": "1",
            "x264-params": f"vbv-maxrate={rate}:vbv-bufsize={rate}",
        }  # fmt: skip

    def cut(self) -> None:
        """Go on as if the recording began anew: no frame before this has a part in those that follow."""
        self._send(None)
        self._encoder = self._fresh()

    def __enter__(self) -> Recorder:
        return self

    def write(self, image: npt.NDArray[np.uint8], number: int) -> None:
        """Add an RGB picture `(height, width, 3)` that is shown at number / fps; numbers rise, and may leave gaps."""
        if number <= self._last or image.shape != (*self._settings[0][::-1], 3):
            raise ValueError(f"frame {number} {image.shape} does not go on after frame {self._last}")
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24").reformat(
            format="yuv420p", dst_colorspace="ITU709", src_color_range="JPEG", dst_color_range="MPEG", threads=1
        )
        picture.pts, picture.time_base = number, self._tick
        self._last = number
        self._send(picture)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._send(None)
            self._container.close()
            if kind is None:
                with self._partial.open("rb") as whole:
                    os.fsync(whole.fileno())
                self._partial.replace(self.path)
        except OSError as failed:
            if kind is None:
                raise self._unwritable(failed) from None
        finally:
            self._partial.unlink(missing_ok=True)

    def _send(self, picture: av.VideoFrame | None) -> None:
        try:
            for packet in self._encoder.encode(picture):
                packet.stream = self._stream
                self._container.mux(packet)
        except OSError as error:
            raise self._unwritable(error) from None

    def _unwritable(self, error: OSError) -> InputError:
        return InputError(
            f"{self.path}: the clip cannot be written ({error.strerror}); free space there, or name another folder"
        )
