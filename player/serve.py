"""Serve the player and the published instruments, for reading, as any static host would.

    /            web/dist, which `make web` builds
    /pushed/     the published instruments

The page takes no part in what these headers promise: scripts and data come from this origin only, nothing else may be
loaded or requested, and no other site may read it.
"""

from __future__ import annotations

import errno
import gzip
import hashlib
import ipaddress
import re
import socket
import sys
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from bundles.publish import INDEX_FILE, LATEST_FILE
from bundles.versions import VERSION_PATTERN
from common.errors import UserError

PAGE = Path(__file__).resolve().parents[1] / "web" / "dist"
INDEX_PAGE = "index.html"
PUSHED = "pushed"
PORT = 8000

# `index.html` has the same in a meta element, for hosts that send no headers; frame-ancestors is not allowed there.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'"
)
HEADERS = {
    "Content-Security-Policy": f"{CONTENT_SECURITY_POLICY}; frame-ancestors 'none'",
    "Permissions-Policy": "microphone=(self), midi=(self), camera=(), geolocation=()",
    # Both together isolate the page from other origins; only then does a browser let it measure its memory.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
TYPES = {
    ".bin": "application/octet-stream",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/vnd.microsoft.icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".md": "text/plain; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
}
BESIDE_THE_PAGE = ("validator", "benchmark")  # what else is built into web/dist
KEPT_FILES = 64  # in memory, compressed
LEAST_GAIN = 0.95  # of a file's size to which it must shrink to be sent compressed
UNCHANGING = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Site:
    """The folders that are served.

    Attributes:
      page: folder of the built page.
      pushed: folder of the published instruments.
    """

    page: Path
    pushed: Path

    def locate(self, path: str) -> tuple[Path, str] | None:
        """Find the file of a URL's path, and the Cache-Control of it; None where there is no such file.

        Neither `..` nor a symbolic link leads out of the two folders, and files that start with a dot are not served.
        """
        parts = _parts(path)
        if parts is None:
            return None
        if parts[0] in BESIDE_THE_PAGE:
            return None
        root, inside = (self.pushed, parts[1:]) if parts[0] == PUSHED else (self.page, parts)
        try:
            top = root.resolve(strict=True)
            file = top.joinpath(*inside).resolve(strict=True)
        except (OSError, RuntimeError):  # absent, or a ring of links
            return None
        if not file.is_relative_to(top) or not file.is_file():
            return None
        return file, _cache_control(root == self.pushed, inside)


def site(output: Path) -> Site:
    """Return the site of an output folder.

    Raises:
      UserError: the page has not been built, or nothing has been published; the message names the command that helps.
    """
    if not (PAGE / INDEX_PAGE).is_file():
        raise UserError(f"{PAGE}: the player has not been built yet: run `make web`")
    pushed = output / PUSHED
    if not (pushed / INDEX_FILE).is_file():
        raise UserError(
            f"{pushed}: no instrument has been published there: train one with `local_runner.py run` (or `make demo`),"
            " or name another folder with --output"
        )
    return Site(PAGE, pushed)


def listen(served: Site, host: str, port: int) -> ThreadingHTTPServer:
    """Make a server that is bound to its address and responds once `serve_forever` runs.

    Args:
      served: the site.
      host: name or address to listen on.
      port: 0 lets the system choose one.

    Raises:
      UserError: the address or port cannot be used.
    """
    if not 0 <= port <= 65535:
        raise UserError(f"--port {port}: ports go from 0 to 65535")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return _Server(served, family, (str(address[0]), int(address[1])), host)
    except socket.gaierror as error:
        raise UserError(f"--host {host}: no such address: {error.strerror}") from None
    except UnicodeError:
        raise UserError(f"--host {host}: no such address: not a name that an address can have") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UserError(
                f"port {port} of {host} is in use: choose another with --port, or stop what uses it"
            ) from None
        raise UserError(f"cannot listen on {host}, port {port}: {error.strerror}") from None


def serve(output: Path, host: str = "127.0.0.1", port: int = PORT) -> dict[str, object]:
    """Serve until interrupted; print the address, and how to use it from a phone.

    Returns:
      The `url` of the page.

    Raises:
      UserError: there is nothing to serve, or the address cannot be used.
    """
    with listen(site(output), host, port) as server:
        url = _url(host, server.server_port)
        print(*_greeting(url, host, server.server_port), sep="\n", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("\nstopped")
    return {"url": url}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, served: Site, family: int, address: tuple[str, int], name: str):
        self.served, self.address_family, self.name = served, family, name
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):  # a browser that went away is no fault
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """Responds to GET and HEAD with a file or an error of one line."""

    server: _Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "swara", ""
    timeout = 30.0  # s, after which a silent connection is closed

    def do_GET(self) -> None:
        self._respond(send_body=True)

    def do_HEAD(self) -> None:
        self._respond(send_body=False)

    def _respond(self, send_body: bool) -> None:
        if self.headers.get("Transfer-Encoding") or self.headers.get("Content-Length", "0") != "0":
            return self._refuse(HTTPStatus.BAD_REQUEST, send_body)  # a body, which nothing here reads
        if not _is_own_name(self.headers.get("Host", ""), self.server.name):
            return self._refuse(HTTPStatus.MISDIRECTED_REQUEST, send_body)
        found = self.server.served.locate(self.path)
        try:
            content = _read(found[0]) if found else None
        except OSError:
            content = None
        if found is None or content is None:
            return self._refuse(HTTPStatus.NOT_FOUND, send_body)
        media_type = TYPES.get(found[0].suffix.lower(), "application/octet-stream")
        self._send(content, {"Content-Type": media_type, "Cache-Control": found[1]}, send_body)

    def _send(self, content: _Content, headers: dict[str, str], send_body: bool) -> None:
        packed = content.packed if _accepts_gzip(self.headers.get("Accept-Encoding", "")) else None
        body = content.plain if packed is None else packed
        tag = f'"{content.digest}"' if packed is None else f'"{content.digest}-gzip"'
        is_known = _matches(self.headers.get("If-None-Match", ""), tag)
        self.send_response(HTTPStatus.NOT_MODIFIED if is_known else HTTPStatus.OK)
        for name, value in {**headers, "ETag": tag, "Vary": "Accept-Encoding"}.items():
            self.send_header(name, value)
        if not is_known:
            self.send_header("Content-Length", str(len(body)))
            if packed is not None:
                self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        if send_body and not is_known:
            self.wfile.write(body)

    def _refuse(self, status: HTTPStatus, send_body: bool = True) -> None:
        body = f"{status.value} {status.phrase}\n".encode()
        self.send_response(status)
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        if status in (HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.BAD_REQUEST):
            self.close_connection = True  # what a refused request carried is not read
            self.send_header("Connection", "close")
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if send_body:
            self.wfile.write(body)

    def __getattr__(self, name: str) -> object:
        # BaseHTTPRequestHandler calls a method named do_VERB and responds 501 where there is none.
        if name.startswith("do_"):
            return lambda: self._refuse(HTTPStatus.METHOD_NOT_ALLOWED)
        raise AttributeError(name)

    def end_headers(self) -> None:
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing: a terminal full of requests hides the greeting."""


@dataclass(frozen=True)
class _Content:
    """A file's content, compressed where that is worth it, and the digest by which it is known."""

    plain: bytes
    packed: bytes | None
    digest: str


