"""The token endpoint: codes, PKCE and refresh tokens, each good for one use and for one client."""

import pytest

from ringonce.sandbox.default_org import ADA
from ringonce.sandbox.desk import Desk
from ringonce.sandbox.desk.oauth import challenge_of
from ringonce.sandbox.http import Request
from ringonce.sandbox.world import World
from signing_in import CALLBACK, SERVICE, VERIFIER, ask_for_token, code_for, who

CODE = {"grant_type": "authorization_code", "redirect_uri": CALLBACK}
PKCE = {"code_challenge": challenge_of(VERIFIER), "code_challenge_method": "S256"}


def test_a_code_becomes_a_token_of_the_agent_who_said_yes(desk: Desk) -> None:
    status, answer = ask_for_token(desk, **CODE, code=code_for(desk, "grace@example.com"))

    assert status == 200
    assert answer.keys() == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert (answer["token_type"], answer["expires_in"]) == ("bearer", 86_400)
    assert who(desk, answer["access_token"]) == "grace@example.com"


def test_with_pkce_no_secret_is_needed(desk: Desk) -> None:
    status, answer = ask_for_token(
        desk, **CODE, code=code_for(desk, **PKCE), basic=None, client_id="your_client_id", code_verifier=VERIFIER
    )

    assert status == 200, answer
    assert who(desk, answer["access_token"]) == "ada@example.com"
    again, renewed = ask_for_token(
        desk,
        basic=None,
        client_id="your_client_id",
        grant_type="refresh_token",
        refresh_token=answer["refresh_token"],
    )
    assert again == 200
    assert who(desk, renewed["access_token"]) == "ada@example.com"


def test_pkce_beside_a_secret_is_checked_too(desk: Desk) -> None:
    code = code_for(desk, **PKCE)

    assert ask_for_token(desk, **CODE, code=code)[1]["error"] == "invalid_request"
    assert ask_for_token(desk, **CODE, code=code, code_verifier="x" * 43)[1]["error"] == "invalid_grant"
    assert ask_for_token(desk, **CODE, code=code, code_verifier=VERIFIER, client_id="your_client_id")[0] == 200


@pytest.mark.parametrize(
    ("verifier", "error", "words"),
    [
        pytest.param("", "invalid_request", "is missing", id="none"),
        pytest.param("x" * 42, "invalid_request", "43 to 128", id="too short"),
        pytest.param("x" * 129, "invalid_request", "43 to 128", id="too long"),
        pytest.param("ü" * 43, "invalid_request", "43 to 128", id="other characters"),
        pytest.param("x" * 43, "invalid_grant", "does not fit", id="another one"),
        pytest.param(challenge_of(VERIFIER), "invalid_grant", "does not fit", id="the challenge itself"),
    ],
)
def test_how_a_verifier_is_refused(desk: Desk, verifier: str, error: str, words: str) -> None:
    status, answer = ask_for_token(
        desk, **CODE, code=code_for(desk, **PKCE), basic=None, client_id="your_client_id", code_verifier=verifier
    )

    assert (status, answer["error"]) == (400, error)
    assert words in answer["error_description"]


def test_a_code_used_twice_costs_everybody_their_tokens(desk: Desk) -> None:
    code = code_for(desk)
    _, first = ask_for_token(desk, **CODE, code=code)
    _, renewed = ask_for_token(desk, grant_type="refresh_token", refresh_token=first["refresh_token"])

    status, answer = ask_for_token(desk, **CODE, code=code)

    assert (status, answer["error"]) == (400, "invalid_grant")
    assert "used before" in answer["error_description"]
    assert who(desk, first["access_token"]) == who(desk, renewed["access_token"]) == "bad.credentials"
    refused = ask_for_token(desk, grant_type="refresh_token", refresh_token=renewed["refresh_token"])
    assert refused[1]["error"] == "invalid_grant"


def test_a_code_waits_five_minutes(desk: Desk, world: World) -> None:
    early, late = code_for(desk), code_for(desk)

    world.advance(world.now + 299)
    assert ask_for_token(desk, **CODE, code=early)[0] == 200
    world.advance(world.now + 1)

    status, answer = ask_for_token(desk, **CODE, code=late)
    assert (status, answer["error"]) == (400, "invalid_grant")
    assert "expired" in answer["error_description"]


@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        pytest.param({"code": "made-up"}, "invalid_grant", "not one", id="a code that nobody gave"),
        pytest.param({"code": ""}, "invalid_request", "code is missing", id="no code"),
        pytest.param({"redirect_uri": ""}, "invalid_request", "redirect_uri is missing", id="no address"),
        pytest.param(
            {"redirect_uri": "http://127.0.0.1:1/callback"}, "invalid_grant", "redirect_uri", id="another address"
        ),
        pytest.param({"code_verifier": VERIFIER}, "invalid_grant", "no code_challenge", id="a verifier for nothing"),
        pytest.param({"client_id": "brief_client_id"}, "invalid_request", "another one", id="two clients at once"),
    ],
)
def test_how_a_code_is_refused(desk: Desk, changed: dict[str, str], error: str, words: str) -> None:
    status, answer = ask_for_token(desk, **{**CODE, "code": code_for(desk), **changed})

    assert (status, answer["error"]) == (400, error)
    assert words in answer["error_description"]
    assert answer["description"] == answer["error_description"]


def test_a_code_is_good_for_the_client_it_was_given_to(desk: Desk) -> None:
    status, answer = ask_for_token(desk, basic="brief_client_id:brief_client_secret", **CODE, code=code_for(desk))

    assert (status, answer["error"]) == (400, "invalid_grant")


