"""Clients: how one proves who it is, and how it is described (RFC 6749 §2, RFC 7591 §2)."""
