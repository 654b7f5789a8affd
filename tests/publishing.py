"""A client that publishes its keys, as a server sees it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Publisher:
    """What a client publishes, as a server sees it that asks again only when it is told to."""

    uri: str
    published: str | Exception
    seen: str = ""
    asked: list[bool] = field(default_factory=list[bool])

    async def __call__(self, uri: str, *, anew: bool) -> str:
        assert uri == self.uri
        self.asked.append(anew)
        if anew or not self.seen:
            if isinstance(self.published, Exception):
                raise self.published
            self.seen = self.published
        return self.seen
