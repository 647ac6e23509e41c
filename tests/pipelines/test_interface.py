import numpy as np
import pytest

from pipelines.errors import InputError
from pipelines.interface import Captures
from pipelines.model_file import ModelFile, digest
from pipelines.yunet_openvino import REFERENCE_POINTS, similarity


@pytest.mark.parametrize(("bad", "why"), [(np.nan, "not finite"), (np.inf, "not finite"), (-np.inf, "not finite")])
def test_a_template_that_is_not_finite_is_a_failure_with_a_reason(bad, why):
    captures = Captures.of([(0, 0, 9, 9), (5, 5, 9, 9)], [[1.0, 2.0], [1.0, bad]], 2, {})
    assert captures.fault(0) == ""
    assert why in captures.fault(1)
    assert len(captures) == 2


def test_a_template_of_zeros_cannot_be_compared():
    assert "zeros" in Captures.of([(0, 0, 9, 9)], [[0.0, 0.0]], 2, {}).fault(0)


def test_a_template_of_another_length_is_a_failure_with_a_reason():
    captures = Captures.of([(0, 0, 9, 9)], [[1.0, 2.0, 3.0]], 2, {})
    assert captures.fault(0) == "the template has 3 numbers instead of 2"


def test_a_model_file_is_checked_by_its_content(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"weights")
    assert ModelFile(path, digest(path).upper()).verified() == path
    with pytest.raises(InputError, match="SHA-256"):
        ModelFile(path, "0" * 64).verified()
    with pytest.raises(InputError, match="cannot be read"):
        ModelFile(tmp_path / "gone", "0" * 64).verified()


def test_the_alignment_undoes_any_rotation_scale_and_shift():
    angle = 0.3
    rotation = 1.7 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = REFERENCE_POINTS @ rotation.T + [40, -12]
    matrix = similarity(moved, REFERENCE_POINTS)
    np.testing.assert_allclose(moved @ matrix[:, :2].T + matrix[:, 2], REFERENCE_POINTS, atol=1e-9)
