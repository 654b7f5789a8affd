"""A response as it stands on the wire (RFC 9112 §4 to §6)."""

from __future__ import annotations

import logging
from http import HTTPStatus

from everbearer.oauth.error_response import error_response
from everbearer.oauth.errors import ServerError
from everbearer.oauth.messages import Response

_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}
_WITHOUT_BODY = frozenset({204, 304})

log = logging.getLogger("everbearer")


def response_bytes(response: Response, *, date: str, head: bool, ends: bool) -> bytes:
    """Return status line, headers and body; no body where `head` says so. `ends` tells that the connection ends."""
    try:
        start = _head(response, date=date, head=head, ends=ends)
    except ValueError:
        log.exception("an answer could not be written")
        response = error_response(ServerError("the server failed to answer; its log says more"))
        start = _head(response, date=date, head=head, ends=ends)
    return start if head else start + response.body


def _head(response: Response, *, date: str, head: bool, ends: bool) -> bytes:
    # "An origin server with a clock [...] MUST generate a Date header field" (RFC 9110 §6.6.1).
    lines = [_STATUS_LINES[response.status], f"Date: {date}\r\n"]
    lines += [f"{name}: {value}\r\n" for name, value in response.headers]
    if not head and response.status not in _WITHOUT_BODY:
        lines.append(f"Content-Length: {len(response.body)}\r\n")
    if ends:
        lines.append("Connection: close\r\n")
    lines.append("\r\n")
    text = "".join(lines)
    if text.count("\n") != len(lines) or text.count("\r") != len(lines):
        raise ValueError("a header of an answer holds a line break")
    return text.encode("latin-1")
