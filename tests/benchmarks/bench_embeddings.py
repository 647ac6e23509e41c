"""What a template costs: dlib's network run by dlib, and the same weights run by ONNX Runtime.

Both get the same aligned faces (made-up pictures; neither network's speed depends on what they show), on one thread,
one after the other in every round, one picture at a time and 16 at once; the ratio of each round is printed, and the
median. Run with `make bench`.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np

from pipelines import dlib_models
from pipelines.dlib_onnx import Resnet, difference

FACES, ROUNDS = 16, 5


def timed(embed: Callable[[], object]) -> float:
    """Milliseconds a face."""
    started = time.perf_counter()
    embed()
    return (time.perf_counter() - started) / FACES * 1e3


def main() -> None:
    """Print milliseconds and ratios of every round."""
    import dlib

    weights = dlib_models.model(dlib_models.EMBEDDER)
    own, resnet = dlib.face_recognition_model_v1(str(weights)), Resnet(weights)
    random = np.random.default_rng(0)
    chips = list(random.integers(0, 256, (FACES, 10, 10, 3), np.uint8).repeat(15, axis=1).repeat(15, axis=2))
    print(f"dlib {dlib.__version__}, ONNX Runtime {resnet.version}, largest difference {difference(resnet, chips):.1e}")
    ratios: dict[str, list[float]] = {"one at a time": [], f"{FACES} at once": []}
    for number in range(ROUNDS):
        theirs = timed(lambda: [own.compute_face_descriptor(chip) for chip in chips])
        single = timed(lambda: [resnet.templates([chip]) for chip in chips])
        batched = timed(lambda: resnet.templates(chips))
        for name, ours in zip(ratios, (single, batched), strict=True):
            ratios[name].append(theirs / ours)
        said = f"dlib {theirs:.1f} ms a face; ONNX Runtime {single:.2f} one at a time, {batched:.2f} {FACES} at once"
        print(f"round {number + 1}: {said}")
    for name, found in ratios.items():
        print(f"embeddings, {name}: median {statistics.median(found):.1f} times as fast as dlib (aim: 12)")


if __name__ == "__main__":
    main()
