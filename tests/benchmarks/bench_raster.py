"""What a frame costs: four walkers of 15,000 triangles at 1280 × 720 over a scene drawn once, ours and the spike's.

The spike is `../shared/spikes/synthetic/raster.py`, the exploration this renderer replaces: it gets the same meshes,
camera, textures and lights (in its own unit, decimetres), 2 × 2 samples, shadows, and a picture as its background. Both
draw every round, one after the other, in this process. Stand-ins for walkers are ellipsoids. Run with `make bench`.
"""

from __future__ import annotations

import importlib.util
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from kernels.raster import Camera, Light, Lights, Materials, Mesh, Rendered, look_at, render
from kernels.threads import cores

SPIKE = Path(__file__).resolve().parents[3] / "shared" / "spikes" / "synthetic" / "raster.py"
WIDTH, HEIGHT, ROUNDS, MEMORY_FRAMES = 1280, 720, 15, 100
EYE = np.array([0.4, 2.6, 0.0])
AHEAD = EYE + np.array([-0.1, -np.sin(np.radians(17)) * 3, np.cos(np.radians(17)) * 3])
LIGHTS = Lights(
    (Light((0.15, 0.85, -0.55), (1.15, 1.12, 1.05), shadows=True), Light((-0.3, 0.1, -1), (0.55, 0.55, 0.56))),
    above=(0.60, 0.62, 0.63), below=(0.30, 0.28, 0.26),
)  # fmt: skip


def walker(x: float, z: float, rings: int = 61) -> Mesh:
    """An ellipsoid as tall as a person, of 4 · rings² triangles."""
    down, around = np.meshgrid(
        np.linspace(0, np.pi, rings + 1), np.linspace(0, 2 * np.pi, 2 * rings + 1), indexing="ij"
    )
    unit = np.stack([np.sin(down) * np.cos(around), np.cos(down), np.sin(down) * np.sin(around)], -1).reshape(-1, 3)
    half = np.array([0.26, 0.87, 0.16])
    normals = unit / half
    i = (np.arange(rings)[:, None] * (2 * rings + 1) + np.arange(2 * rings)).ravel()
    n = 2 * rings + 1
    triangles = np.concatenate([np.stack([i, i + 1, i + n + 1], 1), np.stack([i, i + n + 1, i + n], 1)])
    uv = np.stack([around / (2 * np.pi), down / np.pi], -1).reshape(-1, 2)[triangles]
    return Mesh(
        (unit * half + (x, 0.88, z)).astype(np.float32),
        (normals / np.linalg.norm(normals, axis=1, keepdims=True)).astype(np.float32),
        np.ones(len(unit), np.float32),
        triangles.astype(np.int32),
        uv.astype(np.float32),
        np.zeros(len(triangles), np.int32),
    )


def floor() -> Mesh:
    """Ten metres by thirty."""
    corners = np.array([[-5, 0, 30], [-5, 0, -1], [5, 0, -1], [5, 0, 30]], np.float32)[::-1]
    triangles = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    uv = np.array([[0, 0], [0, 31], [10, 31], [10, 0]], np.float32)[triangles]
    up = np.tile(np.array([0, 1, 0], np.float32), (4, 1))
    return Mesh(corners, up, np.ones(4, np.float32), triangles, uv, np.ones(2, np.int32), casts=False)


def materials() -> Materials:
    """Skin of 1024 × 1024 texels, and tiles."""
    rng = np.random.default_rng(1)
    skin = np.full((1024, 1024, 4), 255, np.uint8)
    skin[..., :3] = np.clip(rng.normal((190, 140, 120), 20, (1024, 1024, 3)), 0, 255)
    tile = np.full((128, 128, 4), 255, np.uint8)
    tile[..., :3] = 120
    tile[:3], tile[:, :3] = 70, 70
    return Materials(
        (skin, tile), np.array([0.1, 0.0]), np.zeros(2, bool), np.zeros(2, bool),
        np.array([[0.30, 0.14, 0.10], [0, 0, 0]]), np.array([False, True]),
    )  # fmt: skip


def spike() -> ModuleType | None:
    """The exploration's renderer, where it lies beside this checkout."""
    spec = importlib.util.spec_from_file_location("spike_raster", SPIKE) if SPIKE.is_file() else None
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def spikes_frame(
    module: ModuleType, walkers: list[Mesh], skin: np.ndarray, camera: Camera, background: Rendered
) -> Any:
    """One frame, as its clip.py draws it."""
    meshes = [
        SimpleNamespace(
            P=w.positions * np.float32(10), N=w.normals, ao=w.occlusion, tri=w.triangles, uv=w.uv, tex=skin,
            flag=np.zeros(len(w.triangles), np.int32), gloss=np.full(len(w.triangles), 0.1, np.float32),
        )
        for w in walkers
    ]  # fmt: skip
    lights = [[*np.divide(k.vector, np.linalg.norm(k.vector)), *k.colour] for k in LIGHTS.lights]
    return module.render(
        meshes, WIDTH, HEIGHT, camera.focal[0], camera.rotation, camera.eye * 10, lights, LIGHTS.above, LIGHTS.below,
        ss=2, bg=background.colour, shadow=True,
    )  # fmt: skip


def milliseconds(work: Callable[[], Any]) -> float:
    """Wall milliseconds of a call."""
    started = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - started)


def main() -> None:
    """Print the table."""
    focal = WIDTH / 2 / np.tan(np.radians(19))
    camera = Camera((focal, focal), (WIDTH / 2, HEIGHT / 2), look_at(EYE, AHEAD), EYE, WIDTH, HEIGHT)
    made_of = materials()
    started = time.perf_counter()
    background = render([floor()], made_of, camera, LIGHTS)
    print(f"first frame, with what is compiled or read from the cache: {time.perf_counter() - started:.1f} s")
    theirs = spike()
    for name, places in (
        ("4 walkers, 4 to 10 m away", ((-0.1, 4.5), (0.9, 6.0), (-1.1, 7.5), (0.7, 9.5))),
        ("4 walkers, 3 to 5 m away", ((-0.5, 3.2), (0.8, 3.8), (-0.4, 4.9), (1.0, 5.0))),
    ):
        walkers = [walker(x, z) for x, z in places]

        def ours(threads: int | None = None, samples: int = 2, walkers: list[Mesh] = walkers) -> Rendered:
            return render(walkers, made_of, camera, LIGHTS, background, samples, threads)

        def peer(walkers: list[Mesh] = walkers) -> Any:
            return spikes_frame(theirs, walkers, made_of.textures[0], camera, background) if theirs else None

        share = (ours().identity >= 0).mean()
        peer()
        rounds = [(milliseconds(ours), milliseconds(lambda f=ours: f(1)), milliseconds(peer)) for _ in range(ROUNDS)]
        both, one, spikes = (statistics.median(x) for x in zip(*rounds, strict=True))
        triangles = sum(len(w.triangles) for w in walkers)
        line = f"{name}, {triangles:,} triangles, {share:.0%} of the frame: {both:.0f} ms on {cores()} threads, "
        line += f"{one:.0f} ms on one"
        if theirs:
            ratio = statistics.median(t / o for o, _, t in rounds)
            line += f"; the spike {spikes:.0f} ms, {ratio:.1f} times as long"
        print(line)
    if theirs is None:
        print("../shared/spikes/synthetic is not beside this checkout, so only our own figures are here")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(MEMORY_FRAMES):
        ours()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"peak memory after {MEMORY_FRAMES} more frames: {grown:+.1f} MB")


if __name__ == "__main__":
    main()
