"""The grants, one file each: the function of its name is the grant."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from everbearer.oauth.authorization_server import AuthorizationServer, TokenRequest
from everbearer.oauth.client import AUTHORIZATION_CODE, CLIENT_CREDENTIALS, DEVICE_CODE, REFRESH_TOKEN, TOKEN_EXCHANGE
from everbearer.oauth.grants.authorization_code import authorization_code_grant
from everbearer.oauth.grants.client_credentials import client_credentials_grant
from everbearer.oauth.grants.device_code import device_code_grant
from everbearer.oauth.grants.refresh_token import refresh_token_grant
from everbearer.oauth.grants.token_exchange import token_exchange_grant
from everbearer.oauth.token_response import TokenResponse

GrantFunction: TypeAlias = Callable[[TokenRequest, AuthorizationServer], Awaitable[TokenResponse]]
"""What a grant is: it answers a token request with tokens, or raises an `OAuthError`."""

GRANTS: Mapping[str, GrantFunction] = {
    AUTHORIZATION_CODE: authorization_code_grant,
    REFRESH_TOKEN: refresh_token_grant,
    CLIENT_CREDENTIALS: client_credentials_grant,
    DEVICE_CODE: device_code_grant,
    TOKEN_EXCHANGE: token_exchange_grant,
}
"""The grants that need nothing but a client that may use them, by their `grant_type`."""
