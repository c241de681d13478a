"""Fuzzed files of other frameworks: Keras models (HDF5, archives, their settings), and others' bytes."""

from __future__ import annotations

import base64
import io
import json
import tempfile
import zipfile
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from tests.fuzz.case import Case
from tests.fuzz.mutation import VALUES, damaged_bytes, damaged_data
from tests.mutations.networks import keras as borders
from tests.unit.importers.keras.keras_models import KerasModel

_WORDS = ("valid", "same", "channels_first", "channels_last", "ste_sign", "relu", "SteTern")
_SETTINGS = (
    *("strides", "padding", "pad_values", "dilation_rate", "groups", "kernel_size", "filters", "units"),
    *("data_format", "activation", "kernel_quantizer", "input_quantizer", "pool_size", "axis", "epsilon"),
    *("batch_input_shape", "batch_shape", "name", "dtype", "use_bias", "depth_multiplier"),
)
_VALUES = (*VALUES, *_WORDS, [2, 2], [10**9, 10**9], [None, 10**9, 10**9, 3], [None, None, None, 1], -0.5)
_FILES = Path(__file__).resolve().parents[1] / "golden" / "imported"
_SINGLE = ("larq/thresholds.tflite", "larq/shortcuts.tflite", "larq/shared.h5", "larq/shared.keras")
_PAIRS = (
    ("larq/shared-structure.json", "larq/shared-structure.h5"),
    ("larq/dorefa-structure.json", "larq/dorefa-structure.weights.h5"),
    ("mxnet/packed-symbol.json", "mxnet/packed-0001.params"),
)


def keras_h5(random: Random, folder: Path) -> Case:
    """An .h5 with damaged bytes, or whole with damaged settings or arrays."""
    data = _keras("h5")
    if random.random() < 0.5:
        return _case(folder, "h5", damaged_bytes(data, random))
    return _case(folder, "h5", _resaved(data, random))


def keras_archive(random: Random, folder: Path) -> Case:
    """A .keras with damaged bytes, settings or members."""
    data = _keras(random.choice(("keras", "borders")))
    if random.random() < 0.3:
        return _case(folder, "keras", damaged_bytes(data, random))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    if random.random() < 0.7:
        config = _resettled(json.loads(members["config.json"]), random)
        members["config.json"] = json.dumps(config).encode("utf-8", "replace")
    else:
        name = random.choice(list(members))
        members[name] = damaged_bytes(members[name], random)
        if random.random() < 0.2:
            del members[name]
        if random.random() < 0.2:
            name = random.choice(("config.json", "assets/x", "../x", "model.weights.h5"))
            members[name] = b"\0" * 10_000_000
    content = io.BytesIO()
    method = random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA))
    with zipfile.ZipFile(content, "w") as archive:
        for name, member in members.items():
            archive.writestr(zipfile.ZipInfo(name), member, method)
    return _case(folder, "keras", content.getvalue())


def keras_lambda(random: Random, folder: Path) -> Case:
    """An .h5 with a Lambda whose code, or what is kept beside it, is damaged."""
    function = json.loads(random.choice(_lambdas()))["function"]
    if random.random() < 0.8:
        damaged = damaged_bytes(base64.b64decode(function[0]), random)
        function[0] = base64.encodebytes(damaged).decode()
    if random.random() < 0.3:
        function = damaged_data(function, random, VALUES)
    model = _small()
    rest, model.layers = model.layers[2:], model.layers[:2]
    module = random.choice(("larq_zoo.core.utils", "__main__"))
    model.add("Lambda", function=function, function_type="lambda", module=module)
    model.layers += rest
    return _case(folder, "h5", model.save_h5(folder / "model.h5").read_bytes())


@cache
def _lambdas() -> list[str]:
    return (_FILES.parents[1] / "unit" / "importers" / "keras" / "lambdas.jsonl").read_text().splitlines()


def _resettled(config: Any, random: Random) -> Any:
    """Settings damaged anywhere, or a layer's setting by a value that such settings have."""
    if random.random() < 0.5:
        return damaged_data(config, random, VALUES)
    layer = random.choice(config["config"]["layers"])
    known = [*layer["config"], *random.sample(_SETTINGS, 3)]
    layer["config"][random.choice(known)] = random.choice(_VALUES)
    return config


def _resaved(data: bytes, random: Random) -> bytes:
    import h5py

    content = io.BytesIO(data)
    with h5py.File(content, "r+") as file:
        if random.random() < 0.6:
            config = _resettled(json.loads(file.attrs["model_config"]), random)
            file.attrs["model_config"] = json.dumps(config)
            return _flushed(file, content)
        groups = [group for group in file["model_weights"].values() if group.attrs["weight_names"].size]
        group = random.choice(groups)
        names = [np.bytes_(name) for name in group.attrs["weight_names"].astype("S60")]
        match random.randrange(4):
            case 0:
                names[0] = random.choice((b"", b"x", b"/", b"..", b"\xff", names[-1]))
                group.attrs["weight_names"] = np.array(names, "S60")
            case 1:
                del group.attrs["weight_names"]
            case 2:
                name = names[0].decode()
                shape = random.choice(((), (0,), (3,), (3, 3, 1, 4), (1, 2, 3, 4, 5)))
                kind = random.choice(("f4", "f8", "i4", "S3", "c8", "?"))
                del group[name]
                group.create_dataset(name, shape, kind)
            case _:
                name = names[0].decode()
                del group[name]
                group.create_dataset(name, (10**6, 10**6), "f4", chunks=(100, 100), compression="gzip")
        return _flushed(file, content)


def _flushed(file: Any, content: io.BytesIO) -> bytes:
    file.flush()
    return content.getvalue()


def _case(folder: Path, suffix: str, data: bytes) -> Case:
    path = folder / f"model.{suffix}"
    path.write_bytes(data)
    return Case(["import", "keras", str(path), "--out", str(folder), "--force"], (path.name,))


def _small() -> KerasModel:
    model = KerasModel((6, 6, 1))
    model.conv((3, 3, 1, 4), padding="same")
    model.batch_norm(4, True, 4)
    model.add("MaxPooling2D", pool_size=[2, 2], strides=[2, 2], padding="valid")
    model.add("Flatten")
    model.dense(36, 3)
    return model


@cache
def _keras(form: str) -> bytes:
    model = _small()
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / f"model.{form}"
        if form == "borders":
            return borders(Path(name)).read_bytes()
        return (model.save_h5 if form == "h5" else model.save_keras)(path).read_bytes()


def framework_file(random: Random, folder: Path) -> Case:
    """``import`` of a file, or of one of a pair, that is not as its framework wrote it."""
    names: tuple[str, ...] = (random.choice(_SINGLE),)
    if random.random() < 0.5:
        names = random.choice(_PAIRS)
        if random.random() < 0.2:
            names = (names[0], random.choice(_PAIRS)[1])
    damaged = random.choice(names)
    for name in names:
        data = (_FILES / name).read_bytes()
        data = damaged_bytes(data, random) if name == damaged else data
        (folder / Path(name).name).write_bytes(data)
    place = folder / Path(random.choice(names)).name
    asked = str(folder if random.random() < 0.2 else place)
    made = str(folder / "made")
    words = ["import", asked, "--out", made, "--input-type", "uint8", "--image-range", "0", "255"]
    return Case(words, (*(Path(name).name for name in names), asked))
