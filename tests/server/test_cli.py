"""The command line on a real SQLite file: every noun, for people and for programs."""

from __future__ import annotations

from dataclasses import replace
from getpass import getuser
from time import time

import pytest

from everbearer.login.passwords import password_matches
from everbearer.oauth.clients.authentication import CLIENT_SECRET
from everbearer.oauth.crypto.sealing import Sealer
from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.models import Authentication, Grant, Happening, HistoryEntry
from everbearer.oauth.tokens.refresh_tokens import seal_code, seal_refresh_token
from everbearer.server.cli.output import moment
from everbearer.server.config import FULL_ACCESS
from server.shell import PASSWORD, SECRET, Shell

NEWER_SECRET = "q7Lw2aYc5eHd9sJuZr8-q1ZbT0vXn4kP"
NOW = int(time())
GRANT = Grant(
    grant_id="AAAAAAAAAAAAAAAAAAAAAA",
    client_id="web",
    subject="ada",
    scope=("openid", "offline_access"),
    secret=b"s" * 16,
    offline=True,
    authentication=Authentication(subject="ada", auth_time=NOW),
    created_at=NOW,
    rotated_at=NOW,
    used_at=NOW,
    generation=1,
    history=(HistoryEntry(at=NOW, happening=Happening.ISSUED, generation=1, address="192.0.2.1", agent="curl/8"),),
)


@pytest.fixture
def with_grant(shell: Shell) -> Shell:
    shell.run("client", "create", "--id", "web", "--type", "web", "--redirect-uri", "https://a.example/cb")
    shell.run("user", "create", "ada@example.com", "--subject", "ada", stdin=PASSWORD + "\n")
    event = Event(kind=EventKind.GRANT_CREATED, at=NOW, actor="user:ada", grant_id=GRANT.grant_id)
    shell.store(lambda store: store.create_grant(GRANT, event))
    return shell


def test_migrate_says_what_it_did_and_then_that_there_is_nothing_to_do(shell: Shell) -> None:
    (shell.folder / "everbearer.db").unlink()

    assert "0001" in shell.run("migrate").out
    assert shell.run("migrate").out == "The database is up to date.\n"
    assert shell.run("migrate", "--json").json == {"migrations": []}


def test_a_command_on_a_database_that_is_not_there_makes_none_and_says_what_to_do(shell: Shell) -> None:
    (shell.folder / "everbearer.db").unlink()

    result = shell.run("client", "list")

    assert result.code == 1
    assert "there is no such database; name the file that says where it is" in result.err
    assert "or make a new one with: everbearer migrate" in result.err
    assert not (shell.folder / "everbearer.db").exists()


def test_a_command_on_a_database_that_is_empty_says_what_to_run(shell: Shell) -> None:
    (shell.folder / "everbearer.db").write_bytes(b"")

    result = shell.run("client", "list")

    assert result.code == 1
    assert "is not up to date; run: everbearer migrate" in result.err


def test_a_database_in_a_folder_that_is_not_there_says_what_to_make(shell: Shell) -> None:
    result = shell.run("migrate", EVERBEARER_SERVER__DATABASE=str(shell.folder / "no-folder" / "everbearer.db"))

    assert result.code == 1
    assert "the folder of the database does not exist; make it, or name another" in result.err


def test_a_database_that_cannot_be_opened_is_told(shell: Shell) -> None:
    result = shell.run("client", "list", EVERBEARER_SERVER__DATABASE=str(shell.folder))

    assert result.code == 1
    assert "the database is not available" in result.err


def test_a_wrong_configuration_exits_with_2(shell: Shell) -> None:
    (shell.folder / "everbearer.toml").write_text("isuer = 1")

    for command in (("client", "list"), ("config", "check"), ("config", "show"), ("serve",)):
        result = shell.run(*command)

        assert result.code == 2
        assert "did you mean issuer?" in result.err


def test_a_file_is_named_by_option_or_environment(shell: Shell) -> None:
    (shell.folder / "other.toml").write_text('name = "Other"')

    assert shell.run("config", "show", "--config", "other.toml", "--json").json["name"] == "Other"
    assert shell.run("config", "show", "--json", EVERBEARER_CONFIG="other.toml").json["name"] == "Other"


