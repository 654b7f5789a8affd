"""The style sheet and the icon, under names that change with their content, so that browsers keep them for ever."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from importlib.resources import files

from everbearer.oauth.messages import Request, Response

_FOLDER = files("everbearer.server.pages") / "assets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One file for browsers."""

    path: str
    media_type: str
    content: bytes = field(repr=False)

    async def answer(self, request: Request) -> Response:
        """Return the file, or 304 where the browser has it."""
        tag = f'"{sha256(self.content).hexdigest()[:32]}"'
        headers = (
            ("Cache-Control", "public, max-age=31536000, immutable"),
            ("ETag", tag),
            ("X-Content-Type-Options", "nosniff"),
        )
        if tag in request.headers.get("if-none-match", ""):
            return Response(status=304, headers=headers)
        return Response(headers=(("Content-Type", self.media_type), *headers), body=self.content)


def _asset(name: str, media_type: str) -> Asset:
    content = (_FOLDER / name).read_bytes()
    stem, _, ending = name.rpartition(".")
    return Asset(
        path=f"/assets/{stem}.{sha256(content).hexdigest()[:12]}.{ending}", media_type=media_type, content=content
    )


STYLE = _asset("everbearer.css", "text/css; charset=utf-8")
ICON = _asset("icon.svg", "image/svg+xml")
ASSETS = (STYLE, ICON)
