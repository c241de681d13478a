"""The report page of an engine, in a browser."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bnnsim.cli.app import run
from bnnsim.evaluation import evaluate
from bnnsim.report.engine.layers import CAUSES, engine_layers_info, engine_sentence
from bnnsim.report.figures.design_costs import costs_info
from bnnsim.simulation import simulate
from tests.cli.browser import WIDTHS, opened
from tests.report_parts import part

ENGINE = ("acce-bnn", "binarynet")


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target: Path = tmp_path_factory.mktemp("engine") / "e.html"
    assert run(["report", *ENGINE, "--out", str(target)]) == 0
    return target


def test_turns_add_up_to_the_layers_of_the_simulation() -> None:
    simulation = simulate(*ENGINE, frames=2)
    info = engine_layers_info(simulation)
    for cause, cycles in info.by_cause.items():
        assert 2 * cycles == sum(getattr(layer, cause) for layer in simulation.layers)
    assert set(info.by_cause) == set(CAUSES)


def test_the_sentence_names_the_longest_turn_and_its_largest_cause() -> None:
    simulation = simulate(*ENGINE)
    sentence = engine_sentence(engine_layers_info(simulation))
    totals = {
        layer.name: sum(getattr(layer, cause) for cause in CAUSES) for layer in simulation.layers
    }
    longest = max(totals, key=lambda name: totals[name])
    assert sentence.startswith(f"<b>{longest}</b> takes longest: ")
    assert f'<data value="{totals[longest]}">' in sentence


def test_the_page_says_what_simulate_says(page_file: Path, tmp_path: Path) -> None:
    assert run(["simulate", *ENGINE, "--json", str(tmp_path / "s.json")]) == 0
    simulated = json.loads((tmp_path / "s.json").read_text())
    inside = json.loads(part(page_file.read_text(), "evaluation"))
    assert {key: inside[key] for key in simulated} == simulated


def test_the_page_shows_resources_power_and_energy_as_evaluate_does(page_file: Path) -> None:
    evaluation = evaluate(*ENGINE, advise=True)
    text = page_file.read_text()
    answer = text[text.index('<section id="answer">') : text.index('<section class="figure"')]
    for value in (evaluation.power_w, evaluation.energy_per_frame_uj):
        assert f'<data value="{json.dumps(value)}">' in answer
    for name in ("lut", "ff", "bram18", "dsp"):
        total = getattr(evaluation.resources.total, name)
        assert f'<data value="{json.dumps(total)}">' in answer
    assert "chip; activity of random data at this rate" in answer
    assert json.loads(part(text, "evaluation")) == json.loads(json.dumps(evaluation.to_json()))


def test_the_energy_of_the_units_and_the_fixed_parts_is_that_of_the_frame() -> None:
    evaluation = evaluate(*ENGINE, timing_only=True)
    info = costs_info(evaluation)
    shares = [unit.energy_uj or 0 for unit in info.units]
    assert sum(shares) == pytest.approx(evaluation.energy_per_frame_uj)
    assert sum(unit.resources.get("lut", 0) for unit in info.units) == info.totals["lut"]


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_is_offline_and_its_bars_change_scale(page_file: Path, width: int) -> None:
    with opened(page_file, width) as page:
        assert page.complaints() == []
        assert [url for url in page.requests() if not url.endswith("e.html")] == []
        assert page.run("return document.documentElement.scrollWidth") <= width
        bars = "return [...document.querySelectorAll('.stack')].map(e => e.offsetWidth)"
        lengths = page.run(bars)
        assert len(set(lengths)) > 3
        page.press("#layers [data-do=shares]")
        assert len(set(page.run(bars))) == 1
        page.press("#layers [data-do=shares]")
        assert page.run(bars) == lengths
        page.press("#timeline [data-do=cycle]")  # of what is in view
        drawn = ("spending", "roofline", "timeline", "occupancy")
        for figure in ("budget", "layers", *drawn, "units", "costs", "numbers"):
            page.press(f"button.csv[data-figure={figure}]")
            rows = len(page.run("return bnnsim.lastCsv").splitlines())
            assert rows > (2 if figure == "occupancy" else 3)


@pytest.mark.parametrize(
    ("command", "option", "reason"),
    [
        ("fifos", "--out", "engines have no FIFOs"),
    ],
)
def test_what_only_pipelines_have_is_refused_in_the_commands_terms(
    command: str, option: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([command, *ENGINE, option, str(tmp_path / "out")]) == 2
    expected = f"{command}: expected a streaming accelerator ({reason}), got the engine {ENGINE[0]}"
    assert expected in capsys.readouterr().err


LABELS = """return [...document.querySelectorAll('.memory-map b')].filter(b => b.offsetHeight).map(b => {
  const box = b.parentElement.getBoundingClientRect(), range = document.createRange();
  range.selectNodeContents(b);
  const text = range.getBoundingClientRect();
  b.scrollIntoView({block: 'center', behavior: 'instant'});
  const now = range.getBoundingClientRect(), end = document.elementFromPoint(now.right - 2, now.top + 5);
  const isInside = text.bottom <= box.bottom + 1 && text.right <= box.right + 1;
  return [b.textContent, text.top < box.bottom - 2, isInside && b.parentElement.contains(end)];
}).filter(([name, isSeen]) => isSeen)"""


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    ("design", "named"),
    [
        (("fracbnn", "fracbnn-cifar10"), {"image", "layer3_0_conv2"}),  # some are a pixel high
        (("fc-bnn", "vgg11ave"), {"conv2", "pool2"}),  # some lie over others
    ],
)
def test_a_place_of_the_memory_map_has_its_name_where_there_is_room_for_it(
    tmp_path: Path, design: tuple[str, str], named: set[str], width: int
) -> None:
    target = tmp_path / "page.html"
    assert run(["report", *design, "--timing-only", "--out", str(target)]) == 0
    with opened(target, width) as page:
        labels = page.run(LABELS)
    assert len(labels) >= 7
    assert [name for name, _, is_whole in labels if not is_whole] == []
    assert named <= {name for name, *_ in labels}


CROSSED = """const plot = document.querySelector('#roofline .plot');
const names = [...plot.querySelectorAll('text')].filter(t => !/^[0-9]/.test(t.textContent))
  .filter(t => !t.getAttribute('transform') && !t.textContent.startsWith('operations'));
