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


def resolve(tree: dict[str, Any], folder: Path, option_paths: Iterable[Loc]) -> list[tuple[Loc, str]]:
    """Make every path in `tree` absolute, in place, and say which lead nowhere.

    folder is the scenario's. option_paths are the places of the paths in the systems' options.
    """
    problems = []
    for loc in (("subjects", "table"), *PATTERNS, *_of_cameras(tree), *option_paths):
        text = _at(tree, loc)
        if not isinstance(text, str):
            continue
        path = _absolute(folder, text)
        _put(tree, loc, path)
        wrong = _wrong_with_pattern(path, text) if loc in PATTERNS else _wrong_with_file(path, text)
        if wrong:
            problems.append((loc, f"{wrong} (a relative path counts from {folder})"))
    return problems


def _of_cameras(tree: dict[str, Any]) -> Iterator[Loc]:
    cameras = _at(tree, ("probes", "cameras"))
    for i in range(len(cameras) if isinstance(cameras, list) else 0):
        yield ("probes", "cameras", i, "file")
        yield ("probes", "cameras", i, "truth", "file")


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
