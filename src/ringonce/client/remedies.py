"""What each refusal of the platform means and what to do about it: one table, used by the errors, `check` and docs.

Codes and messages are those of the platform's published swagger and of official SDK models; `basis` says how well
each is established. What no source explains is marked so rather than guessed at.
"""

import fnmatch
from typing import Literal, NamedTuple

from ringonce.errors import ApiRefusal, NoAnswer, NotAuthenticated, NotFound, NotPermitted, RateLimited, RingonceError

Basis = Literal["documented", "reported", "undocumented"]
"""In an official artefact; seen by users or third parties; or the status is known and its causes are not."""

ROLES = (
    "give it to a role of the identity: for client credentials in Admin > Integrations > OAuth, the client's Roles; "
    "for a user in Admin > People & Permissions > Roles / Permissions"
)
OAUTH_CLIENT = "Admin > Integrations > OAuth"
SCOPES = f"add the scope that is named to the OAuth client in {OAUTH_CLIENT}, and have the agent sign in again"
NO_STATION = "have the agent choose a phone (station) in Genesys Cloud, or assign them a default phone in Admin"
OTHER_APP = (
    "have the agent open Genesys Cloud in a browser and switch on 'Placing calls with another app' "
    "in their own settings there: it is kept in that browser and no administrator can set it"
)
CALLER_ID = (
    "in Admin, under the organization's numbers: the caller id has to be provisioned and active, "
    "and assigned to the agent or allowed by a role of theirs"
)
WHOSE_CALL = "use the agent's own token or the application's, or name the agent whose token it is"
SUPPORT = "if it lasts, give the correlation id to the platform's support"
TOO_MANY = "wait for Retry-After; cache tokens, and follow calls by events instead of reads"
RETRY_LATER = "wait and try again; look at the Genesys Cloud status page"


class Remedy(NamedTuple):
    """One status and code, the error raised for it, what it means and what to do."""

    status: int
    code: str
    """The ErrorBody's code; empty for whatever comes with that status and no known code."""
    kind: type[RingonceError]
    means: str
    fix: str
    basis: Basis = "documented"


