"""aiohttp with nothing around it: the same create, its answer decoded, and no more."""

import asyncio
import base64

import aiohttp
import msgspec

from bench.contenders.placing import ATTRIBUTES, CALLER_ID, CLIENT_ID, CLIENT_SECRET, PATH, URL, on_loop


async def sign_in() -> aiohttp.ClientSession:
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=100, keepalive_timeout=10))
    basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
    form = {"grant_type": "client_credentials"}
    async with session.post(f"{URL}/oauth/token", data=form, headers={"authorization": f"Basic {basic}"}) as answer:
        token = (await answer.json())["access_token"]
    session.headers.update({"authorization": f"Bearer {token}", "content-type": "application/json"})
    return session


with asyncio.Runner() as runner:
    session = runner.run(sign_in())

    async def place(number: str) -> str:
        order = {"phoneNumber": number, "callerId": CALLER_ID, "attributes": {**ATTRIBUTES, "key": number}}
        async with session.post(URL + PATH, data=msgspec.json.encode(order)) as answer:
            conversation_id: str = msgspec.json.decode(await answer.read())["id"]
        return conversation_id

    async def look(conversation_id: str) -> object:
        async with session.get(f"{URL}/api/v2/conversations/{conversation_id}") as answer:
            return msgspec.json.decode(await answer.read())

    on_loop(runner, place, look)
    runner.run(session.close())
