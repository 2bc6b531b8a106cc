"""Grants by assertion: somebody whom the platform trusts vouches for the agent, and no browser is needed."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from ringonce.client.auth.grant import AccessGrant, OAuthClient
from ringonce.client.wishes import Draw, Flow, Make, Now
from ringonce.config import Endpoints
from ringonce.errors import ConfigError, NotAuthenticated, RingonceError

if TYPE_CHECKING:
    from joserfc.jwk import ECKey, RSAKey

ALGORITHMS = ("RS256", "ES256")
LIFE = 300.0
"""Seconds for which a JWT holds; long enough for clocks that differ."""
SMALLEST_RSA = 2048


class Saml2Bearer:
    """The SAML2 bearer grant: the organization's identity provider vouches for the agent.

    *assertion* is the provider's SAML2 response in base64, or a callable that gets one: assertions live for minutes,
    so a program that runs for longer needs the callable. It is called in a thread and may take its time. The token
    stands for the user whom the assertion's NameID names. *org_name* is the organization's short name.
    """

    service = False

    def __init__(self, client_id: str, client_secret: str, org_name: str, assertion: str | Callable[[], str]) -> None:
        if not client_secret or not org_name or not assertion:
            raise ConfigError(
                "The SAML2 bearer grant lacks something",
                why="it needs the client's secret, the organization's short name and an assertion",
                fix="give all three; Admin > Account Settings > Organization Details shows the short name",
            )
        if not isinstance(assertion, str) and not callable(assertion):
            raise ConfigError(
                "The SAML2 assertion cannot be used",
                why=f"it is {type(assertion).__name__}, neither text nor a callable",
                fix="give the SAML2 response in base64 as text (str), or a callable that returns that",
            )
        self.client_id, self.org_name = client_id, org_name
        self._client, self._assertion = OAuthClient(client_id, client_secret), assertion

    @property
    def name(self) -> str:
        """The grant, the client and the organization."""
        return f"SAML2 assertion for {self.client_id} in {self.org_name}"

    def __repr__(self) -> str:
        return f"Saml2Bearer({self.client_id!r}, org_name={self.org_name!r}, …)"

    def grant(self, endpoints: Endpoints, now: float, stale: str) -> Flow[AccessGrant]:  # noqa: ARG002  the protocol's
        """Exchange an assertion for a token."""
        given = self._assertion
        assertion: str = given if isinstance(given, str) else (yield Make(partial(_made, given)))
        form = {
            "grant_type": "urn:ietf:params:oauth:grant-type:saml2-bearer",
            "orgName": self.org_name,
            "assertion": "".join(assertion.split()),
        }
        fix = "get a new assertion, for this audience; its NameID must be the e-mail of an active user"
        if isinstance(given, str):
            fix += "; an assertion holds for minutes, so a long run needs a callable that makes one"
        return (yield from self._client.ask_for_token(endpoints, form, self.name, fix))


class JwtBearer:
    """The JWT bearer grant (RFC 7523): the OAuth client itself vouches for *subject*, an agent's id or e-mail.

    The tutorial's flow. No official SDK has it; the platform's own ways to a user's token are `Saml2Bearer` and
    `AuthorizationCode`. *key* is the private key in PEM, whose public half is registered with the client: RSA of
    2048 bits or more for RS256, P-256 for ES256. *audience* is by default the token endpoint's address.
    """

    service = False

    def __init__(
        self,
        client_id: str,
        key: str | bytes,
        *,
        subject: str,
        audience: str = "",
        algorithm: str = "RS256",
        kid: str = "",
        client_secret: str = "",
    ) -> None:
        if not subject:
            raise ConfigError("The JWT has no subject", why="it vouches for one agent", fix="give their id or e-mail")
        if algorithm not in ALGORITHMS:
            raise ConfigError(
                f"The algorithm {algorithm[:20]!r} cannot be used",
                why=f"ringonce signs with {' or '.join(ALGORITHMS)}",
                fix="choose the one that fits the key",
            )
        self.client_id, self.subject = client_id, subject
        self._client, self._key = OAuthClient(client_id, client_secret), _key(key, algorithm)
        self._audience, self._algorithm, self._kid = audience, algorithm, kid

    @property
    def name(self) -> str:
        """The grant, the client and the agent."""
        return f"JWT of {self.client_id} for {self.subject}"

    def __repr__(self) -> str:
        return f"JwtBearer({self.client_id!r}, subject={self.subject!r}, …)"

    def grant(self, endpoints: Endpoints, now: float, stale: str) -> Flow[AccessGrant]:  # noqa: ARG002  the protocol's
        """Sign an assertion and exchange it for a token."""
        issued: float = yield Now()
        claims = {
            "iss": self.client_id,
            "sub": self.subject,
            "aud": self._audience or f"{endpoints.login}/oauth/token",
            "iat": int(issued),
            "exp": int(issued + LIFE),
            "jti": (yield Draw(24)),
        }
        form = {
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "assertion": self._signed(claims),
        }
        fix = "check that the key is registered with the client, the subject is an active user, and the clock is right"
        return (yield from self._client.ask_for_token(endpoints, form, self.name, fix))

    def _signed(self, claims: dict[str, Any]) -> str:
        from joserfc import jwt

        header = {"alg": self._algorithm, "typ": "JWT"} | ({"kid": self._kid} if self._kid else {})
        return jwt.encode(header, claims, self._key, algorithms=[self._algorithm])


def _made(make: Callable[[], str]) -> str:
    try:
        assertion: object = make()
    except RingonceError:
        raise
    except Exception as error:
        raise NotAuthenticated(
            "No SAML2 assertion was made",
            why=f"the callable raised {type(error).__name__}",
            fix="see what it was doing",
        ) from error
    if isinstance(assertion, str) and assertion.strip():
        return assertion
    gave = "an empty text" if isinstance(assertion, str) else f"{type(assertion).__name__}, not text"
    raise NotAuthenticated(
        "No SAML2 assertion was made",
        why=f"the callable gave {gave}",
        fix="it returns the SAML2 response in base64, as text (str)",
    )


def _key(key: str | bytes, algorithm: str) -> "RSAKey | ECKey":
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey, RSAKey

    why = ""
    try:
        made = RSAKey.import_key(key) if algorithm == "RS256" else ECKey.import_key(key)
        if not made.is_private:
            why = "it is a public key"
        elif isinstance(made, RSAKey) and made.raw_value.key_size < SMALLEST_RSA:
            why = f"it has {made.raw_value.key_size} bits"
        elif isinstance(made, ECKey) and made.curve_name != "P-256":
            why = f"its curve is {made.curve_name}"
        else:
            return made
    except (JoseError, ValueError, TypeError):
        why = "it can't be read"  # and the reader's own words may quote it
    kind = f"RSA of {SMALLEST_RSA} bits or more" if algorithm == "RS256" else "elliptic curve P-256"
    raise ConfigError(f"The key cannot sign {algorithm}", why=why, fix=f"give a private key in PEM: {kind}")
