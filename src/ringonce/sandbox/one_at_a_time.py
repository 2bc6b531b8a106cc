"""An agent talks to one party at a time: whoever makes or takes another call puts the one before on hold."""

from collections.abc import Callable

from ringonce.sandbox.agenda import Agenda
from ringonce.sandbox.conversation import Conversation, Participant


class OneAtATime:
    """Remembers in which conversation each user talks. *changed* hears of the conversations that go on hold."""

    _talking: dict[str, tuple[Conversation, Participant]]

    def __init__(self, agenda: Agenda, changed: Callable[[Conversation], None]) -> None:
        self._agenda = agenda
        self._changed = changed
        self._talking = {}

    def note(self, conversation: Conversation) -> None:
        """A conversation has changed: whoever has just come into it puts the one before on hold."""
        for leg in conversation.participants:
            if not (leg.user_id and is_on(leg)):
                continue
            before = self._talking.get(leg.user_id)
            self._talking[leg.user_id] = conversation, leg
            if before is not None and before[0] is not conversation and is_on(before[1]):
                self._put_on_hold(*before)

    def _put_on_hold(self, conversation: Conversation, leg: Participant) -> None:
        leg.hold(True, self._agenda.stamp)
        conversation.confine_by(leg)
        self._changed(conversation)


def is_on(leg: Participant) -> bool:
    """Whether its user is in this call and not in another; also while somebody else keeps them on hold."""
    return leg.state == "connected" and leg.callback is None and not leg.held
