"""`AsyncClient`."""

import asyncio

from bench.contenders.placing import ATTRIBUTES, CALLER_ID, CLIENT_ID, CLIENT_SECRET, URL, on_loop
from ringonce import AsyncClient, ClientCredentials
from ringonce.sandbox.default_org import ADA

with asyncio.Runner() as runner:
    client = AsyncClient(base_url=URL, auth=ClientCredentials(CLIENT_ID, CLIENT_SECRET))

    async def place(number: str) -> str:
        placed = await client.place_call(agent=ADA, to=number, caller_id=CALLER_ID, attributes=ATTRIBUTES)
        return placed.conversation_id

    on_loop(runner, place, client.get_call)
    runner.run(client.aclose())