def test_a_client_is_created_shown_listed_and_its_secret_told_once(shell: Shell) -> None:
    created = shell.run(
        "client", "create", "--type", "web", "--id", "web", "--name", "Shop", "--redirect-uri", "https://a.example/cb"
    )

    assert "The secret is not stored" in created.out
    secret = created.out.split("client_secret")[1].split()[0]
    assert len(secret) == 43
    stored = shell.store(lambda store: store.client("web"))
    assert stored is not None
    assert Sealer([SECRET.encode()]).keyed_hash_matches(CLIENT_SECRET, secret.encode(), stored.secrets[0])
    for command in (("client", "show", "web"), ("client", "list"), ("client", "list", "--json")):
        result = shell.run(*command)
        assert "Shop" in result.out
        assert secret not in result.out
        assert stored.secrets[0] not in result.out


def test_a_public_client_has_no_secret(shell: Shell) -> None:
    arguments = ("--type", "spa", "--redirect-uri", "https://a.example/cb", "--first-party", "--json")
    created = shell.run("client", "create", *arguments).json

    assert "client_secret" not in created
    assert created["secrets"] == 0
    assert created["first_party"]
    assert shell.run("client", "show", created["client_id"], "--json").json == created


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--type", "app"), 2, 'client: type: is not what this setting takes; write one of "machine"'),
        (("--type", "spa", "--redirect-uri", "http://a.example/"), 2, "would send the code in clear"),
        (("--type", "machine", "--id", "web"), 1, "there is a client web already"),
        (("--type", "machine", "--scope", "ordrs"), 2, "scope: ordrs is not declared under [scopes]"),
        (("--type", "machine", "--scope", 'openid "'), 2, "separate values by spaces"),
        (("--type", "web", "--scope", FULL_ACCESS), 2, "is for first-party clients"),
    ],
)
def test_a_client_that_cannot_be_is_told(with_grant: Shell, arguments: tuple[str, ...], code: int, told: str) -> None:
    result = with_grant.run("client", "create", *arguments)

    assert result.code == code
    assert told in result.err


def test_a_client_may_ask_for_a_scope_that_the_file_declares(shell: Shell) -> None:
    (shell.folder / "everbearer.toml").write_text('scopes."orders.read" = "See your orders"\n')

    created = shell.run("client", "create", "--type", "machine", "--scope", "orders.read email", "--json")

    assert created.json["scope"] == "orders.read email"


def test_a_rotated_secret_works_beside_the_one_before_it(with_grant: Shell) -> None:
    before = with_grant.store(lambda store: store.client("web"))
    rotated = with_grant.run("client", "rotate-secret", "web", "--json").json
    after = with_grant.store(lambda store: store.client("web"))

    assert before is not None
    assert after is not None
    assert after.secrets[1] == before.secrets[0]
    assert Sealer([SECRET.encode()]).keyed_hash_matches(
        CLIENT_SECRET, rotated["client_secret"].encode(), after.secrets[0]
    )
    assert with_grant.run("client", "rotate-secret", "web", "--now", "--json").json["secrets"] == 1


def test_a_public_client_has_no_secret_to_rotate(shell: Shell) -> None:
    shell.run("client", "create", "--id", "spa", "--type", "spa", "--redirect-uri", "https://a.example/cb")

    result = shell.run("client", "rotate-secret", "spa")

    assert (result.code, result.err) == (1, "spa is a public client: it has no secret to rotate\n")


def test_a_disabled_client_has_no_live_grants_until_new_ones(with_grant: Shell) -> None:
    assert "all its grants have ended" in with_grant.run("client", "disable", "web").out
    shown = with_grant.run("grant", "show", GRANT.grant_id, "--json").json
    assert shown["ended"]["reason"] == "client_disabled"
    assert shown["ended"]["actor"].startswith("admin:")
    assert with_grant.run("client", "list").out.rstrip().endswith("disabled")
    assert with_grant.run("client", "enable", "web", "--json").json["disabled_at"] is None


def test_a_deleted_client_is_gone_with_its_grants(with_grant: Shell) -> None:
    refused = with_grant.run("client", "delete", "web")
    with_grant.run("client", "delete", "web", "--yes")

    assert (refused.code, "Say so with --yes" in refused.err) == (2, True)
    assert with_grant.run("client", "show", "web").err.startswith("there is no client web")
    assert with_grant.run("grant", "list").out.rstrip().endswith("client_deleted")


