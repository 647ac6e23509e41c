"""The recorder: what is written is read back at its time, whole or not at all, and the same every time."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from pipelines.errors import InputError
from testbed.scenario.synthetic import FilmedCamera
from testbed.sources.recording import read_frames, recording
from testbed.synthetic.recorder import FROZEN, LOST, OK, Recorder, mishaps

NUMBERS = (0, 1, 2, 5, 6, 9, 20)


def picture(number: int, height: int = 96, width: int = 128) -> np.ndarray:
    """Colours that change slowly, other ones in each frame."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x + 5 * number, y + 3 * number, (x + y) // 2 + 40], axis=2).clip(0, 255).astype(np.uint8)


def write(path: Path, numbers=NUMBERS, fps: float = 10.0, kbps: float = 2000.0) -> None:
    with Recorder(path, (128, 96), fps, kbps, 30) as recorder:
        for number in numbers:
            recorder.write(picture(number), number)


def settings(**changes) -> FilmedCamera:
    return FilmedCamera(name="c", **changes)


@pytest.mark.parametrize("fps", [10.0, 25.0, 12.5, 29.97])
def test_frames_come_back_at_their_times_with_gaps_where_some_were_lost(tmp_path, fps):
    write(tmp_path / "c.mp4", fps=fps)
    clip = recording(tmp_path / "c.mp4")
    assert clip.notices == ()
    assert (clip.width, clip.height) == (128, 96)
    assert clip.times == pytest.approx(np.array(NUMBERS) / fps, abs=1e-3)
    frames = read_frames(clip, 0, 99)
    assert [frame.index for frame in frames] == list(range(len(NUMBERS)))
    for frame, number in zip(frames, NUMBERS, strict=True):
        assert abs(frame.image.astype(int) - picture(number)).mean() < 3  # colours too: the matrix and range are right


def test_a_key_frame_comes_as_often_as_asked_and_no_frame_waits_for_a_later_one(tmp_path):
    with Recorder(tmp_path / "c.mp4", (128, 96), 10, 500, 6) as recorder:
        for number in range(20):
            recorder.write(picture(number), number)
    with av.open(str(tmp_path / "c.mp4")) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        assert [i for i, packet in enumerate(packets) if packet.is_keyframe] == [0, 6, 12, 18]
        assert all(packet.pts == packet.dts for packet in packets)
        stream = container.streams.video[0]
        assert stream.average_rate == Fraction(10)
        assert (stream.codec_context.color_range, stream.codec_context.colorspace) == (1, 1)
        assert not container.metadata.get("creation_time")


def test_the_rate_is_kept(tmp_path):
    noise = np.random.default_rng(1).integers(0, 256, (40, 240, 320, 3)).astype(np.uint8)
    with Recorder(tmp_path / "c.mp4", (320, 240), 10, 300, 30) as recorder:
        for number, image in enumerate(noise):
            recorder.write(image, number)
    kilobits = (tmp_path / "c.mp4").stat().st_size * 8 / 1000
    assert 0.5 * 4 * 300 < kilobits < (4 + 1) * 300 * 1.1  # four seconds, and the buffer of one


def test_the_same_frames_give_the_same_bytes_here_and_in_another_process(tmp_path):
    for name in ("a.mp4", "b.mp4"):
        write(tmp_path / name)
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); "
        "import test_recorder; test_recorder.write(Path(sys.argv[2]))"
    )
    subprocess.run([sys.executable, "-c", code, str(Path(__file__).parent), str(tmp_path / "c.mp4")], check=True)
    first, *others = ((tmp_path / name).read_bytes() for name in ("a.mp4", "b.mp4", "c.mp4"))
    assert others == [first, first]
    assert str(tmp_path).encode() not in first


def test_an_error_leaves_no_clip_and_an_older_one_as_it_was(tmp_path):
    write(tmp_path / "old.mp4")
    before = (tmp_path / "old.mp4").read_bytes()

    def broken(name: str) -> None:
        with Recorder(tmp_path / name, (128, 96), 10, 500, 30) as recorder:
            recorder.write(picture(0), 0)
            assert not (tmp_path / "new.mp4").exists()
            raise KeyboardInterrupt

    for name in ("new.mp4", "old.mp4"):
        with pytest.raises(KeyboardInterrupt):
            broken(name)
    assert [path.name for path in tmp_path.iterdir()] == ["old.mp4"]
    assert (tmp_path / "old.mp4").read_bytes() == before


