import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bundles import weights as packing


def round_trip(value: np.ndarray, affine: packing.Affine | None = None) -> tuple[dict, np.ndarray]:
    entries, stored = packing.pack({"w": value}, {} if affine is None else {"w": affine})
    return entries[0], packing.unpack(entries, stored)["w"]


@given(hnp.arrays(np.float32, hnp.array_shapes(max_dims=3), elements=st.floats(width=32)))
def test_no_bit_of_a_float_is_lost(value):
    _, back = round_trip(value)
    assert back.dtype == np.float32
    np.testing.assert_array_equal(back, value)


def test_float16_is_taken_where_it_holds_every_bit_and_only_there():
    rounded = np.random.default_rng(0).normal(size=100).astype(np.float16).astype(np.float32)
    assert round_trip(rounded)[0]["quantization"] == {"dtype": "float16"}
    assert "quantization" not in round_trip(np.array([1e-7, 0.5], np.float32))[0]  # 1e-7 would become 1.2e-7
    assert "quantization" not in round_trip(np.array([70000.0], np.float32))[0]


def test_uint8_with_its_scale_gives_back_every_step_exactly():
    scale, minimum = 0.00731, -0.9321
    value = (np.arange(256, dtype=np.float64) * scale + minimum).astype(np.float32)
    entry, back = round_trip(value, (scale, minimum))
    assert entry["quantization"] == {"dtype": "uint8", "scale": scale, "min": minimum}
    np.testing.assert_array_equal(back, value)


def test_a_value_that_its_scale_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="weight w does not consist of 256 steps"):
        round_trip(np.array([0.0, 0.4, 1.0], np.float32), (0.5, 0.0))


def test_integers_and_booleans_keep_their_types_and_others_are_refused():
    assert round_trip(np.array([[-1, 2**31 - 1]], np.int32))[1].tolist() == [[-1, 2**31 - 1]]
    assert round_trip(np.array([True, False]))[1].tolist() == [True, False]
    with pytest.raises(ValueError, match="weight w is float64"):
        round_trip(np.zeros(3))


def test_bytes_that_do_not_fit_their_entries_are_refused():
    entries, stored = packing.pack({"w": np.ones(3, np.float32)}, {})
    with pytest.raises(ValueError, match="in the middle of w"):
        packing.unpack(entries, stored[:-1])
    with pytest.raises(ValueError, match="7 bytes long; their entries describe 6"):
        packing.unpack(entries, stored + b"\0")


def converters_quantization():
    """The converter's own module, without its package, which would import half a dozen frameworks."""
    [package] = importlib.util.find_spec("tensorflowjs").submodule_search_locations
    spec = importlib.util.spec_from_file_location("quantization", Path(package) / "quantization.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_layout_is_that_of_the_converter():
    """What tensorflowjs itself writes with float16 and uint8 is read to the values that it dequantises to."""
    quantization = converters_quantization()
    value = np.random.default_rng(1).normal(size=[5, 7]).astype(np.float32)
    for dtype in (np.float16, np.uint8):
        stored, info = quantization.quantize_weights(value, dtype)
        entry = {"name": "w", "shape": [5, 7], "dtype": "float32", "quantization": {"dtype": stored.dtype.name, **info}}
        back = packing.unpack([entry], stored.tobytes())["w"]
        np.testing.assert_array_equal(back, quantization.dequantize_weights(stored, info))
