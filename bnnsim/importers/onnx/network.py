"""QONNX and ONNX models into workloads: binary and few-bit networks, folded into integers exactly."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from bnnsim.files.boundary import foreign_file
from bnnsim.importers.draft.draft import INPUT, NetworkDraft
from bnnsim.importers.draft.measured import measured_reach
from bnnsim.importers.draft.passes import canonicalise
from bnnsim.importers.draft.workload import Arrays, to_workload
from bnnsim.importers.draft.write import ImportedNetwork, checked_name, write_network
from bnnsim.importers.exact.channel_function import Affine, ChannelFunction
from bnnsim.importers.onnx.binding import TensorBinding, is_ordered, regrouped
from bnnsim.importers.onnx.file import load_model, read_graph, take_shape
from bnnsim.importers.onnx.fixed_point import PROBE, float_error, is_coarse, likely_word, widest_word
from bnnsim.importers.onnx.graph import KERAS, ModelGraph, Operator
from bnnsim.importers.onnx.handlers import HANDLERS
from bnnsim.importers.onnx.lowering import (
    FrameRule,
    ImportOptions,
    Lowering,
    RoundedWeights,
    SignOfZero,
    lower,
)
from bnnsim.importers.onnx.operators.joins import add_bindings, scores_in_fixed_point
from bnnsim.importers.onnx.operators.monotone import negated
from bnnsim.importers.onnx.operators.orders import in_order
from bnnsim.importers.onnx.operators.quantise import quantised
from bnnsim.importers.onnx.outputs import Head, dropped_note
from bnnsim.spec.bounds import MAX_NAME
from bnnsim.spec.faults import InputError, SpecError
from bnnsim.spec.value_type import TYPE_TEXT, ValueType, parse_value_type
from bnnsim.spec.workload import ImportSettings, Workload

DEFAULT_FIXED = "auto"
"""A word as fine as the network's reach lets 32 bits be."""

ImageRange = Sequence[float] | Sequence[Sequence[float]]
"""LOW and HIGH, or such a pair for each channel."""
_AXES = {"C": "channel", "H": "row", "W": "column"}


@dataclass(frozen=True)
class LoweredOutput:
    """An output of the model, and the layer that gives its values: ``gain * integer + offset``.

    ``output`` is its name in the model, ``tensor`` the model's tensor that has these values (another
    than the output where a Softmax, ArgMax or TopK stands between). ``order`` says how the layer's
    channels, rows and columns lie in the tensor, such as ``CHW``; axes of size 1 are left out.
    """

    output: str
    tensor: str
    layer: str
    gain: Fraction
    offset: Fraction
    order: str
    error: Fraction
    """How far a score may lie from the model's own in float32, where no bit has flipped on the way."""


@dataclass(frozen=True)
class LoweredModel:
    """A model as a workload, with what ties the two together.

    ``bindings`` maps tensors of the model to the layer whose integers they are functions of;
    ``outputs`` are the model's outputs that are kept, in its order.
    """

    workload: Workload
    arrays: Arrays
    bindings: Mapping[str, TensorBinding]
    outputs: tuple[LoweredOutput, ...]
    draft: NetworkDraft
    errors: Mapping[str, Fraction]
    """By how many steps of its integers a layer in fixed point may be off, where it may."""
    notes: tuple[str, ...]
    frame: FrameRule
    channels_last: bool
    """Whether the model's input is taken as maps with their channels last (shapes alone may not tell)."""
    rounded: Mapping[str, RoundedWeights] = field(default_factory=dict)
    """Real weights that were rounded, by the constant's name."""

    def error_behind(self, layer: str, exact: Collection[str]) -> Fraction:
        """As ``errors``, where the layers ``exact`` in front of it hold the model's values exactly."""
        return _or_trace(self.draft, layer, self.draft.error_behind(layer, exact))

    def score_error_behind(self, output: LoweredOutput, exact: Collection[str]) -> Fraction:
        """As the output's ``error``, where the layers ``exact`` in front of it are exact."""
        return _score_error(self.draft, output.layer, output.gain, exact)


