"""Files, buffers and text layers, directories, subprocesses, threads and locks, time, environment."""
import io
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import queue

folder = pathlib.Path(tempfile.mkdtemp())
path = folder / "text.txt"
with open(path, "w", encoding="utf-8", newline="\n") as f:
    print(f.write("first\nsecond é漢😀\nthird"), f.tell(), f.name == str(path), f.mode, f.encoding, f.writable(), f.readable())
with open(path, encoding="utf-8") as f:
    print(f.readline(), list(f), f.read(), f.seek(0), f.read(3), f.readlines()[-1])
with open(path, "rb") as f:
    print(f.read(7), f.seek(-5, 2), f.read(), f.tell(), f.seek(2), f.peek(2)[:2], f.readinto(bytearray(3)))
with open(path, "r+b") as f:
    f.seek(0)
    f.write(b"FIRST")
    f.truncate(12)
print(path.read_bytes(), path.stat().st_size, path.exists(), path.suffix, path.with_suffix(".x").name, path.parent == folder)
with open(path, "a") as f:
    f.write("\r\nappended\rend")
print(path.read_text(), open(path, newline="").read()[-15:])
for attempt in (lambda: open(folder / "none"), lambda: open(path, "q"), lambda: open(path, "rb", encoding="utf-8"), lambda: f.read(), lambda: open(folder), lambda: open(path).write("x"), lambda: open(path, "x"), lambda: os.listdir(folder / "no"), lambda: os.mkdir(folder)):
    try:
        attempt()
    except Exception as err:
        print(type(err).__name__, str(err).replace(str(folder), "FOLDER"))
buffer = io.BytesIO(b"abcdef")
print(buffer.read(2), buffer.getvalue(), buffer.seek(4), buffer.write(b"XYZ"), buffer.getbuffer().nbytes, io.StringIO("a\nb").readlines())
wrapper = io.TextIOWrapper(io.BytesIO(), encoding="latin-1", errors="replace", write_through=True)
wrapper.write("é漢")
print(wrapper.buffer.getvalue(), io.BufferedReader(io.BytesIO(b"xyz"), 2).read1(2))
(folder / "sub").mkdir()
(folder / "sub" / "a.py").touch()
print(sorted(os.listdir(folder)), sorted(p.name for p in folder.rglob("*")), [sorted(files) for _, _, files in os.walk(folder)], os.path.splitext("a/b.tar.gz"), os.path.normpath("a/../b/./c"), os.path.basename("x/y"))
os.rename(path, folder / "renamed")
os.remove(folder / "renamed")
print(sorted(entry.name for entry in os.scandir(folder)))
done = subprocess.run([sys.executable, "-c", "import sys; print(sys.stdin.read().upper()); sys.stderr.write('err'); sys.exit(4)"], input="input", capture_output=True, text=True)
print(done.returncode, repr(done.stdout), repr(done.stderr), subprocess.check_output(["echo", "hi"]))
os.environ["ADDER_TEST"] = "set"
print(subprocess.check_output(["sh", "-c", "echo $ADDER_TEST"], text=True).strip(), os.environ.get("ADDER_NONE"))
r, w = os.pipe()
os.write(w, b"through a pipe")
os.close(w)
print(os.read(r, 100))
os.close(r)

total, lock = 0, threading.Lock()


def add(n):
    global total
    for _ in range(n):
        with lock:
            total += 1


threads = [threading.Thread(target=add, args=(500,), name=f"t{i}") for i in range(4)]
[t.start() for t in threads]
[t.join() for t in threads]
print(total, threads[0].name, threads[0].is_alive(), threading.current_thread().name, threading.active_count())
q, results = queue.Queue(), queue.Queue()


def consume():
    while (item := q.get()) is not None:
        results.put(item * item)


consumer = threading.Thread(target=consume)
consumer.start()
for i in range(5):
    q.put(i)
q.put(None)
consumer.join()
print([results.get() for _ in range(5)])
local, event, barrier = threading.local(), threading.Event(), threading.Barrier(2)
local.value = "main"


def other():
    local.value = "other"
    barrier.wait()
    event.set()


thread = threading.Thread(target=other)
thread.start()
barrier.wait()
print(event.wait(10), local.value)
thread.join()
hook = []
threading.excepthook = lambda args: hook.append((args.exc_type.__name__, str(args.exc_value)))
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()
print(hook, lock.acquire(timeout=1), lock.acquire(blocking=False), lock.locked())
from concurrent.futures import ThreadPoolExecutor

with ThreadPoolExecutor(2) as pool:
    print(list(pool.map(lambda x: x + 1, range(4))), pool.submit(pow, 2, 5).result())
condition, ready = threading.Condition(), []


def waits():
    with condition:
        condition.wait_for(lambda: ready, timeout=10)
        ready.append("seen")


thread = threading.Thread(target=waits)
thread.start()
with condition:
    ready.append("set")
    condition.notify_all()
thread.join()
print(ready)
import contextvars, time, shutil

var = contextvars.ContextVar("var", default="default")
context = contextvars.copy_context()
context.run(var.set, "inner")
print(var.get(), context[var], time.perf_counter() <= time.perf_counter(), time.strftime("%Y", time.gmtime(0)))
shutil.rmtree(folder)
print(folder.exists())
