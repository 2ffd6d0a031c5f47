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
