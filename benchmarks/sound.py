"""Variants of training for the same time, judged by measures that most of them do not optimise: which sounds better?

    .venv/bin/python benchmarks/sound.py OUTPUT/NAME [--variants base gain ...] [--steps 1000] [--set a.b=value]

OUTPUT/NAME is where `run` made an instrument: its transformed examples are the data. Every variant starts from the same
weights and trains for as many steps; the eval windows are then judged by ddsp's spectral loss, and by log-mel and MFCC
distance, loudness and f0 error, which no training here optimises unless the variant's name states it. Prints one JSON
line a variant, which is also what `docs/sound.md` is made of.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import tensorflow as tf

from bundles.impulse_response import describe
from common.audio import AudioConfig
from common.features import AUDIO, F0_CONFIDENCE, F0_HZ, LOUDNESS_DB, PITCH_AND_LOUDNESS
from components.evaluator.metrics import f0_errors
from data.features.tracker import TRACKER_RATE, Tracker, require
from data.windows.originals import ORIGINAL_RATE
from models.ddsp import spectral
from models.ddsp.band_loss import BandLoss
from models.ddsp.losses import MultiScaleLoss, SpectralLoss, Targets
from models.ddsp.synths import white_noise
from models.instrument import Instrument
from models.preprocessing import network_input_names
from models.quality.octaves import WindowLevels, bands_hz, octaves, window_levels
from models.quality.visqol import Visqol
from models.saved_model.signatures import AUDIBLE_DB
from models.training.loop import TrainingGraphs, deterministic_ops
from models.training.optimizer import learning_rate
from models.training.window_store import WindowStore, read_windows, shuffled_indices
from pipeline.configuration.config import Config
from pipeline.configuration.loading import load

Batch = Mapping[str, np.ndarray]


def as_it_is(batch: Batch, random: np.random.Generator) -> Batch:
    """Return the batch unchanged: no augmentation."""
    del random
    return batch


def gain(batch: Batch, random: np.random.Generator) -> Batch:
    """Make every window louder or softer by up to 6 dB, and its loudness with it (in its standardised units)."""
    decibels = random.uniform(-6.0, 6.0, (len(batch[AUDIO]), 1)).astype(np.float32)
    louder = {AUDIO: batch[AUDIO] * 10.0 ** (decibels / 20.0)}
    return {**batch, **louder, "loudness_scaled": batch["loudness_scaled"] + decibels / batch["loudness_deviation"]}


def jitter(semitones: float, decibels: float) -> Callable[[Batch, np.random.Generator], Batch]:
    """Return an augmentation that shifts the network's inputs, not its target, by a random constant of every window."""

    def jittered(batch: Batch, random: np.random.Generator) -> Batch:
        windows = len(batch[AUDIO])
        by = {"f0_scaled": semitones / batch["f0_deviation"], "loudness_scaled": decibels / batch["loudness_deviation"]}
        moved = {name: batch[name] + width * random.standard_normal((windows, 1)) for name, width in by.items()}
        return {**batch, **{name: value.astype(np.float32) for name, value in moved.items()}}

    return jittered


