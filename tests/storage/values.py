"""Values that the storage tests store beside those of `everbearer.testing`."""

from __future__ import annotations

from dataclasses import replace

from everbearer.login.models import Session, User
from everbearer.oauth.client import SelfRegistration
from everbearer.oauth.initial_access_tokens import InitialAccessToken
from everbearer.oauth.sessions.backchannel_logout import Logout
from everbearer.storage.store import StoredKey
from everbearer.testing.devices import DEVICE as DEVICE
from everbearer.testing.values import CLIENT as CLIENT
from everbearer.testing.values import ENDED as ENDED
from everbearer.testing.values import EVENT as EVENT
from everbearer.testing.values import GRANT as GRANT
from everbearer.testing.values import NOW as NOW
from everbearer.testing.values import OTHER_END as OTHER_END
from everbearer.testing.values import new_grant as new_grant
from everbearer.testing.values import rotated as rotated

REGISTERED = replace(
    CLIENT,
    first_party=False,
    disabled_at=None,
    created_at=NOW,
    registration=SelfRegistration(
        access_token_hash="hash of a token",
        scope=("openid", "email"),
        authorized_by="token",
        statement_issuer="https://directory.example",
        verified_at=NOW + 3,
        metadata='{"contacts": ["Ünïcode"]}',
    ),
)

TOKEN = InitialAccessToken(
    token_id="token",
    token_hash="hash of an initial access token",
    created_at=NOW,
    expires_at=NOW + 1000,
    uses_left=2,
    scope=("openid",),
    note="for Ünïcode & Söhne",
)

USER = User(
    subject="ada",
    login="ada@example.com",
    password_hash="$argon2id$…",
    claims={"name": "Ada", "email_verified": True, "address": {"country": "GB"}, "height": 1.65, "nicknames": ["A"]},
    disabled_at=NOW + 3,
    created_at=NOW,
    updated_at=NOW + 1,
)

SESSION = Session(
    session_id="session",
    secret=b"\x00" * 15 + b"\xff",
    subject="ada",
    user_epoch=0,
    auth_time=NOW - 5,
    amr=("pwd",),
    flow="flow",
    created_at=NOW,
    used_at=NOW + 2,
    address="192.0.2.1",
    agent="Mozilla/5.0",
)

LOGOUT = Logout(session_id="session", client_id="spa", subject="ada", ended_at=NOW + 50, due_at=NOW + 50)

KEY = StoredKey(kid="key", alg="ES256", sealed=b"\x01sealed\xfe", created_at=NOW, active_at=NOW + 1, retired_at=NOW + 2)
