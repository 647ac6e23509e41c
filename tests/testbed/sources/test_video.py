from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image as Pillow

from pipelines.errors import InputError
from testbed.runs.tables import TRUTH
from testbed.scenario.models import Camera, Video
from testbed.sources import recording as recordings
from testbed.sources.frames import Frame
from testbed.sources.recording import read_frames, recording
from testbed.sources.video import VideoSource

MakeClip = Callable[..., Path]


def source_of(path: Path, every: int = 1, segment: int = 5, truth: pl.DataFrame | None = None) -> VideoSource:
    video = Video(kind="video", cameras=[Camera(name="door", file=path)], every=every, segment=segment)
    files = {camera.name: camera.file for camera in video.cameras}
    return VideoSource(
        files, pl.DataFrame(schema=TRUTH.columns) if truth is None else truth, video.every, video.segment
    )


def grey(frame: Frame) -> int:
    assert frame.image is not None
    return round(float(frame.image[-5:, -5:].mean()) / 10)


def packets(path: Path) -> list[tuple[int, int]]:
    """(position, size) of each packet in the file."""
    with recordings._opened(path) as (container, stream):
        return [(packet.pos or 0, packet.size) for packet in container.demux(stream) if packet.size]


def test_frames_carry_their_index_and_the_file_s_own_times(make_clip: MakeClip) -> None:
    stamps = [0, 40, 200, 210, 500, 501, 502, 900, 1000, 1100, 1700, 3000]
    source = source_of(make_clip(milliseconds=stamps))
    takes = [take for segment in range(source.segments("door")) for take in source.read("door", segment)]
    assert [take.index for take in takes] == [0, 1, 2]
    assert [len(take.frames) for take in takes] == [5, 5, 2]
    frames = [frame for take in takes for frame in take.frames]
    assert [grey(frame) for frame in frames] == [frame.index for frame in frames] == list(range(12))
    first = frames[0].seconds
    assert np.allclose([1000 * (frame.seconds - first) for frame in frames], stamps, atol=0.6)


def test_frames_that_the_codec_reorders_come_in_order(make_clip: MakeClip) -> None:
    frames = read_frames(recording(make_clip(b_frames=2, gop=12)), 0, 99)
    assert [grey(frame) for frame in frames] == list(range(12))
    assert np.allclose(np.diff([frame.seconds for frame in frames]), 0.1, atol=1e-3)


def test_avi_which_stamps_packets_in_decoding_order_loses_no_frame_and_says_what_was_assumed(
    make_clip: MakeClip,
) -> None:
    clip = recording(make_clip("clip.avi", frames=24, b_frames=2, gop=12))
    frames = read_frames(clip, 0, 99)
    assert [grey(frame) for frame in frames] == list(range(24))
    assert any("frames per second were assumed" in notice for notice in clip.notices)


def test_a_clock_that_jumps_back_is_named_and_one_that_codecs_reorder_is_none(make_clip: MakeClip) -> None:
    path = make_clip("clip.ts")
    assert not recording(path).backwards
    path.write_bytes(2 * path.read_bytes())
    clip = recording(path)
    assert (clip.backwards, len(clip)) == (True, 24)
    assert any("its clock runs backwards or stands still; " in notice for notice in clip.notices)
    assert not recording(make_clip("clip.mp4", b_frames=2, gop=12)).backwards


def test_every_third_frame_is_shown_whichever_segment_is_read_first(make_clip: MakeClip) -> None:
    source = source_of(make_clip(), every=3, segment=2)
    assert source.frames("door") == 4
    assert source.segments("door") == 2
    for segment, expected in [(1, [6, 9]), (0, [0, 3]), (1, [6, 9]), (1, [6, 9])]:
        (take,) = source.read("door", segment)
        assert [frame.index for frame in take.frames] == [grey(frame) for frame in take.frames] == expected
    (beyond,) = source.read("door", 2)
    assert beyond.frames == ()
    assert beyond.truth == ()


def test_two_cameras_read_in_turn_keep_their_places(make_clip: MakeClip) -> None:
    one, other = recording(make_clip("a.mp4")), recording(make_clip("b.mp4"))
    for start in range(0, 12, 4):
        assert [grey(frame) for clip in (one, other) for frame in read_frames(clip, start, 4)] == 2 * list(
            range(start, start + 4)
        )


