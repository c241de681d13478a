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
