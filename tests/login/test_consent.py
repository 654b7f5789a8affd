from __future__ import annotations

import pytest

from everbearer.login.consent import give_consent, needs_consent, withdraw_consent
from everbearer.login.models import Consent, User
from everbearer.oauth.client import Client
from everbearer.oauth.events import EventKind
from everbearer.oauth.scope import Scope
from login_world import NOW, World

WEB = Client(client_id="web", secrets=("hash",))
SPA = Client(client_id="spa")
OWN = Client(client_id="own", first_party=True)
ASKED = ("openid", "email")


def consent(scope: Scope) -> Consent:
    return Consent(subject="ada", client_id="web", scope=scope, granted_at=NOW)


@pytest.mark.spec("OpenID Connect Core", "3.1.2.4")
@pytest.mark.spec("ASVS 5.0", "10.7.1")
@pytest.mark.spec("RFC 8252", "8.6")
@pytest.mark.parametrize(
    ("client", "redirect_uri", "prompt", "remembered", "expected"),
    [
        (WEB, "https://app.example/cb", (), (), True),
        (WEB, "https://app.example/cb", (), ("openid",), True),
        (WEB, "https://app.example/cb", (), ("openid", "email", "phone"), False),
        (WEB, "http://127.0.0.1/cb", (), ASKED, False),
        (WEB, "https://app.example/cb", ("consent",), ASKED, True),
        (SPA, "https://app.example/cb", (), ASKED, False),
        (SPA, "http://127.0.0.1:9999/cb", (), ASKED, True),
        (SPA, "com.example.app:/cb", (), ASKED, True),
        (OWN, "http://127.0.0.1:9999/cb", (), (), False),
        (OWN, "https://app.example/cb", ("consent",), ASKED, True),
    ],
)
def test_when_the_user_is_asked(
    client: Client, redirect_uri: str, prompt: tuple[str, ...], remembered: Scope, expected: bool
) -> None:
    asked = needs_consent(client, ASKED, prompt=prompt, redirect_uri=redirect_uri, consent=consent(remembered))

    assert asked is expected


def test_an_empty_scope_must_be_consented_to_as_well() -> None:
    never = Consent(subject="ada", client_id="web")

    assert needs_consent(WEB, (), prompt=(), redirect_uri="https://app.example/cb", consent=never)


async def test_a_consent_is_remembered_and_adds_up(world: World, ada: User) -> None:
    await give_consent(ada.subject, "web", ("openid",), store=world.store, now=NOW)
    given = await give_consent(ada.subject, "web", ("email",), store=world.store, now=NOW)

    assert given.scope == ("openid", "email")
    event = await world.newest_event()
    assert (event.kind, event.details) == (EventKind.CONSENT_GIVEN, {"scope": "email"})


async def test_a_withdrawn_consent_is_forgotten_and_its_epoch_rises(world: World, ada: User) -> None:
    given = await give_consent(ada.subject, "web", ASKED, store=world.store, now=NOW)
    await withdraw_consent(ada.subject, "web", store=world.store, now=NOW)
    after = await world.store.consent(ada.subject, "web")

    assert after.scope == ()
    assert after.epoch > given.epoch
    assert needs_consent(WEB, ASKED, prompt=(), redirect_uri="https://app.example/cb", consent=after)
