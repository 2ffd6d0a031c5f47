# Token streams of module tokenize, with and without what is only for people, and what is refused.
import io
import tokenize
import _tokenize

SOURCES = [
    "x = 1\n",
    "x",
    "",
    "# comment\n\nif x:\n    y  # more\n\n    # deep\n  # odd\nz\n",
    "if x:\n\ty\n\tif z:\n\t\tw\n",
    "(a,\n  # inside\n b)\n",
    "a = b + \\\n    c\n",
    "é = 'ñ' + ünï\r\n",
    "s = '''one\ntwo''' + \"\"\"\"\"\"\n",
    "rb'\\x00' Rb\"\" u'x' br'y'\n",
    "f'a{x!r:>{w}}b{{}}' rf\"{y=}\" t'{z}'\n",
    "f'''a\n{x\n}b\n{y:\n>3}'''\n",
    "f'\\N{DASH} {f\"{1}\"}'\n",
    "0xff 0b1 0o7 1_000 1e5 .5 1. 2j 012 1if x else y\n",
    "a <> b != c ** d //= e -> f := g ... @ h @= i >>= j\n",
    "$ ? ! `\n",
    "async def f(): await x\n",
    "match x:\n  case _: type y = z\n",
]
for source in SOURCES:
    print(ascii(source))
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        print("  ", ascii(tuple(token)), token.exact_type)
    try:
        for token in _tokenize.TokenizerIter(io.StringIO(source).readline, extra_tokens=False):
            print("  .", ascii(token))
    except SyntaxError as error:
        print("  .", ascii(error.args))

for source in ["(a,\n b", "'abc\n", "'''abc\n", "f'{x\n", "f'{a:\n}'\n", "if x:\n    a\n  b\n", "if x:\n\ta\n        b\n", "a \\ b\n",
               "0x_g\n", "1__0\n", "0b12\n", "ub''\n", "\\\n", "(" * 250, "x)\n", "f'}'\n", "a\0b"]:
    for extra in (True, False):
        try:
            list(_tokenize.TokenizerIter(io.StringIO(source).readline, extra_tokens=extra))
            print(ascii(source)[:20], "accepted")
        except SyntaxError as error:
            print(ascii(source)[:20], type(error).__name__, ascii(error.args))
        except ValueError as error:
            print(ascii(source)[:20], type(error).__name__)

encoded = "# coding: latin-1\nx = 'é'\n".encode("latin-1")
tokens = list(tokenize.tokenize(io.BytesIO(encoded).readline))
print(ascii(tokens[0].string), ascii(tokens[4].string), tokenize.untokenize(tokens) == encoded)
