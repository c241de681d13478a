"""Each lesson of the course: its exercise is not solved, its solution is, and what nearly does is not."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

COURSE = Path(__file__).resolve().parents[2] / "docs" / "course"
PORT = {
    "width_bits: 64, latency": "width_bits: 128, latency",
    "words: 8, loops": "words: 4, loops",
    "words: 2, loops": "words: 1, loops",
}
SOLUTIONS = {
    1: {"simd: 32, out_fifo_words: 2}": "simd: 32, out_fifo_words: 64}"},
    2: {"simd: 16, weights: bram,": "simd: 16, weights: lutram,"},
    3: {"conv2: {pe: 8,": "conv2: {pe: 16,"},
    4: {"short: {pe: 8, simd: 8}": "short: {pe: 8, simd: 8, out_fifo_words: 71}"},
    5: PORT,
}
NEARLY = {
    1: ({"fifo_words: 2,": "fifo_words: 64,"}, "one FIFO deeper"),
    2: ({"conv1: {pe: 16, simd: 16, weights: bram,": "conv1: {pe: 8, simd: 16,"}, "a frame every"),
    3: ({"conv2: {pe: 8,": "conv2: {pe: 16,", "conv3: {pe: 16,": "conv3: {pe: 8,"}, "cycles for a frame"),
    4: ({"short: {pe: 8, simd: 8}": "short: {pe: 8, simd: 8, out_fifo_words: 70}"}, "deadlock"),
    5: ({"out_channels: 32, in_channels: 64,": "out_channels: 32, in_channels: 32,"}, "stay as they are"),
}


@pytest.fixture(scope="module")
def course() -> ModuleType:
    spec = importlib.util.spec_from_file_location("course_check", COURSE / "check.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _changed(lesson: int, changes: dict[str, str], folder: Path) -> Path:
    text = (COURSE / f"lesson{lesson}.yaml").read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    (folder / "mine.yaml").write_text(text, encoding="utf-8")
    return folder / "mine.yaml"


@pytest.mark.parametrize("lesson", SOLUTIONS)
def test_a_solution_solves_its_lesson(lesson: int, course: ModuleType, tmp_path: Path) -> None:
    check = course.LESSONS[str(lesson)]
    assert list(check(COURSE / f"lesson{lesson}.yaml")) != []
    assert list(check(_changed(lesson, SOLUTIONS[lesson], tmp_path))) == []


@pytest.mark.parametrize("lesson", NEARLY)
def test_what_nearly_solves_a_lesson_does_not(
    lesson: int, course: ModuleType, tmp_path: Path
) -> None:
    changes, said = NEARLY[lesson]
    wrong = list(course.LESSONS[str(lesson)](_changed(lesson, changes, tmp_path)))
    assert any(said in text for text in wrong), wrong
