# wheels: aiohttp==3.14.5
"""aiohttp with yarl, multidict, frozenlist and propcache: C parsers and a server and client that talk to each other."""
import asyncio

import aiohttp
from aiohttp import web
from frozenlist import FrozenList
from multidict import CIMultiDict, MultiDict, istr
from propcache import cached_property
from yarl import URL

headers = CIMultiDict([("Accept", "a"), ("ACCEPT", "b"), ("Host", "h")])
print(headers["accept"], headers.getall("Accept"), list(headers.keys()), istr("X-Y").title(), headers.popall("accept"), len(headers))
many = MultiDict(a=1)
many.extend([("a", 2), ("b", 3)])
print(many, many.getone("a"), sorted(many.items()), "a" in many, many == MultiDict([("a", 1), ("a", 2), ("b", 3)]))
url = URL("http://user:pw@example.org:8080/a%20b/../c?q=1&q=2#frag")
print(url, url.path, url.query.getall("q"), url / "d", url.with_query(x="ä b"), url.join(URL("../e")), url.origin(), url.port)
print(URL.build(scheme="https", host="bücher.example", path="/ü").human_repr(), hash(url) == hash(URL(str(url))))
frozen = FrozenList([1, 2])
frozen.append(3)
frozen.freeze()
try:
    frozen.append(4)
except RuntimeError as error:
    print(error, frozen)


class Slow:
    @cached_property
    def value(self):
        print("computed")
        return 5


slow = Slow()
print(slow.value, slow.value)


async def hello(request):
    return web.json_response({"name": request.match_info["name"], "q": request.query.getall("q", []), "h": request.headers.get("X-H")})


async def upload(request):
    data = await request.post()
    return web.Response(text=f"{data['field']} {data['file'].filename} {len(data['file'].file.read())}")


async def echo(request):
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        if message.type == aiohttp.WSMsgType.TEXT:
            await socket.send_str(message.data.upper())
        elif message.type == aiohttp.WSMsgType.BINARY:
            await socket.send_bytes(message.data[::-1])
    return socket


async def stream(request):
    response = web.StreamResponse()
    response.enable_chunked_encoding()
    await response.prepare(request)
    for n in range(5):
        await response.write(b"chunk %d;" % n)
    return response


@web.middleware
async def counted(request, handler):
    response = await handler(request)
    if not response.prepared:
        response.headers["X-Seen"] = request.method
    return response


async def main():
    app = web.Application(middlewares=[counted])
    app.add_routes([web.get("/hello/{name}", hello), web.post("/up", upload), web.get("/ws", echo), web.get("/stream", stream)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    base = URL(f"http://127.0.0.1:{port}")
    async with aiohttp.ClientSession(base, headers={"X-H": "v"}) as session:
        async with session.get("/hello/w%C3%B6rld", params=[("q", "1"), ("q", "2")]) as response:
            print(response.status, await response.json(), response.headers["X-Seen"], response.content_type)
        form = aiohttp.FormData()
        form.add_field("field", "text")
        form.add_field("file", b"x" * 5000, filename="f.bin")
        async with session.post("/up", data=form) as response:
            print(await response.text())
        async with session.get("/stream") as response:
            print([chunk async for chunk in response.content.iter_chunked(8)][:2], response.headers["Transfer-Encoding"])
        async with session.get("/missing") as response:
            print(response.status, response.reason)
        try:
            await session.get("/missing", raise_for_status=True)
        except aiohttp.ClientResponseError as error:
            print(type(error).__name__, error.status)
        async with session.ws_connect("/ws") as socket:
            await socket.send_str("hello")
            print((await socket.receive()).data)
            await socket.send_bytes(bytes(range(200)))
            print((await socket.receive()).data[:3])
        answers = await asyncio.gather(*(session.get(f"/hello/{n}") for n in range(20)))
        print([(await answer.json())["name"] for answer in answers])
    await runner.cleanup()


asyncio.run(main())
