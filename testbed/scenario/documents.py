"""A YAML document as plain values, with the line of every key and entry, and `--set` changes to it."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from testbed.scenario.problems import Loc, ScenarioError

MAX_BYTES = 1 << 20
MAX_NODES = 20_000
MAX_DEPTH = 20


@dataclass
class Document:
    """A document's value, and for every key and list entry in it where the user wrote it.

    places maps a location, e.g. `("conditions", 1, "fps")`, to `file:line` or `--set …`, in reading order.
    problems holds what was wrong but did not keep the rest from being read.
    """

    value: Any
    places: dict[Loc, str]
    problems: list[tuple[Loc, str]] = field(default_factory=list)

    def place(self, loc: Loc) -> str:
        """Where `loc` was written, or the nearest thing around it."""
        return self.places[self._written(loc)]

    def order(self, loc: Loc) -> int:
        """The rank of `place(loc)` in reading order."""
        return list(self.places).index(self._written(loc))

    def _written(self, loc: Loc) -> Loc:
        return next(loc[:n] for n in range(len(loc), -1, -1) if loc[:n] in self.places)


def read(path: Path, what: str = "scenario", needs: str = "title, probes and systems") -> Document:
    """The document in a file that is a `what` and `needs` these keys. Raises ScenarioError where it is no mapping."""
    if path.is_dir():
        raise ScenarioError(f"{path}: is a folder; name the {what} in it")
    if not os.path.isfile(path):  # noqa: PTH113 (Path.is_file raises on names that are too long)
        raise ScenarioError(f"{path}: there is no such file; check its name and folder")
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read ({error.strerror}); check its permissions") from None
    if len(content) > MAX_BYTES:
        raise ScenarioError(f"{path}: is larger than 1 MiB; a {what} is a short text")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ScenarioError(f"{path}:{line}: is not UTF-8 text; save the file as UTF-8") from None
    document = parse(text, str(path), numbered=True)
    if document.value is None:
        raise ScenarioError(f"{path}: is empty; a {what} needs at least {needs}")
    if not isinstance(document.value, dict):
        raise ScenarioError(
            f"{document.place(())}: the file holds no mapping at its top level; write `key: value` lines, "
            f"beginning with `{needs.split(',')[0]}: …`"
        )
    return document


def parse(text: str, source: str, *, numbered: bool = False) -> Document:
    """The document in a YAML text; places are `source`, with the line if `numbered`. Raises ScenarioError."""

    def place(mark: yaml.Mark | None) -> str:
        return f"{source}:{mark.line + 1}" if numbered and mark else source

    try:
        loader = _Loader(text)
        node = loader.get_single_node()
    except _RefusedError as error:
        raise ScenarioError(f"{place(error.mark)}: {error.sentence}") from None
    except yaml.reader.ReaderError as error:
        line = f":{text[: error.position].count(chr(10)) + 1}" if numbered else ""
        raise ScenarioError(f"{source}{line}: holds a control character (code {error.character}); remove it") from None
    except yaml.MarkedYAMLError as error:
        raise ScenarioError(f"{place(error.problem_mark)}: is not valid YAML: {_in_words(error)}") from None
    document = Document(None, {(): place(node.start_mark if node else None)})
    if node is not None:
        document.value = _value(node, (), document, place)
    return document


def override(document: Document, assignment: str) -> None:
    """Apply one `--set a.b.0.c=value`, the value being YAML. Raises ScenarioError where it names no place."""
    source = f"--set {assignment if len(assignment) <= 100 else assignment[:99] + '…'}"
    dotted, equals, text = assignment.partition("=")
    keys = dotted.strip().split(".")
    if not equals or not all(keys):
        raise ScenarioError(f"{source}: is no assignment; write key=value, e.g. subjects.limit=24")
    given = parse(text, source)
    loc: Loc = ()
    here = document.value
    for key in keys:
        part = _step(here, key, ".".join(map(str, loc)), source)
        loc = (*loc, part)
        if len(loc) == len(keys):
            here[part] = given.value
        elif isinstance(here, dict) and here.get(part) is None:
            # A parent that is not there yet is made; a misspelt one is then an unknown key like any other.
            here[part] = {}
            document.places[loc] = source
        here = here[part]
    document.problems += [((*loc, *inner), sentence) for inner, sentence in given.problems]
    for old in [place for place in document.places if place[: len(loc)] == loc]:
        del document.places[old]
    document.places.update({(*loc, *inner): source for inner in given.places})


def _step(parent: Any, key: str, name: str, source: str) -> str | int:
    if isinstance(parent, dict):
        return key
    if isinstance(parent, list):
        if key.isascii() and key.isdigit() and int(key[:9]) < len(parent):
            return int(key)
        raise ScenarioError(
            f"{source}: `{name}` is a list with the entries 0 to {len(parent) - 1}; {key!r} is none of them"
        )
    raise ScenarioError(f"{source}: `{name}` is the single value {parent!r}, which has no {key!r}; set `{name}` itself")


class _RefusedError(Exception):
    def __init__(self, sentence: str, mark: yaml.Mark) -> None:
        self.sentence, self.mark = sentence, mark


class _Loader(yaml.SafeLoader):
    """Composes nodes only (no object is ever constructed), within bounds, and without anchors."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = self._nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "anchor", None):  # an alias event has one, too
            raise _RefusedError("anchors and aliases (& and *) are not read; write the value out", event.start_mark)
        self._depth += 1
        self._nodes += 1
        if self._depth > MAX_DEPTH:
            raise _RefusedError(f"is nested more than {MAX_DEPTH} deep; write it flatter", event.start_mark)
        if self._nodes > MAX_NODES:
            raise _RefusedError(f"holds more than {MAX_NODES} values; shorten it", event.start_mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


# YAML 1.2's plain types: in 1.1, PyYAML's own, `no` is false, 1e-2 is text, 010 is eight and 1:30 is ninety.
_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", "-+.0123456789"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
):  # fmt: skip
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z", re.ASCII), _first)


