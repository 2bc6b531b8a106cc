"""Signing in with the SDK's own methods, each followed by a call as whoever signed in."""

import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from ringonce.sandbox import Sandbox
from ringonce.sandbox.agenda import iso
from ringonce.sandbox.default_org import ADA, AUDIENCE

pytestmark = pytest.mark.official_sdk

CLIENT = ("your_client_id", "your_client_secret")
CALLBACK = "http://localhost:5000/callback"


@pytest.fixture
def unsigned(sandbox: Sandbox, make_client: Callable[[str], Any]) -> Any:
    """An SDK client that nobody has signed in to."""
    return make_client(sandbox.url)


def consent(sandbox: Sandbox, agent: str = "ada@example.com", **asked: str) -> str:
    """Let an agent say yes on the page, and take the code from where it leads."""
    query = {"client_id": CLIENT[0], "redirect_uri": CALLBACK, "response_type": "code", **asked}
    page = f"{sandbox.url}/oauth/authorize"
    assert requests.get(page, query, timeout=5).status_code == 200
    answer = requests.post(page, {**query, "agent": agent}, timeout=5, allow_redirects=False)
    return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]


def call_as(sdk: Any, client: Any, sandbox: Sandbox) -> str:
    """Place a call through the plain endpoint, and tell for whom it was placed."""
    body = sdk.CreateCallRequest()
    body.phone_number = "+15559870000"
    sdk.ConversationsApi(client).post_conversations_calls(body)
    agent: str = sandbox.calls()[-1]["agentId"]
    assert sdk.UsersApi(client).get_users_me().id == agent
    return agent


def test_client_credentials(sdk: Any, unsigned: Any, sandbox: Sandbox) -> None:
    client = unsigned.get_client_credentials_token(*CLIENT)

    body = sdk.CreateCallRequest()
    body.phone_number = "+15559870000"
    sdk.ConversationsApi(client).post_conversations_calls_user_user_id(ADA, body)
    assert sandbox.calls()[0]["agentId"] == ADA


def test_an_authorization_code_and_its_refresh(sdk: Any, unsigned: Any, sandbox: Sandbox) -> None:
    client, first = unsigned.get_code_authorization_token(*CLIENT, consent(sandbox), CALLBACK)
    assert call_as(sdk, client, sandbox) == ADA

    client, second = unsigned.refresh_code_authorization_token(*CLIENT, first["refresh_token"])

    assert second["access_token"] != first["access_token"]
    assert second["refresh_token"] != first["refresh_token"]
    assert call_as(sdk, client, sandbox) == ADA


def test_the_sdk_refreshes_by_itself_when_a_token_has_expired(sdk: Any, unsigned: Any, sandbox: Sandbox) -> None:
    client, first = unsigned.get_code_authorization_token(*CLIENT, consent(sandbox), CALLBACK)

    sandbox.advance(86_400)

    assert call_as(sdk, client, sandbox) == ADA
    assert client.access_token != first["access_token"]


def test_pkce(sdk: Any, unsigned: Any, sandbox: Sandbox) -> None:
    verifier = unsigned.generate_pkce_code_verifier(128)
    challenge = unsigned.compute_pkce_code_challenge(verifier)
    code = consent(sandbox, code_challenge=challenge, code_challenge_method="S256")

    client, answer = unsigned.get_pkce_token(CLIENT[0], verifier, code, CALLBACK)

    assert answer["token_type"] == "bearer"
    assert call_as(sdk, client, sandbox) == ADA


def test_a_saml2_bearer(sdk: Any, unsigned: Any, sandbox: Sandbox) -> None:
    until = iso(sandbox.do(lambda world: world.now) + 60)
    xml = (
        '<p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" xmlns="urn:oasis:names:tc:SAML:2.0:assertion">'
        '<p:Status><p:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></p:Status>'
        "<Assertion><Subject><NameID>ada@example.com</NameID></Subject>"
        f'<Conditions NotOnOrAfter="{until}"><AudienceRestriction><Audience>{AUDIENCE}</Audience>'
        "</AudienceRestriction></Conditions></Assertion></p:Response>"
    )

    client = unsigned.get_saml2bearer_token(*CLIENT, "your_org_id", base64.b64encode(xml.encode()).decode())

    assert call_as(sdk, client, sandbox) == ADA


def test_a_code_that_was_used_before(sdk: Any, unsigned: Any, sandbox: Sandbox) -> None:
    code = consent(sandbox)
    client, _ = unsigned.get_code_authorization_token(*CLIENT, code, CALLBACK)

    with pytest.raises(sdk.rest.ApiException) as caught:
        client.get_code_authorization_token(*CLIENT, code, CALLBACK)

    assert caught.value.status == 400
    assert "invalid_grant" in caught.value.body


def test_what_somebody_may_do(sdk: Any, unsigned: Any, sandbox: Sandbox) -> None:
    client, _ = unsigned.get_code_authorization_token(*CLIENT, consent(sandbox, "hedy@example.com"), CALLBACK)

    subject = sdk.AuthorizationApi(client).get_authorization_subjects_me()
    policies = [policy for grant in subject.grants for policy in grant.role.policies]
    assert subject.name == "Hedy Lamarr"
    assert ("directory", "user", ["view"]) in [(each.domain, each.entity_name, each.actions) for each in policies]
    assert "call" not in {each.entity_name for each in policies}

    tokens = sdk.TokensApi(client)
    about = tokens.get_tokens_me()
    assert about.o_auth_client.authorized_grant_type == "CODE"
    assert "conversations" in about.authorized_scope
    tokens.head_tokens_me()
    tokens.delete_tokens_me()
    client.refresh_token = ""  # or the SDK would renew the token by itself
    with pytest.raises(sdk.rest.ApiException) as caught:
        tokens.get_tokens_me()
    assert caught.value.status == 401
