//! The hash table behind a dict: an index array probed by hash, and entries in insertion order.
//!
//! One allocation holds the head, `1 << log2_size` indices of 1, 2, 4 or 8 bytes, and the entries. A table whose keys
//! are all exact `str` stores no hashes (the strings have theirs) and is looked up without a call. A split table
//! is the keys half of instances of a class; its values live in each instance (see `instance.rs`).

use crate::abi::*;
use crate::memory;
use std::cell::Cell;

/// No entry, and none was here: a probe ends.
pub const DKIX_EMPTY: isize = -1;
/// The entry was deleted: a probe goes on.
pub const DKIX_DUMMY: isize = -2;
pub const LOG2_MINSIZE: u8 = 3;
const PERTURB_SHIFT: u32 = 5;

/// What a table's entries are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum KeysKind {
    /// Any keys: `Entry`.
    General = 0,
    /// Exact `str` only: `UnicodeEntry`.
    Unicode = 1,
    /// Exact `str` only, values elsewhere: `UnicodeEntry` with null values.
    Split = 2,
}

#[repr(C)]
pub struct Entry {
    pub hash: Cell<Py_hash_t>,
    pub key: Cell<*mut PyObject>,
    pub value: Cell<*mut PyObject>,
}

#[repr(C)]
pub struct UnicodeEntry {
    pub key: Cell<*mut PyObject>,
    pub value: Cell<*mut PyObject>,
}

/// The head of a table; indices and entries follow it in memory.
#[repr(C)]
pub struct DictKeys {
    /// Owners; negative for the static empty table.
    pub refcnt: Cell<isize>,
    pub log2_size: Cell<u8>,
    /// The size of the index array is `1 << log2_index_bytes`.
    pub log2_index_bytes: Cell<u8>,
    pub kind: Cell<KeysKind>,
    /// For inline caches: 0 while nobody asked, and again after any change of the set of keys.
    pub version: Cell<u32>,
    /// Entries that may still be added.
    pub usable: Cell<isize>,
    /// Entries used so far, deleted ones included.
    pub n_entries: Cell<isize>,
}

/// An index width. The four share one text for probing.
pub trait Index: Copy {
    fn get(self) -> isize;
    fn make(ix: isize) -> Self;
}
macro_rules! index_width {
    ($($ty:ty),*) => { $(impl Index for $ty {
        #[inline(always)]
        fn get(self) -> isize { self as isize }
        #[inline(always)]
        fn make(ix: isize) -> Self { ix as $ty }
    })* };
}
index_width!(i8, i16, i32, i64);

/// Runs `$body` with `$ty` as the index type of `$keys`.
macro_rules! with_index_type {
    ($keys:expr, $ty:ident => $body:expr) => {{
        let log2_size = $keys.log2_size.get();
        if log2_size < 8 {
            type $ty = i8;
            $body
        } else if log2_size < 16 {
            type $ty = i16;
            $body
        } else if log2_size < 32 {
            type $ty = i32;
            $body
        } else {
            type $ty = i64;
            $body
        }
    }};
}

/// The static table of an empty dict: no room, so that the first insertion allocates.
#[repr(C)]
pub struct EmptyKeys {
    head: DictKeys,
    indices: [i8; 8],
}
// SAFETY: never written: it has no room for an insertion, its count is not counted, and its version stays 1.
unsafe impl Sync for EmptyKeys {}
pub static EMPTY_KEYS: EmptyKeys = EmptyKeys {
    head: DictKeys {
        refcnt: Cell::new(isize::MIN),
        log2_size: Cell::new(0),
        log2_index_bytes: Cell::new(3),
        kind: Cell::new(KeysKind::Unicode),
        version: Cell::new(1),
        usable: Cell::new(0),
        n_entries: Cell::new(0),
    },
    indices: [DKIX_EMPTY as i8; 8],
};

#[inline(always)]
pub fn empty_keys() -> *mut DictKeys {
    (&raw const EMPTY_KEYS.head).cast_mut()
}

/// How many entries a table of this size takes.
#[inline(always)]
pub fn usable_fraction(size: usize) -> usize {
    (size << 1) / 3
}

