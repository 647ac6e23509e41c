"""Starts the program as a user would: a subprocess in an empty folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.model_file import digest

TESTBED = [sys.executable, "-m", "testbed.cli"]


@pytest.fixture
def testbed(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`testbed("run", …)` in `tmp_path`; returns the finished process with its text output."""

    def call(*arguments: object, timeout: float = 600) -> subprocess.CompletedProcess[str]:
        command = [*TESTBED, *map(str, arguments)]
        return subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, timeout=timeout, check=False, env=environment()
        )

    return call


@pytest.fixture
def typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`testbed` without the seconds that starting Python takes: the same entry point, in this process."""
    from testbed.cli.commands import main

    def call(*arguments: object) -> subprocess.CompletedProcess[str]:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["testbed", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return subprocess.CompletedProcess(sys.argv, int(ended.value.code or 0), said.out, said.err)

    return call


def environment() -> dict[str, str]:
    return {**os.environ, "COLUMNS": "200", "NO_COLOR": "1"}


@pytest.fixture
def edge_system(data: Path) -> dict[str, Any]:
    """The fastest real system (YuNet + OpenVINO), as a scenario names it."""
    models = data / "models"
    network = models / "openvino/face-reidentification-retail-0095/FP16/face-reidentification-retail-0095"
    files = {
        "detector": models / "face_detection_yunet_2026may.onnx",
        "embedder": network.with_suffix(".xml"),
        "weights": network.with_suffix(".bin"),
    }
    return {
        "pipeline": "yunet-openvino",
        "options": {name: {"path": str(path), "sha256": digest(path)} for name, path in files.items()},
    }


@pytest.fixture
def london(data: Path, edge_system: dict[str, Any]) -> dict[str, Any]:
    """A small scenario on real photographs: 24 people, clean and as a camera delivers them."""
    faces = data / "london_set"
    return {
        "title": "A small test",
        "seed": 5,
        "groups": ["face_eth", "face_gender"],
        "subjects": {
            "table": str(faces / "subjects.csv"),
            "id": "face_id",
            "limit": 24,
            "provenance": {"face_eth": "self-reported", "face_gender": "self-reported"},
        },
        "references": {"images": str(faces / "neutral/{subject}_03.jpg")},
        "probes": {"kind": "stills", "images": str(faces / "smiling/{subject}_08.jpg")},
        "conditions": ["clean", {"inter_eye_px": [30, 15], "bitrate_kbps": 300, "frames": 3}],
        "systems": [edge_system],
    }


@pytest.fixture
def write(tmp_path: Path) -> Callable[[dict[str, Any]], Path]:
    """Writes a scenario into the empty folder."""

    def to_file(scenario: dict[str, Any], name: str = "scenario.yaml") -> Path:
        path = tmp_path / name
        path.write_text(yaml.safe_dump(scenario), encoding="utf-8")
        return path

    return to_file