def _value(node: yaml.Node, loc: Loc, document: Document, place: Callable[[yaml.Mark], str]) -> Any:
    """The plain value of a node, noting the place of every key and entry."""
    kind = node.tag.removeprefix("tag:yaml.org,2002:")
    known = (
        ["map"] if isinstance(node, yaml.MappingNode) else ["seq"] if isinstance(node, yaml.SequenceNode) else _SCALARS
    )
    if kind not in known:
        document.problems.append((loc, f"the tag !!{kind} is not read here; drop it"))
        return None
    if isinstance(node, yaml.ScalarNode):
        return _scalar(kind, node.value, loc, document)
    if isinstance(node, yaml.SequenceNode):
        entries = []
        for i, entry in enumerate(node.value):
            document.places[(*loc, i)] = place(entry.start_mark)
            entries.append(_value(entry, (*loc, i), document, place))
        return entries
    mapping: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key, where = key_node.value, place(key_node.start_mark)
        if not isinstance(key, str):
            document.problems.append((loc, f"holds a key that is no word ({where}); write a name before the colon"))
        elif key in mapping:
            document.problems.append(((*loc, key), f"the key is given again at {where}; keep one of the two"))
        else:
            document.places[(*loc, key)] = where
            mapping[key] = _value(value_node, (*loc, key), document, place)
    return mapping


_SCALARS: dict[str, Callable[[str], Any]] = {
    "str": str,
    "null": lambda _: None,
    "bool": lambda text: text.lower() == "true",
    "int": int,
    "float": float,
}


def _scalar(kind: str, text: str, loc: Loc, document: Document) -> Any:
    try:
        value = _SCALARS[kind](text)
    except ValueError:  # .inf and .nan; thousands of digits; `!!int abc`
        value = math.nan
    if isinstance(value, float) and not math.isfinite(value):
        document.problems.append((loc, "should be a finite number of ordinary length"))
        return None
    return value


def _in_words(error: yaml.MarkedYAMLError) -> str:
    problem = (error.problem or error.context or "it cannot be parsed").strip()
    if "'\\t'" in problem:
        return "a tab begins the value or the line; indent with spaces"
    if "expected a single document" in f"{error.context}":
        return "a second document begins (`---`); keep one document per file"
    if "mapping values are not allowed" in problem:
        return "a colon stands where none can; put texts with colons in quotes and check the indentation"
    return f"{problem}; check quotes, brackets and indentation"
