"""Clients that register themselves and look after it (RFC 7591, RFC 7592)."""
