"""A server that speaks https itself, by a certificate and a key that are named by their paths."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import httpx
import pytest

from everbearer.server.config import ServerSection
from everbearer.server.config.tls import tls_problems
from own_certificate import new_certificate
from server.shell import Shell
from server_process import ServerProcess, running_server


def connected(server: ServerProcess, **limits: object) -> ssl.SSLSocket:
    """Return a connection that is encrypted, by a client with these limits."""
    context = ssl.create_default_context(cafile=str(server.trusted))
    for name, value in limits.items():
        setattr(context, name, value)
    port = int(server.issuer.rpartition(":")[2])
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="127.0.0.1")


@pytest.mark.parametrize("workers", [1, 2])
def test_what_it_serves_is_encrypted_and_named_so(tmp_path: Path, workers: int) -> None:
    with running_server(tmp_path, f"workers = {workers}\n", certificate=new_certificate(tmp_path)) as server:
        url = f"{server.issuer}/.well-known/openid-configuration"
        document = httpx.get(url, verify=server.verify, timeout=120).json()

    assert document["issuer"] == server.issuer
    assert all(uri.startswith("https://") for name, uri in document.items() if name.endswith("_endpoint"))


@pytest.mark.spec("RFC 9325", "3.1.1", "4.2")
def test_it_speaks_tls_1_2_and_1_3_with_forward_secrecy_and_nothing_older(tmp_path: Path) -> None:
    with running_server(tmp_path, "", certificate=new_certificate(tmp_path)) as server:
        with connected(server) as newest:
            assert newest.version() == "TLSv1.3"
        with connected(server, maximum_version=ssl.TLSVersion.TLSv1_2) as older:
            assert (older.cipher() or ("",))[0].startswith("ECDHE-")
            assert (older.cipher() or ("",))[0].endswith(("GCM-SHA256", "GCM-SHA384", "POLY1305"))


def test_it_stops_without_waiting_for_who_never_shakes_hands(tmp_path: Path) -> None:
    with running_server(tmp_path, "", certificate=new_certificate(tmp_path)) as server:
        port = int(server.issuer.rpartition(":")[2])
        silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
        server.process.terminate()
        code = server.process.wait(60)
        for each in silent:
            each.close()

    assert code == 0, server.told()
    assert "not all requests could be answered in time" not in server.told()


def test_without_files_a_proxy_does_it() -> None:
    assert tls_problems(ServerSection()) == ()


@pytest.mark.parametrize("missing", ["tls_certificate", "tls_key"])
def test_one_without_the_other_is_refused(shell: Shell, missing: str) -> None:
    given = {"tls_certificate": "tls_key", "tls_key": "tls_certificate"}[missing]
    with (shell.folder / "everbearer.toml").open("a") as file:
        file.write(f'[server]\n{given} = "file.pem"\n')

    assert f"server.{missing}: is missing" in shell.run("config", "check").err


def test_an_issuer_by_http_is_refused(shell: Shell) -> None:
    new_certificate(shell.folder)
    (shell.folder / "everbearer.toml").write_text(
        'issuer = "http://127.0.0.1:8000"\n[server]\ntls_certificate = "server.pem"\ntls_key = "server.key"\n'
    )

    assert "write it with https://" in shell.run("config", "check").err


def test_files_that_are_not_there_are_told(tmp_path: Path) -> None:
    named = ServerSection(tls_certificate=str(tmp_path / "a.pem"), tls_key=str(tmp_path / "a.key"))

    problems = tls_problems(named)

    assert [problem.partition(" ")[0] for problem in problems] == ["server.tls_certificate:", "server.tls_key:"]
    assert all("No such file" in problem for problem in problems)


def test_the_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    one, other = new_certificate(tmp_path, "one"), new_certificate(tmp_path, "other")
    (problem,) = tls_problems(ServerSection(tls_certificate=str(one), tls_key=str(other.with_suffix(".key"))))

    assert "does not belong to" in problem


def test_an_encrypted_key_is_refused_and_nobody_asked_for_its_password(tmp_path: Path) -> None:
    path = new_certificate(tmp_path, password=b"secret")
    (problem,) = tls_problems(ServerSection(tls_certificate=str(path), tls_key=str(path.with_suffix(".key"))))

    assert "is encrypted" in problem
