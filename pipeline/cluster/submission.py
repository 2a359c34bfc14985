"""Submit a compiled PipelineJob to Vertex or to a Kubeflow Pipelines server."""

from __future__ import annotations

import json
import re
import signal
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import yaml

from common.errors import UserError
from pipeline.cluster import addresses

Compiled = dict[str, Any]

RESPONSE_SECONDS = 120.0  # the clients of both services would wait for ever
# Raised by the clients for a response that is not the service's: a login page, half a document, an empty one.
NOT_UNDERSTOOD = (ValueError, RuntimeError, AttributeError, TypeError, KeyError)


@dataclass(frozen=True)
class Request:
    """An HTTP request.

    Attributes:
      url: to which it is posted.
      body: JSON values.
    """

    url: str
    body: dict[str, Any]


class Service(ABC):
    """Something that runs pipelines."""

    @abstractmethod
    def request(self, compiled: Compiled, run: str) -> Request:
        """Return the request that `send` would send, without any connection."""

    def send(self, compiled: Compiled, run: str) -> str:
        """Start a run and return the service's name for it.

        Raises:
          UserError: the service cannot be reached, rejects the credentials or the run, or does not respond in time or
            not as expected; the message gives the reason.
        """
        url = self.request(compiled, run).url
        try:
            with _at_most(RESPONSE_SECONDS):
                return self._start(compiled, run)
        except _LateError:
            raise _unclear(url, f"no response came within {RESPONSE_SECONDS:.0f} s") from None

    @abstractmethod
    def _start(self, compiled: Compiled, run: str) -> str:
        """See `send`."""


@dataclass(frozen=True)
class Vertex(Service):
    """Vertex AI Pipelines, by google-cloud-aiplatform, with Google's default credentials.

    Attributes:
      project: in Google Cloud.
      region: for example europe-west4.
      service_account: that steps run as; None: the project's default.
      endpoint: URL of the API, where it is not Google's own for the region (a private endpoint).
    """

    project: str
    region: str
    service_account: str | None = None
    endpoint: str | None = None

    def __post_init__(self) -> None:
        """Raise UserError for what would lead a request, and the credentials in it, elsewhere."""
        addresses.project("--project", self.project)
        addresses.label("--region", self.region)
        if self.service_account is not None:
            addresses.account("--service-account", self.service_account)
        if self.endpoint is not None:
            addresses.service_url("--endpoint", self.endpoint)

    def request(self, compiled: Compiled, run: str) -> Request:
        """See `Service.request`."""
        host = self.endpoint or f"https://{self.region}-aiplatform.googleapis.com"
        parent = f"projects/{self.project}/locations/{self.region}"
        account = {"serviceAccount": self.service_account} if self.service_account else {}
        return Request(f"{host}/v1/{parent}/pipelineJobs?pipelineJobId={run}", {**compiled, **account})

    def _start(self, compiled: Compiled, run: str) -> str:
        root = compiled["runtimeConfig"]["gcsOutputDirectory"]
        if not root.startswith("gs://"):
            raise UserError(f"--pipeline-root {root}: Vertex keeps artifacts in Cloud Storage only: give a gs:// URI")
        from google.api_core.exceptions import GoogleAPICallError, RetryError
        from google.auth.exceptions import GoogleAuthError
        from google.cloud import aiplatform
        from google.protobuf.json_format import ParseError
        from requests.exceptions import RequestException

        over_http = {"api_endpoint": self.endpoint, "api_transport": "rest"} if self.endpoint else {}
        try:
            aiplatform.init(project=self.project, location=self.region, **over_http)
        except ValueError as error:
            raise UserError(f"--region {self.region}: {' '.join(str(error).split())[:200]}") from None
        try:
            with tempfile.TemporaryDirectory() as folder:
                template = Path(folder) / "pipeline.json"
                template.write_text(json.dumps(compiled), encoding="utf-8")
                job = aiplatform.PipelineJob(
                    display_name=compiled["displayName"],
                    template_path=str(template),
                    job_id=run,
                    labels=compiled.get("labels"),
                )
            try:
                job.submit(service_account=self.service_account)
            except (ParseError, *NOT_UNDERSTOOD) as error:
                raise _unclear(self.request(compiled, run).url, _message(error)) from error
        except (GoogleAPICallError, RetryError, GoogleAuthError, RequestException) as error:
            raise _refused(self.request(compiled, run).url, error) from error
        return str(job.resource_name)


