"""Find the newest span of recordings on a cluster, before its cache is queried: `python -m pipeline.cluster.driver`.

It takes the arguments and writes the record of TFX's own program for that,
`tfx.orchestration.kubeflow.v2.file_based_example_gen.driver`. TFX's fingerprints the newest span only, and no folder in
it: after a change in an older span of the window, the cache would still return the examples of before.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from pipeline import command
from pipeline.command import DONE, Result

INVOCATION, INPUTS = "--json_serialized_invocation_args", "--json_serialized_inputs_spec_args"


def record(invocation: str, inputs: str | None) -> tuple[str, str]:
    """Make the record of the recordings that the cluster reads.

    Args:
      invocation: ExecutorInput, JSON.
      inputs: ComponentInputsSpec, JSON.

    Returns:
      URI of the record; ExecutorOutput, JSON: the parameters span, version (where there are any), fingerprint and
      input_config, and the examples artifact with the first three.

    Raises:
      UserError: there are no recordings, or no span where the pattern names one.
    """
    from google.protobuf import json_format
    from kfp.pipeline_spec import pipeline_spec_pb2 as pb
    from tfx.components.example_gen import driver
    from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_entrypoint_utils as entrypoint
    from tfx.types import artifact_utils, standard_component_specs

    from components.recording_example_gen.component import resolved_properties

    given = json_format.Parse(invocation, pb.ExecutorInput(), ignore_unknown_fields=True)
    spec = json_format.Parse(inputs, pb.ComponentInputsSpec(), ignore_unknown_fields=True) if inputs else None
    properties = entrypoint.parse_execution_properties(given.inputs.parameter_values, given.inputs.parameters, spec)
    properties = resolved_properties(properties)
    names: dict[int, str] = {}
    artifacts = entrypoint.parse_raw_artifact_dict(given.outputs.artifacts, names)
    examples = artifact_utils.get_single_instance(artifacts[standard_component_specs.EXAMPLES_KEY])
    driver.update_output_artifact(properties, examples.mlmd_artifact)
    output = pb.ExecutorOutput()
    _add_parameters(output, properties)
    artifact = entrypoint.to_runtime_artifact(examples, names)
    output.artifacts[standard_component_specs.EXAMPLES_KEY].artifacts.add().CopyFrom(artifact)
    return given.outputs.output_file, json_format.MessageToJson(output, sort_keys=True)


def _add_parameters(output: Any, properties: dict[str, Any]) -> None:
    from tfx.components.example_gen import utils
    from tfx.types import standard_component_specs

    for name in (utils.SPAN_PROPERTY_NAME, utils.VERSION_PROPERTY_NAME):
        if properties[name] is not None:
            output.parameter_values[name].number_value = properties[name]
    for name in (utils.FINGERPRINT_PROPERTY_NAME, standard_component_specs.INPUT_CONFIG_KEY):
        output.parameter_values[name].string_value = properties[name]


def _drive(arguments: argparse.Namespace) -> Result:
    from tfx.dsl.io import fileio

    uri, output = record(arguments.invocation, arguments.inputs)
    fileio.makedirs(os.path.dirname(uri))
    with fileio.open(uri, "w") as file:
        file.write(output)
    return DONE, {}


def main(argv: list[str]) -> int:
    """Run the driver; Beam's arguments are ignored."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.cluster.driver", description=__doc__.splitlines()[0])
    parser.add_argument(INVOCATION, dest="invocation", required=True, help="ExecutorInput, JSON")
    parser.add_argument(INPUTS, dest="inputs", help="ComponentInputsSpec, JSON")
    arguments, _ = parser.parse_known_args(argv)
    return command.run_verb(lambda: _drive(arguments), as_json=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
