"""The import system: packages, relative and circular imports, module attributes, finders, reload, failures, namespaces."""
import importlib
import importlib.abc
import importlib.util
import sys
import types

import _programs.helper as helper

print(helper.value, helper.__name__, helper.__package__, helper.__file__.endswith("helper.py"), sys.modules["_programs"].helper is helper)
from _programs import *
from _programs import lazy
from _programs.nested.deep import *

print(constant, lazy, number, public, "_private" in globals(), dir(sys.modules["_programs"]))
from _programs import circular_a

print(circular_a.value, circular_a.other, circular_a.circular_b.seen)
for statement in ("import _programs.absent", "from _programs import absent", "import absent_module", "import _programs.failing", "from _programs.helper import nope", "from . import x", "import _programs.helper.deeper", "from .. import y", "__import__('')", "importlib.import_module('.x')"):
    try:
        exec(statement)
    except Exception as err:
        print(statement, "|", type(err).__name__, "|", str(err).split(" (")[0], "|", getattr(err, "name", None))
print("_programs.failing" in sys.modules, importlib.import_module(".nested.deep", "_programs").number)
before = helper.value
helper.value = "changed"
print(importlib.reload(helper) is helper, helper.value == before)
made = types.ModuleType("made", "its documentation")
exec("def f(): return __name__", made.__dict__)
sys.modules["made"] = made
import made as again

print(again.f(), again.__doc__, again is made, repr(made))


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        if name.startswith("virtual_"):
            return importlib.util.spec_from_loader(name, self, origin="nowhere")
        return None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        module.message = "loaded " + module.__name__


sys.meta_path.insert(0, Finder())
import virtual_thing

print(virtual_thing.message, virtual_thing, virtual_thing.__spec__.origin)
sys.modules["blocked"] = None
try:
    import blocked
except ImportError as err:
    print(type(err).__name__, err)
print(importlib.util.find_spec("json").name, importlib.util.find_spec("no_such_thing"), __name__, __spec__, __import__("os.path").__name__, __import__("os.path", fromlist=["join"]).__name__ in ("posixpath", "os.path"))


def inside():
    import math as m, json.decoder
    from os import path as p, sep

    return m.floor(2.5), json.decoder.__name__, p.join("a", "b"), sep


print(inside(), "json" in globals())
sub = type("Sub", (types.ModuleType,), {"computed": property(lambda self: "computed")})
made.__class__ = sub
print(made.computed)
del sys.modules["made"]
try:
    import made
except ModuleNotFoundError as err:
    print(err)
import builtins

original = builtins.__import__
builtins.__import__ = lambda name, *rest: print("hook", name) or original(name, *rest)
import math

builtins.__import__ = original
print(math.pi)
