"""What if labels are wrong, and whether truth was: checks of both in sentences, for the page and for the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from reports.reading import Figure
from reports.wording import bounds, columns, count, listed, percent, plain


def label_check(rows: Iterable[Figure]) -> list[str]:
    """Rows of `label_sensitivity` at one operating point and condition: a sentence for each kind of group and system.

    Systems of which the same is to be said stand together.
    """
    grouped: dict[tuple[str, str], list[Figure]] = {}
    for row in rows:
        grouped.setdefault((row["kind"], row["system"]), []).append(row)
    said: dict[str, list[str]] = {}
    for (kind, system), told in grouped.items():
        said.setdefault(_labels(kind, told), []).append(system)
    several = len({system for _, system in grouped}) > 1
    return [f"{listed(systems)}. {words}" if several else words for words, systems in said.items()]


def guesses(labels: Iterable[Figure], rows: Sequence[Figure]) -> Iterator[str]:
    """Which labels are inferred, and the range of the rate within one group that wrong guesses move the furthest.

    labels: rows of `labels`; rows: of `label_sensitivity` at one operating point and condition.
    """
    people: dict[str, Counter[str]] = {}
    for row in labels:
        people.setdefault(row["attribute"], Counter())[row["provenance"]] += row["people"] or 0
    for attribute, by in people.items():
        if "inferred" not in by:
            continue
        within = [row for row in rows if attribute in row["kind"].split(" × ") and row["least"] is not None
                  and row["metric"] == "FMR" and row["probe_group"] == row["reference_group"]]  # fmt: skip
        guessed = f"{by['inferred']:,} of {count(by.total(), 'people')}"
        start = f"Labels of {columns(attribute)} are inferred, i.e. guesses, for {guessed}"
        widest = max(within, key=lambda row: row["greatest"] - row["least"], default=None)
        yield f"{start}." if widest is None else (
            f"{start}: strangers within one group are falsely matched in {percent(widest['least'])} to "
            f"{percent(widest['greatest'])} among {plain(widest['probe_group'])}, the widest of "
            f"{count(len(within), 'ranges')}, if the guesses are wrong as often as stated "
            f"(as labelled: {percent(widest['value'])} {bounds(widest['low'], widest['high'])})."
        )  # fmt: skip


def _labels(kind: str, rows: Sequence[Figure]) -> str:
    start = f"If labels of {columns(kind)} are wrong as often as stated ({rows[0]['file']})"
    impossible = {row["metric"]: row["why"] for row in rows if row["why"]}
    told = [row for row in rows if row["shown"] is not None and not row["why"]]
    shown = [row for row in told if row["shown"]]
    stay = sum(row["still_shown"] for row in shown)
    new = sum(row["still_shown"] and not row["shown"] for row in told)
    said = [f"{listed(impossible)} {next(iter(impossible.values()))}"] if impossible else []
    if len(shown) == 1:
        said.append(f"the one higher rate that is shown {'stays shown' if stay else 'is no longer shown'}")
    elif shown:
        said.append(f"{count(stay)} of the {count(len(shown), 'higher rates')} that are shown stay shown")
    elif told and not impossible:
        said.append("no higher rate is shown as labelled")
    if new:
        said.append(f"{count(new)} more would be shown")
    return f"{start}: {'; '.join(said) or 'nothing could be compared'}."


def identity_check(found: Figure) -> str:
    """`corrections` in a sentence: what was found of the falsely matched pairs, and how much has no answer."""
    right = found["false_matches"]
    open_ones = right["unanswered"]
    whole = "" if not open_ones else f"; {count(open_ones)} of the {count(right['listed'])} have no answer yet"
    looked = sum(right[answer] for answer in ("same", "different", "unclear"))
    return (
        f"An identity check ({found['file']}) looked at {count(looked)} falsely matched pairs of people: "
        f"{_answers(right)}{whole}."
    )


def answers(found: Figure) -> list[str]:
    """What the answers on a sheet were, and what has none, line by line."""
    right, other, rest = found["false_matches"], found["others"], found["unanswered"]
    lines = [f"falsely matched pairs of people, {count(right['listed'])} in all: {_answers(right)}",
             f"random other pairs: {_answers(other)}"]  # fmt: skip
    if rest:
        whose = "" if rest == right["unanswered"] else f", {count(right['unanswered'])} of them falsely matched"
        which = "pairs" if whose else "falsely matched pairs"
        lines.append(f"not answered: {count(rest, which)}{whose}; what is not answered is taken as recorded")
    return lines


def _answers(told: dict[str, Any]) -> str:
    return (
        f"{count(told['same'])} found to be one person under two names, {count(told['different'])} two people, "
        f"{count(told['unclear'])} unclear"
    )