def test_a_user_is_created_shown_and_listed(shell: Shell) -> None:
    created = shell.run(
        "user", "create", "Ada@Example.com", "--claim", "name=Ada", "--claim", "email_verified=true", stdin=PASSWORD
    )

    assert created.code == 0
    shown = shell.run("user", "show", "ada@example.com", "--json").json
    assert shown["claims"] == {"name": "Ada", "email_verified": True}
    assert shell.run("user", "show", shown["subject"]).code == 0
    assert "ada@example.com" in shell.run("user", "list").out
    assert shell.run("user", "list", "--after", "ada@example.com", "--json").json == []
    stored = shell.store(lambda store: store.user(shown["subject"]))
    assert stored is not None
    assert password_matches(stored.password_hash, PASSWORD)
    assert stored.password_hash not in shell.run("user", "show", "ada@example.com").out


def test_a_password_is_read_from_a_file(shell: Shell) -> None:
    (shell.folder / "password").write_text(PASSWORD + "\n")

    assert shell.run("user", "create", "ada", "--password-file", "password", "--json").json["has_password"]
    assert shell.run("user", "create", "bob", "--password-file", "-", stdin=PASSWORD).code == 0


def test_a_user_can_be_without_a_password(shell: Shell) -> None:
    assert not shell.run("user", "create", "ada", "--no-password", "--json").json["has_password"]


@pytest.mark.parametrize(
    ("arguments", "stdin", "code", "told"),
    [
        (("create", "bob"), "", 2, "no password was given"),
        (("create", "bob"), "short\n", 2, "the password is shorter than 8 characters; choose a longer one"),
        (("create", "bob", "--password-file", "nowhere"), "", 2, "nowhere: the secret cannot be read"),
        (("create", "bob", "--claim", "name"), PASSWORD, 2, "--claim name: write it as NAME=VALUE"),
        (("create", "bob", "--claim", "sub=x"), PASSWORD, 2, "the subject is given by --subject"),
        (("create", "bob", "--claim", "a=1", "--claim", "a="), PASSWORD, 2, "--claim a: is given twice; keep one"),
        (("change", "ada", "--claim", 'address={"country":'), "", 2, "--claim address: is not JSON (Expecting value"),
        (("change", "ada"), "", 2, "nothing to change was given; write --claim NAME=VALUE"),
        (("change", "nobody", "--claim", "name=x"), "", 1, "there is no user nobody"),
        (("create", "ada@example.com"), PASSWORD, 1, "the login is taken"),
        (("set-password", "nobody"), PASSWORD, 1, "there is no user nobody"),
        (("hash-password",), "short\n", 2, "the password is shorter than 8 characters"),
    ],
)
def test_what_cannot_be_done_with_a_user_is_told(
    with_grant: Shell, arguments: tuple[str, ...], stdin: str, code: int, told: str
) -> None:
    result = with_grant.run("user", *arguments, stdin=stdin)

    assert result.code == code
    assert told in result.err


def test_a_new_password_ends_all_grants_of_the_user(with_grant: Shell) -> None:
    result = with_grant.run("user", "set-password", "ada@example.com", stdin="another long phrase\n")

    assert result.out == "ada@example.com has a new password; all sessions and grants have ended.\n"
    assert with_grant.run("grant", "list", "--live", "--json").json == []


def test_a_hash_can_be_made_for_the_configuration(shell: Shell) -> None:
    assert password_matches(shell.run("user", "hash-password", stdin=PASSWORD + "\n").out.strip(), PASSWORD)
    as_json = shell.run("user", "hash-password", "--json", stdin=PASSWORD + "\n").json
    assert password_matches(as_json["password_hash"], PASSWORD)


def test_a_user_is_disabled_enabled_and_deleted(with_grant: Shell) -> None:
    assert with_grant.run("user", "disable", "ada", "--json").json["disabled_at"]
    assert with_grant.run("user", "list").out.rstrip().endswith("disabled")
    assert with_grant.run("grant", "show", GRANT.grant_id, "--json").json["ended"]["reason"] == "user_disabled"
    assert with_grant.run("user", "enable", "ada").out == "ada@example.com is enabled.\n"
    assert with_grant.run("user", "delete", "ada", "--yes").code == 0
    assert with_grant.run("user", "list").out == "There are no users.\n"


