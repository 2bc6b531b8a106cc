"""Whatever is sent, the desk has an answer."""

import json
import string

from hypothesis import given, settings
from hypothesis import strategies as st

from ringonce.sandbox.default_org import ADA
from ringonce.sandbox.desk import TABLE, Desk
from ringonce.sandbox.dice import named
from ringonce.sandbox.http import Request
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
