"""A model opened by ONNX Runtime, on one thread, which reports to nobody."""

from __future__ import annotations

import os
from typing import Any

from pipelines.errors import InputError


def session(model: bytes | str) -> Any:
    """An InferenceSession of a model's bytes or file. Raises InputError without the library, its own errors else."""
    # From 1.29 on (pyproject.toml keeps it below) the library reports its use to Microsoft unless this is set
    # before it is loaded; on Windows all versions do unless told not to afterwards.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        import onnxruntime
    except ImportError:
        raise InputError("ONNX Runtime is not installed; `make setup` installs it") from None
    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
