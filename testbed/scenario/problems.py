"""What is wrong with a scenario, in plain words: one sentence per mistake, each where the user wrote it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from pipelines.errors import InputError
from testbed.scenario.models import Scenario

Loc = tuple[str | int, ...]
"""A place in a scenario: keys and list indices from the top, e.g. `("conditions", 1, "fps")`."""


class ScenarioError(InputError):
    """All that is wrong with a scenario; `str()` is one problem per line."""

    def __init__(self, *problems: str) -> None:
        self.problems: tuple[str, ...] = problems
        super().__init__("\n".join(problems))


def dotted(loc: Loc) -> str:
    """A place as a reader writes it: `conditions[1].fps`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).removeprefix(".")


def suggestion(word: object, known: Collection[str]) -> str:
    """The end of a sentence about an unknown `word`: the nearest known one, else all of them."""
    if near := _nearest(word, known):
        return near
    return f"choose among {', '.join(sorted(known))}" if known else "there is none to choose"


def _nearest(word: object, known: Collection[str]) -> str:
    return "".join(f"did you mean `{each}`?" for each in difflib.get_close_matches(str(word), known, n=1))


def in_words(errors: Iterable[ErrorDetails], root: Any, model: type[BaseModel] = Scenario) -> list[tuple[Loc, str]]:
    """pydantic's errors as (place in `root`, sentence), each once; `root` is what was validated as a `model`."""
    found: dict[Loc, list[str]] = {}
    for error in errors:
        misfits = error.get("ctx", {}).get("misfits", ())
        for loc, sentence in misfits or [((), _sentence(error, model))]:
            sentences = found.setdefault((*_place(error, root), *loc), [])
            if sentence not in sentences:
                sentences.append(sentence)
    return [(loc, sentence) for loc, sentences in found.items() for sentence in _alternatives(sentences)]


def _alternatives(sentences: list[str]) -> list[str]:
    """One sentence where a value fits none of several types, for which pydantic reports each type."""
    wishes = [sentence.partition(", not ") for sentence in sentences]
    if len(wishes) > 1 and all(wish.startswith("should be ") for wish, _, _ in wishes):
        wish = " or ".join(w.removeprefix("should be ") for w, _, _ in wishes)
        return [f"should be {wish}{wishes[0][1]}{wishes[0][2]}"]
    return sentences


def _place(error: ErrorDetails, root: Any) -> Loc:
    """Where an error stands, without the union members and tags that pydantic puts between the keys."""
    loc = error["loc"]
    here = root
    kept: list[str | int] = []
    for i, part in enumerate(loc):
        inside = (isinstance(here, dict) and part in here) or (
            isinstance(here, list) and isinstance(part, int) and part < len(here)
        )
        if inside:
            here = here[part]
        if inside or (error["type"] == "missing" and i == len(loc) - 1):
            kept.append(part)
    if error["type"] == "union_tag_invalid":  # the tag is at fault, not all that it stands for
        kept.append(error["ctx"]["discriminator"].strip("'"))
    return tuple(kept)


_KINDS = {
    "int_type": "a whole number",
    "float_type": "a number",
    "int_parsing": "a whole number",
    "float_parsing": "a number",
    "string_type": "text",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping (`key: value` lines)",
    "model_type": "a mapping (`key: value` lines)",
    "model_attributes_type": "a mapping (`key: value` lines)",
    "dataclass_type": "a mapping (`key: value` lines)",
    "path_type": "a path",
    "path_not_string": "a path",
    "greater_than": "greater than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "none_required": "empty",
}
"""What each type of error wants: "should be …"."""

_SENTENCES = {
    "missing": "is missing; add it",
    "string_too_short": "is shorter than {min_length} character(s); write more",
    "string_too_long": "is longer than {max_length} characters; shorten it",
    "too_short": "has too few entries; give it at least {min_length}",
    "too_long": "has too many entries; give it at most {max_length}",
    "string_pattern_mismatch": "should begin with a letter or digit and go on with letters, digits, `.`, `_` and `-`",
    "union_tag_not_found": "is missing `kind`; add `kind: stills` or `kind: video`",
    "finite_number": "should be a finite number",
}
"""Whole sentences for the rest."""


def _sentence(error: ErrorDetails, model: type[BaseModel]) -> str:
    kind, value = error["type"], error["input"]
    bounds = {name: int(b) for name, b in error.get("ctx", {}).items() if isinstance(b, float) and b.is_integer()}
    ctx = {**error.get("ctx", {}), **bounds}
    if kind in ("float_type", "float_parsing") and (share := re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*%\s*", str(value))):
        return f"should be a number, not {_shown(value)}; write {float(share[1]) / 100:g} for {share[1]} %"
    if kind in _KINDS:
        return f"should be {_KINDS[kind].format(**ctx)}, not {_shown(value)}"
    if kind == "union_tag_not_found" and error["loc"][-1:] == ("search",):
        return "is missing `kind`; add `kind: lookup`, `kind: identification` or `kind: watchlist`"
    if kind in _SENTENCES:
        return _SENTENCES[kind].format(**ctx)
    if kind == "extra_forbidden":
        return f"unknown key; {suggestion(error['loc'][-1], _keys(error['loc'], model))}"
    if kind in ("literal_error", "union_tag_invalid"):
        expected = ctx.get("expected", ctx.get("expected_tags", ""))
        known = re.findall(r"'([^']*)'", expected)
        given = ctx.get("tag", value)
        if not known:
            return f"should be {expected.lower()}, not {_shown(given)}"
        wish = f"should be one of {', '.join(known)}, not {_shown(given)}"
        return "; ".join(filter(None, (wish, _nearest(given, known))))
    if kind == "value_error":
        return str(ctx["error"])
    # An error type met for the first time; pydantic's own words are plain enough once the subject is gone.
    return f"{error['msg'].removeprefix('Input ')}, not {_shown(value)}"


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _keys(loc: Loc, model: type[BaseModel]) -> list[str]:
    """The keys that are allowed beside the last one of `loc`."""
    models: list[type[BaseModel]] = [model]
    for part in loc[:-1]:
        inner = [
            member
            for model in models
            if part in model.model_fields
            for member in _members(model.model_fields[str(part)].annotation)
        ]
        # A part that is no field may be the tag of a union's member: `stills` is Stills.
        tagged = [model for model in models if model.__name__.lower() == part]
        models = inner or tagged or models
    return [name for model in models for name in model.model_fields]


def _members(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _members(argument)
