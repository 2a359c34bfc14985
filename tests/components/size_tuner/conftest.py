"""A search small enough for seconds: tones of half a second, networks of a few channels."""

from pathlib import Path

import pytest
from tfx.components.trainer.fn_args_utils import FnArgs

from pipeline.configuration.loading import load
from tests.data.written_examples import write_examples
from tests.models.tones import tone

CONFIG = load(
    "violin",
    [
        *("audio.sample_rate=16000", "audio.window_seconds=0.5", "loss.fft_sizes=[256]"),
        *("trainer.batch_size=2", "trainer.eval_windows=2", "trainer.steps=60"),
        *("tuner.trials=4", "tuner.rungs=[40]", "tuner.keep=0.5", "tuner.lease_seconds=5.0"),
        "tuner.reference.decoder={kind: cnn, channels: 12, layers: 2, kernel: 2, dilation_cycle: 8, hold: 1}",
        *("tuner.space.architecture=[cnn]", "tuner.space.channels=[4, 8]", "tuner.space.layers=[1, 2]"),
        *("tuner.space.kernel=[2]", "tuner.space.harmonics=[8]", "tuner.space.bands=[9]", "tuner.space.hold=[1, 2]"),
        *("tuner.space.inputs=[loudness]", "tuner.space.reverb=[reverb_free 0.01]"),
    ],
)


@pytest.fixture(scope="session")
def examples(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("examples")
    for split, numbers in (("train", range(5)), ("eval", range(20, 22))):
        write_examples(folder / f"Split-{split}", ({**tone(number), "start_seconds": number} for number in numbers))
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
