"""Values to columns and back."""

from __future__ import annotations

from binascii import a2b_base64
from dataclasses import replace
from functools import lru_cache
from typing import Any

import msgspec

from everbearer.login.models import Consent, Session, User
from everbearer.oauth.client import Client
from everbearer.oauth.encoding import base64url
from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.models import Authentication, CodeBinding, Ended, EndReason, Grant, RequestedClaims
from everbearer.oauth.scope import Scope, format_scope
from everbearer.storage.clients import used_at_first
from everbearer.storage.sql.history import history_of, history_text
from everbearer.storage.sql.json_text import json_text
from everbearer.storage.sql.transaction import Row, Value
from everbearer.storage.store import StoredKey

_client = msgspec.json.Decoder(Client)
_code = msgspec.json.Decoder(CodeBinding)
_requested_claims = msgspec.json.Decoder(RequestedClaims)
_texts = msgspec.json.Decoder(tuple[str, ...])
_details = msgspec.json.Decoder(dict[str, str])
_claims = msgspec.json.Decoder(dict[str, Any])


def _binary(text: str) -> bytes:
    # Written by `base64url`, and read at each request: there is nothing to check.
    return a2b_base64(text.replace("-", "+").replace("_", "/") + "==")


@lru_cache(maxsize=1024)
def scope_of(text: str) -> Scope:
    """Return a stored scope."""
    return tuple(text.split())


def client_columns(client: Client) -> dict[str, Value]:
    """Return the parameters that store a client."""
    lifetimes = client.lifetimes
    return {
        "client_id": client.client_id,
        "metadata": json_text(replace(client, epoch=0, used_at=None)),
        "access_token": lifetimes.longest_access_token,
        "refresh_token": lifetimes.refresh_token,
        "refresh_token_idle": lifetimes.refresh_token_idle,
        "authorization_code": lifetimes.authorization_code,
        "used_at": used_at_first(client),
    }


def client_of(row: Row) -> Client:
    """Read a client: metadata, epoch, used_at. Settings that only a newer release knows are passed over."""
    return _read_client(*row)


@lru_cache(maxsize=1024)
def _read_client(metadata: str, epoch: int, used_at: int | None) -> Client:
    # The row is read at each request, and what stands in it is understood once.
    return replace(_client.decode(metadata), epoch=epoch, used_at=used_at)


GRANT_COLUMNS = """
    grants.grant_id, grants.client_id, grants.subject, grants.scope, grants.secret, grants.offline, grants.auth_time,
    grants.amr, grants.acr, grants.session_id, grants.user_epoch, grants.client_epoch, grants.consent_epoch,
    grants.created_at, grants.rotated_at, grants.used_at, grants.generation, grants.confirmed, grants.retries,
    grants.late_generation, grants.late_streak, grants.idempotency_key, grants.code, grants.history,
    grants.claims, grants.resources"""


def grant_columns(grant: Grant) -> dict[str, Value]:
    """Return the parameters that store a new grant."""
    authentication = grant.authentication
    return {
        "client_id": grant.client_id,
        "subject": grant.subject,
        "scope": format_scope(grant.scope),
        "secret": base64url(grant.secret),
        "offline": int(grant.offline),
        "auth_time": authentication.auth_time,
        "amr": json_text(authentication.amr),
        "acr": authentication.acr,
        "session_id": authentication.session_id,
        "user_epoch": authentication.user_epoch,
        "client_epoch": grant.client_epoch,
        "consent_epoch": grant.consent_epoch,
        "created_at": grant.created_at,
        "claims": json_text(grant.claims) if grant.claims else None,
        "resources": " ".join(grant.resources) or None,
        **changing_columns(grant),
    }


def changing_columns(grant: Grant) -> dict[str, Value]:
    """Return the parameters that a spend writes."""
    return {
        "grant_id": grant.grant_id,
        "rotated_at": grant.rotated_at,
        "used_at": grant.used_at,
        "generation": grant.generation,
        "confirmed": grant.confirmed,
        "retries": grant.retries,
        "late_generation": grant.late_generation,
        "late_streak": grant.late_streak,
        "idempotency_key": grant.idempotency_key,
        "code": json_text(grant.code) if grant.code else None,
        "history": history_text(grant.history),
    }


@lru_cache(maxsize=256)
def _amr_of(text: str) -> tuple[str, ...]:
    return _texts.decode(text)


def grant_of(row: Row) -> Grant:
    """Read a grant: `GRANT_COLUMNS`, then its own end and those of its user, client, consent and session."""
    (grant_id, client_id, subject, scope, secret, offline, auth_time, amr, acr, session_id, user_epoch) = row[:11]
    (client_epoch, consent_epoch, created_at, rotated_at, used_at, generation, confirmed, retries) = row[11:19]
    (late_generation, late_streak, idempotency_key, code, history, claims, resources) = row[19:26]
    return Grant(
        grant_id=grant_id,
        client_id=client_id,
        subject=subject,
        scope=scope_of(scope),
        secret=_binary(secret),
        offline=bool(offline),
        authentication=Authentication(
            subject=subject,
            auth_time=auth_time,
            amr=_amr_of(amr),
            acr=acr,
            session_id=session_id,
            user_epoch=user_epoch,
        ),
        created_at=created_at,
        rotated_at=rotated_at,
        used_at=used_at,
        generation=generation,
        confirmed=confirmed,
        retries=retries,
        late_generation=late_generation,
        late_streak=late_streak,
        idempotency_key=idempotency_key,
        code=_code.decode(code) if code else None,
        claims=_requested_claims.decode(claims) if claims else None,
        resources=scope_of(resources) if resources else (),
        client_epoch=client_epoch,
        consent_epoch=consent_epoch,
        history=history_of(history),
        ended=_end_upon(row[26:41]),
    )


