"""The model card: a bundle's README.md, made from its manifest."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bundles.manifest import FORMAT_VERSION, MANIFEST_FILE, Manifest

METRICS = {
    "spectral_loss": ("Multi-scale spectral loss", ""),
    "baseline_spectral_loss": ("That loss of the network-free baseline", ""),
    "loss_over_baseline": ("Loss as a share of the baseline's", ""),
    "loss_over_reference": ("Loss as a share of the full-size reference's", ""),
    "visqol": ("ViSQOL against the original at 48 kHz, of 4.73", ""),
    "baseline_visqol": ("The same of the network-free baseline", ""),
    "judged_windows": ("Windows judged against the original", ""),
    "octave_error_db": ("Largest level error of an octave band", " dB"),
    "f0_error_cents": ("Median f0 error of the generated audio", " cents"),
    "loudness_l1_db": ("Mean loudness error where it is not silent", " dB"),
    "windows": ("Windows evaluated", ""),
}


def model_card(manifest: Manifest) -> str:
    """Write the model card in Markdown. Names and texts come from users: none of them can become markup.

    Args:
      manifest: with or without the card's own entry in `files`.
    """
    instrument = manifest["instrument"]
    parts = [
        f"# {plain(instrument['title'])}",
        plain(instrument["description"]),
        "A neural instrument for the browser: it turns pitch and loudness, such as those of a voice, into the sound of"
        " this instrument.",
        "## Trained on\n\n" + _training(manifest),
        "## Credits\n\n" + _credits(instrument),
        "## Measured\n\n" + _metrics(manifest.get("metrics")),
        "## Limits\n\n" + _limits(manifest),
        "## Loading it\n\n" + _loading(manifest),
        "## Made from\n\n" + _provenance(manifest),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def plain(text: str) -> str:
    """Escape a text, on one line, so that nothing in it is Markdown or HTML."""
    text = " ".join(text.split())
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = re.sub(r"([\\`*_{}\[\]()#+!|~$])", r"\\\1", text)
    return re.sub(r"^(\d+)([.)])|^([-=])", r"\1\\\2\3", text)


def _training(manifest: Manifest) -> str:
    data, training = manifest["data"], manifest["training"]
    lines = [
        f"{data['recordings']} recordings, {data['seconds'] / 60:.1f} minutes in"
        f" {data['train_windows']} windows ({data['eval_windows']} more kept for evaluation).",
    ]
    if "steps" in training:
        lines.append(f"{training['steps']} steps.")
    if training.get("reference"):
        size = sum(math.prod(tensor["shape"]) for tensor in manifest["network"]["tensors"])
        lines.append(
            f"Its sizes were chosen by a sweep: a network of {size:,} weights, held against a full-size model of"
            f" {training['reference']['parameters']:,.0f} parameters."
        )
    return " ".join(lines)


def _credits(instrument: Mapping[str, Any]) -> str:
    rows = [
        (plain(credit["work"]), plain(credit["by"]), plain(credit["licence"]), plain(credit["source"]))
        for credit in instrument["credits"]
    ]
    listed = _table(("Recording", "By", "Licence", "Source"), rows) if rows else "No credits are given."
    return f"{listed}\n\nThe model's own licence: {plain(instrument['licence'])}."


def _metrics(metrics: Mapping[str, float] | None) -> str:
    if not metrics:
        return "Not evaluated yet."
    known = [(text, f"{metrics[name]:.4g}{unit}") for name, (text, unit) in METRICS.items() if name in metrics]
    return "On recordings that it never trained on, with the weights that are in this folder.\n\n" + _table(
        ("Measure", "Value"), known
    )


def _limits(manifest: Manifest) -> str:
    pitch, loudness = manifest["statistics"]["pitch_note"], manifest["statistics"]["loudness_note"]
    return "\n".join(
        [
            f"- It was trained on notes from {_note(pitch['min'])} to {_note(pitch['max'])} and loudness from"
            f" {loudness['min']:.0f} to {loudness['max']:.0f} dB: outside, it guesses.",
            "- One note at a time: chords and several voices at once are beyond it.",
            f"- It sounds up to {manifest['audio']['sample_rate'] / 2000:g} kHz and like the room it was recorded in.",
            "- It imitates a timbre, not a player: articulation comes from the pitch and loudness that it is given.",
        ]
    )


def _note(midi: float) -> str:
    names = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
    number = round(midi)
    return plain(f"{names[number % 12]}{number // 12 - 1}")


def _loading(manifest: Manifest) -> str:
    controls, full = manifest["graphs"]["controls"], manifest["graphs"]["full"]
    inputs = ", ".join(f"`{tensor['name']}`" for tensor in controls["inputs"])
    call = "predictAsync" if controls["dynamic"] else "predict"
    wait = "await " if controls["dynamic"] else ""
    return "\n".join(
        [
            f"`{controls['model']}` gives the synthesiser's controls from {inputs} (float32 [1, T, 1] at"
            f" {manifest['audio']['frame_rate']} frames a second); `{full['model']}` gives dry audio and takes `noise`"
            f" (uniform in [-1, 1], [1, T * {manifest['audio']['hop']}]) besides.",
            "",
            "```js",
            f'const model = await tf.loadGraphModel("{full["model"]}");',
            f"const {{ audio }} = {wait}model.{call}({{ {', '.join(tensor['name'] for tensor in full['inputs'])} }});",
            "```",
            "",
            f"`{MANIFEST_FILE}` (format {FORMAT_VERSION}) has all that an engine needs: shapes, the synthesiser, the"
            " offset of each tensor of the network in the weights, statistics of the recordings, sizes and hashes.",
        ]
    )


def _provenance(manifest: Manifest) -> str:
    return _table(
        ("What", "Which"),
        [
            ("Recordings", f"`{manifest['data']['fingerprint']}`"),
            ("Configuration", f"`{manifest['configuration_hash']}`"),
            ("Code", plain(manifest["source_revision"])),
            ("Precision of the weights", manifest["precision"]),
        ],
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
