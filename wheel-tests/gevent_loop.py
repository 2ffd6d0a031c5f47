# wheels: gevent==26.9.0 greenlet==3.5.6 zope-event==6.2 zope-interface==8.7
"""gevent: an event loop in Cython over libev, whose every wait is a switch of native stacks."""
import gevent
from gevent import event, local, lock, pool, queue, select, socket, subprocess


def squares():
    def work(n):
        gevent.sleep(0.002 * (5 - n))
        return n * n

    print(pool.Pool(3).map(work, range(5)), sorted(pool.Group().imap_unordered(work, range(5))))


def echo_server():
    def serve(listener):
        while True:
            connection, _ = listener.accept()
            gevent.spawn(answer, connection)

    def answer(connection):
        with connection:
            while data := connection.recv(1000):
                connection.sendall(data.upper())

    def ask(port, text):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(text)
            select.select([connection], [], [])
            return connection.recv(1000)

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(50)
        server = gevent.spawn(serve, listener)
        asking = [gevent.spawn(ask, listener.getsockname()[1], b"call %d" % n) for n in range(20)]
        gevent.joinall(asking)
        print([each.value for each in asking][::5])
        server.kill()
        print(server.dead, repr(server.value))


def queues_and_locks():
    numbers = queue.Queue(2)

    def produce():
        for n in range(500):
            numbers.put(n)
        numbers.put(StopIteration)

    gevent.spawn(produce)
    print(sum(numbers))
    semaphore, log = lock.BoundedSemaphore(2), []

    def enter(n):
        with semaphore:
            log.append(n)
            gevent.sleep(0)

    gevent.joinall([gevent.spawn(enter, n) for n in range(6)])
    print(log)
    done, own = event.Event(), local.local()
    own.value = "main"

    def wait():
        own.value = "other"
        done.wait()
        return own.value

    waiting = gevent.spawn(wait)
    gevent.sleep(0)
    done.set()
    print(waiting.get(), own.value)


def errors():
    try:
        with gevent.Timeout(0.01):
            gevent.sleep(5)
    except gevent.Timeout as timeout:
        print(timeout)

    def fail():
        raise ValueError("in a greenlet")

    gevent.get_hub().exception_stream = None
    failing = gevent.spawn(fail)
    try:
        failing.get()
    except ValueError as error:
        print(repr(error), failing.successful())


def many():
    sleeping = [gevent.spawn(gevent.sleep, 0.001) for _ in range(2000)]
    gevent.joinall(sleeping)
    print(sum(each.successful() for each in sleeping))


def processes():
    print(subprocess.check_output(["echo", "from a process"]))


squares()
echo_server()
queues_and_locks()
errors()
many()
processes()
