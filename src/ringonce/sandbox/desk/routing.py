"""Queues, their members, and wrap-up codes."""

import fnmatch
from functools import partial

from ringonce.sandbox.desk.routes import Route
from ringonce.sandbox.desk.users import SINCE
from ringonce.sandbox.desk.visit import Answer, Visit, found
from ringonce.sandbox.org import Queue
from ringonce.sandbox.shapes import queues

VIEW = ("routing:queue:view",)


def some(visit: Visit) -> Answer:
    """Queues, by name if one is given: a `*` in it stands for anything, and case does not matter."""
    names = [each.lower() for each in visit.words("name")]
    ids = set(visit.words("id"))
    wanted = [
        each
        for each in visit.world.org.queues.values()
        if (not names or any(_named(each, name) for name in names)) and (not ids or each.id in ids)
    ]
    return 200, visit.listing(wanted, queues.queue, at_most=500)


def _named(queue: Queue, pattern: str) -> bool:
    # Only the asterisk is special on the platform; fnmatch would also read brackets and question marks.
    literal = pattern.replace("[", "[[]").replace("?", "[?]")
    return fnmatch.fnmatchcase(queue.name.lower(), literal)


def get(visit: Visit, queue_id: str) -> Answer:
    """One queue."""
    return 200, queues.queue(_queue(visit, queue_id))


def members(visit: Visit, queue_id: str) -> Answer:
    """The members of a queue."""
    queue = _queue(visit, queue_id)
    page = visit.listing(queue.member_ids, partial(queues.member, queue, visit.world.org, SINCE))
    # This listing does not count: the official SDK's model QueueMemberEntityListing has no totals.
    return 200, {key: value for key, value in page.items() if key not in {"total", "pageCount", "lastUri"}}


def queue_codes(visit: Visit, queue_id: str) -> Answer:
    """The wrap-up codes of a queue."""
    codes = visit.world.org.wrapup_codes
    mine = [codes[each] for each in _queue(visit, queue_id).wrapup_code_ids]
    return 200, visit.listing(mine, queues.wrapup_code)


def codes(visit: Visit) -> Answer:
    """All wrap-up codes."""
    return 200, visit.listing(list(visit.world.org.wrapup_codes.values()), queues.wrapup_code)


def code(visit: Visit, code_id: str) -> Answer:
    """One wrap-up code."""
    return 200, queues.wrapup_code(found(visit.world.org.wrapup_codes, code_id, "a wrap-up code"))


def _queue(visit: Visit, queue_id: str) -> Queue:
    return found(visit.world.org.queues, queue_id, "a queue")


ROUTES = [
    Route("GET", "/routing/queues", some, any_of=VIEW),
    Route("GET", "/routing/queues/{queueId}", get, any_of=VIEW),
    Route("GET", "/routing/queues/{queueId}/members", members, any_of=VIEW),
    Route("GET", "/routing/queues/{queueId}/wrapupcodes", queue_codes, any_of=VIEW),
    Route("GET", "/routing/wrapupcodes", codes),
    Route("GET", "/routing/wrapupcodes/{codeId}", code),
]
