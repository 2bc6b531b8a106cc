"""The board: the latest truth about every call that is being watched, and a count that says when it changed.

Events and reads are put on it; flows look at it. A follower compares counts, so a slow one gets the latest truth
and never a backlog, and costs the others nothing.
"""

from collections.abc import Iterator

from ringonce.client.fold import Facts
from ringonce.client.snapshots import Snapshot

KEPT = 20_000
"""Conversations kept at the most; the longest known ended ones leave first."""


class Board:
    """Facts by conversation, conversations by agent, and a count for each of both."""

    def __init__(self) -> None:
        self._facts: dict[str, Facts] = {}
        self._counts: dict[str, int] = {}
        self._by_agent: dict[str, dict[str, None]] = {}
        self._claimed: dict[str, int] = {}
        self.gaps = 0
        """How often the event stream was (re)opened: what happened between two openings was not seen."""

    def count(self, key: str) -> int:
        """How often something changed for *key*, a conversation's or an agent's id."""
        return self._counts.get(key, 0)

    def facts(self, conversation_id: str) -> Facts:
        """Give what is known of a conversation; nothing yet, if it is new."""
        facts = self._facts.get(conversation_id)
        if facts is None:
            self._make_room()
            facts = self._facts[conversation_id] = Facts(conversation_id)
        return facts

    def take(self, snapshot: Snapshot, agent_id: str = "") -> tuple[str, ...]:
        """Put up one observation; give the keys whose count rose."""
        facts = self.facts(snapshot.conversation_id)
        owners = {leg.user_id for leg in snapshot.legs if leg.user_id} | ({agent_id} if agent_id else set())
        for owner in owners:
            self._by_agent.setdefault(owner, {})[snapshot.conversation_id] = None
        settled = facts.settled
        if not facts.absorb(snapshot) and facts.settled == settled:
            return ()
        keys = (snapshot.conversation_id, *owners)
        for key in keys:
            self._counts[key] = self.count(key) + 1
        return keys

    def settled(self, conversation_id: str) -> bool:
        """Say whether a conversation is known to its very end."""
        facts = self._facts.get(conversation_id)
        return facts is not None and facts.settled

    def of_agent(self, agent_id: str) -> Iterator[Facts]:
        """Give the conversations that an agent was seen in, in the order they were first seen."""
        return (self._facts[one] for one in self._by_agent.get(agent_id, ()) if one in self._facts)

    def claim(self, conversation_id: str) -> None:
        """Mark a conversation as an intent's, watched since before its create left."""
        self._claimed[conversation_id] = self.gaps

    def claimed(self, conversation_id: str) -> bool:
        """Say whether the conversation is an intent's."""
        return conversation_id in self._claimed

    def seen_whole(self, conversation_id: str) -> bool:
        """Say whether the event stream has been open since before the conversation began."""
        return self._claimed.get(conversation_id) == self.gaps

    def _make_room(self) -> None:
        if len(self._facts) < KEPT:
            return
        gone = [one for one, facts in self._facts.items() if facts.settled][: KEPT // 4]
        for one in gone:
            del self._facts[one]
            self._counts.pop(one, None)
            self._claimed.pop(one, None)
        for mine in self._by_agent.values():
            for one in gone:
                mine.pop(one, None)
