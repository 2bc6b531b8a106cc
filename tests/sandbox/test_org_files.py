"""Org files: what they say is there, what they leave out is not, and whatever is wrong is named by its path."""

import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ringonce.sandbox.default_org import default_org
from ringonce.sandbox.desk import Desk
from ringonce.sandbox.org_file import parse_org, read_org, write_org
from ringonce.sandbox.trouble import SandboxError
from ringonce.sandbox.world import World
from sandbox.conftest import NOON, Asker

SMALL = """
name = "Small"
rate_limit = 0

[[roles]]
name = "Agent"
permissions = ["conversation:call:add", "conversation:communication:view"]

[[stations]]
name = "Web"
type = "inin_webrtc_softphone"
web_rtc_user = "kim@example.com"

[[users]]
name = "Kim"
email = "kim@example.com"
station = "Web"
roles = ["Agent"]

[[wrapup_codes]]
name = "Sold"

[[queues]]
name = "Sales"
members = ["kim@example.com"]
wrapup_codes = ["Sold"]
calling_party_number = "+15550001111"

[[numbers]]
number = "+15550001111"
owner = "kim@example.com"

[[clients]]
id = "mine"
secret = "not-secret"
name = "Mine"
roles = ["Agent"]

[[callees]]
number = "+1 555 987 0002"
answers = 1
hangs_up = 2.5

[[callees]]
number = "+15559871234"
refuses = 3
sip = 404
phrase = "Not Found"
"""


def test_the_default_org_written_and_read_again_is_the_default_org() -> None:
    org = default_org(agents=3)

    assert parse_org(write_org(org)) == org


def test_a_file_written_from_a_file_reads_the_same() -> None:
    org = parse_org(SMALL)

    assert parse_org(write_org(org)) == org


def test_an_org_is_what_its_file_says() -> None:
    org = parse_org(SMALL, agents=2)

    kim = org.user_of("kim@example.com")
    assert kim is not None
    assert [each.email for each in org.users.values()] == [
        "kim@example.com",
        "agent-00001@example.com",
        "agent-00002@example.com",
    ]
    assert World(now=NOON, org=org).directory.holder_of(str(kim.station_id)) == kim
    assert org.rate_limit is None
    assert [queue.member_ids for queue in org.queues.values()] == [(kim.id,)]
    assert {user.roles[0].name for user in org.users.values()} == {"Agent"}


@pytest.mark.parametrize(("to", "state"), [("+15559870002", "connected"), ("+15559871234", "disconnected")])
def test_a_scripted_callee_does_as_scripted_whatever_its_digits_say(to: str, state: str) -> None:
    org = parse_org(SMALL)
    world = World(now=NOON, seed=7, org=org)
    ask = Asker(Desk(world), world.tokens.issue(world.clients["mine"]).value)
    kim = next(iter(org.users))
    status, placed = ask("POST", f"/conversations/calls/user/{kim}", {"phoneNumber": to})
    assert status == 202
    world.advance(NOON + (3.5 if state == "connected" else 5))

    leg = ask("GET", f"/conversations/{placed['id']}")[1]["participants"][-1]["calls"][0]

    assert leg["state"] in {state, "terminated"}
    if state == "disconnected":
        assert leg["disconnectReasons"] == [{"type": "sip", "code": 404, "phrase": "Not Found"}]


USER = '[[users]]\nname = "A"\nemail = "a@example.com"\n'
OTHER = '[[users]]\nname = "B"\nemail = "b@example.com"\n'
CLIENT = '[[clients]]\nid = "c"\nsecret = "s"\nname = "C"\n'
STATION = '[[stations]]\nname = "W"\ntype = "inin_remote"\n'


