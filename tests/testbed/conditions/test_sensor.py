from __future__ import annotations

import numpy as np
import pytest

from testbed.conditions.sensor import FULL_WELL, expose, to_grey, to_light


def test_grey_levels_survive_the_way_to_light_and_back() -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    assert (to_grey(to_light(ramp)) == ramp).all()


def test_mid_grey_is_a_fifth_of_white() -> None:
    light = to_light(np.full((1, 1, 3), 128, np.uint8))
    assert light[0, 0, 0] == pytest.approx(0.21586, abs=1e-5)  # IEC 61966-2-1


@pytest.mark.parametrize("value", [0.0, 0.2, 0.9])
@pytest.mark.parametrize("light", [1.0, 0.1])
@pytest.mark.parametrize("noise", [0.0, 2.0])
def test_noise_has_the_variance_of_the_model(value: float, light: float, noise: float) -> None:
    scene = np.full((200, 200, 3), value, np.float32)
    seen = expose(scene, light, noise, np.random.default_rng(1))
    electrons = value * FULL_WELL * light
    variance = electrons / (FULL_WELL * light) ** 2 + (noise / 255 / light) ** 2
    assert seen.var() == pytest.approx(variance, rel=0.03, abs=1e-12)
    assert seen.mean() == pytest.approx(value, abs=4 * np.sqrt(variance / seen.size) + 1e-6)


def test_shot_noise_agrees_with_poisson_counts() -> None:
    scene = np.full((300, 300, 3), 0.3, np.float32)
    counts = np.random.default_rng(2).poisson(0.3 * FULL_WELL * 0.05, scene.shape) / (FULL_WELL * 0.05)
    seen = expose(scene, 0.05, 0.0, np.random.default_rng(3))
    assert seen.std() == pytest.approx(counts.std(), rel=0.02)
