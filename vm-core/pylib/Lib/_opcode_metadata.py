"""Numbers of Adder's opcodes, from the virtual machine's own table."""

import _opcode

opmap = {}
_specializations = {}
_specialized_opmap = {}

_rows = _opcode._table()
for _number, (_name, _generic, _words) in enumerate(_rows):
    if _generic == _number:
        opmap[_name] = _number
    else:
        _specialized_opmap[_name] = _number
        _specializations.setdefault(_rows[_generic][0], []).append(_name)

# Instructions are not divided by number into those with and without argument; none is instrumented.
HAVE_ARGUMENT = 0
MIN_INSTRUMENTED_OPCODE = 256

# Names of CPython's stack instructions that tools look up: those that Adder's registers have no use for are pseudo
# instructions, with numbers above a byte, which no code holds.
_stack_names = """
CACHE BINARY_SLICE CALL_FUNCTION_EX CALL_KW COPY COPY_FREE_VARS END_FOR END_SEND ENTER_EXECUTOR
JUMP_BACKWARD JUMP_BACKWARD_NO_INTERRUPT JUMP_FORWARD LOAD_CONST LOAD_FAST LOAD_FAST_AND_CLEAR LOAD_FAST_BORROW
LOAD_FAST_BORROW_LOAD_FAST_BORROW LOAD_FAST_CHECK LOAD_FAST_LOAD_FAST LOAD_SMALL_INT MAKE_CELL NOT_TAKEN POP_EXCEPT
POP_ITER POP_JUMP_IF_FALSE POP_JUMP_IF_NONE POP_JUMP_IF_NOT_NONE POP_JUMP_IF_TRUE POP_TOP PUSH_EXC_INFO PUSH_NULL
RESUME RETURN_GENERATOR STORE_FAST STORE_FAST_LOAD_FAST STORE_FAST_STORE_FAST SWAP
""".split()
_pseudo_opmap = {"EXTENDED_ARG": 255} | {name: 256 + i for i, name in enumerate(name for name in _stack_names if name not in opmap)}
