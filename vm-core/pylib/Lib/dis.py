"""Disassembler of Adder's bytecode.

The interface is that of CPython's module; what it shows is the bytecode that really runs: instructions on registers.
Offsets count two for each word, so that `offset // 2` is the index of a word in `code.co_positions()`, and `co_code` has
eight bytes for each.
"""

import collections
import io
import sys
import types
import _opcode

from opcode import *
from opcode import __all__ as _opcodes_all, _inline_cache_entries, _specializations, _specialized_opmap

__all__ = ["code_info", "dis", "disassemble", "distb", "disco", "findlinestarts", "findlabels", "show_code",
           "get_instructions", "Instruction", "Bytecode"] + _opcodes_all
del _opcodes_all

_have_code = (types.MethodType, types.FunctionType, types.CodeType, classmethod, staticmethod, type)

COMPILER_FLAG_NAMES = {
    1: "OPTIMIZED",
    2: "NEWLOCALS",
    4: "VARARGS",
    8: "VARKEYWORDS",
    16: "NESTED",
    32: "GENERATOR",
    64: "NOFREE",
    128: "COROUTINE",
    256: "ITERABLE_COROUTINE",
    512: "ASYNC_GENERATOR",
    0x4000000: "HAS_DOCSTRING",
    0x8000000: "METHOD",
}


def pretty_flags(flags):
    """The names of a code object's flags."""
    names = []
    for bit in range(32):
        flag = 1 << bit
        if flags & flag:
            names.append(COMPILER_FLAG_NAMES.get(flag, hex(flag)))
    return ", ".join(names) or hex(flags)


def _try_compile(source, name):
    try:
        return compile(source, name, "eval")
    except SyntaxError:
        return compile(source, name, "exec")


def _code_of(x):
    """The code object of a function, method, generator, coroutine or source text, or x itself."""
    x = getattr(x, "__func__", x)
    for name in ("__code__", "gi_code", "ag_code", "cr_code"):
        code = getattr(x, name, None)
        if code is not None:
            return code
    return x


def _get_code_object(x):
    x = _code_of(x)
    if isinstance(x, str):
        x = _try_compile(x, "<disassembly>")
    if hasattr(x, "co_code"):
        return x
    raise TypeError("don't know how to disassemble %s objects" % type(x).__name__)


def _format_code_info(co):
    lines = []
    for label, value in (
        ("Name:", co.co_name),
        ("Filename:", co.co_filename),
        ("Argument count:", co.co_argcount),
        ("Positional-only arguments:", co.co_posonlyargcount),
        ("Kw-only arguments:", co.co_kwonlyargcount),
        ("Number of locals:", co.co_nlocals),
        ("Stack size:", co.co_stacksize),
        ("Flags:", pretty_flags(co.co_flags)),
    ):
        lines.append("%-18s %s" % (label, value))
    if co.co_consts:
        lines.append("Constants:")
        lines += ["%4d: %r" % pair for pair in enumerate(co.co_consts)]
    for title, names in (
        ("Names:", co.co_names),
        ("Variable names:", co.co_varnames),
        ("Free variables:", co.co_freevars),
        ("Cell variables:", co.co_cellvars),
    ):
        if names:
            lines.append(title)
            lines += ["%4d: %s" % pair for pair in enumerate(names)]
    return "\n".join(lines)


def code_info(x):
    """Details of a function, generator, method, code object or source text, as text."""
    return _format_code_info(_get_code_object(x))


def show_code(co, *, file=None):
    """Print what `code_info` tells."""
    print(code_info(co), file=file)


Positions = collections.namedtuple("Positions", ["lineno", "end_lineno", "col_offset", "end_col_offset"],
                                   defaults=[None] * 4)

_Instruction = collections.namedtuple(
    "_Instruction",
    ["opname", "opcode", "arg", "argval", "argrepr", "offset", "start_offset", "starts_line", "line_number", "label",
     "positions", "cache_info"],
    defaults=[None, None, None],
)


class Instruction(_Instruction):
    """One instruction.

    `arg` is the tuple of operands, each a (kind, value) pair; `argval` is the name, jump target or constant that the
    instruction is about, else the text of its operands.
    """

    __slots__ = ()

    @property
    def oparg(self):
        """Alias of arg."""
        return self.arg

    @property
    def baseopcode(self):
        """The opcode that a specialised one is a form of."""
        return opmap.get(self.baseopname, self.opcode)

    @property
    def baseopname(self):
        """Name of `baseopcode`."""
        return _deoptmap.get(self.opname, self.opname)

    @property
    def cache_offset(self):
        """Where the words behind the instruction begin."""
        return self.offset + 2

    @property
    def end_offset(self):
        """Where the next instruction begins."""
        return self.cache_offset + 2 * _inline_cache_entries[self.opname]

    @property
    def jump_target(self):
        """Offset of the jump's target, if it is a jump."""
        return next((value for kind, value in self.arg or () if kind == "target"), None)

    @property
    def is_jump_target(self):
        """Whether other code jumps here."""
        return self.label is not None

    def __str__(self):
        output = io.StringIO()
        _print_instruction(self, file=output)
        return output.getvalue().rstrip("\n")


