"""Parameters and multiply-accumulates of shipped networks against what was published of them.

A workload has the weights; what publications count besides, biases and batch norms, is written out by
hand. Larq Zoo's numbers are from the notes of its functions and from the model summaries in the history
of its documentation (larq/docs, commit 0d3dbbb), torchvision's from its table of pre-trained models.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

import pytest

from bnnsim.design.network.network import Network, resolve_network
from bnnsim.spec.load import load_workload
from bnnsim.spec.workload import WeightedLayer

LARQ = "Larq Zoo"
TORCHVISION = "torchvision"
RESNET_18_NORMS = 64 + 4 * 64 + (1 + 4) * (128 + 256 + 512)
RESNET_34_NORMS = 64 + 6 * 64 + (1 + 8) * 128 + (1 + 12) * 256 + (1 + 6) * 512
DENSENET_28_NORMS = (
    64
    + sum(64 + 64 * i for i in range(6)) + 448
    + sum(160 + 64 * i for i in range(6)) + 544
    + sum(192 + 64 * i for i in range(6)) + 576
    + sum(256 + 64 * i for i in range(5)) + 576
)  # fmt: skip
MELIUSNET_22_NORMS = (
    32 + 32 + 64
    + sum(64 + 64 * i + 128 + 64 * i for i in range(4)) + 320
    + sum(160 + 64 * i + 224 + 64 * i for i in range(5)) + 480
    + sum(224 + 64 * i + 288 + 64 * i for i in range(4)) + 480
    + sum(256 + 64 * i + 320 + 64 * i for i in range(4)) + 512
)  # fmt: skip
XNORNET_NORMS = 96 + 96 + 256 + 384 + 384 + 256 + 4096 + 4096
QUICKNET_SMALL_NORMS = 8 + 8 + 32 + 4 * (32 + 64 + 256 + 512) + 64 + 256 + 512
MOBILENET_NORMS = 32 + sum(
    i + o
    for i, o in [(32, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 512)]
    + 5 * [(512, 512)] + [(512, 1024), (1024, 1024)]
)  # fmt: skip
REAL_TO_BINARY_NORMS = 64 + 5 * 64 + (3 + 1 + 1) * (128 + 256) + (3 + 1) * 512
REAL_TO_BINARY_SLOPES = 64 + 4 * (64 + 128 + 256 + 512)
TCRESNET8_NORMS = 16 + 3 * (24 + 32 + 48)


@dataclass(frozen=True)
class Published:
    """``parameters`` and ``macs`` as published, ``besides`` the parameters that a workload has not."""

    source: str
    parameters: float | None = None
    besides: int = 0
    macs: float | None = None
    binary_macs: float | None = None
    real_macs: float | None = None
    operations: float | None = field(default=None)
    """Binary multiply-accumulates / 64 + real ones, as the papers add them up."""
    uncounted: int = 0
    """Real ones that the papers' sum leaves out."""


