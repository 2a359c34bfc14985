"""A search small enough for seconds: tones of half a second, networks of a few channels."""

from pathlib import Path

import pytest
import tensorflow as tf
from tfx.components.trainer.fn_args_utils import FnArgs

from pipeline.configuration.loading import load
from tests.models.tones import tone

CONFIG = load(
    "violin",
    [
        *("audio.window_seconds=0.5", "loss.fft_sizes=[256]"),
        *("trainer.batch_size=2", "trainer.eval_windows=2", "trainer.steps=60"),
        *("tuner.trials=4", "tuner.rungs=[40]", "tuner.keep=0.5", "tuner.lease_seconds=5.0"),
        "tuner.reference.decoder={kind: cnn, channels: 12, layers: 2, kernel: 2, dilation_cycle: 8, hold: 1}",
        *("tuner.space.architecture=[cnn]", "tuner.space.channels=[4, 8]", "tuner.space.layers=[1, 2]"),
        *("tuner.space.kernel=[2]", "tuner.space.harmonics=[8]", "tuner.space.bands=[9]", "tuner.space.hold=[1, 2]"),
        *("tuner.space.inputs=[loudness]", "tuner.space.reverb=[reverb_free 0.01]"),
    ],
)


def example(number: int) -> bytes:
    features = {
        name: tf.train.Feature(float_list=tf.train.FloatList(value=values)) for name, values in tone(number).items()
    }
    features["recording"] = tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"tones.wav"]))
    features["start_seconds"] = tf.train.Feature(float_list=tf.train.FloatList(value=[float(number)]))
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


@pytest.fixture(scope="session")
def examples(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("examples")
    for split, numbers in (("train", range(5)), ("eval", range(20, 22))):
        (folder / f"Split-{split}").mkdir()
        with tf.io.TFRecordWriter(str(folder / f"Split-{split}" / "part-0.gz"), "GZIP") as writer:
            for number in numbers:
                writer.write(example(number))
    return folder


def custom_config(root: Path, **tuner) -> dict:
    sections = {name: getattr(CONFIG, name).model_dump(mode="json") for name in ("model", "audio", "loss", "trainer")}
    return sections | {
        "tuner": CONFIG.tuner.model_dump(mode="json") | tuner,
        "instrument": CONFIG.instrument.model_dump(mode="json"),
        "checkpoint_root": str(root),
        "source_fingerprint": "abc",
    }


@pytest.fixture
def fn_args(tmp_path, examples: Path) -> FnArgs:
    return FnArgs(
        train_files=[f"{examples}/Split-train/*"],
        eval_files=[f"{examples}/Split-eval/*"],
        custom_config=custom_config(tmp_path),
    )
