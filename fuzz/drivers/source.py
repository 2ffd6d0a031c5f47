# Source text: the compiler and the parser's trees agree on what is a program, and what is unparsed is one.
import ast
import marshal

MODES = ('exec', 'eval', 'single')
REFUSED = (SyntaxError, ValueError, OverflowError)


def compiled(source, mode, optimize=-1):
    try:
        return compile(source, '<fuzz>', mode, dont_inherit=True, optimize=optimize)
    except REFUSED:
        return None


def examine(code):
    """Everything of a code object that is worked out from its tables."""
    for _ in code.co_positions():
        pass
    for _ in code.co_lines():
        pass
    assert marshal.loads(marshal.dumps(code)) == code
    for constant in code.co_consts:
        if isinstance(constant, type(code)):
            examine(constant)


def one(data):
    choice, data = data[:1], data[1:]
    choice = choice[0] if choice else 0
    mode = MODES[choice % 3]
    source = data if choice & 64 else data.decode('utf-8', 'surrogateescape' if choice & 128 else 'replace')
    code = compiled(source, mode, choice >> 2 & 3 if choice & 4 else -1)
    if code is not None:
        examine(code)
    with_types = bool(choice & 32)
    try:
        tree = ast.parse(source, mode=mode, type_comments=with_types)
    except REFUSED:
        assert code is None or with_types, 'what compiles must parse'
        return
    compiled(tree, mode)
    if mode == 'single':
        return
    try:
        text = ast.unparse(tree)
    except REFUSED:
        return  # names and constants that no text can give
    ast.dump(tree)
    compiled(text, mode)
