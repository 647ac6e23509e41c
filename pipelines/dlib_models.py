"""Where dlib's weights lie: in the distribution `face_recognition_models`, found without importing it.

Importing that package needs `pkg_resources`, which setuptools is about to drop.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from pipelines.errors import InputError

EMBEDDER = "dlib_face_recognition_resnet_model_v1.dat"
FIVE_POINTS = "shape_predictor_5_face_landmarks.dat"
MMOD = "mmod_human_face_detector.dat"

TRAINING_DATA = (
    "about 3 million faces of 7,485 people: FaceScrub, VGG Face and pictures the author scraped from the "
    "internet (dlib's model card); collected without the consent of those pictured"
)
PERCENT_RULE = "face_recognition wiki"


def model(name: str) -> Path:
    """Path of one of dlib's weight files. Raises InputError where the distribution is not installed."""
    spec = importlib.util.find_spec("face_recognition_models")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "models" / name
        if path.is_file():
            return path
    raise InputError(f"dlib's weights ({name}) are not installed; `make setup` installs face_recognition_models")
