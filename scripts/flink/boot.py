"""Start one Python worker of Beam without a container: a task manager runs it instead of the image's program.

The worker is the interpreter and the checkout that this module belongs to, so what a job stages is not installed.
"""

from __future__ import annotations

import argparse
import os
import sys

import grpc
from apache_beam.portability.api.org.apache.beam.model.fn_execution.v1 import (
    beam_provision_api_pb2,
    beam_provision_api_pb2_grpc,
)
from google.protobuf import json_format, text_format


def environment(worker_id: str, provision_endpoint: str) -> dict[str, str]:
    """Request the environment variables of Beam's worker from the task manager at that host:port."""
    channel = grpc.insecure_channel(provision_endpoint)
    service = beam_provision_api_pb2_grpc.ProvisionServiceStub(channel)
    info = service.GetProvisionInfo(
        beam_provision_api_pb2.GetProvisionInfoRequest(), metadata=[("worker_id", worker_id)]
    ).info
    return {
        "WORKER_ID": worker_id,
        "PIPELINE_OPTIONS": json_format.MessageToJson(info.pipeline_options),
        "RUNNER_CAPABILITIES": " ".join(info.runner_capabilities),
        "LOGGING_API_SERVICE_DESCRIPTOR": text_format.MessageToString(info.logging_endpoint),
        "CONTROL_API_SERVICE_DESCRIPTOR": text_format.MessageToString(info.control_endpoint),
    }


def main() -> None:
    """Request the settings, then become the worker."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--id", required=True)
    parser.add_argument("--provision_endpoint", required=True, metavar="HOST:PORT")
    given, _ = parser.parse_known_args()  # the provision service has the other endpoints
    worker = [sys.executable, "-m", "apache_beam.runners.worker.sdk_worker_main"]
    os.execve(sys.executable, worker, {**os.environ, **environment(given.id, given.provision_endpoint)})


if __name__ == "__main__":
    main()
