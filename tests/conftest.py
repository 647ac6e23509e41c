"""Where the real data lies, if it lies there."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def data() -> Path:
    """`../shared/data`, or a skip where this checkout has none beside it (CI has)."""
    if not DATA.is_dir():
        pytest.skip("../shared/data is not beside this checkout: the real photographs, clips and models are absent")
    return DATA