def test_a_clip_filmed_upright_is_delivered_upright(make_clip: MakeClip) -> None:
    path = make_clip()
    content = bytearray(path.read_bytes())
    upright = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    at = content.find(upright, content.find(b"tkhd"))
    # The matrix of ISO 14496-12 that turns the picture clockwise: x' = 48 − y, y' = x.
    content[at : at + 36] = struct.pack(">9i", 0, 0x10000, 0, -0x10000, 0, 0, 48 << 16, 0, 0x40000000)
    path.write_bytes(content)
    clip = recording(path)
    assert (clip.width, clip.height) == (48, 64)
    (frame,) = read_frames(clip, 0, 1)
    assert frame.image is not None
    corners = frame.image[[5, 5, -5, -5], [5, -5, 5, -5], 0]
    assert np.argmax(corners) == 1  # the bright corner went from top left to top right
    assert corners[1] > 240


def test_a_gif_is_a_video(tmp_path: Path) -> None:
    pictures = [Pillow.new("RGB", (32, 24), (60 * i, 60 * i, 60 * i)) for i in range(4)]
    path = tmp_path / "a.gif"
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=[100, 300, 100, 100])
    frames = read_frames(recording(path), 0, 9)
    assert [int(frame.image[0, 0, 0]) // 60 for frame in frames if frame.image is not None] == [0, 1, 2, 3]
    assert np.allclose([frame.seconds for frame in frames], [0, 0.1, 0.4, 0.5])


def test_a_damaged_packet_costs_its_frame_and_shifts_no_other(make_clip: MakeClip) -> None:
    path = make_clip(gop=1)
    position, size = packets(path)[5]
    content = bytearray(path.read_bytes())
    content[position : position + size] = bytes(size)
    path.write_bytes(content)
    frames = read_frames(recording(path), 0, 99)
    assert [frame.index for frame in frames] == list(range(12))
    assert [frame.index for frame in frames if frame.image is None] == [5]
    assert frames[5].reason
    assert [grey(frame) for frame in frames if frame.image is not None] == [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11]


def test_a_clip_cut_short_gives_the_frames_there_are_and_says_so(make_clip: MakeClip) -> None:
    path = make_clip(gop=1)
    position, _ = packets(path)[7]
    path.write_bytes(path.read_bytes()[:position])
    clip = recording(path)
    assert any("announces 12 frames" in notice or "breaks off" in notice for notice in clip.notices)
    frames = read_frames(clip, 0, 99)
    assert [grey(frame) for frame in frames if frame.image is not None] == list(range(7))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "zero bytes"),
        (b"this is no video\n" * 100, "cannot be opened as video"),
        (b"ffconcat version 1.0\nfile clip.mp4\n", "cannot be opened as video"),
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nclip.mp4\n#EXT-X-ENDLIST\n", "cannot be opened as video"),
    ],
    ids=["zero bytes", "text", "list of files", "playlist"],
)
def test_what_is_no_video_is_refused(make_clip: MakeClip, tmp_path: Path, content: bytes, said: str) -> None:
    make_clip()
    path = tmp_path / "broken.mp4"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said):
        recording(path)


def test_a_video_without_its_index_or_that_is_absent_is_refused(make_clip: MakeClip, tmp_path: Path) -> None:
    path = make_clip()
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(InputError, match=r"clip\.mp4: holds no video stream, or was cut short"):
        recording(path)
    with pytest.raises(InputError, match="No such file"):
        recording(tmp_path / "none.mp4")


def test_a_picture_too_large_is_refused_before_it_is_decoded(make_clip: MakeClip) -> None:
    with pytest.raises(InputError, match="8200 × 16 exceeds 8192"):
        recording(make_clip(frames=1, size=(8200, 16)))


def test_a_video_without_pictures_is_refused(tmp_path: Path) -> None:
    import av

    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        sound.sample_rate = 8000
        container.mux(stream.encode(sound))
        container.mux(stream.encode(None))
    with pytest.raises(InputError, match="holds no video stream"):
        recording(path)


def test_a_frame_has_the_truth_of_its_own_index(make_clip: MakeClip) -> None:
    rows = [("door", frame, f"door/a/{frame}", "a", 1.0 * frame, 2.0, 20.0, 30.0) for frame in (2, 4, 5)]
    truth = pl.DataFrame(rows, schema=TRUTH.columns, orient="row")
    (take,) = source_of(make_clip(), every=2, truth=truth).read("door", 0)
    assert [frame.index for frame in take.frames] == [0, 2, 4, 6, 8]
    assert [truth.transits for truth in take.truth] == [(), ("door/a/2",), ("door/a/4",), (), ()]
    assert take.truth[2].boxes.tolist() == [[4, 2, 20, 30]]
