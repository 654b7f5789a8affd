"""Client metadata (RFC 7591 §2, OpenID Connect Registration §2): what each member holds, and which setting it is.

A member that is a setting of `Client` is one line in `SETTINGS`, under the name that both have. What a client may say
of itself and nothing here goes by is one line in `TOLD_AGAIN`; what it may not ask for, in `REFUSED`. All else is not
understood.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from everbearer.oauth.client import Client
from everbearer.oauth.clients.metadata_kinds import (
    APPLICATION_TYPE,
    AUTH_METHOD,
    DOCUMENT,
    ENCRYPTED_REQUESTS,
    FLAG,
    HTTPS,
    JWKS,
    NAME,
    PAGE,
    SCOPE,
    SECONDS,
    SUBJECT_TYPE,
    TEXT,
    TEXTS,
    Kind,
)
from everbearer.oauth.encoding import standard_json
from everbearer.oauth.errors import InvalidClientMetadata

MOST_LANGUAGES = 50
"""How many members may have language tags."""
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,8}")

SETTINGS: Mapping[str, Kind] = {
    "client_name": NAME,
    "redirect_uris": TEXTS,
    "post_logout_redirect_uris": TEXTS,
    "backchannel_logout_uri": TEXT,
    "backchannel_logout_session_required": FLAG,
    "frontchannel_logout_uri": TEXT,
    "frontchannel_logout_session_required": FLAG,
    "grant_types": TEXTS,
    "response_types": TEXTS,
    "token_endpoint_auth_method": AUTH_METHOD,
    "token_endpoint_auth_signing_alg": TEXT,
    "jwks": JWKS,
    "jwks_uri": TEXT,
    "scope": SCOPE,
    "subject_type": SUBJECT_TYPE,
    "id_token_signed_response_alg": TEXT,
    "id_token_encrypted_response_alg": TEXT,
    "id_token_encrypted_response_enc": TEXT,
    "userinfo_signed_response_alg": TEXT,
    "userinfo_encrypted_response_alg": TEXT,
    "userinfo_encrypted_response_enc": TEXT,
    "introspection_signed_response_alg": TEXT,
    "introspection_encrypted_response_alg": TEXT,
    "introspection_encrypted_response_enc": TEXT,
    "request_object_signing_alg": TEXT,
    "require_signed_request_object": FLAG,
    "request_uris": TEXTS,
    "default_max_age": SECONDS,
    "require_auth_time": FLAG,
    "default_acr_values": TEXTS,
    "initiate_login_uri": HTTPS,
    "client_uri": PAGE,
    "logo_uri": PAGE,
    "policy_uri": PAGE,
    "tos_uri": PAGE,
}
"""The members that are settings of `Client`."""

TOLD_AGAIN: Mapping[str, Kind] = {
    "application_type": APPLICATION_TYPE,
    "contacts": TEXTS,
    "software_id": TEXT,
    "software_version": TEXT,
    "software_statement": DOCUMENT,
    "sector_identifier_uri": HTTPS,
}
"""The members that are kept as they came: who reads the registration sees them."""

REFUSED: Mapping[str, Kind] = {
    "request_object_encryption_alg": ENCRYPTED_REQUESTS,
    "request_object_encryption_enc": ENCRYPTED_REQUESTS,
}
"""The members that are understood, and of which no value will do."""

_IN_LANGUAGES = frozenset({"client_name", "client_uri", "logo_uri", "policy_uri", "tos_uri"})
_KINDS: Mapping[str, Kind] = {**SETTINGS, **TOLD_AGAIN, **REFUSED}


@dataclass(frozen=True, slots=True)
class ClientMetadata:
    """What a client says of itself, each member read by its kind; those that are empty are not there."""

    values: Mapping[str, Any]

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def text(self, name: str) -> str:
        """Return a member that is a text; empty where it is not there."""
        return str(self.values.get(name, ""))

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a member that is a list; empty where it is not there."""
        found: tuple[str, ...] = self.values.get(name, ())
        return found

    def having(self, **changes: object) -> ClientMetadata:
        """Return the same with other values; without those that are None."""
        changed = {**self.values, **changes}
        return ClientMetadata({name: value for name, value in changed.items() if value is not None})

    @property
    def settings(self) -> dict[str, Any]:
        """Return the settings of the client."""
        return {name: value for name, value in self.values.items() if name in SETTINGS}

    @property
    def told_again(self) -> str:
        """Return what is no setting, as JSON."""
        others = {name: kind_of(name).write(value) for name, value in self.values.items() if name not in SETTINGS}
        return standard_json(others).decode()


def kind_of(name: str) -> Kind:
    """Return what a member holds, with or without a language tag.

    Raises:
        KeyError: it is not understood.
    """
    base, tagged, tag = name.partition("#")
    # "Human-readable client metadata values [...] MAY be represented in multiple languages and scripts. [...] BCP 47
    # language tags are added to client metadata member names, delimited by a "#" character" (RFC 7591 §2.2).
    if tagged and not (base in _IN_LANGUAGES and _LANGUAGE_TAG.fullmatch(tag)):
        raise KeyError(name)
    return _KINDS[base]


def read_metadata(members: Mapping[str, object]) -> ClientMetadata:
    """Return what the members of a JSON object say, as far as it is understood.

    Raises:
        InvalidClientMetadata: a value is not what its member holds.
    """
    values = dict(_values(members))
    if sum("#" in name for name in values) > MOST_LANGUAGES:
        raise InvalidClientMetadata(f"more than {MOST_LANGUAGES} members have language tags")
    # "The "jwks_uri" and "jwks" parameters MUST NOT both be present in the same request or response" (RFC 7591 §2).
    if "jwks" in values and "jwks_uri" in values:
        raise InvalidClientMetadata("jwks and jwks_uri are both there: leave one of them out")
    return ClientMetadata(values)


def _values(members: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for name, value in members.items():
        try:
            kind = kind_of(name)
        except KeyError:
            # "The authorization server MUST ignore any client metadata sent by the client that it does not
            # understand" (RFC 7591 §2).
            continue
        # "Omitted fields MUST be treated as null or empty values by the server" (RFC 7592 §2.2), and so the other way.
        if value in (None, "", []):
            continue
        try:
            yield name, kind.read(value)
        except ValueError as problem:
            raise InvalidClientMetadata(f"{name} {problem}") from None


def metadata_of(client: Client) -> dict[str, object]:
    """Return what is registered of a client, as it stands on the wire."""
    settings = {
        name: kind.write(value)
        for name, kind in SETTINGS.items()
        if (value := getattr(client, name)) is not False and value not in (None, "", ())
    }
    told_again = client.registration.metadata if client.registration else ""
    return {**settings, **(json.loads(told_again) if told_again else {})}