def test_a_grant_is_listed_by_user_and_client(with_grant: Shell) -> None:
    for filters in (("--user", "ada@example.com"), ("--user", "ada"), ("--client", "web"), ("--live",)):
        listed = with_grant.run("grant", "list", *filters, "--json").json
        assert [grant["grant_id"] for grant in listed] == [GRANT.grant_id]
    assert with_grant.run("grant", "list", "--client", "other").out == "There are no grants.\n"


def test_a_grant_is_shown_with_its_history_and_without_its_secret(with_grant: Shell) -> None:
    shown = with_grant.run("grant", "show", GRANT.grant_id)
    as_json = with_grant.run("grant", "show", GRANT.grant_id, "--json").json

    assert "issued" in shown.out
    assert "192.0.2.1" in shown.out
    assert "grant_created" in shown.out
    assert as_json["scope"] == "openid offline_access"
    assert [(entry["happening"], entry["address"]) for entry in as_json["history"]] == [("issued", "192.0.2.1")]
    assert {"secret", "code", "idempotency_key"}.isdisjoint(as_json)
    assert [event["kind"] for event in as_json["events"]] == ["grant_created"]


def test_a_revoked_grant_has_ended_once(with_grant: Shell) -> None:
    first = with_grant.run("grant", "revoke", GRANT.grant_id)
    second = with_grant.run("grant", "revoke", GRANT.grant_id)

    assert first.out == f"{GRANT.grant_id} has ended.\n"
    assert second.out == f"{GRANT.grant_id} had ended before: revoked_by_admin.\n"
    assert with_grant.run("grant", "revoke", GRANT.grant_id, "--json").json["ended"]["reason"] == "revoked_by_admin"
    assert with_grant.run("grant", "revoke", "nothing").err.startswith("there is no grant nothing")


def test_keys_are_rotated_and_listed(shell: Shell) -> None:
    assert shell.run("key", "list").out == "There are no keys; the first start makes them.\n"
    made = shell.run("key", "rotate", "--alg", "ES256", "--json").json
    again = shell.run("key", "rotate", "--alg", "ES256", "--now")
    listed = shell.run("key", "list", "--json").json

    assert len(made) == 1
    assert "ES256" in again.out
    assert len(listed) == 2
    assert sum(key["retired_at"] is None for key in listed) == 1
    assert set(listed[0]) == {"kid", "alg", "created_at", "active_at", "retired_at"}


def test_a_key_is_withdrawn_and_replaced(shell: Shell) -> None:
    (first,) = shell.run("key", "rotate", "--alg", "ES256", "--json").json
    refused = shell.run("key", "withdraw", first["kid"])
    withdrawn = shell.run("key", "withdraw", first["kid"], "--yes")
    _, second = shell.run("key", "list", "--json").json
    as_json = shell.run("key", "withdraw", second["kid"], "--yes", "--json").json

    assert (refused.code, "Say so with --yes" in refused.err) == (2, True)
    assert withdrawn.out.startswith(f"{first['kid']} is withdrawn. A running server knows it within 30 seconds.\n")
    assert f"{second['kid']} (ES256) was made in its place and signs from " in withdrawn.out
    assert (as_json["withdrawn"], len(as_json["made"])) == (second["kid"], 1)
    again = shell.run("key", "withdraw", first["kid"], "--yes")
    assert (again.code, "that is published" in again.err) == (1, True)


def test_an_unknown_algorithm_is_told(shell: Shell) -> None:
    result = shell.run("key", "rotate", "--alg", "HS256")

    assert (result.code, result.err) == (2, "--alg HS256: is not one of ES256, RS256, PS256, EdDSA\n")


def test_a_token_is_explained(with_grant: Shell) -> None:
    sealer = Sealer([SECRET.encode()])
    token = seal_refresh_token(GRANT, sealer)
    alive = with_grant.run("explain", token, "--json").json
    with_grant.run("grant", "revoke", GRANT.grant_id)
    dead = with_grant.run("explain", "-", "--json", stdin=token + "\n").json

    assert (alive["kind"], alive["alive"], alive["generation"], alive["client_id"]) == ("refresh_token", True, 1, "web")
    assert (dead["alive"], dead["ended"]["reason"]) == (False, "revoked_by_admin")
    assert (alive["login"], alive["history"][0]["address"]) == ("ada@example.com", "192.0.2.1")
    assert "secret" not in alive
    assert with_grant.run("explain", "-").code == 2


