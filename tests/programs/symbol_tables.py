# What module symtable tells of scopes, and what inspect, codeop and code make of code objects.
import code
import codeop
import inspect
import symtable

SOURCE = '''
import os.path as p
x: int = 1
def outer(a, b=2, *args, c, **kw):
    global g
    local = a
    def inner():
        nonlocal local
        local = b
        return [i + local for i in args]
    return inner, lambda q: q + c, (j for j in kw)
class C[T](list[T]):
    field: T
    __private = 1
    def method(self):
        return __class__, self.__private
type Alias[U: int] = dict[U, x]
'''


def show(table, indent=0):
    pad = "  " * indent
    print(pad, table.get_type(), table.get_name(), table.get_lineno(), table.is_nested(), table.is_optimized(), table.has_children())
    if isinstance(table, symtable.Function):
        print(pad, sorted(table.get_parameters()), sorted(table.get_locals()), sorted(table.get_globals()), sorted(table.get_frees()))
    for symbol in sorted(table.get_symbols(), key=lambda symbol: symbol.get_name()):
        tests = ["parameter", "global", "nonlocal", "local", "free", "imported", "assigned", "referenced", "annotated", "namespace"]
        print(pad, "-", symbol.get_name(), [test for test in tests if getattr(symbol, "is_" + test)()])
    for child in table.get_children():
        show(child, indent + 1)


show(symtable.symtable(SOURCE, "<source>", "exec"))
for source, mode in [("x y", "exec"), ("def f(a, a): pass", "exec"), ("x", "wrong")]:
    try:
        symtable.symtable(source, "<source>", mode)
    except (SyntaxError, ValueError) as error:
        print(type(error).__name__, error)


def documented(a, /, b: int = 1, *args: str, c=None, **kw) -> list:
    """Says what it is."""
    return [a, b]


print(inspect.signature(documented), inspect.getdoc(documented), inspect.getsource(documented), sep="\n")
for text in ["x = 1", "if x:", "def f():\n  pass", "def f():\n  pass\n", "(1,", "'''a", "a = 'b\\", "1 +", "x y"]:
    try:
        compiled = codeop.compile_command(text)
        print(repr(text), compiled is None)
    except SyntaxError as error:
        print(repr(text), type(error).__name__)
interpreter = code.InteractiveInterpreter({"x": 20})
print(interpreter.runsource("print(x + 1)"), interpreter.runsource("for i in x:"))