_NO_END: Row = (None,) * 15


def _end_upon(columns: Row) -> Ended | None:
    """Read the end that has come upon a grant: its own, or the first of those of its user, client, consent, session."""
    if columns == _NO_END:
        return None
    own, *others = (ended_of(columns[at : at + 3]) for at in range(0, 15, 3))
    return own or earliest(*others)


def ended_of(columns: Row) -> Ended | None:
    """Read an end: reason, actor, at; None where a join found none."""
    reason, actor, at = columns
    return None if reason is None else Ended(reason=EndReason(reason), actor=actor, at=at)


def earliest(*ends: Ended | None) -> Ended | None:
    """Return the end that came first; of several at one time the first named."""
    return min((end for end in ends if end is not None), key=lambda end: end.at, default=None)


def user_columns(user: User) -> dict[str, Value]:
    """Return the parameters that store a user."""
    return {
        "subject": user.subject,
        "login": user.login,
        "password_hash": user.password_hash,
        "claims": json_text(dict(user.claims)),
        "disabled_at": user.disabled_at,
        "updated_at": user.updated_at,
    }


def user_of(row: Row) -> User:
    """Read a user: the columns in order, then the epoch."""
    subject, login, password_hash, claims, disabled_at, created_at, updated_at, epoch = row
    return User(
        subject=subject,
        login=login,
        password_hash=password_hash,
        claims=_claims.decode(claims),
        disabled_at=disabled_at,
        created_at=created_at,
        updated_at=updated_at,
        epoch=epoch,
    )


def session_columns(session: Session) -> dict[str, Value]:
    """Return the parameters that store a session."""
    return {
        "session_id": session.session_id,
        "secret": base64url(session.secret),
        "subject": session.subject,
        "user_epoch": session.user_epoch,
        "auth_time": session.auth_time,
        "amr": json_text(session.amr),
        "flow": session.flow,
        "created_at": session.created_at,
        "used_at": session.used_at,
        "address": session.address,
        "agent": session.agent,
    }


def session_of(row: Row) -> Session:
    """Read a session: the columns in order, then its own end and that of its user."""
    session_id, secret, subject, user_epoch, auth_time, amr, flow, created_at, used_at, address, agent = row[:11]
    return Session(
        session_id=session_id,
        secret=_binary(secret),
        subject=subject,
        user_epoch=user_epoch,
        auth_time=auth_time,
        amr=_texts.decode(amr),
        flow=flow,
        created_at=created_at,
        used_at=used_at,
        address=address,
        agent=agent,
        ended=earliest(ended_of(row[11:14]), ended_of(row[14:17])),
    )


def consent_of(row: Row) -> Consent:
    """Read a consent: subject, client_id, scope, granted_at, epoch."""
    subject, client_id, scope, granted_at, epoch = row
    return Consent(subject=subject, client_id=client_id, scope=scope_of(scope), granted_at=granted_at, epoch=epoch)


def event_columns(event: Event) -> dict[str, Value]:
    """Return the parameters that store an event."""
    return {
        "kind": event.kind,
        "at": event.at,
        "actor": event.actor,
        "grant_id": event.grant_id,
        "client_id": event.client_id,
        "subject": event.subject,
        "address": event.address,
        "agent": event.agent,
        "details": json_text(dict(event.details)),
    }


def event_of(row: Row) -> Event:
    """Read an event: the columns in order, without the id."""
    kind, at, actor, grant_id, client_id, subject, address, agent, details = row
    return Event(
        kind=EventKind(kind),
        at=at,
        actor=actor,
        grant_id=grant_id,
        client_id=client_id,
        subject=subject,
        address=address,
        agent=agent,
        details=_details.decode(details),
    )


def sealed_text(sealed: bytes) -> str:
    """Return a sealed value as its column holds it."""
    return base64url(sealed)


def sealed_bytes(text: str) -> bytes:
    """Return what a column holds sealed."""
    return _binary(text)


def key_columns(key: StoredKey) -> dict[str, Value]:
    """Return the parameters that store a signing key."""
    return {
        "kid": key.kid,
        "alg": key.alg,
        "sealed": sealed_text(key.sealed),
        "created_at": key.created_at,
        "active_at": key.active_at,
        "retired_at": key.retired_at,
    }


def key_of(row: Row) -> StoredKey:
    """Read a signing key: the columns in order, without the predecessor."""
    kid, alg, sealed, created_at, active_at, retired_at = row
    return StoredKey(
        kid=kid,
        alg=alg,
        sealed=_binary(sealed),
        created_at=created_at,
        active_at=active_at,
        retired_at=retired_at,
    )
