"""Functions that ddsp 3.7.0 defines too agree with its values, at the tolerances that its own float32 leaves."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from models.ddsp import core, effects, filters, losses, oscillator, spectral, synths

Arrays = Mapping[str, np.ndarray]
Golden = Callable[[str], Arrays]


def close(value: Any, expected: np.ndarray, atol: float, rtol: float = 0.0) -> None:
    np.testing.assert_allclose(np.asarray(value), expected, rtol=rtol, atol=atol)


def test_golden_scaling(golden: Golden):
    g = golden("scaling")
    close(core.exp_sigmoid(g["x"]), g["exp_sigmoid"], 1e-6)
    close(core.exp_sigmoid(g["x"], exponent=5.0, max_value=1.0, threshold=1e-5), g["exp_sigmoid_e5_m1"], 1e-6)
    close(core.exp_sigmoid(g["x"] - 5.0), g["exp_sigmoid_minus5"], 1e-6)
    close(core.scale_db(g["db"]), g["scale_db"], 1e-6)
    close(core.unscale_db(g["scale_db"]), g["inv_scale_db"], 1e-4)
    close(core.hz_to_midi(g["hz"]), g["hz_to_midi"], 1e-4)
    close(core.scale_f0_hz(g["hz"]), g["scale_f0_hz"], 1e-6)
    close(core.unscale_f0_hz(g["scale_f0_hz"]), g["inv_scale_f0_hz"], 1e-4, rtol=1e-5)
    close(core.midi_to_hz(g["midi"]), g["midi_to_hz"], 1e-6, rtol=2e-6)
    close(core.amplitude_to_db(g["amplitude"]), g["amplitude_to_db"], 1e-4)
    close(core.power_to_db(g["amplitude"]), g["power_to_db"], 1e-4)
    close(core.safe_log(g["amplitude"]), g["safe_log"], 1e-6, rtol=1e-6)


def test_golden_resample(golden: Golden):
    g = golden("resample")
    for method in ("nearest", "linear", "cubic", "window"):
        close(core.resample(g["x"], 3200, method), g[f"x_to_3200_{method}"], 5e-6)
    for method in ("linear", "cubic", "window"):
        close(core.resample(g["x"], 3136, method, add_endpoint=False), g[f"x_to_3136_{method}_no_endpoint"], 2e-5)
    f0, envelope = g["f0"][np.newaxis, :, np.newaxis], g["env"][np.newaxis, :, np.newaxis]
    close(core.resample(f0, 8000)[0, :, 0], g["f0_to_8000_linear"], 5e-6, rtol=1e-6)
    for method in ("window", "linear"):
        close(core.resample(envelope, 8000, method)[0, :, 0], g[f"env_to_8000_{method}"], 5e-6)
    close(core.resample(envelope, 50)[0, :, 0], g["env_down_to_50_linear"], 5e-6)
    close(core.resample(g["x"], 50), g["x_same_50_linear"], 5e-6)


def test_golden_angular_cumsum(golden: Golden):
    g = golden("angular_cumsum")
    hz = tf.constant(g["omega"] * (16000 / (2 * np.pi)))  # one frame a sample
    phase, _, _ = oscillator.sample_phases(hz, 1, 16000)
    error = 2 * np.pi * phase.numpy() - g["exact_float64_mod_2pi"]
    assert np.abs((error + np.pi) % (2 * np.pi) - np.pi).max() < 3e-2


HARMONICS = ["k60_melody_window", "k100_sweep_window", "k20_high_window", "k1_low_linear", "k60_hop320_linear"]


@pytest.mark.parametrize("name", HARMONICS)
def test_golden_harmonic(golden: Golden, name: str):
    g = golden(f"harmonic_{name}")
    frames, harmonics = g["harmonic_distribution_raw"].shape[1:]
    hop = int(g["n_samples"]) // frames
    synth = synths.Harmonic(harmonics, int(g["sample_rate"]), hop, str(g["amp_resample_method"]))
    f0 = tf.constant(g["f0_hz"])
    controls = synth.get_controls(tf.constant(g["amps_raw"]), tf.constant(g["harmonic_distribution_raw"]), f0)
    close(controls["amplitude"], g["amplitudes"], 1e-6)
    close(controls["harmonic_distribution"], g["harmonic_distribution"], 1e-6)
    everywhere = synths.normalise_harmonics(core.exp_sigmoid(g["harmonic_distribution_raw"]), f0, None)
    close(everywhere, g["harmonic_distribution_not_bandlimited"], 1e-6)
    close(synth.get_signal(**controls), g["signal_float64"], 1e-2)


def test_golden_harmonic_streaming(golden: Golden):
    """ddsp glides to a new frame in the first half of its hop and holds it in the second: two frames of half a hop."""
    g = golden("harmonic_streaming")
    half = int(g["hop"]) // 2
    weights = oscillator.envelope_weights("linear", half)
    before = np.zeros(1)
    for frame, (audio, after) in enumerate(zip(g["audio_frames"], g["final_phase"], strict=True)):
        f0, amplitude, distribution = (
            tf.constant(g[name][:, frame : frame + 2]) for name in ("f0_hz", "amplitudes", "harmonic_distribution")
        )
        distribution = synths.normalise_harmonics(distribution, f0, 16000)
        phase, hz, final = oscillator.sample_phases(f0, half, 16000, tf.constant(before / (2 * np.pi)))
        everything = tf.zeros_like(hz)  # ddsp does not compare with Nyquist at every sample when it streams
        basis = oscillator.harmonic_basis(phase, everything, 60, 16000)
        close(oscillator.weighted_sum(basis, amplitude * distribution, weights)[0], audio, 1e-3)
        error = 2 * np.pi * final.numpy()[0] - after
        assert abs((error + np.pi) % (2 * np.pi) - np.pi) < 1e-3
        before = np.array([after], np.float64)


def test_golden_filtered_noise_65(golden: Golden):
    g = golden("filtered_noise_65")
    synth = synths.FilteredNoise(65, 64, float(g["initial_bias"]))
    controls = synth.get_controls(tf.constant(g["noise_magnitudes_raw"]))
    close(controls["noise_magnitudes"], g["magnitudes"], 1e-6)
    responses = filters.impulse_response(controls["noise_magnitudes"])
    close(responses, g["impulse_response"], 1e-7, rtol=1e-5)
    close(synth.get_signal(noise=tf.constant(g["white_noise"]), **controls), g["signal"], 1e-7, rtol=1e-5)
    whole = filters.convolve_frames(tf.constant(g["white_noise"]), responses, 64)
    delay = filters.group_delay(128)  # ddsp's "valid" is cut at the front too, and zeros replace it at the end
    close(whole[:, delay:], g["signal_valid"][:, : whole.shape[1] - delay], 1e-7, rtol=1e-5)


@pytest.mark.parametrize(("name", "window"), [("win257_b65", 257), ("win31_b65", 31), ("win0_b9", 0), ("win0_b33", 0)])
def test_golden_filtered_noise_other(golden: Golden, name: str, window: int):
    g = {key.removeprefix(f"{name}_"): value for key, value in golden("filtered_noise_other").items()}
    responses = filters.impulse_response(tf.constant(g["magnitudes"]), window)
    close(responses, g["impulse_response"], 1e-5)
    samples = g["white_noise"].shape[1]
    signal = filters.convolve_frames(tf.constant(g["white_noise"]), responses, samples // responses.shape[1])
    delay = filters.group_delay(responses.shape[2])
    close(signal[:, delay : delay + samples], g["signal"], 1e-5)


def test_golden_reverb(golden: Golden):
    g = golden("reverb")
    reverb = effects.FreeReverb(len(g["ir"]))
    reverb.response.assign(g["ir"])
    close(reverb.get_signal(tf.constant(g["audio"])), g["signal"], 1e-5)
    close(reverb.get_signal(tf.constant(g["audio"])) - g["audio"], g["wet_only"], 1e-5)
    close(reverb.get_signal(tf.constant(g["audio_short"])), g["signal_short"], 1e-5)


def test_golden_loudness(golden: Golden):
    g = golden("loudness")
    audio = tf.constant(g["audio"])
    for padding in ("center", "same", "valid"):
        close(spectral.loudness_db(audio, padding=padding), g[f"loudness_{padding}"], 1e-3)
        close(spectral.rms_energy(audio, padding=padding), g[f"rms_{padding}"], 1e-6)
        close(spectral.power_db(audio, padding=padding), g[f"power_{padding}"], 1e-3)
    close(spectral.loudness_db(audio, n_fft=2048), g["loudness_center_nfft2048"], 1e-3)
    close(spectral.power_db(audio, frame_rate=50, frame_size=1024), g["power_center_50hz_1024"], 1e-3)
    for name in ("silence", "sine_1k"):
        close(spectral.loudness_db(tf.constant(g[name])), g[f"loudness_{name}"], 1e-3)
        close(spectral.power_db(tf.constant(g[name])), g[f"power_{name}"], 1e-3)


ALL_TERMS = {
    "delta_time_weight": 0.5,
    "delta_freq_weight": 0.25,
    "cumsum_freq_weight": 0.125,
    "loudness_weight": 0.1,
}


@pytest.mark.parametrize(("pair", "other"), [("noisy", "b"), ("clipped", "c"), ("silence", None), ("same", "a")])
def test_golden_spectral_loss(golden: Golden, pair: str, other: str | None):
    g = golden("spectral_loss")
    target, value = tf.constant(g["a"]), tf.constant(g[other] if other else np.zeros_like(g["a"]))

    def loss(**settings: Any) -> float:
        made = losses.SpectralLoss(**settings)
        mean = float(made(made.target(target), value))
        assert float(tf.reduce_mean(made.per_example(made.target(target), value))) == pytest.approx(
            mean, rel=1e-5, abs=1e-5
        )
        return mean

    def matches(value: float, name: str, rtol: float = 1e-5) -> None:
        assert value == pytest.approx(float(g[f"{pair}_{name}"]), rel=rtol, abs=1e-6), name

    matches(loss(), "mag_logmag")
    matches(loss(logmag_weight=0.0), "mag")
    matches(loss(mag_weight=0.0), "logmag")
    matches(loss(kind="L2"), "L2", rtol=2e-4)
    matches(loss(**ALL_TERMS), "all_terms", rtol=2e-4)
    for index, size in enumerate(g["fft_sizes"]):
        for term, off in (("mag", "logmag"), ("logmag", "mag")):
            expected = float(g[f"{pair}_{term}_per_size"][index])
            assert loss(fft_sizes=[int(size)], **{f"{off}_weight": 0.0}) == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_golden_spectral_loss_gradient(golden: Golden):
    g = golden("spectral_loss")
    loss = losses.SpectralLoss()
    targets, audio = loss.target(tf.constant(g["a"])), tf.constant(g["b"])
    with tf.GradientTape() as tape:
        tape.watch(audio)
        value = loss(targets, audio)
    expected = g["noisy_grad_b"]
    close(tape.gradient(value, audio), expected, 1e-2 * np.abs(expected).max())


def test_golden_stft_mag(golden: Golden):
    g = golden("stft_mag")
    for size in (2048, 256, 64):
        magnitude = spectral.stft_magnitude(tf.constant(g["audio"]), size)
        close(magnitude, g[f"mag_{size}"], 1e-3)
        audible = g[f"mag_{size}"] > 1e-3
        close(core.safe_log(magnitude).numpy()[audible], g[f"logmag_{size}"][audible], 1e-2)


def test_golden_mfcc_logmel(golden: Golden):
    g = golden("mfcc_logmel")
    close(spectral.mfcc(tf.constant(g["audio"]), coefficients=30), g["mfcc_1024_128_30"], 1e-3)
    close(spectral.log_mel(tf.constant(g["audio"])), g["logmel_2048_64"], 1e-3)


def test_golden_full_chain(golden: Golden):
    g = golden("full_chain")
    harmonic, noise = synths.Harmonic(60, 16000, 64, "window"), synths.FilteredNoise(65, 64, -5.0)
    reverb = effects.FreeReverb(len(g["ir"]))
    reverb.response.assign(g["ir"])
    controls = harmonic.get_controls(
        *(tf.constant(g[name]) for name in ("amps_raw", "harmonic_distribution_raw", "f0_hz"))
    )
    magnitudes = noise.get_controls(tf.constant(g["noise_magnitudes_raw"]))
    filtered = noise.get_signal(noise=tf.constant(g["white_noise"]), **magnitudes)
    close(filtered, g["noise"], 1e-6)
    audio = reverb.get_signal(harmonic.get_signal(**controls) + filtered)
    close(audio, g["audio_float64"], 2e-2)
    loss = losses.SpectralLoss()
    value = float(loss(loss.target(tf.constant(g["target_audio"])), audio))
    assert value == pytest.approx(float(g["spectral_loss_float64"]), rel=1e-3)
