"""What an authorization server may not be made of, in sentences that say what to change.

The values are looked at as whatever they are: not everybody who embeds this has a type checker to tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import cast

from everbearer.oauth.crypto.sealing import Sealer
from everbearer.oauth.resource import Resource
from everbearer.oauth.scope import is_scope_value
from everbearer.oauth.store import ClientStore, DeviceStore, GrantStore
from everbearer.oauth.uris import is_web_page


def refuse(problems: Iterable[str]) -> None:
    """Return if there are no problems.

    Raises:
        ValueError: there are some; the message says of each what to change.
    """
    told = "; ".join(problems)
    if told:
        raise ValueError(told)


def address_problems(*, issuer: object, endpoints: object) -> Iterator[str]:
    """Tell what is wrong with the URLs that clients are told (RFC 8414 §2)."""
    yield from _url_problem("issuer", issuer)
    if endpoints != "":
        yield from _url_problem("endpoints", endpoints)


def _url_problem(name: str, url: object) -> Iterator[str]:
    # "a URL that uses the "https" scheme and has no query or fragment components" (RFC 8414 §2). Of http it may be in
    # tests and inside of an own network; only who runs it knows.
    if not isinstance(url, str) or not is_web_page(url) or {"?", "#", "@"} & set(url):
        yield (
            f"{name} must be an absolute URL without query, fragment and user name, such as https://id.example.com, "
            f"not {url!r}"
        )
    elif url.endswith("/"):
        yield f"{name}: leave out the slash at its end, write {url.rstrip('/')!r}"


def store_problems(*, store: object, devices: object) -> Iterator[str]:
    """Tell which verbs a store lacks."""
    for protocol in (ClientStore, GrantStore):
        yield from _lacking("store", store, protocol)
    if devices is not None:
        yield from _lacking("devices", devices, DeviceStore)


def _lacking(name: str, store: object, protocol: type) -> Iterator[str]:
    verbs = [verb for verb in vars(protocol) if not verb.startswith("_")]
    lacking = [verb for verb in verbs if not callable(getattr(store, verb, None))]
    if lacking:
        yield f"{name}: a {type(store).__name__} is no {protocol.__name__}, for it has no {', '.join(lacking)}"


def secret_problems(*, sealer: object, keys: object) -> Iterator[str]:
    """Tell what is wrong with what seals and signs."""
    if not isinstance(sealer, Sealer):
        yield "sealer must be a Sealer: write Sealer([secret]), of a secret of 32 random bytes or more"
    if not callable(keys):
        yield "keys must be a function that returns the KeySet of the moment: write keys=lambda: keys"


def table_problems(*, grants: object, scopes: object, resources: object) -> Iterator[str]:
    """Tell what is wrong with what there is to ask for."""
    functions, words, known = _mapping(grants), _mapping(scopes), _mapping(resources)
    if functions is None or not all(map(callable, functions.values())):
        yield "grants must map each grant_type to its function: write grants=GRANTS"
    if words is None:
        yield 'scopes must map each scope value to words for a consent page: write {**STANDARD_SCOPES, "read": "…"}'
    else:
        yield from (f"scopes: {name!r} is no scope value, for it has spaces or quotes" for name in _not_scopes(words))
    if known is None:
        yield "resources must map each resource identifier to its Resource"
    else:
        yield from (f"resources: at {name!r} is not the Resource of that identifier" for name in _not_named(known))


def _mapping(value: object) -> Mapping[object, object] | None:
    return cast("Mapping[object, object]", value) if isinstance(value, Mapping) else None


def _not_scopes(scopes: Mapping[object, object]) -> Iterator[object]:
    return (name for name in scopes if not (isinstance(name, str) and is_scope_value(name)))


def _not_named(resources: Mapping[object, object]) -> Iterator[object]:
    return (name for name, each in resources.items() if not (isinstance(each, Resource) and each.resource == name))
