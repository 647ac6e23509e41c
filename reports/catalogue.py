"""The catalogue of metrics, METRICS.md, as the report prints it: every entry with its anchor, plain words first."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup


@dataclass(frozen=True)
class Entry:
    """What one word means. anchor: its id in the page; plain: a paragraph for everybody; exact: formula and source."""

    anchor: str
    title: Markup
    plain: Markup
    exact: Markup


@dataclass(frozen=True)
class Room:
    """Entries that belong together, under a section of METRICS.md. about: what is said of all of them, or ""."""

    title: str
    about: Markup
    entries: list[Entry] = field(default_factory=list)


@cache
def rooms() -> list[Room]:
    """The whole catalogue, in its order."""
    markdown = MarkdownIt("commonmark", {"html": False, "typographer": True}).enable("smartquotes")
    source = files("reports").joinpath("METRICS.md").read_text(encoding="utf-8")

    def html(tokens: list[Token]) -> Markup:
        return Markup(markdown.renderer.render(tokens, markdown.options, {}))

    found: list[Room] = []
    for level, title, body in _parts(markdown.parse(source)):
        if level == "h2":
            found.append(Room(title.content, html(body)))
        elif level == "h3":
            # The first paragraph (its three tokens) is the one for everybody.
            found[-1].entries.append(Entry(slug(title.content), html([title]), html(body[:3]), html(body[3:])))
    return found


@cache
def anchors() -> frozenset[str]:
    """The id of every entry."""
    return frozenset(entry.anchor for room in rooms() for entry in room.entries)


def anchor(name: str) -> str:
    """The id of the entry that defines `name`: FMR → fmr, max/min → max-over-min. Raises LookupError without one."""
    wanted = slug(name)
    if wanted not in anchors():
        raise LookupError(f"METRICS.md has no entry {wanted!r}, where {name!r} would be defined")
    return wanted


def slug(heading: str) -> str:
    """A heading up to its first comma or colon, as an id."""
    words = re.split("[,:]", heading)[0].lower().replace("/", " over ").replace("'", "")
    return re.sub(r"[^a-z0-9]+", "-", words).strip("-")


def _parts(tokens: list[Token]) -> list[tuple[str, Token, list[Token]]]:
    """Level and title of every heading, with all that stands below it up to the next."""
    heads = [i for i, token in enumerate(tokens) if token.type == "heading_open"]
    ends = [*heads[1:], len(tokens)]
    return [(tokens[i].tag, tokens[i + 1], tokens[i + 3 : end]) for i, end in zip(heads, ends, strict=True)]
