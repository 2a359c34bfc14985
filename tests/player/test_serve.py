"""The player is served as a careful static host would: what it has, with the right types and headers, and no more."""

import gzip
import http.client
import inspect
import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import pytest

import local_runner
from bundles.publish import publish
from common.errors import UserError
from player import serve
from tests.bundles.small_bundle import write_small_bundle

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2025, 3, 1, 12, 0, 0, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Response:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Served:
    port: int
    version: str

    def request(self, path: str, method: str = "GET", headers: dict[str, str] | None = None) -> Response:
        """Sends the path as it is."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, headers=headers or {})
            response = connection.getresponse()
            return Response(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built page and a published instrument, with secrets beside and inside them."""
    top = tmp_path_factory.mktemp("serve")
    (top / "page" / "assets").mkdir(parents=True)
    for name in ("index.html", "service-worker.js", "assets/main-1a2b.js", "assets/engine.wasm", ".built", "icon.svg"):
        (top / "page" / name).write_text(name)
    (top / "secret.txt").write_text("secret")
    (top / "page" / "link.txt").symlink_to(top / "secret.txt")
    (top / "page" / "round").symlink_to(top / "page" / "round")
    for name in ("validator", "benchmark"):
        (top / "page" / name).mkdir()
        (top / "page" / name / "cli.mjs").write_text("secret")
    (top / "page" / "assets" / "long-3c4d.js").write_text("let a = 1;\n" * 500)
    bundle = top / "bundle"
    write_small_bundle(bundle)
    publish(bundle, top / "out" / "pushed", NOW)
    (top / "out" / "pushed" / "elsewhere").symlink_to(top)
    return top


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    pushed = folder / "out" / "pushed"
    version = json.loads((pushed / "violin" / "latest.json").read_text())["version"]
    with serve.listen(serve.Site(folder / "page", pushed), "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield Served(server.server_port, version)
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/index.html?mode=keys", "text/html; charset=utf-8"),
        ("/service-worker.js", "text/javascript; charset=utf-8"),
        ("/assets/engine.wasm", "application/wasm"),
        ("/assets/main%2D1a2b.js", "text/javascript; charset=utf-8"),
        ("/icon.svg", "image/svg+xml"),
        ("/pushed/index.json", "application/json"),
    ],
)
def test_files_come_with_their_type_and_every_promised_header(served: Served, path: str, media_type: str):
    response = served.request(path)
    assert response.status == 200
    assert response.headers["Content-Type"] == media_type
    assert response.headers["Content-Length"] == str(len(response.body)) != "0"
    assert serve.HEADERS.items() <= response.headers.items()


def test_a_whole_bundle_can_be_loaded(served: Served, folder: Path):
    latest = json.loads(served.request("/pushed/violin/latest.json").body)
    manifest = json.loads(served.request(f"/pushed/violin/{latest['manifest']}").body)
    for file in manifest["files"]:
        response = served.request(f"/pushed/violin/{served.version}/{file['path']}")
        assert (response.status, len(response.body)) == (200, file["bytes"])


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/", "no-cache"),
        ("/service-worker.js", "no-cache"),
        ("/assets/main-1a2b.js", "public, max-age=31536000, immutable"),
        ("/pushed/index.json", "no-cache"),
        ("/pushed/violin/latest.json", "no-cache"),
        ("/pushed/violin/{version}/manifest.json", "public, max-age=31536000, immutable"),
    ],
)
def test_only_files_that_never_change_are_kept_without_a_check(served: Served, path: str, kept: str):
    assert served.request(path.format(version=served.version)).headers["Cache-Control"] == kept


@pytest.mark.parametrize(
    "path",
    [
        "/missing.js",
        "/assets",  # no listing
        "/assets/",
        "/pushed",
        "/pushed/",
        "/pushed/violin",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/assets/../../secret.txt",
        "/pushed/../../secret.txt",
        "/pushed/violin/..%2f..%2f..%2fsecret.txt",
        "/..\\secret.txt",
        "//secret.txt",
        "/link.txt",
        "/round",
        "/pushed/elsewhere/secret.txt",
        "/.built",
        "/validator/cli.mjs",
        "/benchmark/cli.mjs",
        "/pushed/.lock",
        "/pushed/violin/.lock",
        "/index.html%00",
        "/%ff",
        "secret.txt",
        "http://127.0.0.1/secret.txt",
    ],
)
def test_nothing_else_can_be_had(served: Served, path: str):
    response = served.request(path)
    assert response.status == 404
    assert b"secret" not in response.body
    assert serve.HEADERS.items() <= response.headers.items()


