"""ViSQOL in TFMA: once a window, on the windows that have an original, for every model; no score without one."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.evaluator.against_original import AgainstOriginal
from data.windows.examples import serialize
from data.windows.originals import ORIGINAL_RATE, pack
from models.quality.judged import digest, judged_examples
from tests.data.sounds import tone

pytestmark = pytest.mark.slow

SOUND = tone(440.0, 1.5, ORIGINAL_RATE, 30)
NOISE = np.random.default_rng(0).normal(0, 0.1, len(SOUND)).astype(np.float32)


def computed(windows: list[dict[str, Any]], models: list[str]) -> dict[tuple[str, str], float]:
    """What TFMA's machinery would find, by name and model."""
    [computation] = AgainstOriginal(ORIGINAL_RATE).computations(model_names=models)
    [preprocessor] = computation.preprocessors
    preprocessor.setup()
    total = computation.combiner.create_accumulator()
    for window in windows:
        for scores in preprocessor.process(window):
            total = computation.combiner.merge_accumulators(
                [total, computation.combiner.add_input(computation.combiner.create_accumulator(), scores)]
            )
    return {(key.name, key.model_name): value for key, value in computation.combiner.extract_output(total).items()}


def window(predictions: dict[str, Any], with_original: bool = True) -> dict[str, Any]:
    features = {"original": np.array([pack(SOUND)], object)} if with_original else {}
    return {"features": features, "predictions": predictions}


def test_a_good_model_scores_higher_than_its_baseline_and_windows_without_an_original_do_not_count():
    outputs = {"audio": SOUND, "baseline_audio": NOISE}
    found = computed([window(outputs), window({"audio": NOISE, "baseline_audio": NOISE}, False)], [""])
    assert found["visqol", ""] == pytest.approx(4.73, abs=0.01)
    assert found["baseline_visqol", ""] < 3
    assert found["judged_windows", ""] == 1


def test_the_last_blessed_model_is_scored_on_the_same_windows_even_if_it_gives_no_baseline():
    both = {"candidate": {"audio": SOUND, "baseline_audio": NOISE}, "last_blessed": {"audio": NOISE}}
    found = computed([window(both)], ["candidate", "last_blessed"])
    assert found["visqol", "last_blessed"] == found["baseline_visqol", "candidate"] < found["visqol", "candidate"]
    assert np.isnan(found["baseline_visqol", "last_blessed"])


@pytest.mark.parametrize("features", [{}, {"original": None}, {"original": np.array([], object)}])
def test_no_originals_give_no_score(features: dict[str, Any]):
    outputs = {"audio": SOUND, "baseline_audio": NOISE}
    found = computed([{"features": features, "predictions": outputs}], [""])
    assert np.isnan(found["visqol", ""])
    assert found["judged_windows", ""] == 0


def test_the_name_of_the_judged_windows_changes_with_them_and_not_with_their_order(tmp_path: Path):
    import tensorflow as tf

    def name(*windows: tuple[str, float, bool]) -> str:
        file = str(tmp_path / f"{len(list(tmp_path.iterdir()))}.gz")
        with tf.io.TFRecordWriter(file, "GZIP") as writer:
            for one, start, judged in windows:
                packed = {"original": pack(SOUND)} if judged else {}
                writer.write(serialize({"start_seconds": [start]}, {"recording_id": one}, packed))
        return digest(judged_examples([file]))

    first = name(("aa", 0.0, True), ("bb", 4.0, True), ("bb", 8.0, False))
    assert name(("bb", 4.0, True), ("aa", 0.0, True)) == first
    assert name(("bb", 8.0, True), ("aa", 0.0, True)) != first
