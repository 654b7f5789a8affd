"""Session management (OpenID Connect Session Management 1.0): what a client is told of a browser, and whom to ask.

With each authorization response a client gets a `session_state`. It can ask a frame of ours, without any request to the
server, whether that still is the state of the browser: whether the same user is signed in by the same sign-in.
"""

from __future__ import annotations

from hashlib import sha256

from everbearer.oauth.content_security import inline_source
from everbearer.oauth.encoding import base64url
from everbearer.oauth.messages import Response
from everbearer.oauth.randomness import random_id
from everbearer.oauth.redirect_uris import origin_of


def session_state(client_id: str, redirect_uri: str, browser_state: str) -> str:
    """Return the `session_state` of an authorization response; empty where no frame of the client could ask.

    It is "based on a salted cryptographic hash of Client ID, origin URL, and OP User Agent state" (§2). Beside that
    stands a hash without the state, by which our frame knows who may ask.
    """
    origin = origin_of(redirect_uri)
    if not origin or not browser_state:
        return ""
    salt = random_id()
    return f"{_hash(client_id, origin, browser_state, salt)}.{_hash(client_id, origin, salt)}.{salt}"


def check_session_frame(cookie: str) -> Response:
    """Return the page at `check_session_iframe`; `cookie` is where the browser keeps its state, readable for scripts.

    "The OP iframe MUST enforce that the caller is from an expected origin" (§3.2): it answers `error` to who is of
    another origin than the `session_state` was issued to. It does too where it can read no state, which is what it sees
    in a browser that keeps cookies from frames of other sites: `changed` would make a client ask the server for ever
    (§5.1).
    """
    script = _SCRIPT.replace("COOKIE", cookie)
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Session</title><script>{script}</script></html>'
    )
    headers = (
        ("Content-Type", "text/html; charset=utf-8"),
        ("Cache-Control", "public, max-age=3600"),
        # Any site may load it: whom it answers is decided by what they ask.
        ("Content-Security-Policy", f"default-src 'none'; script-src {inline_source(script)}; base-uri 'none'"),
        ("Referrer-Policy", "no-referrer"),
        ("X-Content-Type-Options", "nosniff"),
    )
    return Response(headers=headers, body=page.encode())


def _hash(*parts: str) -> str:
    return base64url(sha256(" ".join(parts).encode()).digest())


_SCRIPT = """\
const hash = async (...parts) => {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(parts.join(" ")));
  const text = btoa(String.fromCharCode(...new Uint8Array(digest)));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
};
const answer = async (message, origin) => {
  const [clientId, sessionState, ...more] = String(message).split(" ");
  const [whole, asker, salt] = (sessionState || "").split(".");
  if (more.length || !salt || asker !== await hash(clientId, origin, salt)) return "error";
  const kept = document.cookie.split("; ").find((each) => each.startsWith("COOKIE="));
  if (!kept) return "error";
  const state = kept.slice("COOKIE=".length);
  return whole === await hash(clientId, origin, state, salt) ? "unchanged" : "changed";
};
addEventListener("message", async (event) => {
  if (event.source && event.origin !== "null") {
    event.source.postMessage(await answer(event.data, event.origin), event.origin);
  }
});
"""
