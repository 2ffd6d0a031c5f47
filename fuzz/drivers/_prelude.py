# What every driver shares: the guard around one input.
import gc
import signal
import sys
import warnings

warnings.simplefilter('ignore')

# What bad data may always lead to.
LIMITS = (MemoryError, RecursionError)
SECONDS = 2
FOLLOWED = 50


class TimeUp(BaseException):
    """The input took too long, in code that can be interrupted."""


def time_is_up(signum, frame):
    raise TimeUp


def prepare():
    """Once, before the first input: what is there already is not looked at by the collector again."""
    signal.signal(signal.SIGVTALRM, time_is_up)
    for data in (b'', b'a', b'\0\0\0\0', b'\x01\x02abcdef'):
        guarded(data)
    gc.collect()
    gc.freeze()


n_inputs = 0


def guarded(data):
    """One input: no exception leaves it but SystemError and those that the driver lets through."""
    global n_inputs
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        one(data)
    except (TimeUp, *LIMITS):
        pass
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    n_inputs += 1
    if n_inputs % FOLLOWED == 0:
        gc.collect()
