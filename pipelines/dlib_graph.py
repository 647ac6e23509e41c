"""dlib's face recognition network as an ONNX model, kept in the user's cache.

The model holds dlib's weights bit for bit, one node per layer; fusing them is left to the runtime.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipelines import dlib_weights, onnx_file
from pipelines.dlib_weights import TAG, Layer, Network
from pipelines.errors import InputError
from pipelines.model_file import digest_of_all

_MAKERS = [Path(str(module)) for module in (__file__, dlib_weights.__file__, onnx_file.__file__)]


def model(source: Path) -> bytes:
    """The ONNX model of dlib's `source`: from the cache where a sound copy is, else built and put there.

    Takes `chips` uint8 `(n, 150, 150, 3)` RGB, gives `templates` float32 `(n, 128)`. A cache that cannot be written
    costs building it again (about 0.1 s), nothing else. Raises InputError where `source` cannot be read.
    """
    # The name holds what the model was made from and by, and its own digest: a damaged copy is seen, and replaced.
    stem = f"dlib-resnet-{digest_of_all([*_MAKERS, source])[:16]}"
    folder = cache()
    for path in sorted(folder.glob(f"{stem}-*.onnx")):
        try:
            content = path.read_bytes()
        except OSError:
            continue
        if path.stem == f"{stem}-{sha256(content).hexdigest()}":
            return content
    content = build(dlib_weights.read(source), source)
    _keep(folder / f"{stem}-{sha256(content).hexdigest()}.onnx", content)
    return content


def kept(sha256: str) -> Path | None:
    """Where the cache has the model of that digest, if it has it."""
    return next(cache().glob(f"dlib-resnet-*-{sha256}.onnx"), None)


def cache() -> Path:
    """The folder for what can be made again."""
    try:
        named = Path(os.environ.get("XDG_CACHE_HOME", ""))
        return (named if named.is_absolute() else Path("~/.cache").expanduser()) / "cctv-face-testbed"
    except RuntimeError:
        raise InputError("this user has no home folder: name one for the cache in XDG_CACHE_HOME") from None


def _keep(path: Path, content: bytes) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        part.replace(path)
    except OSError:
        with suppress(OSError):
            part.unlink(missing_ok=True)


class _Value(NamedTuple):
    """What flows between two nodes: its name, and its shape but for the number of pictures."""

    name: str
    channels: int
    rows: int
    columns: int


def build(network: Network, source: Path) -> bytes:
    """The ONNX model of a network. Raises InputError, naming `source`, where it is another than dlib's for faces."""
    graph = _Graph()
    channels_first = graph.add("Transpose", [graph.add("Cast", ["chips"], to=onnx_file.FLOAT)], perm=[0, 3, 1, 2])
    means = np.array(network.means, np.float32).reshape(1, 3, 1, 1)
    centred = graph.add("Sub", [channels_first, graph.constant(means)])
    scaled = graph.add("Mul", [centred, graph.constant(np.array([1 / 256], np.float32))])
    try:
        x = graph.layers(_Value(scaled, 3, network.rows, network.columns), network.layers)
    except (ValueError, IndexError, ArithmeticError):  # weights that do not fit the shape of what flows in
        x = _Value("", 0, 0, 0)
    if (network.rows, network.columns, *x[1:]) != (150, 150, 128, 1, 1):
        raise InputError(f"{source}: is not dlib's network for faces (150×150 pixels in, 128 numbers out)")
    return onnx_file.model(
        "dlib_resnet",
        [*graph.nodes, onnx_file.node("Flatten", [x.name], "templates")],
        graph.constants,
        takes=onnx_file.port("chips", "uint8", ["n", 150, 150, 3]),
        gives=onnx_file.port("templates", "float32", ["n", 128]),
    )


class _Graph:
    """Nodes and constants as they gather, each named by its number."""

    def __init__(self) -> None:
        self.nodes: list[bytes] = []
        self.constants: list[bytes] = []

    def add(self, kind: str, inputs: list[str], **attributes: int | list[int]) -> str:
        name = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(onnx_file.node(kind, inputs, name, **attributes))
        return name

    def constant(self, values: npt.NDArray[np.float32] | npt.NDArray[np.int64]) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(onnx_file.tensor(name, values))
        return name

    def layers(self, x: _Value, layers: Sequence[Layer]) -> _Value:
        tagged = earlier = x
        for before, layer in pairwise([Layer("", (), np.zeros(0, np.float32)), *layers]):
            match layer.kind:
                case "con_4":
                    x = self._convolution(x, layer)
                case "affine_":
                    scale, shift = (self.constant(half) for half in layer.weights.reshape(2, x.channels, 1, 1))
                    x = x._replace(name=self.add("Add", [self.add("Mul", [x.name, scale]), shift]))
                case "relu_":
                    x = x._replace(name=self.add("Relu", [x.name]))
                case "max_pool_2" | "avg_pool_2":
                    x = self._pool(x, layer)
                case "fc_2":
                    outputs, inputs = layer.numbers[:2]
                    # A product per picture, as a convolution of one pixel: the same bits however many are run at once.
                    weights = np.ascontiguousarray(layer.weights.reshape(inputs, outputs).T)[:, :, None, None]
                    x = _Value(self.add("Conv", [x.name, self.constant(weights)]), outputs, x.rows, x.columns)
                case "add_prev_":
                    x = self._sum(x, tagged)
                case _ if before.kind == TAG:  # the second of two is a skip: on from the tag before the last
                    x = earlier
                case _:
                    tagged, earlier = x, tagged
        return x

    def _convolution(self, x: _Value, layer: Layer) -> _Value:
        filters, rows, columns = layer.numbers[:3]
        weights = layer.weights[:-filters].reshape(filters, x.channels, rows, columns)
        inputs = [x.name, self.constant(weights), self.constant(layer.weights[-filters:])]
        return self._window("Conv", inputs, x._replace(channels=filters), layer.numbers[1:7])

    def _pool(self, x: _Value, layer: Layer) -> _Value:
        if layer.numbers[0] == 0:  # a window as large as the picture
            return _Value(self.add("GlobalAveragePool", [x.name]), x.channels, 1, 1)
        return self._window(
            {"max_pool_2": "MaxPool", "avg_pool_2": "AveragePool"}[layer.kind], [x.name], x, layer.numbers
        )

    def _window(self, kind: str, inputs: list[str], x: _Value, numbers: Sequence[int]) -> _Value:
        rows, columns, down, right, above, left = numbers
        name = self.add(
            kind, inputs, kernel_shape=[rows, columns], strides=[down, right], pads=[above, left, above, left]
        )
        return _Value(
            name, x.channels, (x.rows + 2 * above - rows) // down + 1, (x.columns + 2 * left - columns) // right + 1
        )

    def _sum(self, x: _Value, other: _Value) -> _Value:
        """dlib's sum of unlike shapes: the smaller is filled up with zeros at its far ends."""
        shape = [max(sizes) for sizes in zip(x[1:], other[1:], strict=True)]
        names = []
        for value in (x, other):
            missing = [size - own for size, own in zip(shape, value[1:], strict=True)]
            pads = self.constant(np.array([0, 0, 0, 0, 0, *missing], np.int64)) if any(missing) else ""
            names.append(self.add("Pad", [value.name, pads]) if pads else value.name)
        return _Value(self.add("Add", names), *shape)
