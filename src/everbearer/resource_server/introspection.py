"""Access tokens of whatever form, validated by asking the issuer (RFC 7662), and what it answered kept for a while."""

from __future__ import annotations

from base64 import b64encode
from collections import OrderedDict
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Generic, TypeVar
from urllib.parse import quote_plus, urlencode

from everbearer.oauth.arguments import check_fields
from everbearer.oauth.messages import Headers
from everbearer.resource_server.access_token import AccessToken, Expected, access_token
from everbearer.resource_server.errors import InvalidToken, TemporarilyUnavailable
from everbearer.resource_server.fetching import NO_ANSWER, Fetch, Fetched, Steps
from everbearer.resource_server.issuer import OK, json_object, member_url, problem_of
from everbearer.resource_server.kept import PAUSE, Kept
from everbearer.resource_server.trouble import Trouble

T = TypeVar("T")

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_UNAUTHORIZED = 401


@dataclass(frozen=True, slots=True, kw_only=True)
class Introspection:
    """How a resource server asks its issuer about access tokens: as a client of it, with a secret or with assertions.

    Raises:
        ValueError: it has neither, or both, or no name, or keeps answers for no possible time.
    """

    client_id: str
    client_secret: str = field(default="", repr=False)
    """For HTTP Basic (`client_secret_basic`)."""
    client_assertion: Callable[[str], str] | None = None
    """Returns a fresh assertion for an audience, which is the issuer: see `private_key_jwt`."""
    endpoint: str = ""
    """Where to ask; empty for where the issuer's metadata says."""
    always: bool = False
    """Also ask about JWTs. Their end is then seen as soon as that of other tokens, and JWTs that are not those of RFC
    9068 will do; each costs a request, though."""
    lifetime: int = 60
    """Seconds for which an answer is good, and for which a token may be used that was revoked meanwhile; never beyond
    the token's own end."""
    inactive_lifetime: int = 10
    """Seconds for which a token that is not good is refused without asking again."""
    most: int = 10_000
    """How many answers are kept, of either kind."""

    def __post_init__(self) -> None:
        check_fields(self, {"client_assertion": "write private_key_jwt(client_id, key)"})
        if bool(self.client_secret) is (self.client_assertion is not None):
            raise ValueError("introspection needs a client_secret or a client_assertion, and not both")
        if not self.client_id:
            raise ValueError("introspection needs the client_id by which the issuer knows this resource server")
        if min(self.lifetime, self.inactive_lifetime) < 0 or self.most < 1:
            raise ValueError("introspection: lifetimes are numbers of seconds from 0 on, and most is 1 or more")


class Answers(Generic[T]):
    """What was answered lately, by hashes of tokens: so many at most, each until its time."""

    def __init__(self, most: int) -> None:
        self._most = most
        # Its verbs are each one step, also where there are threads.
        self._answers: OrderedDict[bytes, tuple[T, int]] = OrderedDict()

    def get(self, digest: bytes, now: int) -> T | None:
        """Return an answer that is still good."""
        answer, until = self._answers.get(digest, (None, 0))
        return answer if now < until else None

    def put(self, digest: bytes, answer: T, *, until: int) -> None:
        """Keep an answer; the oldest gives way where there are too many."""
        self._answers.pop(digest, None)
        self._answers[digest] = answer, until
        if len(self._answers) > self._most:
            self._answers.popitem(last=False)


