"""Webhooks go to public addresses only, whatever a name says the second time it is asked."""

import asyncio
import socket
from typing import Any

import pytest

from ringonce.errors import InvalidInput, NotFound
from ringonce.service import audit, hooks
from ringonce.service.hooks.addresses import PublicOnly, is_public
from ringonce.service.store import Store
from ringonce.service.vault import Vault
from service_hooks.conftest import receiving, serving

PRIVATE = [
    "127.0.0.1", "127.9.9.9", "0.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0",
    "fc00::1", "fd12::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b:1::1", "2002:7f00:1::", "2001:db8::1", "[::1]",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_public_is_none(address: str) -> None:
    assert is_public(address) is False


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "8.8.8.8", "2606:2800:21f::1", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_a_public_address_is_one(address: str) -> None:
    assert is_public(address) is True


@pytest.mark.parametrize("name", ["localhost", "example.com", "127.1", "0x7f.1", "2130706433"])
def test_what_is_no_plain_address_is_looked_up_first(name: str) -> None:
    assert is_public(name) is None


def leading_to(*addresses: str) -> Any:
    def lookup(host: str, port: int) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    return lookup


@pytest.mark.parametrize("found", [["127.0.0.1"], ["93.184.215.14", "127.0.0.1"]], ids=["private", "one of two"])
def test_a_name_that_leads_inside_is_not_connected_to(found: list[str], store: Store, vault: Vault) -> None:
    async def story() -> None:
        async with receiving() as receiver:
            resolver = PublicOnly(lookup=leading_to(*found))
            async with serving(store, vault, allow_private=False, resolver=resolver) as service:
                made = service.hook(receiver.url.replace("127.0.0.1", "inside.example.com"))
                service.happens()
                await service.deliver()
                assert "no public address" in service.stands(made).said
                assert receiver.got == []

    asyncio.run(story())


def test_what_a_name_leads_to_is_asked_once_and_that_is_connected_to(store: Store, vault: Vault) -> None:
    async def story() -> None:
        asked = []

        def lookup(host: str, port: int) -> list[tuple[Any, ...]]:
            asked.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

        async with receiving() as receiver:
            resolver = PublicOnly(allow_private=True, lookup=lookup)
            async with serving(store, vault, resolver=resolver) as service:
                service.hook(receiver.url.replace("127.0.0.1", "crm.example.com"))
                service.happens()
                await service.deliver()
                assert asked == ["crm.example.com"]
                assert len(receiver.got) == 1

    asyncio.run(story())


def test_an_address_that_got_into_the_table_another_way_is_not_connected_to(store: Store, vault: Vault) -> None:
    async def story() -> None:
        async with receiving() as receiver, serving(store, vault, allow_private=False) as service:
            made = service.hook(receiver.url)
            service.happens()
            await service.deliver()
            assert "private network" in service.stands(made).said
            assert receiver.got == []

    asyncio.run(story())


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://127.0.0.1/", "private network"),
        ("https://[::1]:8443/", "private network"),
        ("https://169.254.169.254/latest", "private network"),
        ("http://example.com/", "not encrypted"),
        ("ftp://example.com/", "no web address"),
        ("example.com", "no web address"),
        ("https://", "no web address"),
        ("https://example.com:99999/", "no web address"),
        ("https://exa mple.com/", "no web address"),
        ("https://ex\u00e4mple.com/", "no web address"),
        ("https://user:pw@example.com/", "has a user"),
        ("https://example.com/#x", "fragment"),
        ("https://example.com/" + "x" * 2000, "too long"),
    ],
)
def test_an_address_that_can_not_be_used_is_refused_with_the_reason(url: str, why: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        hooks.checked(url, allow_private=False)

    assert why in refused.value.why


def test_webhooks_are_listed_changed_and_removed_and_all_of_it_is_audited(store: Store, vault: Vault) -> None:
    with store.write() as db:
        made = hooks.make(db, vault, "https://example.com/x", ("call.changed",), by="tok_1")
        hooks.pause(db, made.hook.id, why="a holiday", by="tok_1")
        assert hooks.every(db)[0].paused == "a holiday"
    with store.write() as db:  # the pause is told by now, and skipped
        assert hooks.resume(db, made.hook.id, by="tok_1", skip=True).next_seq == 2
        hooks.remove(db, made.hook.id, by="tok_1")
        assert hooks.every(db) == []
        for act in (hooks.get, lambda db, one: hooks.remove(db, one, by="tok_1")):
            with pytest.raises(NotFound):
                act(db, made.hook.id)
        kinds = [one.what for one in audit.entries(db)]
    assert kinds == ["webhook.made", "webhook.paused", "webhook.resumed", "webhook.removed"]


def test_a_kind_that_is_none_and_one_webhook_too_many_are_refused(store: Store, vault: Vault) -> None:
    with store.write() as db:
        with pytest.raises(InvalidInput, match="no kind"):
            hooks.make(db, vault, "https://example.com/", ("everything",), by="tok_1")
        for _ in range(hooks.MOST):
            hooks.make(db, vault, "https://example.com/", by="tok_1")
        with pytest.raises(InvalidInput, match="100 webhooks"):
            hooks.make(db, vault, "https://example.com/", by="tok_1")
