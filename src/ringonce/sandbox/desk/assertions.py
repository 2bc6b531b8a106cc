"""Assertions: what somebody else, an identity provider or the client itself, says about who an agent is.

A JWT is believed only with the signature of the key that is registered for its client. A SAML assertion is believed as
it is: checking XML signatures takes an XML security library, and whoever reaches a sandbox may be anybody anyway.
"""

import base64
import json
from typing import TYPE_CHECKING, Any, Final

from ringonce.sandbox.agenda import moment
from ringonce.sandbox.keys import read_key
from ringonce.sandbox.org import OAuthClient, User
from ringonce.sandbox.trouble import SandboxError
from ringonce.sandbox.world import World

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

ALGORITHMS: Final = ("RS256", "ES256")
EARLY: Final = 60.0
"""Seconds that an issuer's clock may be ahead: what was made a moment from now is believed."""
LATEST: Final = 1e12
"""The last moment that a claim may name, in epoch seconds: some 30,000 years from now."""
SAML: Final = "{urn:oasis:names:tc:SAML:2.0:assertion}"
PROTOCOL: Final = "{urn:oasis:names:tc:SAML:2.0:protocol}"
_TO_STANDARD: Final = str.maketrans("-_", "+/", "\r\n\t")


class RefusedError(Exception):
    """The token endpoint says no: OAuth's *error*, and words for a person."""

    def __init__(self, error: str, words: str, *, status: int = 400) -> None:
        super().__init__(words)
        self.error = error
        self.status = status


def issuer(assertion: str) -> str:
    """The client that a JWT says it is from, believed by nobody yet."""
    from joserfc import jws
    from joserfc.errors import JoseError

    try:
        claims = json.loads(jws.extract_compact(assertion.encode()).payload)
    except (JoseError, ValueError, RecursionError) as wrong:
        raise _no("the assertion is not a JWT", wrong) from wrong
    iss = claims.get("iss") if isinstance(claims, dict) else None
    if not isinstance(iss, str) or not iss:
        raise RefusedError("invalid_grant", "the assertion has no iss, which names the client that signed it")
    return iss


def jwt_user(world: World, client: OAuthClient, assertion: str, audiences: frozenset[str]) -> User:
    """The agent that a client's JWT speaks for (RFC 7523), or `RefusedError`."""
    if not client.public_key:
        words = "no public key is registered for this client; POST /_sandbox/clients/{id} with publicKey"
        raise RefusedError("invalid_grant", words)
    from joserfc import jwt
    from joserfc.errors import JoseError

    try:
        claims = jwt.decode(assertion, read_key(client.public_key), algorithms=list(ALGORITHMS)).claims
    except (JoseError, SandboxError, ValueError, TypeError, RecursionError) as wrong:
        words = "the assertion's signature cannot be verified with the key registered for this client"
        raise _no(words, wrong) from wrong
    if claims.get("iss") != client.id:
        raise RefusedError("invalid_grant", f"the assertion's iss is {claims.get('iss')!r}; it must be {client.id!r}")
    aud = claims.get("aud")
    named = aud if isinstance(aud, list) else [aud] if aud else []
    # The refusal repeats them, and JSON lets a claim hold half a surrogate pair, which no answer can.
    _meant_for(audiences, [str(each).encode(errors="replace").decode() for each in named])
    _timely(
        world.now,
        begins=max(_seconds(claims, "nbf") or 0.0, _seconds(claims, "iat") or 0.0),
        ends=_seconds(claims, "exp"),
        end="exp",
    )
    return _user(world, str(claims.get("sub") or ""), "sub")


