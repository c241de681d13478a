"""libyaml reads what PyYAML reads: the same data, lines and faults, of right files and damaged ones."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from bnnsim.spec.bounds import MAX_DEPTH
from bnnsim.spec.faults import SpecError
from bnnsim.spec.library import shipped_folder
from bnnsim.spec.yaml import compose as composing
from bnnsim.spec.yaml.source import parse_source
from tests.fuzz.mutation import damaged_text

pytestmark = pytest.mark.skipif(not hasattr(yaml, "CSafeLoader"), reason="PyYAML without libyaml")

PUBLISHED = Path(__file__).parents[2] / "validation" / "published"
SHIPPED = [
    path.read_text(encoding="utf-8")
    for kind in ("architecture", "device", "workload", "space")
    for path in sorted(shipped_folder(kind).glob("*.yaml"))
]
READ_APART = (
    *("\t", " \t", "!", "?", "{? a : b}", "{a:b}", "[a:b]", "http://a", "\x85", "\u2028", "\ufeff", "é"),
    *("%YAML 1.2\n", "%TAG ! x:\n", "k: \n ,", "[,]", '"\\x41"', '"\\/"', "\r", "\x07", "- -", "? -\n"),
)
"""What the two parsers are known to read differently, or might."""


def _read(text: str) -> Any:
    try:
        source = parse_source(text, "w.yaml")
    except SpecError as error:
        return str(error)
    return source.data, source.lines, [str(fault) for fault in source.faults]


def _read_by_pyyaml(text: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    with monkeypatch.context() as patch:
        patch.setattr(composing, "_Libyaml", None)
        return _read(text)


def test_shipped_files_are_the_same_and_go_through_libyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = SHIPPED + [path.read_text(encoding="utf-8") for path in sorted(PUBLISHED.glob("*.yaml"))]
    for text in texts:
        assert _read(text) == _read_by_pyyaml(text, monkeypatch)
    by_pyyaml = 0

    def counted(text: str, loader: Any) -> Any:
        nonlocal by_pyyaml
        by_pyyaml += loader is composing.ShallowLoader
        return yaml.compose(text, Loader=loader)

    monkeypatch.setattr(composing, "_node", counted)
    for text in texts:
        composing.compose(text)
    assert by_pyyaml <= 2


def test_damaged_files_are_the_same_or_refused_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    short = [text for text in SHIPPED if len(text) < 1000]
    for number in range(600):
        random = Random(number)
        text = damaged_text(random.choice(short), random)
        if number % 2:
            at = random.randrange(len(text))
            text = text[:at] + random.choice(READ_APART) + text[at:]
        assert _read(text) == _read_by_pyyaml(text, monkeypatch), number


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
@pytest.mark.parametrize("depth", [MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 1, MAX_DEPTH + 2, 20_000])
def test_depth_is_bounded_alike(opening: str, depth: int, monkeypatch: pytest.MonkeyPatch) -> None:
    closing = {"[": "]", "{a: ": "}", "- ": ""}[opening]
    text = "name: x\nlayers:\n " + opening * depth + "1" + closing * depth + "\n"
    assert _read(text) == _read_by_pyyaml(text, monkeypatch)
