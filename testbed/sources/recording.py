"""One recorded clip on disk: its frame times, found without decoding it, and its pictures, in order."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import numpy.typing as npt

from pipelines.errors import InputError
from pipelines.interface import Image
from testbed.sources.frames import Frame

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

MAX_SIDE = 8192
_ASSUMED_RATE = 25.0
_MOST_REORDERED = 32
"""Frames a codec may hold back to put them in order (H.264 allows 16); more is a clock that jumped."""

_CONTAINERS = "mov,matroska,avi,mpegts,mpeg,h264,hevc,gif,flv,asf,mjpeg,dhav"
"""What is opened. libavformat also knows playlists, which would read other files and other machines."""


@dataclass(frozen=True)
class Recording:
    """What a clip holds. `times` `(n,)` float64 seconds, by frame index, as the file stamps them.

    `stamps` `(n,)` are the same in the file's own clock, or None where the file has no usable time stamps.
    backwards: it has some, which repeat or jump back. Width and height are those of the upright picture. `notices` say
    what the report must mention.
    """

    path: Path
    width: int
    height: int
    times: npt.NDArray[np.float64]
    stamps: npt.NDArray[np.int64] | None
    rate: float
    backwards: bool
    notices: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.times)


def recording(path: Path) -> Recording:
    """Read the packets of `path`, decoding only the first frame. Remembered while the file is unchanged.

    Raises InputError where it cannot be opened as video, holds no decodable frame, or a side exceeds 8,192 px.
    """
    try:
        state = path.stat()
    except OSError as error:
        raise InputError(f"{path}: the video cannot be read ({error.strerror}); correct `file`") from None
    if state.st_size == 0:
        raise InputError(f"{path}: the video is empty (zero bytes); replace it")
    return _recording(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=64)
def _recording(path: Path, _changed: int, _size: int) -> Recording:
    stamps: list[int | None] = []
    notices = []
    with _opened(path) as (container, stream):
        rate = float(stream.average_rate or 0) or _ASSUMED_RATE
        declared = stream.frames
        base = stream.time_base
        try:
            for packet in container.demux(stream):
                if packet.size and not packet.is_discard:
                    stamps.append(packet.pts)
        except av.FFmpegError as error:
            notices.append(f"{path}: breaks off after {len(stamps)} frames ({error.strerror}); what precedes is used")
        else:
            if len(stamps) < declared:
                notices.append(f"{path}: is cut short: it announces {declared} frames and holds {len(stamps)}")
    ordered = _in_order(stamps)
    backwards = ordered is None and bool(stamps) and None not in stamps
    size, presented = _first_pictures(path)
    if size is None:
        raise InputError(f"{path}: no frame of the video can be decoded; replace it or convert it to H.264 in MP4")
    times: npt.NDArray[np.float64]
    if ordered is None or base is None or not _one_picture_each(ordered, presented):
        ordered = None
        times = np.arange(len(stamps), dtype=np.float64) / rate
        why = "its clock runs backwards or stands still" if backwards else "carries no usable time stamps"
        notices.append(f"{path}: {why}; {rate:g} frames per second were assumed")
    else:
        times = np.asarray(ordered * float(base), np.float64)
    width, height = size
    return Recording(path, width, height, times, ordered, rate, backwards, tuple(notices))


def read_frames(clip: Recording, start: int, count: int, every: int = 1) -> list[Frame]:
    """At most `count` frames from index `start`, every `every`-th; fewer at the end.

    A frame of which the decoder makes nothing, or that it marks as damaged, comes without image, with the reason. The
    thread keeps its place in one clip, so reading on is cheap; frames in between are decoded, not converted.
    """
    cursor = _cursor_at(clip, start)
    frames: list[Frame] = []
    while len(frames) < count:
        step = next(cursor, None)
        if step is None:
            break
        index, picture = step
        if index < start or (index - start) % every:
            continue
        seconds = float(clip.times[index]) if index < len(clip) else index / clip.rate
        if picture is None:
            frames.append(Frame(None, index, seconds, "the decoder made no picture of it"))
        elif picture.is_corrupt:
            frames.append(Frame(None, index, seconds, "the decoder marked the picture as damaged"))
        else:
            frames.append(Frame(_upright(picture), index, seconds))
    return frames


class _Cursor:
    """A decoder at work on one clip; `next_index` is the frame it delivers next."""

    def __init__(self, clip: Recording) -> None:
        self.clip = clip
        self.process = os.getpid()
        self.next_index = 0
        self._decoded = _decoded(clip.path, clip.stamps)

    def __iter__(self) -> _Cursor:
        return self

    def __next__(self) -> tuple[int, av.VideoFrame | None]:
        step = next(self._decoded)
        self.next_index = step[0] + 1
        return step

    def close(self) -> None:
        self._decoded.close()


class _Place(threading.local):
    """Each thread's decoder: one open file, however many cameras a scenario has."""

    cursor: _Cursor | None = None


_place = _Place()


