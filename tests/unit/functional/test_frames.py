"""Pictures to frames, from arrays and from files."""

from __future__ import annotations

import warnings
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnnsim.functional.input.frames import frames_from_images, load_images, random_frames
from bnnsim.spec.faults import InputError
from bnnsim.spec.workload import InputSpec, Workload

from .plain_execution import network_of

Image = pytest.importorskip("PIL.Image", reason="pictures need pillow")
PIXELS = np.arange(256, dtype=np.uint8)


def network_for(**given: Any) -> Any:
    """A network with this input."""
    spec = InputSpec.model_validate(given)
    layer = {"name": "fc", "op": "linear", "out": 1}
    workload = Workload.model_validate({"name": "made", "input": spec, "layers": [layer]})
    from bnnsim.design.network.network import resolve_network
    from bnnsim.spec.load import from_spec

    return resolve_network(from_spec(workload))


def table(**given: Any) -> list[int]:
    """What the 256 pixel values become."""
    network = network_for(shape=[256], **given)
    return frames_from_images(network, PIXELS[np.newaxis]).reshape(-1).tolist()


def test_pixels_become_fixed_point_as_bnn_pynq_rounds_them() -> None:
    expected = []
    for p in range(256):
        exact = (Fraction(p, 255) * 2 - 1) * 128 + Fraction(1, 2)
        expected.append(min(127, max(-128, exact.numerator // exact.denominator)))
    assert table(type="fixed8.7", image_range=[-1.0, 1.0]) == expected


def test_halves_are_rounded_up_and_a_decimal_bound_means_what_it_says() -> None:
    values = table(type="uint8", image_range=[0.0, 25.5])
    # Pixel p stands for p / 10 exactly: 5 for 0.5 is rounded up to 1, 15 to 2.
    assert [values[p] for p in (4, 5, 14, 15, 25, 255)] == [0, 1, 1, 2, 3, 26]


def test_values_beyond_the_type_are_clipped() -> None:
    values = table(type="int3", image_range=[-20.0, 20.0])
    assert values[0] == -4
    assert values[255] == 3


def test_a_pixel_becomes_bit_1_iff_its_value_is_not_negative() -> None:
    assert table(type="bipolar", image_range=[-1.0, 1.0]) == [0] * 128 + [1] * 128
    assert table(type="bipolar", image_range=[0.0, 1.0]) == [1] * 256


def test_without_a_range_a_pixel_is_the_integer_it_is() -> None:
    assert table(type="uint8") == list(range(256))
    assert table(type="fixed16.4") == list(range(256))


def test_without_a_range_a_pixel_beyond_the_type_is_refused() -> None:
    with pytest.raises(InputError, match=r"images: expected elements of uint4, 0 \.\. 15, got 16"):
        table(type="uint4")


def test_without_a_range_pixels_for_bits_are_refused() -> None:
    with pytest.raises(InputError, match="expected an image_range in the workload's input"):
        table(type="bipolar")


@pytest.mark.parametrize(("pad_value", "bit"), [(-1, 0), (1, 1)])
def test_features_are_padded_at_their_end(pad_value: int, bit: int) -> None:
    network = network_for(
        shape=[784], type="bipolar", image_range=[-1.0, 1.0], pad_to=832, pad_value=pad_value
    )
    frames = frames_from_images(network, np.full((2, 28, 28), 255 - 255 * bit, np.uint8))
    assert frames.shape == (2, 832, 1, 1)
    assert (frames[:, :784] == 1 - bit).all()
    assert (frames[:, 784:] == bit).all()


def test_integer_features_are_padded_with_the_value_itself() -> None:
    network = network_for(shape=[3], type="int8", pad_to=5, pad_value=-7)
    frames = frames_from_images(network, np.array([[1, 2, 3]], np.int64))
    assert frames.reshape(-1).tolist() == [1, 2, 3, -7, -7]


def test_pictures_flatten_row_by_row_for_an_input_of_features() -> None:
    network = network_for(shape=[6], type="uint8")
    frames = frames_from_images(network, np.arange(12, dtype=np.uint8).reshape(2, 2, 3))
    assert frames.reshape(2, 6).tolist() == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]]


def test_channels_may_come_last_where_only_that_fits() -> None:
    network = network_for(shape=[3, 4, 5], type="uint8")
    first = np.random.default_rng(0).integers(0, 256, (2, 3, 4, 5), dtype=np.uint8)
    for images in (first, first.transpose(0, 2, 3, 1)):
        assert np.array_equal(frames_from_images(network, images), first)


def test_channels_come_first_where_both_orders_fit() -> None:
    network = network_for(shape=[3, 3, 3], type="uint8")
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 3, 3), dtype=np.uint8)
    assert np.array_equal(frames_from_images(network, images), images)


