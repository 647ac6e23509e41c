"""dlib's network in ONNX Runtime: every weight of dlib's file, the same templates, whatever becomes of the cache."""

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import dlib
import numpy as np
import pytest

from pipelines import dlib_graph, dlib_models, dlib_weights
from pipelines.dlib_onnx import LIMIT, DlibOnnx, Resnet, difference
from pipelines.dlib_resnet import DlibResnet
from pipelines.errors import InputError
from testbed.sources.photographs import read_photograph

WEIGHTS = dlib_models.model(dlib_models.EMBEDDER)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A cache of the tests' own."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder / "cctv-face-testbed"


@pytest.fixture(scope="module")
def resnet(cache):
    return Resnet(WEIGHTS)


def chips(n, seed=0):
    """Made-up aligned faces: noise, coarse patches, and the extremes black and white."""
    random = np.random.default_rng(seed)
    noise = random.integers(0, 256, (n, 150, 150, 3), np.uint8)
    noise[::2] = noise[::2, :10, :10].repeat(15, axis=1).repeat(15, axis=2)
    return [*noise[:-2], np.zeros_like(noise[0]), np.full_like(noise[0], 255)]


def test_every_weight_is_read():
    network = dlib_weights.read(WEIGHTS)
    kinds = Counter(layer.kind for layer in network.layers)
    # "A ResNet network with 29 conv layers" (dlib's model card), each with its affine; 14 blocks that end in a sum,
    # 10 of which have one tag, and 4 (those that halve the picture) two tags and a skip.
    assert (kinds["con_4"], kinds["affine_"], kinds["fc_2"], kinds["add_prev_"]) == (29, 29, 1, 14)
    assert kinds[dlib_weights.TAG] == 10 + 4 * 3
    numbers = sum(layer.weights.size for layer in network.layers)
    assert WEIGHTS.stat().st_size - 8000 < 4 * numbers < WEIGHTS.stat().st_size
    assert network.means == pytest.approx((122.782, 117.001, 104.298), abs=1e-5)  # dlib's input_rgb_image_sized


def test_every_weight_stands_in_the_model_bit_for_bit(cache):
    model = dlib_graph.model(WEIGHTS)
    for layer in dlib_weights.read(WEIGHTS).layers:
        filters = layer.numbers[0] if layer.kind == "con_4" else 0
        parts = {
            "con_4": [layer.weights[:-filters], layer.weights[-filters:]],
            "affine_": list(layer.weights.reshape(2, -1)) if layer.kind == "affine_" else [],
            "fc_2": [layer.weights.reshape(256, 128).T] if layer.kind == "fc_2" else [],
        }
        assert all(part.tobytes() in model for part in parts.get(layer.kind, []))


def test_templates_of_made_up_pictures_are_those_of_dlib(resnet):
    assert difference(resnet, chips(24)) <= LIMIT


def test_a_template_has_the_same_bits_alone_and_in_any_batch(resnet):
    pictures = chips(19, seed=1)
    alone = np.concatenate([resnet.templates([picture]) for picture in pictures])
    for n in (0, 2, 5, 16, 17, 19):
        np.testing.assert_array_equal(resnet.templates(pictures[:n]), alone[:n])


@pytest.fixture(scope="module")
def london(data, cache):
    """Captures of the London Set's 204 photographs, at a third of their size, by dlib and by ONNX Runtime."""
    photographs = [read_photograph(path)[::3, ::3].copy() for path in sorted((data / "london_set").glob("*/*.jpg"))]
    return DlibResnet(upsample=0).capture(photographs), DlibOnnx(upsample=0).capture(photographs)


def test_on_real_photographs_templates_and_decisions_are_those_of_dlib(london):
    theirs, ours = london
    assert len(theirs) == 204
    for captures in zip(theirs, ours, strict=True):
        for name in ("boxes", "scores", "landmarks"):
            np.testing.assert_array_equal(getattr(captures[0], name), getattr(captures[1], name))
    a, b = (np.concatenate([captures.templates for captures in side]).astype(float) for side in (theirs, ours))
    assert len(a) > 190
    assert np.abs(a - b).max() <= LIMIT
    decisions = [np.linalg.norm(side[:, None] - side, axis=2) < 0.6 for side in (a, b)]
    assert 0 < decisions[0].mean() < 0.5
    np.testing.assert_array_equal(*decisions)


def test_what_it_says_of_itself_is_what_dlib_says_but_for_what_runs_the_network(cache):
    theirs, ours = DlibResnet().info, DlibOnnx().info
    assert ours.name == "dlib-onnx"
    assert set(ours.versions) == {"dlib", "onnxruntime"}
    assert set(ours.models) - set(theirs.models) == {"dlib_resnet.onnx"}
    assert ours.models.items() >= theirs.models.items()
    options = {name: value for name, value in theirs.options.items() if name != "jitters"}
    same = {name: getattr(ours, name) for name in ("name", "versions", "models", "licence")}
    assert replace(theirs, **same, options=options) == ours


