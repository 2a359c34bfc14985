"""Parts of addresses that come from a command line: checked before a request, and a token in it, goes there."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from common.errors import UserError
from common.text import shown

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")  # of a host name: regions and namespaces are ones
PROJECT = re.compile(r"[a-z0-9][a-z0-9.:-]{0,126}")  # `domain.example:project` among them
ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*@[A-Za-z0-9.-]+")
HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?\.?|\[[0-9A-Fa-f:.]+\]")
PATH = re.compile(r"(/([A-Za-z0-9._~-]|%[0-9A-Fa-f]{2})*)*")


def label(option: str, value: str) -> str:
    """Check a region or a namespace: one part of a host name.

    Raises:
      UserError: other characters would make it lead to another host, or elsewhere on this one.
    """
    return _matching(LABEL, option, value, "small letters, digits and hyphens")


def project(option: str, value: str) -> str:
    """Check the id of a project in Google Cloud.

    Raises:
      UserError: other characters would make it lead elsewhere.
    """
    return _matching(PROJECT, option, value, "small letters, digits, hyphens, and a domain before a colon")


def account(option: str, value: str) -> str:
    """Check the address of a service account.

    Raises:
      UserError: it is not like name@host.
    """
    return _matching(ACCOUNT, option, value, "those of name@host")


def service_url(option: str, value: str) -> str:
    """Check the URL of a service.

    Raises:
      UserError: it is not like https://host:port/path: another host, or none, would get the token.
    """
    try:
        parts = urlsplit(value)
        plain = f"{parts.scheme}://{parts.netloc}{parts.path}" == value and parts.scheme in ("http", "https")
        host = parts.netloc.rpartition(":")[0] if parts.port is not None else parts.netloc
    except ValueError:  # of a port, or of brackets
        plain, host = False, ""
    if not plain or not HOST.fullmatch(host) or ".." in value or not PATH.fullmatch(parts.path):
        raise UserError(
            f"{option} {shown(value)}: is no address of a service: give https://host:port/path, without a user, a "
            "query or a fragment"
        )
    return value


def _matching(pattern: re.Pattern[str], option: str, value: str, allowed: str) -> str:
    if not pattern.fullmatch(value):
        raise UserError(f"{option} {shown(value)}: has characters that do not belong there: {allowed} do")
    return value
