"""Whether ``fold`` answers at every rate, and what it and ``fifos`` take of the processor."""

from __future__ import annotations

import re
import time

import numpy as np

from bnnsim.design.build import build_streaming_design
from bnnsim.design.network.network import resolve_network
from bnnsim.search.fifos.sizing import size_fifos
from bnnsim.search.fold.fold import Folder, NotFolded
from bnnsim.search.fold.request import FoldRequest
from bnnsim.spec.load import load_device, load_workload
from tests.benchmarks.resnet18 import resnet18
from tests.benchmarks.row import Row
from tests.unit.search.finn_folding import finn_folding, finn_luts, fold_of, frame_cycles

NETWORKS = ("cnv", "tfc", "mlp-256", "mlp-1024", "digits")
DEVICES = ("xc7z020", "xczu3eg", "xczu9eg", "xc7z045")
RATES = 20
CLOCK_MHZ = 100.0


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
    """FIFO depths of ResNet-18 at 224 x 224, from FIFOs of two words."""
    design = resnet18()
    spec = design.architecture
    shallow = spec.model_copy(
        update={"fifo_words": {}, "defaults": spec.defaults.model_copy(update={"fifo_words": 2})}
    )
    begun = time.process_time()
    found = size_fifos(build_streaming_design(shallow, design.network.workload))
    seconds = time.process_time() - begun
    note = (
        f"{found.initiation_interval_cycles:,} of {found.unlimited_interval_cycles:,} cycles, "
        f"{found.designs_timed} timings, {found.fifo_bits:,} bits (bound {found.bound_bits:,})"
    )
    return [Row("fifos of ResNet-18", seconds, "s CPU", note=note)]


def measure() -> list[Row]:
    """Everything."""
    rows = [row for name in NETWORKS for device in DEVICES for row in answered(name, device)]
    return rows + sized()
