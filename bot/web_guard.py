"""Who may talk to the demo page: this machine, through this page, and nobody's other tab."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from urllib.parse import urlsplit

from aiohttp import web

from scoring.refused import Refused

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class TurnedAway(Exception):
    """A request the page never sends; `status` is the HTTP status, the text goes to whoever sent it."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words


def loopback(host: str) -> bool:
    """Whether a host name or address means this machine and nothing else."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def require_loopback(host: str) -> None:
    """Raises Refused for an address that others could reach: the page lets its visitor be anybody."""
    if not loopback(host):
        raise Refused(
            f"The demo does not listen on {host}: whoever reaches its page can be anybody on it.",
            "Leave out REDFIRST_HOST; to look at it from elsewhere, forward the port over SSH.",
        )


class Guard:
    """Checks requests. Tokens are signed with a key of this process, so that none has to be remembered."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def token(self) -> str:
        """A token for one page."""
        page = secrets.token_urlsafe(9)
        return f"{page}.{self._seal(page)}"

    def _seal(self, page: str) -> str:
        return hmac.new(self._key, page.encode(), hashlib.sha256).hexdigest()

    def admit(self, request: web.Request) -> None:
        """From this machine, and asked for by a name of this machine: a foreign name that resolves here
        (DNS rebinding) is turned away. Raises TurnedAway."""
        if request.remote is None or not loopback(request.remote):
            raise TurnedAway(403, "The demo answers this machine only.")
        if len(request.headers.getall("Host", [])) != 1 or not loopback(_host(f"//{request.host}")):
            raise TurnedAway(403, "Open the demo as http://127.0.0.1 or http://localhost.")

    def admit_page(self, request: web.Request, token: str) -> None:
        """Also: sent by a page of ours. Raises TurnedAway."""
        self.admit(request)
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != request.host:
            raise TurnedAway(403, "That came from another page.")
        if origin is None and request.method != "GET":
            raise TurnedAway(403, "That came from no page.")
        page, _, seal = token.partition(".")
        if not hmac.compare_digest(seal.encode(), self._seal(page).encode()):
            raise TurnedAway(403, "The demo was started anew. Load the page again.")


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
