"""A Flink cluster makes its own folder anew, and nobody else's."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from common.errors import UserError
from scripts.flink import cluster
from scripts.flink.cluster import Cluster, fresh


def test_a_folder_that_holds_something_else_is_left_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cluster, "find_jars", list)
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(UserError, match="holds something else than a cluster"), Cluster(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("mark", ["flink-conf.yaml", "settings", "cluster.lock"])
def test_what_a_cluster_left_is_cleared_away(tmp_path: Path, mark: str):
    (tmp_path / mark).write_text("")
    (tmp_path / "tmp").mkdir()
    (tmp_path / "job-manager.log").write_text("")
    with fresh(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == ["cluster.lock"]


def test_a_running_cluster_keeps_its_folder(tmp_path: Path):
    folder = tmp_path / "new" / "flink"
    with fresh(folder):
        (folder / "job-manager.log").write_text("log")
        with pytest.raises(UserError, match="a running cluster has it"), fresh(folder):
            pass
        assert (folder / "job-manager.log").read_text() == "log"
    with fresh(folder):
        assert not (folder / "job-manager.log").exists()


def test_a_task_manager_has_the_heap_that_flink_counts_on():
    """An hour of audio of one worker once overflowed a heap of 512 MB, and the job waited for ever."""
    configuration = yaml.safe_load((Path(cluster.__file__).parent / "flink-conf.yaml").read_text(encoding="utf-8"))
    heaps = [configuration[f"taskmanager.memory.{part}.heap.size"] for part in ("framework", "task")]
    assert sum(int(size.removesuffix("m")) for size in heaps) == cluster.TASK_MANAGER_HEAP
    assert cluster.TASK_MANAGER_HEAP > 100 * 10 * 1.4  # Beam's queue: 100 messages of 10 MB, and what is made of them