def _read(file: Path) -> _Content:
    status = file.stat()
    return _read_as_of(file, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=KEPT_FILES)
def _read_as_of(file: Path, changed_ns: int, size: int) -> _Content:
    """Read a file, once for each time at which it was changed."""
    plain = file.read_bytes()
    packed = gzip.compress(plain, mtime=0)
    return _Content(
        plain, packed if len(packed) < LEAST_GAIN * len(plain) else None, hashlib.sha256(plain).hexdigest()[:32]
    )


def _accepts_gzip(accepted: str) -> bool:
    """Check an Accept-Encoding header for gzip, or anything, with a weight above 0 (RFC 9110, 12.5.3)."""
    weights = {}
    for part in accepted.lower().split(","):
        coding, _, weight = part.partition(";")
        found = re.fullmatch(r"\s*q\s*=\s*([01](\.\d{0,3})?)\s*", weight)
        weights[coding.strip()] = float(found[1]) if found else 1.0
    return weights.get("gzip", weights.get("*", 0.0)) > 0.0


def _matches(known: str, tag: str) -> bool:
    """Check an If-None-Match header for a tag; weak ones are compared as strong ones (RFC 9110, 13.1.2)."""
    return any(one.strip().removeprefix("W/") in (tag, "*") for one in known.split(","))