def test_grey_pictures_need_no_channel_axis() -> None:
    network = network_for(shape=[1, 4, 5], type="uint8")
    images = np.arange(40, dtype=np.uint8).reshape(2, 4, 5)
    assert np.array_equal(frames_from_images(network, images), images[:, np.newaxis])


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2, 3, 4, 6), r"expected pictures of shape \[3, 4, 5\] or \[4, 5, 3\], got \[3, 4, 6\]"),
        (
            (3, 4, 5),
            r"expected pictures of shape \[3, 4, 5\] or \[4, 5, 3\], got \[4, 5\] \(array \[3, 4, 5\]\)",
        ),
        ((2, 60), r"got \[60\] \(array \[2, 60\]\)"),
    ],
)
def test_pictures_of_another_shape_are_refused(shape: tuple[int, ...], message: str) -> None:
    network = network_for(shape=[3, 4, 5], type="uint8")
    with pytest.raises(InputError, match=message):
        frames_from_images(network, np.zeros(shape, np.uint8))


def test_too_few_features_are_refused() -> None:
    network = network_for(shape=[784], type="uint8")
    with pytest.raises(InputError, match=r"expected pictures of 784 values, got \[28, 27\]"):
        frames_from_images(network, np.zeros((1, 28, 27), np.uint8))


def test_pixels_of_floats_are_refused() -> None:
    network = network_for(shape=[3], type="uint8")
    with pytest.raises(InputError, match="expected uint8 pixels, or integers as frames, got float64"):
        frames_from_images(network, np.zeros((1, 3)))


def test_frames_given_as_integers_stay_as_they_are_and_are_checked() -> None:
    network = network_for(shape=[1, 2, 2], type="fixed8.7")
    frames = np.array([[[[-128, 127], [0, 1]]]], np.int64)
    assert np.array_equal(frames_from_images(network, frames), frames)
    with pytest.raises(InputError, match=r"elements of fixed8.7, -128 \.\. 127, got 128"):
        frames_from_images(network, frames + 1)


def test_random_frames_use_every_element_and_depend_on_the_seed_alone() -> None:
    network = network_of([{"name": "fc", "op": "linear", "out": 1}], shape=[64], type="int3")
    frames = random_frames(network, 20, 1)
    assert sorted(set(frames.reshape(-1).tolist())) == list(range(-4, 4))
    assert np.array_equal(frames, random_frames(network, 20, 1))
    assert not np.array_equal(frames, random_frames(network, 20, 2))


COLOUR = {"shape": [3, 4, 5], "type": "uint8"}


@pytest.fixture
def picture() -> np.ndarray[Any, Any]:
    """A colour picture, channels last."""
    return np.random.default_rng(0).integers(0, 256, (4, 5, 3), dtype=np.uint8)


def test_a_picture_file_loads_with_its_channels_first(tmp_path: Path, picture: Any) -> None:
    Image.fromarray(picture).save(tmp_path / "a.png")
    images, labels = load_images(network_for(**COLOUR), [tmp_path / "a.png"])
    assert np.array_equal(images, picture.transpose(2, 0, 1)[np.newaxis])
    assert labels is None


def test_a_grey_picture_fills_an_input_of_as_many_features(tmp_path: Path) -> None:
    grey = np.arange(20, dtype=np.uint8).reshape(4, 5)
    Image.fromarray(grey).save(tmp_path / "a.png")
    network = network_for(shape=[20], type="uint8")
    images, _ = load_images(network, [tmp_path / "a.png"])
    assert frames_from_images(network, images).reshape(-1).tolist() == list(range(20))


def test_a_picture_of_another_size_is_refused_not_resized(tmp_path: Path) -> None:
    Image.new("RGB", (32, 31)).save(tmp_path / "a.png")
    network = network_for(shape=[3, 32, 32], type="uint8")
    with pytest.raises(InputError, match=r"a.png: expected a picture of 32 x 32 pixels, got 32 x 31"):
        load_images(network, [tmp_path / "a.png"])


def test_what_pillow_remarks_of_a_huge_picture_is_not_said(tmp_path: Path) -> None:
    """A header that promises 110 million pixels: only our own bound is named."""
    Image.new("L", (1, 1)).save(tmp_path / "a.gif")
    header = (tmp_path / "a.gif").read_bytes()
    sizes = (7439).to_bytes(2, "little") + (14877).to_bytes(2, "little")
    frame = header.index(b",")
    damaged = header[:6] + sizes + header[10 : frame + 5] + sizes + header[frame + 9 :]
    (tmp_path / "a.gif").write_bytes(damaged)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InputError, match=r"expected a picture of .* got 7439 x 14877"):
            load_images(network_for(shape=[1, 4, 5], type="uint8"), [tmp_path / "a.gif"])


def test_a_picture_of_16_bits_a_channel_is_refused(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((4, 5), np.uint16)).save(tmp_path / "a.png")
    network = network_for(shape=[1, 4, 5], type="uint8")
    with pytest.raises(InputError, match=r"a.png: expected 8 bits a channel, got mode I;16"):
        load_images(network, [tmp_path / "a.png"])


