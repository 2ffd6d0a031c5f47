"""asyncio: tasks and futures, how they end, and who hears of it."""

import asyncio
import contextvars
import gc

events = []
variable = contextvars.ContextVar("variable", default=0)


async def worker(name, n, fail=None):
    variable.set(n)
    for step in range(n):
        events.append((name, step, variable.get()))
        await asyncio.sleep(0)
    if fail:
        raise fail
    return name


async def ends():
    loop = asyncio.get_running_loop()
    print(await asyncio.gather(worker("a", 2), worker("b", 3), worker("c", 1, KeyError("c")), return_exceptions=True))
    print(events, variable.get())
    task = asyncio.create_task(worker("d", 5), name="d")
    await asyncio.sleep(0)
    print(task.get_name(), task.done(), task.cancel("enough"), task.cancelling(), task._must_cancel)
    try:
        await task
    except asyncio.CancelledError as error:
        print(error.args, task.cancelled(), task.done())
    future = loop.create_future()
    future.add_done_callback(lambda done: print("done", done is future, done.result()))
    print(future, future.remove_done_callback(len), asyncio.isfuture(future))
    loop.call_soon(future.set_result, 7)
    print(await future, future)
    stopped = loop.create_future()
    stopped.set_exception(StopIteration())
    print(repr(stopped.exception()))
    for action in (lambda: future.set_result(8), loop.create_future().result, loop.create_future().exception):
        try:
            action()
        except Exception as error:
            print(type(error).__name__, error)


async def misuse():
    loop = asyncio.get_running_loop()

    async def itself():
        await task

    task = loop.create_task(itself(), name="itself")
    try:
        await task
    except RuntimeError as error:
        print(str(error).split(":")[0])

    class Bad:
        def __await__(self):
            yield 5

    async def bad():
        await Bad()

    try:
        await loop.create_task(bad())
    except RuntimeError as error:
        print(error)
    for make in (lambda: asyncio.Task(5), lambda: loop.create_future().set_exception(5), lambda: asyncio.Future(loop=loop).get_loop() is loop):
        try:
            print(make())
        except Exception as error:
            print(type(error).__name__, error)


async def groups():
    try:
        async with asyncio.timeout(0.001):
            await asyncio.sleep(10)
    except TimeoutError:
        print("timeout", asyncio.current_task().cancelling())
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(worker("e", 1, ValueError("e")))
            other = group.create_task(worker("f", 100))
    except* ValueError as error:
        print(error.exceptions, other.cancelled())
    print(len(asyncio.all_tasks()), asyncio.current_task() in asyncio.all_tasks())


async def eager():
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)

    async def at_once():
        return asyncio.current_task().get_name()

    task = asyncio.create_task(at_once(), name="eager")
    print(task.done(), task.result(), asyncio.current_task().get_name() != "eager")
    waiting = asyncio.create_task(asyncio.sleep(0, "later"))
    print(waiting.done(), await waiting)


async def unheard():
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: print(context["message"], repr(context.get("exception"))))
    loop.create_future().set_exception(OSError("unheard"))
    gc.collect()


for main in ends, misuse, groups, eager, unheard:
    asyncio.run(main())
try:
    asyncio.get_running_loop()
except RuntimeError as error:
    print(error)
