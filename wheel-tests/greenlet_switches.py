# wheels: greenlet==3.5.6
"""greenlet: native stacks that are put aside and taken up again, with the frames, exceptions and contexts that are on them."""
import contextvars
import gc
import sys
import threading
import traceback
import weakref

import greenlet
from greenlet import getcurrent


def ping_pong():
    log = []

    def one():
        log.append("one")
        log.append(second.switch("to two"))
        second.switch()

    def two(argument):
        log.append(argument)
        first.switch("to one")
        log.append("two ends")

    first, second = greenlet.greenlet(one), greenlet.greenlet(two)
    first.switch()
    print(log, first.dead, second.dead, bool(first), bool(second))


def deep(n, switch):
    if n == 0:
        return switch()
    return deep(n - 1, switch) + 1


def deep_stacks():
    main = getcurrent()
    greenlets = [greenlet.greenlet(lambda depth=depth: deep(depth, main.switch)) for depth in range(1, 400, 7)]
    for each in greenlets:
        each.switch()
    # All are half way: together they are far deeper than one may be.
    print(sum(range(1, 400, 7)) > sys.getrecursionlimit(), deep(300, lambda: 0))
    print([each.switch(10) for each in reversed(greenlets)][:5], all(each.dead for each in greenlets))
    try:
        greenlet.greenlet(lambda: deep(5000, int)).switch()
    except RecursionError as error:
        print(type(error).__name__)


def exceptions():
    main = getcurrent()

    def handles():
        try:
            raise ValueError("inner")
        except ValueError:
            main.switch(sys.exc_info()[1])
            return repr(sys.exc_info()[1])

    handling = greenlet.greenlet(handles)
    try:
        raise KeyError("outer")
    except KeyError:
        print(repr(handling.switch()), repr(sys.exc_info()[1]), handling.switch(), repr(sys.exc_info()[1]))
    print(sys.exc_info())

    def catches():
        try:
            main.switch()
        except RuntimeError as error:
            return f"caught {error}"

    catching = greenlet.greenlet(catches)
    catching.switch()
    print(catching.throw(RuntimeError("thrown")))

    def fails():
        deep(3, lambda: 1 / 0)

    try:
        greenlet.greenlet(fails).switch()
    except ZeroDivisionError as error:
        print([entry.name for entry in traceback.extract_tb(error.__traceback__)])


def frames():
    main = getcurrent()

    def outer():
        inner()

    def inner():
        local = "seen"
        main.switch()
        names.append([frame.f_code.co_name for frame, _ in traceback.walk_stack(sys._getframe())])

    names = []
    suspended = greenlet.greenlet(outer)
    suspended.switch()
    print([frame.f_code.co_name for frame, _ in traceback.walk_stack(suspended.gr_frame)], suspended.gr_frame.f_locals["local"])
    suspended.switch()
    print(names, suspended.gr_frame)


def generators_in_greenlets():
    def produce():
        for n in range(5):
            getcurrent().parent.switch(n)
            yield n * n

    def consume():
        return [value for value in produce()]

    worker = greenlet.greenlet(consume)
    got = []
    value = worker.switch()
    while not worker.dead:
        got.append(value)
        value = worker.switch()
    print(got, value)


def contexts():
    variable = contextvars.ContextVar("variable", default="none")
    main = getcurrent()

    def work(name):
        variable.set(name)
        main.switch()
        return variable.get()

    workers = [greenlet.greenlet(work) for _ in range(3)]
    for number, worker in enumerate(workers):
        worker.switch(f"worker {number}")
    print(variable.get(), [worker.switch() for worker in workers])
    shared = contextvars.copy_context()
    worker = greenlet.greenlet(lambda: variable.set("in shared"))
    worker.gr_context = shared
    worker.switch()
    print(shared[variable], variable.get())


def abandoned():
    class Witness:
        pass

    log = []

    def waits():
        witness = Witness()
        log.append(weakref.ref(witness))
        try:
            getcurrent().parent.switch()
        except greenlet.GreenletExit:
            log.append("exit")
            raise
        finally:
            log.append("finally")

    for _ in range(50):
        worker = greenlet.greenlet(waits)
        worker.switch()
        del worker
    gc.collect()
    print(log.count("exit"), log.count("finally"), all(ref() is None for ref in log if isinstance(ref, weakref.ref)))


def in_threads():
    results = {}

    def run(number):
        main = getcurrent()

        def count():
            total = 0
            while True:
                total += main.switch(total)

        counter = greenlet.greenlet(count)
        counter.switch()
        for n in range(200):
            last = counter.switch(n)
        results[number] = last

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(sorted(results.items()))


def many_switches():
    def loop():
        n = 0
        while True:
            n += getcurrent().parent.switch(n)

    worker = greenlet.greenlet(loop)
    worker.switch()
    for _ in range(20_000):
        last = worker.switch(1)
    print(last)


ping_pong()
deep_stacks()
exceptions()
frames()
generators_in_greenlets()
contexts()
abandoned()
in_threads()
many_switches()
