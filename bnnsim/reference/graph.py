"""A model as a list of steps on named tensors, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from bnnsim.spec.faults import InputError

Array = npt.NDArray[Any]
Tensors = dict[str, Array]
Visit = Callable[[str, Tensors], None]
"""Called with a tensor's name as soon as it is made; may put another array in its place."""

ENDS = (
    *("Softmax", "LogSoftmax", "ArgMax", "TopK", "softmax"),
    *("Sigmoid", "sigmoid", "Tanh", "tanh"),
)
"""What may stand between a classifier's scores and the output that the model declares."""
_POOLS = (
    *("AveragePool", "GlobalAveragePool", "GlobalMaxPool", "MaxPool", "ReduceMax", "ReduceMean"),
    "pool",
)
PASSING = ("Identity", "Dropout", "Cast", "Flatten", "Reshape", "Squeeze", "Unsqueeze", "Transpose")
"""Steps that leave every number as it is; they may stand there too."""


@dataclass(frozen=True)
class Step:
    """One operator or part of a layer: ``function`` maps the inputs' arrays to the outputs'.

    ``is_on_step`` says, for a quantiser, where its inputs lie exactly on a step: there no rounding
    excuses another value. ``is_elementwise``: element i of the output depends on element i of the
    inputs alone.
    """

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    function: Callable[[Sequence[Array]], Sequence[Array]]
    place: str
    is_elementwise: bool = False
    is_on_step: Callable[[Sequence[Array]], Array] | None = None

    @property
    def keeps_elements(self) -> bool:
        """Whether each element of the output is made of one element of the data, wherever it lies."""
        return self.is_elementwise or self.kind in PASSING

    @property
    def keeps_distance(self) -> bool:
        """Whether inputs that are all moved by some amount bound what smaller moves do, as a mean or a
        maximum does, and what works on each element alone."""
        return self.keeps_elements or self.kind in _POOLS


class Unrunnable(Exception):
    """A step refused its inputs."""


@dataclass
class ReferenceGraph:
    """A model that can be run: reals in float64, the batch in front.

    ``input_shape`` and the tensors are without open dimensions but for the batch; ``outputs`` are
    those that the model declares, in its order. ``channels_last``: maps lie (rows, columns, channels)
    in all tensors.
    """

    file: str
    input: str
    input_shape: tuple[int, ...]
    outputs: tuple[str, ...]
    steps: tuple[Step, ...]
    constants: Tensors
    channels_last: bool = False
    batch: int = 1
    """How many inputs the model was exported for, where more than one: it runs on so many, and the last
    stands for those that are missing."""

    def run(self, inputs: Array, visit: Visit | None = None) -> Tensors:
        """All tensors for ``inputs`` ``(n, *input_shape)``.

        Raises :class:`InputError` where the model cannot be run.
        """
        if len(inputs) > self.batch > 1:
            raise InputError(self.file, f"at most {self.batch} inputs at once", str(len(inputs)))
        tensors: Tensors = {**self.constants, self.input: inputs}
        for step in self.steps:
            self._run_step(step, tensors)
            if visit is not None:
                for name in step.outputs:
                    visit(name, tensors)
        return tensors

    def batch_size(self, most_bytes: int, most: int) -> int:
        """How many inputs go through at once within ``most_bytes``.

        Old exports write the batch that they were made for into their reshapes; others run on any.
        """
        declared, self.batch = self.batch, 1
        count = 3 if declared == 2 else 2
        try:
            tensors = self.run(np.zeros((count, *self.input_shape)))
        except InputError:
            tensors = {}
        made = [tensors.get(n) for s in self.steps for n in s.outputs if n not in self._of_all]
        rows = [array for array in made if array is not None and np.ndim(array) and len(array) == count]
        if len(rows) < len(made):
            self.batch = declared
            return declared
        size = sum(array.nbytes for array in rows) // count
        return int(min(most, max(1, most_bytes // max(1, size))))

    def ancestors(self, name: str) -> set[str]:
        """Every tensor that ``name`` depends on, itself included."""
        found = {name}
        for step in reversed(self.steps):
            if found & set(step.outputs):
                found.update(step.inputs)
        return found

    def between(self, start: str, end: str) -> list[Step]:
        """The steps that lead from tensor ``start`` to tensor ``end``, in order."""
        made, needed = {start}, self.ancestors(end)
        steps = []
        for step in self.steps:
            if made & set(step.inputs) and needed & set(step.outputs):
                steps.append(step)
                made.update(step.outputs)
        return steps if end in made else []

    def behind_scores(self, scores: str, output: str) -> str | None:
        """The first step between ``scores`` and ``output`` that is more than a classifier's end.

        None where there is none; raises ``LookupError`` where ``output`` does not depend on them.
        """
        if scores == output:
            return None
        steps = self.between(scores, output)
        if not steps:
            raise LookupError(output)
        other = [step for step in steps if step.kind not in (*ENDS, *PASSING)]
        return f"{other[0].place} ({other[0].kind})" if other else None

    def source_of_values(self, name: str) -> str:
        """The tensor from which ``name`` is made element by element, as far back as that goes."""
        maker = {output: step for step in self.steps for output in step.outputs}
        while name in maker and maker[name].keeps_elements:
            step = maker[name]
            data = [one for one in step.inputs if one and one not in self.constants]
            if len(set(data)) != 1:
                break
            name = data[0]
        return name

    def again(
        self, steps: Iterable[Step], start: str, values: Array, tensors: Mapping[str, Array]
    ) -> Tensors:
        """``steps`` run once more with ``values`` as the tensor ``start``."""
        changed: Tensors = {**tensors, start: values}
        for step in steps:
            self._run_step(step, changed)
        return changed

    @cached_property
    def _of_all(self) -> set[str]:
        """Tensors that do not have a row for each input: constants, and what is made of shapes."""
        found = {*self.constants, ""}
        for step in self.steps:
            if step.kind in ("Shape", "Size") or found.issuperset(step.inputs):
                found.update(step.outputs)
        return found

    def _whole(self, name: str, array: Array) -> Array:
        """With as many rows as the model was exported for."""
        missing = self.batch - len(array) if self.batch > 1 and name not in self._of_all else 0
        return np.concatenate([array, np.repeat(array[-1:], missing, axis=0)]) if missing > 0 else array

    def _run_step(self, step: Step, tensors: Tensors) -> None:
        try:
            given = [self._whole(n, tensors[n]) if n else _NOTHING for n in step.inputs]
            made = step.function(given)
        except KeyError as error:
            raise InputError(step.place, "inputs that were made before", str(error)) from None
        except Unrunnable as error:
            raise InputError(step.place, "a model that runs", str(error)) from None
        for name, array in zip(step.outputs, made, strict=False):
            if name:
                made_real = in_double(array)
                is_cut = self.batch > 1 and name not in self._of_all
                tensors[name] = made_real[: len(tensors[self.input])] if is_cut else made_real


_NOTHING = np.zeros(0)


def in_double(array: Any) -> Array:
    """Reals in float64; everything else as it is."""
    found = np.asarray(array)
    return found.astype(np.float64) if found.dtype.kind == "f" else found