/// The smallest table with at least `min_size` indices.
pub fn calculate_log2_keysize(min_size: usize) -> u8 {
    let size = min_size.max(1 << LOG2_MINSIZE);
    (usize::BITS - (size - 1).leading_zeros()) as u8
}

/// The smallest table that takes `n` entries without growing.
pub fn estimate_log2_keysize(n: usize) -> u8 {
    calculate_log2_keysize((n * 3).div_ceil(2))
}

/// Small all-`str` tables are kept for reuse.
struct KeysFreeList {
    head: Cell<*mut DictKeys>,
    n_items: Cell<u32>,
}
// SAFETY: touched only by the thread that holds the GIL.
unsafe impl Sync for KeysFreeList {}
static FREE_KEYS: KeysFreeList = KeysFreeList {
    head: Cell::new(std::ptr::null_mut()),
    n_items: Cell::new(0),
};
const MAX_FREE_KEYS: u32 = 80;

struct VersionCounter(Cell<u32>);
// SAFETY: touched only by the thread that holds the GIL.
unsafe impl Sync for VersionCounter {}
static NEXT_VERSION: VersionCounter = VersionCounter(Cell::new(2));

impl DictKeys {
    /// A table with one owner and no entries, or null when memory is out.
    pub fn alloc(log2_size: u8, kind: KeysKind) -> *mut DictKeys {
        let log2_index_bytes = match log2_size {
            0..8 => log2_size,
            8..16 => log2_size + 1,
            16..32 => log2_size + 2,
            _ => log2_size + 3,
        };
        let usable = usable_fraction(1 << log2_size);
        let entry_size = if kind == KeysKind::General {
            size_of::<Entry>()
        } else {
            size_of::<UnicodeEntry>()
        };
        let index_bytes = 1usize << log2_index_bytes;
        let small = log2_size == LOG2_MINSIZE && kind != KeysKind::General;
        let mut keys = std::ptr::null_mut::<DictKeys>();
        if small {
            keys = FREE_KEYS.head.get();
            if !keys.is_null() {
                // SAFETY: a free table has its successor in its first word.
                FREE_KEYS.head.set(unsafe { *keys.cast::<*mut DictKeys>() });
                FREE_KEYS.n_items.set(FREE_KEYS.n_items.get() - 1);
            }
        }
        if keys.is_null() {
            keys = memory::raw_malloc(size_of::<DictKeys>() + index_bytes + usable * entry_size).cast();
            if keys.is_null() {
                return keys;
            }
        }
        // SAFETY: the block has room for head, indices and entries.
        unsafe {
            keys.write(DictKeys {
                refcnt: Cell::new(1),
                log2_size: Cell::new(log2_size),
                log2_index_bytes: Cell::new(log2_index_bytes),
                kind: Cell::new(kind),
                version: Cell::new(0),
                usable: Cell::new(usable as isize),
                n_entries: Cell::new(0),
            });
            let indices = keys.add(1).cast::<u8>();
            indices.write_bytes(0xff, index_bytes);
            indices.add(index_bytes).write_bytes(0, usable * entry_size);
        }
        keys
    }

    #[inline(always)]
    pub fn incref(&self) {
        if self.refcnt.get() >= 0 {
            self.refcnt.set(self.refcnt.get() + 1);
        }
    }

    /// Gives one owner's share back. With the last, keys and values in the table lose their counts.
    ///
    /// # Safety
    /// The caller owns a share.
    #[inline]
    pub unsafe fn decref(this: *mut DictKeys) {
        // SAFETY: the caller's contract.
        unsafe {
            let count = (*this).refcnt.get();
            if count < 0 {
                return;
            }
            (*this).refcnt.set(count - 1);
            if count == 1 {
                DictKeys::drop_entries(this);
                DictKeys::free(this);
            }
        }
    }

    /// # Safety
    /// The table has no owner any more, but its entries own their keys and values.
    unsafe fn drop_entries(this: *mut DictKeys) {
        // SAFETY: entries below n_entries are initialised; nobody else sees the table.
        unsafe {
            for ix in 0..(*this).n_entries.get() {
                let (key, value) = (*this).cells(ix);
                memory::xdecref(key.get());
                memory::xdecref(value.get());
            }
        }
    }

