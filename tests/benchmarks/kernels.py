"""Packed kernels against float32 BLAS, numpy's bit count and PyTorch, on equal cores."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from bnnsim.design.network.network import Network, resolve_network
from bnnsim.functional.executor import Executor
from bnnsim.functional.input.frames import random_frames
from bnnsim.functional.kernels.slices import available_cores
from bnnsim.functional.layers.products import xnor_popcount_matmul
from bnnsim.functional.parameters.parameters import random_parameters
from bnnsim.functional.tensors.packing import pack_bits
from bnnsim.spec import load_workload
from bnnsim.spec.load import from_spec
from bnnsim.spec.workload import Workload

from .blas import HAS_LIMITS, blas_name, blas_threads, sliced
from .networks.float_network import FloatNetwork, products
from .row import Row, best_seconds

MATRICES = [(1024, 1024, 1024), (1024, 1024, 4096), (4096, 64, 576), (4096, 256, 2304)]
"""Rows, columns, bits: square ones, and those of CNV's second and sixth layer."""
BATCH = 100
CHUNK = 10
"""Frames that the float network takes at a time: all 100 fall out of its caches."""

Floats = npt.NDArray[np.float32]


def measure() -> list[Row]:
    """All figures; none without threadpoolctl, which holds BLAS to the cores stated."""
    if not HAS_LIMITS:
        return [Row("kernels", 0.0, "", note="not measured: threadpoolctl is not installed")]
    cores = available_cores()
    counts = [1] if cores == 1 else [1, cores]
    rows = [_matrix_product(*sizes, count) for count in counts for sizes in MATRICES]
    rows.append(_against_bit_count())
    rows += [_whole_network(count) for count in counts]
    rows += [_against_torch(count) for count in counts]
    return rows


def _signs(bits: npt.NDArray[Any]) -> Floats:
    return np.ascontiguousarray(bits, np.float32) * 2 - 1


def _matrix_product(m: int, n: int, bits: int, cores: int) -> Row:
    rng = np.random.default_rng(0)
    a, b = (rng.integers(0, 2, (size, bits), dtype=np.uint8) for size in (m, n))
    words_a, words_b = pack_bits(a), pack_bits(b)
    signs_a, signs_b = _signs(a), _signs(b.T)
    product = np.empty((m, n), np.float32)

    def packed() -> npt.NDArray[np.int32]:
        return xnor_popcount_matmul(words_a, words_b, bits, cores)

    def multiplied() -> None:
        sliced(lambda rows: np.matmul(signs_a[rows], signs_b, out=product[rows]), m, cores)

    assert np.array_equal(2 * packed() - bits, signs_a @ signs_b)
    # BLAS's own threads do not always pay: a slice of rows a core counts too, where it is faster.
    with blas_threads(1):
        seconds = best_seconds({"packed": packed, "blas": multiplied})
    blas = seconds["blas"]
    if cores > 1:
        with blas_threads(cores):
            blas = min(
                blas, best_seconds({"blas": lambda: np.matmul(signs_a, signs_b, out=product)})["blas"]
            )
    operations = 2 * m * n * bits
    return Row(
        f"binary matrix product {m}x{n}x{bits}, {cores} core(s)",
        operations / seconds["packed"] / 1e12,
        "TOP/s",
        blas / seconds["packed"],
        f"float32 {blas_name()}",
        f"BLAS {operations / blas / 1e12:.3f} TOP/s; packed includes laying out panels",
    )