def test_a_picture_for_more_channels_than_colours_is_refused(tmp_path: Path) -> None:
    Image.new("RGB", (5, 4)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match=r"expected .npz or .npy with 16 channels, got a picture"):
        load_images(network_for(shape=[16, 4, 5], type="uint8"), [tmp_path / "a.png"])


def test_a_file_that_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("no picture")
    with pytest.raises(
        InputError, match=r"a.png: expected a picture, .npz or .npy, got a file of another kind"
    ):
        load_images(network_for(**COLOUR), [tmp_path / "a.png"])


def test_a_cut_off_picture_is_refused(tmp_path: Path, picture: Any) -> None:
    Image.fromarray(picture).save(tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"a.png: expected a picture, got a damaged file"):
        load_images(network_for(**COLOUR), [tmp_path / "a.png"])


def test_a_missing_picture_is_reported(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a.png: expected a picture, got no such file"):
        load_images(network_for(**COLOUR), [tmp_path / "a.png"])


def test_several_files_follow_one_another_with_their_labels(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 3, 4, 5), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", images_u8=images[:2], labels=np.array([7, 8]))
    np.savez(tmp_path / "b.npz", images_u8=images[2:], labels=np.array([9, 1, 2], np.uint8))
    paths = [tmp_path / "a.npz", tmp_path / "b.npz"]
    loaded, labels = load_images(network_for(**COLOUR), paths)
    assert np.array_equal(loaded, images)
    assert labels is not None
    assert labels.tolist() == [7, 8, 9, 1, 2]


def test_labels_are_left_out_where_one_file_has_none(tmp_path: Path) -> None:
    images = np.zeros((2, 3, 4, 5), np.uint8)
    np.savez(tmp_path / "a.npz", images_u8=images, labels=np.array([7, 8]))
    np.save(tmp_path / "b.npy", images)
    loaded, labels = load_images(network_for(**COLOUR), [tmp_path / "a.npz", tmp_path / "b.npy"])
    assert len(loaded) == 4
    assert labels is None


@pytest.mark.parametrize("shape", [(3, 4, 5), (4, 5, 3)])
def test_an_npy_may_hold_one_picture(tmp_path: Path, shape: tuple[int, ...]) -> None:
    np.save(tmp_path / "a.npy", np.zeros(shape, np.uint8))
    network = network_for(**COLOUR)
    images, _ = load_images(network, [tmp_path / "a.npy"])
    assert frames_from_images(network, images).shape == (1, 3, 4, 5)


BAD_FILES: dict[str, tuple[dict[str, Any], str]] = {
    "no images": (
        {"images": np.zeros((1, 3, 4, 5), np.uint8)},
        r"a.npz: expected the key images_u8, got images \(nearest: images\)",
    ),
    "images of floats": (
        {"images_u8": np.zeros((1, 3, 4, 5))},
        "images_u8: expected uint8 pixels, got float64",
    ),
    "a label too few": (
        {"images_u8": np.zeros((2, 3, 4, 5), np.uint8), "labels": np.array([1])},
        r"labels: expected shape \[2\], got \[1\]",
    ),
    "labels of floats": (
        {"images_u8": np.zeros((1, 3, 4, 5), np.uint8), "labels": np.array([1.5])},
        "labels: expected integers, got float64",
    ),
    "a single number": (
        {"images_u8": np.uint8(3)},
        r"images_u8: expected an array \(n, ...\), got shape \[\]",
    ),
}


@pytest.mark.parametrize(("arrays", "message"), BAD_FILES.values(), ids=BAD_FILES)
def test_an_image_file_with_wrong_arrays_is_refused(
    tmp_path: Path, arrays: dict[str, Any], message: str
) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(InputError, match=message):
        load_images(network_for(**COLOUR), [tmp_path / "a.npz"])


def test_files_of_different_sizes_do_not_mix(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((1, 3, 4, 5), np.uint8))
    np.save(tmp_path / "b.npy", np.zeros((1, 4, 5, 3), np.uint8))
    message = r"b.npy: expected images as in .*a.npy, uint8 \[3, 4, 5\], got uint8 \[4, 5, 3\]"
    with pytest.raises(InputError, match=message):
        load_images(network_for(**COLOUR), [tmp_path / "a.npy", tmp_path / "b.npy"])


def test_a_damaged_npy_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((1, 3, 4, 5), np.uint8))
    content = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes(content[:-10])
    with pytest.raises(InputError, match=r"a.npy: expected an .npy file, got a damaged or cut-off file"):
        load_images(network_for(**COLOUR), [tmp_path / "a.npy"])


def test_no_file_at_all_is_refused() -> None:
    with pytest.raises(InputError, match="images: expected at least one file, got none"):
        load_images(network_for(**COLOUR), [])
