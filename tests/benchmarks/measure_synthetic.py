"""What made-up faces are to real detectors and a real matcher: figures for docs/synthetic.md.

    python tests/benchmarks/measure_synthetic.py [--people 200] [--yunet MODEL.onnx]

Faces are drawn without any camera model: detection by attribute level from straight before them at 45 px between the
eyes, overlap of truth boxes with detected ones, and EER of dlib over four views at 60 px.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import cache
from pathlib import Path

import numpy as np

from kernels.raster import render, srgb
from testbed.synthetic.people.identity import LEVELS, Identity
from testbed.synthetic.people.person import Person, Pose
from testbed.synthetic.population import population
from testbed.synthetic.portrait import BEHIND, ROOM, before

VIEWS = {"frontal": Pose(), "yaw 20°": Pose(yaw=20), "yaw −20°, smiling": Pose(
    yaw=-20, expression={"mouth-corner-puller": 0.5}), "pitch 12°": Pose(pitch=12, yaw=6)}  # fmt: skip
SIZE = (320, 384)


@cache
def detectors(yunet: str):
    import cv2
    import dlib

    from pipelines.dlib_onnx import DlibOnnx

    found = cv2.FaceDetectorYN.create(yunet, "", SIZE, 0.6) if yunet else None
    return dlib.get_frontal_face_detector(), found, DlibOnnx()


def picture(person, pose, eyes):
    posed = person.posed(pose)
    camera = before(posed, eyes, SIZE)
    drawn = render([posed.mesh], person.materials, camera, ROOM, threads=1)
    places = camera.project(posed.face)[:, :2]
    pixels = srgb(np.where(drawn.identity[..., None] >= 0, drawn.colour, BEHIND))
    return pixels, np.concatenate([places.min(0), places.max(0)])


def overlap(box, truth):
    low, high = np.maximum(box[:2], truth[:2]), np.minimum(box[2:], truth[2:])
    shared = np.prod(np.maximum(high - low, 0))
    return shared / (np.prod(box[2:] - box[:2]) + np.prod(truth[2:] - truth[:2]) - shared)


def looked_at(job: tuple[Identity, str, bool]):
    """Best overlap by detector at 45 px (0: not found), overlaps over the views, and a template for each view."""
    identity, yunet, views = job
    hog, network, dlib = detectors(yunet)
    person = Person(identity)
    pixels, truth = picture(person, Pose(), 45)
    rectangles = [np.array([r.left(), r.top(), r.right(), r.bottom()], float) for r in hog(pixels, 1)]
    best = {"HOG": max((overlap(box, truth) for box in rectangles), default=0.0)}
    if network is not None:
        found = network.detect(np.ascontiguousarray(pixels[..., ::-1]))[1]
        boxes = [] if found is None else [np.r_[row[:2], row[:2] + row[2:4]] for row in found]
        best["YuNet"] = max((overlap(box, truth) for box in boxes), default=0.0)
    overlaps, templates = [], []
    for pose in VIEWS.values() if views else ():
        pixels, truth = picture(person, pose, 60)
        (faces,) = dlib.capture([pixels])
        overlaps += [overlap(box, truth) for box in faces.boxes]
        templates.append(faces.templates[0] if len(faces) else None)
    return best, overlaps, templates


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--people", type=int, default=200)
    arguments.add_argument("--yunet", default="")
    given = arguments.parse_args()
    yunet = str(Path(given.yunet).resolve()) if given.yunet else ""
    people = population([({}, given.people)], 11)
    rare = [({name: level}, 20) for name in LEVELS for level in LEVELS[name]
            if sum(getattr(each.attributes, name) == level for each in people) < 20]  # fmt: skip
    extra = (
        population([({"sex": "male"} | dict(row) if "beard" in row else row, n) for row, n in rare], 12) if rare else ()
    )
    with ProcessPoolExecutor() as pool:
        jobs = [(each, yunet, True) for each in people] + [(each, yunet, False) for each in extra]
        results = list(pool.map(looked_at, jobs))
    everyone = [*people, *extra]
    print("| attribute | level | people | " + " | ".join(f"{name} found" for name in results[0][0]) + " |")
    print("|---|---|---:|" + "---:|" * len(results[0][0]))
    for name in LEVELS:
        for level in LEVELS[name]:
            rows = [
                best
                for who, (best, _, _) in zip(everyone, results, strict=True)
                if asdict(who.attributes)[name] == level and name in ("mask", who.attributes.mask or name)
            ]
            shares = " | ".join(f"{np.mean([row[k] >= 0.4 for row in rows]):.0%}" for k in rows[0]) if rows else "–"
            print(f"| {name} | {level} | {len(rows)} | {shares} |")
    for name in results[0][0]:
        hit = np.array([best[name] for best, _, _ in results])
        hit = hit[hit > 0]
        print(f"\n{name}: {np.mean(hit >= 0.4):.1%} of {len(hit)} faces found overlap their truth box by 0.4 or more")
    overlaps = np.array([each for _, many, _ in results for each in many])
    print(f"HOG over four views: {np.mean(overlaps >= 0.4):.1%} of {len(overlaps)}, median {np.median(overlaps):.2f}")
    report_errors([templates for _, _, templates in results[: len(people)]])


def report_errors(by_person) -> None:
    """EER over all pairs of different views of all people."""
    owner, view, vectors = [], [], []
    missed = defaultdict(int)
    for person, templates in enumerate(by_person):
        for k, template in enumerate(templates):
            if template is None:
                missed[list(VIEWS)[k]] += 1
                continue
            owner.append(person), view.append(k), vectors.append(template)
    x, owner, view = np.array(vectors), np.array(owner), np.array(view)
    squares = (x**2).sum(1)
    distance = np.sqrt(np.maximum(squares[:, None] + squares[None] - 2 * x @ x.T, 0))
    pairs = np.triu(view[:, None] != view[None], 1)
    mated = distance[pairs & (owner[:, None] == owner[None])]
    others = distance[pairs & (owner[:, None] != owner[None])]
    steps = np.linspace(0, 1.2, 2401)
    fmr, fnmr = _share(others, steps), 1 - _share(mated, steps)
    at = int(np.argmin(np.abs(fmr - fnmr)))
    spread = np.sqrt((mated.var() + others.var()) / 2)
    print(
        f"\n{len(by_person)} people × {len(VIEWS)} views at 60 px, dlib: EER {(fmr[at] + fnmr[at]) / 2:.2%} "
        f"at {steps[at]:.3f}, d′ {(others.mean() - mated.mean()) / spread:.2f}, "
        f"FMR at 0.6 {np.mean(others <= 0.6):.1%}, "
        f"FNMR at 0.6 {np.mean(mated > 0.6):.1%}; not found: {dict(missed) or 'none'}"
    )


def _share(values, steps):
    return np.searchsorted(np.sort(values), steps, side="right") / len(values)


if __name__ == "__main__":
    main()
