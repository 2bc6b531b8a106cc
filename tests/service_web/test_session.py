"""A person's session: a cookie in place of a token, and whom it lets do what."""

from typing import Any

import pytest
import requests

from ringonce.service.access import Role
from ringonce.service.sessions import LIFE
from ringonce.service.web.pace import Pace
from ringonce.service.web.page import FILES
from service_web.conftest import CALL, Opening, Service

FORBIDDEN = ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", " style=", "@import", "url(")
PAGE = {"X-Ringonce-Page": "1"}


def port(service: Service) -> str:
    return service.url.rpartition(":")[2]


def signed_in(service: Service, token: str) -> requests.Session:
    session = requests.Session()
    headers = PAGE | {"Origin": service.url, "Sec-Fetch-Site": "same-origin"}
    answer = session.post(f"{service.url}/session", json={"token": token}, headers=headers, timeout=60)
    assert answer.status_code == 200
    return session


def place(service: Service, session: requests.Session, **headers: str) -> requests.Response:
    return session.post(f"{service.url}/v1/calls", json=CALL, headers=headers, timeout=60)


def test_the_cookie_stands_for_the_token_and_is_not_the_token(service: Service) -> None:
    session = signed_in(service, service.admin)
    cookie: Any = next(iter(session.cookies))

    assert cookie.name == f"ringonce_{port(service)}"
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert cookie.get_nonstandard_attr("SameSite") == "strict"
    assert service.admin not in str(cookie.value)
    who = session.get(f"{service.url}/session", timeout=60).json()
    assert (who["role"], who["name"]) == ("admin", "admin of the tests")
    assert place(service, session, Origin=service.url, **PAGE).status_code == 202
    entries = service.ask("GET", "/v1/audit").json()["entries"]
    assert [entry["what"] for entry in entries][-1:] == ["session.begun"]


def test_behind_tls_the_cookie_is_for_tls_alone(opening: Opening) -> None:
    service = opening(behind_tls=True)
    origin = service.url.replace("http:", "https:")
    answer = requests.post(
        f"{service.url}/session", json={"token": service.admin}, headers=PAGE | {"Origin": origin}, timeout=60
    )

    said = answer.headers["set-cookie"].lower()
    assert said.startswith("__host-ringonce=")
    assert "; secure" in said
    assert "; path=/" in said


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Origin": "http://evil.example"} | PAGE, id="another site"),
        pytest.param({"Sec-Fetch-Site": "cross-site"} | PAGE, id="another site, as the browser tells it"),
        pytest.param({"Origin": "http://127.0.0.1:1"} | PAGE, id="another port of this machine"),
        pytest.param({"Sec-Fetch-Site": "same-site"} | PAGE, id="another port, as the browser tells it"),
        pytest.param({"Sec-Fetch-Site": "none"} | PAGE, id="nobody's page"),
        pytest.param(PAGE, id="no browser"),
        pytest.param({"Sec-Fetch-Site": "same-origin"}, id="a form of this origin"),
        pytest.param({"Origin": "null"} | PAGE, id="a page in a frame without an origin"),
    ],
)
def test_what_no_page_of_the_server_s_own_has_sent_does_nothing(standing: Service, headers: dict[str, str]) -> None:
    session = signed_in(standing, standing.admin)

    answer = place(standing, session, **headers)

    assert answer.status_code == 403
    assert "own page" in answer.json()["detail"]
    assert standing.ask("GET", "/v1/calls").json()["calls"] == []


def test_a_page_of_another_origin_reads_nothing_with_the_cookie(standing: Service) -> None:
    session = signed_in(standing, standing.admin)

    answer = session.get(f"{standing.url}/v1/calls", headers={"Sec-Fetch-Site": "same-site"}, timeout=60)
    own = session.get(f"{standing.url}/v1/calls", headers={"Sec-Fetch-Site": "same-origin"}, timeout=60)

    assert (answer.status_code, own.status_code) == (403, 200)
    assert own.headers["cross-origin-resource-policy"] == "same-origin"


