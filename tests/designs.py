"""Designs and spaces that several tests use."""

from __future__ import annotations

SHIPPED_STREAMING = [
    ("pynq-cnv", "cnv"),
    ("pynq-tfc", "tfc"),
    ("digits-7z020", "digits"),
    ("finn-sfc-max", "mlp-256"),
    ("finn-lfc-max", "mlp-1024"),
    ("finn-cnv-max", "cnv"),
    ("redkar", "cnv"),
    ("rebnet-m2", "rebnet-cifar10-m2"),
    ("li-vx690t", "binarynet-streaming"),
    ("fo-bnn", "pc-bnn"),
]
"""Every shipped pipeline with its network; rebnet-m2 stands for all levels."""
SHIPPED_ENGINES = {
    "acce-bnn": "binarynet",
    "birealnet-18-7z020": "birealnet-18",
    "fbna": "binarynet-24",
    "fc-bnn": "vgg11ave",
    "fp-bnn": "binarynet",
    "fracbnn": "fracbnn-cifar10",
    "fracbnn-burst": "fracbnn-cifar10",
    "fracbnn-imagenet": "fracbnn-imagenet",
}
"""Every shipped engine with its network."""

SMALL_SPACE = """\
name: small
source: "made for this test"
style: streaming
device: xc7z020
clock_mhz: {choose: [100, 143]}
layers:
  fc0: {pe: divisors, simd: divisors}
  fc1: {pe: divisors, simd: divisors}
  fc2: {pe: divisors, simd: divisors}
  fc3: {pe: 10, simd: 8}
explore: {workload: tfc, objectives: [throughput_fps, lut]}
"""
WORDS_SPACE = """\
name: words
source: "made for this test"
style: streaming
device: xc7z020
clock_mhz: 100
layers:
  conv0: {pe: 16, simd: 1}
  conv1: {pe: divisors, simd: divisors}
  pool1: {pool: {knob: walk}}
  fc0: {pe: 1, simd: 32}
  fc1: {pe: 1, simd: 2}
explore: {workload: digits, knobs: {walk: {choose: [row, flow]}}, objectives: [throughput_fps, lut]}
"""
"""A space with a knob whose values are words that the field it stands for had once."""
HEADS_WORKLOAD = """\
name: heads
input: {shape: [3, 8, 8], type: uint8}
layers:
  - {name: stem, op: conv, out: 8, kernel: 3, activation: bipolar}
  - {name: body, op: conv, out: 8, kernel: 3, pad: 1, activation: bipolar}
  - {name: boxes, op: conv, out: 4, kernel: 1}
  - {name: classes, op: linear, out: 5, inputs: [body]}
outputs: [classes, boxes, body]
"""
"""A network with three outputs of three shapes, one of which the two others read."""
HEADS_ARCHITECTURE = """\
name: heads-7z020
source: "made for this test"
style: streaming
device: xc7z020
clock_mhz: 100
defaults: {fifo_words: 4}
layers:
  stem: {pe: 4, simd: 3}
  body: {pe: 2, simd: 4}
  boxes: {pe: 2, simd: 8}
  classes: {pe: 1, simd: 4}
"""
