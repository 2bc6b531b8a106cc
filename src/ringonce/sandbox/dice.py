"""Seeded chance: the same seed deals the same ids, tokens and misfortunes."""

import operator
import random
import uuid

_PARTS = operator.itemgetter(slice(8), slice(8, 12), slice(13, 16), slice(17, 20), slice(20, None))


class Dice:
    """Everything random in the sandbox comes from here."""

    rolls: random.Random

    def __init__(self, seed: int | str) -> None:
        # A replayable world needs a seeded generator, and it guards no secret.
        self.rolls = random.Random(seed)  # noqa: S311

    def uuid(self) -> str:
        """A UUID of version 4, as the platform's conversation and participant ids are."""
        bits = self.rolls.getrandbits(128)
        first, second, third, fourth, last = _PARTS(bits.to_bytes(16, "big").hex())
        return f"{first}-{second}-4{third}-{'89ab'[bits & 3]}{fourth}-{last}"

    def token(self) -> str:
        """An opaque word, long enough to look like an access token."""
        return f"{self.rolls.getrandbits(64 * 4):064x}"

    def falls(self, share: float) -> bool:
        """Say whether something that happens in *share* (0 to 1) of all cases happens now."""
        return share > 0 and self.rolls.random() < share


def named(name: str) -> str:
    """The id of a thing that every sandbox has: the same in each run, whatever the seed."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"ringonce:{name}"))
