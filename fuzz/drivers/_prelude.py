# What every driver shares: the guard around one input.
import gc
import signal
import sys
import warnings

warnings.simplefilter('ignore')

# What bad data may always lead to.
LIMITS = (MemoryError, RecursionError)
SECONDS = 2
# Code may catch whatever comes in some of its loop, hardly in all of it: so the guard tries again.
AGAIN = 0.02
FOLLOWED = 50


class TimeUp(BaseException):
    """The input took too long, in code that can be interrupted."""


def time_is_up(signum, frame):
    if is_running:
        raise TimeUp


def prepare():
    """Once, before the first input: what is there already is not looked at by the collector again."""
    signal.signal(signal.SIGVTALRM, time_is_up)
    for data in (b'', b'a', b'\0\0\0\0', b'\x01\x02abcdef'):
        guarded(data)
    gc.collect()
    gc.freeze()


n_inputs = 0
is_running = False


def guarded(data):
    """One input: no exception leaves it but SystemError and those that the driver lets through."""
    global n_inputs, is_running
    is_running = True
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS, AGAIN)
    try:
        one(data)
    except (TimeUp, *LIMITS):
        pass
    finally:
        is_running = False
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    n_inputs += 1
    if n_inputs % FOLLOWED == 0:
        gc.collect()
