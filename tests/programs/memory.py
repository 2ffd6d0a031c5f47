"""Lifetimes: immediate finalizers, cycles and gc, weak references and their callbacks, weak containers, resurrection."""
import gc
import sys
import weakref

log = []


class Tracked:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        log.append(self.name)

    def __repr__(self):
        return f"Tracked({self.name})"


def show(label):
    print(label, log)
    log.clear()


x = Tracked("rebound")
x = None
show("at once")
items = [Tracked("in list"), Tracked("other")]
del items[0]
show("deleted item")
items.clear()
show("cleared")


def local():
    a = Tracked("local")
    b = [Tracked("nested")]
    return len(b)


local()
show("after the call")
try:
    held = Tracked("in frame")
    raise ValueError(held)
except ValueError as err:
    del held
    show("while handled")
show("after the handler")
a, b = Tracked("cycle a"), Tracked("cycle b")
a.other, b.other = b, a
gc.collect()
del a, b
show("before collect")
print(gc.collect() > 0)
log.sort()
show("after collect")

target = Tracked("weak")
ref = weakref.ref(target, lambda r: log.append("callback"))
proxy = weakref.proxy(target)
print(ref() is target, proxy.name, weakref.getweakrefcount(target), ref == weakref.ref(target), isinstance(proxy, Tracked))
del target
print(ref())
show("weak")
try:
    proxy.name
except ReferenceError as err:
    print(err)

keys = weakref.WeakKeyDictionary()
values = weakref.WeakValueDictionary()
members = weakref.WeakSet()
k = Tracked("key")
keys[k] = 1
values["v"] = k
members.add(k)
print(len(keys), len(values), len(members))
del k
print(len(keys), len(values), len(members))
show("weak containers")

saved = []


class Phoenix:
    def __del__(self):
        saved.append(self)


Phoenix()
print(len(saved), type(saved[0]).__name__)
saved.clear()
print("finalized once", len(saved))


class Method:
    def run(self):
        return "ran"


m = Method()
bound = weakref.WeakMethod(m.run)
print(bound()())
del m
print(bound())
finalizer_target = Tracked("finalize")
finalizer = weakref.finalize(finalizer_target, log.append, "finalizer ran")
print(finalizer.alive)
del finalizer_target
print(finalizer.alive)
show("finalize")


def generator():
    try:
        held = Tracked("held by generator")
        yield 1
    finally:
        log.append("generator closed")


g = generator()
next(g)
del g
show("generator dropped")
for bad in (5, "text", (1,)):
    try:
        weakref.ref(bad)
    except TypeError as err:
        print(err)
x = object()
before = sys.getrefcount(x)
y = [x, x]
print(sys.getrefcount(x) - before, gc.is_tracked([]), gc.is_tracked(5), gc.isenabled())


class Raises:
    def __del__(self):
        raise ValueError("in finalizer")


hook = sys.unraisablehook
sys.unraisablehook = lambda info: print("unraisable", info.exc_type.__name__, info.exc_value)
Raises()
sys.unraisablehook = hook


class Node:
    def __init__(self):
        self.me = self
        self.tracked = Tracked("self cycle")


Node()
gc.collect()
show("self cycle")


def closure_cycle():
    held = Tracked("closure cycle")

    def inner():
        return inner, held

    return None


closure_cycle()
gc.collect()
show("closure cycle")
deep = None
for _ in range(100000):
    deep = (deep,)
del deep
deep = []
for _ in range(100000):
    deep = [deep]
del deep
print("deep structures are freed")
a = Tracked("swap a")
b = Tracked("swap b")
a, b = b, a
del a
show("swapped")
b.self = b
del b
gc.collect()
show("collected")
