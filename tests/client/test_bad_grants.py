"""What cannot be anybody's grant is refused when it is given, before anything is sent."""

from collections.abc import Callable

import pytest

from consenting import ec_key, rsa_key
from ringonce import Auth, AuthorizationCode, ClientCredentials, ConfigError, JwtBearer, RefreshToken, Saml2Bearer
from simulated import ADA

CLIENT, SECRET = "your_client_id", "your_client_secret"
BAD: dict[str, Callable[[], Auth]] = {
    "a refresh token with a blank": lambda: RefreshToken(CLIENT, "a b"),
    "no refresh token": lambda: RefreshToken(CLIENT),
    "no client": lambda: RefreshToken("", "token"),
    "a client with a blank": lambda: AuthorizationCode("a b"),
    "a redirect URI beyond this machine": lambda: AuthorizationCode(CLIENT, redirect_uri="https://example.com/back"),
    "a redirect URI where nobody listens": lambda: AuthorizationCode(
        CLIENT, redirect_uri="http://127.0.0.2:99999/callback"
    ),
    "a redirect URI with a query": lambda: AuthorizationCode(CLIENT, redirect_uri="http://127.0.0.1/?a=b"),
    "no redirect URI": lambda: AuthorizationCode(CLIENT, redirect_uri="127.0.0.1:port"),
    "no time to consent": lambda: AuthorizationCode(CLIENT, timeout=0),
    "no assertion": lambda: Saml2Bearer(CLIENT, SECRET, "your_org_id", ""),
    "an assertion in bytes": lambda: Saml2Bearer(CLIENT, SECRET, "your_org_id", b"PHNhbWw+"),  # type: ignore[arg-type]  # what people do
    "no organization": lambda: Saml2Bearer(CLIENT, SECRET, "", "assertion"),
    "no subject": lambda: JwtBearer(CLIENT, ec_key(), subject="", algorithm="ES256"),
    "no such algorithm": lambda: JwtBearer(CLIENT, ec_key(), subject=ADA, algorithm="none"),
    "a key of another kind": lambda: JwtBearer(CLIENT, ec_key(), subject=ADA, algorithm="RS256"),
    "another curve": lambda: JwtBearer(CLIENT, ec_key("P-384"), subject=ADA, algorithm="ES256"),
    "a small key": lambda: JwtBearer(CLIENT, rsa_key(1024), subject=ADA),
    "no key": lambda: JwtBearer(CLIENT, "-----BEGIN NONSENSE-----", subject=ADA),
    "an empty secret": lambda: ClientCredentials(CLIENT, ""),
}


@pytest.mark.parametrize("make", BAD.values(), ids=BAD)
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_what_cannot_work_is_refused_when_it_is_given(make: Callable[[], Auth]) -> None:
    with pytest.raises(ConfigError) as caught:
        make()

    assert caught.value.fix
