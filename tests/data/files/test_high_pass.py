"""What lies below 20 Hz is gone from what is measured and learned, and nothing else is changed."""

import numpy as np
import pytest

from data.files.decode import Spool, decode
from data.files.high_pass import HighPass
from tests.data.sounds import melody, write


def sine(hertz: float, rate: int, seconds: float = 4.0) -> np.ndarray:
    return (0.2 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


@pytest.mark.parametrize("rate", [16000, 32000, 48000])
@pytest.mark.parametrize(
    ("hertz", "lowest_db", "highest_db"), [(8, -33, -31), (20, -3.1, -2.9), (29, -0.3, 0), (60, -0.01, 0)]
)
def test_its_gain_is_that_of_the_filter(rate, hertz, lowest_db, highest_db):
    audio = sine(hertz, rate)
    filtered = HighPass(rate)(audio)[2 * rate :]
    gain = 20 * np.log10(filtered.std() / audio[2 * rate :].std())
    assert lowest_db < gain < highest_db + 1e-3


@pytest.mark.parametrize("rate", [16000, 48000])
def test_an_offset_is_taken_out_from_the_first_sample(rate):
    filtered = HighPass(rate)(np.full(rate, 0.3, np.float32))
    assert np.abs(filtered).max() < 1e-6


def test_blocks_leave_no_seam():
    audio = melody(3.0) + np.float32(0.1)
    whole, by_blocks = HighPass(16000), HighPass(16000)
    parts = [by_blocks(audio[start : start + 777]) for start in range(0, len(audio), 777)]
    np.testing.assert_array_equal(np.concatenate(parts), whole(audio))


@pytest.mark.parametrize("rate", [16000, 44100])
def test_decoded_audio_has_no_offset_and_no_rumble(tmp_path, rate):
    line = 0.5 * melody(3.0, rate)
    rumble = sine(8, rate, 3.0)[: len(line)]
    audio = {}
    for name, added in (("clean", 0.0), ("moved", 0.2 + rumble)):
        with Spool() as spool:
            decode(write(tmp_path / f"{name}.wav", line + added, rate, subtype="FLOAT"), 16000, spool)
            audio[name] = spool.read(0, spool.samples)[8000:]
    assert (audio["moved"] - audio["clean"]).std() < 0.03 * rumble.std()
