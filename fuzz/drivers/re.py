# Patterns and subjects; with the highest bit of the first byte, the compiled pattern's words are changed (two bytes of place, two
# of value) before they are used.
import re
import _sre

MOST_TEXT = 400


def use(pattern, subject):
    for how in (pattern.match, pattern.search, pattern.fullmatch):
        if (found := how(subject)) is not None:
            found.groups()
            found.groupdict()
            found.span()
            found.regs
            found.lastindex
            repr(found)
            for group in range(pattern.groups + 1):
                found.group(group)
    pattern.findall(subject)
    pattern.split(subject, 5)
    pattern.sub(subject[:0], subject)
    try:
        pattern.subn(subject[:8], subject, 3)
    except (re.PatternError, IndexError):
        pass
    list(pattern.finditer(subject, 1, 1 << 40))
    repr(pattern)


def hostile(pattern, changes):
    """The pattern with other words: refused, or a pattern that is safe to use."""
    from re import _compiler, _parser
    parsed = _parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)
    words = [int(word) for word in _compiler._code(parsed, pattern.flags)]
    for at in range(0, len(changes) - 3, 4):
        words[(changes[at] << 8 | changes[at + 1]) % len(words)] = changes[at + 2] << 8 | changes[at + 3]
    groups = tuple(None for _ in range(pattern.groups + 1))
    return _sre.compile(pattern.pattern, pattern.flags, words, pattern.groups, dict(pattern.groupindex), groups)


def one(data):
    if len(data) < 3:
        return
    first, n, flags = data[:3]
    pattern, subject = data[3:3 + n], data[3 + n:3 + n + MOST_TEXT]
    if not first & 1:
        pattern, subject = pattern.decode('utf-8', 'replace'), subject.decode('utf-8', 'replace')
    flags &= re.I | re.M | re.S | re.X | (re.A if first & 1 or first & 2 else re.U)
    try:
        compiled = re.compile(pattern, flags)
    except (re.PatternError, ValueError, OverflowError):
        return
    finally:
        re.purge()
    if first & 128:
        changes = data[3 + n:][:40]
        try:
            compiled = hostile(compiled, changes)
        except (RuntimeError, OverflowError, ValueError):
            return
        try:
            use(compiled, subject)
        except RuntimeError:
            pass
        return
    use(compiled, subject)
