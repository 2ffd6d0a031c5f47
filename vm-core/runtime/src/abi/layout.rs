//! `c_structs!` and `c_consts!`: one list -> the Rust item and the row that the layout test checks against the headers.

/// A field: name, offset, size, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct FieldLayout {
    pub name: &'static str,
    pub offset: usize,
    pub size: usize,
}

/// A struct as C sees it. `c_name` is what C calls it; empty when the struct is ours alone.
#[derive(Clone, Copy, Debug)]
pub struct StructLayout {
    pub name: &'static str,
    pub c_name: &'static str,
    pub size: usize,
    pub fields: &'static [FieldLayout],
}

impl StructLayout {
    /// Byte offset of a field, for the JIT and for tests.
    pub const fn offset_of(&self, field: &str) -> usize {
        let mut field_idx = 0;
        while field_idx < self.fields.len() {
            if same_str(self.fields[field_idx].name, field) {
                return self.fields[field_idx].offset;
            }
            field_idx += 1;
        }
        panic!("no such field")
    }
}

const fn same_str(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut byte_idx = 0;
    while byte_idx < a.len() {
        if a[byte_idx] != b[byte_idx] {
            return false;
        }
        byte_idx += 1;
    }
    true
}

/// A struct that C sees.
pub trait CStruct {
    const LAYOUT: StructLayout;
}

/// Declares `#[repr(C)]` structs with public fields. `object NAME` begins with a PyObject; `struct NAME` does not.
/// `NAME = "c name"` when C calls it otherwise, `NAME = ""` when the headers do not have it. All-zero bytes are a value of each.
macro_rules! c_structs {
    (@cname $name:ident) => { stringify!($name) };
    (@cname $name:ident $c_name:literal) => { $c_name };
    (@object object $name:ident) => {
        const _: () = assert!(size_of::<$name>() >= size_of::<$crate::abi::PyObject>());
    };
    (@object plain $name:ident) => {};
    ($($(#[$attr:meta])* $kind:ident $name:ident $(= $c_name:literal)? {
        $($(#[$field_attr:meta])* $field:ident : $ty:ty,)*
    })*) => {
        $(
            $(#[$attr])*
            #[repr(C)]
            pub struct $name {
                $($(#[$field_attr])* pub $field: $ty,)*
            }
            // SAFETY: by decree: the GIL orders all access to the cells.
            unsafe impl Sync for $name {}
            // SAFETY: as above.
            unsafe impl Send for $name {}
            c_structs!(@object $kind $name);
            impl $crate::abi::layout::CStruct for $name {
                const LAYOUT: $crate::abi::layout::StructLayout = $crate::abi::layout::StructLayout {
                    name: stringify!($name),
                    c_name: c_structs!(@cname $name $($c_name)?),
                    size: size_of::<$name>(),
                    fields: &[$($crate::abi::layout::FieldLayout {
                        name: stringify!($field),
                        offset: std::mem::offset_of!($name, $field),
                        size: size_of::<$ty>(),
                    },)*],
                };
            }
            impl $name {
                /// All bytes zero: numbers 0, pointers null, functions absent.
                pub const fn zeroed() -> Self {
                    // SAFETY: integers, raw pointers and `Option<fn>` only; zero is a value of each.
                    unsafe { std::mem::zeroed() }
                }
            }
        )*
        pub const LAYOUT: &[$crate::abi::layout::StructLayout] =
            &[$(<$name as $crate::abi::layout::CStruct>::LAYOUT,)*];
    };
}

/// Declares constants that the headers have under the same name.
macro_rules! c_consts {
    ($($ty:ty { $($(#[$attr:meta])* $name:ident = $value:expr,)* })*) => {
        $($($(#[$attr])* pub const $name: $ty = $value;)*)*
        pub const CONSTANTS: &[(&str, i128)] = &[$($((stringify!($name), $name as i128),)*)*];
    };
}