def test_a_bearer_is_asked_for_no_origin(service: Service) -> None:
    assert service.place("crm-1").status_code == 202


def test_a_token_that_is_sent_goes_before_the_cookie(standing: Service) -> None:
    session = signed_in(standing, standing.admin)

    viewer = {"Authorization": f"Bearer {standing.token(Role.VIEWER)}"}
    assert place(standing, session, Origin=standing.url, **(PAGE | viewer)).status_code == 403
    assert place(standing, session, Origin=standing.url, Authorization="Bearer ro_x", **PAGE).status_code == 401


def test_signing_out_ends_the_session_on_the_server(standing: Service) -> None:
    session = signed_in(standing, standing.admin)
    kept = dict(session.cookies)

    assert session.delete(f"{standing.url}/session", headers=PAGE | {"Origin": standing.url}, timeout=60).ok

    again = requests.get(f"{standing.url}/session", cookies=kept, timeout=60)
    assert again.status_code == 401
    assert "You are signed out" in again.json()["detail"]


def test_a_session_dies_with_its_token_and_after_a_shift(opening: Opening) -> None:
    service = opening()
    session = signed_in(service, service.token(Role.DIALER))
    late = signed_in(service, service.admin)
    (dialer,) = [one for one in service.ask("GET", "/v1/tokens").json()["tokens"] if one["role"] == "dialer"]

    service.ask("DELETE", f"/v1/tokens/{dialer['id']}")
    assert session.get(f"{service.url}/session", timeout=60).status_code == 401
    assert late.get(f"{service.url}/session", timeout=60).status_code == 200

    from ringonce.service.store.tables import sessions

    service.do(lambda db: db.execute(sessions.update().values(expires_at=sessions.c.expires_at - LIFE)))
    assert late.get(f"{service.url}/session", timeout=60).status_code == 401


def test_wrong_tokens_are_soon_not_looked_at_any_more(opening: Opening) -> None:
    service = opening(pace=Pace(clock=lambda: 90.0))
    headers = PAGE | {"Origin": service.url}

    def sign_in(token: str) -> Any:
        return requests.post(f"{service.url}/session", json={"token": token}, headers=headers, timeout=60)

    wrong = [sign_in(f"ro_guess{turn}").status_code for turn in range(11)]
    good = sign_in(service.admin)

    assert wrong == [401] * 10 + [429]
    assert (good.status_code, good.headers["retry-after"]) == (429, "30")


def test_a_sign_in_that_another_site_sends_is_refused(standing: Service) -> None:
    headers = PAGE | {"Origin": "http://evil.example"}

    answer = requests.post(f"{standing.url}/session", json={"token": standing.admin}, headers=headers, timeout=60)

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_every_file_of_the_page_is_served_safely_and_asked_for_once(standing: Service) -> None:
    for path in ("/", *(f"/page/{name}" for name in FILES)):
        first = requests.get(f"{standing.url}{path}", timeout=60)
        again = requests.get(f"{standing.url}{path}", headers={"If-None-Match": first.headers["etag"]}, timeout=60)

        assert first.status_code == 200
        assert "script-src 'self'" in first.headers["content-security-policy"]
        assert "unsafe" not in first.headers["content-security-policy"]
        assert first.headers["x-content-type-options"] == "nosniff"
        assert first.headers["referrer-policy"] == "no-referrer"
        assert first.headers["cache-control"] == "no-cache"
        assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("name", FILES)
def test_no_file_of_the_page_loads_anything_from_elsewhere_or_writes_markup(name: str) -> None:
    text = FILES[name].body.decode().replace("http://www.w3.org/2000/svg", "")

    assert "://" not in text
    assert [word for word in FORBIDDEN if word in text] == []
    assert name.endswith(".css") or len(text.splitlines()) < 400


def test_a_file_that_the_page_has_not_is_not_found(standing: Service) -> None:
    for path in ("/page/passwd", "/page/__init__.py", "/page/..%2f__init__.py"):
        assert requests.get(f"{standing.url}{path}", timeout=60).status_code == 404
