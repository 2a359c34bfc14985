"""Hz and MIDI are inverse, and TensorFlow's functions are NumPy's."""

import numpy as np

from common.pitch import hz_to_midi, midi_to_hz
from models.ddsp import core


def test_midi_and_hz_are_inverse_and_zero_hz_is_midi_zero():
    midi = np.array([0.5, 21.0, 69.0, 110.0])
    np.testing.assert_allclose(hz_to_midi(midi_to_hz(midi)), midi, atol=1e-9)
    np.testing.assert_array_equal(hz_to_midi([0.0, -3.0, 440.0]), [0.0, 0.0, 69.0])


def test_tensors_have_the_same_pitch():
    hz = np.array([-3.0, 0.0, 1.0, 27.5, 440.0, 12543.9], np.float32)
    np.testing.assert_allclose(core.hz_to_midi(hz), hz_to_midi(hz), atol=1e-5)
    np.testing.assert_allclose(core.midi_to_hz(hz_to_midi(hz[2:]).astype(np.float32)), hz[2:], rtol=1e-5)
