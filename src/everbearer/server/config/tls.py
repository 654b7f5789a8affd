"""The certificate and key of a server that speaks TLS itself, looked at before it starts."""

from __future__ import annotations

import ssl
from pathlib import Path

from everbearer.server.config import ServerSection

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2, the least that is spoken: forward secrecy and authenticated encryption alone (RFC 9325 §4.2)."""


class _Encrypted(Exception):
    """The key wants a password."""


def tls_problems(server: ServerSection) -> tuple[str, ...]:
    """Return what is wrong with the files that are named; nothing where none are, for then a proxy does it."""
    if not (server.tls_certificate and server.tls_key):
        return ()
    unreadable = [
        f"server.{name}: {path} cannot be read: {why}; name a file in PEM"
        for name, path in (("tls_certificate", server.tls_certificate), ("tls_key", server.tls_key))
        if (why := _unreadable(Path(path)))
    ]
    return tuple(unreadable) or _mismatch(server)


def tls_context(server: ServerSection) -> ssl.SSLContext | None:
    """Return how to speak TLS; None where a proxy does it.

    Raises:
        ssl.SSLError: the files are not what `tls_problems` found them to be.
    """
    if not (server.tls_certificate and server.tls_key):
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.load_cert_chain(server.tls_certificate, server.tls_key, password=_refuse)
    return context


def _unreadable(path: Path) -> str:
    try:
        path.read_bytes()
    except OSError as error:
        return str(error.strerror)
    return ""


def _mismatch(server: ServerSection) -> tuple[str, ...]:
    try:
        tls_context(server)
    except _Encrypted:
        return (f"server.tls_key: {server.tls_key} is encrypted, and nobody is there to type its password; decrypt it",)
    except ssl.SSLError:
        return ("server.tls_key: does not belong to server.tls_certificate, or one of them is not in PEM",)
    return ()


def _refuse() -> str:
    # Otherwise it would be asked for at the terminal.
    raise _Encrypted