_deoptmap = {name: base for base, family in _specializations.items() for name in family}

_ExceptionTableEntry = collections.namedtuple("_ExceptionTableEntry", "start end target depth lasti")


def _print_exception_table(co, *, file=None):
    entries = [_ExceptionTableEntry(*row) for row in _opcode._exception_entries(co)]
    if entries:
        print("ExceptionTable:", file=file)
        for entry in entries:
            lasti = " lasti" if entry.lasti else ""
            print(f"  {entry.start} to {entry.end} -> {entry.target} [{entry.depth}]{lasti}", file=file)


def findlabels(code):
    """Offsets of all jump targets of a code object."""
    labels = []
    for row in _opcode._instructions(_get_code_object(code)):
        if row[7] is not None and row[7] not in labels:
            labels.append(row[7])
    return labels


def findlinestarts(code):
    """Pairs (offset, line) of where lines begin in a code object; line None for code without one."""
    last = False
    for start, _, line in code.co_lines():
        if line is not last:
            last = line
            yield start, line


def _instructions_of(co, *, first_line=None, adaptive=False):
    rows = _opcode._instructions(co, adaptive)
    labels = {target: number for number, target in enumerate(sorted({row[7] for row in rows if row[7] is not None}), 1)}
    starts = dict(findlinestarts(co))
    shift = first_line - co.co_firstlineno if first_line is not None else 0
    positions = [Positions(*entry) for entry in co.co_positions()]
    line = None
    for name, number, operands, argval, argrepr, offset, words, target in rows:
        starts_line = offset in starts
        if starts_line:
            line = starts[offset]
            if line is not None:
                line += shift
        cache_info = [("words", words - 1, b"")] if words > 1 else None
        if target is not None:
            argrepr = argrepr.replace("->%d" % (target // 2), "to L%d" % labels[target])
        yield Instruction(name, number, operands or None, argval, argrepr, offset, offset, starts_line, line,
                          labels.get(offset), positions[offset // 2], cache_info)


def get_instructions(x, *, first_line=None, show_caches=None, adaptive=False):
    """Iterate over the instructions of a function, method, code object or source text."""
    return _instructions_of(_get_code_object(x), first_line=first_line, adaptive=adaptive)


def _print_instruction(instr, *, file=None, line_width=0, show_offsets=False, show_positions=False, current=False):
    fields = []
    if show_positions:
        p = instr.positions
        if p.lineno is None:
            place = "-"
        else:
            place = ":".join("?" if n is None else str(n) for n in (p.lineno, p.col_offset))
            place += "-" + ":".join("?" if n is None else str(n) for n in (p.end_lineno, p.end_col_offset))
        fields.append("%-16s" % place)
    elif line_width:
        line = ""
        if instr.starts_line:
            line = "--" if instr.line_number is None else str(instr.line_number)
        fields.append(line.rjust(line_width))
    fields.append("-->" if current else "   ")
    fields.append(("L%d:" % instr.label if instr.label is not None else "").rjust(5))
    if show_offsets:
        fields.append("%5d" % instr.offset)
    fields.append("%-24s" % instr.opname)
    fields.append(instr.argrepr)
    print(" ".join(fields).rstrip(), file=file)


def disassemble(co, lasti=-1, *, file=None, show_caches=False, adaptive=False, show_offsets=False, show_positions=False):
    """Print the instructions of a code object; that at offset lasti is marked."""
    instructions = list(_instructions_of(co, adaptive=adaptive))
    lines = [str(i.line_number) for i in instructions if i.line_number is not None]
    width = max(3, max(map(len, lines), default=0))
    for instr in instructions:
        if instr.starts_line and instr.offset > 0 and not show_positions:
            print(file=file)
        current = instr.offset <= lasti < instr.end_offset
        _print_instruction(instr, file=file, line_width=width, show_offsets=show_offsets,
                           show_positions=show_positions, current=current)
    _print_exception_table(co, file=file)


disco = disassemble


def _disassemble_recursive(co, *, file=None, depth=None, **options):
    disassemble(co, file=file, **options)
    if depth is None or depth > 0:
        if depth is not None:
            depth -= 1
        for constant in co.co_consts:
            if hasattr(constant, "co_code"):
                print(file=file)
                print("Disassembly of %r:" % (constant,), file=file)
                _disassemble_recursive(constant, file=file, depth=depth, **options)


def dis(x=None, *, file=None, depth=None, show_caches=False, adaptive=False, show_offsets=False, show_positions=False):
    """Disassemble classes, methods, functions, generators, code objects or source text.

    Without an argument, disassemble the last traceback.
    """
    options = dict(show_caches=show_caches, adaptive=adaptive, show_offsets=show_offsets, show_positions=show_positions)
    if x is None:
        distb(file=file, **options)
        return
    x = _code_of(x)
    if hasattr(x, "__dict__") and not hasattr(x, "co_code"):
        for name, member in sorted(x.__dict__.items()):
            if isinstance(member, _have_code):
                print("Disassembly of %s:" % name, file=file)
                try:
                    dis(member, file=file, depth=depth, **options)
                except TypeError as error:
                    print("Sorry:", error, file=file)
                print(file=file)
    elif isinstance(x, str):
        _disassemble_recursive(_try_compile(x, "<dis>"), file=file, depth=depth, **options)
    elif hasattr(x, "co_code"):
        _disassemble_recursive(x, file=file, depth=depth, **options)
    elif isinstance(x, (bytes, bytearray)):
        raise TypeError("bytecode without its code object has no names and constants to show")
    else:
        raise TypeError("don't know how to disassemble %s objects" % type(x).__name__)


def distb(tb=None, *, file=None, show_caches=False, adaptive=False, show_offsets=False, show_positions=False):
    """Disassemble a traceback, by default the last one."""
    if tb is None:
        try:
            if hasattr(sys, "last_exc"):
                tb = sys.last_exc.__traceback__
            else:
                tb = sys.last_traceback
        except AttributeError:
            raise RuntimeError("no last traceback to disassemble") from None
        while tb.tb_next:
            tb = tb.tb_next
    disassemble(tb.tb_frame.f_code, tb.tb_lasti, file=file, show_caches=show_caches, adaptive=adaptive,
                show_offsets=show_offsets, show_positions=show_positions)


class Bytecode:
    """The bytecode of an object: iterating yields its instructions."""

    def __init__(self, x, *, first_line=None, current_offset=None, show_caches=False, adaptive=False, show_offsets=False,
                 show_positions=False):
        self.codeobj = _get_code_object(x)
        self.first_line = self.codeobj.co_firstlineno if first_line is None else first_line
        self._original_object = x
        self.current_offset = current_offset
        self.show_caches = show_caches
        self.adaptive = adaptive
        self.show_offsets = show_offsets
        self.show_positions = show_positions

    def __iter__(self):
        return _instructions_of(self.codeobj, first_line=self.first_line, adaptive=self.adaptive)

    def __repr__(self):
        return "{}({!r})".format(self.__class__.__name__, self._original_object)

    @classmethod
    def from_traceback(cls, tb, *, show_caches=False, adaptive=False):
        """The bytecode of the innermost frame of a traceback, with the current instruction marked."""
        while tb.tb_next:
            tb = tb.tb_next
        return cls(tb.tb_frame.f_code, current_offset=tb.tb_lasti, show_caches=show_caches, adaptive=adaptive)

    def info(self):
        """What `code_info` tells."""
        return _format_code_info(self.codeobj)

    def dis(self):
        """The disassembly as text."""
        offset = -1 if self.current_offset is None else self.current_offset
        output = io.StringIO()
        disassemble(self.codeobj, offset, file=output, show_caches=self.show_caches, adaptive=self.adaptive,
                    show_offsets=self.show_offsets, show_positions=self.show_positions)
        return output.getvalue()


def _find_imports(co):
    """(name, level, fromlist) of the imports in a code object."""
    for _, number, operands, *_ in _opcode._instructions(co):
        if opname[number] == "IMPORT_NAME":
            values = [value for kind, value in operands if kind in ("const", "name")]
            if len(values) == 3:
                level, fromlist, name = values
                yield name, level, fromlist


def _find_store_names(co):
    """Names that a code object stores as globals."""
    seen = set()
    for name, _, _, argval, *_ in _opcode._instructions(co):
        if name in ("STORE_NAME", "STORE_GLOBAL") and argval not in seen:
            seen.add(argval)
            yield argval


def main(args=None):
    import argparse

    parser = argparse.ArgumentParser()
    parser.add_argument("-C", "--show-caches", action="store_true", help="accepted; words behind instructions have no text")
    parser.add_argument("-O", "--show-offsets", action="store_true", help="show offsets of instructions")
    parser.add_argument("-P", "--show-positions", action="store_true", help="show places in the source")
    parser.add_argument("-S", "--specialized", action="store_true", help="show specialised instructions")
    parser.add_argument("infile", nargs="?", default="-")
    args = parser.parse_args(args=args)
    if args.infile == "-":
        name = "<stdin>"
        source = sys.stdin.buffer.read()
    else:
        name = args.infile
        with open(args.infile, "rb") as infile:
            source = infile.read()
    code = compile(source, name, "exec")
    dis(code, show_caches=args.show_caches, adaptive=args.specialized, show_offsets=args.show_offsets,
        show_positions=args.show_positions)


if __name__ == "__main__":
    main()
