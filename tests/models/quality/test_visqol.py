"""ViSQOL as libsvm's users know it, without libsvm; level, length and what is broken cannot raise a score."""

import numpy as np
import pytest

from models.quality.support_vectors import SupportVectors
from models.quality.visqol import Visqol

RATE = 48000
BANDS = np.arange(32)


@pytest.mark.parametrize(
    ("similarity", "score"),  # of libsvm-official 3.37.0, `svm_predict` through visqol-python 3.8.0's own mapper
    [
        (np.ones(32), 4.732101253042348),
        (np.full(32, 0.9), 4.353370785252769),
        (np.full(32, 0.5), 2.870680629417051),
        (1 - BANDS / 64, 3.2279108927981683),
        (0.4 + BANDS / 64, 3.9447580880649693),
        (np.zeros(32), 1.5575247895373163),
        (0.8 + 0.15 * np.cos(BANDS), 3.982390916471719),
    ],
)
def test_support_vectors_give_what_libsvm_gives(similarity: np.ndarray, score: float):
    assert SupportVectors().predict_quality(similarity) == pytest.approx(score, abs=1e-9)


def test_a_model_of_another_kind_is_not_evaluated_as_if_it_were(tmp_path):
    (tmp_path / "model.txt").write_text("svm_type c_svc\nkernel_type linear\nSV\n")
    with pytest.raises(ValueError, match="radial"):
        SupportVectors(tmp_path / "model.txt")


def notes(harmonics: int) -> np.ndarray:
    """A scale in whole tones, two notes a second, 2 s."""
    time = np.arange(2 * RATE) / RATE
    phase = 2 * np.pi * np.cumsum(220 * 2 ** (np.floor(2 * time) / 6)) / RATE
    loud = 0.1 * (0.6 + 0.4 * np.sin(4 * np.pi * time))
    return loud * sum(np.sin(k * phase) / k for k in range(1, harmonics))


@pytest.fixture(scope="module")
def score() -> Visqol:
    return Visqol()


@pytest.mark.slow  # its compiled loops take ten seconds the first time
class TestVisqol:
    def test_scores_are_those_of_visqol_with_libsvm(self, score: Visqol):
        whole, dull = notes(30), notes(8)
        assert score(whole, whole, RATE) == pytest.approx(4.732101253042348, abs=1e-9)
        assert score(whole, dull, RATE) == pytest.approx(3.262350616795082, abs=1e-9)

    def test_no_level_of_either_changes_the_score(self, score: Visqol):
        whole, dull = notes(30), notes(8)
        softer = [score(10**-2 * whole, dull, RATE), score(whole, 10**-1.5 * dull, RATE)]
        assert softer == pytest.approx([score(whole, dull, RATE)] * 2, abs=1e-6)

    def test_audio_that_ends_early_scores_lower_than_whole_audio(self, score: Visqol):
        whole = notes(30)
        assert score(whole, whole[: RATE // 2], RATE) < 3 < score(whole, whole, RATE)

    def test_audio_at_a_lower_rate_is_compared_at_its_own_time_and_lacks_what_it_cannot_hold(self, score: Visqol):
        import soxr

        bright = notes(90)
        at = {rate: score(bright, soxr.resample(bright, RATE, rate), rate) for rate in (16000, 32000)}
        assert at[16000] < at[32000] < score(bright, bright, RATE)

    @pytest.mark.parametrize("broken", [np.zeros(2 * RATE), np.full(2 * RATE, np.nan), np.full(2 * RATE, np.inf)])
    def test_silence_and_values_that_are_no_numbers_score_lowest(self, score: Visqol, broken: np.ndarray):
        assert score(notes(30), broken, RATE) == 1.0

    def test_a_silent_original_is_an_error_and_not_a_perfect_score(self, score: Visqol):
        with pytest.raises(ValueError, match="silent"):
            score(np.zeros(2 * RATE), notes(30), RATE)
