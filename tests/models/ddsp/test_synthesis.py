"""Invariants of synthesised audio, for any network outputs."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from scipy import signal as scipy_signal

from common.acoustics.reverberation import late_tail
from models.ddsp import effects, filters, losses, oscillator, portable, spectral, synths
from models.ddsp.graph import DEFAULT_ENTRIES, ProcessorGraph

RATE, HOP = 16000, 64


def snr_db(value: Any, reference: Any) -> float:
    value, reference = np.asarray(value, np.float64), np.asarray(reference, np.float64)
    return 10 * np.log10(np.sum(reference**2) / max(np.sum((value - reference) ** 2), 1e-30))


def raw_outputs(graph: ProcessorGraph, frames: int, batch: int = 1, seed: int = 0) -> dict[str, tf.Tensor]:
    """Return outputs such as an untrained network might have, which change from frame to frame."""
    random = np.random.default_rng(seed)
    return {
        name: tf.constant(np.cumsum(random.normal(0, 0.2, (batch, frames, width)), axis=1), tf.float32)
        for name, width in graph.raw_outputs.items()
    }


def glide(frames: int, low: float = 200.0, high: float = 900.0, batch: int = 1) -> tf.Tensor:
    midway = np.geomspace(low, high, frames) * (1 + 0.01 * np.sin(np.arange(frames) / 3))
    return tf.constant(np.tile(midway[None, :, None], (batch, 1, 1)), tf.float32)


def sounding(entries: Any = DEFAULT_ENTRIES, frames: int = 100, batch: int = 1, **settings: Any):
    graph = ProcessorGraph(entries, **settings)
    f0 = glide(frames, batch=batch)
    controls = graph.get_controls(raw_outputs(graph, frames, batch), f0)
    return graph, controls, synths.white_noise(batch, frames * graph.hop, (1, 2))


def test_phase_is_exact_after_ten_minutes():
    """A float32 sum over the samples would be off by whole cycles here."""
    f0 = tf.fill([1, 150_000, 1], 1234.567)
    before, _ = oscillator.frame_phases(f0, HOP, RATE)
    exact = (np.arange(150_000) * HOP * np.float64(np.float32(1234.567)) / RATE) % 1
    error = before.numpy()[0] - exact
    assert np.abs((error + 0.5) % 1 - 0.5).max() < 1e-5


def test_nothing_sounds_above_nyquist():
    """A glide to 7.9 kHz would fold harmonics down as tones that are not multiples of f0."""
    synth = synths.Harmonic(20, RATE, HOP, "window")
    f0 = tf.fill([1, 250, 1], 3000.0)  # harmonics at 3 and 6 kHz; 9, 12 ... would alias to 7, 4 ...
    controls = synth.get_controls(tf.ones([1, 250, 1]), tf.ones([1, 250, 20]), f0)
    audio = synth.get_signal(**controls).numpy()[0]
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio))))
    hz = np.fft.rfftfreq(len(audio), 1 / RATE)
    tones = (np.abs(hz - 3000) < 20) | (np.abs(hz - 6000) < 20)
    assert np.sum(spectrum[~tones] ** 2) < 1e-8 * np.sum(spectrum**2)


def test_the_wave_has_no_step_where_frames_meet():
    graph, controls, noise = sounding(frames=200)
    audio = graph.get_signal(controls, noise)["harmonic"].numpy()[0]
    second = np.abs(np.diff(audio, 2))
    at_borders = second[HOP - 2 :: HOP].max()
    assert at_borders < 1.2 * second.max()
    assert at_borders < 3 * np.sort(second)[-len(second) // 100]


def test_a_steady_tone_has_the_amplitude_of_its_controls():
    synth = synths.Harmonic(1, RATE, HOP, "window")
    controls = {"amplitude": tf.fill([1, 250, 1], 0.5), "harmonic_distribution": tf.ones([1, 250, 1])}
    audio = synth.get_signal(**controls, f0_hz=tf.fill([1, 250, 1], 440.0)).numpy()
    assert np.sqrt(np.mean(audio**2)) == pytest.approx(0.5 / np.sqrt(2), rel=1e-3)


def test_filtered_noise_has_the_spectrum_of_its_magnitudes():
    magnitudes = np.tile(np.linspace(1.0, 0.1, 65), (1, 1000, 1)).astype(np.float32)
    audio = synths.FilteredNoise(65, HOP, -5.0).get_signal(
        tf.constant(magnitudes), synths.white_noise(1, 64000, (3, 4))
    )
    hz, power = scipy_signal.welch(audio.numpy()[0], RATE, nperseg=512)
    expected = np.interp(hz, np.linspace(0, 8000, 65), np.linspace(1.0, 0.1, 65)) ** 2 * (1 / 3) / 8000
    inside = slice(10, -10)
    assert np.abs(10 * np.log10(power[inside] / expected[inside])).max() < 2.0


def test_noise_is_the_same_for_the_same_seed_and_only_for_that():
    first, again, other = (synths.white_noise(2, 1000, seed) for seed in ((1, 2), (1, 2), (1, 3)))
    assert np.array_equal(first, again)
    assert np.abs(np.corrcoef(first[0], other[0])[0, 1]) < 0.2
    assert float(tf.reduce_min(first)) >= -1
    assert float(tf.reduce_max(first)) < 1


@pytest.mark.parametrize("taps", [1, 63, 4000])
@pytest.mark.parametrize("length", ["known", "unknown"])
def test_convolution_agrees_with_scipy(taps: int, length: str):
    random = np.random.default_rng(taps)
    audio, response = random.normal(size=(2, 3000)).astype(np.float32), random.normal(size=taps).astype(np.float32)
    run = filters.convolve
    if length == "unknown":
        run = tf.function(run, input_signature=[tf.TensorSpec([None, None]), tf.TensorSpec([taps])])
    expected = np.stack([scipy_signal.convolve(one, response)[:3000] for one in audio])
    assert snr_db(run(tf.constant(audio), tf.constant(response)), expected) > 100


@pytest.mark.parametrize(("size", "hop"), [(192, 64), (64, 64), (10, 4), (3, 5)])
def test_pieces_that_overlap_add_up_as_in_tensorflow_and_so_do_their_gradients(size: int, hop: int):
    pieces = tf.random.stateless_uniform([2, 7, size], (0, 0))

    def found(add):
        with tf.GradientTape() as tape:
            tape.watch(pieces)
            total = add(pieces, hop)[:, : 6 * hop + size]
            value = tf.reduce_sum(tf.sin(total))
        return total, tape.gradient(value, pieces)

    for own, plain in zip(found(filters.overlap_and_add), found(tf.signal.overlap_and_add), strict=True):
        np.testing.assert_allclose(own, plain, atol=1e-6)


@pytest.mark.parametrize("settings", [{}, {"sample_rate": 48000}, {"frame_rate": 50}, {"sample_rate": 32000}])
@pytest.mark.parametrize("noise", [{"bands": 65}, {"bands": 193}, {"bands": 24, "spacing": "erb"}])
def test_chunk_by_chunk_equals_the_whole(settings: dict[str, int], noise: dict[str, Any]):
    """Whatever the rates, and where a long noise filter makes the latency more than a hop."""
    entries = [dict(entry) for entry in DEFAULT_ENTRIES]
    entries[1].update(noise)
    graph, controls, white = sounding(entries, frames=60, batch=2, **settings)
    whole = graph.get_dry(controls, white)
    state, parts, start = graph.initial_state(2), [], 0
    for count in (1, 1, 2, 7, 1, 20, 28):
        chunk = {name: value[:, start : start + count] for name, value in controls.items()}
        samples = slice(start * graph.hop, (start + count) * graph.hop)
        part, state = graph.step(chunk, state, white[:, samples])
        parts.append(part)
        start += count
    streamed = np.concatenate(parts, axis=1)
    late = graph.latency
    assert late % graph.hop == 0
    np.testing.assert_allclose(streamed[:, late:], whole[:, : whole.shape[1] - late], atol=1e-4)
    np.testing.assert_allclose(streamed[:, :late], 0, atol=1e-4)  # nothing but the filters rising


def test_a_basis_made_beforehand_gives_the_same_sound():
    graph, controls, noise = sounding(batch=2)
    basis = graph.basis(controls["f0_hz"])
    assert basis.shape[-1] <= 60
    assert snr_db(graph.get_dry(controls, noise, basis), graph.get_dry(controls, noise)) > 120


def test_harmonics_above_nyquist_everywhere_are_not_computed():
    assert synths.Harmonic(60, RATE, HOP, "window").basis(tf.fill([1, 10, 1], 800.0)).shape[-1] <= 11


@pytest.mark.parametrize("settings", [{}, {"sample_rate": 48000}, {"frame_rate": 125}])
@pytest.mark.parametrize("spacing", ["linear", "erb"])
def test_portable_operations_give_the_same_sound(settings: dict[str, int], spacing: str):
    entries = [DEFAULT_ENTRIES[0], {**DEFAULT_ENTRIES[1], "bands": 33, "spacing": spacing}, *DEFAULT_ENTRIES[2:]]
    graph, controls, noise = sounding(entries, frames=333, **settings)
    assert snr_db(portable.dry_signal(graph, controls, noise), graph.get_dry(controls, noise)) > 60


def test_portable_phase_holds_for_a_minute_in_float32():
    entries = [{"name": "harmonic", "type": "harmonic", "harmonics": 7, "envelope": "window"}]
    graph = ProcessorGraph(entries)
    frames = 15_000
    f0 = tf.constant(1000.0 + 3.0 * np.sin(np.arange(frames) / 50.0)[None, :, None], tf.float32)
    distribution = tf.ones([1, frames, 7]) / 7
    controls = {"amplitude": tf.ones([1, frames, 1]), "harmonic_distribution": distribution, "f0_hz": f0}
    end = slice(-RATE, None)  # the last second
    value = portable.dry_signal(graph, controls, tf.zeros([1, frames * HOP]))[0, end]
    assert snr_db(value, graph.get_dry(controls)[0, end]) > 60


@pytest.mark.parametrize("hz", [1000.0, 440.1, 123.457])
def test_portable_phase_of_a_steady_tone_does_not_drift_in_a_minute(hz: float):
    """A steady f0 is the hard case: every addition rounds the same way. The reference is float64 throughout."""
    graph, frames = ProcessorGraph([{"name": "harmonic", "type": "harmonic", "harmonics": 1}]), 15_000
    controls = {name: tf.ones([1, frames, 1]) for name in graph.raw_outputs} | {"f0_hz": tf.fill([1, frames, 1], hz)}
    cycles = np.arange(1, frames * HOP + 1) * float(np.float32(hz)) / RATE
    value = portable.dry_signal(graph, controls, tf.zeros([1, frames * HOP]))[0]
    assert snr_db(value, np.sin(2 * np.pi * (cycles % 1))) > 80


def test_portable_operations_are_those_that_browsers_have():
    graph, controls, _ = sounding(frames=50)
    names = list(controls)

    @tf.function
    def dry(*values: tf.Tensor) -> tf.Tensor:
        return portable.dry_signal(graph, dict(zip(names, values[:-1], strict=True)), values[-1])

    specs = [tf.TensorSpec([1, None, controls[name].shape[-1]]) for name in names] + [tf.TensorSpec([1, None])]
    concrete = dry.get_concrete_function(*specs)
    used = {node.op for node in concrete.graph.as_graph_def().node}
    forbidden = ("FFT", "Complex", "Random", "Roll", "Einsum", "While", "Double", "String")
    assert not [op for op in used if any(word in op for word in forbidden)]
    assert not [
        node.name for node in concrete.graph.as_graph_def().node if node.attr["T"].type == tf.float64.as_datatype_enum
    ]


@pytest.mark.parametrize("kind", ["reverb_free", "reverb_exponential", "reverb_filtered_noise", "reverb_early_late"])
def test_reverbs_share_one_interface_and_learn(kind: str):
    entries = [*DEFAULT_ENTRIES[:3], {"name": "reverb", "type": kind, "seconds": 0.2, "inputs": ["dry"]}]
    graph, controls, noise = sounding(entries)
    ir = graph.reverb.ir()
    assert ir.shape == [3200]
    assert float(ir[0]) == 0
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(graph.get_signal(controls, noise)["reverb"] ** 2)
    gradients = tape.gradient(loss, graph.trainable_variables)
    assert len(gradients) >= 1
    assert all(float(tf.reduce_max(tf.abs(gradient))) > 0 for gradient in gradients)


def test_an_exponential_reverb_decays():
    ir = effects.ExponentialDecayReverb(8000).ir().numpy()
    assert np.sum(ir[:800] ** 2) > 5 * np.sum(ir[800:1600] ** 2) > 0


def test_a_room_with_a_late_tail_starts_inaudible_and_its_gradients_are_bounded_whatever_its_decay_times():
    reverb = effects.EarlyLateReverb(8000, early_taps=800, bands=4, sample_rate=16000)
    assert float(tf.reduce_sum(reverb.ir() ** 2)) < 1e-8
    np.testing.assert_allclose(reverb.shipped()["decay_seconds"], 0.5)
    reverb.level.assign([0.01, 0.02, -0.02, 0.01])
    audio = synths.white_noise(1, 16000, (1, 2))
    for decay in (-1.0, -0.2, 0.0, 0.2, 1.0):
        reverb.decay.assign(tf.fill([4], decay))
        with tf.GradientTape() as tape:
            value = tf.reduce_mean(reverb.get_signal(audio) ** 2)
        gradients = tape.gradient(value, reverb.trainable_variables)
        assert all(np.isfinite(gradient).all() and np.abs(gradient).max() < 100 for gradient in gradients)


def test_a_room_with_a_late_tail_is_its_early_taps_and_then_noise_of_the_stated_levels_and_decay_times():
    reverb = effects.EarlyLateReverb(8000, early_taps=800, bands=4, sample_rate=16000)
    reverb.early.assign(np.linspace(0.1, 0.2, 800))
    reverb.level.assign([0.01, 0.02, -0.02, 0.01])
    reverb.decay.assign([0.05, 0.0, -0.05, -0.1])
    ir = reverb.ir().numpy()
    np.testing.assert_allclose(ir[1:800], np.linspace(0.1, 0.2, 800)[1:], rtol=1e-6)
    decays = 0.5 * np.exp([1.0, 0.0, -1.0, -2.0])
    np.testing.assert_allclose(reverb.shipped()["decay_seconds"], decays, rtol=1e-5)
    assert snr_db(ir[800:], late_tail([0.01, 0.02, -0.02, 0.01], decays, 7200, 16000)) > 100
    with pytest.raises(ValueError, match="800 early taps of 800 leave none for a late tail"):
        effects.EarlyLateReverb(800, early_taps=800, bands=4, sample_rate=16000)


def test_gradients_are_finite_on_silence_and_reach_every_raw_output():
    graph = ProcessorGraph()
    raw, loss = raw_outputs(graph, 50), losses.SpectralLoss()
    targets = loss.target(tf.zeros([1, 50 * HOP]))
    with tf.GradientTape() as tape:
        tape.watch(raw)
        controls = graph.get_controls(raw, glide(50))
        value = loss(targets, graph.get_signal(controls, tf.zeros([1, 50 * HOP]))["reverb"])
    gradients = tape.gradient(value, {name: raw[name] for name in ("amplitude", "harmonic_distribution")})
    assert all(np.isfinite(gradient).all() and np.any(gradient) for gradient in gradients.values())
    silent = tf.zeros([1, 50 * HOP])
    with tf.GradientTape() as tape:
        tape.watch(silent)
        value = loss(targets, silent)
    assert np.isfinite(tape.gradient(value, silent)).all()


def test_the_stft_gradient_is_that_of_the_plain_operations():
    random = np.random.default_rng(0)
    audio = tf.constant(random.normal(size=(2, 1000)), tf.float32)
    weights = tf.constant(random.normal(size=(2, 16, 129)), tf.float32)

    def gradient(magnitude: Any) -> np.ndarray:
        with tf.GradientTape() as tape:
            tape.watch(audio)
            value = tf.reduce_sum(weights * magnitude(audio))
        return tape.gradient(value, audio).numpy()

    plain = gradient(lambda x: tf.abs(tf.signal.stft(x, 256, 64, 256, pad_end=True)))
    np.testing.assert_allclose(gradient(lambda x: spectral.stft_magnitude(x, 256)), plain, atol=1e-3)


@pytest.mark.parametrize("rate", [16000, 32000, 48000])
def test_loudness_of_a_tone_does_not_depend_on_the_sample_rate(rate: int):
    """The window is 32 ms at every rate, so only the mean over more bins makes a difference, of a known size."""
    time = np.arange(rate) / rate
    tone = tf.constant(0.5 * np.sin(2 * np.pi * 1000 * time)[None], tf.float32)
    middle = float(spectral.loudness_db(tone, rate)[0, 100])
    size, base = rate * 32 // 1000, 512
    expected = 19.8 - 6.02 + 20 * np.log10(size / base) - 10 * np.log10((size // 2 + 1) / (base // 2 + 1))
    assert middle == pytest.approx(expected, abs=0.2)
