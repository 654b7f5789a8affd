"""Keys and secrets in files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from everbearer.oauth.crypto.keys import generate_signing_key, signing_key_to_jwk
from everbearer.oauth.crypto.sealing import Sealer
from everbearer.storage.secret_files import load_secrets, load_signing_key

KEY = generate_signing_key("ES256")
PEM = KEY.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def written(folder: Path, data: bytes, mode: int = 0o600) -> Path:
    path = folder / "secret"
    path.write_bytes(data)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("data", [PEM, signing_key_to_jwk(KEY), b"\n " + signing_key_to_jwk(KEY)])
def test_a_key_is_read_from_its_file(tmp_path: Path, data: bytes) -> None:
    assert load_signing_key(written(tmp_path, data)).public_jwk == KEY.public_jwk


def test_a_key_is_read_from_its_file_with_its_passphrase(tmp_path: Path) -> None:
    encrypted = KEY.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"open sesame"))

    key = load_signing_key(str(written(tmp_path, encrypted)), passphrase=b"open sesame")

    assert key.public_jwk == KEY.public_jwk


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o644, 0o666, 0o601])
def test_a_key_that_other_accounts_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    path = written(tmp_path, PEM, mode)

    with pytest.raises(PermissionError, match=f"chmod 600 {path}"):
        load_signing_key(path)


@pytest.mark.parametrize("mode", [0o400, 0o440, 0o600, 0o640])
def test_a_key_that_its_owner_and_group_can_read_is_taken(tmp_path: Path, mode: int) -> None:
    assert load_signing_key(written(tmp_path, PEM, mode)).public_jwk == KEY.public_jwk


def test_the_check_of_permissions_can_be_left_out(tmp_path: Path) -> None:
    key = load_signing_key(written(tmp_path, PEM, 0o644), check_permissions=False)

    assert key.public_jwk == KEY.public_jwk


@pytest.mark.parametrize("read", [load_signing_key, load_secrets])
@pytest.mark.parametrize("path", [PEM, PEM.decode(), signing_key_to_jwk(KEY).decode(), None, ["secret"], b"secret"])
def test_what_is_no_path_is_refused_without_a_word_of_it(read: Any, path: Any) -> None:
    with pytest.raises(ValueError, match="path must be that of a file, not") as refused:
        read(path)

    assert not {"BEGIN", "kty", "secret"} & set(re.findall(r"\w+", str(refused.value)))


def test_what_is_no_key_is_refused_without_a_word_of_it(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not a private key") as refused:
        load_signing_key(written(tmp_path, b"a secret that is no key"))

    assert "a secret" not in str(refused.value)


def test_secrets_are_read_newest_first(tmp_path: Path) -> None:
    newest, older = b"n" * 32, b"o" * 32
    secrets = load_secrets(written(tmp_path, newest + b"\r\n\n " + older + b"\n"))

    assert secrets == [newest, older]
    assert Sealer(secrets).unseal("test", Sealer([older]).seal("test", b"kept")) == b"kept"


def test_secrets_that_other_accounts_can_reach_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PermissionError, match="other accounts"):
        load_secrets(written(tmp_path, b"s" * 32, 0o644))
