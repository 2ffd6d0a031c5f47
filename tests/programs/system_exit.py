# compare: stderr
"""Exit: handlers run, buffers are flushed, and the status is the one asked for."""
import atexit
import sys


class Noisy:
    def __del__(self):
        print("deleted", self.name)


noisy = Noisy()
noisy.name = "one"
atexit.register(print, "atexit 1")


@atexit.register
def second():
    print("atexit 2")


sys.stdout.write("no newline")
sys.stderr.write("to stderr\n")
try:
    sys.exit("a message")
finally:
    print(" finally")
