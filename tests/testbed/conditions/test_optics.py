from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from testbed.conditions.optics import defocus, motion_blur, motion_kernel


@given(st.floats(0, 60))
def test_the_motion_kernel_sums_to_one_and_is_symmetric(length: float) -> None:
    kernel = motion_kernel(length)
    assert len(kernel) % 2 == 1
    assert (kernel >= 0).all()
    assert kernel.sum() == pytest.approx(1, abs=1e-5)
    assert np.allclose(kernel, kernel[::-1])


@given(st.floats(1.0, 60))
def test_the_motion_kernel_is_as_long_as_the_path(length: float) -> None:
    kernel = motion_kernel(length)
    # Whole pixels weigh 1/length each, the two ends share the rest.
    assert kernel.max() == pytest.approx(1 / length, rel=1e-5)
    assert len(kernel) - 2 < length + 1e-9 <= len(kernel) + 1e-9


@pytest.mark.parametrize(
    ("length", "kernel"),
    [(1, [1]), (3, [1 / 3] * 3), (2, [0.25, 0.5, 0.25]), (4.2, [0.6 / 4.2, 1 / 4.2, 1 / 4.2, 1 / 4.2, 0.6 / 4.2])],
)
def test_kernels_worked_by_hand(length: float, kernel: list[float]) -> None:
    assert np.allclose(motion_kernel(length), kernel)


def test_motion_smears_along_x_only() -> None:
    picture = np.zeros((9, 31, 3), np.float32)
    picture[4, 15] = 1
    blurred = motion_blur(picture, 5)
    assert np.allclose(blurred[4, 13:18], 0.2)
    assert blurred[4].sum() == pytest.approx(blurred.sum())


def test_defocus_is_a_gaussian_of_that_deviation() -> None:
    picture = np.zeros((41, 41, 3), np.float32)
    picture[20, 20] = 1
    expected = gaussian_filter(picture[..., 0].astype(np.float64), 2.5)
    assert np.abs(defocus(picture, 2.5)[..., 0] - expected).max() < 2e-4
    assert defocus(picture, 0) is picture
