# wheels: pyyaml==6.0.3
"""PyYAML: its C parser and emitter (Cython over libyaml) read and write what its Python code does."""

import io

import yaml
from yaml import _yaml

assert yaml.__with_libyaml__ and _yaml.__file__.endswith(".so")
print(_yaml.get_version_string(), _yaml.get_version())

DOCUMENT = """\
# a comment
name: Adder
numbers: [1, 2.5, 0x1F, 1e3, -.inf, ~]
dates: {a: 2026-11-20, b: 2026-11-20T10:11:12Z}
anchor: &base {x: 1, y: [a, b]}
merged:
  <<: *base
  z: yes
same: *base
text: |
  two
  lines
folded: >-
  one line
  of two
quoted: "tab\\t \\u00e9 \\U0001F600"
binary: !!binary aGVsbG8=
set: !!set {p, q}
"""

fast = yaml.load(DOCUMENT, Loader=yaml.CSafeLoader)
slow = yaml.load(DOCUMENT, Loader=yaml.SafeLoader)
assert fast == slow
assert fast["anchor"] is fast["same"]
for key, value in fast.items():
    print(key, ascii(value) if key != "set" else sorted(value))

emitted = yaml.dump(fast, Dumper=yaml.CSafeDumper, sort_keys=True, allow_unicode=False)
assert emitted == yaml.dump(slow, Dumper=yaml.SafeDumper, sort_keys=True, allow_unicode=False)
print(emitted)
assert yaml.load(io.BytesIO(emitted.encode()), Loader=yaml.CSafeLoader) == fast

for token in yaml.scan("- a: [1, 'b']", Loader=yaml.CLoader):
    print(type(token).__name__, token.start_mark.line, token.start_mark.column, end="; ")
print()
for event in yaml.parse("&x !t {a: *x}", Loader=yaml.CLoader):
    print(event)
print(yaml.compose("k: [v]", Loader=yaml.CLoader).value[0][1])

for bad in ["a: [1, 2", "a: b: c", "\t- x", "*unknown", "!!python/object:os.system {}"]:
    try:
        yaml.load(bad, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as err:
        print(type(err).__name__, "|", str(err).replace("\n", " / "))


class Point(yaml.YAMLObject):
    yaml_tag = "!point"
    yaml_loader = yaml.CSafeLoader
    yaml_dumper = yaml.CSafeDumper

    def __init__(self, x, y):
        self.x, self.y = x, y


point = yaml.load("!point {x: 3, y: 4}", Loader=yaml.CSafeLoader)
print(type(point).__name__, point.x, point.y, yaml.dump([point], Dumper=yaml.CSafeDumper).replace("\n", " / "))
print(list(yaml.load_all("--- 1\n--- [2]\n--- {3: 4}\n", Loader=yaml.CSafeLoader)))
large = [{"key%d" % key: list(range(key % 5)) for key in range(50)} for _ in range(40)]
assert yaml.load(yaml.dump(large, Dumper=yaml.CSafeDumper), Loader=yaml.CSafeLoader) == large
