"""Results of tests as JSON lines, flushed line by line, so that a crash loses nothing.

ADDER_RESULTS names the file to append to, ADDER_DONE a file with the ids that an earlier process has dealt with, one per line.
Only `os` and the file type are needed: the interpreter under test may have little else that works.
"""

import os

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _quote(text):
    out = []
    for char in text:
        if char in _ESCAPES:
            out.append(_ESCAPES[char])
        elif " " <= char <= "~":
            out.append(char)
        else:
            code = ord(char)
            if code > 0xFFFF:
                code -= 0x10000
                out.append("\\u%04x\\u%04x" % (0xD800 + (code >> 10), 0xDC00 + (code & 0x3FF)))
            elif 0xD800 <= code <= 0xDFFF:
                out.append("?")
            else:
                out.append("\\u%04x" % code)
    return '"' + "".join(out) + '"'


def plain(test_id):
    """An id on one line, the same in each run."""
    return "".join(char if " " <= char <= "~" else "?" for char in str(test_id))


class Results:
    def __init__(self):
        self.file = open(os.environ["ADDER_RESULTS"], "a", encoding="ascii")
        with open(os.environ["ADDER_DONE"], encoding="ascii") as done:
            self.done = set(done.read().split("\n"))

    def emit(self, event, **fields):
        parts = ['"event": ' + _quote(event)]
        for name, value in fields.items():
            text = _quote(value) if isinstance(value, str) else str(value)
            parts.append(_quote(name) + ": " + text)
        self.file.write("{" + ", ".join(parts) + "}\n")
        self.file.flush()


def reason_of(text):
    """The last line of a traceback that says something."""
    lines = [line.strip() for line in str(text).split("\n")]
    lines = [line for line in lines if line and not line.strip("-^~ ") == ""]
    return lines[-1][:300] if lines else ""