class IntrospectedAccessTokens:
    """Validates access tokens by asking."""

    def __init__(
        self,
        how: Introspection,
        expected: Expected,
        metadata: Kept[Mapping[str, Any]],
        now: Callable[[], int],
        trouble: Trouble,
    ) -> None:
        self._how = how
        self._expected = expected
        self._metadata = metadata
        self._now = now
        self._trouble = trouble
        self._active = Answers[AccessToken](how.most)
        # Apart, so that whoever presents garbage drives no good token out.
        self._refused = Answers[str](how.most)

    @property
    def always(self) -> bool:
        """Whether JWTs are asked about too."""
        return self._how.always

    def validate(self, text: str) -> Steps[AccessToken]:
        """Return the access token that a text is.

        Raises:
            InvalidToken: it is not active, or not one for this resource server.
            TemporarilyUnavailable: the issuer gives no answer, or none to us.
        """
        # Not by the token itself: nobody who reads our memory should find what he could use.
        digest, now = sha256(text.encode()).digest(), self._now()
        known, refusal = self._active.get(digest, now), self._refused.get(digest, now)
        if known is not None:
            # Whoever changes its claims changes them for himself.
            return replace(known, claims=deepcopy(known.claims))
        if refusal is not None:
            raise InvalidToken(refusal)
        answer = yield from self._asked(text, digest)
        try:
            return self._judged(answer, digest)
        except InvalidToken as error:
            self._refused.put(digest, error.description, until=self._now() + self._how.inactive_lifetime)
            raise

    def _judged(self, answer: Mapping[str, Any], digest: bytes) -> AccessToken:
        if answer["active"] is not True:
            raise InvalidToken("the access token is not active: it has expired, has been revoked, or is none")
        # A refresh token is active too (RFC 7662 §2.2); it has no type, or another, and no audience that is ours.
        if str(answer.get("token_type") or "Bearer").lower() != "bearer":
            raise InvalidToken("the access token is not a bearer token")
        now = self._now()
        token = access_token(answer, self._expected, now)
        # "If the response contains the "exp" parameter (expiration), the response MUST NOT be cached beyond the time
        # indicated therein" (RFC 7662 §4).
        until = now + self._how.lifetime
        kept = replace(token, claims=deepcopy(token.claims))
        self._active.put(digest, kept, until=until if token.expires_at is None else min(until, token.expires_at))
        return token

    def _asked(self, text: str, digest: bytes) -> Steps[Mapping[str, Any]]:
        self._trouble.check()
        endpoint = self._how.endpoint or self._endpoint((yield from self._metadata.get()))
        form, headers = self._credentials()
        fetched = yield Fetch(
            url=endpoint,
            headers=(("Accept", "application/json"), ("Content-Type", "application/x-www-form-urlencoded"), *headers),
            body=urlencode({"token": text, "token_type_hint": "access_token", **form}).encode(),
            key=f"introspection {digest.hex()}",
        )
        answer = json_object(fetched)
        if answer is None or not isinstance(answer.get("active"), bool):
            raise self._problem(endpoint, fetched)
        self._trouble.end()
        return answer

    def _endpoint(self, metadata: Mapping[str, Any]) -> str:
        try:
            return member_url("introspection_endpoint", metadata)
        except TemporarilyUnavailable as problem:
            raise self._trouble.begin(problem.reason) from None

    def _credentials(self) -> tuple[dict[str, str], Headers]:
        how = self._how
        if how.client_assertion is not None:
            assertion = how.client_assertion(self._expected.issuer)
            form = {"client_id": how.client_id, "client_assertion_type": JWT_BEARER, "client_assertion": assertion}
            return form, ()
        # "The client identifier is encoded using the "application/x-www-form-urlencoded" encoding algorithm [...] and
        # the encoded value is used as the username; the client password is encoded using the same algorithm and used as
        # the password" (RFC 6749 §2.3.1).
        pair = f"{quote_plus(how.client_id)}:{quote_plus(how.client_secret)}"
        return {}, (("Authorization", "Basic " + b64encode(pair.encode()).decode()),)

    def _problem(self, endpoint: str, fetched: Fetched) -> TemporarilyUnavailable:
        if fetched.status == _UNAUTHORIZED:
            refused = f"{endpoint} refuses the credentials of {self._how.client_id}: the client of this resource server"
            return self._trouble.begin(f"{refused} must be set up anew", pause=PAUSE)
        if fetched == NO_ANSWER:
            return self._trouble.begin(f"{endpoint} does not answer")
        what = "gives no introspection response" if fetched.status == OK else problem_of(fetched)
        # It answers others, maybe: nobody else has to wait for this.
        return self._trouble.begin(f"{endpoint} {what}", pause=0)
