"""Access tokens: whose they are, until when they hold on world time, and what they have spent of their minute."""

import msgspec

from ringonce.sandbox.agenda import Agenda
from ringonce.sandbox.dice import Dice
from ringonce.sandbox.org import CLIENT_CREDENTIALS, OAuthClient, User
from ringonce.sandbox.permissions import holds_any, of_roles

WINDOW = 60.0


class Token(msgspec.Struct, eq=False, gc=False):
    """One access token. *user_id* is empty for a service (client credentials); *scopes* None are all of them."""

    value: str
    client: OAuthClient
    user_id: str
    expires_at: float
    permissions: frozenset[str]
    scopes: frozenset[str] | None = None
    grant: str = CLIENT_CREDENTIALS
    window_began: float = 0.0
    spent: int = 0

    def __repr__(self) -> str:
        return f"Token(client={self.client.id!r}, user_id={self.user_id!r})"

    @property
    def owner(self) -> tuple[str, str]:
        """Whom notification channels are counted for: a user (or none) with an OAuth client."""
        return (self.client.id, self.user_id)

    def allows(self, any_of: tuple[str, ...]) -> bool:
        """Whether it holds one of these permissions; asking for none is always allowed."""
        return holds_any(self.permissions, any_of)

    def reaches(self, any_of: frozenset[str]) -> bool:
        """Whether it has one of these scopes; asking for none is always allowed."""
        return self.scopes is None or not any_of or not self.scopes.isdisjoint(any_of)

    def spend(self, now: float) -> int:
        """Count one more request in the running minute; answer the seconds until the next one begins."""
        if now - self.window_began >= WINDOW:
            self.window_began, self.spent = now, 0
        self.spent += 1
        return max(1, round(self.window_began + WINDOW - now))


class Tokens:
    """Every token that was ever issued and not revoked, the expired ones included: those get words of their own."""

    _tokens: dict[str, Token]

    def __init__(self, agenda: Agenda, dice: Dice) -> None:
        self._agenda = agenda
        self._dice = dice
        self._tokens = {}

    def issue(
        self,
        client: OAuthClient,
        user: User | None = None,
        *,
        scopes: frozenset[str] | None = None,
        grant: str = CLIENT_CREDENTIALS,
    ) -> Token:
        """Make a token for a service, or for a user of a client: it may do what the one or the other may."""
        now = self._agenda.now
        token = Token(
            self._dice.token(),
            client,
            user.id if user else "",
            now + client.token_lifetime,
            of_roles(user.roles if user else client.roles),
            scopes if user else None,
            grant,
            window_began=now,
        )
        self._tokens[token.value] = token
        return token

    def find(self, value: str) -> Token | None:
        """The token of this value, good or expired."""
        return self._tokens.get(value)

    def good(self, token: Token) -> bool:
        """Whether a token has not expired."""
        return self._agenda.now < token.expires_at

    def expire(self, value: str | None = None) -> None:
        """End a token's life now (None: every token's)."""
        for token in [self._tokens.get(value)] if value is not None else self._tokens.values():
            if token is not None:
                token.expires_at = min(token.expires_at, self._agenda.now)

    def revoke(self, token: Token) -> None:
        """Forget a token."""
        self._tokens.pop(token.value, None)

    def revoke_all(self, client_id: str) -> None:
        """Forget every token of a client."""
        for token in [each for each in self._tokens.values() if each.client.id == client_id]:
            self.revoke(token)
