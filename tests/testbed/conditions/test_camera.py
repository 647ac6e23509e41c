from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from testbed.conditions.camera import deliver
from testbed.conditions.sensor import to_light
from testbed.scenario.models import Condition
from testbed.sources.eyes import locate
from testbed.sources.frames import Frame, Take, Truth
from testbed.sources.photographs import read_photograph
from testbed.sources.stills import face_box
from tests.testbed.conditions.conftest import EYES

LONDON = Path(__file__).parents[4] / "shared/data/london_set"
needs_london = pytest.mark.skipif(not LONDON.is_dir(), reason="the London Set is not beside the repository")
QUIET: dict[str, Any] = {"noise": 0.0, "exposure_s": 0.0}


def dots(frame: Frame) -> npt.NDArray[np.float64]:
    """Centres of the two bright dots, image-left first."""
    assert frame.image is not None
    grey = frame.image[..., 0].astype(float)
    weight = np.where(grey > 100, grey - 60, 0)
    y, x = np.mgrid[: grey.shape[0], : grey.shape[1]]
    middle = (weight * x).sum() / weight.sum()
    halves = [np.where(x < middle, weight, 0), np.where(x >= middle, weight, 0)]
    return np.array([[(half * x).sum() / half.sum(), (half * y).sum() / half.sum()] for half in halves])


def test_clean_is_the_take_itself(photograph: Take) -> None:
    assert deliver(photograph, Condition(clean=True), [1]) is photograph


@pytest.mark.parametrize("face_px", [60.0, 31.0, 20.0])
def test_the_face_has_the_size_and_place_asked_for_and_moves_at_the_speed_asked_for(
    photograph: Take, face_px: float
) -> None:
    take = deliver(photograph, Condition(inter_eye_px=face_px, frame=(320, 240), **QUIET), [1])
    eyes = [dots(frame) for frame in take.frames]
    for pair in eyes:
        assert np.hypot(*(pair[1] - pair[0])) == pytest.approx(face_px, abs=0.15)
    assert eyes[2].mean(axis=0) == pytest.approx([159.5, 0.42 * 240], abs=0.15)
    centres = np.array([pair.mean(axis=0) for pair in eyes])
    assert np.diff(centres[:, 0]) == pytest.approx([2.0 * face_px / 10] * 4, abs=0.2)
    assert np.ptp(centres[:, 1]) < 0.1


def test_truth_boxes_follow_the_face(photograph: Take) -> None:
    take = deliver(photograph, Condition(inter_eye_px=30, frame=(320, 240), **QUIET), [1])
    scale = 30 / np.hypot(80, 10)
    for frame, truth in zip(take.frames, take.truth, strict=True):
        x1, y1, x2, y2 = truth.boxes[0]
        assert (x2 - x1, y2 - y1) == pytest.approx((200 * scale, 200 * scale), abs=1e-3)
        expected = dots(frame)[0] - scale * np.array([60.0, 60.0])  # the left dot lies (60, 60) into the box
        assert (x1, y1) == pytest.approx(expected, abs=0.3)
        assert truth.subjects == ("a",)


def test_the_truth_s_eyes_follow_the_face(photograph: Take, stretch: Take) -> None:
    known = replace(photograph, truth=(replace(photograph.truth[0], eyes=EYES[None]),))
    take = deliver(known, Condition(inter_eye_px=30, frame=(320, 240), **QUIET), [1])
    for frame, truth in zip(take.frames, take.truth, strict=True):
        assert truth.eyes is not None
        assert truth.eyes[0] == pytest.approx(dots(frame), abs=0.15)
    eyes = np.array([[[0.0, 0.0], [100.0, 74.0]]])  # the middles of the first and the last pixel
    filmed = replace(stretch, truth=tuple(replace(each, eyes=eyes) for each in stretch.truth))
    small = deliver(filmed, Condition(scale=0.5), [1]).truth[0]
    assert small.eyes is not None
    assert small.eyes[0, 0] == pytest.approx([25 / 101 - 0.5, 18 / 75 - 0.5])
    assert small.eyes[0, 1] == pytest.approx([50 - 25 / 101 - 0.5, 36 - 18 / 75 - 0.5])


def test_frames_are_numbered_by_photograph_and_timed_by_the_camera(photograph: Take) -> None:
    take = deliver(photograph, Condition(inter_eye_px=30, frames=3, fps=12.5), [1])
    assert [frame.index for frame in take.frames] == [24, 25, 26]
    assert [frame.seconds for frame in take.frames] == pytest.approx([0, 0.08, 0.16])
    assert all(frame.image is not None and frame.image.shape == (360, 640, 3) for frame in take.frames)


def test_a_face_that_leaves_the_picture_takes_its_truth_along(photograph: Take) -> None:
    take = deliver(photograph, Condition(inter_eye_px=60, motion_eyes_per_s=50, frames=5, frame=(320, 240)), [1])
    assert [len(truth.boxes) for truth in take.truth] == [0, 0, 1, 0, 0]
    assert take.truth[0].transits == ()


@pytest.mark.parametrize("bitrate", [None, 300.0])
def test_the_same_seed_gives_the_same_bytes_and_another_does_not(photograph: Take, bitrate: float | None) -> None:
    condition = Condition(inter_eye_px=20, frame=(160, 120), light=0.1, bitrate_kbps=bitrate)
    first, again, other = (
        [frame.image for frame in deliver(photograph, condition, seed).frames] for seed in ([1, 2], [1, 2], [1, 3])
    )
    assert np.array_equal(np.array(first), np.array(again))
    assert not np.array_equal(np.array(first), np.array(other))


