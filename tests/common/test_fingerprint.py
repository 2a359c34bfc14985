"""A stage's fingerprint changes with every file that the stage depends on, and with no other."""

import subprocess
from pathlib import Path

import pytest

from common import fingerprint, sources
from common.fingerprint import source_fingerprint

MODULES = {
    "components/__init__.py": "",
    "components/gate.py": "import json\n\nfrom common.verdict import Verdict\nfrom models import loss\n",
    "common/verdict.py": "if TYPE_CHECKING:\n    from common.report import Report\n",
    "common/report.py": "class Report: ...\n",
    "models/__init__.py": "",
    "models/loss.py": "RUN = 'models.train.run_fn'\n\n\ndef late():\n    from models.late import x\n",
    "models/train.py": "SCHEMA = Path(__file__).with_name('schema.json')\n",
    "models/schema.json": "{}",
    "models/late.py": "x = 1\n",
    "models/other.py": "import components.gate\n",
    "web/vite.config.ts": 'const input = "validator/index.html", kernels = new URL("kernels/", import.meta.url);\n',
    "web/validator/index.html": '<script type="module" src="./page.ts"></script>\n',
    "web/validator/page.ts": 'import "../chromium.ts";\nimport "@tensorflow/tfjs-core";\n',
    "web/chromium.ts": "export const FLAGS = [];\n",
    "web/kernels/index.ts": "export {};\n",
    "web/dist/chromium.ts": "// built\n",
    "web/page/main.ts": 'import "../chromium.ts";\n',
}
OF_THE_GATE = {
    *("components/__init__.py", "components/gate.py", "common/verdict.py"),
    *("models/__init__.py", "models/loss.py", "models/train.py", "models/schema.json", "models/late.py"),
}
OF_THE_VALIDATOR = {
    *("web/vite.config.ts", "web/validator/index.html", "web/validator/page.ts", "web/chromium.ts"),
    "web/kernels/index.ts",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sources, "ROOT", tmp_path)
    for name, text in MODULES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("entry", "closure"), [("components.gate", OF_THE_GATE), ("web/vite.config.ts", OF_THE_VALIDATOR)]
)
def test_a_change_of_any_file_in_the_closure_changes_it_and_no_other_does(
    project: Path, entry: str, closure: set[str]
) -> None:
    before = source_fingerprint(entry)
    for name, text in MODULES.items():
        (project / name).write_text(text + "\n")
        assert (source_fingerprint(entry) != before) == (name in closure), name
        (project / name).write_text(text)
    assert source_fingerprint(entry) == before


def test_other_forms_of_reference_are_followed(project: Path) -> None:
    forms = {
        "models/relative.py": "from .late import x\n",
        "models/relative_package.py": "from . import late\n",
        "models/method.py": "HOOK = 'models.late.Class.method'\n",
        "models/program.py": "COMMAND = 'python -m models.late'\n",
        "models/below.py": "TABLE = parent / 'tables/table.json'\n",
        "models/build.py": "BUILD = 'web/vite.config.ts'\n",
        "web/worker.ts": 'import url from "./chromium.ts?worker&url"; // an engine\'s, as "./chromium.ts" is\n',
        "web/plain.ts": 'import { FLAGS } from "./chromium";\n',
    }
    (project / "models" / "tables").mkdir()
    (project / "models" / "tables" / "table.json").write_text("{}")
    for name, text in forms.items():
        (project / name).write_text(text)
    named = {
        "models/below.py": "models/tables/table.json",
        "models/build.py": "web/chromium.ts",
        "web/worker.ts": "web/chromium.ts",
        "web/plain.ts": "web/chromium.ts",
    }
    for name in forms:
        assert project / named.get(name, "models/late.py") in sources.source_files(f"./{name}"), name


def test_what_does_not_run_on_import_is_not_followed(project: Path) -> None:
    (project / "components" / "__init__.py").write_text("def __getattr__(name):\n    import models.other\n")
    assert project / "models" / "other.py" not in sources.source_files("components.gate")


def test_an_import_that_leads_nowhere_is_an_error(project: Path) -> None:
    (project / "web" / "chromium.ts").write_text('import { FLAGS } from "./flags.ts";\n')
    with pytest.raises(FileNotFoundError, match=r"chromium\.ts: imports \./flags\.ts"):
        source_fingerprint("web/vite.config.ts")


def test_a_new_import_brings_its_module_into_the_closure(project: Path) -> None:
    (project / "models" / "late.py").write_text("import models.other\n")
    before = source_fingerprint("components.gate")
    (project / "models" / "other.py").write_text("y = 2\n")
    assert source_fingerprint("components.gate") != before


@pytest.mark.parametrize("entry", ["models.nowhere", "web/nowhere.ts"])
def test_an_entry_that_does_not_exist_is_an_error(project: Path, entry: str) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        source_fingerprint(entry)


@pytest.mark.parametrize(
    ("entries", "file"),
    [
        (("components.browser_validator.component",), "web/chromium.ts"),
        (("components.browser_validator.component",), "common/verdict.py"),
        (("components.tfjs_exporter.executor",), "bundles/manifest.schema.json"),
        (("components.evaluator.metrics",), "data/features/octaves.py"),
        (("models.training.trainer",), "models/ddsp/synths.py"),
        (("components.recording_example_gen.executor",), "data/files/decode.py"),
        (("components.schema_importer.component",), "data/windows/schema.pbtxt"),
    ],
)
def test_stages_depend_on_what_they_run(entries: tuple[str, ...], file: str) -> None:
    assert sources.ROOT / file in sources.source_files(*entries)


def test_recordings_are_not_measured_anew_because_a_network_changed() -> None:
    files = sources.source_files("components.recording_example_gen.executor")
    assert not [path for path in files if path.is_relative_to(sources.ROOT / "models")]


def test_a_checkout_that_another_repository_ignores_has_no_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sources, "ROOT", tmp_path / "vendor")
    (tmp_path / "vendor" / "models").mkdir(parents=True)
    (tmp_path / ".gitignore").write_text("vendor/\n")
    who = ("-c", "user.name=a", "-c", "user.email=a@b")
    for arguments in (("init",), ("add", "."), (*who, "commit", "-m", "first")):
        subprocess.run(["git", "-C", str(tmp_path), *arguments], check=True, capture_output=True)
    assert fingerprint.source_revision() == "unknown"
