"""Small architectures with networks that they run: what the fuzzer's specs are made from."""

from __future__ import annotations

from typing import Any

import yaml

from tests.designs import HEADS_ARCHITECTURE, HEADS_WORKLOAD
from tests.unit.design.small_engine import ENGINE
from tests.unit.design.small_engine import WORKLOAD as ENGINE_WORKLOAD
from tests.unit.design.test_engine_keeps import CHAIN, engine

NETWORK = """\
name: small
source: "made up"
input: {shape: [2, 6, 6], type: uint4}
layers:
  - {name: conv0, op: conv, out: 4, kernel: 3, pad: 1, activation: bipolar}
  - {name: pool0, op: max_pool, kernel: 2}
  - {name: conv1, op: conv, out: 4, kernel: [1, 3], activation: {type: uint2, compare: ">"}}
  - {name: fc0, op: linear, out: 6, activation: bipolar}
  - {name: fc1, op: linear, out: 3}
classes: [a, b, c]
"""
PIPELINE = """\
name: small-arch
source: "made up"
style: streaming
device: xc7z020
clock_mhz: 100
budget: {lut: 40000, power_w: 2.5}
defaults: {sliding_window: rtl, fifo_words: 4}
frame_source: {width_bits: 8, inter_frame_gap_steps: 3}
layers:
  conv0: {pe: 4, simd: 2, out_fifo_words: 16}
  pool0: {pool: streaming}
  conv1: {pe: 2, simd: 4, weights: lutram, units: rtl}
  fc0: {pe: 2, simd: 4}
  fc1: {pe: 3, simd: 6, accumulator_bits: 12}
fifo_words: {}
"""
_BRANCHES = """\
name: branches
input: {shape: [4, 6, 6]}
layers:
  - {name: conv0, op: conv, out: 4, kernel: 3, pad: 1}
  - {name: conv1, op: conv, out: 4, kernel: 1, inputs: [input]}
  - {name: sum, op: add, inputs: [conv0, conv1]}
  - {name: cut, op: threshold, activation: bipolar}
  - {name: both, op: concat, inputs: [cut, input]}
  - {name: vote, op: average_pool, kernel: global}
  - {name: fc0, op: linear, out: 4}
"""
_BRANCHED = """\
name: branched
source: "made up"
style: streaming
device: xc7z020
clock_mhz: 100
defaults: {fifo_words: 64, sliding_window: line_buffer}
layers:
  conv0: {pe: 4, simd: 4}
  conv1: {pe: 4, simd: 4}
  sum: {pe: 4}
  cut: {pe: 4}
  fc0: {pe: 1, simd: 8}
"""
_SCALES = """\
name: scales
input: {shape: [4, 6, 6], type: int4}
layers:
  - {name: conv0, op: conv, out: 4, kernel: 3, stride: 2, groups: 2, pad: 1, pad_value: 0}
  - {name: scaled, op: affine, type: fixed16.8, parameters: fixed12.8}
  - {name: bent, op: prelu, type: fixed16.8}
  - {name: cut, op: threshold, activation: int3}
  - {name: pool0, op: max_pool, kernel: 3}
  - {name: fc0, op: linear, out: 4, activation: {type: bipolar, compare: ">"}}
  - {name: fc1, op: linear, out: 2, weight: int3}
"""
_SCALED = """\
name: scaled-arch
source: "made up"
style: streaming
device: xc7z020
clock_mhz: 100
defaults: {pipeline: freezing, memory: per_pe, fifo_words: 8}
layers:
  conv0: {pe: 2, simd: 1, sliding_window: row_buffer}
  scaled: {pe: 2}
  bent: {pe: 4}
  cut: {pe: 1, out_fifo_words: 32}
  fc0: {pe: 2, simd: 2, weights: bram}
  fc1: {pe: 1, simd: 4}
"""
_FIXED = """\
name: fixed
input: {shape: [4, 4, 4], type: fixed16.7}
layers:
  - {name: scaled, op: affine}
  - {name: bent, op: prelu}
  - {name: gated, op: gated_conv, out: 4, kernel: 3, pad: 1, inputs: [bent, scaled]}
  - {name: mean, op: mean_pool, kernel: global}
  - {name: fc0, op: fixed_linear, out: 3}
"""
_FIXED_ENGINE = """\
name: fixed-engine
source: "made up"
style: engine
device: xczu3eg
clock_mhz: 200
budget: {lut: 70000}
arrays:
  taps:
    supported_ops: [gated_conv]
    spatial_unrolling: {out_channels: 2, in_channels: 4, kernel_rows: 3, kernel_columns: 3}
    circuits: [{circuit: popcount, word_bits: 4, form: swar, source: "made up"}]
  scores: {supported_ops: [fixed_linear], spatial_unrolling: {in_channels: 4}}
stages:
  bend: {spatial_unrolling: {out_channels: 4}, source: "made up"}
  average: {}
buffers:
  weights: {holds: weights, words: 72, width_bits: 64, residency: layer}
  maps: {holds: activations, banks: 2, words: 128, width_bits: 64}
  sums: {holds: partial_sums, words: 64, width_bits: 32, element_bits: 16}
ports: {ddr: {width_bits: 64, latency_cycles: 7, source: "made up"}}
outside:
  - {payload: weights, layers: [fc0], source: "made up"}
  - {payload: image, source: "made up"}
  - {payload: results, source: "made up"}
programs:
  scale:
    buffers: [maps]
    steps:
      - {op: stage, unit: bend, loops: [{dimension: out_channels}, {trips: 4}], depth: 5, source: "x"}
  gate:
    array: taps
    buffers: [weights, maps, sums]
    steps:
      - {op: load, payload: weights, port: ddr, buffer: weights, words: 5}
      - op: repeat
        loops: [{dimension: out_channels}]
        steps:
          - op: compute
            loops: [{dimension: planes}, {dimension: rows, extra: 1}, {dimension: columns}]
            depth: 9
            source: "made up"
          - {op: overhead, cycles: 6, cause: "made up", source: "made up"}
  mean:
    buffers: [maps]
    steps: [{op: stage, unit: average, loops: [{trips: 16}]}]
  score:
    array: scores
    buffers: [maps]
    steps: [{op: compute, loops: [{dimension: out_channels}, {dimension: in_channels}]}]
layers:
  scaled: {program: scale}
  bent: {within: scaled}
  gated: {program: gate}
  mean: {program: mean}
  fc0: {program: score}
"""
TEXTS = (
    (PIPELINE, NETWORK),
    (_BRANCHED, _BRANCHES),
    (_SCALED, _SCALES),
    (HEADS_ARCHITECTURE, HEADS_WORKLOAD),
    (_FIXED_ENGINE, _FIXED),
)
PIPELINES: tuple[tuple[Any, Any], ...] = tuple(
    (yaml.safe_load(arch), yaml.safe_load(work)) for arch, work in TEXTS[:4]
)
ENGINES: tuple[tuple[Any, Any], ...] = (
    (ENGINE, ENGINE_WORKLOAD.model_dump(mode="json", exclude_unset=True)),
    (engine(), CHAIN.model_dump(mode="json", exclude_unset=True)),
    (yaml.safe_load(_FIXED_ENGINE), yaml.safe_load(_FIXED)),
)
PAIRS = PIPELINES + ENGINES
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""libyaml's where it is there, which is ten times as fast."""


def yaml_text(data: Any) -> str:
    text: str = yaml.dump(data, Dumper=_DUMPER, sort_keys=False, allow_unicode=True)
    return text
