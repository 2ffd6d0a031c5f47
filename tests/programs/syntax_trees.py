# Trees as objects: parsing with positions, dumping, unparsing, transforming, compiling, building by hand, what is refused.
import ast
import copy
import pickle
import warnings

SOURCES = [
    "x = 1; y = 'é' + z; del x",
    "def f(a, /, b: int = 1, *args, c=2, **kw) -> str:\n    'doc'\n    return a\n",
    "async def g():\n    async with a as b: await c\n    async for i in j: yield i\n    return [k async for k in l]\n",
    "@d\nclass C[T: int = str, *Ts, **P](B, metaclass=M):\n    x: int = 1\n    (y): str\n",
    "type A[T] = list[T]",
    "try:\n    pass\nexcept* E as e:\n    raise X from e\nelse: pass\nfinally: pass;\n",
    "match x:\n    case [1, -2.5, *rest] | {'k': v, **r} if v: pass\n    case P(a, b=c) as d: pass\n    case None | _: pass\n",
    "f'a{x!r:>{w}}b{y=}' f'{{}}' t'{z:{w}}'",
    "lambda a, *b: (yield a) if b else [*c, {**d}, {e}]",
    "a[1:2, ::3] = b.c(d, *e, k=1, **f)",
    "if a <= b < c is not d not in e: pass\nelif not -~+x: pass\nelse: pass\n",
    "from . import a as b, c\nimport d.e as f\nfrom __future__ import annotations\n",
    "while (n := n - 1): continue\nelse: break\n",
    "with (a as b, c): pass\nassert x, 'm'\nglobal g\n",
    "0xff, 1_000, 1e3, 2j, b'\\x00', ..., None, True, u'u', 10**30, 100000000000000000000000",
]
for source in SOURCES:
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        print(type(error).__name__, error)
        continue
    print(ast.dump(tree, include_attributes=True))
    print(ast.unparse(tree))


class Double(ast.NodeTransformer):
    def visit_Constant(self, node):
        if isinstance(node.value, int):
            return ast.copy_location(ast.BinOp(node, ast.Mult(), ast.Constant(2)), node)
        return node


tree = ast.fix_missing_locations(Double().visit(ast.parse("x = 20 + 1\nprint(x)")))
exec(compile(tree, "<tree>", "exec"))
print(eval(compile(ast.Expression(ast.fix_missing_locations(ast.Constant((1, frozenset({2}))))), "<tree>", "eval")))

print(ast.Name.__doc__, ast.Name._fields, ast.Name.__match_args__, ast.FunctionDef._field_types)
print(ast.stmt._attributes, ast.operator.__doc__, ast.Return().value, ast.Module().body, ast.Name("x").ctx)
print(repr(ast.parse("a + b + c; d; e")), ast.Constant((1, 2, 3)))
node = pickle.loads(pickle.dumps(ast.parse("x = [1, y]")))
print(ast.dump(node), ast.dump(copy.deepcopy(node)), copy.replace(ast.Name("a"), id="b").id)


class Mine(ast.Name):
    _fields = ast.Name._fields + ("extra",)
    _field_types = {**ast.Name._field_types, "extra": list[int]}


mine = Mine("m", lineno=1, col_offset=0)
print(mine.extra, mine._fields, isinstance(mine, ast.expr))


def refused(make, mode="eval"):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            compile(make(), "<refused>", mode)
            print("accepted")
        except Exception as error:
            print(type(error).__name__, error)
        for warning in caught:
            print(warning.category.__name__, warning.message)


AT = {"lineno": 1, "col_offset": 0}


def module(*body):
    return ast.Module(list(body), [])


refused(lambda: ast.Expression(ast.Name()))
refused(lambda: ast.Expression(ast.Name("x")))
refused(lambda: ast.Expression(ast.Name("x", ast.Store(), **AT)))
refused(lambda: ast.Expression(ast.Name("None", **AT)))
refused(lambda: ast.Expression(ast.Name(1, **AT)))
refused(lambda: ast.Expression(ast.Name("x", wrong=1, **AT)))
refused(lambda: ast.Expression(ast.Constant([1], **AT)))
refused(lambda: ast.Expression(ast.BinOp(ast.Constant(1, **AT), 3, ast.Constant(1, **AT), **AT)))
refused(lambda: ast.Expression(ast.Constant(1, lineno=2, col_offset=0, end_lineno=1, end_col_offset=0)))
refused(lambda: ast.Expression(ast.Compare(ast.Constant(1, **AT), [], [], **AT)))
refused(lambda: ast.Expression(ast.Dict([None], [], **AT)))
refused(lambda: ast.Module([], []))
refused(lambda: module(ast.Pass(**AT), None), "exec")
refused(lambda: ast.Module((), []), "exec")
refused(lambda: module(ast.If(ast.Constant(1, **AT), [], **AT)), "exec")
refused(lambda: module(ast.Assign([], ast.Constant(1, **AT), **AT)), "exec")
refused(lambda: module(ast.Raise(None, ast.Constant(1, **AT), **AT)), "exec")
refused(lambda: module(ast.Try([ast.Pass(**AT)], **AT)), "exec")
refused(lambda: module(ast.ImportFrom("a", [ast.alias("b", **AT)], -1, **AT)), "exec")
refused(lambda: module(ast.stmt(**AT)), "exec")
print(ast.dump(ast.parse("x = 1 # type: int\n", type_comments=True)))
print(ast.literal_eval("{'a': [1, -2.5, (3+4j), b'b', None, {1, 2}]}"))
print(ast.get_docstring(ast.parse("def f():\n    '''one\n\n      two'''").body[0]))
print(ast.get_source_segment("é = (a +\n  b)", ast.parse("é = (a +\n  b)").body[0].value))
print(ast.dump(ast.parse("1 + 2", optimize=1)), ast.dump(ast.parse("(int) -> str", mode="func_type")))