def saml_user(world: World, encoded: str, audiences: frozenset[str]) -> User:
    """The agent whom a SAML 2.0 assertion names (RFC 7522), or `RefusedError`."""
    found = _assertion(encoded)
    conditions = found.find(f"{SAML}Conditions")
    audience = [] if conditions is None else conditions.findall(f"{SAML}AudienceRestriction/{SAML}Audience")
    _meant_for(audiences, [(each.text or "").strip() for each in audience])
    confirmations = found.findall(f"{SAML}Subject/{SAML}SubjectConfirmation/{SAML}SubjectConfirmationData")
    bounds = [each for each in (conditions, *confirmations) if each is not None]
    ends = [_moment(each, "NotOnOrAfter") for each in bounds]
    begins = [_moment(each, "NotBefore") for each in bounds]
    _timely(
        world.now,
        begins=max((each for each in begins if each is not None), default=0.0),
        ends=min((each for each in ends if each is not None), default=None),
        end="NotOnOrAfter",
    )
    name = found.findtext(f"{SAML}Subject/{SAML}NameID", "").strip()
    return _user(world, name, "NameID")


def _assertion(encoded: str) -> "Element":
    """The one SAML assertion in a response, or alone."""
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    # Both alphabets are in use: RFC 7522 asks for the URL's, SAML's own bindings for the other.
    text = encoded.translate(_TO_STANDARD).rstrip("=")
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError as wrong:
        raise _no("the assertion is not base64", wrong) from wrong
    try:
        root = fromstring(raw, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as wrong:
        raise _no("the assertion is not XML that can be read safely", wrong) from wrong
    if root.tag == f"{SAML}Assertion":
        return root
    if root.tag != f"{PROTOCOL}Response":
        raise RefusedError("invalid_grant", f"the assertion is neither a SAML 2.0 Assertion nor a Response: {root.tag}")
    status = root.find(f"{PROTOCOL}Status/{PROTOCOL}StatusCode")
    if status is None or not status.get("Value", "").endswith(":Success"):
        raise RefusedError("invalid_grant", "the SAML response does not say Success")
    return _only(root)


def _only(response: "Element") -> "Element":
    found = list(response.iter(f"{SAML}Assertion"))
    if not found:
        words = "the SAML response has no assertion in plain text; this sandbox has no key to decrypt one"
        raise RefusedError("invalid_grant", words)
    if len(found) > 1:
        raise RefusedError("invalid_grant", "the SAML response has more than one assertion")
    return found[0]


def _meant_for(audiences: frozenset[str], named: list[str]) -> None:
    if audiences.isdisjoint(named):
        whom = f"is for {', '.join(named)}" if named else "names no audience"
        words = f"the assertion {whom}; it must be for one of {', '.join(sorted(audiences)) or 'none'}"
        raise RefusedError("invalid_grant", words)


def _timely(now: float, *, begins: float, ends: float | None, end: str) -> None:
    if ends is None:
        raise RefusedError("invalid_grant", f"the assertion has no {end}")
    if now >= ends:
        raise RefusedError("invalid_grant", f"the assertion has expired: {end} was {now - ends:.0f} s ago")
    if begins > now + EARLY:
        raise RefusedError("invalid_grant", f"the assertion is not valid yet, not for another {begins - now:.0f} s")


def _user(world: World, name: str, field: str) -> User:
    user = world.org.users.get(name) or world.org.user_of(name)
    if user is None:
        raise RefusedError("invalid_grant", f"{field} {name!r} is no user of this organization, by id or by e-mail")
    if user.state != "active":
        raise RefusedError("invalid_grant", f"{field} {name!r} is a user who is {user.state}, not active")
    return user


def _seconds(claims: dict[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    # A comparison refuses what is no number or too large for one, without converting it.
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < LATEST:
        raise RefusedError("invalid_grant", f"the assertion's {name} is not a number of seconds")
    return float(value)


def _moment(element: "Element", name: str) -> float | None:
    text = element.get(name)
    if text is None:
        return None
    try:
        return moment(text)
    except (ValueError, OverflowError) as wrong:
        raise _no(f"the assertion's {name} is not a time", wrong) from wrong


def _no(what: str, wrong: Exception) -> RefusedError:
    return RefusedError("invalid_grant", f"{what} ({wrong})" if str(wrong) else what)
