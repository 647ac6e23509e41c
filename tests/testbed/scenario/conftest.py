"""A small scenario on disk and two installed pipelines, so that no test needs real data or models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import pytest

from pipelines.model_file import ModelFile
from testbed.scenario import systems
from testbed.scenario.loading import Loaded, ScenarioError, load

BASE = """\
title: Small faces
subjects:
  table: people.csv
groups: [sex]
references:
  images: photos/{subject}_1.jpg
probes:
  kind: stills
  images: photos/{subject}_2.jpg
conditions:
  - clean
  - inter_eye_px: 20
systems:
  - pipeline: plain
"""


class Plain:
    """A pipeline with ordinary options.

    detector: which one. upsample: how many times the picture is doubled,
    before anything is looked for.
    sizes: face sizes looked for.
    """

    def __init__(
        self,
        detector: Literal["hog", "mmod"] = "hog",
        upsample: int = 1,
        sizes: list[int] | None = None,
    ) -> None:
        self.given = {"detector": detector, "upsample": upsample, "sizes": sizes}


class Modelled:
    """A pipeline with files.

    detector: the network's file.
    """

    def __init__(self, detector: ModelFile, table: Path | None = None) -> None:
        self.given = {"detector": detector, "table": table}


class Absent:
    def __init__(self) -> None:
        import a_library_that_nobody_has  # type: ignore[import-not-found]  # noqa: F401


class Installed:
    """As much of an entry point as is used."""

    def __init__(self, pipeline: type) -> None:
        self.pipeline = pipeline

    def load(self) -> type:
        return self.pipeline


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    pipelines = {"plain": Plain, "modelled": Modelled, "absent": Absent}
    entries = {name: Installed(pipeline) for name, pipeline in pipelines.items()}
    monkeypatch.setattr(systems, "available", lambda: entries)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    (tmp_path / "people.csv").write_text("subject,sex\n1,f\n")
    (tmp_path / "net.onnx").write_bytes(b"net")
    (tmp_path / "clip.mp4").write_bytes(b"clip")
    return tmp_path


Read = Callable[..., Loaded]
Refused = Callable[..., list[str]]


@pytest.fixture
def read(folder: Path) -> Read:
    """Load a scenario's text."""

    def _read(text: str = BASE, overrides: Sequence[str] = ()) -> Loaded:
        path = folder / "s.yaml"
        path.write_text(text, encoding="utf-8")
        return load(path, overrides)

    return _read


@pytest.fixture
def refused(read: Read, folder: Path) -> Refused:
    """The problems of a scenario's text that must be refused, without the folder's name."""

    def _refused(text: str = BASE, overrides: Sequence[str] = ()) -> list[str]:
        with pytest.raises(ScenarioError) as caught:
            read(text, overrides)
        assert str(caught.value) == "\n".join(caught.value.problems)
        return [problem.replace(f"{folder}/", "") for problem in caught.value.problems]

    return _refused


@pytest.fixture
def base() -> str:
    """The small scenario's text; its lines are numbered from 1."""
    return BASE
