"""Through a real H.264 encoder and back, as the recorder stores the picture."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import av
import numpy as np

from pipelines.errors import InputError
from pipelines.interface import Image

_LIMITED, _BT709 = 1, 1
"""libav's numbers for limited range and for the BT.709 matrix."""


def round_trip(frames: Sequence[Image], fps: float, bitrate_kbps: float, gop: int) -> list[Image]:
    """The frames `(h, w, 3)`, all of one even-sided size, as they come back from libx264 at that bit rate.

    Raises InputError where this installation of PyAV lacks libx264.
    """
    return decode(encode(frames, fps, bitrate_kbps, gop))


def encode(frames: Sequence[Image], fps: float, bitrate_kbps: float, gop: int) -> list[bytes]:
    """H.264, one packet per frame, as an IP camera sends it: no B-frames, a key frame every `gop` frames.

    The rate is held within a buffer of the clip's own length, at most one second: a clip of a few frames
    cannot spend on its key frame what a camera has for a whole second. Same frames, same bytes: one thread.
    """
    if "libx264" not in av.codecs_available:
        raise InputError("`bitrate_kbps` needs the encoder libx264, which this PyAV lacks; install PyAV's own wheel")
    height, width = frames[0].shape[:2]
    rate = Fraction(fps).limit_denominator(1001)
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.framerate, encoder.time_base = rate, 1 / rate
    encoder.color_range, encoder.colorspace = _LIMITED, _BT709
    encoder.color_primaries, encoder.color_trc = _BT709, _BT709
    encoder.bit_rate = max(1000, round(bitrate_kbps * 1000))
    encoder.gop_size = gop
    encoder.thread_count = 1
    buffer = max(1, round(bitrate_kbps * min(1.0, len(frames) / fps)))
    encoder.options = {
        "preset": "veryfast", "tune": "zerolatency", "bf": "0", "threads": "1",
        "x264-params": f"vbv-maxrate={max(1, round(bitrate_kbps))}:vbv-bufsize={buffer}",
    }  # fmt: skip
    packets = []
    for number, image in enumerate(frames):
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24").reformat(
            format="yuv420p", dst_colorspace="ITU709", src_color_range="JPEG", dst_color_range="MPEG", threads=1
        )
        picture.pts, picture.time_base = number, 1 / rate
        packets += [bytes(packet) for packet in encoder.encode(picture)]
    return packets + [bytes(packet) for packet in encoder.encode(None)]


def decode(packets: Sequence[bytes]) -> list[Image]:
    """The pictures `encode` was given, as the viewer sees them."""
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    decoder.thread_type = "NONE"
    pictures = [picture for packet in packets for picture in decoder.decode(av.Packet(packet))]
    pictures += decoder.decode(None)
    if len(pictures) != len(packets):
        raise RuntimeError(f"libx264 was given {len(packets)} frames and {len(pictures)} came back")
    return [
        np.asarray(
            picture.reformat(
                format="rgb24", src_colorspace="ITU709", src_color_range="MPEG", dst_color_range="JPEG", threads=1
            ).to_ndarray(),
            np.uint8,
        )
        for picture in pictures
    ]
