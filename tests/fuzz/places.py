"""Files that are none: folders, links in a circle, devices, empty and unreadable ones, odd names."""

from __future__ import annotations

from pathlib import Path
from random import Random

from tests.fuzz.case import Case
from tests.fuzz.pairs import NETWORK, PIPELINE

_NAMES = ("a b.yaml", "é.yaml", "名.yaml", "-a.yaml", "x" * 250 + ".yaml", "a.YAML", "a.yaml.")
_SUFFIXES = ("", ".yaml", ".npz", ".npy", ".onnx", ".json", ".h5", ".keras", ".png")
_NO_FILES = ("/dev/zero", "/dev/null", "/proc/self/mem", "/proc/self/status", "/", "", ".", "[b]i", "%s")
_EMPTY = (b"", b"\0" * 100, b"\n", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n", b"\x93NUMPY", b"%PDF-1.7", b"{}")


def places(random: Random, folder: Path) -> Case:
    """A command, one of whose files or targets is what no file of the kind is."""
    good = {"a.yaml": PIPELINE, "w.yaml": NETWORK}
    for name, text in good.items():
        (folder / name).write_text(text, encoding="utf-8")
    odd = _odd(random, folder)
    arch, work, made = str(folder / "a.yaml"), str(folder / "w.yaml"), str(folder / "made")
    choice = random.randrange(9)
    if choice < 6:
        arguments = [
            ["simulate", odd, work, "--timing-only"],
            ["simulate", arch, odd, "--timing-only"],
            ["simulate", arch, work, "--images", odd, "--weights-seed", "1"],
            ["import", random.choice(("onnx", "keras")), odd, "--out", made],
            ["import", "bnn-pynq", odd, "--topology", random.choice(("cnv", "lfc")), "--out", made],
            ["check", odd, work],
        ][choice]
    else:
        arguments = [
            ["evaluate", arch, work, "--timing-only", "--json", odd],
            ["report", arch, work, "--timing-only", "--out", odd],
            ["vectors", arch, work, "--weights-seed", "1", "--out", odd],
        ][choice - 6]
    return Case(arguments, (Path(odd).name, odd, ascii(odd)[1:-1], "argument ", "Keras", "w.yaml"))


def _odd(random: Random, folder: Path) -> str:
    path = folder / f"odd{random.choice(_SUFFIXES)}"
    match random.randrange(9):
        case 0:
            path.mkdir()
        case 1:
            path.symlink_to(path)
        case 2:
            path.symlink_to(folder / "nothing")
        case 3:
            return random.choice(_NO_FILES)
        case 4:
            path.write_bytes(random.choice(_EMPTY))
        case 5:
            path.write_bytes(random.randbytes(random.choice((1, 100, 10_000))))
        case 6:
            path = folder / random.choice(_NAMES)
            path.write_text(random.choice((NETWORK, PIPELINE)), encoding="utf-8")
        case 7:
            path = folder / "a.yaml" / "below"
        case _:
            path.write_text(random.choice((NETWORK, PIPELINE)), encoding="utf-8")
    return str(path)
