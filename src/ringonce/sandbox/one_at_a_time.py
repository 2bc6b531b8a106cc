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
        """A conversation has changed: whoever has just begun to talk in it stops talking elsewhere."""
        for leg in conversation.participants:
            if not (leg.user_id and leg.state == "connected" and talks(leg)):
                continue
            before = self._talking.get(leg.user_id)
            self._talking[leg.user_id] = conversation, leg
            if before is not None and before[0] is not conversation and talks(before[1]):
                self._put_on_hold(*before)

    def _put_on_hold(self, conversation: Conversation, leg: Participant) -> None:
        leg.hold(True, self._agenda.stamp)
        for other in conversation.live():
            if other is not leg:
                other.confined = True
        self._changed(conversation)


def talks(leg: Participant) -> bool:
    """Whether a leg hears and is heard."""
    return leg.state == "connected" and leg.callback is None and not leg.held and not leg.confined
