"""The configuration sets where Beam runs, and what is missing is an error before anything starts."""

import pytest

from common.errors import UserError
from pipeline.configuration.beam import ROOT, beam_arguments
from pipeline.configuration.loading import load


def arguments(*settings: str, image: str | None = None) -> list[str]:
    return beam_arguments(load("violin", settings).beam, image)


def test_workers_are_processes_of_the_direct_runner():
    assert arguments()[0] == "--runner=DirectRunner"
    assert "--direct_num_workers=3" in arguments("beam.workers=3")
    assert not [one for one in arguments() if "workers" in one]


def test_a_flink_master_is_all_that_a_user_with_a_cluster_names():
    made = arguments("beam.runner=flink", "beam.flink_master=flink:8081", "beam.workers=4", image="swara:1")
    assert made == [
        *("--runner=FlinkRunner", "--flink_master=flink:8081", "--parallelism=4", "--environment_cache_millis=60000"),
        *("--environment_type=DOCKER", "--environment_config=swara:1", "--sdk_container_image=swara:1"),
    ]


def test_a_job_server_of_ones_own_and_workers_beside_it():
    made = arguments(
        *("beam.runner=spark", "beam.job_endpoint=jobs:8099"),
        *("beam.environment=EXTERNAL", "beam.environment_config=localhost:50000"),
    )
    assert {"--runner=PortableRunner", "--job_endpoint=jobs:8099", "--environment_config=localhost:50000"} <= set(made)
    assert not [one for one in made if "spark_master" in one]


def test_a_program_may_start_the_workers():
    made = arguments(
        *("beam.runner=flink", "beam.job_endpoint=jobs:8099"),
        *("beam.environment=PROCESS", "beam.environment_config=/opt/apache/beam/boot"),
    )
    assert {"--environment_type=PROCESS", '--environment_config={"command": "/opt/apache/beam/boot"}'} <= set(made)


def test_workers_in_an_image_that_was_named_install_nothing():
    made = arguments("beam.runner=flink", "beam.flink_master=jobs:8081", "beam.environment_config=swara:1")
    assert {"--environment_config=swara:1", "--sdk_container_image=swara:1"} <= set(made)
    assert not [one for one in made if one.startswith("--setup_file")]


def test_a_flink_master_alone_brings_the_project_to_workers_in_beams_own_image():
    made = arguments("beam.runner=flink", "beam.flink_master=jobs:8081")
    assert "--environment_type=DOCKER" in made
    assert not [one for one in made if one.startswith("--environment_config")]
    assert f"--setup_file={ROOT / 'setup.py'}" in made


def test_dataflow_runs_the_pipelines_own_image():
    made = arguments(
        *("beam.runner=dataflow", "beam.dataflow.project=p", "beam.dataflow.region=europe-west4"),
        *("beam.dataflow.temp_location=gs://b/t", "beam.workers=9", "beam.arguments=[--experiments=use_runner_v2]"),
        image="swara:1",
    )
    assert {"--project=p", "--region=europe-west4", "--max_num_workers=9", "--sdk_container_image=swara:1"} <= set(made)
    assert made[-1] == "--experiments=use_runner_v2"
    assert not [
        one for one in made if one.startswith("--setup_file")
    ]  # the image has the project: nothing is installed


def test_dataflow_without_an_image_is_refused():
    settings = ("beam.runner=dataflow", "beam.dataflow={project: p, region: r, temp_location: gs://b}")
    with pytest.raises(UserError, match="--image"):
        arguments(*settings)


@pytest.mark.parametrize(
    ("setting", "missing"),
    [
        ("beam.runner=flink", "needs flink_master or job_endpoint"),
        ("beam.runner=spark", "needs spark_master or job_endpoint"),
        ("beam.runner=dataflow", r"needs dataflow\.project, dataflow\.region, dataflow\.temp_location"),
        ("cluster.trainer={accelerator: T4, accelerators: 2}", "more would be idle"),
    ],
)
def test_a_runner_without_an_address_names_what_is_missing(setting: str, missing: str):
    with pytest.raises(UserError, match=missing):
        load("violin", [setting])
