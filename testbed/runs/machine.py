"""What a run ran on: hardware and versions, for run.json."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version

DISTRIBUTIONS = (
    "cctv-face-testbed", "numpy", "scipy", "numba", "polars", "av", "opencv-python-headless", "dlib-bin",
    "face_recognition", "onnxruntime", "openvino", "pillow", "scikit-learn", "altair",
)  # fmt: skip


def versions() -> dict[str, str]:
    """Versions of Python and of every distribution a result can depend on; "absent" where one is not installed."""
    found = {"python": platform.python_version()}
    for name in DISTRIBUTIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return found


def hardware() -> dict[str, str | int]:
    """Processor, cores, memory in MiB, operating system."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0
    return {
        "processor": _processor(),
        "architecture": platform.machine(),
        "cores": os.cpu_count() or 1,
        "memory_mib": pages // 2**20,
        "system": f"{platform.system()} {platform.release()}",
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as stream:  # noqa: PTH123 - a device file, not a path of ours
            for line in stream:
                if line.startswith(("model name", "Model")):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
