"""Adder's opcodes: names, numbers, and what their operands mean.

The bytecode is for registers. An instruction is a word of eight bytes (opcode, small number, three operands), maybe with
further words behind it. `dis` shows it.
"""

__all__ = ["cmp_op", "stack_effect", "hascompare", "opname", "opmap", "HAVE_ARGUMENT", "EXTENDED_ARG", "hasarg", "hasconst",
           "hasname", "hasjump", "hasjrel", "hasjabs", "hasfree", "haslocal", "hasexc"]

import builtins
import _opcode
from _opcode import stack_effect
from _opcode_metadata import (_pseudo_opmap, _specializations, _specialized_opmap, opmap, HAVE_ARGUMENT,
                              MIN_INSTRUMENTED_OPCODE)

# No instruction extends another's argument: a number that no opcode has.
EXTENDED_ARG = 255

opname = ["<%r>" % number for number in range(EXTENDED_ARG + 1)]
for _map in (opmap, _specialized_opmap):
    for _name, _number in _map.items():
        opname[_number] = _name

cmp_op = ("<", "<=", "==", "!=", ">", ">=")


def _all_with(test):
    return [number for number in opmap.values() if test(number)]


hasarg = _all_with(_opcode.has_arg)
hasconst = _all_with(_opcode.has_const)
hasname = _all_with(_opcode.has_name)
hasjump = _all_with(_opcode.has_jump)
hasjrel = []
hasjabs = hasjump
hasfree = _all_with(_opcode.has_free)
haslocal = _all_with(_opcode.has_local)
hasexc = _all_with(_opcode.has_exc)
hascompare = [opmap["COMPARE_OP"], opmap["COMPARE_JUMP"]]

# Only now: what is above is about instructions that code can hold.
opmap = opmap | _pseudo_opmap
opname += [name for name, number in _pseudo_opmap.items() if number > EXTENDED_ARG]
opname[EXTENDED_ARG] = "EXTENDED_ARG"

_intrinsic_1_descs = _opcode.get_intrinsic1_descs()
_intrinsic_2_descs = _opcode.get_intrinsic2_descs()
_special_method_names = _opcode.get_special_method_names()
_common_constants = [builtins.AssertionError, builtins.NotImplementedError, builtins.tuple, builtins.all, builtins.any]
_nb_ops = _opcode.get_nb_ops()

# Words behind an instruction, as cache entries.
_inline_cache_entries = {name: words - 1 for name, _, words in _opcode._table()}
_cache_format = {name: {"words": count} for name, count in _inline_cache_entries.items() if count}
