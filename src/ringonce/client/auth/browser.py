"""Authorization code with PKCE (RFC 7636): an agent says yes in a browser, and the answer comes back here."""

import base64
import hashlib
from urllib.parse import urlencode, urlsplit

from ringonce.client.auth.grant import AccessGrant, OAuthClient
from ringonce.client.auth.renewing import obtain, recall, slot, usable, withdraw
from ringonce.client.login_remedies import login_remedy
from ringonce.client.wishes import Alone, Consent, Draw, Flow, Landing
from ringonce.config import DEFAULT_REDIRECT, Endpoints
from ringonce.errors import ConfigError, NotAuthenticated

VERIFIER = 64
"""Characters of the code verifier; the platform takes 43 to 128."""
STATE = 32
PATIENCE = 300.0
HERE = ("127.0.0.1", "localhost", "::1")


class AuthorizationCode:
    """The authorization code grant with PKCE: the token stands for the agent who consents, in a browser.

    The first token needs the browser; the refresh token that comes with it is stored, so that later ones don't, nor
    do later runs. The redirect URI must be one of the OAuth client's; it is on this machine, and without a port a
    free one is taken. Where no browser can be opened, the address is printed on stderr. *client_secret* is for a
    confidential client; *login_hint* is the agent's e-mail, to be filled in for them; *timeout* are the seconds that
    they may take. *store_as* names where the refresh token is stored; by default, client and login hint do.
    """

    service = False

    def __init__(
        self,
        client_id: str,
        *,
        client_secret: str = "",
        redirect_uri: str = DEFAULT_REDIRECT,
        login_hint: str = "",
        scope: str = "",
        timeout: float = PATIENCE,
        store_as: str = "",
    ) -> None:
        self.client_id = client_id
        self._client = OAuthClient(client_id, client_secret)
        _check_redirect(redirect_uri)
        if not 0 < timeout <= 24 * 3600:
            raise ConfigError(
                f"nobody can consent within {timeout:g} s", why="timeout is above 0 and at most a day", fix="try 300"
            )
        self._redirect_uri, self._login_hint, self._scope = redirect_uri, login_hint, scope
        self._timeout, self.store_as = timeout, store_as

    @property
    def name(self) -> str:
        """The grant, the client and, if it was said, the agent."""
        return f"authorization code of {self.client_id}" + (f" for {self._login_hint}" if self._login_hint else "")

    def __repr__(self) -> str:
        return f"AuthorizationCode({self.client_id!r}, redirect_uri={self._redirect_uri!r})"

    def grant(self, endpoints: Endpoints, now: float, stale: str) -> Flow[AccessGrant]:  # noqa: ARG002  the protocol's
        """Use or renew the stored token; ask in the browser if there is none, or if it can't be renewed."""
        store_as = self._slot(endpoints)
        flow = self._renew(endpoints, store_as, stale)
        grant: AccessGrant = yield Alone(store_as, flow, patience=self._timeout + 60.0)
        return grant

    def withdraw(self, endpoints: Endpoints, access: str) -> Flow[None]:
        """Have the platform forget what the consent gave, the token in use (*access*) included; forget it here too."""
        store_as = self._slot(endpoints)
        yield Alone(store_as, withdraw(self._client, endpoints, self.name, store_as=store_as, access=access))

    def _slot(self, endpoints: Endpoints) -> str:
        return self.store_as or slot("authorization code", endpoints.login, self.client_id, self._login_hint)

    def _renew(self, endpoints: Endpoints, store_as: str, stale: str) -> Flow[AccessGrant]:
        kept = yield from recall(store_as)
        if kept is not None and (yield from usable(kept, stale)):
            return kept.granted()
        if kept is not None and kept.refresh_token:
            form = {"grant_type": "refresh_token", "refresh_token": kept.refresh_token}
            try:
                return (yield from obtain(self._client, endpoints, form, self.name, "", store_as=store_as))
            except NotAuthenticated:
                pass  # spent or withdrawn: the agent is asked once more
        return (yield from self._ask(endpoints, store_as))

    def _ask(self, endpoints: Endpoints, store_as: str) -> Flow[AccessGrant]:
        verifier: str = yield Draw(VERIFIER)
        state: str = yield Draw(STATE)
        asked = {
            "client_id": self.client_id,
            "response_type": "code",
            "state": state,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
            "scope": self._scope,
            "login_hint": self._login_hint,
        }
        query = urlencode({name: value for name, value in asked.items() if value})
        url = f"{endpoints.login}/oauth/authorize?{query}"
        landing: Landing = yield Consent(url, self._redirect_uri, state, self._timeout)
        form = {
            "grant_type": "authorization_code",
            "code": self._code(landing),
            "code_verifier": verifier,
            "redirect_uri": landing.redirect_uri,
        }
        fix = "the code works once and for moments only, from the redirect URI it was asked for: log in again"
        return (yield from obtain(self._client, endpoints, form, self.name, fix, store_as=store_as))

    def _code(self, landing: Landing) -> str:
        what = f"No token was given for {self.name}"
        query = landing.query
        if not query:
            why = f"nobody consented in the browser within {self._timeout:g} s"
            fix = (
                f"if the browser showed an error, check that {self.client_id} is the client's id, that it is not "
                f"disabled, its redirect URI ({self._redirect_uri}) and its grant type"
            )
            if landing.foreign:
                times = "once" if landing.foreign == 1 else f"{landing.foreign} times"
                why += f"; {times} it came back with an answer to another question (state), which was passed over"
                fix += "; close other login pages, and if it happens again, somebody interferes"
            raise NotAuthenticated(what, why=why, fix=f"log in again; {fix}")
        if query.get("error") or not query.get("code"):
            known = login_remedy(query.get("error", ""), query.get("error_description", ""), "authorization_code")
            said = ", ".join(query[name][:200] for name in ("error", "error_description") if query.get(name))
            raise NotAuthenticated(
                what,
                why=said or "the browser came back without a code",
                fix=known.fix
                if known
                else "consent is needed; if it was given, check the OAuth client's grant type, redirect URI and scopes",
                code=query.get("error", "")[:200],
            )
        return query["code"]


def challenge(verifier: str) -> str:
    """Give the code challenge of a verifier (RFC 7636, S256)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _check_redirect(redirect_uri: str) -> None:
    try:
        parts = urlsplit(redirect_uri)
        fits = parts.scheme == "http" and parts.hostname in HERE and parts.port != 0
    except ValueError:
        fits = False
    if not fits or "?" in redirect_uri or "#" in redirect_uri:
        raise ConfigError(
            f"the redirect URI {redirect_uri[:100]!r} cannot be used",
            why="the browser has to come back to this machine",
            fix=f"use one like {DEFAULT_REDIRECT} (a free port is taken) or http://127.0.0.1:8910/callback, "
            "and add it to the OAuth client",
        )
