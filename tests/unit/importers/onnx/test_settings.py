"""Every attribute of every operator that is read: understood as it is defined, or refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")
pytest.importorskip("onnxruntime", reason="the extra bnnsim[onnx] is not installed")
pytest.importorskip("qonnx", reason="the extra bnnsim[onnx] is not installed")

from onnx import defs, helper  # noqa: E402
from qonnx.custom_op.registry import getCustomOp  # noqa: E402

from bnnsim.importers.onnx.graph import CHANNELS_LAST, FINN, ONNX, QONNX, Operator  # noqa: E402
from bnnsim.importers.onnx.handlers import HANDLERS  # noqa: E402
from bnnsim.importers.onnx.network import import_onnx  # noqa: E402
from bnnsim.importers.onnx.understood import (  # noqa: E402
    NEWEST_OPSET,
    OLDEST_OPSET,
    OPERATORS,
    check_operator,
)
from bnnsim.spec.faults import InputError, SpecError  # noqa: E402
from tests.golden.imported.onnx_models import Builder  # noqa: E402
from tests.unit.importers.onnx_layers import imported, ops, scores_of, sums_of_image  # noqa: E402
from tools.write_import_settings import TARGET, document  # noqa: E402

OPSETS = range(OLDEST_OPSET, NEWEST_OPSET + 1)
STRANGE = ("nonsense", -7, 0.5, float("nan"), [1, -2, 3], [[1]], True, None)
STANDARD = sorted(kind for domain, kind in OPERATORS if domain == ONNX)


def _schema(kind: str, opset: int) -> Any:
    try:
        return defs.get_schema(kind, opset)
    except defs.SchemaError:
        return None  # not there yet


@pytest.mark.parametrize("kind", STANDARD)
def test_the_table_has_every_attribute_of_every_version_that_onnx_defines(kind):
    known = OPERATORS[ONNX, kind]
    schemas = {opset: _schema(kind, opset) for opset in OPSETS}
    assert any(schemas.values())
    for opset, schema in schemas.items():
        if schema is None:
            continue
        rows = {key for key, rows in known.settings.items() if any(r.holds_in(opset) for r in rows)}
        assert rows == set(schema.attributes), opset
        assert known.most_inputs >= schema.max_input
        for key, attribute in schema.attributes.items():
            in_all = all(row.first == 0 and row.last > NEWEST_OPSET for row in known.settings[key])
            assert not attribute.required or key in known.required or not in_all


def _custom(domain: str, kind: str, version: int) -> Any:
    node = helper.make_node(kind, ["x"], ["y"], domain=domain)
    return getCustomOp(node, onnx_opset_version=version).get_nodeattr_types()


@pytest.mark.parametrize(("domain", "kind"), [key for key in OPERATORS if key[0] not in (ONNX, FINN)])
def test_the_table_has_every_attribute_that_qonnx_defines(domain, kind):
    if domain == CHANNELS_LAST:
        theirs = {key for version in (13, 22) for key in _custom(domain, kind, version)}
        assert theirs <= set(OPERATORS[domain, kind].settings)
        return
    if kind == "DebugMarker":
        pytest.skip("qonnx does not register it")
    versions = (1, 2) if kind == "Trunc" else (1,)
    theirs = {key for version in versions for key in _custom(domain, kind, version)}
    assert theirs == set(OPERATORS[domain, kind].settings)


def test_the_table_is_of_the_operators_that_are_read():
    assert OPERATORS.keys() == HANDLERS.keys()


def test_the_document_shows_the_tables():
    written = TARGET.read_text(encoding="utf-8")
    assert written == document(), "python tools/write_import_settings.py writes it anew"


def _operator(domain: str, kind: str, attributes: dict[str, Any]) -> Operator:
    return Operator(kind, "one", ("x",), ("y",), attributes, "net.onnx: one", False, domain)


@pytest.mark.parametrize(("domain", "kind"), OPERATORS)
def test_what_the_table_does_not_take_is_refused_by_name(domain, kind):
    known = OPERATORS[domain, kind]
    with pytest.raises(InputError, match=r"net.onnx: one .*got twist = 1"):
        check_operator(_operator(domain, kind, {"twist": 1}), 13)
    for opset in (7, 10, 13, 18, 25):
        for key, rows in known.settings.items():
            here = [row for row in rows if row.holds_in(opset)]
            for value in STRANGE:
                given = {**dict.fromkeys(known.required, 1), key: value}
                if here and any(row.accepts(value) for row in here):
                    continue
                with pytest.raises(InputError, match="|".join((key, *known.required))):
                    check_operator(_operator(domain, kind, given), opset)
    for key in known.required:
        with pytest.raises(InputError, match=r"expected an attribute \w+, got none"):
            check_operator(_operator(domain, kind, {}), 13)
        assert key in known.settings


# ---- refused by name, from a file ---------------------------------------------------------------


def _refused(b: Builder, output: str, folder: Path, match: str, **changes: Any) -> None:
    model = b.model(output)
    for name, value in changes.items():
        getattr(model, name).extend(value)
    onnx.save(model, folder / "net.onnx")
    with pytest.raises(SpecError, match=match) as caught:
        import_onnx(folder / "net.onnx", folder / "out")
    assert "\n" not in str(caught.value)
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("kind", "attributes", "opset", "match"),
    [
        ("AveragePool", {"kernel_shape": [2, 2], "dilations": [2, 2]}, 19, "dilations 1 alone, got"),
        ("AveragePool", {"strides": [2, 2]}, 13, "expected an attribute kernel_shape, got none"),
        ("MaxPool", {"kernel_shape": [2, 2], "ceil_mode": 2}, 13, "ceil_mode 0 or 1, got 2"),
        ("MaxPool", {"kernel_shape": [2, 2], "ceil_mode": 1}, 9, "settings that are understood.*ceil"),
        ("MaxPool", {"kernel_shape": [2, 2], "auto_pad": "SAME"}, 13, "auto_pad NOTSET or VALID"),
        ("Flatten", {"axis": 2}, 13, "expected axis 1, got 2"),
        ("LeakyRelu", {"alpha": float("inf")}, 13, "alpha a finite number, got inf"),
        ("Dropout", {"ratio": 0.5}, 13, r"settings that are understood \(seed\), got ratio = 0.5"),
        ("ReduceMean", {"noop_with_empty_axes": 1}, 18, "noop_with_empty_axes 0, got 1"),
        ("Relu", {"consumed_inputs": [0]}, 13, r"understood \(none\), got consumed_inputs"),
        ("Softmax", {"axis": 1.0}, 13, "axis the axis of the classes, got 1.0"),
        ("Transpose", {"perm": [0, 1, 1, 3]}, 13, "a permutation that leaves the batch in front"),
        ("Concat", {}, 13, "expected an attribute axis, got none"),
        ("Cast", {"to": 6}, 13, "expected a cast to floats, got INT32"),
    ],
)
def test_attributes_that_are_not_understood(kind, attributes, opset, match, tmp_path):
    b = Builder((1, 3, 8, 8), opset=opset)
    x = b.conv(b.bipolar("x"), b.signs(4, 3, 3, 3), 3)
    _refused(b, b.op(kind, x, **attributes), tmp_path, match)


@pytest.mark.parametrize(
    ("attributes", "match"),
    [
        ({"training_mode": 1}, "training_mode 0, got 1"),
        ({"spatial": 0}, "got spatial = 0"),
        ({"momentum": 0.5, "epsilon": "small"}, "epsilon a finite number, got small"),
    ],
)
def test_batch_norms_that_are_not_understood(attributes, match, tmp_path):
    b = Builder((1, 6), opset=14)
    x = b.op("MatMul", b.bipolar("x"), b.signs(6, 3))
    x = b.op("BatchNormalization", x, *(b.constant([1.0] * 3) for _ in range(4)), **attributes)
    _refused(b, x, tmp_path, match)


@pytest.mark.parametrize(
    ("attributes", "match"),
    [
        ({"signed": 1}, "expected an attribute narrow, got none"),
        ({"narrow": 0}, "expected an attribute signed, got none"),
        ({"signed": 2, "narrow": 0}, "signed 0 or 1, got 2"),
        ({"signed": 1, "narrow": 0, "rounding_mode": "STOCHASTIC"}, "rounding_mode ROUND, .*got STOCH"),
        ({"signed": 1, "narrow": 0, "clip": 1}, "settings that are understood.*got clip = 1"),
    ],
)
@pytest.mark.parametrize("of", ["activations", "weights"])
def test_quantisers_that_are_not_understood(of, attributes, match, tmp_path):
    b = Builder((1, 6))
    operands = [b.constant(v) for v in (0.5, 0.0, 3.0)]
    weights = b.constant(b.rng.normal(0, 1, (6, 3)))
    if of == "weights":
        weights = b.op("Quant", weights, *operands, domain=QONNX, **attributes)
        _refused(b, b.op("MatMul", b.bipolar("x"), weights), tmp_path, match)
    else:
        x = b.op("MatMul", b.bipolar("x"), b.signs(6, 3))
        _refused(b, b.op("Quant", x, *operands, domain=QONNX, **attributes), tmp_path, match)


def test_dropout_that_drops_when_run_is_refused(tmp_path):
    b = Builder((1, 6))
    x = b.op("MatMul", b.bipolar("x"), b.signs(6, 3))
    x = b.op("Dropout", x, b.constant(0.5), b.constant(True, np.bool_))
    _refused(b, x, tmp_path, "expected a model exported for inference, got training_mode true")


def test_an_attribute_given_twice_is_refused(tmp_path):
    b = Builder((1, 3, 4, 4))
    x = b.op("Flatten", b.bipolar("x"), axis=1)
    b.nodes[-1].attribute.append(helper.make_attribute("axis", 0))
    _refused(b, b.op("MatMul", x, b.signs(48, 3)), tmp_path, "expected each attribute once, got axis")


# ---- operators of other domains -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("domain", "kind", "match"),
    [
        ("my.company", "Relu", "an operator of ai.onnx, .*, got my.company.Relu"),
        ("ai.onnx.ml", "Relu", "got ai.onnx.ml.Relu"),
        ("finn.custom_op.fpgadataflow", "Quant", "got finn.custom_op.fpgadataflow.Quant"),
        (QONNX, "Relu", r"an operator that can be imported \(.*got qonnx.custom_op.general.Relu"),
        (CHANNELS_LAST, "Relu", "got qonnx.custom_op.channels_last.Relu"),
        ("", "BipolarQuant", "got BipolarQuant"),
        ("", "HardTanh", "got HardTanh"),
    ],
)
def test_an_operator_of_another_domain_is_not_onnx_s(domain, kind, match, tmp_path):
    b = Builder((1, 6))
    x = b.op("MatMul", b.bipolar("x"), b.signs(6, 3))
    _refused(b, b.op(kind, x, domain=domain), tmp_path, match)


def test_a_custom_operator_on_constants_is_not_onnx_s(tmp_path):
    b = Builder((1, 6))
    weights = b.op("Sign", b.constant(b.rng.normal(0, 1, (6, 3))), domain="my.company")
    _refused(b, b.op("MatMul", b.bipolar("x"), weights), tmp_path, "got my.company.Sign")


def test_a_custom_operator_behind_the_classifier_s_end_is_refused(tmp_path):
    b = Builder((1, 6))
    x = b.op("Softmax", b.op("MatMul", b.bipolar("x"), b.signs(6, 3)), axis=1)
    _refused(b, b.op("Identity", x, domain="my.company"), tmp_path, "got my.company.Identity")


def test_an_operator_that_the_model_defines_itself_is_refused(tmp_path):
    b = Builder((1, 6))
    x = b.op("MatMul", b.bipolar("x"), b.signs(6, 3))
    opsets = [helper.make_opsetid("", 13)]
    node = helper.make_node("Neg", ["a"], ["b"])
    own = helper.make_function(QONNX, "BipolarQuant", ["a", "s"], ["b"], [node], opsets)
    _refused(b, x, tmp_path, "got a function that the model defines", functions=[own])


@pytest.mark.parametrize("domain", ["onnx.brevitas", "finn.custom_op.general", QONNX])
def test_the_names_of_qonnx_s_domain_are_one(domain, tmp_path):
    b = Builder((1, 24))
    x = b.op("MatMul", b.op("BipolarQuant", "x", b.constant(1.0), domain=domain), b.signs(24, 4))
    imported(b, x, tmp_path)


# ---- values other than the default that are read ------------------------------------------------


@pytest.mark.parametrize("transposed", [0, 1])
def test_gemm_with_factors(transposed, tmp_path):
    b = Builder((1, 24), seed=3)
    shape = (5, 24) if transposed else (24, 5)
    bias = b.constant(b.rng.normal(0, 3, 5))
    x = b.op("Gemm", b.bipolar("x"), b.signs(*shape), bias, alpha=0.5, beta=2.0, transB=transposed)
    imported(b, b.op("MatMul", b.bipolar(x), b.signs(5, 3)), tmp_path)


def test_tanh_in_front_of_a_sign_changes_nothing(tmp_path):
    b = Builder((1, 3, 8, 8), seed=4)
    x = b.op("Tanh", b.batch_norm(sums_of_image(b), 8, 5))
    workload = imported(b, scores_of(b, b.bipolar(x), 8 * 36), tmp_path)
    assert ops(workload) == ["conv", "linear"]


def test_tanh_in_front_of_a_layer_is_a_table(tmp_path):
    b = Builder((1, 3, 8, 8), seed=4)
    x = b.op("Tanh", b.batch_norm(sums_of_image(b), 8, 5))
    workload = imported(b, scores_of(b, x, 8 * 36), tmp_path)
    assert ops(workload) == ["conv", "affine", "lookup", "linear"]


@pytest.mark.parametrize("kind", ["Sigmoid", "Tanh"])
def test_a_sigmoid_at_the_end_keeps_the_order(kind, tmp_path):
    b = Builder((1, 24), seed=5)
    x = b.batch_norm(b.op("MatMul", b.bipolar("x"), b.signs(24, 4)), 4, 3, gain="one")
    path = b.save(b.op(kind, x), tmp_path / "net.onnx")
    found = import_onnx(path, tmp_path)
    assert any(f"{kind} left out" in note and "order" in note for note in found.notes)