def test_one_thread_is_all_it_takes(cache):
    threads = Path("/proc/self/task")
    if not threads.is_dir():
        pytest.skip("threads are counted in /proc, which only Linux has")
    before = len(list(threads.iterdir()))
    Resnet(WEIGHTS).templates(chips(3))
    assert len(list(threads.iterdir())) == before


def test_the_runtime_does_not_report_home(resnet):
    import onnxruntime

    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"
    libraries = list(Path(onnxruntime.__file__).parent.glob("capi/*.so*"))
    assert libraries
    for library in libraries:
        assert b"events.data.microsoft" not in library.read_bytes(), f"{library.name} knows Microsoft's collector"


CONTENT = WEIGHTS.read_bytes()


SHORT = (0, 1, 10, 200, 300, 330, 345, 9000, 19_380, 19_400, len(CONTENT) - 1)
DAMAGED = {
    **{f"the first {size} bytes": (lambda size=size: CONTENT[:size]) for size in SHORT},
    "a byte too many": lambda: CONTENT + b"\0",
    "an unknown layer": lambda: CONTENT.replace(b"max_pool_2", b"max_pool_9"),
    "another loss": lambda: CONTENT.replace(b"loss_metric_2", b"loss_metric_3"),
    "149 rows": lambda: CONTENT.replace(b"\x01\x96\x01\x96\x01\x05con_4", b"\x01\x95\x01\x96\x01\x05con_4"),
    "another number of weights": lambda: CONTENT.replace(b"\x01\x02\x02\x80\x12", b"\x01\x02\x02\x80\x13", 1),
    "zeros": lambda: bytes(1000),
    "another network": lambda: dlib_models.model(dlib_models.MMOD).read_bytes(),
}


@pytest.mark.parametrize("damaged", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_named_in_one_sentence(damaged, tmp_path, cache):
    path = tmp_path / "damaged.dat"
    path.write_bytes(damaged())
    with pytest.raises(InputError, match=r"damaged\.dat: ") as caught:
        Resnet(path)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_absent_is_named(tmp_path, cache):
    with pytest.raises(InputError, match=r"gone\.dat: .* cannot be read"):
        Resnet(tmp_path / "gone.dat")


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """The model, and the file that holds it in an otherwise empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    model = dlib_graph.model(WEIGHTS)
    (path,) = (tmp_path / "cctv-face-testbed").iterdir()
    return model, path


def test_the_model_is_built_once(kept, monkeypatch):
    monkeypatch.setattr(dlib_weights, "read", lambda path: pytest.fail("built again"))
    assert dlib_graph.model(WEIGHTS) == kept[0] == kept[1].read_bytes()


@pytest.mark.parametrize("damage", [lambda content: content[:-1], lambda content: b"\1" + content[1:], lambda _: b""])
def test_a_damaged_copy_is_replaced(kept, damage):
    model, path = kept
    path.write_bytes(damage(model))
    assert dlib_graph.model(WEIGHTS) == model
    assert path.read_bytes() == model
    assert list(path.parent.iterdir()) == [path]


def test_other_weights_make_another_model(kept, tmp_path):
    other = tmp_path / "other.dat"
    other.write_bytes(CONTENT[:400] + b"\0\0\0\0" + CONTENT[404:])
    assert dlib_graph.model(other) != kept[0]
    assert len(list(kept[1].parent.iterdir())) == 2


def test_without_a_cache_the_model_is_built_in_memory(kept, tmp_path, monkeypatch):
    occupied = tmp_path / "a file where the folder should be"
    occupied.write_bytes(b"")
    monkeypatch.setenv("XDG_CACHE_HOME", str(occupied))
    assert dlib_graph.model(WEIGHTS) == kept[0]
    assert dlib_graph.kept(Resnet(WEIGHTS).sha256) is None


def test_dlib_is_asked_for_the_face_that_it_would_cut_out_itself():
    image = np.random.default_rng(2).integers(0, 256, (200, 260, 3), np.uint8)
    points = [dlib.point(*point) for point in [(150, 90), (130, 92), (80, 88), (100, 90), (115, 120)]]
    shape = dlib.full_object_detection(dlib.rectangle(60, 60, 170, 170), points)
    own = dlib.face_recognition_model_v1(str(WEIGHTS))
    chip = dlib.get_face_chip(image, shape, 150, 0.25)
    np.testing.assert_array_equal(own.compute_face_descriptor(image, shape, 1), own.compute_face_descriptor(chip))
