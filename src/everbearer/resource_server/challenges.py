"""Refusals as they stand on the wire: a status, and a challenge that tells a client what to do (RFC 6750 §3)."""

from __future__ import annotations

import re
from dataclasses import replace

from everbearer.oauth.error_response import error_members
from everbearer.oauth.messages import NO_STORE, Response, json_response
from everbearer.oauth.scope import format_scope
from everbearer.resource_server.errors import (
    InsufficientScope,
    InsufficientUserAuthentication,
    OAuthError,
    TemporarilyUnavailable,
    TokenRequired,
)
from everbearer.resource_server.requirement import Requirement

_NOT_PLAIN = re.compile(r'[^\x20-\x7e]|["\\]')


def refusal(error: OAuthError, required: Requirement, *, realm: str, resource_metadata: str) -> Response:
    """Return the response that refuses a request whose token should have met a requirement."""
    if isinstance(error, TemporarilyUnavailable):
        headers = (*NO_STORE, ("Retry-After", str(error.retry_after)))
        return replace(json_response(error_members(error), status=error.status, headers=headers), error=error.error)
    parameters = {"realm": realm, **_parameters(error, required), "resource_metadata": resource_metadata}
    headers = (*NO_STORE, ("WWW-Authenticate", challenge(parameters)))
    if isinstance(error, TokenRequired):
        return Response(status=error.status, headers=headers)
    return replace(json_response(error_members(error), status=error.status, headers=headers), error=error.error)


def challenge(parameters: dict[str, str]) -> str:
    """Return the value of `WWW-Authenticate` with these parameters; empty ones are left out."""
    written = (f'{name}="{_NOT_PLAIN.sub("?", value)}"' for name, value in parameters.items() if value)
    return "Bearer " + ", ".join(written)


def _parameters(error: OAuthError, required: Requirement) -> dict[str, str]:
    # "If the request lacks any authentication information [...], the resource server SHOULD NOT include an error code
    # or other error information" (§3.1). The scope is none: it tells what to ask for.
    if isinstance(error, TokenRequired):
        return {"scope": format_scope(required.scope)}
    members = error_members(error)
    if isinstance(error, InsufficientScope):
        return {**members, "scope": format_scope(error.scope)}
    if isinstance(error, InsufficientUserAuthentication):
        max_age = "" if error.max_age is None else str(error.max_age)
        return {**members, "acr_values": " ".join(error.acr_values), "max_age": max_age}
    return {**members, "scope": format_scope(required.scope)}
