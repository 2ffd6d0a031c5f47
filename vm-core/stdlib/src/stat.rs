//! `_stat`: constants and tests of file modes.

use adder_runtime::args::{FromArg, Signature};
use adder_runtime::prelude::*;

/// A file mode argument.
pub struct Mode(u32);

impl<'a> FromArg<'a> for Mode {
    fn from_arg(arg: &'a PyObject, _: &'static Signature, _: usize) -> PyResult<Self> {
        let value = arg.index()?.as_u64()?;
        u32::try_from(value).map(Mode).map_err(|_| raise!(OverflowError, "mode out of range"))
    }
}

/// Constants and functions of file modes, as of C's sys/stat.h.
#[pymodule(name = "_stat", types = [])]
pub mod _stat {
    use super::*;

    const S_IFMT_MASK: u32 = 0o170000;

    #[pyconst]
    const SF_APPEND: u32 = 0x40000;
    #[pyconst]
    const SF_ARCHIVED: u32 = 0x10000;
    #[pyconst]
    const SF_DATALESS: u32 = 0x40000000;
    #[pyconst]
    const SF_FIRMLINK: u32 = 0x800000;
    #[pyconst]
    const SF_IMMUTABLE: u32 = 0x20000;
    #[pyconst]
    const SF_NOUNLINK: u32 = 0x100000;
    #[pyconst]
    const SF_SETTABLE: u32 = 0xffff0000;
    #[pyconst]
    const SF_SNAPSHOT: u32 = 0x200000;
    #[pyconst]
    const ST_ATIME: u32 = 7;
    #[pyconst]
    const ST_CTIME: u32 = 9;
    #[pyconst]
    const ST_DEV: u32 = 2;
    #[pyconst]
    const ST_GID: u32 = 5;
    #[pyconst]
    const ST_INO: u32 = 1;
    #[pyconst]
    const ST_MODE: u32 = 0;
    #[pyconst]
    const ST_MTIME: u32 = 8;
    #[pyconst]
    const ST_NLINK: u32 = 3;
    #[pyconst]
    const ST_SIZE: u32 = 6;
    #[pyconst]
    const ST_UID: u32 = 4;
    #[pyconst]
    const S_ENFMT: u32 = 0x400;
    #[pyconst]
    const S_IEXEC: u32 = 64;
    #[pyconst]
    const S_IFBLK: u32 = 0x6000;
    #[pyconst]
    const S_IFCHR: u32 = 0x2000;
    #[pyconst]
    const S_IFDIR: u32 = 0x4000;
    #[pyconst]
    const S_IFDOOR: u32 = 0;
    #[pyconst]
    const S_IFIFO: u32 = 0x1000;
    #[pyconst]
    const S_IFLNK: u32 = 0xa000;
    #[pyconst]
    const S_IFPORT: u32 = 0;
    #[pyconst]
    const S_IFREG: u32 = 0x8000;
    #[pyconst]
    const S_IFSOCK: u32 = 0xc000;
    #[pyconst]
    const S_IFWHT: u32 = 0;
    #[pyconst]
    const S_IREAD: u32 = 256;
    #[pyconst]
    const S_IRGRP: u32 = 32;
    #[pyconst]
    const S_IROTH: u32 = 4;
    #[pyconst]
    const S_IRUSR: u32 = 256;
    #[pyconst]
    const S_IRWXG: u32 = 56;
    #[pyconst]
    const S_IRWXO: u32 = 7;
    #[pyconst]
    const S_IRWXU: u32 = 448;
    #[pyconst]
    const S_ISGID: u32 = 0x400;
    #[pyconst]
    const S_ISUID: u32 = 0x800;
    #[pyconst]
    const S_ISVTX: u32 = 0x200;
    #[pyconst]
    const S_IWGRP: u32 = 16;
    #[pyconst]
    const S_IWOTH: u32 = 2;
    #[pyconst]
    const S_IWRITE: u32 = 128;
    #[pyconst]
    const S_IWUSR: u32 = 128;
    #[pyconst]
    const S_IXGRP: u32 = 8;
    #[pyconst]
    const S_IXOTH: u32 = 1;
    #[pyconst]
    const S_IXUSR: u32 = 64;
    #[pyconst]
    const UF_APPEND: u32 = 4;
    #[pyconst]
    const UF_COMPRESSED: u32 = 32;
    #[pyconst]
    const UF_DATAVAULT: u32 = 128;
    #[pyconst]
    const UF_HIDDEN: u32 = 0x8000;
    #[pyconst]
    const UF_IMMUTABLE: u32 = 2;
    #[pyconst]
    const UF_NODUMP: u32 = 1;
    #[pyconst]
    const UF_NOUNLINK: u32 = 16;
    #[pyconst]
    const UF_OPAQUE: u32 = 8;
    #[pyconst]
    const UF_SETTABLE: u32 = 0xffff;
    #[pyconst]
    const UF_TRACKED: u32 = 64;

