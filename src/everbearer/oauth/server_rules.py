"""What an authorization server may not be made of, in sentences that say what to change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from everbearer.oauth.arguments import field_problems
from everbearer.oauth.crypto.keys import ALGORITHMS
from everbearer.oauth.resource import Resource, is_resource_identifier
from everbearer.oauth.scope import Scope, scope_value_problems
from everbearer.oauth.uris import is_web_page

ADVICE: Mapping[str, str] = {
    "issuer": "write the URL that clients know, such as https://id.example.com",
    "sealer": "write Sealer([secret]), of a secret of 32 random bytes or more",
    "keys": "write keys=lambda: keys, of keys that key_set made",
    "grants": "write grants=GRANTS",
    "scopes": 'write {**STANDARD_SCOPES, "read": "Read your notes"}, the words for a consent page',
    "resources": "write {api.resource: api}, of a Resource",
    "pairwise_salt": "write pairwise_salt=lambda: salt, of 32 random bytes",
    "profile": "write STRICT or another Profile",
}
"""What to write where a field has another type than its own."""


def address_problems(*, issuer: str, endpoints: str, verification_uri: str) -> Iterator[str]:
    """Tell what is wrong with the URLs that clients and users are told (RFC 8414 §2)."""
    yield from _url_problem("issuer", issuer)
    if endpoints:
        yield from _url_problem("endpoints", endpoints)
    if verification_uri and not is_web_page(verification_uri):
        yield f"verification_uri must be an absolute URL, such as https://example.com/device, not {verification_uri!r}"


def _url_problem(name: str, url: str) -> Iterator[str]:
    # "a URL that uses the "https" scheme and has no query or fragment components" (RFC 8414 §2). Of http it may be in
    # tests and inside of an own network; only who runs it knows.
    if not is_web_page(url) or {"?", "#", "@"} & set(url):
        yield (
            f"{name} must be an absolute URL without query, fragment and user name, such as https://id.example.com, "
            f"not {url!r}"
        )
    elif url.endswith("/"):
        yield f"{name}: leave out the slash at its end, write {url.rstrip('/')!r}"


def scope_problems(*, scopes: Mapping[str, str], default_scope: Scope) -> Iterator[str]:
    """Tell which scope values there cannot be, or are not."""
    yield from scope_value_problems("scopes", scopes)
    for name in default_scope:
        if name not in scopes:
            yield f"default_scope: {name!r} is not among scopes: add it there, in words for a consent page"


def resource_problems(resources: Mapping[str, Resource]) -> Iterator[str]:
    """Tell which resources there cannot be (RFC 8707 §2)."""
    for name, resource in resources.items():
        # They are made at requests too, where nobody waits for this.
        problems = tuple(field_problems(resource)) or tuple(_resource_problems(name, resource))
        yield from (f"resources: at {name!r} {problem}" for problem in problems)


def _resource_problems(name: str, resource: Resource) -> Iterator[str]:
    if resource.resource != name:
        yield "is not the Resource of that identifier"
    if not is_resource_identifier(resource.resource):
        yield "resource must be an absolute URI without a fragment, such as https://api.example.com"
    if resource.access_token_lifetime is not None and resource.access_token_lifetime < 1:
        yield f"access_token_lifetime is {resource.access_token_lifetime}: it must be at least 1 second"
    if resource.access_token_signing_alg not in (None, *ALGORITHMS):
        yield f"access_token_signing_alg must be one of {', '.join(ALGORITHMS)}"


def polling_problems(interval: int) -> Iterator[str]:
    """Tell whether devices would poll without a pause (RFC 8628 §3.2)."""
    if interval < 1:
        yield f"polling_interval is {interval}: it must be at least 1 second"
