# wheels: cffi==2.1.1 pycparser==3.12 setuptools==84.2.1
"""cffi with its own compiled backend: ABI mode, out-of-line ABI modules, API mode (a module compiled by `ffi.compile()` against
CPython's headers), structs, arrays, callbacks, handles, errors."""

import contextlib
import io
import os
import sys
import tempfile

import cffi

ffi = cffi.FFI()
ffi.cdef("""
    typedef struct { int x; double y; char name[8]; } point_t;
    typedef struct node { int value; struct node *next; } node_t;
    union number { int i; float f; };
    enum colour { RED, GREEN = 5, BLUE };
    int abs(int);
    double sqrt(double);
    size_t strlen(const char *);
    int snprintf(char *buffer, size_t size, const char *format, ...);
    void qsort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *));
""")
lib = ffi.dlopen(None)
print(lib.abs(-3), lib.strlen(b"hello"), ffi.sizeof("point_t"), ffi.alignof("point_t"), ffi.offsetof("point_t", "name"))
print(ffi.dlopen("libm.so.6").sqrt(2.0))
buffer = ffi.new("char[]", 32)
print(lib.snprintf(buffer, 32, b"%d-%s", ffi.cast("int", 42), ffi.new("char[]", b"abc")), ffi.string(buffer))

point = ffi.new("point_t *", {"x": 3, "y": 2.5, "name": b"p"})
print(point.x, point.y, ffi.string(point.name), ffi.typeof(point), ffi.typeof("point_t").kind)
point.x += 4
copy = ffi.new("point_t *", point[0])
print(copy.x, copy[0] == copy[0], ffi.buffer(copy)[:4], bytes(ffi.buffer(copy, 2)))
first = ffi.new("node_t *", [1])
second = ffi.new("node_t *", (2, first))
print(second.next.value, second.next == first, second.next.next == ffi.NULL)
number = ffi.new("union number *")
number.f = 1.0
print(hex(number.i), ffi.cast("enum colour", 5), int(ffi.cast("enum colour", 6)), lib.GREEN)

numbers = ffi.new("int[5]", [3, 1, 4, 1, 5])


@ffi.callback("int(const void *, const void *)")
def compare(left, right):
    return ffi.cast("int *", left)[0] - ffi.cast("int *", right)[0]


lib.qsort(numbers, 5, ffi.sizeof("int"), compare)
print(list(numbers), ffi.unpack(numbers, 3), (numbers + 1)[0], numbers[1:4][2], len(numbers))
matrix = ffi.new("double[2][3]", [[1, 2, 3], [4, 5, 6]])
print(matrix[1][2], ffi.typeof(matrix), ffi.sizeof(matrix))
data = bytearray(b"abcdef")
view = ffi.from_buffer("char[]", data)
view[0] = b"X"
print(data, ffi.addressof(numbers, 2)[0], ffi.cast("uintptr_t", ffi.NULL) == 0)
handle = ffi.new_handle({"key": 1})
print(ffi.from_handle(handle), ffi.getctype("int[3]", "*"), ffi.typeof("int(*)(char)").args)
kept = []
tracked = ffi.gc(ffi.new("int *", 7), lambda pointer: kept.append(pointer[0]))
del tracked
print(kept, ffi.memmove(buffer, b"moved", 6), ffi.string(buffer))

with tempfile.TemporaryDirectory() as folder:
    builder = cffi.FFI()
    builder.cdef("int abs(int); typedef struct { short a; long b; } pair;")
    builder.set_source("_pair", None)
    with contextlib.redirect_stdout(io.StringIO()):
        builder.emit_python_code(os.path.join(folder, "_pair.py"))
    sys.path.insert(0, folder)
    import _pair

    print(_pair.ffi.dlopen(None).abs(-9), _pair.ffi.new("pair *", [1, 2]).b)

DECLARATIONS = """
    typedef struct { int x; double y; ...; } point;
    enum kind { FIRST, SECOND = 7, ... };
    int add(int, int);
    double norm(const point *);
    int each(int count, int (*function)(int));
    extern int counter;
    #define LIMIT ...
    static const int MAGIC;
    extern "Python" int twice(int);
    int call_twice(int);
    const char *name(void);
    void *find(const char *);
"""
SOURCE = r"""
    #include <math.h>
    #include <string.h>
    typedef struct { char pad; int x; double y; } point;
    enum kind { FIRST, SECOND = 7, THIRD };
    #define LIMIT 99
    #define MAGIC 1234
    static int counter = 5;
    static int add(int a, int b) { counter++; return a + b; }
    static double norm(const point *p) { return sqrt(p->x * p->x + p->y * p->y); }
    static int each(int count, int (*function)(int)) { int sum = 0; for (int i = 0; i < count; i++) sum += function(i); return sum; }
    static int twice(int);
    static int call_twice(int n) { return twice(n) + 1; }
    static const char *name(void) { return "demo"; }
    static void *find(const char *text) { return strchr(text, ':'); }
"""
with tempfile.TemporaryDirectory() as folder:
    builder = cffi.FFI()
    builder.cdef(DECLARATIONS)
    builder.set_source("_demo", SOURCE, libraries=["m"])
    print(os.path.basename(builder.compile(tmpdir=folder)))
    sys.path.insert(0, folder)
    from _demo import ffi as demo_ffi
    from _demo import lib as demo

    print(demo.add(2, 3), demo.counter, demo.LIMIT, demo.MAGIC, demo.SECOND, dir(demo))
    place = demo_ffi.new("point *", {"x": 3, "y": 4.0})
    print(demo.norm(place), demo_ffi.sizeof("point"), demo_ffi.offsetof("point", "y"))
    print(demo.each(4, demo_ffi.callback("int(int)", lambda i: i * i)), demo.find(b"abc") == demo_ffi.NULL)

    @demo_ffi.def_extern()
    def twice(number):
        return 2 * number

    print(demo.call_twice(20), demo_ffi.string(demo.name()), type(demo.add), demo.add.__name__)
    demo.counter = 40
    print(demo.add(1, 1), demo.counter, sum(demo.add(i, i) for i in range(1000)))
    for bad in (lambda: demo.add("a", 1), lambda: demo.nothing, lambda: demo.add(2**40, 1), lambda: demo.add(1)):
        try:
            print(bad())
        except Exception as error:
            print(type(error).__name__, error)

for bad in (
    lambda: lib.abs("x"),
    lambda: ffi.new("int[2]", [1, 2, 3]),
    lambda: numbers[5],
    lambda: ffi.new("nothing *"),
    lambda: lib.nothing,
    lambda: ffi.cdef("int f(;"),
    lambda: ffi.new("int *", 2**40),
):
    try:
        print(bad())
    except Exception as error:
        print(type(error).__name__, str(error).splitlines()[0][:60])