def test_without_pkce_a_code_takes_the_secret(desk: Desk) -> None:
    code = code_for(desk)

    assert ask_for_token(desk, basic=None, **CODE, code=code)[1]["error"] == "invalid_request"
    status, answer = ask_for_token(desk, basic=None, **CODE, code=code, client_id="your_client_id")
    assert (status, answer["error"]) == (401, "invalid_client")
    status, answer = ask_for_token(desk, basic="your_client_id:wrong", **CODE, code=code)
    assert (status, answer["error_description"]) == (401, "authentication failed")


def test_a_refresh_token_is_good_for_one_use(desk: Desk) -> None:
    _, first = ask_for_token(desk, **CODE, code=code_for(desk))
    status, second = ask_for_token(desk, grant_type="refresh_token", refresh_token=first["refresh_token"])

    assert status == 200
    assert second["refresh_token"] != first["refresh_token"]
    assert who(desk, second["access_token"]) == "ada@example.com"
    again = ask_for_token(desk, grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert (again[0], again[1]["error"]) == (400, "invalid_grant")
    # Whoever holds the new one goes on: a second process that came too late locks nobody out.
    assert ask_for_token(desk, grant_type="refresh_token", refresh_token=second["refresh_token"])[0] == 200


def test_a_refresh_token_outlives_its_access_token(desk: Desk, world: World) -> None:
    brief = "brief_client_id:brief_client_secret"
    _, first = ask_for_token(desk, basic=brief, **CODE, code=code_for(desk, client_id="brief_client_id"))
    assert first["expires_in"] == 300

    world.advance(world.now + 300)

    assert who(desk, first["access_token"]) == "credentials.expired"
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    _, second = ask_for_token(desk, basic=brief, **form)
    assert who(desk, second["access_token"]) == "ada@example.com"


def test_a_refresh_token_is_good_for_its_client_and_its_secret(desk: Desk) -> None:
    _, first = ask_for_token(desk, **CODE, code=code_for(desk))
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}

    other = ask_for_token(desk, basic="brief_client_id:brief_client_secret", **form)
    assert other[1]["error"] == "invalid_grant"
    public = ask_for_token(desk, basic=None, client_id="your_client_id", **form)
    assert (public[0], public[1]["error"]) == (401, "invalid_client")
    assert ask_for_token(desk, **form)[0] == 200


@pytest.mark.parametrize(
    ("basic", "status", "error", "words"),
    [
        pytest.param("disabled_client_id:disabled_client_secret", 401, "invalid_client", "disabled", id="switched off"),
        pytest.param("disabled_client_id:wrong", 401, "invalid_client", "authentication failed", id="and not told"),
        pytest.param(
            "narrow_client_id:narrow_client_secret", 400, "unauthorized_client", "not registered", id="another grant"
        ),
    ],
)
def test_how_a_client_is_refused(desk: Desk, basic: str, status: int, error: str, words: str) -> None:
    answer = ask_for_token(desk, basic=basic, grant_type="client_credentials")

    assert (answer[0], answer[1]["error"]) == (status, error)
    assert words in answer[1]["error_description"]


def test_a_client_that_is_switched_off_loses_its_tokens_and_codes(desk: Desk, world: World) -> None:
    _, service = ask_for_token(desk, grant_type="client_credentials")
    _, user = ask_for_token(desk, **CODE, code=code_for(desk))
    code = code_for(desk)

    world.change_client("your_client_id", state="disabled")
    assert who(desk, service["access_token"]) == who(desk, user["access_token"]) == "bad.credentials"
    world.change_client("your_client_id", state="active")

    assert ask_for_token(desk, **CODE, code=code)[1]["error"] == "invalid_grant"
    refused = ask_for_token(desk, grant_type="refresh_token", refresh_token=user["refresh_token"])
    assert refused[1]["error"] == "invalid_grant"
    assert ask_for_token(desk, grant_type="client_credentials")[0] == 200


def test_a_reset_takes_back_every_consent_and_registration(desk: Desk, world: World) -> None:
    code = code_for(desk)
    world.change_client("your_client_id", redirect_uris=())

    world.reset()

    assert ask_for_token(desk, **CODE, code=code)[1]["error"] == "invalid_grant"
    assert ask_for_token(desk, **CODE, code=code_for(desk))[0] == 200


def test_a_token_answer_is_never_stored(desk: Desk) -> None:
    from ringonce.sandbox.http import Request

    reply = desk.handle(Request("POST", "/oauth/token", {}, {}, b"grant_type=x"))

    assert dict(reply.headers)["Cache-Control"] == "no-store"


def test_nothing_of_a_consent_or_a_token_shows_a_secret(desk: Desk, world: World) -> None:
    code = code_for(desk)
    _, answer = ask_for_token(desk, **CODE, code=code)
    consent = world.consents.of_code(code)

    shown = repr(consent) + repr(world.tokens.find(answer["access_token"])) + repr(world.clients)
    for secret in (code, answer["access_token"], answer["refresh_token"], SERVICE.partition(":")[2]):
        assert secret not in shown
    assert ADA in shown


def test_a_refresh_token_outlives_the_access_token_that_is_deleted(desk: Desk) -> None:
    _, given = ask_for_token(desk, grant_type="authorization_code", code=code_for(desk), redirect_uri=CALLBACK)
    headers = {"authorization": f"Bearer {given['access_token']}"}

    assert desk.handle(Request("DELETE", "/api/v2/tokens/me", {}, headers)).status == 200

    assert who(desk, given["access_token"]) == "bad.credentials"
    status, anew = ask_for_token(desk, grant_type="refresh_token", refresh_token=given["refresh_token"])
    assert status == 200
    assert who(desk, anew["access_token"]) == "ada@example.com"