    /// Frees the memory alone.
    ///
    /// # Safety
    /// Nobody uses the table or what it owned.
    pub unsafe fn free(this: *mut DictKeys) {
        // SAFETY: the caller's contract; the block came from `alloc`.
        unsafe {
            let small = (*this).log2_size.get() == LOG2_MINSIZE && (*this).kind.get() != KeysKind::General;
            if small && FREE_KEYS.n_items.get() < MAX_FREE_KEYS {
                *this.cast::<*mut DictKeys>() = FREE_KEYS.head.get();
                FREE_KEYS.head.set(this);
                FREE_KEYS.n_items.set(FREE_KEYS.n_items.get() + 1);
            } else {
                memory::raw_free(this.cast());
            }
        }
    }

    #[inline(always)]
    pub fn is_general(&self) -> bool {
        self.kind.get() == KeysKind::General
    }

    #[inline(always)]
    pub fn mask(&self) -> usize {
        (1usize << self.log2_size.get()) - 1
    }

    #[inline(always)]
    pub fn indices<I>(&self) -> *mut I {
        (self as *const DictKeys).wrapping_add(1).cast::<I>().cast_mut()
    }

    #[inline(always)]
    fn entries_ptr(&self) -> *const u8 {
        let indices = (self as *const DictKeys).wrapping_add(1).cast::<u8>();
        indices.wrapping_add(1usize << self.log2_index_bytes.get())
    }

    /// # Safety
    /// The table is general and `ix` is below `n_entries + usable`.
    #[inline(always)]
    pub unsafe fn entry(&self, ix: isize) -> &Entry {
        debug_assert!(self.is_general());
        // SAFETY: the caller's contract.
        unsafe { &*self.entries_ptr().cast::<Entry>().offset(ix) }
    }

    /// # Safety
    /// The table is not general and `ix` is below `n_entries + usable`.
    #[inline(always)]
    pub unsafe fn unicode_entry(&self, ix: isize) -> &UnicodeEntry {
        debug_assert!(!self.is_general());
        // SAFETY: the caller's contract.
        unsafe { &*self.entries_ptr().cast::<UnicodeEntry>().offset(ix) }
    }

    /// Key and value cells of an entry of either kind.
    ///
    /// # Safety
    /// `ix` is below `n_entries + usable`.
    #[inline(always)]
    pub unsafe fn cells(&self, ix: isize) -> (&Cell<*mut PyObject>, &Cell<*mut PyObject>) {
        // SAFETY: the caller's contract; the kind is checked.
        unsafe {
            if self.is_general() {
                let entry = self.entry(ix);
                (&entry.key, &entry.value)
            } else {
                let entry = self.unicode_entry(ix);
                (&entry.key, &entry.value)
            }
        }
    }

    /// The hash of an entry's key; the entry is not empty.
    ///
    /// # Safety
    /// `ix` is below `n_entries` and the entry has a key.
    #[inline(always)]
    pub unsafe fn hash_at(&self, ix: isize) -> Py_hash_t {
        // SAFETY: the caller's contract; keys of the other kinds are hashed strings.
        unsafe {
            if self.is_general() {
                self.entry(ix).hash.get()
            } else {
                str_hash_cell(self.unicode_entry(ix).key.get())
            }
        }
    }

    /// The version that the next table to be asked for one will get.
    pub fn next_version() -> u32 {
        NEXT_VERSION.0.get()
    }

    /// A version for caches, made on first demand; 0 when the numbers are used up.
    pub fn version(&self) -> u32 {
        if self.version.get() == 0 {
            let next = NEXT_VERSION.0.get();
            if next == 0 {
                return 0;
            }
            self.version.set(next);
            NEXT_VERSION.0.set(next.wrapping_add(1));
        }
        self.version.get()
    }

