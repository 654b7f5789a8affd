"""The userinfo response (OpenID Connect Core §5.3.2): JSON, or a JWT for clients that are registered for one."""

from __future__ import annotations

from collections.abc import Mapping

from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import Client
from everbearer.oauth.crypto import jws
from everbearer.oauth.crypto.encryption import encryption_for
from everbearer.oauth.crypto.jwe import encrypt
from everbearer.oauth.encoding import compact_json
from everbearer.oauth.messages import NO_STORE, Response, json_response
from everbearer.oauth.tokens.id_tokens import JWT_TYPE
from everbearer.oauth.users.claims import OF_THE_PROTOCOL


async def userinfo_response(members: Mapping[str, object], client: Client, server: AuthorizationServer) -> Response:
    """Return what userinfo says of a user, in the form that its client is registered for.

    Raises:
        InvalidClientMetadata: it is to be encrypted, and the client has no key that fits.
        TemporarilyUnavailable: the client's keys cannot be fetched at this moment.
    """
    if client.userinfo_signed_response_alg is None and client.userinfo_encrypted_response_alg is None:
        return json_response(members)
    # "If the UserInfo Response is signed and/or encrypted, then the Claims are returned in a JWT and the content-type
    # MUST be application/jwt."
    text = await _jwt(_claims(members, client, server), client, server)
    return Response(headers=(("Content-Type", "application/jwt"), *NO_STORE), body=text.encode())


def _claims(members: Mapping[str, object], client: Client, server: AuthorizationServer) -> Mapping[str, object]:
    # No claim of a user may make of it what it is not, such as an ID token.
    told = {name: value for name, value in members.items() if name == "sub" or name not in OF_THE_PROTOCOL}
    # "If signed, the UserInfo Response MUST contain the Claims iss (issuer) and aud (audience) as members. The iss
    # value MUST be the OP's Issuer Identifier URL. The aud value MUST be or include the RP's Client ID value."
    return {**told, "iss": server.issuer, "aud": client.client_id}


async def _jwt(claims: Mapping[str, object], client: Client, server: AuthorizationServer) -> str:
    alg, enc = client.userinfo_encrypted_response_alg, client.userinfo_encrypted_response_enc
    encryption = await encryption_for(client, alg, enc, server) if alg else None
    signing_alg = client.userinfo_signed_response_alg
    signed = jws.sign(claims, server.keys().signer(signing_alg), typ=JWT_TYPE) if signing_alg else ""
    if encryption is None:
        return signed
    # "The response MAY be encrypted without also being signed. If both signing and encryption are requested, the
    # response MUST be signed then encrypted, with the result being a Nested JWT."
    content = signed.encode() if signed else compact_json(claims)
    return encrypt(content, encryption, nested=bool(signed))
