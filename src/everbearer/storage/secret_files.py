"""Signing keys and the server's secrets in files, refused where other accounts of the machine can reach them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from everbearer.oauth.crypto.keys import SigningKey, signing_key_from_jwk, signing_key_from_pem


def load_signing_key(
    path: str | Path, *, passphrase: str | bytes | None = None, alg: str | None = None, check_permissions: bool = True
) -> SigningKey:
    """Return the private key in a file: PEM, encrypted or not, or a JWK that names its `alg`.

    Raises:
        OSError: the file cannot be read.
        PermissionError: accounts other than its owner and group can read or change it; chmod 600 or 640 keeps them out,
            and `check_permissions=False` lets them.
        ValueError: what it holds is not such a key; see `signing_key_from_pem` and `signing_key_from_jwk`. Or it is no
            path, but a key itself.
    """
    data = _read(_path(path), check_permissions=check_permissions)
    if data.lstrip().startswith(b"{"):
        return signing_key_from_jwk(data)
    return signing_key_from_pem(data, passphrase=passphrase, alg=alg)


def load_secrets(path: str | Path, *, check_permissions: bool = True) -> list[bytes]:
    """Return the secrets in a file for a `Sealer`, one a line, newest first.

    Raises:
        OSError: the file cannot be read.
        PermissionError: as `load_signing_key` has it.
        ValueError: it is no path.
    """
    lines = _read(_path(path), check_permissions=check_permissions).splitlines()
    return [line.strip() for line in lines if line.strip()]


def _path(path: object) -> Path:
    if not isinstance(path, str | Path):
        raise ValueError(f"path must be that of a file, not of the type {type(path).__name__}")  # noqa: TRY004 - a setting
    text = str(path)
    # What cannot be opened stands in the error that says so, and would stand in logs.
    if "\n" in text or "-----BEGIN" in text or text.lstrip().startswith("{"):
        raise ValueError("path must be that of a file, not what is in it: give a key to signing_key_from_pem")
    return Path(text)


def _read(path: Path, *, check_permissions: bool) -> bytes:
    with path.open("rb") as file:
        # Of the open file, so that nobody puts another in its place in between. Windows has no such permissions.
        others = stat.S_IMODE(os.fstat(file.fileno()).st_mode) & stat.S_IRWXO
        if check_permissions and os.name == "posix" and others:
            raise PermissionError(
                f"{path}: other accounts of this machine can reach this secret; run: chmod 600 {path}"
            )
        return file.read()