@pytest.mark.parametrize(
    ("text", "path", "why"),
    [
        ("colour = 1", "colour", "there are id, name"),
        ("nam = 'x'", "nam", "did you mean name?"),
        ("users = 3", "users", "each begun by [[users]]"),
        ("users = [3]", "users[0]", "it must be a table"),
        ("rate_limit = 'x'", "rate_limit", "it must be a whole number, not text"),
        ("rate_limit = -1", "rate_limit", "0 lifts the limit"),
        ("main_number = '5'", "main_number", "E.164"),
        (USER + "staton = 'x'", "users[0].staton", "did you mean station?"),
        (USER + USER, "users[1].email", "each entry needs another email"),
        (USER + 'station = "x"', "users[0].station", "no entry of [[stations]] has the id or name 'x'"),
        (USER + 'roles = ["x"]', "users[0].roles[0]", "no entry of [[roles]]"),
        (USER + 'roles = "x"', "users[0].roles", "it must be a list, not text"),
        (USER + "caller_id = '12'", "users[0].caller_id", "E.164"),
        (USER + "state = 'gone'", "users[0].state", "none of active, inactive, deleted"),
        (USER + "title = 5", "users[0].title", "it must be text, not a whole number"),
        ('[[users]]\nname = "A"', "users[0].email", "it is missing"),
        (f'{STATION}{USER}station = "W"\n{OTHER}station = "W"', "users[1].station", "A is on that station"),
        (STATION + "auto_answer = 1", "stations[0].auto_answer", "it must be true or false"),
        (f'{STATION}{STATION}id = "2"\n{USER}station = "W"', "users[0].station", "give the id"),
        ('[[clients]]\nid = "a"\nname = "b"', "clients[0].secret", "it is missing"),
        ('[[clients]]\nid = "a"\nsecret = "s"\nname = "b"\ngrants = ["x"]', "clients[0].grants[0]", "'x' is none of"),
        (
            '[[clients]]\nid = "a"\nsecret = "s"\nname = "b"\nredirect_uris = ["ftp://x"]',
            "clients[0].redirect_uris[0]",
            "it must be https",
        ),
        (
            '[[clients]]\nid = "a"\nsecret = "s"\nname = "b"\ntoken_lifetime = true',
            "clients[0].token_lifetime",
            "true and false",
        ),
        ('[[clients]]\nid = "a"\nsecret = "s"\nname = "b"\npublic_key = "x"', "clients[0].public_key", "no public key"),
        ('[[callees]]\nnumber = "+15551234567"\nanswers = -1', "callees[0].answers", "from 0 to 86400"),
        ('[[callees]]\nnumber = "+15551234567"\nanswers = nan', "callees[0].answers", "from 0 to 86400"),
        ('[[callees]]\nnumber = "+15551234567"\nsip = 486', "callees[0].sip", "only with refuses"),
        ('[[callees]]\nnumber = "+15551234567"\nrefuses = 1\nsip = 200', "callees[0].sip", "from 400 to 699"),
        ('[[callees]]\nnumber = "+15551234567"\nrefuses = 1\nanswers = 1', "callees[0]", "exclude each other"),
        ('[[stations]]\nname = "W"\ntype = "telephone"', "stations[0].type", "none of inin_webrtc_softphone"),
        (USER + 'routing_status = "FOO"', "users[0].routing_status", "none of OFF_QUEUE"),
        (USER + 'routing_status = "INTERACTING"', "users[0].routing_status", "none of OFF_QUEUE, IDLE, NOT_RESPONDING"),
        (f"{USER}{USER.replace('a@', 'A@')}", "users[1].email", "another user's already"),
        (f'{USER}id = "1"\n{USER}id = "2"', "users[1].email", "another user's already"),
        ('[did_pool]\nfirst = "+15551239999"\nlast = "+15551230000"', "did_pool.last", "before the first number"),
        (
            '[[callees]]\nnumber = "+15551234567"\nanswers = 1\nhangs_up = 1\ndrops = 1',
            "callees[0].drops",
            "exclude each other",
        ),
        (USER + 'id = "../../etc"', "users[0].id", "is no id"),
        ('id = "a b"', "id", "is no id"),
        ('[[queues]]\nname = "Q"\nwrapup_timeout = -1', "queues[0].wrapup_timeout", "from 0 to 86400"),
        ('[[callees]]\nnumber = "hello"', "callees[0].number", "E.164"),
        ('[[callees]]\nnumber = "+15551234567"\nrefuses = 1\nhangs_up = 5', "callees[0].hangs_up", "refuses"),
        ('[[roles]]\nname = "R"\npermissions = ["a:b:c", "x"]', "roles[0].permissions[1]", "no permission"),
        ('[[roles]]\nname = "R"\npermissions = ["a:b:c", 5]', "roles[0].permissions[1]", "text, not a whole number"),
        (CLIENT + CLIENT, "clients[1].id", "'c' is taken; each entry needs another"),
        ("rate_limit = 1" + "0" * 30, "rate_limit", "up to 1000000000"),
        ("rate_limit = 1" + "0" * 5_000, "it is no TOML", "thousands of digits"),
        ('[did_pool]\nfirst = "1"\nlast = "+15551239999"\ncomments = ""', "did_pool.first", "E.164"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(text: str, path: str, why: str) -> None:
    with pytest.raises(SandboxError) as refused:
        parse_org(text)

    assert refused.value.what.partition(": ")[2] == path
    assert why in refused.value.why


@pytest.mark.parametrize("raw", [b"users = [", b"\xff\xfe", b"[" * 50_000], ids=["half", "no text", "deep"])
def test_what_is_no_toml_is_refused(tmp_path: Path, raw: bytes) -> None:
    file = tmp_path / "org.toml"
    file.write_bytes(raw)

    with pytest.raises(SandboxError):
        read_org(file)


def test_a_file_that_begins_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    file = tmp_path / "org.toml"
    file.write_bytes(b"\xef\xbb\xbf" + b'name = "Small Org"')

    assert read_org(file).name == "Small Org"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=r"gone\.toml.*no such file"):
        read_org(tmp_path / "gone.toml")


def test_an_empty_file_is_an_org_with_nothing_in_it() -> None:
    org = parse_org("")

    assert (org.users, org.clients, org.queues) == ({}, {}, {})


def test_an_org_file_keeps_every_character() -> None:
    org = parse_org('name = "a\\"b\\\\c\\nd\\u007fé\U0001f600"')

    told: dict[str, Any] = tomllib.loads(write_org(org))
    assert told["name"] == org.name == 'a"b\\c\nd\x7fé\U0001f600'
    assert msgspec.json.encode(org.name)
