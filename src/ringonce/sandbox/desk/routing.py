"""Queues, their members, and wrap-up codes."""

import fnmatch
from functools import partial

from ringonce.sandbox.desk.routes import Route
from ringonce.sandbox.desk.users import MANAGE_MEMBERS, Membership
from ringonce.sandbox.desk.visit import Answer, Visit, found
from ringonce.sandbox.org import Queue
from ringonce.sandbox.shapes import queues
from ringonce.sandbox.shapes.problems import invalid_value, missing_permission, not_found

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
    wanted.sort(key=lambda each: each.name.lower(), reverse=visit.request.query.get("sortOrder", "").lower() == "desc")
    return 200, visit.listing(wanted, partial(queues.queue, directory=visit.world.directory), at_most=500)


def _named(queue: Queue, pattern: str) -> bool:
    # Only the asterisk is special on the platform; fnmatch would also read brackets and question marks.
    literal = pattern.replace("[", "[[]").replace("?", "[?]")
    return fnmatch.fnmatchcase(queue.name.lower(), literal)


def get(visit: Visit, queue_id: str) -> Answer:
    """One queue."""
    return 200, queues.queue(_queue(visit, queue_id), visit.world.directory)


def members(visit: Visit, queue_id: str) -> Answer:
    """The members of a queue, by name, status or whether they have joined, if that is asked for."""
    queue, world = _queue(visit, queue_id), visit.world
    name, joined = visit.request.query.get("name", "").lower(), visit.flag("joined")
    statuses, by = set(visit.words("routingStatus")), visit.request.query.get("memberBy", "user")
    if by not in {"user", "group"}:
        raise invalid_value("memberBy", by, ("user", "group"))

    def wanted(user_id: str) -> bool:
        return (
            by == "user"
            and name in world.org.users[user_id].name.lower()
            and joined in {None, world.directory.joined(queue_id, user_id)}
            and (not statuses or world.directory.seat(user_id).status in statuses)
        )

    mine = [each for each in queue.member_ids if wanted(each)]
    expand = visit.words("expand")
    page = visit.listing(mine, lambda each: queues.member(queue, each, world.org, world.directory, expand))
    # This listing does not count: the official SDK's model QueueMemberEntityListing has no totals.
    return 200, {key: value for key, value in page.items() if key not in {"total", "pageCount", "lastUri"}}


def change_member(visit: Visit, queue_id: str, member_id: str) -> Answer:
    """Let a member take a queue's work, or no longer."""
    queue = _queue(visit, queue_id)
    if visit.token.user_id != member_id and not visit.token.allows((MANAGE_MEMBERS,)):
        raise missing_permission(MANAGE_MEMBERS)
    if member_id not in queue.member_ids:
        raise not_found(f"User {member_id} is no member of the queue {queue_id}.")
    asked = visit.read(Membership)
    if asked.joined is not None:
        visit.world.directory.join(queue_id, member_id, joined=asked.joined)
    return 202, None


def queue_codes(visit: Visit, queue_id: str) -> Answer:
    """The wrap-up codes of a queue."""
    codes = visit.world.org.wrapup_codes
    mine = [codes[each] for each in _queue(visit, queue_id).wrapup_code_ids]
    return 200, visit.listing(mine, queues.wrapup_code)


def codes(visit: Visit) -> Answer:
    """All wrap-up codes, by name or id if they are given."""
    name, ids = visit.request.query.get("name", "").strip("*").lower(), set(visit.words("id"))
    known = visit.world.org.wrapup_codes.values()
    wanted = [each for each in known if name in each.name.lower() and (not ids or each.id in ids)]
    return 200, visit.listing(wanted, queues.wrapup_code, at_most=500)


def code(visit: Visit, code_id: str) -> Answer:
    """One wrap-up code."""
    return 200, queues.wrapup_code(found(visit.world.org.wrapup_codes, code_id, "a wrap-up code"))


def _queue(visit: Visit, queue_id: str) -> Queue:
    return found(visit.world.org.queues, queue_id, "a queue")


ROUTES = [
    Route("GET", "/routing/queues", some, any_of=VIEW),
    Route("GET", "/routing/queues/{queueId}", get, any_of=VIEW),
    Route("GET", "/routing/queues/{queueId}/members", members, any_of=VIEW),
    Route("PATCH", "/routing/queues/{queueId}/members/{memberId}", change_member),
    Route("GET", "/routing/queues/{queueId}/wrapupcodes", queue_codes, any_of=VIEW),
    Route("GET", "/routing/wrapupcodes", codes),
    Route("GET", "/routing/wrapupcodes/{codeId}", code),
]
