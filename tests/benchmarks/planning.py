"""Whether ``fold`` answers at every rate, and what it, ``fifos`` and a large search take."""

from __future__ import annotations

import os
import re
import tempfile
import time
from pathlib import Path

import numpy as np

from bnnsim.design.build import build_streaming_design
from bnnsim.design.design import Design
from bnnsim.design.network.network import resolve_network
from bnnsim.exploration.explore import explore
from bnnsim.search.fifos.check import check_sizing
from bnnsim.search.fifos.sizing import size_fifos
from bnnsim.search.fold.fold import Folder, NotFolded, fold
from bnnsim.search.fold.request import FoldRequest
from bnnsim.spec.load import load_device, load_workload
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from tests.benchmarks.resnet18 import resnet18, write_space
from tests.benchmarks.row import Row
from tests.unit.search.finn_folding import finn_folding, finn_luts, fold_of, frame_cycles
from tests.unit.search.test_fifos import residual

NETWORKS = ("cnv", "tfc", "mlp-256", "mlp-1024", "digits")
DEVICES = ("xc7z020", "xczu3eg", "xczu9eg", "xc7z045")
RATES = 20
CLOCK_MHZ = 100.0
DESIGNS = 200


def answered(name: str, device: str) -> list[Row]:
    """At rates from 50 to the fastest of any folding: a design that keeps it, or one that then works."""
    loaded = load_workload(name)
    network = resolve_network(loaded)
    begun = time.process_time()
    folder = Folder(FoldRequest(loaded, network, load_device(device).spec, CLOCK_MHZ, "benchmark"))
    kept = refused = wrong = dearer = compared = 0
    for fps in np.geomspace(50, CLOCK_MHZ * 1e6 / folder.shortest_cycles, RATES):
        try:
            found = folder.answer(float(fps) * (1 - 1e-9), anyway=False).folded
        except NotFolded as refusal:
            refused += 1
            wrong += not _nearest_works(folder, str(refusal), fps)
            continue
        kept += 1
        if found.fps < fps * (1 - 1e-9) or not found.resources.fits:
            wrong += 1
        theirs = finn_folding(network, CLOCK_MHZ * 1e6 / fps)
        hardware = found.design.architecture.layers
        ours = {
            name: fold_of(network.nodes[name], pe, simd, layer.simd_window)
            for name, layer in hardware.items()
            if (pe := layer.pe) and (simd := layer.simd)
        }
        if frame_cycles(network, theirs) <= CLOCK_MHZ * 1e6 / fps:
            compared += 1
            dearer += finn_luts(network, ours) > finn_luts(network, theirs)
    seconds = time.process_time() - begun
    note = f"{kept} kept, {refused} refused, {wrong} wrong; dearer than FINN's in {dearer} of {compared}"
    return [Row(f"fold {name} on {device}, {RATES} rates", seconds, "s CPU", note=note)]


def _nearest_works(folder: Folder, refusal: str, fps: float) -> bool:
    near = re.search(r"nearest: ([0-9.]+) FPS", refusal)
    if near is None or float(near[1]) >= fps:
        return False
    return folder.answer(float(near[1]), anyway=False).folded.fps >= float(near[1])


def sized() -> list[Row]:
    """FIFO depths of CNV with modern units, of residual networks and of ResNet-18 at 224 x 224."""
    designs = {
        "CNV with modern units": (cnv_modern(), True),
        "17 convolutions at 64 x 64": (residual(8, 64), True),
        "Bi-Real ResNet-18 at 224 x 224, folded": (_folded("birealnet-18", "xcu250", 324), False),
        "ResNet-18 at 224 x 224": (_shallow(resnet18()), False),
    }
    size_fifos(residual(1, 10))  # kernels are compiled by then
    return [_sized(name, *entry) for name, entry in designs.items()]


def _sized(name: str, design: Design, is_checked: bool) -> Row:
    begun = time.process_time()
    found = size_fifos(design)
    seconds = time.process_time() - begun
    interval, unlimited = found.initiation_interval_cycles, found.unlimited_interval_cycles
    assert interval <= 1.001 * unlimited
    frames = check_sizing(design, found) if is_checked else 0
    note = (
        f"{interval:,} of {unlimited:,} cycles, {found.designs_timed} timings, {found.fifo_bits:,} bits "
        f"(bound {found.bound_bits:,}), SimPy agrees on {frames} frames"
    )
    return Row(f"fifos of {name}", seconds, "s CPU", note=note)


def cnv_modern() -> Design:
    """CNV with RTL windows and flushing units, FIFOs of two words."""
    folds = {
        "conv0": (16, 3), "conv1": (32, 32), "conv2": (16, 32), "conv3": (16, 32), "conv4": (4, 32),
        "conv5": (1, 32), "fc0": (1, 4), "fc1": (1, 8), "fc2": (4, 1),
    }  # fmt: skip
    spec = {"name": "cnv-modern", "source": "made for this benchmark", "style": "streaming"}
    defaults = {"sliding_window": "rtl", "pipeline": "flushing", "fifo_words": 2}
    layers = {name: {"pe": pe, "simd": simd} for name, (pe, simd) in folds.items()}
    data = {**spec, "device": "xc7z020", "clock_mhz": 100, "defaults": defaults, "layers": layers}
    return build_streaming_design(StreamingArchitecture.model_validate(data), load_workload("cnv"))


def _folded(name: str, device: str, fps: float) -> Design:
    architecture = fold(name, device, fps, clock_mhz=200).architecture
    return build_streaming_design(architecture, load_workload(name))


def _shallow(design: Design) -> Design:
    """The same with FIFOs of two words."""
    spec = design.architecture
    shallow = spec.model_copy(
        update={"fifo_words": {}, "defaults": spec.defaults.model_copy(update={"fifo_words": 2})}
    )
    return build_streaming_design(shallow, design.network.workload)


def explored(trials: int = DESIGNS) -> Row:
    """A search on a network of ResNet-18's size at 224 x 224, with a process a core."""
    jobs = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as name:
        path = write_space(Path(name))
        begun, before = time.perf_counter(), _processor_seconds()
        found = explore(path, trials=trials, jobs=jobs, baseline=0, verify_words=0, out=Path(name) / "o")
        seconds, used = time.perf_counter() - begun, _processor_seconds() - before
    exploration = found.exploration
    note = (
        f"{used:.0f} s CPU, {len(exploration.feasible)} of {len(exploration.trials)} keep every bound, "
        f"{len(exploration.front)} on the front"
    )
    return Row(f"{trials} designs of ResNet-18 on {jobs} cores", seconds, "s", note=note)


def _processor_seconds() -> float:
    """Seconds of this process and of those that it has waited for."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def measure() -> list[Row]:
    """Everything."""
    rows = [row for name in NETWORKS for device in DEVICES for row in answered(name, device)]
    return [*rows, *sized(), explored()]