def import_onnx(
    path: str | Path,
    out_dir: str | Path,
    name: str | None = None,
    *,
    fixed: str = DEFAULT_FIXED,
    input_type: str | None = None,
    image_range: ImageRange | None = None,
    sign_of_zero: SignOfZero = "exact",
    output: str | None = None,
    real_layers: str | None = None,
    input_shape: Sequence[int] | None = None,
    force: bool = False,
) -> ImportedNetwork:
    """Import a QONNX or ONNX file and write ``<name>.yaml`` and ``<name>.npz`` into ``out_dir``.

    Args:
        path: the model's file.
        out_dir: where workload and weights go.
        name: the workload's name; default: the file's.
        fixed: the type of layers that stay in fixed point, or ``auto``.
        input_type: the type of an image's elements, for models that take raw pixels.
        image_range: the numbers that pixels 0 and 255 stand for, or such a pair for each channel.
        sign_of_zero: ``exact`` as the model's operators, ``plus`` where +1 may stand for it.
        output: the only output to keep of several; default: all.
        real_layers: the type (int4 .. int16) to which real-valued weights are rounded; default:
            they are refused.
        input_shape: of one input, without the batch, as the model takes it; where its file leaves
            sizes open.
        force: replace files of that name that hold something else.

    Returns:
        The workload, the files, and what the user should know about them.

    Raises:
        InputError: the file cannot be read, holds what has no place in a binary network, or its
            results would replace other files; nothing is written then.

    Example:
        >>> from bnnsim import import_onnx
        >>> imported = import_onnx("tfc.onnx", "networks")
        >>> [layer.op for layer in imported.workload.layers]
        ['linear', 'linear', 'linear', 'linear']
    """
    options = import_options(
        fixed, input_type, image_range, sign_of_zero, output, real_layers, input_shape
    )
    return write_model(load_model, path, out_dir, name, options, force)


def write_model(
    read: Callable[[str | Path], Any],
    path: str | Path,
    out_dir: str | Path,
    name: str | None,
    options: ImportOptions,
    force: bool,
) -> ImportedNetwork:
    """Lower the ``onnx.ModelProto`` that ``read`` makes of the file at ``path``, and write it."""
    chosen = checked_name(name) if name is not None else workload_name(path)
    lowered = lower_model(read(path), str(path), chosen, options)
    made = f"<Workload {chosen}>"
    try:
        return write_network(out_dir, lowered.workload, lowered.arrays, lowered.notes, force=force)
    except SpecError as error:
        if all(fault.file != made for fault in error.faults):
            raise
        # of a layer beyond what a network may have; its user has the model
        raise SpecError(replace(fault, file=str(path), line=0) for fault in error.faults) from None


def import_options(
    fixed: str = DEFAULT_FIXED,
    input_type: str | None = None,
    image_range: ImageRange | None = None,
    sign_of_zero: SignOfZero = "exact",
    output: str | None = None,
    real_layers: str | None = None,
    input_shape: Sequence[int] | None = None,
) -> ImportOptions:
    """The user's words as options. Raises :class:`InputError`."""
    bits = None
    if real_layers is not None:
        found = re.fullmatch(r"int([4-9]|1[0-6])", real_layers)
        if found is None:
            raise InputError("real layers", "int4 to int16", real_layers)
        bits = int(found[1])
    word = None if fixed == DEFAULT_FIXED else _type("fixed", fixed)
    if word is not None and word.kind != "fixed":
        raise InputError("fixed", "auto or fixedW.F (such as fixed16.8)", fixed)
    frame = None if input_type is None else _type("input type", input_type)
    ranges = None if image_range is None else _ranges(image_range)
    shape = None if input_shape is None else tuple(input_shape)
    if shape is not None and (not shape or len(shape) > 4 or min(shape) < 1):
        raise InputError("input shape", "1 to 4 sizes above 0 (such as 3 32 32)", f"{list(shape)}")
    return ImportOptions(word, frame, ranges, sign_of_zero, output, bits, shape)


def _ranges(given: ImageRange) -> tuple[tuple[float, float], ...]:
    """One pair of numbers, or several. Raises :class:`InputError`."""
    numbers = [float(one) for pair in given for one in (pair if isinstance(pair, Sequence) else (pair,))]
    pairs = tuple(zip(numbers[::2], numbers[1::2], strict=False))
    if len(numbers) % 2 or not pairs:
        raise InputError("image range", "LOW HIGH, for all channels or for each", f"{given}")
    for low, high in pairs:
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            expected = "two finite numbers, LOW below HIGH"
            raise InputError("image range", expected, f"{low:g} {high:g}")
    return pairs


