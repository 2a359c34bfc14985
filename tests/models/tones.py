"""The smallest of everything that can be trained: half-second tones, a network of a few hundred weights."""

import numpy as np

from common.audio import AudioConfig
from models.config import ModelConfig
from models.training.config import LossConfig
from models.training.window_store import WindowStore

AUDIO = AudioConfig(sample_rate=16000, frame_rate=250, window_seconds=0.5)
LOSS = LossConfig(fft_sizes=[512, 128], bands_per_octave=16, mag_weight=1.0, logmag_weight=1.0)
MODEL = ModelConfig.model_validate(
    {
        "inputs": ["loudness"],
        "decoder": {"kind": "cnn", "channels": 8, "layers": 2, "kernel": 2, "dilation_cycle": 2, "hold": 1},
        "processors": [
            {"name": "harmonic", "type": "harmonic", "harmonics": 8, "envelope": "linear"},
            {"name": "noise", "type": "filtered_noise", "bands": 9, "initial_bias": -5.0},
            {"name": "dry", "type": "mix", "inputs": ["harmonic", "noise"]},
            {"name": "reverb", "type": "reverb_free", "seconds": 0.05, "inputs": ["dry"]},
        ],
        "precision": "float16",
    }
)


def tone(number: int) -> dict[str, np.ndarray]:
    """A harmonic tone whose pitch and level follow from its features."""
    seconds = np.arange(AUDIO.window_samples) / AUDIO.sample_rate
    f0_hz = 220.0 * 2 ** (number % 12 / 12)
    level = 0.05 + 0.02 * (number % 5)
    audio = level * sum(np.sin(2 * np.pi * k * f0_hz * seconds) / k for k in (1, 2, 3, 4))
    features = {
        "f0_hz": f0_hz,
        "f0_scaled": (69 + 12 * np.log2(f0_hz / 440)) / 127,
        "loudness_scaled": 1 + 20 * np.log10(level) / 80,
    }
    return {"audio": audio.astype("f4")} | {
        name: np.full(AUDIO.window_frames, value, "f4") for name, value in features.items()
    }


def tones(first: int, count: int) -> WindowStore:
    return WindowStore((f"tone {number:02d}", tone(number)) for number in range(first, first + count))