def told(out: str) -> dict[str, str]:
    """Return the aligned names and values of what a command printed."""
    lines = [line.split("  ", 1) for line in out.split("\n\n")[-2 if "HISTORY" in out else -1].splitlines()]
    return {name: value.strip() for name, value in lines}


def test_people_are_told_all_of_a_token_that_is_alive(with_grant: Shell) -> None:
    out = with_grant.run("explain", seal_refresh_token(GRANT, Sealer([SECRET.encode()]))).out

    assert out.startswith("It is the newest of its grant, and good; this client's tokens are not rotated.\n\n")
    assert told(out) == {
        "kind": "refresh token",
        "alive": "yes",
        "grant": GRANT.grant_id,
        "generation": "1",
        "newest generation": "1",
        "client": "web (web)",
        "user": "ada@example.com (ada)",
    }
    heading, entry = out.splitlines()[-2:]
    assert heading.split() == ["HISTORY", "WHAT", "GENERATION", "ADDRESS", "AGENT"]
    assert entry.split() == [*moment(NOW).split(), "issued", "1", "192.0.2.1", "curl/8"]
    assert out.splitlines()[2].index("refresh token") == len("newest generation  ")


def test_people_are_told_why_when_and_by_whom_a_grant_ended(with_grant: Shell) -> None:
    with_grant.run("grant", "revoke", GRANT.grant_id)
    by_token = told(with_grant.run("explain", seal_refresh_token(GRANT, Sealer([SECRET.encode()]))).out)
    shown = with_grant.run("grant", "show", GRANT.grant_id).out
    by_id = dict(line.split(maxsplit=1) for line in shown.splitlines()[:8])

    assert by_token["why"] == by_id["why"] == "an administrator revoked this grant (revoked_by_admin)"
    assert by_token["by"] == by_id["by"] == f"admin:{getuser()}"
    assert by_token["ended"] == by_id["ended"]
    assert by_token["alive"] == by_id["alive"] == "no"
    assert by_id["user"] == "ada@example.com (ada)"


def test_people_are_told_why_a_spent_token_is_dead_while_its_grant_lives(with_grant: Shell) -> None:
    code = seal_code(replace(GRANT, generation=0), Sealer([SECRET.encode()]))

    members = told(with_grant.run("explain", code).out)

    assert (members["kind"], members["alive"]) == ("authorization code", "no")
    assert (members["why"], members["generation"]) == ("It is redeemed.", "0")


def test_people_are_told_what_is_no_token_of_ours_in_one_sentence(with_grant: Shell) -> None:
    assert with_grant.run("explain", "x").out == "This server's secrets and keys never made this token.\n"


def test_a_grant_that_expired_by_itself_is_not_alive(with_grant: Shell) -> None:
    old = replace(GRANT, grant_id="BBBBBBBBBBBBBBBBBBBBBB", subject="gone", created_at=0, used_at=0, rotated_at=0)
    event = Event(kind=EventKind.GRANT_CREATED, at=NOW, grant_id=old.grant_id)
    with_grant.store(lambda store: store.create_grant(old, event))

    shown = with_grant.run("grant", "show", old.grant_id)
    as_json = with_grant.run("grant", "show", old.grant_id, "--json").json

    assert "expired_idle" in shown.out
    assert "user        gone\n" in shown.out
    assert (as_json["alive"], as_json["ended"]["reason"], as_json["login"]) == (False, "expired_idle", "")


def test_the_grant_of_a_client_that_is_gone_is_not_alive(with_grant: Shell) -> None:
    orphan = replace(GRANT, grant_id="BBBBBBBBBBBBBBBBBBBBBB", client_id="gone")
    event = Event(kind=EventKind.GRANT_CREATED, at=NOW, grant_id=orphan.grant_id)
    with_grant.store(lambda store: store.create_grant(orphan, event))

    shown = with_grant.run("grant", "show", orphan.grant_id)

    assert "gone (deleted)" in shown.out
    assert "the client was deleted (client_deleted)" in shown.out


def test_a_key_under_a_secret_that_is_gone_is_told(shell: Shell) -> None:
    shell.run("key", "rotate", "--alg", "ES256")

    result = shell.run("explain", "anything", EVERBEARER_SECRET=NEWER_SECRET)

    assert result.code == 1
    assert "add the earlier secret after the new one" in result.err


