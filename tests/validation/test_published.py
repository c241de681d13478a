"""Published results: the shipped files, and the faults that a wrong one is refused with."""

import re
import textwrap

import pytest

from bnnsim.cost.blocks.coefficients import default_coefficients
from bnnsim.spec.faults import SpecError
from bnnsim.validation.published import (
    UNITS,
    load_publication,
    load_published_rows,
    publication_names,
)
from bnnsim.validation.trust import evidence_of, group_of

# The eight systems of the review, and the calibration designs.
REVIEW = {
    "acce-bnn": 168.4,
    "fc-bnn": 420,
    "fo-bnn": 930,
    "fp-bnn": 7692.3,
    "rebnet-m3": 2000,
    "fbna": 520.8,
    "fracbnn": 2806.9,
    "redkar": 332158,
}
CALIBRATION = ("finn-cnv-max", "finn-sfc-max", "finn-lfc-max", "li-vx690t", "pynq-cnv")


def test_every_system_of_the_review_is_there_with_its_frame_rate():
    rates = {
        row.system.name: row.result.value
        for row in load_published_rows()
        if row.result.quantity == "throughput_fps"
    }
    for name, fps in REVIEW.items():
        assert rates[name] == fps
    for name in CALIBRATION:
        assert name in rates


def test_every_row_says_where_it_stands_and_how_exactly_it_should_be_met():
    rows = load_published_rows()
    assert len(rows) > 120
    for row in rows:
        assert row.line > 0
        assert row.citation
        assert row.result.unit == UNITS[row.result.quantity]
        assert row.result.where
        assert row.result.reason


def test_file_names_are_author_venue_year():
    for name in publication_names():
        author, venue, year = name.split("_")
        assert author.isalnum()
        assert venue.isalnum()
        assert 2016 <= int(year) <= 2030


def test_power_without_a_basis_is_not_comparable():
    rows = {
        (row.system.name, row.result.quantity): row
        for row in load_published_rows()
        if row.result.quantity == "power_w"
    }
    assert not rows["acce-bnn", "power_w"].is_comparable_power
    assert rows["finn-cnv-max", "power_w"].is_comparable_power


def _refused(tmp_path, text, match):
    path = tmp_path / "someone_venue_2020.yaml"
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    with pytest.raises(SpecError, match=match):
        load_publication(path)


GOOD = """
citation: "Somebody: Something, Somewhere 2020"
systems:
  - name: thing
    workload: net
    device: xc7z020
    structure: complete
    not_simulated: "made up"
    results:
      - {quantity: lut, value: 10, unit: LUT, basis: placed, where: Table 1, role: validation,
         tolerance: 0.1, reason: "a reason"}
"""


def test_a_complete_publication_loads(tmp_path):
    path = tmp_path / "someone_venue_2020.yaml"
    path.write_text(GOOD, encoding="utf-8")
    assert load_publication(path).systems[0].results[0].value == 10


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("where: Table 1, ", "", r"2020.yaml:\d+: systems.thing.results\[0\].where: expected this key"),
        ('reason: "a reason"', 'reason: ""', r"results\[0\].reason: expected text that is not empty"),
        ("unit: LUT", "unit: W", r"results\[0\]: expected the unit LUT for lut"),
        ("quantity: lut", "quantity: luts", r"quantity: got the text 'luts' \(nearest: lut"),
        ("role: validation", "role: tuning", r"role: expected calibration, validation"),
        ("tolerance: 0.1", "tolerance: 2", r"tolerance: expected a number <= 1"),
        ("value: 10", "value: -1", r"value: expected a number >= 0"),
        ("structure: complete", "structure: whole", r"structure: expected complete, inferred"),
    ],
)
def test_a_faulty_result_is_refused_with_its_place(tmp_path, old, new, match):
    assert old in GOOD
    _refused(tmp_path, GOOD.replace(old, new), match)


def test_power_needs_a_basis_that_exists(tmp_path):
    text = GOOD.replace("quantity: lut", "quantity: power_w").replace("unit: LUT", "unit: W")
    _refused(tmp_path, text, r"one of programmable_logic, chip, rise, board, plug, not_stated")


def test_an_unknown_publication_names_the_nearest():
    with pytest.raises(SpecError, match=r"expected a publication, .*nearest: zhao_fpga_2017"):
        load_publication("zhao_fpga_2016")


GROUPS = {"LUT": "logic", "FF": "registers", "BRAM18": "memory"}


def test_numbers_of_reports_that_coefficients_were_read_off_are_never_blind() -> None:
    """A coefficient's source names the repository, a publication's citation too."""
    rows = load_published_rows()
    evidence = evidence_of(rows)
    sources: dict[str, set[str]] = {}
    for coefficient in default_coefficients().entries.values():
        group = GROUPS.get(coefficient.unit.partition("/")[0])
        for repository in re.findall(r"[\w-]+/[\w-]+", coefficient.source):
            sources.setdefault(repository, set()).update({group} if group else ())
    seen = set()
    for row, found in zip(rows, evidence, strict=True):
        for repository in re.findall(r"[\w-]+/[\w-]+", row.citation):
            if group_of(row.result.quantity) in sources.get(repository, ()):
                seen.add(row.system.name)
                assert found != "blind", (row.system.name, row.result.quantity, repository)
    assert {"finnthesis-cnv", "unsw-mlp", "pynq-cnv-zu3eg", "fracbnn-zu5eg"} <= seen
