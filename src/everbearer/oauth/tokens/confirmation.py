"""Proof of arrival: an access token used at our own endpoints shows that the answer it came in arrived.

Used some time after the rotation, it closes the retry window early: who has the answer has no need to retry.
"""

from __future__ import annotations

from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import Client
from everbearer.oauth.models import Grant
from everbearer.oauth.tokens.access_tokens import AccessToken
from everbearer.oauth.tokens.rotation import policy_for


async def confirm_arrival(token: AccessToken, grant: Grant, client: Client, server: AuthorizationServer) -> None:
    """Note that the grant's newest answer has arrived, if the token came in it and enough time has passed since."""
    policy = policy_for(client)
    # Who uses what the token was exchanged for says nothing of the client that got the answer.
    newest = not token.exchanged and token.generation == grant.generation and grant.confirmed < grant.generation
    # Two tabs may refresh at once, and the first use its token at once: until the other's timer must have run, however
    # much its browser throttles it, its retry is still welcome.
    if newest and policy.rotate and grant.offline and server.now() - grant.rotated_at > policy.arrival_after:
        await server.store.confirm(grant.grant_id, grant.generation)
