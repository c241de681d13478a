"""Print the code of Lambdas as Keras saves it, by the Python that runs this: 3.6 or later, nothing else.

for python in python3.6 ... python3.13; do $python tools/models/export_lambdas.py; done > lambdas.jsonl

A line of JSON a function: Python's version, its name in ``FUNCTIONS``, how many tensors it is called
on, and ``function`` as Keras 2 writes it: the code, its defaults, and its free variables' values, where
functions have left their names (``func_dump`` of Keras 2.15, ``get_json_type``).
"""

import codecs
import json
import marshal
import sys

SOURCE = """
def part(a, b):
    return lambda x: x[..., a:b]

def nth(i, n):
    return lambda x: x[..., i * n:(i + 1) * n]

def half(n):
    return lambda x: x[:, :, :, n // 2 - 1:]

def merge(f_in):
    return lambda x_: x_[0] + tf.pad(x_[1], [[0, 0], [0, 0], [0, 0], [f_in - 4, 0]])

def layer_of(tf_op, *args, **kwargs):
    return lambda x_: tf_op(x_, *args, **kwargs)

FUNCTIONS = {
    "same": (1, lambda x: x),
    "channels": (1, lambda x: x[:, :, :, 4:8]),
    "ellipsis": (1, lambda x: x[..., 4:8]),
    "from": (1, lambda x: x[..., 8:]),
    "up to": (1, lambda x: x[..., :-3]),
    "step of 1": (1, lambda x: x[:, :, :, 1:9:1]),
    "defaults": (1, lambda x, a=2, b=7: x[:, :, :, a:b]),
    "closure": (1, part(2, 7)),
    "arithmetic": (1, nth(2, 4)),
    "halves": (1, half(12)),
    "sliced twice": (1, lambda x: x[..., 2:][..., :3]),
    "list": (1, lambda x: [x[..., :5], x[..., 5:]]),
    "tuple": (1, lambda x: (x[..., 5:], x)),
    "split": (1, lambda x: tf.split(x, 3, axis=-1)),
    "sizes": (1, lambda x: tf.split(x, num_or_size_splits=[2, 10], axis=3)),
    "one of split": (1, lambda x: tf.split(x, [2, 10], -1)[1]),
    "turned": (1, lambda x: tf.concat([x[..., 6:], x[..., :6]], axis=-1)),
    "shifted": (1, lambda x: tf.pad(x[..., :9], [[0, 0], [0, 0], [0, 0], [2, 1]])),
    "joined": (2, lambda x: tf.concat(x, -1)),
    "second": (2, lambda x: x[1]),
    "added": (2, lambda x: x[0][..., 8:] + x[1]),
    "improved": (2, merge(12)),
    "layer split": (1, layer_of(tf.split, 4, axis=-1)),
    "layer concat": (2, layer_of(tf.concat, axis=-1)),
}
"""
"""``tf`` is whatever has TensorFlow's ``split``, ``concat`` and ``pad``."""


class _TensorFlow:
    @staticmethod
    def split() -> None:
        """Has a name, that is all."""

    @staticmethod
    def concat() -> None:
        """Has a name, that is all."""


def main() -> None:
    named = {"tf": _TensorFlow}
    exec(compile(SOURCE, "lambdas.py", "exec"), named)
    for name, (inputs, function) in named["FUNCTIONS"].items():  # type: ignore[attr-defined]
        code = codecs.encode(marshal.dumps(function.__code__), "base64").decode("ascii")
        cells = [cell.cell_contents for cell in function.__closure__ or ()]
        row = {
            "python": "%d.%d" % sys.version_info[:2],  # noqa: UP031
            "name": name,
            "inputs": inputs,
            "function": [code, function.__defaults__, cells or None],
        }
        print(json.dumps(row, default=lambda value: value.__name__))


if __name__ == "__main__":
    main()