const boxes = names.map(t => [t.textContent, t.getBBox()]);
const over = (a, b) => a.x < b.x + b.width && a.y + 2 < b.y + b.height - 2, found = [];
boxes.forEach(([name, box], i) => {
  for (const [other, place] of boxes.slice(i + 1))
    if (over(box, place) && over(place, box)) found.push(name + ' over ' + other);
  for (const line of plot.querySelectorAll('line.roof, line.port')) {
    const [x1, y1, x2, y2] = ['x1', 'y1', 'x2', 'y2'].map(key => +line.getAttribute(key));
    for (let x = Math.max(box.x, x1); x < Math.min(box.x + box.width, x2); x++) {
      const y = y1 + (y2 - y1) * (x - x1) / (x2 - x1);
      if (y > box.y + 3 && y < box.y + box.height - 3) { found.push(name + ' on a line'); break; }
    }
  }
});
return [names.map(t => t.textContent), found]"""
"""Names in the roofline, and which of them lie over others or are struck through by a ceiling."""


@pytest.mark.parametrize("width", WIDTHS)
def test_names_in_the_roofline_lie_on_no_line_and_over_no_name(tmp_path: Path, width: int) -> None:
    """Some thirty layers, two arrays, two ports."""
    target = tmp_path / "page.html"
    design = ("fracbnn-imagenet", "fracbnn-imagenet")
    assert run(["report", *design, "--timing-only", "--out", str(target)]) == 0
    with opened(target, width) as page:
        names, crossed = page.run(CROSSED)
    assert crossed == []
    for ceiling in ("conv3x3: ", "conv1x1: ", "ddr: ", "image: "):
        assert any(name.startswith(ceiling) for name in names)