@pytest.mark.parametrize(("number", "height"), [(3, 96), (2, 96), (4, 98)])
def test_frames_must_go_on_and_have_the_size(tmp_path, number, height):
    with Recorder(tmp_path / "c.mp4", (128, 96), 10, 500, 30) as recorder:
        recorder.write(picture(0), 3)
        with pytest.raises(ValueError, match=f"frame {number} .* does not go on after frame 3"):
            recorder.write(picture(0, height), number)


def test_where_it_cannot_write_it_says_so(tmp_path):
    with pytest.raises(InputError, match=r"c\.mp4: the clip cannot be written \(No such file or directory\)"):
        write(tmp_path / "nowhere" / "c.mp4")


def test_a_full_disk_is_told_in_a_sentence_and_nothing_is_left(tmp_path):
    code = """
import resource, sys
from pathlib import Path
import numpy as np
from testbed.synthetic.recorder import Recorder
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
noise = np.random.default_rng(1).integers(0, 256, (30, 480, 640, 3)).astype(np.uint8)
with Recorder(Path(sys.argv[1]), (640, 480), 10, 5000, 30) as recorder:
    for number, image in enumerate(noise):
        recorder.write(image, number)
"""
    run = subprocess.run([sys.executable, "-c", code, str(tmp_path / "c.mp4")], capture_output=True, text=True)
    last = run.stderr.strip().splitlines()[-1]
    assert last.startswith("pipelines.errors.InputError: ")
    assert last.endswith("c.mp4: the clip cannot be written (File too large); free space there, or name another folder")
    assert list(tmp_path.iterdir()) == []


def test_without_the_encoder_it_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(av, "codecs_available", {"mpeg4"})
    with pytest.raises(InputError, match="need the encoder libx264, which this PyAV lacks; install PyAV's own wheel"):
        write(tmp_path / "c.mp4")


def test_a_camera_without_mishaps_has_none():
    assert (mishaps(settings(), 5000, 1) == OK).all()


def test_losses_and_freezes_have_their_shares():
    frames, fps, share, per_minute = 400_000, 10.0, 0.05, 6.0
    fate = mishaps(settings(fps=fps, drops=share, freezes_per_min=per_minute), frames, 3)
    assert fate[0] == OK
    assert (fate == LOST).mean() == pytest.approx(share, abs=4 * np.sqrt(share / frames))
    # A frame stands still where a freeze began in the second up to it.
    still = 1 - (1 - per_minute / 60 / fps) ** 10
    assert (fate == FROZEN).mean() == pytest.approx(still * (1 - share), rel=0.05)
    assert abs(np.corrcoef(fate[1:] == LOST, fate[:-1] == LOST)[0, 1]) < 4 / np.sqrt(frames)


def test_a_freeze_lasts_a_second_and_freezes_are_as_many_as_asked():
    fate = mishaps(settings(fps=20, freezes_per_min=0.5), 200_000, 5)
    edges = np.flatnonzero(np.diff((fate == FROZEN).astype(int), prepend=0, append=0)).reshape(-1, 2)
    lengths = edges[:, 1] - edges[:, 0]
    assert np.median(lengths) == lengths.min() == 20  # longer: another one began meanwhile
    expected = 200_000 / 20 / 60 * 0.5
    assert len(lengths) == pytest.approx(expected, abs=4 * np.sqrt(expected))


def test_more_losses_only_add_to_those_of_the_same_seed():
    few, many = (mishaps(settings(drops=share, freezes_per_min=3), 5000, 2) for share in (0.1, 0.3))
    assert (many[few == LOST] == LOST).all()
    assert (few[many == FROZEN] == FROZEN).all()
    assert not (mishaps(settings(drops=0.1), 5000, 3) == mishaps(settings(drops=0.1), 5000, 4)).all()
