"""The system presences: their ids are the same in every organisation of the platform and never change.

Source: a recorded answer of `GET /api/v2/presencedefinitions`.
"""

from typing import Final

AVAILABLE: Final = "6a3af858-942f-489d-9700-5f9bcdcdae9b"
ON_QUEUE: Final = "e08eaf1b-ee47-4fa9-a231-1200e284798f"
OFFLINE: Final = "ccf3c10a-aa2c-4845-8e8d-f59fa48c58e5"
SYSTEM_PRESENCES: Final[dict[str, str]] = {
    AVAILABLE: "Available",
    "31fe3bac-dea6-44b7-bed7-47f91660a1a0": "Busy",
    "7ffa01cd-7866-4ad7-8faa-31e11b42f51f": "Idle",
    "5e5c5c66-ea97-4e7f-ac41-6424784829f2": "Away",
    "bbdff279-7ae1-48ea-bade-7831d7234c64": "Meeting",
    "3fd96123-badb-4f69-bc03-1b1ccc6d8014": "Meal",
    "d2390a99-8546-bad9-8f0a-219548e8aeb0": "Training",
    ON_QUEUE: "On Queue",
    "227b37e2-f1d0-4dd0-8f50-badd7cf6d158": "Break",
    OFFLINE: "Offline",
}
"""Names by ids."""