    #[inline(always)]
    pub fn size_bytes(&self) -> usize {
        let entry_size = if self.is_general() {
            size_of::<Entry>()
        } else {
            size_of::<UnicodeEntry>()
        };
        size_of::<DictKeys>()
            + (1usize << self.log2_index_bytes.get())
            + usable_fraction(1 << self.log2_size.get()) * entry_size
    }

    /// The position in the index array that holds `ix`, an entry with this hash.
    ///
    /// # Safety
    /// Such an index is in the table.
    pub unsafe fn find_index(&self, hash: Py_hash_t, ix: isize) -> usize {
        with_index_type!(self, I => {
            let mut probe = Probe::new(self, hash);
            loop {
                // SAFETY: the probe is masked to the array.
                let found = unsafe { *self.indices::<I>().add(probe.at) }.get();
                if found == ix {
                    return probe.at;
                }
                debug_assert!(found != DKIX_EMPTY);
                probe.advance();
            }
        })
    }

    /// Writes the index array at a position.
    ///
    /// # Safety
    /// `at` is within the array and `ix` fits its width.
    #[inline(always)]
    pub unsafe fn set_index(&self, at: usize, ix: isize) {
        // SAFETY: the caller's contract.
        with_index_type!(self, I => unsafe { *self.indices::<I>().add(at) = I::make(ix) })
    }

    /// Puts entry number `ix`, whose key has this hash and is not in the table, into the first free place.
    #[inline]
    pub fn add_index(&self, hash: Py_hash_t, ix: isize) {
        with_index_type!(self, I => {
            let mut probe = Probe::new(self, hash);
            loop {
                // SAFETY: the probe is masked to the array.
                let place = unsafe { &mut *self.indices::<I>().add(probe.at) };
                if place.get() < 0 {
                    *place = I::make(ix);
                    return;
                }
                probe.advance();
            }
        })
    }

    /// The entry whose key is this string; neither the key nor the table's keys can run code.
    ///
    /// # Safety
    /// The table is not general; `key` is an exact `str` with this hash.
    #[inline]
    pub unsafe fn lookup_str(&self, key: *mut PyObject, hash: Py_hash_t) -> isize {
        with_index_type!(self, I => {
            let mut probe = Probe::new(self, hash);
            loop {
                // SAFETY: the probe is masked to the array; an index names an entry with a live, hashed string.
                unsafe {
                    let ix = (*self.indices::<I>().add(probe.at)).get();
                    if ix >= 0 {
                        let found = self.unicode_entry(ix).key.get();
                        if found == key || (str_hash_cell(found) == hash && str_eq(found, key)) {
                            return ix;
                        }
                    } else if ix == DKIX_EMPTY {
                        return DKIX_EMPTY;
                    }
                }
                probe.advance();
            }
        })
    }
}

/// The sequence of places where a hash is looked for.
pub struct Probe {
    pub at: usize,
    perturb: usize,
    mask: usize,
}

impl Probe {
    #[inline(always)]
    pub fn new(keys: &DictKeys, hash: Py_hash_t) -> Probe {
        let mask = keys.mask();
        Probe {
            at: hash as usize & mask,
            perturb: hash as usize,
            mask,
        }
    }
    #[inline(always)]
    pub fn advance(&mut self) {
        self.perturb >>= PERTURB_SHIFT;
        self.at = (self.at.wrapping_mul(5).wrapping_add(self.perturb).wrapping_add(1)) & self.mask;
    }
}

/// The cached hash of a string; -1 while it has none.
///
/// # Safety
/// `object` is a live `str`.
#[inline(always)]
pub unsafe fn str_hash_cell(object: *mut PyObject) -> Py_hash_t {
    // SAFETY: every `str` starts with PyASCIIObject.
    unsafe { (*object.cast::<PyASCIIObject>()).hash.get() }
}

/// # Safety
/// Both are live `str`.
#[inline(always)]
pub unsafe fn str_eq(a: *mut PyObject, b: *mut PyObject) -> bool {
    // SAFETY: the caller's contract.
    unsafe { PyUnicodeObject::eq(&*a.cast::<PyUnicodeObject>(), &*b.cast::<PyUnicodeObject>()) }
}

pub(crate) use with_index_type;