def test_head_has_the_headers_of_get_without_the_file(served: Served):
    get, head = served.request("/"), served.request("/", "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Length"] == get.headers["Content-Length"]


@pytest.mark.parametrize(
    ("accepted", "is_packed"),
    [("gzip, deflate, br", True), ("br;q=1, *;q=0.1", True), ("gzip;q=0", False), ("br", False), ("", False)],
)
def test_what_shrinks_is_compressed_for_those_who_take_it(served: Served, accepted: str, is_packed: bool):
    plain = served.request("/assets/long-3c4d.js").body
    response = served.request("/assets/long-3c4d.js", headers={"Accept-Encoding": accepted})
    assert (response.headers.get("Content-Encoding") == "gzip") is is_packed
    assert response.headers["Vary"] == "Accept-Encoding"
    assert int(response.headers["Content-Length"]) == len(response.body)
    assert (gzip.decompress(response.body) if is_packed else response.body) == plain
    assert len(plain) > 5000
    assert (len(response.body) < 200) is is_packed
    short = served.request("/icon.svg", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in short.headers  # it would grow


def test_a_file_that_is_known_is_not_sent_again_until_it_changes(served: Served, folder: Path):
    changing = folder / "page" / "changing.json"
    changing.write_text("{}")
    tag = served.request("/changing.json").headers["ETag"]
    for known in (tag, f'"other", W/{tag}', "*"):
        again = served.request("/changing.json", headers={"If-None-Match": known})
        assert (again.status, again.body) == (304, b"")
        assert (again.headers["ETag"], again.headers["Cache-Control"]) == (tag, "no-cache")
        assert serve.HEADERS.items() <= again.headers.items()
    changing.write_text('{"a": 1}')
    changed = served.request("/changing.json", headers={"If-None-Match": tag})
    assert (changed.status, changed.body) == (200, b'{"a": 1}')
    assert changed.headers["ETag"] != tag
    packed = served.request("/assets/long-3c4d.js", headers={"Accept-Encoding": "gzip"}).headers["ETag"]
    assert packed != served.request("/assets/long-3c4d.js").headers["ETag"]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8000", 200),
        ("localhost", 200),
        ("LOCALHOST.:8000", 200),
        ("[::1]:8000", 200),
        ("192.168.1.5:8000", 200),
        ("studio.local:8443", 200),  # what a proxy for a phone passes on
        ("player.localhost", 200),
        ("evil.example:8000", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example", 421),
        ("localhost@evil.example", 421),
        ("evil.example/localhost", 421),
        ("", 421),
    ],
)
def test_a_name_that_another_site_can_point_here_gets_nothing(served: Served, host: str, status: int):
    response = served.request("/pushed/index.json", headers={"Host": host})
    assert response.status == status
    assert (b"violin" in response.body) is (status == 200)


def test_the_name_given_with_host_is_its_own():
    assert serve._is_own_name("studio.lan:8000", "studio.lan")
    assert not serve._is_own_name("other.lan:8000", "studio.lan")


@pytest.mark.parametrize("body", [{"Content-Length": "3"}, {"Transfer-Encoding": "chunked"}])
def test_a_body_with_get_is_refused_and_the_connection_closed(served: Served, body: dict[str, str]):
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as connection:
        (name, value), *_ = body.items()
        hidden = b"GET /pushed/index.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
        head = f"GET / HTTP/1.1\r\nHost: localhost\r\n{name}: {value}\r\n\r\n".encode()
        connection.sendall(head + hidden)
        answer = b""
        while part := connection.recv(4096):
            answer += part
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1") == 1  # what followed was not taken for a request


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"])
def test_it_is_for_reading_only(served: Served, method: str):
    response = served.request("/", method)
    assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD")


