"""An alert sent to an address that only the environment knows."""

import ipaddress
import json
import logging
import os
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

log = logging.getLogger(__name__)

TIMEOUT = 10.0
"""Seconds."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """What an address leads to may be an address that is not allowed."""

    def redirect_request(self, *_: Any) -> None:
        return None


def send(variable: str, alert: Mapping[str, Any]) -> str:
    """Posts ``alert`` as JSON to the address in an environment variable; says in a word how it went.

    Nothing that goes wrong stops anybody: it is a warning. The address is a secret, so neither it nor what a library
    says of it stands in the log.
    """
    address = os.environ.get(variable, "")
    if not address:
        log.warning("The environment variable %s holds no address, so the alert was sent to nobody", variable)
        return "no address"
    if not _is_allowed(address):
        log.warning("The address in %s is not allowed: https:// to anywhere, or http:// to this machine", variable)
        return "address not allowed"
    try:
        request = urllib.request.Request(
            address,
            data=json.dumps(alert).encode(),
            headers={"Content-Type": "application/json", "User-Agent": "snaketorch"},
            method="POST",
        )
        # no proxy stands between a machine and itself
        proxies = urllib.request.ProxyHandler({} if urlsplit(address).scheme == "http" else None)
        with urllib.request.build_opener(proxies, _NoRedirect).open(request, timeout=TIMEOUT) as answer:
            status = answer.status
    except (OSError, HTTPException, ValueError) as error:
        why = getattr(error, "code", None) or type(error).__name__
        log.warning("The alert could not be sent to the address in %s (%s); it stands in alert.json", variable, why)
        return "failed"
    log.info("The alert was sent to the address in %s (%s)", variable, status)
    return "sent"


def _is_allowed(address: str) -> bool:
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if parts.scheme == "https":
        return bool(host)
    return parts.scheme == "http" and (host == "localhost" or _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
