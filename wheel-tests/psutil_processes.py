# wheels: psutil==7.2.2
"""psutil: an extension of the stable ABI (cp36-abi3) that asks the kernel about processes, disks and networks."""

import os
import socket
import subprocess
import sys
import time

import psutil
from psutil import _psutil_linux

assert _psutil_linux.__file__.endswith(".abi3.so")
print(psutil.__version__, psutil.LINUX, psutil.WINDOWS)

me = psutil.Process()
assert me.pid == os.getpid() and me.ppid() == os.getppid()
assert me == psutil.Process(os.getpid()) and hash(me) == hash(psutil.Process(os.getpid()))
assert me.is_running() and me.status() == psutil.STATUS_RUNNING
assert os.path.samefile(me.cwd(), os.getcwd())
assert me.cmdline()[-1].endswith("psutil_processes.py")
assert abs(time.time() - me.create_time()) < 3600
assert me.memory_info().rss > 1 << 20 and me.num_threads() >= 1
print(me.memory_info()._fields[:3], me.nice(), me.uids().real == os.getuid())

child = psutil.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
assert [process.pid for process in me.children()] == [child.pid]
child.suspend()
for _ in range(100):
    if child.status() == psutil.STATUS_STOPPED:
        break
    time.sleep(0.01)
print(child.status())
child.resume()
child.nice(5)
print(child.nice())
child.terminate()
print("ended with", child.wait(timeout=30))
assert not psutil.pid_exists(child.pid)
try:
    psutil.Process(child.pid).name()
except psutil.NoSuchProcess as err:
    print(type(err).__name__, err.pid == child.pid)

affinity = me.cpu_affinity()
me.cpu_affinity(affinity[:1])
assert me.cpu_affinity() == affinity[:1]
me.cpu_affinity(affinity)
print(psutil.cpu_count() >= psutil.cpu_count(logical=False) if psutil.cpu_count(logical=False) else True)

memory = psutil.virtual_memory()
assert 0 < memory.available <= memory.total and 0 <= memory.percent <= 100
assert psutil.swap_memory().total >= 0 and psutil.boot_time() < time.time()
usage = psutil.disk_usage("/")
assert usage.used + usage.free <= usage.total
assert all(part.device is not None for part in psutil.disk_partitions(all=True))
addresses = psutil.net_if_addrs()
print(sorted({address.address for address in addresses["lo"] if address.family == socket.AF_INET}))
print(psutil.net_if_stats()["lo"].isup)

with socket.socket() as server:
    server.bind(("127.0.0.1", 0))
    server.listen()
    port = server.getsockname()[1]
    found = [conn for conn in me.net_connections() if conn.laddr and conn.laddr.port == port]
    print(len(found), found[0].status, found[0].laddr.ip)
for arguments in [("x",), (), (1, 2, 3, 4)]:
    try:
        _psutil_linux.proc_ioprio_get(*arguments)
    except TypeError as err:
        print("TypeError", err)
try:
    _psutil_linux.proc_cpu_affinity_get(0x7FFFFFF0)
except OSError as err:
    print(type(err).__name__, err.errno)
print(subprocess.run([sys.executable, "-c", "print('child')"], capture_output=True).stdout)