def test_the_page_has_the_same_policy_for_hosts_that_send_none():
    page = (ROOT / "web" / "page" / "index.html").read_text(encoding="utf-8")
    policy = re.search(r'http-equiv="Content-Security-Policy"\s+content="([^"]+)"', page)
    assert policy is not None
    assert " ".join(policy[1].split()) == serve.CONTENT_SECURITY_POLICY


def test_a_page_that_is_not_built_is_an_error_with_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(serve, "PAGE", tmp_path)
    with pytest.raises(UserError, match="make web"):
        serve.site(tmp_path)


def test_nothing_published_yet_is_an_error_with_the_command(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(serve, "PAGE", folder / "page")
    assert local_runner.main(["serve", "--output", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert str(tmp_path / "pushed") in error
    assert "local_runner.py run" in error


def test_a_port_in_use_is_one_clear_error(folder: Path, served: Served):
    with pytest.raises(UserError, match=rf"port {served.port} of 127.0.0.1 is in use.*--port"):
        serve.listen(serve.Site(folder, folder), "127.0.0.1", served.port)


@pytest.mark.parametrize(("host", "port"), [("no such host", 0), ("..", 0), ("127.0.0.1", 70000)])
def test_an_address_that_cannot_be_is_one_clear_error(folder: Path, host: str, port: int):
    with pytest.raises(UserError, match=r"--host (no such host|\.\.): no such address|--port 70000"):
        serve.listen(serve.Site(folder, folder), host, port)


def test_it_listens_on_loopback_by_default():
    arguments = local_runner.parser().parse_args(["serve"])
    assert arguments.host == "127.0.0.1" == inspect.signature(serve.serve).parameters["host"].default


def test_only_this_machine_reaches_a_server_on_loopback(served: Served):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as route:
        try:
            route.connect(("192.0.2.1", 9))  # sends nothing, but finds this machine's own address
        except OSError:
            pytest.skip("this machine has no address besides loopback")
        outward = route.getsockname()[0]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((outward, served.port), timeout=5)


def test_ipv6_can_be_served(folder: Path):
    try:
        with serve.listen(serve.Site(folder, folder), "::1", 0) as server:
            assert server.server_port > 0
    except UserError as error:
        pytest.skip(f"this machine has no IPv6 loopback: {error}")


def test_the_command_serves_until_it_is_interrupted(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(serve, "PAGE", folder / "page")

    def interrupted(server: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(serve.ThreadingHTTPServer, "serve_forever", interrupted)
    assert local_runner.main(["serve", "--output", str(folder / "out"), "--port", "0", "--json"]) == 0
    *_, greeting, figures = capsys.readouterr().out.strip().rsplit("\n", 1)
    assert re.search(r"Play at http://127\.0\.0\.1:\d+/", greeting)
    assert "HTTPS" in greeting
    assert json.loads(figures)["exit_code"] == 0


@pytest.mark.parametrize(
    ("host", "page", "caddy", "has_microphone", "has_cable"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000/", "127.0.0.1:8000", True, True),
        ("localhost", "http://localhost:8000/", "localhost:8000", True, True),
        ("::1", "http://[::1]:8000/", "[::1]:8000", True, False),
        ("0.0.0.0", "http://localhost:8000/", "127.0.0.1:8000", True, True),
        ("::", "http://localhost:8000/", "127.0.0.1:8000", True, True),
        ("192.168.1.5", "http://192.168.1.5:8000/", "192.168.1.5:8000", False, False),
        ("fd00::5", "http://[fd00::5]:8000/", "[fd00::5]:8000", False, False),
        ("studio.lan", "http://studio.lan:8000/", "studio.lan:8000", False, False),
    ],
)
def test_the_greeting_has_only_addresses_that_respond(
    host: str, page: str, caddy: str, has_microphone: bool, has_cable: bool
):
    greeting = "\n".join(serve._greeting(serve._url(host, 8000), host, 8000))
    assert f"Play at {page}  " in greeting
    assert f"--to {caddy}\n" in greeting
    assert ("no microphone from here" not in greeting) == has_microphone
    assert ("adb reverse tcp:8000 tcp:8000" in greeting) == has_cable
    if not has_microphone:
        assert "127.0.0.1" not in greeting
        assert "http://localhost" not in greeting


def test_tensorflow_is_not_imported_for_it():
    code = "import sys, player.serve; sys.exit('tensorflow' in sys.modules or 'tfx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
