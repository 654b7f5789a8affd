"""The authorization server, over Django's users and the application's own tables."""

import secrets
from collections.abc import Mapping

from django.contrib.auth import get_user_model
from project.settings import FOLDER, ISSUER, kept

import everbearer as eb
from oauth.store import DjangoStore

FRESH = 300
"""Seconds for which a sign-in is new, until a request has been completed with it."""


async def claims(subject: str) -> Mapping[str, object] | None:
    """Return what clients may learn of a user, by its scope."""
    user = get_user_model().objects.filter(pk=subject, is_active=True).first()
    return {"name": user.get_full_name(), "email": user.email} if user else None


kept("secret", secrets.token_urlsafe(48))
kept("signing-key.json", eb.signing_key_to_jwk(eb.generate_signing_key("ES256")).decode())
keys = eb.key_set(eb.load_signing_key(FOLDER / "signing-key.json"))
server = eb.AuthorizationServer(
    issuer=ISSUER,
    store=DjangoStore(),
    sealer=eb.Sealer(eb.load_secrets(FOLDER / "secret")),
    keys=lambda: keys,
    grants=eb.GRANTS,
    claims=claims,
    scopes={**eb.STANDARD_SCOPES, "notes:read": "Read your notes"},
)
