"""Which column of a log says what: by option, else by the names that people give such columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipelines.errors import InputError

SYNONYMS: dict[str, tuple[str, ...]] = {
    "probe": ("probe", "probe_id", "probe_image", "probe_key", "probe_template_id", "query", "query_id", "image1",
              "img1", "file1", "image_1", "id1", "a"),
    "reference": ("reference", "reference_id", "reference_image", "ref", "ref_id", "bio_ref_reference_id",
                  "bio_ref_template_id", "gallery", "gallery_id", "candidate", "candidate_id", "enrolled", "image2",
                  "img2", "file2", "image_2", "id2", "b"),
    "score": ("score", "scores", "similarity", "similarity_score", "distance", "dist", "sim", "cosine", "value",
              "match_score", "confidence"),
    "probe_subject": ("probe_subject", "probe_subject_id", "probe_person", "query_subject", "subject1", "subject_1",
                      "person1", "real_id", "identity1"),
    "reference_subject": ("reference_subject", "reference_subject_id", "bio_ref_subject_id", "reference_person",
                          "ref_subject", "gallery_subject", "candidate_subject", "subject2", "subject_2", "person2",
                          "claimed_id", "identity2"),
    "mated": ("mated", "is_mated", "genuine", "is_genuine", "same", "same_person", "same_subject"),
    "rank": ("rank", "candidate_rank", "position"),
}  # fmt: skip
"""Role → names it is known by, lower case, words joined by underscores."""


def roles_of(header: Sequence[str], given: Mapping[str, str], groups: Sequence[str] = ()) -> dict[str, str]:
    """Role → column, for every role that is given or can be guessed from `header`; the first synonym there wins."""
    plain = {re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_"): name for name in reversed(header)}
    wanted = SYNONYMS | {f"{side}_{group}": (f"{side}_{group}".lower(),) for group in groups for side in SIDES}
    guessed = {role: plain[name] for role, names in wanted.items() for name in reversed(names) if name in plain}
    return {**guessed, **given}


SIDES = ("probe", "reference")


def require(path: Path, header: Sequence[str], roles: Mapping[str, str], needed: Sequence[str]) -> None:
    """Raise InputError unless every role in `needed` has a column, and every column given is there."""
    there = f"its columns are {', '.join(header)}"
    for role, column in roles.items():
        if column not in header:
            raise InputError(f"{path}: has no column {column!r} for {role}; {there}")
    for role in needed:
        if role not in roles:
            raise InputError(f"{path}: no column is known as the {role}; {there}; name it with --column {role}=NAME")
