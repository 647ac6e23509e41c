"""The systems under test: which pipelines are installed, what options they take, and building one."""

from __future__ import annotations

import dataclasses
import inspect
import re
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from pipelines.black_box import asked
from pipelines.errors import InputError
from pipelines.interface import Pipeline
from pipelines.model_file import ModelFile
from testbed.scenario.models import System
from testbed.scenario.problems import Loc, dotted, in_words, suggestion

GROUP = "testbed.pipelines"


@dataclass(frozen=True)
class Option:
    """One option of a pipeline: its type, its default (`inspect.Parameter.empty`: required), its description."""

    name: str
    annotation: Any
    default: Any
    doc: str

    @property
    def required(self) -> bool:
        """Whether a scenario must give it."""
        return self.default is inspect.Parameter.empty

    @property
    def type_name(self) -> str:
        """Its type as a reader writes it."""
        members = _members(self.annotation)
        if typing.get_origin(self.annotation) is typing.Literal:
            return " | ".join(map(str, typing.get_args(self.annotation)))
        if ModelFile in members:
            return "{path, sha256}"
        return self.annotation.__name__ if isinstance(self.annotation, type) else str(self.annotation)

    @property
    def takes_list(self) -> bool:
        """Whether a list is a value of it; for the others a list is a sweep."""
        return any(
            member in (Any, object)
            or (isinstance(member, type) and issubclass(member, Sequence | set | frozenset) and member is not str)
            for member in (typing.get_origin(member) or member for member in _members(self.annotation))
        )

    def paths(self, value: Any) -> list[Loc]:
        """Where `value` holds paths of files: `[()]` if it is one, `[("path",)]` in a model file, else none."""
        members = _members(self.annotation)
        if Path in members and isinstance(value, str):
            return [()]
        if ModelFile in members and isinstance(value, dict) and isinstance(value.get("path"), str):
            return [("path",)]
        return []

    def read(self, value: Any) -> Any:
        """The Python value of a scenario's JSON-like one. Raises pydantic.ValidationError."""
        # Only paths and model files have no spelling of their own in YAML; the rest is taken strictly.
        strict = not {Path, ModelFile} & set(_members(self.annotation))
        return TypeAdapter(self.annotation).validate_python(value, strict=strict)

    def misfits(self, value: Any) -> list[tuple[Loc, str]]:
        """What is wrong with a value: where inside it, and a sentence; none if it will do."""
        if ModelFile in _members(self.annotation) and isinstance(value, dict):
            # The dataclass would pass over keys that it does not know.
            fields = [field.name for field in dataclasses.fields(ModelFile)]
            unknown = [key for key in value if key not in fields]
            if unknown:
                return [((key,), f"unknown key; {suggestion(key, fields)}") for key in unknown]
            digest = value.get("sha256")
            if isinstance(digest, str) and not re.fullmatch(r"[0-9a-fA-F]{64}", digest):
                return [(("sha256",), "should be a SHA-256 digest, 64 hexadecimal digits")]
        try:
            self.read(value)
        except ValidationError as error:
            return in_words(error.errors(), value)
        return []


def available() -> dict[str, EntryPoint]:
    """The installed pipelines by name, in alphabetical order."""
    return {entry.name: entry for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name)}


def describe(name: str) -> list[Option]:
    """The options of a pipeline, in the order of its constructor. Raises InputError where there is no such one."""
    known = available()
    if name not in known:
        raise InputError(f"{name!r} is not an installed pipeline; {suggestion(name, known)}")
    try:
        pipeline = known[name].load()
    except (ImportError, AttributeError) as error:
        raise InputError(f"the pipeline {name!r} cannot be imported ({error}); install what it needs") from None
    constructor = pipeline.__init__
    annotations = typing.get_type_hints(constructor)
    docs = "\n\n".join(filter(None, (pipeline.__doc__, constructor.__doc__)))
    names = [
        parameter.name
        for parameter in list(inspect.signature(constructor).parameters.values())[1:]
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    ]
    parameters = inspect.signature(constructor).parameters
    described = _descriptions(docs, names)
    return [
        Option(name, annotations.get(name, Any), parameters[name].default, described.get(name, "")) for name in names
    ]


def misfits(options: Mapping[str, Any], described: Sequence[Option]) -> list[tuple[Loc, str]]:
    """What is wrong with a system's options: where in them, and a sentence."""
    known = {option.name: option for option in described}
    found: list[tuple[Loc, str]] = []
    for name, value in options.items():
        if name in known:
            found += [((name, *loc), sentence) for loc, sentence in known[name].misfits(value)]
        else:
            found.append(((name,), f"unknown option; {suggestion(name, known)}"))
    missing = [name for name, option in known.items() if option.required and name not in options]
    return found + [((name,), f"is missing; the pipeline needs it: {known[name].doc}") for name in missing]


def build(system: System) -> Pipeline:
    """The system under test, ready to capture. Raises InputError where its options or models will not do."""
    described = describe(system.pipeline)
    problems = [f"{dotted(loc)}: {sentence}" for loc, sentence in misfits(system.options, described)]
    if problems:
        raise InputError("\n".join(f"system {system.label}: options.{problem}" for problem in problems))
    known = {option.name: option for option in described}
    values = {name: known[name].read(value) for name, value in system.options.items()}

    def made() -> Pipeline:
        try:
            return cast(Pipeline, available()[system.pipeline].load()(**values))
        except ImportError as error:
            raise InputError(f"system {system.label}: needs the library {error.name}, which is not installed") from None

    return asked(system.label, "its constructor", made)


def _members(annotation: Any) -> tuple[Any, ...]:
    """The members of a union; any other annotation alone."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return typing.get_args(annotation)
    return (annotation,)


def _descriptions(docs: str, names: Sequence[str]) -> dict[str, str]:
    """What a docstring says after `name:`, up to the next option or blank line."""
    if not names:
        return {}
    option = rf"(?:^|(?<=\s))(?:{'|'.join(map(re.escape, names))}):\s"
    found = re.finditer(rf"(?P<option>{option})(?P<doc>.*?)(?={option}|\n\s*\n|\Z)", docs, re.DOTALL)
    return {match["option"].strip().rstrip(":"): " ".join(match["doc"].split()) for match in found}
