"""The guard: pure rules in front of every ring, asked right before it is made.

guard         from a call, a moment and what is known to a verdict
├── whereabouts   a number's countries and zones; premium-rate numbers
├── listing       do-not-call lists: the number on them, and their age
│   └── lists     what a list is, in memory or behind a protocol, and how its file is read
├── hours         calling hours at the callee's place
│   ├── rulebook  rules of countries and states, dated, with sources (`countries/*.toml`)
│   ├── week      the hours of a week
│   ├── holidays  public holidays by rule
│   ├── schedule  when all of them allow a call, in all zones
│   └── days      local days on the line of absolute time
├── timing        hours, caps and the gap together: when all of them allow a call
│   └── attempts  caps and gaps
├── settings      what the operator decided (`guard.toml`)
└── verdict       what is said: refusals, evidence, the next allowed moment, overrides

It reads no clock, opens no socket and keeps no database. Nothing in it is legal advice.
"""

from ringonce.service.guard.guard import Ask, Facts, Guard, Stop
from ringonce.service.guard.lists import DoNotCallList, FingerprintKey, FingerprintList, ListInfo, load
from ringonce.service.guard.settings import Profile, Settings, parse, read
from ringonce.service.guard.verdict import Audit, Override, Refusal, Rule, Verdict

__all__ = [
    "Ask",
    "Audit",
    "DoNotCallList",
    "Facts",
    "FingerprintKey",
    "FingerprintList",
    "Guard",
    "ListInfo",
    "Override",
    "Profile",
    "Refusal",
    "Rule",
    "Settings",
    "Stop",
    "Verdict",
    "load",
    "parse",
    "read",
]
