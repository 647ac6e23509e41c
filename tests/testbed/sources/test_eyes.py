from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from testbed.sources.eyes import locate
from testbed.sources.photographs import read_photograph

LONDON = Path(__file__).parents[4] / "shared/data/london_set"
needs_london = pytest.mark.skipif(not LONDON.is_dir(), reason="the London Set is not beside the repository")


@needs_london
def test_pupils_agree_with_hand_marked_ones_to_3_percent_of_their_distance() -> None:
    errors = []
    for path in sorted((LONDON / "neutral").glob("*.jpg"))[3::9]:
        lines = path.with_suffix(".tem").read_text().splitlines()
        marked = np.array([line.split() for line in lines[1:3]], np.float64)
        marked = marked[np.argsort(marked[:, 0])]
        eyes = locate(read_photograph(path))
        assert eyes is not None
        errors += list(np.hypot(*(eyes - marked).T) / np.hypot(*(marked[1] - marked[0])))
    assert len(errors) >= 22
    assert np.median(errors) < 0.02
    assert max(errors) < 0.06


@needs_london
def test_a_mirrored_face_has_mirrored_eyes() -> None:
    path = sorted((LONDON / "neutral").glob("*.jpg"))[0]
    image = read_photograph(path)
    eyes, mirrored = locate(image), locate(image[:, ::-1])
    assert eyes is not None
    assert mirrored is not None
    back = np.stack([image.shape[1] - 1 - mirrored[::-1, 0], mirrored[::-1, 1]], axis=1)
    assert np.abs(back - eyes).max() < 0.03 * np.hypot(*(eyes[1] - eyes[0]))


def test_where_there_is_no_face_there_are_no_eyes() -> None:
    assert locate(np.full((120, 160, 3), 128, np.uint8)) is None
