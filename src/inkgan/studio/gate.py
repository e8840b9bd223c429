"""Who may talk to the studio: host, origin, token and size of each request, in this order.

The rules are those of a local server that a browser talks to (as Jupyter has them): a name that
points to this computer by DNS rebinding is refused by the Host header, another page in the same
browser by the Origin header, another user of this computer by the token. The token comes with the
first address and is then kept in a cookie that scripts cannot read.
"""

import hmac
import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
SAFE_METHODS = frozenset({"GET", "HEAD"})
BODY_LIMIT = 1 << 20  # bytes of a request
UPLOAD_LIMIT = 64 << 20  # the same where pictures are uploaded
UPLOADS = "/api/uploads"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; frame-src 'self'; form-action 'none'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Access:
    """Who may talk to the studio.

    Attributes:
        token: the secret of the first address.
        host: that the server is bound to.
        port: the same; it is part of the cookie's name.
        allow_host: further names by which browsers may call the server.
        spell: turns parameters in backticks into the flags of the command.
    """

    token: str
    host: str = "127.0.0.1"
    port: int = 0
    allow_host: tuple[str, ...] = ()
    spell: Callable[[str], str] = str

    @property
    def cookie(self) -> str:
        """The cookie's name; browsers send cookies to every port of a host."""
        return f"inkgan-studio-{self.port}"

    def is_allowed(self, name: str) -> bool:
        """Return whether a browser may call the server by this name, given without its port."""
        if name in LOCAL_NAMES or name == self.host or name in self.allow_host:
            return True
        # an address cannot be rebound; it can only be reached if the server listens there
        return self.host in ("0.0.0.0", "::") and _is_address(name)

    def is_token(self, given: str) -> bool:
        """Compare a token in constant time."""
        return hmac.compare_digest(given.encode(), self.token.encode())


class Gate:
    """Lets requests through to the application, or refuses them with the reason.

    Args:
        app: the application.
        access: who may talk to it.
    """

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # there are no web sockets
            return
        sending = _with_headers(send)
        answer = self._refusal(scope)
        if answer is not None:
            await answer(scope, receive, sending)
            return
        limit = UPLOAD_LIMIT if scope["path"].startswith(UPLOADS) else BODY_LIMIT
        await self._app(scope, _limited(receive, limit), sending)

    def _refusal(self, scope: Scope) -> Response | None:
        """Return the answer to a request that does not get through."""
        headers, access = Headers(scope=scope), self._access
        host = _without_port(headers.get("host", ""))
        if not access.is_allowed(host):
            return self._refuse(
                403, f"The name {host!r} is not this studio's: `allow_host={host}` would allow it."
            )
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != headers.get("host"):
            return self._refuse(403, f"Pages of {origin!r} may not use this studio.")
        by_header = headers.get("authorization", "").removeprefix("token ")
        if not (by_header and access.is_token(by_header)):
            query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
            if scope["path"] == "/" and access.is_token(query.pop("token", "")):
                return self._remember(query)
            if not self._has_cookie(headers):
                return self._refuse(401, "Open the address with the token that the terminal shows.")
            same_site = headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")
            is_safe = scope["method"] in SAFE_METHODS
            if not is_safe and (origin is None or not same_site):
                return self._refuse(403, "A change must come from a page of the studio.")
        limit = UPLOAD_LIMIT if scope["path"].startswith(UPLOADS) else BODY_LIMIT
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > limit:
            return self._refuse(413, f"Requests may have {limit >> 20} MB.")
        return None

    def _refuse(self, status: int, message: str) -> Response:
        return PlainTextResponse(self._access.spell(message), status)

    def _remember(self, query: Mapping[str, str]) -> Response:
        """Answer the first address: keep the token in a cookie, and take it out of the address."""
        target = "/" + (f"?{urlencode(query)}" if query else "")
        response = RedirectResponse(target, 303)
        response.set_cookie(
            self._access.cookie, self._access.token, httponly=True, samesite="strict", path="/"
        )
        return response

    def _has_cookie(self, headers: Headers) -> bool:
        try:
            cookies = SimpleCookie(headers.get("cookie", ""))
        except CookieError:
            return False
        kept = cookies.get(self._access.cookie)
        return kept is not None and self._access.is_token(kept.value)


def _with_headers(send: Send) -> Send:
    """Add the security headers to every answer that has none of its own."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending


def _limited(receive: Receive, limit: int) -> Receive:
    """Refuse a body that turns out longer than its sender said."""
    seen = 0

    async def receiving() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise HTTPException(413, f"Requests may have {limit >> 20} MB.")
        return message

    return receiving


def _without_port(host: str) -> str:
    """Return the name or address of a Host header, lower case and without brackets."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
