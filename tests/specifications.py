"""The specifications that tests name, and what of them is not there yet."""

from __future__ import annotations

from collections.abc import Mapping

SPECIFICATIONS: Mapping[str, str] = {
    "ASVS 5.0": "OWASP Application Security Verification Standard",
    "FAPI 2.0 Security Profile": "",
    "OAuth 2.0 Form Post Response Mode": "",
    "OAuth 2.0 Multiple Response Types": "Multiple Response Type Encoding Practices",
    "OpenID Connect Back-Channel Logout": "",
    "OpenID Connect Core": "",
    "OpenID Connect Discovery": "",
    "OpenID Connect Dynamic Client Registration": "",
    "OpenID Connect Front-Channel Logout": "",
    "OpenID Connect RP-Initiated Logout": "",
    "OpenID Connect Session Management": "",
    "RFC 5297": "AES-SIV",
    "RFC 6585": "Additional HTTP Status Codes",
    "RFC 6749": "The OAuth 2.0 Authorization Framework",
    "RFC 6750": "Bearer Token Usage",
    "RFC 6819": "OAuth 2.0 Threat Model",
    "RFC 7009": "Token Revocation",
    "RFC 7235": "HTTP Authentication",
    "RFC 7515": "JSON Web Signature",
    "RFC 7516": "JSON Web Encryption",
    "RFC 7517": "JSON Web Key",
    "RFC 7518": "JSON Web Algorithms",
    "RFC 7519": "JSON Web Token",
    "RFC 7521": "Assertion Framework",
    "RFC 7523": "JWT Profile for Client Authentication and Authorization Grants",
    "RFC 7591": "Dynamic Client Registration",
    "RFC 7592": "Dynamic Client Registration Management",
    "RFC 7636": "Proof Key for Code Exchange",
    "RFC 7638": "JWK Thumbprint",
    "RFC 7662": "Token Introspection",
    "RFC 8037": "CFRG Elliptic Curves in JOSE",
    "RFC 8252": "OAuth 2.0 for Native Apps",
    "RFC 8414": "Authorization Server Metadata",
    "RFC 8628": "Device Authorization Grant",
    "RFC 8693": "Token Exchange",
    "RFC 8707": "Resource Indicators",
    "RFC 8725": "JSON Web Token Best Current Practices",
    "RFC 9068": "JWT Profile for Access Tokens",
    "RFC 9101": "JWT-Secured Authorization Request",
    "RFC 9110": "HTTP Semantics",
    "RFC 9112": "HTTP/1.1",
    "RFC 9207": "Authorization Server Issuer Identification",
    "RFC 9325": "Secure Use of TLS",
    "RFC 9449": "Demonstrating Proof of Possession",
    "RFC 9470": "Step Up Authentication Challenge Protocol",
    "RFC 9700": "Best Current Practice for OAuth 2.0 Security",
    "RFC 9701": "JWT Response for Token Introspection",
    "RFC 9728": "Protected Resource Metadata",
    "RFC 9864": "Fully-Specified Algorithms",
    "RFC 10070": "Updates to JWT Client Authentication",
    "draft-ietf-httpapi-idempotency-key-header": "",
    "draft-ietf-oauth-refresh-token-expiration": "",
}
"""How tests spell them, with what they are called."""

DPOP = "DPoP"
MTLS = "Mutual TLS client authentication and bound tokens"
SDKS = "Client SDKs"

NOT_SUPPORTED: Mapping[str, str] = {
    DPOP: "RFC 9449",
    MTLS: "RFC 8705",
    SDKS: "Python and browser",
    "Pushed authorization requests": "RFC 9126",
    "Encrypted request objects": "RFC 9101 §6.1; refused, and said so",
    "Signed authorization responses (JARM)": "JWT Secured Authorization Response Mode",
    "Rich authorization requests": "RFC 9396",
    "SAML assertions": "RFC 7522",
    "Client ID metadata documents": "draft-ietf-oauth-client-id-metadata-document",
    "Encrypted access tokens": "RFC 7516, RFC 9068 §6",
    "Access tokens alone by the browser": "`response_type=token`, RFC 6749 §4.2; RFC 9700 §2.1.2 advises against it",
}
"""What is not there, and where it is specified."""
