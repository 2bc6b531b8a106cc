"""Consents: an agent's yes to a program, the code it is told by, and every token that came of it."""

import dataclasses

from ringonce.sandbox.agenda import Agenda
from ringonce.sandbox.dice import Dice
from ringonce.sandbox.org import AUTHORIZATION_CODE, OAuthClient, User
from ringonce.sandbox.tokens import Token, Tokens

CODE_LIVES = 300.0
"""Seconds of world time in which a code must be redeemed."""


@dataclasses.dataclass(slots=True, eq=False, kw_only=True)
class Consent:
    """One yes. *challenge* is PKCE's, empty without it; *public* once redeemed without the client's secret."""

    client_id: str
    user: User
    redirect_uri: str
    scopes: frozenset[str] | None
    challenge: str
    expires_at: float
    redeemed: bool = False
    public: bool = False
    refresh_token: str = dataclasses.field(default="", repr=False)
    tokens: list[Token] = dataclasses.field(default_factory=list)


class Consents:
    """Every consent of a world, by its code and by each refresh token that it ever had."""

    _by_code: dict[str, Consent]
    _by_refresh_token: dict[str, Consent]

    def __init__(self, agenda: Agenda, dice: Dice, tokens: Tokens) -> None:
        self._agenda = agenda
        self._dice = dice
        self._tokens = tokens
        self._by_code = {}
        self._by_refresh_token = {}

    def give(
        self, client: OAuthClient, user: User, *, redirect_uri: str, scopes: frozenset[str] | None, challenge: str = ""
    ) -> str:
        """Note a yes down, and give the code that tells of it."""
        code = self._dice.token()[:43]
        self._by_code[code] = Consent(
            client_id=client.id,
            user=user,
            redirect_uri=redirect_uri,
            scopes=scopes,
            challenge=challenge,
            expires_at=self._agenda.now + CODE_LIVES,
        )
        return code

    def of_code(self, code: str) -> Consent | None:
        """The consent that a code tells of, redeemed or not."""
        return self._by_code.get(code)

    def of_refresh_token(self, value: str) -> Consent | None:
        """The consent that a refresh token belongs or once belonged to."""
        return self._by_refresh_token.get(value)

    def expired(self, consent: Consent) -> bool:
        """Whether the code came too late."""
        return self._agenda.now >= consent.expires_at

    def issue(self, client: OAuthClient, consent: Consent) -> Token:
        """Give the next access token of a consent, and a refresh token in place of the last one."""
        consent.redeemed = True
        consent.refresh_token = self._dice.token()
        self._by_refresh_token[consent.refresh_token] = consent
        token = self._tokens.issue(client, consent.user, scopes=consent.scopes, grant=AUTHORIZATION_CODE)
        consent.tokens.append(token)
        return token

    def withdraw(self, consent: Consent) -> None:
        """Take back every token that came of a consent."""
        consent.refresh_token = ""
        for token in consent.tokens:
            self._tokens.revoke(token)

    def withdraw_all(self, client_id: str) -> None:
        """Take back what was consented to for a client, codes that nobody redeemed yet included."""
        for consent in self._by_code.values():
            if consent.client_id == client_id:
                consent.redeemed = True
                self.withdraw(consent)
