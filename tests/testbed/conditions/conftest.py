"""A photograph without a face, with eyes declared where two bright dots are: geometry can be measured on it."""

from __future__ import annotations

import numpy as np
import pytest

from testbed.sources.frames import Frame, Take, Truth

EYES = np.array([[260.0, 240.0], [340.0, 250.0]])


@pytest.fixture
def photograph() -> Take:
    y, x = np.mgrid[:500, :600]
    image = np.full((500, 600, 3), 60, np.uint8)
    for ex, ey in EYES:
        image[np.hypot(x - ex, y - ey) < 9] = 250
    truth = Truth(np.array([[200, 180, 400, 380]], np.float32), ("a/1",), ("a",))
    return Take("stills", 3, (Frame(image, 3, 0.0),), (truth,), EYES)
