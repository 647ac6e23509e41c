"""Enhancement of delivered pictures: size, truth, seeds, and models of the user's own, good and bad."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from pipelines.errors import InputError
from pipelines.onnx_file import model, node, port, tensor
from testbed.conditions.completion import shrunk
from testbed.conditions.enhancement import NOT_COMPLETED, enhance
from testbed.replay import segment
from testbed.scenario.enhancing import Completion, SuperResolver
from testbed.scenario.models import ENHANCEMENT, Condition
from testbed.sources.frames import Frame, Take, Truth
from testbed.synthetic.prior import FacePrior
from tests.testbed.conditions.test_completion import prior

EYES = np.array([[[20.0, 18.0], [30.0, 18.0]], [[np.nan] * 2, [np.nan] * 2]])


@pytest.fixture
def take() -> Take:
    """A frame that could not be had, and one of two people, one of them with eyes that are known."""
    image = np.random.default_rng(4).integers(60, 200, (48, 64, 3), np.uint8)
    truth = Truth(np.array([[10, 8, 40, 40], [45, 10, 60, 30]], np.float32), ("a/1", "b/1"), ("a", "b"), eyes=EYES)
    return Take("door", 0, (Frame(None, 6, 0.0, "lost"), Frame(image, 7, 0.1)), (truth, truth))


def enhanced(take: Take, how: Any, enlarge: int = 4, law: FacePrior | None = None, seed: int = 1) -> Take:
    return enhance(take, Condition(enhance=how, enlarge=enlarge), law, [seed, 2])


def last(take: Take) -> np.ndarray:
    image = take.frames[-1].image
    assert image is not None
    return image


def test_none_is_the_take_itself(take: Take) -> None:
    assert enhanced(take, "none") is take


@pytest.mark.parametrize(("how", "kernel"), [("bicubic", cv2.INTER_CUBIC), ("lanczos", cv2.INTER_LANCZOS4)])
def test_interpolation_is_opencv_s_and_truth_grows_with_the_picture(take: Take, how: str, kernel: int) -> None:
    made = enhanced(take, how, 3)
    assert np.array_equal(last(made), cv2.resize(last(take), (192, 144), interpolation=kernel))
    assert made.frames[0] == take.frames[0]
    assert made.truth[1].boxes.tolist() == (take.truth[1].boxes * 3).tolist()
    assert made.truth[1].eyes is not None
    assert made.truth[1].eyes[0].tolist() == [[61.0, 55.0], [91.0, 55.0]]  # the middle of 20's three pixels is 61


def test_an_unknown_eye_leaves_a_face_bicubic_and_is_told(take: Take) -> None:
    made = enhanced(take, Completion(prior="A"), law=prior())
    assert made.frames[1].reason == f"{NOT_COMPLETED}: 1 of 2"
    assert np.array_equal(np.rint(shrunk(last(made).astype(np.float32), 4)), last(take))
    nobody = replace(take, truth=tuple(replace(each, eyes=None) for each in take.truth))
    assert enhanced(nobody, Completion(prior="A"), law=prior()).frames[1].reason == f"{NOT_COMPLETED}: 2 of 2"


def test_a_draw_follows_from_seed_frame_and_number_alone(take: Take) -> None:
    first, again, second, other = (
        last(enhanced(take, Completion(prior="A", draw=draw), law=prior(components=6), seed=seed))
        for draw, seed in ((1, 1), (1, 1), (2, 1), (1, 5))
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, other)
    alone = replace(take, frames=take.frames[1:], truth=take.truth[1:])
    assert np.array_equal(first, last(enhanced(alone, Completion(prior="A"), law=prior(components=6))))


def test_a_picture_too_large_is_refused() -> None:
    wide = Take("door", 0, (Frame(np.zeros((10, 1100, 3), np.uint8), 0, 0.0),), (Truth(np.empty((0, 4)), (), ()),))
    with pytest.raises(InputError, match=r"camera door: `enlarge: 8` makes a picture of 8800 × 80; at most 8192"):
        enhanced(wide, "bicubic", 8)


def test_enhancement_changes_no_seed_so_all_enhancers_get_one_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    before = (
        '{"clean":false,"inter_eye_px":20.0,"scale":null,"frame":[640,360],"frames":5,"fps":10.0,'
        '"motion_eyes_per_s":2.0,"exposure_s":0.02,"defocus_px":0.0,"light":1.0,"noise":0.5,"bitrate_kbps":300.0,'
        '"gop":50}'
    )  # what noise was seeded by before there was enhancement
    now = Condition(inter_eye_px=20, bitrate_kbps=300, enhance="bicubic", enlarge=2)
    assert now.model_dump_json(exclude=set(ENHANCEMENT)) == before
    grey = Take("c", 0, (Frame(np.full((48, 64, 3), 90, np.uint8), 0, 0.0),), (Truth(np.empty((0, 4)), (), ()),))
    source = SimpleNamespace(read=lambda *_: iter([grey]))
    loaded = SimpleNamespace(scenario=SimpleNamespace(seed=3))

    def delivered(how: Any) -> np.ndarray:
        cell = SimpleNamespace(condition=Condition(scale=1.0, noise=20, enhance=how))
        monkeypatch.setattr(segment, "_experiment", lambda *_: (loaded, cell, source))
        monkeypatch.setattr(segment, "_prior", lambda *_: prior())
        ((take, _),) = segment._delivered("run", "cell", "c", 0)
        return last(take)

    noisy = delivered("none")
    assert noisy.std() > 3
    assert np.array_equal(delivered("bicubic"), cv2.resize(noisy, (256, 192), interpolation=cv2.INTER_CUBIC))
    for draw in (1, 2):
        large = delivered(Completion(prior="A", draw=draw)).astype(np.float32)
        assert np.array_equal(np.rint(shrunk(large, 4)), noisy)


# -- super-resolvers --------------------------------------------------------------------------------
def replicating(channels: int, f: int, shape: tuple[int | str, ...], times: float = 1) -> bytes:
    """A model that makes each pixel a block of f × f, times as bright."""
    weights = np.zeros((channels, channels, f, f), np.float32)
    weights[range(channels), range(channels)] = times
    gives = [each * f if isinstance(each, int) else f"{each}{f}" for each in shape[2:]]
    return model(
        "larger",
        [node("ConvTranspose", ["x", "w"], "y", kernel_shape=[f, f], strides=[f, f])],
        [tensor("w", weights)],
        port("x", "float32", shape),
        port("y", "float32", [*shape[:2], *gives]),
    )


@pytest.mark.parametrize("sides", [("h", "w"), (40, 44), (200, 200)], ids=["any size", "tiles", "larger than it"])
def test_a_model_of_rgb_is_run_on_pictures_of_any_size(
    take: Take, tmp_path: Path, sides: tuple[int | str, ...]
) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(replicating(3, 2, ("n", 3, *sides)))
    made = last(enhanced(take, SuperResolver(model=path), 2))
    assert np.array_equal(made, last(take).repeat(2, axis=0).repeat(2, axis=1))


def test_a_model_of_luma_leaves_colours_to_interpolation(take: Take, tmp_path: Path) -> None:
    path = tmp_path / "y.onnx"
    path.write_bytes(replicating(1, 2, (1, 1, 224, 224)))
    made, small = last(enhanced(take, SuperResolver(model=path), 2)), last(take)
    grey = np.repeat(small[..., :1], 3, axis=2)
    as_grey = replace(take, frames=(replace(take.frames[1], image=grey),), truth=take.truth[1:])
    assert np.array_equal(last(enhanced(as_grey, SuperResolver(model=path), 2)), grey.repeat(2, 0).repeat(2, 1))
    luma = made @ np.array([0.299, 0.587, 0.114])
    inside = (made.min(axis=2) > 0) & (made.max(axis=2) < 255)
    wanted = (small @ np.array([0.299, 0.587, 0.114])).repeat(2, 0).repeat(2, 1)
    assert np.abs(luma - wanted)[inside].max() < 1
    assert inside.mean() > 0.5


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"no model", r"m.onnx: ONNX Runtime cannot open it .*; name a whole .onnx model"),
        (replicating(3, 3, (1, 3, "h", "w")), r"makes \(1, 3, 192, 192\) of .* set `enlarge` to what the model does"),
        (replicating(4, 2, (1, 4, "h", "w")), r"takes x tensor\(float\) \[1, 4, 'h', 'w'\], which is not understood"),
        (replicating(1, 2, (1, 1, 20, 20)), r"of any size or more than 32 pixels a side"),
        (replicating(3, 2, (1, 3, "h", "w"), 255), r"makes 128 of plain grey, .* takes and gives levels from 0 to 1"),
        (replicating(3, 2, (1, 3, "h", "w"), np.nan), r"makes what is no number of a picture of 64 × 64"),
    ],
    ids=["no model", "another factor", "four channels", "tiny", "other levels", "no number"],
)
def test_what_is_no_super_resolver_is_told_in_a_sentence(take: Take, tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    with pytest.raises(InputError, match=told) as error:
        enhanced(take, SuperResolver(model=path), 2)
    assert "\n" not in str(error.value)
