"""HEAD on the pages that act at GET."""

import pytest

from everbearer.http.routes import dispatch
from everbearer.oauth.messages import Request
from everbearer.server.pages.routes import page_routes
from page_world import PageWorld


@pytest.mark.spec("RFC 9110", "9.3.2")
@pytest.mark.parametrize("path", ["/oauth2/authorize", "/oauth2/authorize/", "/oauth2/end_session"])
async def test_looking_at_the_head_of_a_page_does_nothing(pages: PageWorld, path: str) -> None:
    response = await dispatch(page_routes(pages.site))(Request(method="HEAD", path=path))

    assert (response.status, response.body) == (200, b"")
