"""Runs one program many times in one process: _driver.py PROGRAM WARM RUNS. Prints one line of JSON.

`objects` and `blocks` are what lives after each of the RUNS, garbage collected; `memory_kb` is the process's own memory, without what it maps of files. What the program prints is thrown away. Caches fill in the WARM runs.
"""

import gc
import io
import json
import os
import sys
import types


def memory_kb():
    with open("/proc/self/statm") as statm:
        _, resident, shared, *_ = map(int, statm.read().split())
    return (resident - shared) * os.sysconf("SC_PAGESIZE") // 1024


def once(code, path):
    module = types.ModuleType("__main__")
    module.__file__ = path
    modules = dict(sys.modules)
    sys.modules["__main__"] = module
    out, err, argv = sys.stdout, sys.stderr, list(sys.argv)
    sys.stdout = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    sys.stderr = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    sys.argv[:] = [path]
    try:
        exec(code, module.__dict__)
    except SystemExit:
        pass
    finally:
        sys.stdout, sys.stderr = out, err
        sys.argv[:] = argv
        main = modules["__main__"]
        sys.modules["__main__"] = main


def measure(path, warm, runs):
    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec")
    sys.path[0] = os.path.dirname(path)
    objects = [0] * runs
    blocks = [0] * runs
    memory = [0] * runs
    for run in range(-warm, runs):
        once(code, path)
        for _ in range(3):
            gc.collect()
        if run >= 0:
            objects[run] = len(gc.get_objects())
            blocks[run] = sys.getallocatedblocks()
            memory[run] = memory_kb()
    return {"objects": objects, "blocks": blocks, "memory_kb": memory}


print(json.dumps(measure(os.path.abspath(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
