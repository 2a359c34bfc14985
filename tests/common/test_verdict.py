"""A verdict is blessed exactly when there is no reason against it, and survives its file."""

from pathlib import Path

import pytest

from common.verdict import GateRefused, Verdict


def test_it_is_read_back_as_it_was_written(tmp_path: Path):
    verdict = Verdict.of("DataGate", ["f0_hz: NaN"], {"windows": {"train": 3}})
    verdict.write(tmp_path / "made" / "here")
    assert Verdict.read(tmp_path / "made" / "here") == verdict
    assert not verdict.blessed


@pytest.mark.parametrize(("blessed", "reasons"), [(True, ("a reason",)), (False, ())])
def test_blessing_and_reasons_cannot_contradict_each_other(blessed: bool, reasons: tuple[str, ...]):
    with pytest.raises(ValueError, match="DataGate"):
        Verdict("DataGate", blessed, reasons)


def test_a_refusal_says_who_and_why():
    assert "DataGate refused: too quiet; too short" in str(
        GateRefused(Verdict.of("DataGate", ["too quiet", "too short"], {}))
    )
