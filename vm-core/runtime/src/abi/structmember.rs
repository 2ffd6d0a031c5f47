//! descrobject.h, structmember.h: the types and flags of `PyMemberDef`.
use super::*;

c_consts! {
    c_int {
        Py_T_SHORT = 0,
        Py_T_INT = 1,
        Py_T_LONG = 2,
        Py_T_FLOAT = 3,
        Py_T_DOUBLE = 4,
        Py_T_STRING = 5,
        _Py_T_OBJECT = 6,
        Py_T_CHAR = 7,
        Py_T_BYTE = 8,
        Py_T_UBYTE = 9,
        Py_T_USHORT = 10,
        Py_T_UINT = 11,
        Py_T_ULONG = 12,
        Py_T_STRING_INPLACE = 13,
        Py_T_BOOL = 14,
        Py_T_OBJECT_EX = 16,
        Py_T_LONGLONG = 17,
        Py_T_ULONGLONG = 18,
        Py_T_PYSSIZET = 19,
        _Py_T_NONE = 20,
        Py_READONLY = 1,
        Py_AUDIT_READ = 2,
        _Py_WRITE_RESTRICTED = 4,
        Py_RELATIVE_OFFSET = 8,
    }
}
