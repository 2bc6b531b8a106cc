"""Saying how the quota of a token stands."""

from ringonce.client.flows import directory, identity
from ringonce.client.flows.exchange import exchange, token_for
from ringonce.client.flows.session import Session
from ringonce.client.quota import UNTOLD, Quota
from ringonce.client.wishes import Flow, Gauge, Lane, Request


def quota(session: Session, called: str) -> Flow[Quota]:
    """Give the quota of the client's token, or of the own one that the agent *called* so places calls with.

    Where nothing is known of it yet, one read is sent, since each answer tells.
    """
    acts = ""
    if called:
        agent_id = yield from directory.agent_id(session, called)
        acts = yield from identity.acting(session, called, agent_id)
    request = Request("GET", session.url("/tokens/me"))
    found: Quota | None = yield Gauge((yield from token_for(request, agent=acts)))
    if found is None:
        yield from exchange(request, agent=acts, lane=Lane.URGENT)
        # Another token may have taken the place of the first.
        found = yield Gauge((yield from token_for(request, agent=acts)))
    return found or UNTOLD
