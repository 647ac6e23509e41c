"""A collection on disk: its manifest, its pictures, and nothing from outside its folder."""

import os

import pytest

from pipelines.errors import InputError
from testbed.sources import collection
from testbed.sources.collection import MANIFEST, read_collection

GOOD = "name: A set\nsource: example.org\nlicence: CC BY 4.0\n"


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "set"
    (made / "deep" / "er").mkdir(parents=True)
    (made / MANIFEST).write_text(GOOD)
    for name in ("b.jpg", "a.PNG", "deep/er/c.webp", "notes.txt", "all.zip", "deep/manifest.yaml"):
        (made / name).write_bytes(b"x")
    return made


def test_pictures_at_any_depth_are_found_in_order_and_all_else_is_counted(folder):
    found = read_collection(folder)
    assert [str(path) for path in found.pictures] == ["a.PNG", "b.jpg", "deep/er/c.webp"]
    assert found.left_out == {"links": 0, "other files": 3, "too large": 0}
    assert (found.manifest.name, found.manifest.people, found.manifest.one_face_each) == ("A set", None, False)


def test_links_are_never_followed_and_a_pipe_is_no_picture(folder, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.jpg").write_bytes(b"x")
    (folder / "out").symlink_to(outside)
    (folder / "one.jpg").symlink_to(outside / "secret.jpg")
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe.jpg")
    found = read_collection(folder)
    assert len(found.pictures) == 3
    assert found.left_out == {"links": 3, "other files": 4, "too large": 0}


def test_a_picture_that_is_too_large_is_counted_and_not_opened(folder, monkeypatch):
    monkeypatch.setattr(collection, "MOST_BYTES", 10)
    (folder / "huge.jpg").write_bytes(b"x" * 11)
    assert read_collection(folder).left_out["too large"] == 1


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        (None, "has no manifest.yaml; write one that says what the collection is, in three lines: `name: …`"),
        ("", "is empty; a manifest needs at least name, source and licence"),
        ("name: x\nsource: y\n", "licence: is missing; add it"),
        (GOOD + "people: 0\n", "people: should be at least 1, not 0"),
        (GOOD + "people: many\n", "people: should be a whole number, not 'many'"),
        (GOOD + "one_face_each: maybe\n", "one_face_each: should be true or false"),
        (GOOD + "poeple: 3\n", "unknown key; did you mean `people`?"),
        ('name: "a\\eb"\nsource: y\nlicence: z\n', "holds a character that cannot be printed"),
        ("- name\n", "holds no mapping at its top level"),
    ],
)
def test_a_manifest_that_will_not_do_is_told_in_a_sentence(folder, manifest, said):
    (folder / MANIFEST).unlink()
    if manifest is not None:
        (folder / MANIFEST).write_text(manifest)
    with pytest.raises(InputError) as refused:
        read_collection(folder)
    assert said in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_a_manifest_that_is_a_link_is_none(folder, tmp_path):
    (folder / MANIFEST).rename(tmp_path / "elsewhere.yaml")
    (folder / MANIFEST).symlink_to(tmp_path / "elsewhere.yaml")
    with pytest.raises(InputError, match=r"has no manifest\.yaml"):
        read_collection(folder)


def test_folders_that_are_absent_empty_too_deep_or_too_full_are_refused(folder, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="there is no such folder"):
        read_collection(tmp_path / "nowhere")
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / MANIFEST).write_text(GOOD)
    (bare / "all.tar.gz").write_bytes(b"x")
    with pytest.raises(InputError, match=r"holds no pictures; .*archives are not opened"):
        read_collection(bare)
    monkeypatch.setattr(collection, "MOST_FILES", 4)
    with pytest.raises(InputError, match="holds more than 4 files"):
        read_collection(folder)
    monkeypatch.setattr(collection, "MOST_FILES", 100)
    monkeypatch.setattr(collection, "MOST_DEPTH", 1)
    with pytest.raises(InputError, match="more than 1 deep"):
        read_collection(folder)
