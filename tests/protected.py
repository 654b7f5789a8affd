"""Protected resources that the tests of resource indicators ask for, and how requests name several of them."""

from __future__ import annotations

from dataclasses import replace

from everbearer.oauth.authorization.endpoint import complete_authorization
from everbearer.oauth.client import AccessTokenFormat
from everbearer.oauth.resource import Resource
from world import VERIFIER, Answer, World, answer_of

NOTES = "https://notes.example/"
FILES = "https://files.example/api"
VAULT = "https://vault.example/"
OPEN = "https://open.example/mcp"
HIDDEN = "https://hidden.example/"

_RESOURCES = (
    Resource(resource=NOTES, resource_name="Notes", scopes_supported=("read", "write")),
    Resource(resource=FILES, scopes_supported=("read",), access_token_lifetime=300),
    Resource(resource=VAULT, access_token_format=AccessTokenFormat.OPAQUE),
    Resource(resource=OPEN, any_client=True, access_token_signing_alg="RS256"),
    Resource(resource=HIDDEN),
)
MAY_ASK = (NOTES, FILES, VAULT)
"""What the clients of tests may ask for; `OPEN` is for all, `HIDDEN` for none of them."""


async def with_resources(world: World, *clients: str) -> World:
    """Return the world as a server sees it that has resources; these clients may ask for some."""
    for client in clients or ("partner",):
        await world.change_client(client, resources=MAY_ASK)
    return replace(world, server=replace(world.server, resources={each.resource: each for each in _RESOURCES}))


def naming(form: dict[str, str | None], *resources: str) -> list[tuple[str, str]]:
    """Return a form that names resources, each by a parameter of its own."""
    members = [(name, value) for name, value in form.items() if value is not None]
    return [*members, *(("resource", uri) for uri in resources)]


async def authorize(world: World, *resources: str, client: str = "partner", scope: str) -> str:
    """Return a code of an authorization request that names resources."""
    form = await world.authorization_form(client, scope=scope)
    request = await world.validate(naming(form, *resources))
    response = await complete_authorization(request, world.authentication(), world.server)
    return answer_of(response).members["code"]


async def redeem(world: World, code: str, *resources: str, client: str = "partner") -> Answer:
    """Redeem a code as a public client, naming resources."""
    form: dict[str, str | None] = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": (await world.client(client)).redirect_uris[0],
        "code_verifier": VERIFIER,
        **await world.identity(client),
    }
    return await world.token(naming(form, *resources))


async def sign_in(world: World, *resources: str, client: str = "partner", scope: str) -> Answer:
    """Return the token response of a fresh sign-in for resources, which the token request does not name again."""
    return await redeem(world, await authorize(world, *resources, client=client, scope=scope), client=client)


async def refresh(
    world: World, token: str, *resources: str, client: str = "partner", scope: str | None = None
) -> Answer:
    """Refresh, naming resources."""
    form = {"grant_type": "refresh_token", "refresh_token": token, "scope": scope, **await world.identity(client)}
    return await world.token(naming(form, *resources))
