"""The coefficient file: every number has a unit, a source and a meaning, or it does not load."""

import pytest
import yaml

from bnnsim.cost.blocks.coefficients import COEFFICIENTS_FILE, default_coefficients, load_coefficients
from bnnsim.spec.faults import SpecError
from bnnsim.validation.fit import FITTED, fit, rows_of


def _written(tmp_path, change):
    data = yaml.safe_load(COEFFICIENTS_FILE.read_text(encoding="utf-8"))
    change(data["coefficients"])
    path = tmp_path / "coefficients.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    return path


def test_a_coefficient_without_source_does_not_load(tmp_path):
    path = _written(tmp_path, lambda c: c["data_lut_pj"].pop("source"))
    with pytest.raises(
        SpecError, match=r"coefficients.yaml:\d+: coefficients.data_lut_pj.source: expected this key"
    ):
        load_coefficients(path)


@pytest.mark.parametrize("key", ["unit", "note", "source"])
def test_an_empty_text_counts_as_missing(tmp_path, key):
    path = _written(tmp_path, lambda c: c["data_lut_pj"].update({key: ""}))
    with pytest.raises(SpecError, match=rf"data_lut_pj.{key}: expected text that is not empty"):
        load_coefficients(path)


def test_all_faulty_entries_are_named_at_once(tmp_path):
    def spoil(entries):
        entries["data_lut_pj"].pop("source")
        entries["dsp_pj"]["value"] = "six"
        entries["net_ns_28nm"]["colour"] = "red"

    with pytest.raises(SpecError) as caught:
        load_coefficients(_written(tmp_path, spoil))
    text = str(caught.value)
    assert "coefficients.data_lut_pj.source: expected this key" in text
    assert "coefficients.dsp_pj.value: expected a number" in text
    assert "coefficients.net_ns_28nm.colour: expected one of the keys" in text


def test_a_coefficient_that_the_models_need_must_be_there(tmp_path):
    path = _written(tmp_path, lambda c: c.pop("bram18_shapes"))
    with pytest.raises(SpecError, match=r"bram18_shapes: expected a coefficient in \[depth_words"):
        load_coefficients(path)


def test_a_copy_of_the_shipped_file_loads_and_holds_the_same_numbers(tmp_path):
    copy = load_coefficients(_written(tmp_path, lambda c: None))
    assert {n: e.value for n, e in copy.entries.items()} == {
        n: e.value for n, e in default_coefficients().entries.items()
    }


def test_replacing_an_unknown_coefficient_is_refused():
    with pytest.raises(KeyError, match="luck"):
        default_coefficients().replaced({"luck": 1.0}, "test")


def test_fitted_coefficients_are_the_ones_the_fit_returns_and_name_their_designs():
    shipped = default_coefficients()
    assert set(shipped.fitted_names) == {name for names in FITTED.values() for name in names}
    for quantity, names in FITTED.items():
        rows = {row.design for row in rows_of(quantity) if row.is_calibration}
        for name in names:
            assert set(shipped.entries[name].fitted or ()) == rows


def test_the_file_holds_what_the_fit_gives_to_four_digits():
    shipped = default_coefficients()
    for quantity in FITTED:
        for name, value in fit(quantity).coefficients.items():
            assert shipped[name] == pytest.approx(value, rel=2e-3), name
