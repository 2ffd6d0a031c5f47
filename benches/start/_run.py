"""The processor time of whole processes: _run.py PYTHON. Prints one line of JSON: name to ms, the median of many."""

import json
import os
import resource
import statistics
import subprocess
import sys

LINES = {
    "-S -c pass": ["-S", "-c", "pass"],
    "-c pass": ["-c", "pass"],
    "-c 'import json, re, asyncio, typing'": ["-c", "import json, re, asyncio, typing"],
}


def once(line):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.argv[1], *line], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e3


# Compiled files are part of an installed Python.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
times = {}
for name, line in LINES.items():
    once(line)
    times[name] = statistics.median(once(line) for _ in range(25))
print(json.dumps(times))
