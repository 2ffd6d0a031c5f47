"""Interpreters beside the main one: scripts and calls, what crosses, what does not, what each has of its own, threads in them."""
import codecs
import gc
import os
import pickle
import sys
import threading
import warnings
from concurrent import interpreters
from concurrent.futures import InterpreterPoolExecutor

import _interpchannels as channels
import _interpreters


def attempt(function, *args, **kwargs):
    try:
        return function(*args, **kwargs)
    except Exception as error:
        return f"{type(error).__name__}: {error}".split(" at 0x")[0]


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def where():
    return interpreters.get_current().id != 0


class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def moved(self, by):
        return self.x + by, self.y + by


def fail(text):
    raise LookupError(text)


def state_of_its_own():
    interp = interpreters.create()
    interp.exec(
        "import sys, codecs, warnings, threading, atexit\n"
        "sys.set_int_max_str_digits(1000); sys.setrecursionlimit(500); sys.path.append('nowhere')\n"
        "codecs.register(lambda name: None); warnings.simplefilter('error'); x = 1\n"
        "local = threading.local(); local.value = 5\n"
    )
    print(sys.get_int_max_str_digits(), sys.getrecursionlimit(), "nowhere" in sys.path)
    print(attempt(interp.exec, "int('1' * 1001)"), attempt(interp.exec, "print(x, local.value, sys.getrecursionlimit())"))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.warn("here")
    print(len(caught), codecs.lookup("utf-8").name)
    interp.exec("import atexit; atexit.register(print, 'ended')")
    interp.close()
    print(attempt(interp.exec, "1").replace(str(interp.id), "N"))


def what_crosses():
    interp = interpreters.create()
    for value in (None, True, 1 << 40, -1.5, "täxt\ud800", b"b", (1, ("a", b"c")), [1, {"a": {2}}], 1 << 100):
        print(repr(value), interp.call(lambda value: value, value) == value, interpreters.is_shareable(value))
    print(interp.call(fibonacci, 15), interp.call(where), interp.call(sorted, [3, 1, 2]), interp.call(eval, "__name__"))
    print(interp.call(Point(1, 2).moved, 10))
    print(attempt(interp.call, Point, 1, 2))
    outer = 1
    print(attempt(interp.call, lambda: outer))
    print(attempt(interp.call, lambda: [len, fibonacci, lambda: 1]).split(":")[0])
    buffer = bytearray(b"spam")
    interp.prepare_main(view=memoryview(buffer))
    interp.exec("view[:2] = b'SP'")
    print(buffer)
    print(attempt(interp.prepare_main, bad=object()).split("<")[0])
    print(attempt(interp.exec, "def f():\n    raise ValueError('x') from KeyError(1)\nf()"))
    print(attempt(interp.call, fail, "gone"))
    print(attempt(interp.exec, "x ="), "|", attempt(_interpreters.exec, 0, "1"))
    interp.close()


def queues_and_channels():
    queue = interpreters.create_queue(3)
    interp = interpreters.create()
    interp.prepare_main(queue=queue)
    thread = threading.Thread(target=interp.exec, args=("for n in range(100): queue.put((n, str(n)))",))
    thread.start()
    print(sum(queue.get()[0] for _ in range(100)))
    thread.join()
    interp.exec("queue.put(1); queue.put(2, unbounditems=__import__('concurrent.interpreters._queues', fromlist=['x']).UNBOUND_REMOVE)")
    interp.close()
    print(queue.qsize(), queue.get(), attempt(queue.get_nowait))
    channel = channels.create(3)
    channels.send(channel, b"one", blocking=False)
    print(channels.recv(channel), channels.get_info(channel).count, attempt(channels.recv, channel).replace(str(int(channel)), "N"))
    print(attempt(channels.send, channel, 1, timeout=0.01))


def threads_in_interpreters():
    def work(results):
        interp = interpreters.create()
        for n in range(5):
            results.append(interp.call(fibonacci, 10))
        interp.close()

    results = []
    threads = [threading.Thread(target=work, args=(results,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(len(results), set(results))
    interp = interpreters.create()
    interp.exec("import threading, time\ndone = []\nt = threading.Thread(target=lambda: (time.sleep(0.05), print('thread')))\nt.start()")
    interp.close()
    with InterpreterPoolExecutor(3) as executor:
        print(list(executor.map(fibonacci, range(8))))
        print(attempt(executor.submit(fail, "in the pool").result))
    print(len(interpreters.list_all()))


def restricted():
    interp = interpreters.create()
    for script in (
        "import os; os.fork()",
        "import os; os.execv('/bin/true', ['true'])",
        "import threading; threading.Thread(target=print, daemon=True).start()",
        "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)",
    ):
        print(attempt(interp.exec, script).splitlines()[0])
    interp.close()
    for config in ("isolated", "legacy", "empty"):
        print(config, vars(_interpreters.new_config(config)))
    print(attempt(_interpreters.create, "other"), "|", attempt(_interpreters.new_config, gil="x"))


def garbage_of_each():
    interp = interpreters.create()
    interp.exec(
        "import gc, _interpreters\n"
        "gc.collect(); gc.disable(); gc.set_threshold(5, 6, 7)\n"
        "class Knot:\n"
        "    def __init__(self): self.me = self\n"
        "    def __del__(self): died.append(_interpreters.get_current()[0] == home)\n"
        "home, died = _interpreters.get_current()[0], []\n"
        "Knot(), Knot()\n"
    )
    gc.collect()
    print(gc.isenabled(), gc.get_threshold() == (5, 6, 7), len(gc.garbage))
    interp.exec("print(gc.isenabled(), gc.get_threshold(), len(died), gc.collect() >= 2, died)")
    interp.exec("gc.enable(); gc.set_threshold(100, 2, 2)\nfor _ in range(5000): Knot()\nprint(all(died))")
    interp.close()
    print(gc.collect() >= 0)


if __name__ == "__main__":
    state_of_its_own()
    what_crosses()
    queues_and_channels()
    threads_in_interpreters()
    restricted()
    garbage_of_each()
