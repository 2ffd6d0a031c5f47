//! structseq.h: the description of a named tuple type.
use super::*;

c_structs! {
    plain PyStructSequence_Field {
        name: StrCell,
        doc: StrCell,
    }
    plain PyStructSequence_Desc {
        name: StrCell,
        doc: StrCell,
        fields: Cell<*mut PyStructSequence_Field>,
        n_in_sequence: Cell<c_int>,
    }
}
