"""async: coroutines driven by hand and by asyncio, async generators, async with and for, gather, cancellation, queues."""
import asyncio
import types


@types.coroutine
def pause(value):
    got = yield value
    return got


async def add(a, b):
    return a + await pause((a, b))


coroutine = add(1, 2)
print(coroutine.send(None), coroutine.cr_running, coroutine.__name__)
try:
    coroutine.send(40)
except StopIteration as stop:
    print(stop.value)


async def thrown():
    try:
        await pause("x")
    except ValueError as err:
        return f"caught {err}"


coroutine = thrown()
coroutine.send(None)
try:
    coroutine.throw(ValueError("v"))
except StopIteration as stop:
    print(stop.value)


class Awaitable:
    def __await__(self):
        yield from asyncio.sleep(0).__await__()
        return "awaited"


class Async:
    def __init__(self, n):
        self.n = n

    async def __aenter__(self):
        print("aenter")
        return self

    async def __aexit__(self, kind, value, traceback):
        print("aexit", kind and kind.__name__)
        return kind is KeyError

    def __aiter__(self):
        return self

    async def __anext__(self):
        if self.n == 0:
            raise StopAsyncIteration
        self.n -= 1
        await asyncio.sleep(0)
        return self.n


async def ticker(n):
    try:
        for i in range(n):
            received = yield i
            if received:
                print("received", received)
            await asyncio.sleep(0)
    finally:
        print("ticker ends")


async def worker(name, log, steps):
    for step in range(steps):
        log.append(f"{name}{step}")
        await asyncio.sleep(0)
    return name


async def main():
    print(await Awaitable())
    async with Async(3) as source:
        async for value in source:
            print("value", value)
        else:
            print("else")
    async with Async(0):
        raise KeyError("suppressed")
    print([x async for x in ticker(3) if x != 1], {x: y async for x in ticker(2) for y in [x * x]})
    generator = ticker(5)
    print(await anext(generator), await generator.asend("hello"))
    await generator.aclose()
    print(await anext(generator, "exhausted"))
    log = []
    print(await asyncio.gather(worker("a", log, 3), worker("b", log, 2)), log)

    async def fails():
        await asyncio.sleep(0)
        raise RuntimeError("failed")

    print(await asyncio.gather(fails(), worker("c", log, 1), return_exceptions=True))
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(fails())
            sleeping = group.create_task(asyncio.sleep(1000))
    except* RuntimeError as err:
        print(err.exceptions, sleeping.cancelled())
    task = asyncio.create_task(asyncio.sleep(1000), name="sleeper")
    await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        print("cancelled", task.get_name())
    try:
        async with asyncio.timeout(0.01):
            await asyncio.sleep(1000)
    except TimeoutError as err:
        print("timeout", type(err).__name__)
    queue = asyncio.Queue(maxsize=1)

    async def produce():
        for i in range(4):
            await queue.put(i)
        await queue.put(None)

    producer = asyncio.create_task(produce())
    items = []
    while (item := await queue.get()) is not None:
        items.append(item)
    await producer
    print(items)
    event, lock = asyncio.Event(), asyncio.Lock()

    async def waits():
        await event.wait()
        async with lock:
            return "ready"

    waiting = asyncio.create_task(waits())
    asyncio.get_running_loop().call_later(0.001, event.set)
    print(await waiting)
    done, pending = await asyncio.wait([asyncio.create_task(worker(n, [], 1)) for n in "xy"])
    print(sorted(task.result() for task in done), pending)
    print(await asyncio.to_thread(lambda: sum(range(10))), await asyncio.shield(worker("s", [], 1)))
    return "main result"


print(asyncio.run(main()))
unawaited = add(1, 1)
unawaited.close()
for attempt in (lambda: asyncio.run(5), lambda: exec("async def f(): return [await 5]\nf().send(None)")):
    try:
        attempt()
    except (TypeError, ValueError) as err:
        print(type(err).__name__, err)