    /// The part of the mode that is the file type.
    #[pyfunction("($self, object, /)")]
    fn S_IFMT(object: Mode) -> u32 {
        object.0 & S_IFMT_MASK
    }
    /// The part of the mode that can be set by os.chmod().
    #[pyfunction("($self, object, /)")]
    fn S_IMODE(object: Mode) -> u32 {
        object.0 & 0o7777
    }
    /// Whether the mode is that of a directory.
    #[pyfunction("($self, object, /)")]
    fn S_ISDIR(object: Mode) -> bool {
        object.0 & S_IFMT_MASK == S_IFDIR
    }
    /// Whether the mode is that of a character device.
    #[pyfunction("($self, object, /)")]
    fn S_ISCHR(object: Mode) -> bool {
        object.0 & S_IFMT_MASK == S_IFCHR
    }
    /// Whether the mode is that of a block device.
    #[pyfunction("($self, object, /)")]
    fn S_ISBLK(object: Mode) -> bool {
        object.0 & S_IFMT_MASK == S_IFBLK
    }
    /// Whether the mode is that of a regular file.
    #[pyfunction("($self, object, /)")]
    fn S_ISREG(object: Mode) -> bool {
        object.0 & S_IFMT_MASK == S_IFREG
    }
    /// Whether the mode is that of a FIFO.
    #[pyfunction("($self, object, /)")]
    fn S_ISFIFO(object: Mode) -> bool {
        object.0 & S_IFMT_MASK == S_IFIFO
    }
    /// Whether the mode is that of a symbolic link.
    #[pyfunction("($self, object, /)")]
    fn S_ISLNK(object: Mode) -> bool {
        object.0 & S_IFMT_MASK == S_IFLNK
    }
    /// Whether the mode is that of a socket.
    #[pyfunction("($self, object, /)")]
    fn S_ISSOCK(object: Mode) -> bool {
        object.0 & S_IFMT_MASK == S_IFSOCK
    }
    /// Whether the mode is that of a door: there are none on this system.
    #[pyfunction("($self, object, /)")]
    fn S_ISDOOR(object: Mode) -> bool {
        let _ = object;
        false
    }
    /// Whether the mode is that of an event port: there are none on this system.
    #[pyfunction("($self, object, /)")]
    fn S_ISPORT(object: Mode) -> bool {
        let _ = object;
        false
    }
    /// Whether the mode is that of a whiteout: there are none on this system.
    #[pyfunction("($self, object, /)")]
    fn S_ISWHT(object: Mode) -> bool {
        let _ = object;
        false
    }

    /// The mode as a string of the form '-rwxrwxrwx'.
    #[pyfunction("($self, object, /)")]
    fn filemode(object: Mode) -> String {
        let mode = object.0;
        let kind = match mode & S_IFMT_MASK {
            S_IFREG => '-',
            S_IFDIR => 'd',
            S_IFLNK => 'l',
            S_IFBLK => 'b',
            S_IFCHR => 'c',
            S_IFIFO => 'p',
            S_IFSOCK => 's',
            _ => '?',
        };
        let mut text = String::from(kind);
        for (shift, special, set, unset) in [(6, S_ISUID, 's', 'S'), (3, S_ISGID, 's', 'S'), (0, S_ISVTX, 't', 'T')] {
            let bits = mode >> shift;
            text.push(if bits & 4 != 0 { 'r' } else { '-' });
            text.push(if bits & 2 != 0 { 'w' } else { '-' });
            text.push(match (bits & 1 != 0, mode & special != 0) {
                (true, true) => set,
                (false, true) => unset,
                (true, false) => 'x',
                (false, false) => '-',
            });
        }
        text
    }
}
