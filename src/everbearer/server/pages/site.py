"""What the pages need, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from everbearer.login.models import Session, SessionLifetimes
from everbearer.login.passwords import RunHeavy
from everbearer.login.sessions import authentication
from everbearer.login.sign_in import SignInLimits
from everbearer.login.user_code_limits import UserCodeLimits
from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.models import Authentication
from everbearer.storage.store import AdminStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The sign-in, consent and account pages of one authorization server."""

    server: AuthorizationServer
    store: AdminStore
    run: RunHeavy
    """Runs password hashing where it keeps nobody waiting: `PasswordPool.run`."""
    name: str = "Everbearer"
    """What the pages call the service."""
    limits: SignInLimits = field(default_factory=SignInLimits)
    user_code_limits: UserCodeLimits = field(default_factory=UserCodeLimits)
    lifetimes: SessionLifetimes = field(default_factory=SessionLifetimes)

    acr: str = ""
    """The `acr` of a sign-in by password; empty where it has none."""

    @property
    def secure(self) -> bool:
        """Whether browsers reach us by https, so that cookies are kept from plain http."""
        return self.server.issuer.startswith("https://")

    @property
    def origin(self) -> str:
        """Return the web origin of the issuer."""
        parts = urlsplit(self.server.issuer)
        return f"{parts.scheme}://{parts.netloc}"

    def authentication(self, session: Session) -> Authentication:
        """Return what the protocol says of the sign-in of a session."""
        return authentication(session, acr=self.acr)

    def resource_name(self, uri: str) -> str:
        """Return what users see of a resource; empty where it has no name but its identifier."""
        if uri == self.server.issuer:
            return self.name
        known = self.server.resources.get(uri)
        return known.resource_name if known else ""

    def words(self) -> dict[str, str]:
        """Return what users may have consented to, scope values and resources, in words."""
        named = ((uri, self.resource_name(uri)) for uri in (*self.server.resources, self.server.issuer))
        return {**self.server.scopes, **{uri: f"at {name}" for uri, name in named if name}}

    def now(self) -> int:
        """Return the server's time."""
        return self.server.now()

    def path(self, path: str) -> str:
        """Return a path as browsers must ask for it: below the issuer's own path, where it has one."""
        return urlsplit(self.server.issuer).path.rstrip("/") + path