def test_purge_says_what_it_removed(with_grant: Shell) -> None:
    with_grant.run("grant", "revoke", GRANT.grant_id)

    kept = with_grant.run("purge", "--json").json
    removed = with_grant.run("purge", "--keep", "0")

    assert kept["grants"] == 0
    assert removed.code == 0
    assert removed.out.startswith("Removed ")


def test_config_check_says_that_all_is_well(shell: Shell) -> None:
    assert shell.run("config", "check").out == "The configuration is good.\n"
    assert shell.run("config", "check", "--json").json == {"ok": True, "warnings": [], "weakenings": []}


def test_config_check_says_what_a_setting_weakens_and_for_whom(shell: Shell) -> None:
    client = f'type = "web"\nredirect_uris = ["https://www.example.com/cb"]\nclient_secret = "{SECRET}"\n'
    with (shell.folder / "everbearer.toml").open("a") as file:
        file.write(f'[[clients]]\nclient_id = "lenient"\nrequire_pkce = false\n{client}')
        file.write(f'[[clients]]\nclient_id = "usual"\n{client}')
        file.write(f'[[clients]]\nclient_id = "strict"\nrequire_pkce = true\n{client}')

    said = shell.run("config", "check").out.splitlines()
    assert said[0] == "The configuration is good."
    assert said[1].startswith("Weaker by choice: require_pkce = false (lenient): a stolen code")
    assert len(shell.run("config", "check", "--json").json["weakenings"]) == 1


def test_config_check_tells_what_would_keep_the_server_from_starting(shell: Shell) -> None:
    (shell.folder / "everbearer.toml").write_text(
        '[[clients]]\nclient_id = "m"\ntype = "machine"\nclient_secret_file = "nowhere"\n'
        '[[users]]\nlogin = "ada"\npassword_file = "gone"\n'
    )

    result = shell.run("config", "check", EVERBEARER_SECRET="")

    assert result.code == 2
    assert "issuer: is missing" in result.err
    assert "the server's secret is missing" in result.err
    assert "nowhere: the secret cannot be read" in result.err
    assert "gone: the secret cannot be read" in result.err


def test_config_check_warns_of_secrets_that_others_can_read(shell: Shell) -> None:
    (shell.folder / "secret").write_text(SECRET)
    (shell.folder / "secret").chmod(0o644)

    result = shell.run("config", "check", EVERBEARER_SECRET="", EVERBEARER_SECRET_FILE="secret")

    assert result.code == 0
    assert "run: chmod 600" in result.err


def test_config_check_warns_of_short_secrets(shell: Shell) -> None:
    client = f'[[clients]]\nclient_id = "m"\ntype = "machine"\nclient_secret = "{SECRET[:20]}"\n'
    (shell.folder / "everbearer.toml").write_text(f'issuer = "https://id.example.com"\n{client}')

    result = shell.run("config", "check", "--json")

    assert "warning: client m: has a secret shorter than 32 characters" in result.err
    assert result.json["warnings"] == ["client m: has a secret shorter than 32 characters; use 43 random ones"]


def test_config_show_hides_secrets(shell: Shell) -> None:
    (shell.folder / "everbearer.toml").write_text(
        f'scopes."orders.read" = "See"\nlifetimes.refresh_token_idle = "none"\n'
        f'[[clients]]\nclient_id = "m"\ntype = "machine"\nclient_secrets = ["{SECRET}"]\n'
        f'[[users]]\nlogin = "ada"\npassword = "{PASSWORD}"\n'
    )

    text, as_json = shell.run("config", "show"), shell.run("config", "show", "--json")

    for result in (text, as_json):
        assert SECRET not in result.out
        assert PASSWORD not in result.out
        assert "********" in result.out
    assert 'refresh_token_idle = "none"' in text.out
    assert '"orders.read" = "See"' in text.out
    assert as_json.json["clients"][0]["client_id"] == "m"


def test_the_reference_is_printed(shell: Shell) -> None:
    assert shell.run("config", "reference").out.startswith("# Configuration\n")
    assert shell.run("config", "reference", "--json").json[0]["key"] == "issuer"


def test_the_version_is_printed(shell: Shell) -> None:
    assert shell.run("--version").out.startswith("everbearer ")


def test_without_a_command_help_is_printed(shell: Shell) -> None:
    assert "Usage:" in shell.run().out + shell.run().err
