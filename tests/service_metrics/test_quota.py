"""How much of each token's quota is spent, for whoever watches the service; no token and no whole mark of one."""

from ringonce.ledger import Meter
from ringonce.ledger.sql import SqlLedger
from ringonce.service.metrics import Requests, page
from ringonce.service.store import Store

NOW = 1_800_000_000.0
PLATFORM = "https://api.mypurecloud.com"


def spent(store: Store, token: str, taken: int, ends: float, waits_until: float = 0.0) -> None:
    meter = Meter(allowed=300, taken=taken, began=ends - 60, ends=ends, known=True, dials_until=waits_until)
    SqlLedger(store.engine).meter(PLATFORM, token, lambda _: (meter, None))


def told(store: Store) -> list[str]:
    with store.read() as db:
        lines = page(db, Requests(), NOW).decode().splitlines()
    return [line.partition("{")[0] + line.rpartition("}")[2] for line in lines if line.startswith("ringonce_quota")]


def test_used_allowed_and_whether_calls_wait_are_told_of_each_token(store: Store) -> None:
    spent(store, "the service's", 299, NOW + 30, waits_until=NOW + 10)
    spent(store, "an agent's", 3, NOW + 30)
    spent(store, "of a minute that is over", 300, NOW - 1)

    assert told(store) == [
        "ringonce_quota_allowed 300.0",
        "ringonce_quota_allowed 300.0",
        "ringonce_quota_used 299.0",
        "ringonce_quota_used 3.0",
        "ringonce_quota_waiting 1.0",
        "ringonce_quota_waiting 0.0",
    ]
