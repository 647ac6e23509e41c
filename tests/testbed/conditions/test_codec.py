from __future__ import annotations

import numpy as np
import pytest

from pipelines.interface import Image
from testbed.conditions.codec import decode, encode, round_trip


def scene(frames: int, height: int = 120, width: int = 160) -> list[Image]:
    """A textured grey scene that moves, with a little noise: something to spend bits on."""
    generator = np.random.default_rng(5)
    coarse = generator.integers(0, 255, (height // 8, width // 8 + frames, 1))
    texture = np.kron(coarse, np.ones((8, 8, 1)))
    moving = [texture[:, 2 * k : 2 * k + width] for k in range(frames)]
    noisy = (np.clip(m + generator.normal(0, 4, m.shape), 0, 255).astype(np.uint8) for m in moving)
    return [np.repeat(image, 3, axis=2) for image in noisy]


def psnr(frames: list[Image], returned: list[Image]) -> float:
    error = np.mean([(a.astype(float) - b) ** 2 for a, b in zip(frames, returned, strict=True)])
    return float(10 * np.log10(255**2 / error))


@pytest.mark.parametrize("count", [1, 2, 5, 60])
def test_every_frame_comes_back_in_order(count: int) -> None:
    frames = [np.full((32, 48, 3), 20 + 3 * k, np.uint8) for k in range(count)]
    returned = round_trip(frames, 10, 2000, 50)
    assert [round(float(image.mean())) for image in returned] == pytest.approx(
        [20 + 3 * k for k in range(count)], abs=3
    )
    assert all(image.shape == (32, 48, 3) and image.dtype == np.uint8 for image in returned)


def test_greys_and_colours_survive_a_high_bit_rate() -> None:
    ramp = np.repeat(np.linspace(0, 255, 256).astype(np.uint8)[None, :, None], 3, axis=2).repeat(32, axis=0)
    (returned,) = round_trip([ramp], 10, 50_000, 50)
    assert np.abs(returned.astype(int) - ramp).max() <= 4
    assert np.abs(returned.mean(axis=0) - ramp[0]).mean() < 1.5
    patches = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [210, 160, 130], [60, 35, 25], [255, 255, 255]])
    image = patches.astype(np.uint8)[None].repeat(32, axis=1).repeat(64, axis=0)
    (returned,) = round_trip([image], 10, 50_000, 50)
    for k, patch in enumerate(patches):
        assert np.abs(returned[16:48, 32 * k + 8 : 32 * k + 24].mean(axis=(0, 1)) - patch).max() <= 4


@pytest.mark.parametrize("bitrate", [60.0, 150.0, 400.0])
def test_a_long_clip_keeps_to_its_bit_rate(bitrate: float) -> None:
    packets = encode(scene(60), 10, bitrate, 50)
    assert sum(map(len, packets)) * 8 < 1.5 * bitrate * 1000 * 60 / 10


@pytest.mark.parametrize("bitrate", [150.0, 300.0, 600.0])
def test_a_clip_of_five_frames_cannot_borrow_a_whole_second_s_bits(bitrate: float) -> None:
    packets = encode(scene(5), 10, bitrate, 50)
    assert sum(map(len, packets)) * 8 < 2 * bitrate * 1000 * 5 / 10


def test_fewer_bits_mean_a_worse_picture() -> None:
    frames = scene(10)
    quality = [psnr(frames, round_trip(frames, 10, bitrate, 50)) for bitrate in (50, 150, 500, 2000)]
    assert quality == sorted(quality)
    assert quality[-1] > quality[0] + 5


def test_the_same_frames_give_the_same_bytes() -> None:
    first = encode(scene(12), 12.5, 200, 5)
    assert first == encode(scene(12), 12.5, 200, 5)
    assert all((a == b).all() for a, b in zip(decode(first), decode(first), strict=True))


def test_a_key_frame_comes_every_gop() -> None:
    coded_key_frame = 5  # the NAL unit type of an IDR slice
    keys = [coded_key_frame in _unit_types(packet) for packet in encode(scene(12), 10, 2000, 4)]
    assert keys == [k % 4 == 0 for k in range(12)]


def _unit_types(packet: bytes) -> list[int]:
    return [packet[i + 3] & 31 for i in range(len(packet) - 3) if packet[i : i + 3] == b"\0\0\1"]
