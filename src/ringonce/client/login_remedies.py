"""What each refusal of the login host means and what to do about it; `remedies` has those of the API."""

from typing import NamedTuple

from ringonce.client.remedies import OAUTH_CLIENT, Basis

WRONG_GRANT = "unauthorized_client"
GRANT_TYPES = {
    "client_credentials": "Client Credentials",
    "authorization_code": "Code Authorization",
    "refresh_token": "Code Authorization",
    "urn:ietf:params:oauth:grant-type:saml2-bearer": "SAML2 Bearer",
}
"""What OAuth's grant types are called where an OAuth client is made."""
NO_JWT = "use SAML2 bearer or a browser there; on a sandbox, use a client that is registered for it"


_SET_BOTH = "set GENESYSCLOUD_OAUTHCLIENT_ID and GENESYSCLOUD_OAUTHCLIENT_SECRET"


class LoginRemedy(NamedTuple):
    """One refusal of the login host: OAuth's error, and words by which its description is recognised."""

    error: str
    words: str
    means: str
    fix: str
    basis: Basis = "reported"
    on_sandbox: str = ""
    """What to do in place of that on this machine, where there is no menu to look at."""


LOGIN: tuple[LoginRemedy, ...] = (
    LoginRemedy(
        "invalid_client",
        "not found",
        "the login host knows no such client",
        f"check the client id in {OAUTH_CLIENT}, and that the region is that organization's",
        on_sandbox=f"name a client that the sandbox's organization has (its [[clients]]): {_SET_BOTH}",
    ),
    LoginRemedy(
        "invalid_client",
        "authentication failed",
        "the secret is not the client's",
        f"copy the secret anew from {OAUTH_CLIENT}, or make a new one there",
        on_sandbox=f"copy the secret anew from the [[clients]] of the sandbox's organization: {_SET_BOTH}",
    ),
    LoginRemedy(
        "invalid_client",
        "takes the secret",
        "the token was given to the client with its secret, and comes without",
        "give the client's secret (`client_secret=`) as well",
        "undocumented",
    ),
    LoginRemedy(
        "invalid_grant",
        "not one that was given to this client",
        "the code or refresh token was given to another client, or to none",
        "give the id of the OAuth client that it was given to, or log in again with this one",
        "undocumented",
    ),
    LoginRemedy(
        WRONG_GRANT,
        "",
        "the client may not use this grant; the error names the grant type that it needs",
        f"a client has one grant type, which {OAUTH_CLIENT} shows; use one of the right type",
        "undocumented",
    ),
    LoginRemedy(
        "",
        "disabled",
        "the client is disabled",
        f"have an administrator activate the client in {OAUTH_CLIENT}",
        "undocumented",
    ),
    LoginRemedy(
        "",
        "inactive",
        "the client, or the user that it asks for, is inactive",
        f"have an administrator activate the user, or the client in {OAUTH_CLIENT}",
        "undocumented",
    ),
)


def login_remedy(error: str, words: str, grant_type: str, *, here: bool = False) -> LoginRemedy | None:
    """Give what is known of a refusal of the login host, by OAuth's *error* and its description's *words*.

    *grant_type* is OAuth's name of what was asked for; the remedy says what the platform calls it. A login host that
    is *here*, on this machine, is a sandbox's.
    """
    told = words.casefold()
    known = next((one for one in LOGIN if one.error in {"", error} and one.words in told), None)
    if known is not None and here and known.on_sandbox:
        return known._replace(fix=known.on_sandbox)
    if known is None or known.error != WRONG_GRANT:
        return known
    kind = GRANT_TYPES.get(grant_type, "")
    fix = f"its grant type has to be {kind}: {known.fix}" if kind else f"no client of the platform may: {NO_JWT}"
    return known._replace(fix=fix)