def _type(place: str, text: str) -> ValueType:
    try:
        return parse_value_type(text)
    except ValueError:
        raise InputError(place, TYPE_TEXT, repr(text)) from None


def workload_name(path: str | Path) -> str:
    """A workload's name from a file's."""
    stem = re.sub(r"[^A-Za-z0-9_.\-]+", "-", Path(path).stem).strip("-.")
    full = stem if re.match(r"[A-Za-z_]", stem) else f"network-{stem}"
    return full[:MAX_NAME].rstrip("-")


def lower_model(model: Any, file: str, name: str, options: ImportOptions) -> LoweredModel:
    """A loaded model as a workload; ``file`` stands for it in messages.

    Raises :class:`InputError` where the model has no place in a workload.
    """
    with foreign_file(file, "a model that can be imported"):
        return _lowered(model, file, name, options)


def _lowered(model: Any, file: str, name: str, options: ImportOptions) -> LoweredModel:
    if model.domain != KERAS:  # its reader has taken the shape
        take_shape(model, file, options.input_shape)
    graph, given = read_graph(model, file), options
    state = lower(graph, options, HANDLERS, add_bindings)
    word = widest_word(state.draft) if options.fixed is None else None
    if word is not None and is_coarse(word):
        ends = [head.binding.base for head in state.heads]
        word = likely_word(word, measured_reach(state.draft, ends, PROBE, file))
    if word is not None:
        state = lower(graph, replace(options, fixed=word), HANDLERS, add_bindings)
    turns_maps = model.domain == KERAS
    scores = [_scores(state, head, turns_maps) for head in state.heads]
    state.draft.outputs = list(dict.fromkeys(score.layer for score in scores))
    done = canonicalise(state.draft)
    if state.draft.input_type is None or state.frame is None or not state.draft.layers:
        raise InputError(file, "a network with at least one layer", "none")
    digest = hashlib.sha256(model.SerializeToString(deterministic=True)).hexdigest()[:12]
    producer = f", written by {model.producer_name}" if model.producer_name else ""
    source = f"imported from {Path(file).name} (sha256 {digest}...{producer})"
    workload, arrays = to_workload(state.draft, name, source)
    workload = workload.model_copy(update={"imported_with": _settings(given)})
    draft = state.draft
    errors = {layer: _or_trace(draft, layer, draft.error_of(layer)) for layer in draft.layers}
    scores = [replace(one, layer=done.successors.get(one.layer, one.layer)) for one in scores]
    notes = (*state.notes, *dict.fromkeys(_output_notes(graph, state, scores)))
    bindings = {}
    for tensor, found in state.bindings.items():
        binding = state.integers.get(tensor, found)
        holder = None if binding is None or binding.is_raw else done.holder(binding.base)
        if binding is not None and holder is not None:
            function = binding.function
            if holder == binding.base and holder in done.turned:
                turned = tuple((Affine(Fraction(int(sign))),) for sign in done.turned[holder])
                function = ChannelFunction(turned).before(function)
            bindings[tensor] = replace(binding, base=holder, function=function)
    return LoweredModel(
        workload,
        arrays,
        bindings,
        tuple(scores),
        draft,
        errors,
        notes,
        state.frame,
        state.channels_last,
        state.rounded,
    )


def _settings(options: ImportOptions) -> ImportSettings | None:
    """What the user decided; None where that was nothing."""
    found = ImportSettings(
        fixed=None if options.fixed is None else str(options.fixed),
        input_type=options.input_type,
        image_range=_said_ranges(options.image_range),
        sign_of_zero=options.sign_of_zero,
        output=options.output,
        real_layers=None if options.real_layers is None else f"int{options.real_layers}",
        input_shape=None if options.input_shape is None else list(options.input_shape),
    )
    return None if found == ImportSettings() else found


def _said_ranges(
    ranges: tuple[tuple[float, float], ...] | None,
) -> list[float] | list[list[float]] | None:
    """As a workload says them: one pair plainly."""
    if ranges is None:
        return None
    return list(ranges[0]) if len(ranges) == 1 else [list(pair) for pair in ranges]