class EmbeddingLoss:
    """A loss, and the distance of two sounds in CREPE's embedding (Kim et al. 2018): ddsp's perceptual loss.

    The mean absolute difference between the outputs of the fifth layer of CREPE's tiny network, on some frames of every
    window, evenly spaced: all of them would cost many times the step.

    Args:
      spectral: the other term.
      weight: of CREPE's term.
      frames: number of frames of 64 ms that are embedded in a window of 4 s.
    """

    def __init__(self, spectral: MultiScaleLoss, weight: float, frames: int = 8):
        require("crepe", "tiny")
        from crepe.core import build_and_load_model

        model = build_and_load_model("tiny")
        self._network = tf.keras.Model(model.inputs, model.get_layer("conv5-maxpool").output)
        self._spectral, self._weight, self._frames = spectral, weight, frames

    def _embedding(self, audio: tf.Tensor) -> tf.Tensor:
        """[batch, samples] at 16 kHz -> embeddings [batch * frames, ...]."""
        frames = tf.signal.frame(audio, 1024, (int(audio.shape[1]) - 1024) // (self._frames - 1))
        mean, variance = tf.nn.moments(frames, axes=[-1], keepdims=True)
        normal = (frames - mean) * tf.math.rsqrt(variance + 1e-8)  # as CREPE does; a silent frame has no gradient cliff
        return self._network(tf.reshape(normal, [-1, 1024]), training=False)

    def target(self, audio: tf.Tensor) -> tuple[Targets, tf.Tensor]:
        """Compute what is constant: spectra and embedding of the audio to be matched [batch, samples]."""
        return self._spectral.target(audio), tf.stop_gradient(self._embedding(audio))

    def __call__(self, targets: tuple[Targets, tf.Tensor], audio: tf.Tensor) -> tf.Tensor:
        """Compute the mean loss of a batch of audio [batch, samples], scalar."""
        spectral, embedding = targets
        return self._spectral(spectral, audio) + self._weight * tf.reduce_mean(
            tf.abs(embedding - self._embedding(audio))
        )


@dataclass(frozen=True)
class Variant:
    """A variant of training: what it changes.

    Attributes:
      settings: overrides of the configuration.
      ddsp_loss: further terms of ddsp's spectral loss, which then takes the place of Swara's; None leaves Swara's.
      embedding: weight of the distance in CREPE's embedding.
      averaging: share of the averaged weights that each step keeps; 0 judges the last step's own.
      augment: what happens to a batch on its way in.
    """

    settings: tuple[str, ...] = ()
    ddsp_loss: Mapping[str, Any] | None = None
    embedding: float = 0.0
    averaging: float = 0.0
    augment: Callable[[Batch, np.random.Generator], Batch] = as_it_is


VARIANTS = {
    "base": Variant(),
    "ddsp-loss": Variant(ddsp_loss={}),
    "averaged": Variant(averaging=0.99),
    "averaged-long": Variant(averaging=0.998),
    "gain": Variant(augment=gain),
    "jitter-1": Variant(augment=jitter(1.0, 0.0)),
    "jitter-2": Variant(augment=jitter(2.0, 1.0)),
    "jitter-4": Variant(augment=jitter(4.0, 2.0)),
    "loudness-term": Variant(ddsp_loss={"loudness_weight": 0.1}),
    "embedding-term-10": Variant(embedding=10.0),
    "delta-time-term": Variant(ddsp_loss={"delta_time_weight": 0.5}),
    "delta-frequency-term": Variant(ddsp_loss={"delta_freq_weight": 0.5}),
    "long-windows": Variant(settings=("loss.fft_sizes=[4096, 2048, 1024, 512, 256, 128, 64]",)),
    "six-sizes": Variant(settings=("loss.fft_sizes=[2048, 1024, 512, 256, 128, 64]",)),
    "bands-8": Variant(settings=("loss.bands_per_octave=8",)),
    "bands-32": Variant(settings=("loss.bands_per_octave=32",)),
    "log-only": Variant(settings=("loss.mag_weight=0.0",)),
    "constant-rate": Variant(settings=("trainer.learning_rate_end=0.002",)),
    "rate-to-a-hundredth": Variant(settings=("trainer.learning_rate_end=0.00002",)),
    "slow": Variant(settings=("trainer.learning_rate=0.001",)),
    "fast": Variant(settings=("trainer.learning_rate=0.004",)),
    "faster": Variant(settings=("trainer.learning_rate=0.008",)),
    "batch-8": Variant(settings=("trainer.batch_size=8",)),
    "reverb-free": Variant(settings=("model.processors.reverb.type=reverb_free",)),
    "reverb-exponential": Variant(settings=("model.processors.reverb.type=reverb_exponential",)),
    "reverb-noise": Variant(settings=("model.processors.reverb.type=reverb_filtered_noise",)),
    "reverb-early-late": Variant(settings=("model.processors.reverb.type=reverb_early_late",)),
    "reverb-slow": Variant(settings=("trainer.reverb_rate=0.03",)),
    "reverb-fast": Variant(settings=("trainer.reverb_rate=0.3",)),
}


def newest(folder: Path, split: str) -> list[str]:
    """Find the last transformed examples below a run's folder: file patterns of a split."""
    made = sorted(folder.glob("pipeline/Transform/transformed_examples/*"), key=lambda path: int(path.name))
    if not made:
        sys.exit(f"{folder}: no transformed examples: `local_runner.py run` makes them")
    return [str(made[-1] / f"Split-{split}" / "*")]


def deviations(windows: WindowStore) -> Batch:
    """Estimate the deviations by which f0 in semitones and loudness in dB were divided to be standardised."""
    sample = {
        name: np.concatenate([one[name] for one in windows.sample(50)]) for name in windows.lengths if name != AUDIO
    }
    midi, loudness = 12 * np.log2(sample[F0_HZ]), sample[LOUDNESS_DB]
    return {
        "f0_deviation": np.std(midi) / np.std(sample["f0_scaled"]),
        "loudness_deviation": np.std(loudness) / np.std(sample["loudness_scaled"]),
    }


def train(variant: Variant, config: Config, windows: WindowStore) -> tuple[Instrument, float, float]:
    """Train one variant. Returns it, and the seconds and the CPU seconds of its steps, the first one left out."""
    instrument = Instrument(config.model, config.audio, seed=config.trainer.seed)
    graphs = TrainingGraphs(instrument, config.trainer, config.loss, windows.minimum(F0_HZ))
    rate = config.audio.sample_rate
    loss: MultiScaleLoss = BandLoss(**config.loss.model_dump(), sample_rate=rate)
    if variant.ddsp_loss is not None:
        sizes = [size * rate // 16000 for size in (2048, 1024, 512, 256, 128, 64)]
        loss = SpectralLoss(fft_sizes=sizes, **variant.ddsp_loss, sample_rate=rate)
    if variant.embedding and config.audio.sample_rate != TRACKER_RATE:
        sys.exit(f"CREPE takes {TRACKER_RATE} Hz: no embedding of {config.audio.sample_rate} Hz")
    graphs._loss = EmbeddingLoss(loss, variant.embedding) if variant.embedding else loss  # type: ignore[assignment]
    variables = instrument.variables_by_name
    average = {name: variable.numpy() for name, variable in variables.items()}
    scales = deviations(windows)
    random, began, cpu_began = np.random.default_rng(config.trainer.seed), 0.0, 0.0
    for step in range(config.trainer.steps):
        if step == 1:
            began, cpu_began = time.perf_counter(), time.process_time()
        chosen = shuffled_indices(step, count=len(windows), batch=config.trainer.batch_size, seed=config.trainer.seed)
        batch = variant.augment({**windows.batch(chosen), **scales}, random)
        inputs = {name: batch[name] for name in (AUDIO, F0_HZ, *instrument.feature_names)}
        graphs.train_step(inputs, tf.constant(step), tf.constant(learning_rate(step, config.trainer), tf.float32))
        if variant.averaging:
            keep = min(variant.averaging, step / (step + 10))
            average = {
                name: keep * average[name] + (1 - keep) * variable.numpy() for name, variable in variables.items()
            }
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began
    if variant.averaging:
        instrument.set_weights(average)
    return instrument, seconds, cpu_seconds


def resynthesise(instrument: Instrument, windows: WindowStore) -> Iterator[np.ndarray]:
    """Resynthesise every window from its features alone: audio [samples]."""
    for number in range(len(windows)):
        batch = windows.batch([number])
        noise = white_noise(1, batch[AUDIO].shape[1], (0, number))
        yield instrument({name: batch[name] for name in (F0_HZ, *instrument.feature_names)}, noise).numpy()[0]


def log_mel(audio: tf.Tensor, rate: int) -> tf.Tensor:
    """Compute ddsp's log-mel spectrogram up to 0.475 of a rate in Hz, in frames as long as at 16 kHz."""
    return spectral.log_mel(audio, 2048 * rate // 16000, high_hz=0.475 * rate, sample_rate=rate)


def mfcc(audio: tf.Tensor, rate: int) -> tf.Tensor:
    """Compute ddsp's cepstral coefficients up to Nyquist of a rate in Hz, in frames as long as at 16 kHz."""
    return spectral.mfcc(audio, 1024 * rate // 16000, high_hz=rate / 2, sample_rate=rate)


def judge(made: Iterable[np.ndarray], windows: WindowStore, audio: AudioConfig) -> dict[str, float]:
    """Compute losses and errors of resyntheses (each [samples], in the windows' order), as means over all windows.

    At 48 kHz the recording is the original, so ViSQOL and the signed errors of octave bands are measured as well.
    """
    tracker = Tracker("swift_f0", audio.sample_rate, audio.frame_rate)
    rate, loss, found, cents = audio.sample_rate, SpectralLoss(), [], []
    visqol = Visqol() if rate == ORIGINAL_RATE else None
    levels: list[WindowLevels] = []
    for number, one in enumerate(made):
        batch = windows.batch([number])
        target, resynthesis = tf.constant(batch[AUDIO]), tf.constant(one[np.newaxis])
        loudness = spectral.loudness_db(resynthesis, rate)[:, : batch[LOUDNESS_DB].shape[1]]
        sounding = batch[LOUDNESS_DB] > AUDIBLE_DB
        found.append(
            {
                "spectral_loss": float(loss.per_example(loss.target(target), resynthesis)[0]),
                "log_mel": float(tf.reduce_mean(tf.abs(log_mel(target, rate) - log_mel(resynthesis, rate)))),
                "mfcc": float(tf.reduce_mean(tf.abs(mfcc(target, rate) - mfcc(resynthesis, rate)))),
                LOUDNESS_DB: float(np.mean(np.abs(loudness - batch[LOUDNESS_DB])[sounding])),
            }
        )
        if visqol is not None:
            found[-1]["visqol"] = visqol(batch[AUDIO][0], one, rate)
            levels.append(window_levels(windows.keys[number], batch[AUDIO][0], one, rate))
        cents.append(f0_errors(batch[F0_HZ][0], batch[F0_CONFIDENCE][0], *tracker(one)))
    means = {name: round(float(np.mean([one[name] for one in found])), 4) for name in found[0]}
    bands = zip(bands_hz(rate), octaves(levels), strict=True) if levels else ()
    errors_db = {
        f"octave_{hz:g}_hz_db": round(octave.error_db, 1) for (hz, _, _), octave in bands if octave.error_db is not None
    }
    return {**means, **errors_db, "f0_cents": round(float(np.median(np.concatenate(cents))), 2)}


def reverb_bytes(instrument: Instrument) -> int:
    """Count the bytes of an instrument's reverb in a bundle: its file, and its late tail in the manifest."""
    if instrument.graph.reverb is None:
        return 0
    response = {name: values.numpy() for name, values in instrument.graph.reverb.shipped().items()}
    stored, section = describe(response, instrument.audio.sample_rate) or (b"", {})
    return len(stored) + (len(json.dumps(section["late"])) if "late" in section else 0)


def read(folder: Path, config: Config) -> tuple[WindowStore, WindowStore]:
    """Read the windows that a run trained on, and its eval windows."""
    features = (*PITCH_AND_LOUDNESS, *network_input_names(config.model.inputs))
    train, held_out = (read_windows(newest(folder, split), config.audio, features) for split in ("train", "eval"))
    return train, held_out


def measure(name: str, folder: Path, settings: list[str]) -> dict[str, Any]:
    """Train and judge one variant."""
    variant = VARIANTS[name]
    config = load(folder.name, [*settings, *variant.settings])
    windows, eval_windows = read(folder, config)
    instrument, seconds, cpu_seconds = train(variant, config, windows)
    facts = {"instrument": folder.name, "variant": name, "steps": config.trainer.steps, "seconds": round(seconds, 1)}
    facts["cpu_seconds_a_step"] = round(cpu_seconds / max(1, config.trainer.steps - 1), 3)
    facts["reverb_bytes"] = reverb_bytes(instrument)
    return {**facts, **judge(resynthesise(instrument, eval_windows), eval_windows, config.audio)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    without_crepe = [name for name, variant in VARIANTS.items() if not variant.embedding]
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=without_crepe)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="a.b=value")
    arguments = parser.parse_args()
    with deterministic_ops():
        for name in arguments.variants:
            settings = [f"trainer.steps={arguments.steps}", *arguments.settings]
            print(json.dumps(measure(name, arguments.folder, settings)), flush=True)


if __name__ == "__main__":
    main()