@dataclass(frozen=True)
class Kubeflow(Service):
    """A Kubeflow Pipelines server, API v2beta1.

    Attributes:
      endpoint: URL of the server.
      experiment: that the run is filed under.
      namespace: on a server with many users; None on one without.
      token: bearer token, where the server requires one.
    """

    endpoint: str
    experiment: str
    namespace: str | None = None
    token: str | None = None

    def __post_init__(self) -> None:
        """Raise UserError for what would lead a request, and the token in it, elsewhere."""
        addresses.service_url("--endpoint", self.endpoint)
        if self.namespace is not None:
            addresses.label("--namespace", self.namespace)

    def request(self, compiled: Compiled, run: str) -> Request:
        """See `Service.request`; the experiment's id, which only the server knows, is left out."""
        body = {
            "display_name": run,
            "pipeline_spec": compiled["pipelineSpec"],
            "runtime_config": {
                "parameters": compiled["runtimeConfig"]["parameterValues"],
                "pipeline_root": compiled["runtimeConfig"]["gcsOutputDirectory"],
            },
        }
        return Request(f"{self.endpoint.rstrip('/')}/apis/v2beta1/runs", body)

    def _start(self, compiled: Compiled, run: str) -> str:
        import kfp
        from kfp_server_api.exceptions import ApiException, ApiTypeError, ApiValueError  # type: ignore[import-untyped]
        from urllib3.exceptions import HTTPError

        try:
            client = kfp.Client(host=self.endpoint, namespace=self.namespace or "kubeflow", existing_token=self.token)
            with tempfile.TemporaryDirectory() as folder:
                package = Path(folder) / "pipeline.yaml"
                package.write_text(yaml.safe_dump(compiled["pipelineSpec"]), encoding="utf-8")
                started = client.create_run_from_pipeline_package(
                    str(package),
                    arguments=compiled["runtimeConfig"]["parameterValues"],
                    run_name=run,
                    experiment_name=self.experiment,
                    namespace=self.namespace,
                    pipeline_root=compiled["runtimeConfig"]["gcsOutputDirectory"],
                )
        except (ApiException, ApiTypeError, ApiValueError, HTTPError, TimeoutError) as error:
            raise _refused(self.endpoint, error) from error
        except NOT_UNDERSTOOD as error:
            raise _unclear(self.endpoint, _message(error)) from error
        if not started.run_id:
            raise _unclear(self.endpoint, "it names no run")
        return f"{self.endpoint.rstrip('/')}/#/runs/details/{started.run_id}"


def run_name(pipeline: str, now: datetime) -> str:
    """Make a unique name for a run: the pipeline's and UTC time."""
    return f"{re.sub('[^a-z0-9-]', '-', pipeline)}-{now.astimezone(timezone.utc):%Y%m%d%H%M%S}"


def _refused(url: str, error: Exception) -> UserError:
    return UserError(
        f"{url}: the pipeline was not started: {_message(error)}. Nothing runs; see that the address, the project and "
        "the credentials are right, then submit again"
    )


def _unclear(url: str, what: str) -> UserError:
    return UserError(
        f"{url}: its response is not that of a service that started a run: {what}. See that the address is right and "
        "no login page stands before it; a run may have been started all the same: look there before you submit again"
    )


def _message(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:400]}"


class _LateError(Exception):
    """Not a kind of OSError: clients would try again."""


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Limit the time of the block.

    Raises:
      _LateError: the block took longer.
    """

    def late(*_: object) -> None:
        raise _LateError

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)  # again, should a client swallow the first
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
