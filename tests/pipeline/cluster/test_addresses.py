"""What a command line gives for an address leads to that host alone, or is refused before a token goes anywhere."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kubeflow_runner
from common.errors import UserError
from pipeline.cluster import addresses
from pipeline.cluster.submission import Kubeflow, Vertex


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://127.0.0.1:8080",
            "https://kfp.example.com/",
            "https://[::1]:8443/pipeline",
            "http://ml-pipeline:8888",
        ),
        *("https://europe-west4-aiplatform.googleapis.com", "https://x.example/a/b%20c~_-.", "http://localhost"),
    ],
)
def test_addresses_of_services_are_taken_as_they_are(url: str):
    assert addresses.service_url("--endpoint", url) == url


@pytest.mark.parametrize(
    "url",
    [
        *(
            "https://good@evil.example",
            "https://good:pw@evil.example/",
            "https://good.example\\@evil.example",
            "//x",
            "",
        ),
        *(
            "ftp://x",
            "file:///etc/passwd",
            "x.example",
            "https://",
            "https:///x",
            "https://x/?a=b",
            "https://x/#/",
            "https://x?",
        ),
        *(
            "https://x y",
            "https://x\r\nHost: evil",
            "https://x\t.evil",
            "https://x:port",
            "https://x:99999",
            "https://ex–ample",
        ),
        *(
            "https://x/../..",
            "https://-x",
            "https://x..evil",
            "https://x/%zz",
            "https://[::1",
            "HTTPS://x",
            "https://x:8:9",
        ),
    ],
)
def test_what_would_lead_elsewhere_is_no_address_of_a_service(url: str):
    with pytest.raises(UserError, match=r"^--endpoint .*: is no address of a service: give https://host:port/path"):
        addresses.service_url("--endpoint", url)


@given(st.text(max_size=40))
def test_the_host_of_an_accepted_address_is_all_that_stands_between_scheme_and_path(end: str):
    url = f"https://good.example{end}"
    try:
        addresses.service_url("--endpoint", url)
    except UserError:
        return
    host = urlsplit(url).hostname
    assert host is not None
    assert host.startswith("good.example")
    assert not set("@\\?# \t\r\n") & set(url)


@pytest.mark.parametrize(
    "given_options",
    [
        *(
            {"region": "evil.example/#"},
            {"region": "u@evil.example:1/"},
            {"region": "a.b"},
            {"region": ""},
            {"region": "us\n"},
        ),
        *({"project": "../../x?y="}, {"project": "p/locations/x"}, {"project": "P Q"}, {"service_account": "a@b/c"}),
        *({"service_account": "nobody"}, {"endpoint": "https://good@evil.example"}),
    ],
)
def test_vertex_has_no_address_that_leads_elsewhere(given_options: dict[str, str]):
    with pytest.raises(UserError, match=r"^--(region|project|service-account|endpoint) "):
        Vertex(**{"project": "p", "region": "us-east1", **given_options})


@pytest.mark.parametrize(("endpoint", "namespace"), [("https://u@evil.example", None), ("https://x", "evil.example/#")])
def test_kubeflow_pipelines_has_no_address_that_leads_elsewhere(endpoint: str, namespace: str | None):
    with pytest.raises(UserError, match=r"^--(endpoint|namespace) "):
        Kubeflow(endpoint, "swara", namespace, "secret")


def test_a_refused_address_ends_the_command_before_anything_is_compiled_and_shows_no_token(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(kubeflow_runner, "_compiled", lambda _: pytest.fail("compiled"))
    (tmp_path / "token").write_text("secret")
    pipeline = ["--instrument", "violin", "--pipeline-root", "gs://b/r", "--image", "i"]
    target = ["--endpoint", "https://good@evil.example", "--token-file", str(tmp_path / "token")]
    assert kubeflow_runner.main(["submit", *pipeline, *target]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: --endpoint 'https://good@evil.example': is no address of a service")
    assert "secret" not in error
