"""The one protocol of all grants, and their one request: a form to the token endpoint."""

import base64
from collections.abc import Mapping
from typing import Protocol

import msgspec

from ringonce.client.flows.exchange import PATIENCE, exchange
from ringonce.client.login_remedies import login_remedy
from ringonce.client.wishes import UNREADABLE, Flow, Now, Request, Response
from ringonce.config import Endpoints, is_loopback
from ringonce.errors import ConfigError, NoAnswer, NotAuthenticated, TooLate, Unreachable

LONGEST_WORDS = 300
SECRET_FIELDS = ("assertion", "code", "code_verifier", "refresh_token")
SPENT = "invalid_grant"
"""OAuth's word for a code, token or assertion that is used, withdrawn or somebody else's."""
SHORTEST_SECRET = 6
"""Characters from which a secret is taken out of the login host's own words."""


class AccessGrant(msgspec.Struct, frozen=True, kw_only=True):
    """A token as it was given. Times are seconds since the epoch."""

    value: str
    issued_at: float
    expires_at: float | None = None
    """None if its end is not known."""

    def __repr__(self) -> str:
        return "AccessGrant(…)"


class Auth(Protocol):
    """A way to get access tokens."""

    @property
    def name(self) -> str:
        """Say in words which grant this is and whose, without a secret."""

    @property
    def service(self) -> bool | None:
        """Whether its tokens stand for an application (True) or a user (False); None if only asking tells."""

    def grant(self, endpoints: Endpoints, now: float, stale: str) -> Flow[AccessGrant]:
        """Get a new token; *stale* is one that was refused. Raise `NotAuthenticated` if none is given."""


class TokenAnswer(msgspec.Struct, frozen=True):
    """What the token endpoint gives (official SDK: the fields that its login methods read)."""

    access_token: str
    expires_in: float | None = None
    refresh_token: str = ""

    def __repr__(self) -> str:
        return "TokenAnswer(…)"

    def granted(self, now: float) -> AccessGrant:
        """Give the token with its times."""
        ends = None if self.expires_in is None else now + self.expires_in
        return AccessGrant(value=self.access_token, issued_at=now, expires_at=ends)


class Doubt:
    """Minds one token request: *lost* says that one like it left, and that nobody saw its answer."""

    def __init__(self, *, lost: bool = False) -> None:
        self.lost, self.deadline = lost, 0.0
        self._out = False

    def leaving(self) -> None:
        """Know that the request leaves; if it has left before, that answer never came, or was no use."""
        self.lost, self._out = self.lost or self._out, True

    def stopped(self) -> None:
        """Know that it did nothing."""
        self._out = False

    def again(self, *, answered: bool, waited: float) -> Flow[None]:
        """Let it be sent once more."""
        del answered, waited
        yield from ()


class OAuthClient:
    """A client's id and, unless it is a public one, its secret."""

    def __init__(self, client_id: str, client_secret: str = "") -> None:
        if not client_id.strip() or any(c.isspace() for c in client_id):
            raise ConfigError(
                "No OAuth client was given",
                why="its id is empty or has white space in it",
                fix="give the id that Admin > Integrations > OAuth shows",
            )
        self.id, self._secret = client_id, client_secret

    def __repr__(self) -> str:
        return f"OAuthClient({self.id!r})"

    def ask(
        self, endpoints: Endpoints, form: Mapping[str, str], name: str, fix: str, doubt: Doubt | None = None
    ) -> Flow[TokenAnswer]:
        """Ask the token endpoint for the grant in *form*; say *fix* if it is refused.

        *doubt* knows of an earlier request whose answer was lost, and afterwards of any that this took.
        A confidential client names itself in the header; a public one in the form, as the platform wants it for PKCE.
        """
        headers = {"authorization": _basic(self.id, self._secret)} if self._secret else {}
        sent = dict(form) if self._secret else {**form, "client_id": self.id}
        # Asking again after a lost answer is the only hope: the code, or the refresh token, may be spent already.
        request = Request("POST", f"{endpoints.login}/oauth/token", form=sent, headers=headers, repeatable=True)
        doubt = doubt or Doubt()
        doubt.deadline = (yield Now()) + PATIENCE
        try:
            response = yield from exchange(request, care=doubt, signed=False)
        except TooLate as late:
            raise Unreachable("The login host was not asked for a token", why=late.why, fix="try again later") from late
        if response.ok:
            return _answer(response)
        if response.status >= 500:  # noqa: PLR2004
            raise NoAnswer(
                f"The login host gave no token (HTTP {response.status})",
                why="it is in trouble itself",
                fix="try again later",
            )
        secrets = [form[key] for key in SECRET_FIELDS if key in form]
        secrets += [self._secret, headers.get("authorization", "").removeprefix("Basic ")]
        here = is_loopback(endpoints.login)
        raise _refused(response, name, fix, secrets, form["grant_type"], lost=doubt.lost, here=here)

    def ask_for_token(self, endpoints: Endpoints, form: Mapping[str, str], name: str, fix: str) -> Flow[AccessGrant]:
        """Like `ask`, for grants that give nothing but an access token."""
        answer = yield from self.ask(endpoints, form, name, fix)
        now: float = yield Now()
        return answer.granted(now)


def _answer(response: Response) -> TokenAnswer:
    try:
        return msgspec.json.decode(response.body, type=TokenAnswer)
    except UNREADABLE as wrong:
        raise NoAnswer(
            "The login host's answer is no token",
            why=str(wrong),
            fix="check the region or base URL: is this Genesys Cloud's login host?",
        ) from wrong


class _TokenRefusal(msgspec.Struct):
    error: str = ""
    error_description: str = ""
    description: str = ""
    message: str = ""


def _refused(
    response: Response, name: str, fix: str, secrets: list[str], grant_type: str, *, lost: bool, here: bool
) -> NotAuthenticated:
    try:
        said = msgspec.json.decode(response.body, type=_TokenRefusal)
    except UNREADABLE:
        said = _TokenRefusal()
    words = said.error_description or said.description or said.message
    known = login_remedy(said.error, words, grant_type, here=here)
    why = ", ".join(part for part in (f"HTTP {response.status}", said.error, words) if part)
    why = _without(secrets, why)[:LONGEST_WORDS]
    if lost and said.error == SPENT:
        why = f"an earlier answer of the login host was lost on the way, and the token that it brought with it: {why}"
    return NotAuthenticated(
        f"No token was given for {name}",
        why=why,
        fix=known.fix if known else fix,
        status=response.status,
        code=_without(secrets, said.error)[:LONGEST_WORDS],
    )


def _without(secrets: list[str], words: str) -> str:
    """Take what we sent out of what came back: some servers quote it."""
    for secret in secrets:
        if len(secret) >= SHORTEST_SECRET:
            words = words.replace(secret, "…")
    return words


def _basic(name: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()
