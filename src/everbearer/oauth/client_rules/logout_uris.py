"""What is wrong with where a client wants to be told of a logout (Back-Channel and Front-Channel Logout 1.0 §2)."""

from __future__ import annotations

from collections.abc import Iterator

from everbearer.oauth.client import Client
from everbearer.oauth.redirect_uris import origin_of
from everbearer.oauth.uris import is_safe_to_fetch

_UNSAFE = "must be an https URL, or http on a loopback host, without a fragment or user name"


def logout_uri_problems(client: Client) -> Iterator[str]:
    """Yield what is wrong, a sentence each that says what to change."""
    for name in ("backchannel_logout", "frontchannel_logout"):
        uri = getattr(client, f"{name}_uri")
        # "The back-channel logout URI MUST NOT include a fragment component" (Back-Channel Logout §2.2); the same of
        # the other (Front-Channel Logout §2).
        if uri and not is_safe_to_fetch(uri):
            yield f"{name}_uri: {uri!r} {_UNSAFE}"
        if getattr(client, f"{name}_session_required") and not uri:
            yield f"{name}_session_required is set, but there is no {name}_uri: set that, or take it out"
    uri = client.frontchannel_logout_uri
    # "The domain, port, and scheme of this URL MUST be the same as that of a registered Redirection URI value"
    # (Front-Channel Logout §2).
    if uri and origin_of(uri) not in map(origin_of, client.redirect_uris):
        yield f"frontchannel_logout_uri: {uri!r} is of another origin than all redirect_uris: register one beside it"
