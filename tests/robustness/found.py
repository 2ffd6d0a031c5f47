"""What random inputs once broke, made small: each must end, by an exception or without one."""
import ast
import re
import signal
import struct
import subprocess
import sys
import warnings

SOURCES = (
    "rb'x\ufffd 1\n",
    "de\ufffd\x01rb'\x29\ufffd[0].c",
    "'\\N{a' 'b\n",
    "b'\xe4",
    "f'{a\\N{b",
)
for source in SOURCES:
    for call in (lambda: compile(source, 's', 'exec'), lambda: ast.parse(source), lambda: compile(source.encode(), 's', 'eval')):
        try:
            call()
        except SyntaxError:
            pass
        else:
            raise AssertionError(source)

# Items of a range whose stop and step are beyond 64 bits.
assert range(0, 2**70, 2**60)[-3] == 2**70 - 3 * 2**60
assert range(-2**63, 2**63)[-1] == 2**63 - 1
assert range(2**62, -2**66, -2**61)[20] == 2**62 - 20 * 2**61

# A length of none takes a value all the same.
try:
    struct.pack('0s', 1)
except struct.error:
    pass
else:
    raise AssertionError


# A pattern that takes for ever can be interrupted.
class Alarm(Exception):
    pass


def ring(signum, frame):
    raise Alarm


signal.signal(signal.SIGALRM, ring)
# The second reads no character, the third makes no branch.
for pattern, subject in ((r'(?:a|a)*b', 'a' * 60), ('(?:|$)' * 60 + '(?!)', ''), (rb'a*+b', b'a' * 2_000_000)):
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        re.search(pattern, subject)
    except Alarm:
        pass
    else:
        raise AssertionError(pattern)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)

# A match that needs more memory than there is: what it wants to come back to takes a hundred times its subject.
match_all = 'import re\ntry: re.match("(?:(a)|b)*c", "a" * 20_000_000)\nexcept MemoryError: print(re.match("a(b)", "ab")[1])'
told = subprocess.run(['sh', '-c', 'ulimit -v 1000000; exec "$@"', 'sh', sys.executable, '-c', match_all], capture_output=True)
assert (told.returncode, told.stdout) == (0, b'b\n'), told

# What dies with a call's arguments, and warns, while an exception is on its way.
async def numbers():
    yield 1


with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter('always')
    for make in (lambda: numbers().__anext__(), lambda: numbers().asend(None), lambda: numbers().aclose(),
                 lambda: numbers().athrow(ValueError)):
        try:
            print(make(), 1 / 0)
        except ZeroDivisionError:
            pass
assert len(told) == 4, told
