"""Tokens say who may do what, and the audit log says who did."""

import pytest
import sqlalchemy as sa

from ringonce.errors import InvalidInput
from ringonce.service import access, audit
from ringonce.service.access import Role
from ringonce.service.store import Store, tables


def test_a_token_is_known_by_its_secret_which_is_kept_nowhere(store: Store) -> None:
    with store.write() as db:
        issued = access.issue(db, "crm", Role.DIALER)

    with store.read() as db:
        assert access.bearer(db, issued.secret) == issued.token
        assert access.bearer(db, issued.secret + "x") is None
        kept = [str(row) for table in tables.metadata.tables.values() for row in db.execute(table.select())]
    assert not any(issued.secret in row for row in kept)
    assert issued.secret not in repr(issued)


def test_a_revoked_token_is_nobodys(store: Store) -> None:
    with store.write() as db:
        issued = access.issue(db, "crm", Role.ADMIN)
        assert access.revoke(db, issued.token.id)
        assert not access.revoke(db, issued.token.id)

    with store.read() as db:
        assert access.bearer(db, issued.secret) is None
        assert [token.revoked_at is not None for token in access.every(db)] == [True]


def test_a_dialer_calls_for_its_own_agents_only(store: Store) -> None:
    with store.write() as db:
        mine = access.issue(db, "crm", Role.DIALER, ("Ada@Example.com",)).token
        anybody = access.issue(db, "batch", Role.DIALER).token
        looking = access.issue(db, "wallboard", Role.VIEWER).token

    assert mine.may_call_for("ada@example.com", "some-id")
    assert not mine.may_call_for("grace@example.com", "")
    assert anybody.may_call_for("grace@example.com")
    assert not looking.may_call_for("ada@example.com")


def test_a_token_without_a_name_or_with_agents_it_can_not_have_is_refused(store: Store) -> None:
    with store.write() as db:
        with pytest.raises(InvalidInput, match="name"):
            access.issue(db, " ", Role.ADMIN)
        with pytest.raises(InvalidInput, match="agents"):
            access.issue(db, "x", Role.VIEWER, ("ada@example.com",))


def noted(store: Store, count: int = 5) -> None:
    for number in range(count):
        with store.write() as db:
            audit.note(db, "tok_1", "call.cancelled", f"call_{number}", reason="wrong number")


def test_a_chain_that_nobody_touched_holds(store: Store) -> None:
    noted(store)

    with store.read() as db:
        assert audit.verify(db) == (5, None)
        assert [entry.seq for entry in audit.entries(db, after=2, limit=2)] == [3, 4]


@pytest.mark.parametrize(
    "tamper",
    [
        tables.audit.update().where(tables.audit.c.seq == 3).values(who="somebody else"),
        tables.audit.update().where(tables.audit.c.seq == 3).values(at=1.0),
        tables.audit.delete().where(tables.audit.c.seq == 3),
    ],
    ids=["another name", "another time", "an entry gone"],
)
def test_a_change_in_the_middle_shows_where_it_was_made(store: Store, tamper: sa.Executable) -> None:
    noted(store)
    with store.write() as db:
        db.execute(tamper)

    with store.read() as db:
        held, broken = audit.verify(db)

    assert held == 2
    assert broken is not None
    assert broken.seq == 3
