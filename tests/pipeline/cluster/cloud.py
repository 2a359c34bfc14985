"""A stand-in, on loopback, for the services that a submission talks to; it records what it is sent."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Cloud:
    """The stand-in: its behaviour, and the requests that it got.

    Attributes:
      url: of its root.
      posted: path, query, headers (names in lower case) and body of every run that was to be started.
      refuses: the status of its response to those, if it does not accept them.
      body: of its response to those instead of a service's, such as a login page.
      silent: event that it awaits before it responds to those; None: it responds at once.
    """

    url: str = ""
    posted: list[tuple[str, dict[str, list[str]], dict[str, str], Any]] = field(default_factory=list)
    refuses: int | None = None
    body: bytes | None = None
    silent: threading.Event | None = None

    def respond(self, method: str, path: str, body: Any) -> tuple[int, dict[str, Any]]:
        """Returns status and JSON for one request."""
        if path.startswith("/storage/v1/b/"):  # the owner of a bucket is not public
            return 403, {"error": {"code": 403, "message": "forbidden"}}
        if path == "/apis/v2beta1/healthz":
            return 200, {"multi_user": False}
        if path.startswith("/apis/v2beta1/experiments"):
            made = {"experiment_id": "e1", "display_name": "swara"}
            return 200, made if method == "POST" else {"experiments": [made], "total_size": 1}
        if self.refuses is not None:
            return self.refuses, {"error": {"code": self.refuses, "message": "not on my cluster"}}
        if path == "/apis/v2beta1/runs":
            return 200, {"run_id": "r1", "display_name": body["display_name"]}
        return 200, {**body, "name": f"{path.removeprefix('/v1/')}/1"}


@contextlib.contextmanager
def cloud() -> Iterator[Cloud]:
    """A running stand-in."""
    here = Cloud()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._respond("GET")

        def do_POST(self) -> None:
            self._respond("POST")

        def _respond(self, method: str) -> None:
            url = urlsplit(self.path)
            stored = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = json.loads(stored) if stored.startswith(b"{") else None
            if method == "POST" and url.path.endswith(("/pipelineJobs", "/runs")):
                here.posted.append(
                    (url.path, parse_qs(url.query), {name.lower(): of for name, of in self.headers.items()}, body)
                )
            status, values = here.respond(method, url.path, body)
            sent = json.dumps(values).encode()
            if url.path.endswith(("/pipelineJobs", "/runs")):
                sent = sent if here.body is None else here.body
                if here.silent is not None:
                    here.silent.wait()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            with contextlib.suppress(ConnectionError):  # the client may be gone
                self.wfile.write(sent)

        def log_message(self, format: str, *arguments: object) -> None:
            """Prints nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        here.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield here
        finally:
            if here.silent is not None:
                here.silent.set()
            server.shutdown()
            thread.join()
