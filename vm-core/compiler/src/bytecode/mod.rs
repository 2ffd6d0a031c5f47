//! The register bytecode: the opcode table, code objects, their verifier and disassembler.
//! Comes in: nothing (definitions). Goes out: what the compiler emits and the interpreter runs.

pub mod admit;
pub mod code;
pub mod disasm;
pub mod opcode;
pub mod verify;

pub use code::{
    CodeObject, Constant, ExceptionEntry, Instr, LocalKind, LocationTable, Position, PyStr, code_flags,
};
pub use opcode::{
    BinaryOp, CmpOp, CommonConstant, Ext, FunctionAttribute, Intrinsic1, Intrinsic2, OpInfo, Opcode, Operand,
    SpecialMethod,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_consistent() {
        for (number, row) in opcode::OPCODES.iter().enumerate() {
            let op = Opcode::from_u8(number as u8).expect("every row has an opcode");
            assert_eq!(op as usize, number);
            assert_eq!(format!("{op:?}"), row.name);
        }
        const { assert!(opcode::N_GENERIC <= 150) };
        assert_eq!(size_of::<Instr>(), 8);
        let word = Instr::new(Opcode::JUMP, 0, 1, 2, 3);
        assert_eq!(Instr::from_u64(word.to_u64()), word);
    }
}
