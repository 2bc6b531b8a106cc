"""People and providers who say yes: an agent's browser, a SAML identity provider, a holder of keys."""

import base64
import re
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from urllib.parse import parse_qsl, urlencode, urlsplit

from joserfc.jwk import ECKey, RSAKey

from ringonce.client.wishes import Consent, Landing, Request
from ringonce.sandbox.default_org import AUDIENCE
from ringonce.sandbox.published_key import PUBLISHED_PRIVATE_KEY
from simulated import Browser, Simulated

__all__ = ["AUDIENCE", "PUBLISHED_PRIVATE_KEY", "browser_of", "ec_key", "rsa_key", "saml", "through_http"]


def browser_of(simulated: Simulated, agent: str = "ada@example.com", decision: str = "allow", **said: str) -> Browser:
    """A browser in which *agent* decides; *said* stands in for what really came back."""

    def decide(wish: Consent) -> Landing:
        redirect_uri = wish.redirect_uri.replace("127.0.0.1", "127.0.0.1:54321")
        asked = dict(parse_qsl(urlsplit(wish.url).query)) | {"redirect_uri": redirect_uri}
        url = f"{simulated.session.endpoints.login}/oauth/authorize"
        shown = simulated._handle(Request("GET", f"{url}?{urlencode(asked)}"))
        if shown.status == 400:
            return Landing(redirect_uri)
        if shown.status == 200:
            shown = simulated._handle(Request("POST", url, form=asked | {"agent": agent, "decision": decision}))
        back = shown.headers["location"]
        query = dict(parse_qsl(urlsplit(back).query)) | said
        return Landing(redirect_uri, query) if query["state"] == wish.state else Landing(redirect_uri, foreign=1)

    return decide


def through_http(agent: str = "ada@example.com", decision: str = "allow") -> Callable[[str], bool]:
    """Stand in for `webbrowser.open`: press the page's button, and follow where that leads."""

    def open_page(url: str) -> bool:
        with urllib.request.urlopen(url, timeout=60) as page:  # noqa: S310  # loopback
            hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.read().decode()))
        form = {name: value.replace("&amp;", "&") for name, value in hidden.items()}
        data = urlencode(form | {"agent": agent, "decision": decision}).encode()
        urllib.request.urlopen(url.partition("?")[0], data=data, timeout=60).close()  # noqa: S310
        return True

    return open_page


def saml(name: str = "ada@example.com", *, now: float, life: float = 300.0, audience: str = AUDIENCE) -> str:
    """A SAML2 response for somebody, as an identity provider makes it."""
    ends = datetime.fromtimestamp(now + life, UTC).isoformat()
    namespaces = 'xmlns="urn:oasis:names:tc:SAML:2.0:assertion" xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol"'
    response = (
        f"<p:Response {namespaces}>"
        '<p:Status><p:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></p:Status>'
        f'<Assertion><Subject><NameID>{name}</NameID></Subject><Conditions NotOnOrAfter="{ends}">'
        f"<AudienceRestriction><Audience>{audience}</Audience></AudienceRestriction></Conditions></Assertion>"
        "</p:Response>"
    )
    return base64.b64encode(response.encode()).decode()


@cache
def rsa_key(bits: int = 2048) -> str:
    """A private RSA key in PEM."""
    return RSAKey.generate_key(bits).as_pem(private=True).decode()


@cache
def ec_key(curve: str = "P-256") -> str:
    """A private key on a curve, in PEM."""
    return ECKey.generate_key(curve).as_pem(private=True).decode()
