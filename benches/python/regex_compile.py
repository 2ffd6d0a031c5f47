"""Regular expressions compiled anew each time, and then used on a text: the compiler is Python, the matcher is not."""

import re

N = 150
QUICK = 1

PATTERNS = [
    r"(\w+)@(\w+)\.(com|org|net)",
    r"^\s*(?:def|class)\s+([A-Za-z_]\w*)\s*\(",
    r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})",
    r"[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?",
    r"(?i)\b(?:the|a|an)\b\s+(\w+)",
    r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'",
    r"(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}",
    r"<(?P<tag>[a-z]+)(?:\s+[a-z]+=\"[^\"]*\")*\s*>.*?</(?P=tag)>",
    r"(?<!\\)(?:\\\\)*\$\{([^}]+)\}",
    r"(?m)^(?=.*\d)(?=.*[a-z]).{8,}$",
    r"[\u0391-\u03a9\u03b1-\u03c9]+|[\u0410-\u044f]+",
    r"(a|ab|abc|abcd)(?:bcde|cde|de|e)+$",
]
TEXT = """
def function(x): return "text with \\" quote" + 'single'
class Name(Base): mail somebody@example.org at 2026-07-04, or 10.0.255.1
<p class="x">the paragraph</p> ${variable} 3.14e-10 -7 .5 \u0395\u03bb\u03bb \u0420\u0443\u0441 password1
abcde an Apple The End
"""


def run(n):
    checksum = 0
    for _ in range(n):
        for flags in (0, re.IGNORECASE, re.DOTALL):
            re.purge()
            for pattern in PATTERNS:
                compiled = re.compile(pattern, flags)
                for match in compiled.finditer(TEXT):
                    checksum = (checksum * 31 + match.start() * 7 + match.end()) % 1000000007
                checksum += compiled.groups
    return str(checksum)
