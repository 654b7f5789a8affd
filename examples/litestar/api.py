"""What the API asks of an access token: it stands in the application that issues them, and reads them itself."""

from collections.abc import Mapping

import everbearer as eb
import oauth


async def user_of(headers: Mapping[str, str], *scope: str) -> str | eb.Response:
    """Return the user whose access token a request to the API carries, or the response that refuses it."""
    lower = {name.lower(): value for name, value in headers.items()}
    try:
        return (
            await eb.check_bearer(eb.Request(method="GET", path="/api", headers=lower), oauth.server, *scope)
        ).subject
    except eb.OAuthError as error:
        return error.response()