PUBLISHED = {
    "birealnet-18": [
        Published(LARQ, 11_699_112, 4 * RESNET_18_NORMS + 1000, 1.81e9, 0.9240 * 1.814e9),
        Published("liuzechun/ReActNet, README", operations=1.63e8, uncounted=512 * 1000),
    ],
    "birealnet-34": [Published(TORCHVISION, 21_797_672, 2 * RESNET_34_NORMS + 1000, 3.66e9)],
    "xnornet-resnet-18": [Published(TORCHVISION, 11_689_512, 2 * RESNET_18_NORMS + 1000, 1.814e9)],
    "xnornet-alexnet": [Published(LARQ, 62_396_768, 3 * XNORNET_NORMS, 1.14e9, 0.9005 * 1.14e9)],
    "realtobinary-18": [
        Published(
            LARQ,
            11_995_624,
            4 * REAL_TO_BINARY_NORMS + REAL_TO_BINARY_SLOPES + 1000,
            binary_macs=1_676_279_808,
            real_macs=138_087_936,
        ),
    ],
    "binarydensenet-28": [
        Published(LARQ, 5_150_504, 4 * DENSENET_28_NORMS + 1000, 3.79e9, 0.9466 * 3.79e9)
    ],
    "meliusnet-22": [
        Published(LARQ, 6_944_584, 2 * MELIUSNET_22_NORMS + 1000),
        Published("MeliusNet, table 3", binary_macs=4.62e9, operations=2.08e8),
    ],
    "quicknet-small": [Published(LARQ, 12_655_688, 2 * QUICKNET_SMALL_NORMS + 1000)],
    "reactnet-a": [
        Published("ReActNet, table 1 and README", binary_macs=4.82e9, operations=0.87e8),
    ],
    "mobilenet-v1-binary": [
        Published("MobileNets, table 1 and 4", 4.2e6, macs=569e6),
        Published("torch and Keras models", 4_231_976, 2 * MOBILENET_NORMS + 1000),
    ],
    "nin-cifar10": [Published("Caffe model zoo's NIN", 966_986, 192 + 160 + 96 + 3 * 192 + 2 * 192 + 10)],
    "vgg-small": [Published("LQ-Nets and its successors", 4.66e6, macs=0.61e9)],
    "kws-tcresnet8": [
        Published("TC-ResNet, table 1", 66e3, 4 * TCRESNET8_NORMS),
    ],
}
WITHIN = 0.005


def _network(name: str) -> Network:
    return resolve_network(load_workload(name))


def _is_binary(network: Network, name: str) -> bool:
    node = network.nodes[name]
    layer = node.layer
    return isinstance(layer, WeightedLayer) and layer.weight.is_bipolar and node.input.type.is_bipolar


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_network_has_the_parameters_and_the_macs_that_were_published(name: str) -> None:
    network = _network(name)
    nodes = [node for node in network.nodes.values() if isinstance(node.layer, WeightedLayer)]
    weights = sum(prod(node.weight_shape) for node in nodes)
    binary = sum(node.macs for node in nodes if _is_binary(network, node.name))
    for published in PUBLISHED[name]:
        if published.parameters is not None:
            has = weights + published.besides
            is_exact = published.parameters >= 1e6 and isinstance(published.parameters, int)
            assert has == pytest.approx(published.parameters, rel=0 if is_exact else WITHIN)
        if published.macs is not None:
            assert network.macs == pytest.approx(published.macs, rel=WITHIN)
        if published.binary_macs is not None:
            assert binary == pytest.approx(published.binary_macs, rel=WITHIN)
        if published.real_macs is not None:
            assert network.macs - binary == pytest.approx(published.real_macs, rel=WITHIN)
        if published.operations is not None:
            operations = binary / 64 + network.macs - binary - published.uncounted
            assert operations == pytest.approx(published.operations, rel=WITHIN)


def test_keyword_spotting_takes_the_published_operations_within_their_two_digits() -> None:
    """3.0 M floating-point operations, of which a multiply-accumulate is two."""
    assert round(2 * _network("kws-tcresnet8").macs / 1e6 - 0.05, 1) == 3.0


def test_the_segmentation_network_is_what_a_count_by_hand_makes_it() -> None:
    def conv(size: int, kernel: int, given: int, out: int) -> int:
        return size * size * kernel * kernel * given * out

    expected = conv(128, 7, 3, 64) + 4 * conv(64, 3, 64, 64)
    given = 64
    for out in (128, 256, 512):
        expected += conv(32, 1, given, out) + conv(32, 3, given, out) + 3 * conv(32, 3, out, out)
        given = out
    expected += conv(32, 1, 512, 256) + 3 * conv(32, 3, 512, 256)
    expected += conv(32, 1, 1024, 256) + conv(32, 1, 256, 21)
    network = _network("segmentation-birealnet-18")
    assert network.macs == expected
    assert network.nodes["scores"].output.shape == (21, 32, 32)


@pytest.mark.parametrize("name", ["birealnet-18", "birealnet-34", "xnornet-resnet-18"])
def test_a_residual_network_is_about_25_lines(name: str) -> None:
    path = load_workload(name).path
    assert path is not None
    lines = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("#")]
    assert len(lines) <= 35 and len(load_workload(name).spec.layers) > 45