def _is_own_name(host: str, name: str) -> bool:
    """Check whether a Host header can be meant for this machine.

    Another site may let its own name resolve to this machine's address, and its page would then read what is here (DNS
    rebinding). Such a name is public; addresses, names that are local by their definition and the one that was chosen
    with --host are not.
    """
    found = re.fullmatch(r"(\[[0-9a-f:.]+\]|[^:\[\]/@]+)(:\d+)?", host.lower())
    if found is None:
        return False
    named_host = found[1].strip("[]").rstrip(".")
    try:
        ipaddress.ip_address(named_host)
        return True
    except ValueError:
        own = {"localhost", name.lower(), socket.gethostname().lower()}
        return named_host in own or named_host.endswith((".localhost", ".local"))


def _parts(path: str) -> list[str] | None:
    """Split a URL's path at its slashes; None where it cannot be that of a file."""
    stored = unquote_to_bytes(path.partition("?")[0].partition("#")[0])
    try:
        decoded = stored.decode()
    except UnicodeDecodeError:
        return None
    if not decoded.startswith("/") or "\0" in decoded or "\\" in decoded:
        return None
    parts = (decoded[1:] or INDEX_PAGE).split("/")
    return None if any(not part or part.startswith(".") for part in parts) else parts


def _cache_control(pushed: bool, inside: list[str]) -> str:
    """Let a browser keep files whose name changes with their content for good, and check all others anew."""
    if pushed:
        unchanging = len(inside) > 2 and VERSION_PATTERN.fullmatch(inside[1]) and inside[-1] != LATEST_FILE
    else:
        unchanging = inside[0] == "assets"
    return UNCHANGING if unchanging else "no-cache"


def _authority(host: str, port: int) -> str:
    """Return the host:port of a URL."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _url(host: str, port: int) -> str:
    return f"http://{_authority(host, port)}/"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_everywhere(host: str) -> bool:
    """Check whether a server there responds on every address of this machine, loopback among them."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return host == ""  # any address, to sockets


def _greeting(url: str, host: str, port: int) -> list[str]:
    listening = f"Listening on {host}, port {port}: everyone on this network can load it."
    if _is_loopback(host):
        return [f"Play at {url}  (Ctrl-C ends it)", "", *_on_a_phone(host, port)]
    if _is_everywhere(host):
        return [f"Play at http://localhost:{port}/  (Ctrl-C ends it)", listening, "", *_on_a_phone("127.0.0.1", port)]
    return [
        f"Play at {url}  (Ctrl-C ends it)",
        "  no microphone from here: a browser gives it to localhost and to HTTPS only",
        listening,
        "",
        *_on_a_phone(host, port),
    ]


def _on_a_phone(here: str, port: int) -> list[str]:
    """Explain how a page on a phone gets the microphone.

    Args:
      here: name or address at which this machine itself reaches the server.
      port: of the server.
    """
    cable = f"  Android, by cable:  adb reverse tcp:{port} tcp:{port}   then open http://localhost:{port}/ on the phone"
    return [
        "On a phone: a browser gives the microphone to this machine's own pages and to HTTPS, not to plain HTTP.",
        *([cable] if here in ("127.0.0.1", "localhost") else []),  # the only ends of adb's cable
        "  any phone:          let a program such as Caddy serve HTTPS (NAME.local: this machine) in front of this,",
        f"    caddy reverse-proxy --internal-certs --from https://NAME.local:8443 --to {_authority(here, port)}",
        "    and trust Caddy's root certificate on the phone",
        "  or for good:        copy web/dist, with the folder pushed/ inside it, to any static host with HTTPS",
    ]
