"""Templates to responses, with the headers that every page has (OWASP ASVS 3.4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined

from everbearer.oauth.content_security import frame_source, inline_source
from everbearer.oauth.messages import NO_STORE, Headers, Response
from everbearer.oauth.models import DAY, HOUR, MINUTE, WEEK
from everbearer.oauth.redirect_uris import form_action, origin_of
from everbearer.server.pages.assets import ICON, STYLE
from everbearer.server.pages.site import Site

_UNITS = ((WEEK, "week"), (DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (1, "second"))
LONGEST_IN_DAYS = 60 * DAY


def page(
    site: Site,
    template: str,
    *,
    status: int = 200,
    headers: Headers = (),
    form_target: str = "",
    image: str = "",
    frames: Sequence[str] = (),
    script: str = "",
    **values: object,
) -> Response:
    """Render a template.

    `form_target` is the URI of a client that the page's forms lead to, in the end; `image` that of the one image of
    another site that it may show; `frames` are what it loads from other sites, and `script` is what it runs.
    """
    html = _TEMPLATES.get_template(template).render(
        {
            "site_name": site.name,
            "lang": choose_locale(),
            "path": site.path,
            "style": site.path(STYLE.path),
            "icon": site.path(ICON.path),
            "frames": frames,
            "script": script,
            **values,
        }
    )
    return Response(
        status=status,
        headers=(
            ("Content-Type", "text/html; charset=utf-8"),
            *NO_STORE,
            ("Content-Security-Policy", _content_security_policy(form_target, image, frames, script)),
            # Not `no-referrer`: under that, browsers send `Origin: null` with our own forms too.
            ("Referrer-Policy", "same-origin"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Frame-Options", "DENY"),
            *headers,
        ),
        body=html.encode(),
    )


def choose_locale() -> str:
    """Return the language of the pages: English is the only one so far, whatever `ui_locales` asks for."""
    return "en"


def web_address(uri: str) -> str:
    """Return the URI where it is a web address, else nothing: what a client declares must not become a script."""
    return uri if uri.startswith(("https://", "http://")) else ""


def host(uri: str) -> str:
    """Return where a redirect URI leads, in words for a user: a host, this device, or the application of a scheme."""
    parts = urlsplit(uri)
    if parts.scheme == "https":
        return parts.netloc
    return "a program on this device" if parts.scheme == "http" else f"the application of {parts.scheme}:"


def image_address(uri: str) -> str:
    """Return the URI where it is one that our pages may show as an image, else nothing."""
    return uri if uri.startswith(("https://", "data:image/")) else ""


def initial(name: str) -> str:
    """Return what stands for a name where there is no picture: its first letter or digit."""
    return next((char for char in name if char.isalnum()), "?").upper()


def duration(seconds: int) -> str:
    """Return a length of time in words, in the largest unit that says it exactly, days rather than a few weeks."""
    for length, name in _UNITS:
        if length == WEEK and seconds < LONGEST_IN_DAYS:
            continue
        if seconds >= length and seconds % length == 0:
            count = seconds // length
            return f"{count} {name}" if count == 1 else f"{count} {name}s"
    return f"{seconds} seconds"


def wait(seconds: int) -> str:
    """Return how long to wait in words, in whole minutes, rounded up, where it is longer than one."""
    return duration(seconds if seconds < MINUTE else -(-seconds // MINUTE) * MINUTE)


def day(at: int) -> str:
    """Return the day of a point in time, as people write it."""
    return f"{datetime.fromtimestamp(at, UTC):%-d %B %Y}"


def moment(at: int) -> str:
    """Return a point in time to the minute, as people write it."""
    return f"{datetime.fromtimestamp(at, UTC):%-d %B %Y, %H:%M} UTC"


def machine_time(at: int) -> str:
    """Return a point in time as `<time datetime>` has it."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _content_security_policy(form_target: str, image: str, frames: Sequence[str], script: str) -> str:
    limit = form_action(form_target) if form_target else "form-action 'self'; "
    sources = " ".join(dict.fromkeys(map(frame_source, frames)))
    return (
        f"default-src 'none'; style-src 'self'; img-src 'self'{_image_source(image_address(image))}; "
        + (f"frame-src {sources}; " if sources else "")
        + (f"script-src {inline_source(script)}; " if script else "")
        + f"{limit}frame-ancestors 'none'; base-uri 'none'"
    )


def _image_source(uri: str) -> str:
    if not uri:
        return ""
    origin = origin_of(uri)
    # An IPv6 address cannot be named as a host there (CSP 3 §2.3.1).
    return f" {origin}" if origin and "[" not in origin else f" {urlsplit(uri).scheme}:"


_TEMPLATES = Environment(
    loader=PackageLoader("everbearer.server.pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters.update(
    {
        function.__name__: function
        for function in (day, duration, host, image_address, initial, machine_time, moment, wait, web_address)
    }
)
