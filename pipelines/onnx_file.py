"""ONNX models written byte by byte: the few messages of onnx.proto that a network needs, and no library.

The same arguments give the same bytes on every machine, so that the digest of a model means something.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

OPSET, IR_VERSION = 17, 8

FLOAT = 1
_TYPES = {"float32": FLOAT, "uint8": 2, "int64": 7}  # TensorProto.DataType


def node(kind: str, inputs: Sequence[str], output: str, **attributes: int | Sequence[int]) -> bytes:
    """A NodeProto of one output."""
    written = (
        _field(5, _field(1, name) + _field(3, value) + _field(20, 2))
        if isinstance(value, int)
        else _field(5, _field(1, name) + b"".join(_field(8, each) for each in value) + _field(20, 7))
        for name, value in attributes.items()
    )
    return b"".join([*(_field(1, name) for name in inputs), _field(2, output), _field(4, kind), *written])


def tensor(name: str, values: npt.NDArray[np.float32] | npt.NDArray[np.int64]) -> bytes:
    """A TensorProto: constants that nodes take by name."""
    dimensions = b"".join(_field(1, size) for size in values.shape)
    content = values.astype(values.dtype.newbyteorder("<")).tobytes()
    return dimensions + _field(2, _TYPES[values.dtype.name]) + _field(8, name) + _field(9, content)


def port(name: str, dtype: str, shape: Sequence[int | str]) -> bytes:
    """A ValueInfoProto, an input or output of the model; a dimension given by name may have any size."""
    dimensions = b"".join(_field(1, _field(2 if isinstance(size, str) else 1, size)) for size in shape)
    return _field(1, name) + _field(2, _field(1, _field(1, _TYPES[dtype]) + _field(2, dimensions)))


def model(name: str, nodes: Iterable[bytes], constants: Iterable[bytes], takes: bytes, gives: bytes) -> bytes:
    """A ModelProto: the content of an .onnx file."""
    graph = [
        *(_field(1, each) for each in nodes), _field(2, name), *(_field(5, each) for each in constants),
        _field(11, takes), _field(12, gives),
    ]  # fmt: skip
    return _field(1, IR_VERSION) + _field(7, b"".join(graph)) + _field(8, _field(1, "") + _field(2, OPSET))


def _field(number: int, value: int | str | bytes) -> bytes:
    """A field of a protocol-buffers message: an integer not below 0, or text or a message after its length."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    content = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    """Seven bits to a byte, lowest first; bit 7 says that more follow."""
    low = bytearray()
    while value > 0x7F:
        low.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*low, value])