def test_frames_of_one_clip_have_noise_of_their_own(photograph: Take) -> None:
    condition = Condition(inter_eye_px=20, frame=(160, 120), motion_eyes_per_s=0, frames=2)
    first, second = (frame.image for frame in deliver(photograph, condition, [1]).frames)
    assert first is not None
    assert second is not None
    assert not np.array_equal(first, second)


def test_motion_blur_is_as_long_as_the_way_gone_in_the_exposure(photograph: Take) -> None:
    def spread(exposure_s: float) -> float:
        """Variance along x of the light of the left dot, pixels²."""
        condition = Condition(
            inter_eye_px=40, frame=(320, 240), noise=0, motion_eyes_per_s=5, exposure_s=exposure_s, frames=1
        )
        image = deliver(photograph, condition, [1]).frames[0].image
        assert image is not None
        light = to_light(image[80:116, 124:156]).sum(axis=(0, 2)).astype(float)
        light -= np.median(to_light(image[:60])) * 36 * 3
        x = np.arange(32)
        centre = (light * x).sum() / light.sum()
        return float((light * (x - centre) ** 2).sum() / light.sum())

    way = 5 * 0.05 * 40
    assert spread(0.05) - spread(0.0) == pytest.approx(way**2 / 12, rel=0.1)  # a uniform smear of that length


@pytest.mark.parametrize(
    ("take", "reason"),
    [
        ({"eyes": None}, "could not locate the eyes"),
        ({"frames": (Frame(None, 3, 0.0, "a.jpg: zero bytes"),), "eyes": None}, "a.jpg: zero bytes"),
        ({"eyes": np.array([[300.0, 240.0], [320.0, 240.0]])}, "would enlarge"),
    ],
)
def test_a_clip_that_cannot_be_made_says_why(photograph: Take, take: dict[str, Any], reason: str) -> None:
    delivered = deliver(replace(photograph, **take), Condition(inter_eye_px=30), [1])
    assert [frame.index for frame in delivered.frames] == [24, 25, 26, 27, 28]
    assert all(frame.image is None and reason in frame.reason for frame in delivered.frames)
    assert len(delivered.truth) == 5


@pytest.fixture
def stretch() -> Take:
    """Five frames of video, 101 × 75, the third undecodable."""
    generator = np.random.default_rng(1)
    pictures = [generator.integers(90, 160, (75, 101, 3), dtype=np.uint8) for _ in range(5)]
    frames = [Frame(None if i == 2 else picture, 7 + i, i / 25, "lost") for i, picture in enumerate(pictures)]
    truth = Truth(np.array([[10, 20, 50, 60]], np.float32), ("t",), ("s",))
    return Take("door", 0, tuple(frames), (truth,) * 5)


def test_video_is_shrunk_to_even_sides_and_its_truth_with_it(stretch: Take) -> None:
    take = deliver(stretch, Condition(scale=0.5, bitrate_kbps=200), [1])
    assert [None if frame.image is None else frame.image.shape for frame in take.frames] == [
        (36, 50, 3), (36, 50, 3), None, (36, 50, 3), (36, 50, 3),
    ]  # fmt: skip
    assert [(frame.index, frame.seconds) for frame in take.frames] == [(7 + i, i / 25) for i in range(5)]
    assert take.truth[0].boxes[0] == pytest.approx([10 * 50 / 101, 20 * 36 / 75, 50 * 50 / 101, 60 * 36 / 75])
    assert take.frames[2].reason == "lost"


def test_video_may_change_its_size_on_the_way(stretch: Take) -> None:
    smaller = [replace(f, image=None if f.image is None else f.image[:40, :60]) for f in stretch.frames[3:]]
    take = deliver(replace(stretch, frames=(*stretch.frames[:3], *smaller)), Condition(bitrate_kbps=500), [1])
    assert [None if frame.image is None else frame.image.shape[:2] for frame in take.frames] == [
        (74, 100), (74, 100), None, (40, 60), (40, 60),
    ]  # fmt: skip


def test_an_empty_take_stays_empty() -> None:
    assert deliver(Take("door", 4, (), ()), Condition(scale=0.5), [1]).frames == ()


@pytest.fixture(scope="module")
def smiling() -> Take:
    image = read_photograph(sorted((LONDON / "smiling").glob("*.jpg"))[0])
    eyes = locate(image)
    assert eyes is not None
    truth = Truth(face_box(eyes)[None], ("001/001_08",), ("001",))
    return Take("stills", 0, (Frame(image, 0, 0.0),), (truth,), eyes)


@needs_london
def test_the_eyes_measured_in_the_delivered_frames_are_as_far_apart_as_asked_and_inside_the_truth(
    smiling: Take,
) -> None:
    take = deliver(smiling, Condition(inter_eye_px=60, bitrate_kbps=600), [1])
    for frame, truth in zip(take.frames, take.truth, strict=True):
        assert frame.image is not None
        eyes = locate(frame.image)
        assert eyes is not None
        assert np.hypot(*(eyes[1] - eyes[0])) == pytest.approx(60, rel=0.05)
        x1, y1, x2, y2 = truth.boxes[0]
        assert ((eyes > [x1, y1]) & (eyes < [x2, y2])).all()


@needs_london
def test_less_light_means_a_noisier_picture(smiling: Take) -> None:
    wanted = Condition(inter_eye_px=40, noise=0, motion_eyes_per_s=0)
    reference = deliver(smiling, wanted, [1]).frames[0].image
    assert reference is not None
    errors = []
    for light in (1.0, 0.2, 0.04):
        image = deliver(smiling, Condition(inter_eye_px=40, motion_eyes_per_s=0, light=light), [1]).frames[0].image
        assert image is not None
        errors.append(float(np.std(image.astype(float) - reference)))
    assert errors[0] * 1.5 < errors[1] < errors[2] / 1.5