def _against_bit_count() -> Row:
    rng = np.random.default_rng(0)
    m, n, bits = 512, 512, 1024
    a, b = (rng.integers(0, 1 << 64, (size, bits // 64), dtype=np.uint64) for size in (m, n))

    def counted() -> npt.NDArray[np.int64]:
        differing: npt.NDArray[np.int64] = np.bitwise_count(a[:, None] ^ b[None]).sum(axis=2, dtype=int)
        return bits - differing

    assert np.array_equal(xnor_popcount_matmul(a, b, bits), counted())
    seconds = best_seconds({"packed": lambda: xnor_popcount_matmul(a, b, bits), "numpy": counted})
    return Row(
        f"binary matrix product {m}x{n}x{bits}, 1 core(s)",
        2 * m * n * bits / seconds["packed"] / 1e12,
        "TOP/s",
        seconds["numpy"] / seconds["packed"],
        "np.bitwise_count on the same words",
    )


def _whole_network(cores: int) -> Row:
    network = resolve_network(load_workload("cnv"))
    parameters = random_parameters(network, 0)
    frames = random_frames(network, BATCH, 0)
    executor, floats = Executor(network, parameters), FloatNetwork(network, parameters)
    maps = np.ascontiguousarray(frames.transpose(0, 2, 3, 1).astype(np.float32))
    assert np.array_equal(executor.run(frames).scores, floats.run(maps))

    chunks = [slice(i, i + CHUNK) for i in range(0, BATCH, CHUNK)]

    def blas() -> None:
        sliced(lambda part: [floats.run(maps[c]) for c in chunks[part]], len(chunks), cores)

    pairs = products(network, CHUNK, np.random.default_rng(0))
    peers: dict[str, Callable[[], object]] = {
        "packed": lambda: executor.run(frames, threads=cores).scores,
        "blas": blas,
        "products": lambda: _multiplied(pairs, cores),
    }
    with blas_threads(1):
        seconds = best_seconds(peers)
    alone = seconds["products"] / CHUNK
    return Row(
        f"CNV forward, batch {BATCH}, bit-exact, {cores} core(s)",
        seconds["packed"] / BATCH * 1e6,
        "us/image",
        seconds["blas"] / seconds["packed"],
        f"im2col and float32 {blas_name()}, a part of the batch a core",
        f"BLAS {seconds['blas'] / BATCH * 1e6:.0f} us/image, its matrix products alone {alone * 1e6:.0f}",
    )


def _multiplied(pairs: list[tuple[Floats, Floats]], cores: int) -> None:
    """Every layer's matrix product, rows shared by the cores."""
    for a, b in pairs:
        sliced(lambda rows, a=a, b=b: a[rows] @ b, len(a), cores)  # type: ignore[misc]


def _second_layer() -> Network:
    layer = {"name": "conv", "op": "conv", "out": 64, "kernel": 3}
    data = {"name": "cnv-conv1", "input": {"shape": [64, 30, 30]}, "layers": [layer]}
    return resolve_network(from_spec(Workload.model_validate(data)))


def _against_torch(cores: int) -> Row:
    title = f"binary convolution 64x30x30 to 64, 3x3, batch {BATCH}, {cores} core(s)"
    if importlib.util.find_spec("torch") is None:
        return Row(title, 0.0, "", note="not measured: torch is not installed")
    import torch

    torch.set_num_threads(cores)
    network = _second_layer()
    parameters, frames = random_parameters(network, 0), random_frames(network, BATCH, 0)
    executor = Executor(network, parameters)
    signs = torch.from_numpy(_signs(frames))
    kernel = torch.from_numpy(_signs(parameters.weights["conv"]))

    def convolved() -> Any:
        with torch.inference_mode():
            return torch.nn.functional.conv2d(signs, kernel)

    assert np.array_equal(executor.run(frames).outputs["conv"], convolved().numpy())
    seconds = best_seconds({"packed": lambda: executor.run(frames, threads=cores), "torch": convolved})
    operations = 2 * network.nodes["conv"].macs * BATCH
    return Row(
        title,
        operations / seconds["packed"] / 1e12,
        "TOP/s",
        seconds["torch"] / seconds["packed"],
        f"PyTorch {torch.__version__} float32 conv2d",
        f"PyTorch {operations / seconds['torch'] / 1e12:.3f} TOP/s; packed includes packing the frames",
    )
