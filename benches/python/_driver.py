"""Times one program of this folder: _driver.py NAME RUNS full|quick. Prints one line of JSON.

The first iteration is apart, since it pays for warming up; `steady` is the median of RUNS more. Time is processor time, and the
peak memory is the process's. The program must compute the same in each iteration.
"""

import os
import sys
import time


def peak_kb():
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return 0


def main(name, runs, quick):
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    module = __import__(name)
    size = module.QUICK if quick else module.N
    times = []
    checksums = set()
    for _ in range(1 if quick else runs + 1):
        started = time.process_time()
        checksum = module.run(size)
        times.append(time.process_time() - started)
        checksums.add(checksum)
    if len(checksums) != 1:
        raise SystemExit("%s: its iterations differ: %r" % (name, checksums))
    steady = sorted(times[1:] or times)
    import json

    print(
        json.dumps(
            {
                "name": name,
                "first_s": times[0],
                "steady_s": steady[len(steady) // 2],
                "checksum": checksum,
                "peak_kb": peak_kb(),
            }
        )
    )


main(sys.argv[1], int(sys.argv[2]), sys.argv[3] == "quick")
