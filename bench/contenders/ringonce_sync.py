"""`Client`."""

from bench.contenders.placing import ATTRIBUTES, CALLER_ID, CLIENT_ID, CLIENT_SECRET, URL, on_threads
from ringonce import Client, ClientCredentials
from ringonce.sandbox.default_org import ADA

with Client(base_url=URL, auth=ClientCredentials(CLIENT_ID, CLIENT_SECRET)) as client:

    def place(number: str) -> str:
        placed = client.place_call(agent=ADA, to=number, caller_id=CALLER_ID, attributes=ATTRIBUTES)
        return placed.conversation_id

    on_threads(place, client.get_call)
