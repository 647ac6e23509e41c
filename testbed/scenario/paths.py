"""The paths in a scenario: counted from its folder, made absolute, and looked for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

from testbed.scenario.problems import Loc

PATTERNS: tuple[Loc, ...] = (("references", "images"), ("probes", "images"))
"""Where a pattern of file names stands: its folder must exist."""

_NO_TIMES = "is a folder of pictures, which carry no times: add `seconds_apart`, the seconds from one to the next"
_OWN_TIMES = "is no folder of pictures; a clip has times of its own: leave out `seconds_apart`"


def resolve(tree: dict[str, Any], folder: Path, option_paths: Iterable[Loc]) -> list[tuple[Loc, str]]:
    """Make every path in `tree` absolute, in place, and say which lead nowhere.

    folder is the scenario's. option_paths are the places of the paths in the systems' options.
    """
    problems: list[tuple[Loc, str]] = []
    for loc in (
        ("subjects", "table"),
        ("subjects", "label_errors"),
        *PATTERNS,
        *_of_cameras(tree),
        *_of_enhancers(tree),
        *option_paths,
    ):
        text = _at(tree, loc)
        if not isinstance(text, str):
            continue
        path = _absolute(folder, text)
        _put(tree, loc, path)
        if loc[:2] == ("probes", "cameras") and len(loc) == 4:
            timed = _at(tree, (*loc[:-1], "seconds_apart")) is not None
            if os.path.isdir(path):  # noqa: PTH112
                problems += [] if timed else [(loc, _NO_TIMES)]
                continue
            if timed and os.path.isfile(path):  # noqa: PTH113
                problems.append((loc, _OWN_TIMES))
        wrong = _wrong_with_pattern(path, text) if loc in PATTERNS else _wrong_with_file(path, text)
        if wrong:
            problems.append((loc, f"{wrong} (a relative path counts from {folder})"))
    return problems


def _of_cameras(tree: dict[str, Any]) -> Iterator[Loc]:
    cameras = _at(tree, ("probes", "cameras"))
    for i in range(len(cameras) if isinstance(cameras, list) else 0):
        yield ("probes", "cameras", i, "file")
        yield ("probes", "cameras", i, "truth", "file")


def _of_enhancers(tree: dict[str, Any]) -> Iterator[Loc]:
    conditions = _at(tree, ("conditions",))
    for i in range(len(conditions) if isinstance(conditions, list) else 0):
        yield ("conditions", i, "enhance", "model")


def _absolute(folder: Path, text: str) -> str:
    """`text` from `folder`, without `..`. The last part stays as named, even where it is a link."""
    path = folder / text.replace("\0", "\N{REPLACEMENT CHARACTER}")  # no file's name can hold a NUL
    if path.name in ("", ".."):
        return os.path.realpath(path)
    return str(Path(os.path.realpath(path.parent), path.name))


# os.path, because Path's methods raise on names too long for the file system.
def _wrong_with_file(path: str, text: str) -> str:
    """What is wrong with `path`, which the user wrote as `text`."""
    if os.path.isdir(path):  # noqa: PTH112
        return f"{text} is a folder; name a file in it"
    return "" if os.path.isfile(path) else f"there is no file {text}; correct the path"  # noqa: PTH113


def _wrong_with_pattern(pattern: str, text: str) -> str:
    return "" if os.path.isdir(_fixed(pattern)) else f"there is no folder {_fixed(text)}; correct the path"  # noqa: PTH112


def _fixed(pattern: str) -> Path:
    """The folders of a pattern before the first that varies."""
    parts = Path(pattern).parent.parts
    return Path(*takewhile(lambda part: "{subject}" not in part and "*" not in part, parts))


def _at(tree: Any, loc: Loc) -> Any:
    for part in loc:
        inside = part in tree if isinstance(tree, dict) else isinstance(tree, list) and isinstance(part, int)
        if not inside:
            return None
        tree = tree[part]
    return tree


def _put(tree: Any, loc: Loc, value: str) -> None:
    """Set the entry at `loc`, copying what is on the way: combinations of a sweep share their parts."""
    for part in loc[:-1]:
        tree[part] = tree[part].copy()
        tree = tree[part]
    tree[loc[-1]] = value
