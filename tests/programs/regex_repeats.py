"""Repeats of what may be empty, of groups and of repeats: that they end, where they match, and what their groups hold."""
import random
import re

CASES = (
    ('(?:a|)*?b', 'aaa'), ('(?:(?:a?)*?)*b', 'aaa'), ('(?:(?:a?)*?)*?b', 'aaac'), ('(?:)*?b', 'a'), ('(?:a?)*?y', 'aaa'),
    ('(a|)*?b', 'aab'), ('(?:a{0,1}?)*?b', 'aaaa'), ('(?:a|b){1,3}c', 'ababc'), ('((?:|(b|)(?:b|a?))){2}b', 'ab'),
    ('(?:(?!(a)b)a|(b))*?c', 'aabc'), ('(?:(a)|b)*+c', 'abab'), ('(?:(?=(a|b))(?:ab|a))+b', 'aabab'), ('(?:(a)|(b)){2,3}?(?:\\1|\\2)', 'abba'),
    ('(?:(?>(a)|b)|ab)*c', 'ababc'), ('(?:(x)?(?(1)y|z))*?$', 'xyzxy'),
)
for pattern, subject in CASES:
    match = re.match(pattern, subject)
    print(pattern, subject, match and (match.regs, match.lastindex))

ITEMS = ('a', 'b', '', 'a?', 'b+?', '(a)', '(b|)', '(a|)', '.', '\\b', '(?=(a)|b)', '(?!b)', '(?>a|ab)', 'a*+', '\\1')
REPEATS = ('*', '*?', '*+', '+', '+?', '++', '?', '??', '{1,3}', '{1,3}?', '{2}', '{0,2}?', '{1,2}+')
pick = random.Random(3).choice


def grown(depth):
    kind = pick('item sequence branch repeat group'.split()) if depth else 'item'
    if kind == 'item':
        return pick(ITEMS)
    if kind == 'sequence':
        return grown(depth - 1) + grown(depth - 1)
    if kind == 'branch':
        return f'(?:{grown(depth - 1)}|{grown(depth - 1)})'
    return f'{"(" if kind == 'group' else "(?:"}{grown(depth - 1)}){pick(REPEATS)}'


n_compiled = 0
for _ in range(1500):
    pattern = grown(3) + pick(('', 'b', 'c', '$'))
    try:
        compiled = re.compile(pattern)
    except re.PatternError:
        continue # a reference to a group that is not there, or is open
    n_compiled += 1
    for subject in ('', 'aaa', 'aab', 'abab'):
        for match in (compiled.search(subject), compiled.fullmatch(subject)):
            print(pattern, subject, match and (match.regs, match.lastindex))
print(n_compiled, 'patterns')