def _cursor_at(clip: Recording, start: int) -> _Cursor:
    """This thread's decoder, standing at or before frame `start` of `clip`."""
    cursor = _place.cursor
    # A forked process inherits the cursor but shares the file's position with its parent.
    if cursor is None or cursor.clip is not clip or cursor.next_index > start or cursor.process != os.getpid():
        if cursor is not None:
            cursor.close()
        cursor = _place.cursor = _Cursor(clip)
    return cursor


def _decoded(
    path: Path, stamps: npt.NDArray[np.int64] | None
) -> Generator[tuple[int, av.VideoFrame | None], None, None]:
    """(index, picture) of every frame in order, None where the decoder made none.

    A frame's index is its rank among the time stamps of all packets, so that those lost shift no other;
    without stamps it is the count of pictures so far.
    """
    expected = 0
    with _opened(path) as (container, stream):
        for picture in _pictures(container, stream):
            if max(picture.width, picture.height) > MAX_SIDE:
                raise _too_large(path, picture.width, picture.height)
            index = expected
            if stamps is not None:
                index = int(np.searchsorted(stamps, picture.pts)) if picture.pts is not None else expected
                # Never backwards: a picture whose stamp was already used is the next one all the same.
                index = max(index, expected)
                yield from ((lost, None) for lost in range(expected, index))
            yield index, picture
            expected = index + 1
    if stamps is not None:
        yield from ((lost, None) for lost in range(expected, len(stamps)))


def _pictures(container: InputContainer, stream: VideoStream) -> Iterator[av.VideoFrame]:
    """Everything the decoder yields; packets it refuses leave a gap in the time stamps."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.FFmpegError):
            break
        try:
            pictures = packet.decode()
        except av.FFmpegError:
            continue
        yield from pictures
    # A file that breaks off never sends the packet that empties the decoder.
    try:
        yield from stream.codec_context.decode(None)
    except (av.FFmpegError, EOFError):
        return


@contextmanager
def _opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    # `file:` and the white lists: a path or a playlist must not make libavformat go elsewhere.
    options = {"protocol_whitelist": "file", "format_whitelist": _CONTAINERS}
    try:
        container = av.open(f"file:{path}", options=options)
    except (av.FFmpegError, OSError, ValueError):
        raise InputError(
            f"{path}: cannot be opened as video (damaged, cut short before its index, or no video at all); "
            "replace it or convert it to H.264 in MP4"
        ) from None
    with container:
        if not container.streams.video:
            raise InputError(f"{path}: holds no video stream, or was cut short before it; name a whole video file")
        stream = container.streams.video[0]
        context = stream.codec_context
        if context is None:
            raise InputError(f"{path}: its video codec is not known here; convert it to H.264 in MP4")
        if max(context.width, context.height) > MAX_SIDE:
            raise _too_large(path, context.width, context.height)
        # One thread: several may hand out damaged pictures differently from run to run.
        context.thread_count = 1
        context.thread_type = "NONE"
        yield container, stream


def _too_large(path: Path, width: int, height: int) -> InputError:
    return InputError(f"{path}: its picture of {width} × {height} exceeds {MAX_SIDE} pixels a side; scale it down")


def _upright(picture: av.VideoFrame) -> Image:
    """RGB, turned as the file's rotation entry asks (counter-clockwise multiples of 90°)."""
    image = picture.reformat(format="rgb24", threads=1).to_ndarray()
    turns = round(picture.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image, turns)).astype(np.uint8, copy=False)


def _first_pictures(path: Path) -> tuple[tuple[int, int] | None, list[int | None]]:
    """Width and height of the upright picture (None: nothing can be decoded), and the first pictures' time stamps."""
    size: tuple[int, int] | None = None
    presented: list[int | None] = []
    with _opened(path) as (container, stream):
        for picture in islice(_pictures(container, stream), 2 * _MOST_REORDERED):
            if size is None:
                height, width = _upright(picture).shape[:2]
                size = (width, height)
            presented.append(picture.pts)
    return size, presented


def _one_picture_each(stamps: npt.NDArray[np.int64], presented: list[int | None]) -> bool:
    """Whether pictures and time stamps belong to each other one to one, but for a few lost pictures.

    Not so in AVI, which stamps packets in the order of decoding, or where each field has a packet of its own.
    """
    if None in presented:
        return False
    steps = np.diff(np.searchsorted(stamps, np.array(presented, dtype=np.int64)))
    return len(steps) == 0 or bool((steps > 0).all() and np.median(steps) == 1)


def _in_order(stamps: list[int | None]) -> npt.NDArray[np.int64] | None:
    """The time stamps sorted, or None where some are missing or repeated, or the clock jumped backwards."""
    known = [stamp for stamp in stamps if stamp is not None]
    if len(known) < len(stamps) or not known or len(set(known)) < len(known):
        return None
    found = np.array(known, dtype=np.int64)
    order = np.argsort(found, kind="stable")
    if np.abs(order - np.arange(len(order))).max() > _MOST_REORDERED:
        return None
    return found[order]
