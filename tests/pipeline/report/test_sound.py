"""What the page plays is the sound itself, and its picture shows every pitch at its height on one scale for a pair."""

import base64
import io

import numpy as np
import pytest
import soundfile
from PIL import Image

from pipeline.report.sound import COLOURS, LOWEST_HZ, ROWS, clips, hz_to_mel, mel_to_hz

RATE = 16000
TONE = (0.5 * np.sin(2 * np.pi * 1000.0 * np.arange(RATE) / RATE)).astype(np.float32)


def _stored(address: str, kind: str) -> io.BytesIO:
    head, _, body = address.partition(",")
    assert head == f"data:{kind};base64"
    return io.BytesIO(base64.b64decode(body))


def _picture(address: str) -> np.ndarray:
    """Shades [rows, columns], the first row at the bottom."""
    image = Image.open(_stored(address, "image/png"))
    assert image.mode == "P"
    return np.asarray(image)[::-1]


def test_the_sound_comes_back_in_16_bits():
    [clip] = clips([TONE], RATE)
    sound, rate = soundfile.read(_stored(clip.flac, "audio/flac"))
    assert rate == RATE
    assert clip.seconds == 1.0
    np.testing.assert_allclose(sound, TONE, atol=2.0**-15)


def test_what_is_louder_than_full_scale_does_not_clip():
    [clip] = clips([4.0 * TONE], RATE)
    sound, _ = soundfile.read(_stored(clip.flac, "audio/flac"))
    np.testing.assert_allclose(sound, 2.0 * TONE, atol=2.0**-14)


def test_a_tone_is_brightest_at_its_pitch():
    [clip] = clips([TONE], RATE)
    picture = _picture(clip.png)
    assert picture.shape[0] == ROWS
    row = int(np.argmax(picture[:, picture.shape[1] // 2]))
    edges = mel_to_hz(np.linspace(hz_to_mel(LOWEST_HZ), hz_to_mel(RATE / 2), ROWS + 1))
    assert edges[row] - 20.0 <= 1000.0 <= edges[row + 1] + 20.0


def test_a_quieter_copy_is_darker_on_the_scale_of_the_first():
    first, second = clips([TONE, 0.1 * TONE], RATE)
    bright, dark = _picture(first.png).max(), _picture(second.png).max()
    assert bright == COLOURS - 1
    assert dark == pytest.approx(bright * (1 - 20 / 75), abs=1)


@pytest.mark.parametrize("samples", [1, 100, RATE // 2, 100 * RATE])
def test_sounds_of_any_length_have_a_picture(samples: int):
    [clip] = clips([np.zeros(samples, np.float32)], RATE)
    assert _picture(clip.png).shape[1] <= 1200


def test_mel_is_the_inverse_of_hz():
    hz = np.array([40.0, 700.0, 8000.0])
    np.testing.assert_allclose(mel_to_hz(np.array([hz_to_mel(value) for value in hz])), hz)
