"""The applications and the user that the tests of unmodified clients declare to the server."""

from __future__ import annotations

from collections.abc import Mapping

from asserting import jwks_of
from clients.person import LOGIN, PASSWORD
from encrypting import Key, key_of_kind, published
from world import key_of

SECRET = "Vw3-kTq9_ZyR7bNc0LmXs5Ud8PfHj2GaEo4"
REDIRECT_URI = "http://127.0.0.1:49152/callback"
"""Where nobody listens: tests take the answer from the redirect itself."""
PHP_REDIRECT_URI = "http://localhost:8081/"
ALGORITHMS = ("ES256", "RS256", "PS256", "EdDSA")

# Some of the applications send neither PKCE nor a nonce, which a client of type web has to be let off.
_SETTINGS = """
[sign_in]
per_account = 1000
per_address = 10000

[devices]
polling_interval = 1

[[users]]
login = "{login}"
password = "{password}"
subject = "ada"
claims = {{ email = "{login}", email_verified = true, name = "Ada Example" }}

[[clients]]
client_id = "spa"
client_name = "A single-page app"
type = "spa"
first_party = true
redirect_uris = ["{page}/callback", "{page}"]

[[clients]]
client_id = "public"
client_name = "A public client"
type = "native"
redirect_uris = ["{redirect_uri}"]

[[clients]]
client_id = "tv"
client_name = "A television"
type = "native"
grant_types = ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"]

[[clients]]
client_id = "orders"
type = "machine"
client_secret = "{secret}"
scope = "profile email"
grant_types = ["client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange"]
token_exchange = {{ subject_clients = ["tv"], audiences = ["https://stock.example"] }}

[[clients]]
client_id = "web"
client_name = "A web app"
type = "web"
require_pkce = false
first_party = true
client_secret = "{secret}"
redirect_uris = ["{redirect_uri}", "{express}/auth-redirect", "{php}"]
post_logout_redirect_uris = ["{express}"]

[[clients]]
client_id = "stranger"
client_name = "A web app of somebody else"
type = "web"
client_secret = "{secret}"
redirect_uris = ["{redirect_uri}"]
post_logout_redirect_uris = ["http://127.0.0.1:49152/bye"]

[[clients]]
client_id = "hurried"
type = "web"
require_pkce = false
first_party = true
client_secret = "{secret}"
redirect_uris = ["{redirect_uri}"]
lifetimes = {{ access_token = "10m" }}

[[clients]]
client_id = "machine"
type = "machine"
client_secret = "{secret}"
scope = "profile email"
introspects_all = true
"""

_RESOURCES = """
[scopes]
orders = "See your orders"

[[resources]]
resource = "https://orders.example/"
resource_name = "Orders"
scopes_supported = ["orders"]

[[resources]]
resource = "https://files.example/"

[[clients]]
client_id = "of-resources"
type = "web"
client_secret = "{secret}"
redirect_uris = ["{redirect_uri}"]
resources = ["https://orders.example/", "https://files.example/"]
"""

_OF_ALGORITHM = """
[[clients]]
client_id = "signed-{alg}"
type = "web"
first_party = true
client_secret = "{secret}"
redirect_uris = ["{redirect_uri}"]
id_token_signed_response_alg = "{alg}"
access_token_signing_alg = "{alg}"
"""

_BY_ASSERTION = """
[[clients]]
client_id = "keyed"
type = "web"
require_pkce = false
first_party = true
redirect_uris = ["{redirect_uri}"]
post_logout_redirect_uris = ["http://127.0.0.1:49152/bye"]
token_endpoint_auth_method = "private_key_jwt"
jwks = '{jwks}'

[[clients]]
client_id = "sealed"
type = "web"
require_pkce = false
first_party = true
client_secret = "{secret}"
redirect_uris = ["{redirect_uri}"]
token_endpoint_auth_method = "client_secret_jwt"

[[clients]]
client_id = "keyed-machine"
type = "machine"
scope = "profile email"
token_endpoint_auth_method = "private_key_jwt"
jwks = '{jwks}'

[[clients]]
client_id = "sealed-machine"
type = "machine"
scope = "profile email"
client_secret = "{secret}"
token_endpoint_auth_method = "client_secret_jwt"
"""


_ENCRYPTED = """
[[clients]]
client_id = "encrypted-{alg}"
type = "web"
first_party = true
client_secret = "{secret}"
redirect_uris = ["{redirect_uri}"]
jwks = '{jwks}'
id_token_encrypted_response_alg = "{alg}"
id_token_encrypted_response_enc = "A256GCM"
userinfo_signed_response_alg = "ES256"
userinfo_encrypted_response_alg = "{alg}"
introspection_signed_response_alg = "ES256"
introspection_encrypted_response_alg = "{alg}"
introspection_encrypted_response_enc = "A128GCM"
introspects_all = true
"""
ENCRYPTED: Mapping[str, Key] = {
    "RSA-OAEP": key_of_kind("RSA"),
    "RSA-OAEP-256": key_of_kind("RSA"),
    "ECDH-ES": key_of_kind("P-256"),
    "ECDH-ES+A256KW": key_of_kind("X25519"),
}
"""How answers are encrypted to clients, each with a key of theirs."""


def settings(*, page: str, express: str) -> str:
    """Return the settings in TOML, for applications at two origins."""
    values = {"secret": SECRET, "redirect_uri": REDIRECT_URI}
    main = _SETTINGS.format(login=LOGIN, password=PASSWORD, page=page, express=express, php=PHP_REDIRECT_URI, **values)
    by_assertion = _BY_ASSERTION.format(jwks=jwks_of(*map(key_of, ALGORITHMS)), **values)
    signed = [_OF_ALGORITHM.format(alg=alg, **values) for alg in ALGORITHMS]
    encrypted = [_ENCRYPTED.format(alg=alg, jwks=published(key, alg=alg), **values) for alg, key in ENCRYPTED.items()]
    return main + by_assertion + _RESOURCES.format(**values) + "".join([*signed, *encrypted])