def _scores(state: Lowering, head: Head, turns_maps: bool) -> LoweredOutput:
    """Make an output of the workload the scores: one gain above 0 and one offset for all classes.

    ``turns_maps``: the maps of the graph are those of a model that has its channels last.
    """
    place = f"{state.graph.file}: {head.tensor}"
    end = Operator("output", "output", (), (), {}, place)
    found = quantised(state, end, head.binding)
    if found.base == INPUT:
        raise InputError(place, "an output behind at least one layer", "the input")
    affine = found.function.shared_affine()
    if affine is not None and affine.gain < 0:
        base, function = negated(state, found.base, found.function, [True])
        found = replace(found, base=base, function=function.simplest)
        affine = found.function.shared_affine()
    if affine is None or affine.gain <= 0:
        found = scores_in_fixed_point(state, end, found)
        affine = found.function.shared_affine()
        if affine is None:
            raise end.fault("scores with one offset for all classes", "one behind a PReLU for each")
    if not is_ordered(found) and found.channels == math.prod(found.shape):  # each element is a channel
        found = regrouped(end, found, [found.channels, 1, 1])
    if not is_ordered(found) and len(found.dimensions) == 3:
        found = in_order(state, end, found)
    elif not is_ordered(found):
        raise end.fault("an output whose elements lie as a layer's", f"shape {list(found.shape)}")
    state.integers[head.tensor] = found
    dimensions = found.dimensions
    if turns_maps and len(dimensions) == 3:
        dimensions = (*dimensions[1:], dimensions[0])
    order = "".join(axis for one in dimensions for axis, _ in one)
    error = _score_error(state.draft, found.base, affine.gain)
    return LoweredOutput(head.output, head.tensor, found.base, affine.gain, affine.offset, order, error)


def _output_notes(graph: ModelGraph, state: Lowering, scores: Sequence[LoweredOutput]) -> Iterator[str]:
    """What the user should know of the outputs: what is left out, and how to read what is kept."""
    kept = dict.fromkeys(score.output for score in scores)
    others = [name for name in dict.fromkeys(graph.outputs) if name not in kept]
    if others:
        yield f"not kept (--output {', '.join(kept)}): {', '.join(others)}"
    layers = list(dict.fromkeys(score.layer for score in scores))
    if len(layers) > 1:
        yield (
            f"outputs: {', '.join(layers)}; predictions are made of the first ({layers[0]}): put another "
            "first in the workload's outputs, or keep one (--output)"
        )
    for head, score in zip(state.heads, scores, strict=True):
        note = dropped_note(head)
        if note is not None:
            yield note
        if state.draft.layers[score.layer].kind == "top_k":
            yield f"output {score.output}: the positions of the highest scores ({score.layer})"
            continue
        sign = "-" if score.offset < 0 else "+"
        shown = f"{abs(float(score.offset)):.9g}"
        value = "score" if len(scores) == 1 else f"score of {score.layer}"
        how_near = _how_near(state, score)
        if score.order not in "CHW" and score.order != "CW":
            lies = ", ".join(_AXES[axis] for axis in score.order)
            how_near += f"; its elements lie by {lies}, the workload's by channel, row, column"
        yield f"model score ({score.tensor}) = {float(score.gain):.9g} * {value} {sign} {shown}{how_near}"


def _how_near(state: Lowering, score: LoweredOutput) -> str:
    """How near the scores are to the model's, in brackets; nothing where no layer rounds."""
    kind = state.draft.layers[score.layer].activation
    if kind is not None and score.error > kind.maximum * score.gain:
        return " (the bounds of all layers add up to more than its range: check goes layer by layer)"
    if score.error:
        text = f"at most {float(score.error):.3g} off the model's, its own float32 rounding included"
    elif any(layer.kind in ("affine", "prelu") for layer in state.draft.layers.values()):
        text = "exact"
    else:
        return ""
    return f" ({text}, unless a sign in front of it flips)"


def _score_error(
    draft: NetworkDraft, layer: str, gain: Fraction, exact: Collection[str] = ()
) -> Fraction:
    """How far scores may be off; 0 where they are exact."""
    error = draft.error_behind(layer, exact) * gain
    reach = max(abs(bound) for bound in draft.bounds_of(layer)) * gain
    is_sum = draft.layers[layer].kind not in ("affine", "prelu")
    return error + float_error(reach, is_sum) if error else error


def _or_trace(draft: NetworkDraft, layer: str, error: Fraction) -> Fraction:
    """By how many steps a layer's integers may be off; a trace of one where only the model rounds."""
    return error or Fraction(int(draft.is_rounded(layer)), 1 << 20)
