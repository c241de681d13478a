"""Write small models in MXNet's files as BMXNet trains and packs them, and what MXNet computes.

python tools/models/export_mxnet.py FOLDER

Needs mxnet 1.9.1 with numpy below 1.24 (not a dependency of the project). MXNet itself writes the list
of arrays and the symbol, and computes the scores, with BMXNet's layers spelled in its own operators
(signs of data behind a border of zeros, signs of weights, (sum + products) / 2). In the symbol that is
kept these operators then stand as BMXNet calls them. ``packed`` has weights in 64-bit words, as BMXNet's
model-converter packs them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

np.bool = bool  # mxnet 1.9.1 still says so
import mxnet as mx  # noqa: E402

INPUTS = 1000
CHANNELS = 64
SHAPE = (3, 10, 10)


def inputs() -> np.ndarray:
    """Frames that the models are run on: coarse patches with noise on them."""
    rng = np.random.default_rng(7)
    coarse = rng.integers(0, 256, (INPUTS, 2, 2, 3)).repeat(5, axis=1).repeat(5, axis=2)
    noisy = coarse + rng.integers(-60, 61, coarse.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def sign(x: Any) -> Any:
    return mx.sym.broadcast_greater_equal(x, mx.sym.zeros((1,))) * 2 - 1


class Net:
    """The same network twice: as BMXNet's symbol, and in operators that MXNet 1.9.1 runs."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.nodes: list[dict[str, Any]] = []
        self.arrays: dict[str, np.ndarray] = {}
        self.run = self.saved = self.variable("data", shape=(1, *SHAPE))
        self.products: dict[str, int] = {}

    def variable(self, name: str, **more: Any) -> Any:
        return mx.sym.Variable(name, **more)

    def weight(self, name: str, values: np.ndarray, kind: str = "arg") -> Any:
        self.arrays[f"{kind}:{name}"] = values.astype(np.float32)
        return self.variable(name)

    def both(self, operator: Any, *others: Any, **settings: Any) -> None:
        self.run, self.saved = (operator(one, *others, **settings) for one in (self.run, self.saved))

    def batch_norm(self, name: str, channels: int, spread: float, centre: float = 0.0) -> None:
        rng = self.rng
        gamma = rng.choice([-1.0, 1.0, 1.0], channels) * rng.uniform(0.3, 1.5, channels)
        columns = [
            self.weight(f"{name}_gamma", gamma),
            self.weight(f"{name}_beta", rng.normal(0, 0.4, channels)),
            self.weight(f"{name}_moving_mean", rng.normal(centre, spread / 2, channels), "aux"),
            self.weight(f"{name}_moving_var", rng.uniform(0.5, 2, channels) * spread**2, "aux"),
        ]
        settings = {"eps": 2e-5, "fix_gamma": False, "name": name}
        self.run = mx.sym.BatchNorm(self.run, *columns, use_global_stats=True, **settings)
        self.saved = mx.sym.BatchNorm(self.saved, *columns, **settings)

    def first(self, name: str) -> None:
        weight = self.weight(f"{name}_weight", self.rng.choice([-1.0, 1.0], (CHANNELS, 3, 3, 3)))
        how = {"kernel": (3, 3), "num_filter": CHANNELS, "no_bias": True, "name": name}
        self.both(mx.sym.Convolution, weight, **how)

    def binary_conv(self, name: str, pad: int, stride: int) -> None:
        weight = self.weight(f"{name}_weight", self.rng.normal(0, 1, (CHANNELS, CHANNELS, 3, 3)))
        how = {"kernel": (3, 3), "num_filter": CHANNELS, "no_bias": True, "stride": (stride, stride)}
        around = mx.sym.pad(
            self.run, mode="constant", pad_width=(0, 0, 0, 0, pad, pad, pad, pad), constant_value=0
        )
        self.run = (mx.sym.Convolution(sign(around), sign(weight), **how) + CHANNELS * 9) / 2
        self.saved = mx.sym.Convolution(self.saved, weight, pad=(pad, pad), name=name, **how)
        self.products[name] = CHANNELS * 9

    def binary_dense(self, name: str, features: int, out: int) -> None:
        weight = self.weight(f"{name}_weight", self.rng.normal(0, 1, (out, features)))
        how = {"num_hidden": out, "no_bias": True}
        flat = sign(mx.sym.Flatten(self.run))
        self.run = (mx.sym.FullyConnected(flat, sign(weight), **how) + features) / 2
        self.saved = mx.sym.FullyConnected(mx.sym.Flatten(self.saved), weight, name=name, **how)
        self.products[name] = features

    def save(self, folder: Path, name: str, packed: bool) -> None:
        pixels = mx.nd.array(inputs().transpose(0, 3, 1, 2).astype(np.float32))
        arguments = {k[4:]: mx.nd.array(v) for k, v in self.arrays.items() if k[:3] == "arg"}
        auxiliary = {k[4:]: mx.nd.array(v) for k, v in self.arrays.items() if k[:3] == "aux"}
        bound = self.run.bind(mx.cpu(), {**arguments, "data": pixels}, aux_states=auxiliary)
        scores = bound.forward(is_train=False)[0].asnumpy()
        print(name, len(np.unique(scores.round(4), axis=0)), np.bincount(scores.argmax(axis=1)))
        np.savez_compressed(folder / f"{name}.npz", scores=scores)
        content = json.loads(self.saved.tojson())
        for node in content["nodes"]:
            if node["name"] in self.products:
                node["op"] = "Q" + node["op"]
                node["attrs"] |= {"act_bit": "1"}
                node["attrs"] |= {"binarized_weights_only": "True"} if packed else {}
        (folder / f"{name}-symbol.json").write_text(json.dumps(content, indent=1))
        arrays = {key: mx.nd.array(values) for key, values in self.arrays.items()}
        if packed:
            for layer in self.products:
                key = f"arg:{layer}_weight"
                arrays[key] = mx.nd.array(words_of(self.arrays[key]), dtype=np.float64)
        mx.nd.save(str(folder / f"{name}-0001.params"), arrays)


def words_of(weights: np.ndarray) -> np.ndarray:
    """Signs in 64-bit words that are called doubles: rows of a convolution, columns of a matrix."""
    bits = (weights >= 0).astype(np.uint64)
    if weights.ndim == 2:
        bits = bits.reshape(len(weights), -1, 64).transpose(1, 0, 2)
    words = (bits.reshape(-1, 64) << np.arange(64, dtype=np.uint64)).sum(axis=1, dtype=np.uint64)
    return words.view(np.float64)


def network(seed: int) -> Net:
    net = Net(seed)
    net.first("conv0")
    net.batch_norm("bn0", CHANNELS, 500.0)
    net.binary_conv("qconv1", 1, 1)
    net.batch_norm("bn1", CHANNELS, 12.0, CHANNELS * 4.5)
    net.both(mx.sym.Pooling, kernel=(2, 2), stride=(2, 2), pool_type="max", name="pool1")
    net.binary_conv("qconv2", 1, 2)
    net.batch_norm("bn2", CHANNELS, 12.0, CHANNELS * 4.5)
    net.binary_dense("qfc3", CHANNELS * 4, 5)
    return net


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    network(0).save(folder, "trained", packed=False)
    network(1).save(folder, "packed", packed=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
