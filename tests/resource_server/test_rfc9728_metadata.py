"""What a resource server publishes of itself (RFC 9728)."""

from __future__ import annotations

import json

import pytest

from everbearer.resource_server import ResourceServer
from world import ISSUER


def of(audience: str | tuple[str, ...], resource: str = "") -> ResourceServer:
    return ResourceServer(issuer=ISSUER, audience=audience, resource=resource)


@pytest.mark.spec("RFC 9728", "2")
def test_it_tells_where_to_get_which_tokens_and_how_to_send_them() -> None:
    api = ResourceServer(
        issuer=ISSUER,
        audience="https://api.example/notes",
        scopes=("notes:read", "notes:write"),
        more_metadata={"resource_name": "Notes"},
    )

    assert json.loads(api.metadata_response().body) == {
        "resource": "https://api.example/notes",
        "authorization_servers": [ISSUER],
        "scopes_supported": ["notes:read", "notes:write"],
        "bearer_methods_supported": ["header"],
        "resource_name": "Notes",
    }


def test_scopes_that_are_not_told_are_left_out() -> None:
    assert "scopes_supported" not in json.loads(of("https://api.example").metadata_response().body)


@pytest.mark.spec("RFC 9728", "3.1")
@pytest.mark.parametrize(
    ("resource", "path"),
    [
        ("https://api.example", ""),
        ("https://api.example/", ""),
        ("https://api.example/resource1", "/resource1"),
        ("https://api.example/v1/notes", "/v1/notes"),
        ("https://api.example/v1/", "/v1/"),
        ("http://127.0.0.1:8000/notes", "/notes"),
    ],
)
def test_the_well_known_path_is_inserted_before_that_of_the_resource(resource: str, path: str) -> None:
    api = of(resource)
    host = "/".join(resource.split("/")[:3])

    assert api.metadata_path == f"/.well-known/oauth-protected-resource{path}"
    assert api.metadata_url == f"{host}/.well-known/oauth-protected-resource{path}"


def test_a_path_is_decoded_where_it_is_served_and_not_where_it_is_named() -> None:
    api = of("https://api.example/my%20notes")

    assert api.metadata_path.endswith("/my notes")
    assert api.metadata_url.endswith("/my%20notes")


@pytest.mark.parametrize(
    "audience", ["notes", "urn:notes", "http://api.example", "https://api.example?x=y", "https://a#b"]
)
def test_an_audience_that_is_no_identifier_has_no_metadata(audience: str) -> None:
    api = of(audience)

    assert (api.resource_identifier, api.metadata_path, api.metadata_url) == ("", "", "")


def test_the_identifier_may_be_another_than_the_audience() -> None:
    assert of("notes", "https://api.example/notes").resource_identifier == "https://api.example/notes"


def test_of_several_audiences_the_first_url_is_the_identifier() -> None:
    assert of(("notes", "https://api.example/notes")).resource_identifier == "https://api.example/notes"


@pytest.mark.spec("RFC 9728", "3.2")
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_it_is_json_for_everybody_and_may_be_kept(method: str) -> None:
    response = of("https://api.example").metadata_response(method)

    assert (response.status, dict(response.headers)) == (
        200,
        {
            "Content-Type": "application/json",
            "Cache-Control": "public, max-age=300",
            "Access-Control-Allow-Origin": "*",
        },
    )


def test_scripts_may_send_headers_of_their_own_along() -> None:
    response = of("https://api.example").metadata_response("OPTIONS")

    assert response.status == 204
    assert dict(response.headers)["Access-Control-Allow-Origin"] == "*"
    assert dict(response.headers)["Access-Control-Allow-Headers"] == "*"


@pytest.mark.spec("RFC 9110", "15.5.6")
def test_it_cannot_be_changed() -> None:
    response = of("https://api.example").metadata_response("POST")

    assert (response.status, dict(response.headers)["Allow"]) == (405, "GET, HEAD, OPTIONS")