_PLACE = "check the id, and that the token belongs to the right organization and region"
_UPDATE = "read it again and repeat the change"
TABLE: tuple[Remedy, ...] = (
    # Statuses without a code that is known.
    Remedy(400, "", ApiRefusal, "the request can't be used", "correct what the message names; " + SUPPORT),
    Remedy(401, "", NotAuthenticated, "the token is not accepted", "get a new token, from this region's login host"),
    Remedy(403, "", NotPermitted, "the identity may not do this", "find out which permission it needs, and " + ROLES),
    Remedy(
        404,
        "",
        NotFound,
        "there is no such thing",
        _PLACE,
    ),
    Remedy(408, "", ApiRefusal, "the request arrived too slowly", "check the network, and try again"),
    Remedy(409, "", ApiRefusal, "it conflicts with the present state; why is not told", SUPPORT, "undocumented"),
    Remedy(413, "", ApiRefusal, "the request is too large", "send fewer or shorter attributes"),
    Remedy(415, "", ApiRefusal, "the request is not JSON", "look for a proxy that changes the content type"),
    Remedy(424, "", ApiRefusal, "a service behind the platform failed", RETRY_LATER),
    Remedy(429, "", RateLimited, "the quota of requests is spent", TOO_MANY),
    Remedy(500, "", NoAnswer, "the platform failed; it may have acted before", RETRY_LATER),
    Remedy(503, "", NoAnswer, "the platform is not available; it may have acted before", RETRY_LATER),
    Remedy(504, "", NoAnswer, "the platform ran out of time; it may have acted all the same", RETRY_LATER),
    # Any request.
    Remedy(
        400,
        "bad.request",
        ApiRefusal,
        "malformed request; users also report it for creates that succeed a moment later",
        "correct what the message names; " + SUPPORT,
    ),
    Remedy(400, "general.bad.request", ApiRefusal, "malformed request", "correct what the message names; " + SUPPORT),
    Remedy(400, "invalid.date", ApiRefusal, "a date is not ISO 8601", "write it like 2026-11-22T09:00:00.000Z"),
    Remedy(400, "invalid.value", ApiRefusal, "a value is outside what the field allows", "use one that is named"),
    Remedy(400, "required.field.missing", ApiRefusal, "a field is missing", "give the field that is named"),
    Remedy(400, "duplicate.name", ApiRefusal, "the name is taken", "choose another name"),
    Remedy(
        400,
        "not.a.user",
        ApiRefusal,
        "this needs a user's token, and client credentials stand for no user",
        "name the agent (calls/user/{userId}), or use a grant that stands for the agent: authorization code, SAML2",
    ),
    Remedy(401, "authentication.required", NotAuthenticated, "no token was sent", "give credentials or a token"),
    Remedy(
        401,
        "bad.credentials",
        NotAuthenticated,
        "the token is unknown: of another region, revoked, or mistyped",
        "get a new token, from this region's login host",
    ),
    Remedy(
        401,
        "credentials.expired",
        NotAuthenticated,
        "the token has expired",
        "get a new token; a ready-made one can't be renewed, a grant such as ClientCredentials renews itself",
        "reported",
    ),
    Remedy(
        401,
        "ip.not.authorized",
        NotAuthenticated,
        "this network address is not on the organization's list",
        "have an administrator add the address, or send from one that is on the list",
        "reported",
    ),
    Remedy(401, "unauthorized", NotAuthenticated, "the token is not accepted", "get a new token", "reported"),
    Remedy(403, "missing.permissions", NotPermitted, "all the permissions named are needed", ROLES),
    Remedy(403, "missing.any.permissions", NotPermitted, "one of the permissions named is needed", ROLES),
    Remedy(
        403,
        "missing.division.permission",
        NotPermitted,
        "the permission is there, but not for the division concerned",
        "give the role to the identity for that division as well",
        "reported",
    ),
    Remedy(
        403,
        "not.authorized",
        NotPermitted,
        "the identity may not do this",
        "find out which permission it needs, and " + ROLES,
    ),
    Remedy(
        403,
        "insufficient.scope",
        NotPermitted,
        "the token's scopes do not reach this; the sandbox says it so, the platform's own code is not documented",
        SCOPES,
        "undocumented",
    ),
    Remedy(404, "not.found", NotFound, "there is no such path", "check the base URL"),
    Remedy(404, "resource.not.found", NotFound, "there is no such queue, user, …", _PLACE),
    Remedy(404, "general.resource.not.found", NotFound, "there is no such user, …", _PLACE),
    Remedy(408, "client.timeout", ApiRefusal, "the request arrived too slowly", "check the network, and try again"),
    Remedy(409, "general.conflict", ApiRefusal, "it was changed meanwhile", _UPDATE),
    Remedy(413, "request.entity.too.large", ApiRefusal, "the request is too large", "send fewer or shorter attributes"),
    Remedy(415, "unsupported.media.type", ApiRefusal, "the request is not JSON", "look for a proxy that changes it"),
    Remedy(
        424, "externalservice.unexpectedresponsecode", ApiRefusal, "a service behind the platform failed", RETRY_LATER
    ),
    Remedy(429, "too.many.requests", RateLimited, "the quota of requests is spent", TOO_MANY),
    Remedy(429, "too.many.requests.retry.after", RateLimited, "the quota of requests is spent", TOO_MANY),
    Remedy(500, "internal.server.error", NoAnswer, "the platform failed; it may have acted before", RETRY_LATER),
    Remedy(503, "service.unavailable", NoAnswer, "the platform is not available", RETRY_LATER),
    Remedy(504, "request.timeout", NoAnswer, "the platform ran out of time; it may have acted", RETRY_LATER),
    Remedy(504, "authentication.request.timeout", NoAnswer, "checking the token took too long", RETRY_LATER),
    # Placing a call.
    Remedy(400, "conversation.error.no.user.station", ApiRefusal, "the agent has no phone to call from", NO_STATION),
    Remedy(
        400,
        "too.many.create.conversation.parameters",
        ApiRefusal,
        "more than one kind of destination was given",
        "give a number, a queue or a user, not several",
    ),
    Remedy(
        500,
        "providerapi.error.station.no.active.edge",
        NoAnswer,
        "no Edge serves the agent's phone",
        "have an administrator look at the site's Edges in Admin > Telephony, or choose another phone",
    ),
    Remedy(
        500,
        "providerapi.error.no.station.for.edge",
        NoAnswer,
        "the agent's phone has neither a primary nor a secondary Edge",
        "have an administrator assign the phone to a site with an Edge in Admin > Telephony",
    ),
    # Steering one.
    Remedy(
        404, "conversation.error.conversation.not.found", NotFound, "there is no such call", "check the conversation id"
    ),
    Remedy(
        404,
        "conversation.error.not.conversation.participant",
        NotFound,
        "the user is no participant of the call",
        "use the token of an agent who is on it",
    ),
    Remedy(
        403,
        "conversation.error.forbidden.not.active.participant",
        NotPermitted,
        "the identity has no live leg in the call",
        "use the token of an agent who is on it, or give the identity conversation:communication:disconnect",
    ),
    Remedy(
        400, "conversation.error.hold.alerting", ApiRefusal, "a ringing call can't be held", "wait until it is answered"
    ),
    Remedy(400, "conversation.error.call.disconnected", ApiRefusal, "the call has ended", "nothing is left to do"),
    Remedy(400, "conversation.error.cannot.confine.party", ApiRefusal, "the party can't be held", "read the call anew"),
    Remedy(
        400, "conversation.error.cannot.create.conference", ApiRefusal, "the calls can't be merged", "read them anew"
    ),
    Remedy(
        400,
        "conversation.error.cannot.merge.alerting.conference",
        ApiRefusal,
        "a ringing call can't be merged",
        "wait until it is answered",
    ),
    Remedy(400, "conversation.error.empty.conversation.list", ApiRefusal, "no calls to merge were named", "name them"),
    Remedy(
        400,
        "conversation.error.wrapup.code.required",
        ApiRefusal,
        "the queue requires a wrap-up code, and the agent stays in after-call work until one is given",
        "give one of the queue's codes",
    ),
    Remedy(400, "conversation.error.wrapup.cannot.skip", ApiRefusal, "wrap-up can't be skipped", "give a code"),
    Remedy(400, "communication.state.required", ApiRefusal, "no state was given", "send state: disconnected"),
    Remedy(400, "conversations.error.transfer.same.party", ApiRefusal, "that is who is on the call", "name another"),
    Remedy(400, "conversations.error.transfer.not.connected", ApiRefusal, "nobody has answered yet", "wait for that"),
    Remedy(
        400,
        "conversations.error.transfer.acd.call.unattended",
        ApiRefusal,
        "a queue's call can't be transferred unannounced to that party",
        "transfer it with a consultation, or to a queue",
    ),
    Remedy(400, "conversations.error.queue.not.found", ApiRefusal, "there is no such queue", "check its id"),
    Remedy(
        400,
        "conversation.error.consult.transfer.*",
        ApiRefusal,
        "the consultation can't be done in the call's present state",
        "read the call anew",
    ),
    Remedy(400, "not.a.participant", ApiRefusal, "the party to consult about is not on the call", "read the call anew"),
    Remedy(400, "object.participant.id.required", ApiRefusal, "no party was named", "name the customer's participant"),
    Remedy(
        400, "conversation.error.cannot.transfer.to.self", ApiRefusal, "agent and target are the same", "name another"
    ),
    Remedy(
        400,
        "conversation.error.callback.call.cannot.be.placed",
        ApiRefusal,
        "the callback can't be dialled in its present state",
        SUPPORT,
        "undocumented",
    ),
    Remedy(
        400,
        "conversation.error.participant.no.active.conversations",
        ApiRefusal,
        "the participant has no live conversation to dial from",
        "read the conversation anew",
    ),
    # Callbacks.
    Remedy(400, "callback.error.missing.callback.numbers", ApiRefusal, "no number to call back", "give one"),
    Remedy(400, "callback.error.missing.queue.id", ApiRefusal, "no queue for the callback", "give a queue"),
    Remedy(
        400,
        "callback.error.scheduled.time.too.far.in.future",
        ApiRefusal,
        "the callback is scheduled too far ahead",
        "choose an earlier time; the limit is not documented",
    ),
    # Around a call.
    Remedy(400, "max.user.ids", ApiRefusal, "more than 100 users were asked for", "ask for fewer at a time"),
    Remedy(409, "userservice.stationalreadyassociated", ApiRefusal, "somebody is on that phone", "choose another"),
    Remedy(503, "external.service.error", NoAnswer, "a service behind the platform failed", RETRY_LATER),
    Remedy(
        400,
        "notification.subscription.too.many.subscriptions",
        ApiRefusal,
        "the channel has as many topics as it can",
        "use another channel",
    ),
    Remedy(400, "notification.invalid.topic", ApiRefusal, "there is no such topic", "check its spelling"),
)
TUTORIAL: tuple[Remedy, ...] = (
    Remedy(
        400,
        "",
        ApiRefusal,
        "a number is not E.164, `from.id` is no user's, or `type` is not `pstn`",
        "write numbers like +15551234567, and check that the agent's id is a user's of this organization",
        "reported",
    ),
    Remedy(
        403,
        "",
        NotPermitted,
        "the caller id is not the organization's, not active or not the agent's; or the token is another user's",
        CALLER_ID + "; if the token is another user's: " + WHOSE_CALL,
        "reported",
    ),
)
"""What the tutorial's wire means by a status, where that differs."""
ENDINGS: tuple[tuple[str, str, str, str], ...] = (
    (
        "error.ininedgecontrol.connection.timeout",
        "agent_unreachable",
        "the agent's own phone never answered, so nothing was dialled",
        "have the agent answer; on a WebRTC phone " + OTHER_APP,
    ),
    (
        "error.ininedgecontrol.connection.dialplan.notReachable",
        "unroutable",
        "no dial plan entry leads to the number",
        "check the number; have an administrator look at the site's number plans and outbound routes",
    ),
)
"""A call that was taken and then failed by itself: errorInfo code, outcome, meaning, remedy (all reported by users)."""
_BY_CODE = {(one.status, one.code): one for one in reversed(TABLE)}
_ON_TUTORIAL = {one.status: one for one in TUTORIAL}
_SAYS_ENOUGH = frozenset(
    {"missing.permissions", "missing.any.permissions", "insufficient.scope", "conversation.error.no.user.station"}
)


def remedy(status: int, code: str, *, tutorial: bool = False) -> Remedy:
    """Give what is known of a refusal: by status and code, else by the code alone, else by the status."""
    if tutorial and status in _ON_TUTORIAL and code not in _SAYS_ENOUGH:
        return _ON_TUTORIAL[status]
    known = _BY_CODE.get((status, code)) if code else None
    if known is None and code:
        # The platform changes a code's status now and then; the code is the better witness.
        known = next((one for one in TABLE if one.code and fnmatch.fnmatchcase(code, one.code)), None)
    return known or _BY_CODE.get((status, "")) or _unheard_of(status, code)


def _unheard_of(status: int, code: str) -> Remedy:
    kind = ApiRefusal if 400 <= status < 500 else NoAnswer  # noqa: PLR2004  the meaning of 4xx
    return Remedy(status, code, kind, "no source tells what this means", SUPPORT, "undocumented")
