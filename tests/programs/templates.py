"""Template strings: t"…", Template and Interpolation, iteration, concatenation, repr."""
from string.templatelib import Interpolation, Template
import pickle


def attempt(function, *args):
    try:
        return function(*args)
    except Exception as e:
        return type(e).__name__, str(e)


name, n = "world", 3.14159
t = t"Hello {name!r:>10} and {n:.{2}f}{name}!"
print(t.strings, t.values)
for part in t.interpolations:
    print(part.value, part.expression, part.conversion, part.format_spec, part)
print(list(t), len(list(t)), type(iter(t)).__name__)
print(t"", t"x", t"{1}", list(t""), list(t"{1}{2}"), t"{name=}".strings)
both = t"a{1}b" + t"c{2}"
print(both.strings, both.values, attempt(lambda: t"a" + "b"), attempt(lambda: "a" + t"b"))
print(Template("a", "b", Interpolation(1, "x"), Interpolation(2)), Template(), attempt(Template, 1), attempt(Interpolation, 1, "x", "q"), Interpolation(1, "x", "s", ">"))
match Interpolation(5, "five"):
    case Interpolation(value, expression, conversion, spec):
        print(value, expression, conversion, repr(spec))
print(pickle.loads(pickle.dumps(t)).strings, Template[int], Interpolation.__match_args__)


def f(template):
    parts = []
    for item in template:
        match item:
            case str() as text:
                parts.append(text)
            case Interpolation(value, _, conversion, spec):
                value = {"r": repr, "s": str, "a": ascii, None: lambda v: v}[conversion](value)
                parts.append(format(value, spec))
    return "".join(parts)


print(f(t), f"Hello {name!r:>10} and {n:.{2}f}{name}!" == f(t))
