"""Whatever is sent, the desk has an answer."""

import json
import string
from urllib.parse import urlencode

from hypothesis import given, settings
from hypothesis import strategies as st

from ringonce.sandbox.default_org import ADA
from ringonce.sandbox.desk import TABLE, Desk
from ringonce.sandbox.dice import named
from ringonce.sandbox.http import Request
from ringonce.sandbox.org import GRANTS
from ringonce.sandbox.world import World

GRACE, SALES = named("user/grace"), named("queue/sales")
WORDS = st.text(string.printable, max_size=12)
BODIES = st.one_of(
    st.binary(max_size=40),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "phoneNumber",
                        "participants",
                        "attributes",
                        "state",
                        "held",
                        "query",
                        "id",
                        "from",
                        "to",
                        "type",
                        "wrapup",
                        "interval",
                        "segmentFilters",
                        "digits",
                        "userId",
                        "transferType",
                        "externalTag",
                    ]
                )
                | WORDS,
                inner,
                max_size=4,
            )
        ),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode()),
)
FUZZED = World(now=0.0)
FUZZED.rate_limit = None
FUZZED_DESK = Desk(FUZZED)


@settings(deadline=None)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "BREW"]),
    template=st.sampled_from(sorted(TABLE.templates)) | WORDS,
    values=st.lists(st.sampled_from([ADA, GRACE, SALES]) | WORDS, min_size=4, max_size=4),
    query=st.dictionaries(st.sampled_from(["pageSize", "pageNumber", "interval", "id", "type", "expand"]), WORDS),
    body=BODIES,
)
def test_no_request_is_too_strange_for_an_answer(
    method: str, template: str, values: list[str], query: dict[str, str], body: bytes
) -> None:
    for value in values:
        head, brace, rest = template.partition("{")
        template = head + value + rest.partition("}")[2] if brace else head
    headers = {"authorization": f"Bearer {FUZZED.issue_user_token(ADA)}"}

    reply = FUZZED_DESK.handle(Request(method, f"/api/v2{template}", query, headers, body))
    FUZZED.advance(FUZZED.now + 1)

    assert 200 <= reply.status < 500
    assert reply.body == b"" or json.loads(reply.body) is not ...


FIELDS = """
    client_id redirect_uri response_type state scope login_hint agent decision code_challenge code_challenge_method
    grant_type code code_verifier refresh_token orgName assertion
"""
ASKED = st.dictionaries(
    st.sampled_from(FIELDS.split()),
    st.sampled_from(["your_client_id", "your_org_id", "http://127.0.0.1:1/callback", "code", "S256", "x" * 43, ADA])
    | st.sampled_from(["e30.e30.e30", "PGE-PC9hPg==", "users", *GRANTS])
    | WORDS
    | st.text(max_size=8),
)


@settings(deadline=None)
@given(
    method=st.sampled_from(["GET", "POST", "PUT"]),
    path=st.sampled_from(["/oauth/token", "/oauth/authorize", "/x/oauth/authorize", "/oauth/"]),
    query=ASKED,
    form=ASKED | st.binary(max_size=20),
    authorization=st.sampled_from(["", "Basic eW91cl9jbGllbnRfaWQ6eW91cl9jbGllbnRfc2VjcmV0", "Basic x"]) | WORDS,
)
def test_no_sign_in_is_too_strange_for_an_answer(
    method: str, path: str, query: dict[str, str], form: dict[str, str] | bytes, authorization: str
) -> None:
    body = form if isinstance(form, bytes) else urlencode(form, errors="replace").encode()

    reply = FUZZED_DESK.handle(Request(method, path, query, {"authorization": authorization, "host": "h"}, body))

    assert 200 <= reply.status < 500
    for _, value in reply.headers:
        assert value.isprintable()
        value.encode("latin-1")
