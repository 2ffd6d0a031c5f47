"""A code object with more names than sixteen bits count: variables, attributes, methods, imports, deletions."""

N = 66_000

lines = [f"n{i} = {i}" for i in range(N)]
lines += [
    "class Base:",
    "    value = 'base'",
    "    def method(self): return 'method of ' + type(self).__name__",
    "class Late(Base):",
    "    own = n65535 + n65536",
    "    def method(self): return super().method() + ', ' + super().value",
    "late = Late()",
    "late.attribute = n0",
    "late.attribute += n65999",
    "print(late.attribute, late.own, late.method(), Late.value)",
    "print(hasattr(late, 'attribute'))",
    "del late.attribute",
    "print(hasattr(late, 'attribute'), len(dir()))",
    "from os.path import join as joined, split",
    "import json.decoder as decoder",
    "print(joined('a', 'b'), split('a/b'), decoder.JSONDecodeError.__name__)",
    "del n65536",
    "try:",
    "    n65536",
    "except NameError as e:",
    "    print(e)",
    "try:",
    "    late.nothing",
    "except AttributeError as e:",
    "    print(e)",
]
source = "\n".join(lines)
exec(compile(source, "<many names>", "exec"), {"__name__": "many"})

# The same in a function, whose names are globals.
body = "".join(f"    g{i}\n" for i in range(N))
namespace = {f"g{i}": i for i in range(N)}
exec(f"def f():\n{body}    global last\n    last = g65999 + g1\n    return last.bit_length(), last", namespace)
for _ in range(5):
    result = namespace["f"]()
print(result, namespace["last"])
