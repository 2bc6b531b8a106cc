"""Signing in by assertion: a SAML response from an identity provider, or a JWT signed by the client."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, RSAKey

from ringonce.sandbox.agenda import iso
from ringonce.sandbox.default_org import ADA, AUDIENCE
from ringonce.sandbox.desk import Desk
from ringonce.sandbox.keys import read_key
from ringonce.sandbox.org import JWT_BEARER, SAML2_BEARER
from ringonce.sandbox.published_key import PUBLISHED_PRIVATE_KEY, PUBLISHED_PUBLIC_KEY
from ringonce.sandbox.trouble import SandboxError
from ringonce.sandbox.world import World
from signing_in import HERE, SERVICE, ask_for_token, who

NOW = 1_767_268_800.0
NAMES = 'xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" xmlns="urn:oasis:names:tc:SAML:2.0:assertion"'
SUCCESS = '<p:Status><p:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></p:Status>'


def saml_assertion(
    name: str = "ada@example.com",
    *,
    audience: str = f"<AudienceRestriction><Audience>{AUDIENCE}</Audience></AudienceRestriction>",
    conditions: str = f'NotOnOrAfter="{iso(NOW + 300)}"',
    confirmed: str = "",
) -> str:
    confirmation = f"<SubjectConfirmation><SubjectConfirmationData {confirmed}/></SubjectConfirmation>"
    subject = f"<Subject><NameID>{name}</NameID>{confirmation}</Subject>"
    return f"<Assertion {NAMES}>{subject}<Conditions {conditions}>{audience}</Conditions></Assertion>"


def response(*inside: str, status: str = SUCCESS) -> str:
    return f"<p:Response {NAMES}>{status}{''.join(inside)}</p:Response>"


def sign_in_by_saml(desk: Desk, xml: str | bytes, **form: str) -> tuple[int, Any]:
    encoded = base64.b64encode(xml.encode() if isinstance(xml, str) else xml).decode()
    fields = {"orgName": "your_org_id", "assertion": encoded, **form}
    return ask_for_token(desk, grant_type=SAML2_BEARER, **fields)


@pytest.mark.parametrize(
    "xml",
    [
        pytest.param(response(saml_assertion()), id="a response"),
        pytest.param(saml_assertion(), id="a bare assertion"),
        pytest.param(saml_assertion(ADA), id="by the user's id"),
        pytest.param(saml_assertion("ADA@Example.com"), id="in other letters"),
        pytest.param(saml_assertion(conditions="", confirmed=f'NotOnOrAfter="{iso(NOW + 1)}"'), id="as a bearer's"),
    ],
)
def test_a_saml_assertion_signs_its_agent_in(desk: Desk, xml: str) -> None:
    status, answer = sign_in_by_saml(desk, xml)

    assert status == 200, answer
    assert answer.keys() == {"access_token", "token_type", "expires_in"}
    assert who(desk, answer["access_token"]) == "ada@example.com"


def test_the_urls_alphabet_of_base64_will_do(desk: Desk) -> None:
    xml = response(saml_assertion(), "<!-- ÿÿÿ???>>> -->")
    encoded = base64.urlsafe_b64encode(xml.encode()).decode().rstrip("=")

    assert "_" in encoded or "-" in encoded
    assert ask_for_token(desk, grant_type=SAML2_BEARER, orgName="your_org_id", assertion=encoded)[0] == 200


BOMB = '<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><r>&b;</r>'
OUTSIDE = '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>'


@pytest.mark.parametrize(
    ("xml", "words"),
    [
        pytest.param(saml_assertion(conditions=f'NotOnOrAfter="{iso(NOW)}"'), "expired: NotOnOrAfter", id="expired"),
        pytest.param(
            saml_assertion(confirmed=f'NotOnOrAfter="{iso(NOW - 5)}"'), "was 5 s ago", id="expired for its bearer"
        ),
        pytest.param(
            saml_assertion(conditions=f'NotBefore="{iso(NOW + 90)}" NotOnOrAfter="{iso(NOW + 300)}"'),
            "not valid yet",
            id="not valid yet",
        ),
        pytest.param(saml_assertion(conditions=""), "has no NotOnOrAfter", id="for ever"),
        pytest.param(saml_assertion(conditions='NotOnOrAfter="soon"'), "is not a time", id="until some day"),
        pytest.param(saml_assertion(audience=""), "names no audience", id="for nobody"),
        pytest.param(
            saml_assertion(audience="<AudienceRestriction><Audience>urn:other</Audience></AudienceRestriction>"),
            "is for urn:other",
            id="for somebody else",
        ),
        pytest.param(saml_assertion("nobody@example.com"), "no user", id="of nobody"),
        pytest.param(saml_assertion(""), "no user", id="without a name"),
        pytest.param(saml_assertion("alan@example.com"), "inactive", id="of somebody who left"),
        pytest.param(response(saml_assertion(), status=""), "Success", id="without success"),
        pytest.param(response(), "no assertion", id="an empty response"),
        pytest.param(response(saml_assertion(), saml_assertion("grace@example.com")), "more than one", id="two"),
        pytest.param("<Assertion/>", "neither", id="of no name space"),
        pytest.param("not XML", "XML", id="no XML"),
        pytest.param(b"\xff\xfe\xfd", "XML", id="no text"),
        pytest.param('<?xml version="1.0" encoding="martian"?><r/>', "XML", id="of no known encoding"),
        pytest.param(BOMB, "safely", id="a bomb"),
        pytest.param(OUTSIDE, "safely", id="one that reaches outside"),
    ],
)
def test_how_a_saml_assertion_is_refused(desk: Desk, xml: str | bytes, words: str) -> None:
    status, answer = sign_in_by_saml(desk, xml)

    assert (status, answer["error"]) == (400, "invalid_grant")
    assert words in answer["error_description"]


@pytest.mark.parametrize(
    ("form", "error", "words"),
    [
        pytest.param({"orgName": "other"}, "invalid_grant", "your_org_id", id="another organization"),
        pytest.param({"orgName": ""}, "invalid_request", "orgName is missing", id="no organization"),
        pytest.param({"assertion": ""}, "invalid_request", "assertion is missing", id="no assertion"),
        pytest.param({"assertion": "%%%"}, "invalid_grant", "not base64", id="no base64"),
        pytest.param({"assertion": "ä"}, "invalid_grant", "not base64", id="no ASCII"),
        pytest.param({"scope": "fly"}, "invalid_scope", "fly", id="an unknown scope"),
    ],
)
def test_how_a_saml_request_is_refused(desk: Desk, form: dict[str, str], error: str, words: str) -> None:
    status, answer = sign_in_by_saml(desk, saml_assertion(), **form)

    assert (status, answer["error"]) == (400, error)
    assert words in answer["error_description"]


def test_a_saml_assertion_ends_on_the_worlds_clock(desk: Desk, world: World) -> None:
    world.advance(NOW + 299)
    assert sign_in_by_saml(desk, saml_assertion())[0] == 200

    world.advance(NOW + 300)
    assert sign_in_by_saml(desk, saml_assertion())[1]["error"] == "invalid_grant"


PUBLISHED = ECKey.import_key(PUBLISHED_PRIVATE_KEY)


def signed(key: Any = PUBLISHED, algorithm: str = "ES256", *, but: dict[str, Any] | None = None) -> str:
    claims = {"iss": "your_client_id", "sub": ADA, "aud": f"http://{HERE}/oauth/token", "iat": NOW, "exp": NOW + 60}
    claims |= but or {}
    kept = {name: value for name, value in claims.items() if value is not None}
    return jws.serialize_compact({"alg": algorithm}, json.dumps(kept), key, algorithms=[algorithm])


def sign_in_by_jwt(desk: Desk, assertion: str, *, basic: str | None = None, **form: str) -> tuple[int, Any]:
    return ask_for_token(desk, basic=basic, grant_type=JWT_BEARER, assertion=assertion, **form)


@pytest.mark.parametrize(
    "but",
    [
        pytest.param({}, id="for the token endpoint"),
        pytest.param({"aud": AUDIENCE}, id="for the registered audience"),
        pytest.param({"aud": ["urn:other", f"https://{HERE}"]}, id="for several"),
        pytest.param({"sub": "ada@example.com"}, id="by e-mail"),
        pytest.param({"iat": NOW + 59}, id="by a clock that is ahead"),
    ],
)
@pytest.mark.parametrize("basic", [None, SERVICE])
def test_a_signed_jwt_signs_its_agent_in(desk: Desk, but: dict[str, Any], basic: str | None) -> None:
    status, answer = sign_in_by_jwt(desk, signed(but=but), basic=basic)

    assert status == 200, answer
    assert who(desk, answer["access_token"]) == "ada@example.com"


NESTED = base64.urlsafe_b64encode(b"[" * 100_000).decode().rstrip("=")
OTHER = ECKey.generate_key("P-256", auto_kid=False)


@pytest.mark.parametrize(
    ("assertion", "words"),
    [
        pytest.param(signed(OTHER), "signature", id="signed by another key"),
        pytest.param(signed().rpartition(".")[0] + ".", "signature", id="not signed"),
        pytest.param(
            signed(OctKey.import_key("a secret that is long enough for HS256"), "HS256"), "signature", id="a shared key"
        ),
        pytest.param(signed(but={"exp": NOW}), "expired: exp", id="expired"),
        pytest.param(signed(but={"exp": None}), "has no exp", id="for ever"),
        pytest.param(signed(but={"exp": "soon"}), "not a number", id="until some day"),
        pytest.param(signed(but={"exp": float("nan")}), "not a number", id="until no number"),
        pytest.param(signed(but={"exp": 10**400}), "not a number", id="until long after the last star"),
        pytest.param(signed(but={"nbf": NOW + 61}), "not valid yet", id="not valid yet"),
        pytest.param(signed(but={"aud": "https://login.other.example"}), "is for https://login.other", id="elsewhere"),
        pytest.param(signed(but={"aud": "half \ud800"}), "is for half ?", id="for half a character"),
        pytest.param(signed(but={"aud": None}), "names no audience", id="for nobody"),
        pytest.param(signed(but={"sub": "nobody@example.com"}), "no user", id="of nobody"),
        pytest.param(signed(but={"sub": None}), "no user", id="without a name"),
        pytest.param(signed(but={"sub": "alan@example.com"}), "inactive", id="of somebody who left"),
        pytest.param(signed(but={"iss": None}), "has no iss", id="from nobody"),
        pytest.param(signed(but={"iss": "brief_client_id"}), "no public key", id="from a client without a key"),
        pytest.param("a.b.c", "not a JWT", id="no JWT"),
        pytest.param(f"{NESTED}.{NESTED}.x", "not a JWT", id="one that is nested too deep"),
        pytest.param("ä", "not a JWT", id="no ASCII"),
    ],
)
def test_how_a_jwt_is_refused(desk: Desk, assertion: str, words: str) -> None:
    status, answer = sign_in_by_jwt(desk, assertion)

    assert (status, answer["error"]) == (400, "invalid_grant")
    assert words in answer["error_description"]
    assert sign_in_by_jwt(desk, assertion, client_id="your_client_id")[1]["error"] == "invalid_grant"


def test_a_jwt_is_from_the_client_that_shows_its_secret(desk: Desk, world: World) -> None:
    world.change_client("brief_client_id", public_key=PUBLISHED_PUBLIC_KEY)

    status, answer = sign_in_by_jwt(desk, signed(), basic="brief_client_id:brief_client_secret")

    assert (status, answer["error"]) == (400, "invalid_grant")
    assert "must be 'brief_client_id'" in answer["error_description"]
    assert sign_in_by_jwt(desk, signed(), basic="your_client_id:wrong")[0] == 401
    assert sign_in_by_jwt(desk, signed(but={"iss": "nobody"}))[1]["error"] == "invalid_client"


def test_a_key_of_ones_own_signs_rs256(desk: Desk, world: World) -> None:
    key = RSAKey.generate_key(2_048, auto_kid=False)
    world.change_client("your_client_id", public_key=key.as_pem(private=False).decode())

    assert sign_in_by_jwt(desk, signed(key, "RS256"))[0] == 200
    assert sign_in_by_jwt(desk, signed())[1]["error"] == "invalid_grant"


def test_a_jwts_agent_is_the_only_one_it_may_call_for(desk: Desk, ask: Any) -> None:
    scopes = "conversation:call:write user:read:me"
    _, answer = sign_in_by_jwt(desk, signed(), scope=scopes)
    ask.token = answer["access_token"]
    to = {"to": {"phoneNumber": "+15559876543"}, "type": "pstn"}

    status, _ = ask("POST", "/conversations/calls", {"from": {"id": ADA, "phoneNumber": "+15551234567"}, **to})
    assert status == 201
    grace = next(user for user in desk.world.org.users.values() if user.email == "grace@example.com")
    other = {"from": {"id": grace.id, "phoneNumber": "+15551234568"}, **to}
    status, problem = ask("POST", "/conversations/calls", other)
    assert (status, problem["code"]) == (403, "not.authorized")
    assert "from.id" in json.dumps(problem["details"])
    assert ask("GET", "/tokens/me")[1]["authorizedScope"] == ["conversations", "user-basic-info"]


def pem(key: Any) -> str:
    """The public half of a key."""
    public = serialization.PublicFormat.SubjectPublicKeyInfo
    text: bytes = key.public_key().public_bytes(serialization.Encoding.PEM, public)
    return text.decode()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param(PUBLISHED_PRIVATE_KEY, "private key", id="the private half"),
        pytest.param("no key", "no public key", id="no key"),
        pytest.param(pem(ec.generate_private_key(ec.SECP384R1())), "P-256", id="another curve"),
        pytest.param(
            pem(rsa.generate_private_key(65_537, 1_024)),  # noqa: S505 - short on purpose
            "1024 bits",
            id="a short key",
        ),
    ],
)
def test_which_keys_are_not_taken(text: str, why: str) -> None:
    with pytest.raises(SandboxError, match=why):
        read_key(text)
