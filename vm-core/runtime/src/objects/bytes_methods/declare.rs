//! The shared methods, declared for `bytes` and for `bytearray`.

use super::padding::{self, fill_byte};
use super::search::{self, End};
use super::{ByteString, is_space, join, maketrans, to_hex, translate};
use crate::objects::buffer::BytesArg;
use crate::objects::codecs;
use crate::prelude::*;

macro_rules! shared_methods {
    ($ty:ident, $methods:ident, $search:ident) => {
        #[pymethods(part = $methods)]
        impl $ty {
            /// The first byte in upper case, the others in lower case.
            #[method("($self, /)")]
            fn capitalize(&self) -> Ref<$ty> {
                padding::capitalize(self)
            }
            /// The bytes in the middle of width bytes.
            #[method("($self, width, fillchar=b' ', /)")]
            fn center(&self, width: isize, fillchar: Option<&PyObject>) -> PyResult<Ref<$ty>> {
                let fill = fill_byte("center", fillchar)?;
                padding::center(self, width, fill)
            }
            /// The bytes at the left of width bytes.
            #[method("($self, width, fillchar=b' ', /)")]
            fn ljust(&self, width: isize, fillchar: Option<&PyObject>) -> PyResult<Ref<$ty>> {
                let fill = fill_byte("ljust", fillchar)?;
                padding::pad(self, 0, padding::missing(self, width), fill)
            }
            /// The bytes at the right of width bytes.
            #[method("($self, width, fillchar=b' ', /)")]
            fn rjust(&self, width: isize, fillchar: Option<&PyObject>) -> PyResult<Ref<$ty>> {
                let fill = fill_byte("rjust", fillchar)?;
                padding::pad(self, padding::missing(self, width), 0, fill)
            }
            /// Padded on the left with zeros, behind a sign if there is one.
            #[method("($self, width, /)")]
            fn zfill(&self, width: isize) -> PyResult<Ref<$ty>> {
                padding::zfill(self, width)
            }
            /// Tabs replaced by spaces up to the next multiple of tabsize.
            #[method("($self, /, tabsize=8)")]
            fn expandtabs(&self, tabsize: i32) -> PyResult<Ref<$ty>> {
                padding::expand_tabs(self, tabsize)
            }
            /// The text that the bytes stand for in an encoding.
            #[method("($self, /, encoding='utf-8', errors='strict')")]
            fn decode(
                &self,
                encoding: Option<&PyUnicodeObject>,
                errors: Option<&PyUnicodeObject>,
            ) -> PyResult<Ref<PyUnicodeObject>> {
                if self.bytes().is_empty() {
                    // Whatever the encoding, known or not, unless `-X dev` says to look.
                    codecs::check_given_names(encoding, errors)?;
                    return Ok(PyUnicodeObject::empty());
                }
                if $ty::NAME == "bytes" {
                    return codecs::decode_text(self.as_object(), self.bytes(), encoding, errors);
                }
                // A handler of Python's might change the array.
                let bytes = self.bytes().to_vec();
                codecs::decode_text(self.as_object(), &bytes, encoding, errors)
            }
            /// The hexadecimal digits of the bytes, with separators if asked for.
            ///
            /// >>> value = bytes([0xc0, 0xff, 0xee])
            /// >>> value.hex()
            /// 'c0ffee'
            /// >>> value.hex('-')
            /// 'c0-ff-ee'
            /// >>> value.hex('_', 2)
            /// 'c0_ffee'
            /// >>> value.hex('_', -2)
            /// 'c0ff_ee'
            #[method("($self, /, sep=<unrepresentable>, bytes_per_sep=1)")]
            fn hex(&self, sep: Option<&PyObject>, bytes_per_sep: i32) -> PyResult<Ref<PyUnicodeObject>> {
                let _held = self.hold();
                to_hex(self.bytes(), sep, bytes_per_sep)
            }
            /// Whether all bytes are ASCII letters or digits and there is one.
            #[method("($self, /)")]
            fn isalnum(&self) -> bool {
                padding::all(self, u8::is_ascii_alphanumeric)
            }
            /// Whether all bytes are ASCII letters and there is one.
            #[method("($self, /)")]
            fn isalpha(&self) -> bool {
                padding::all(self, u8::is_ascii_alphabetic)
            }
            /// Whether all bytes are ASCII.
            #[method("($self, /)")]
            fn isascii(&self) -> bool {
                self.bytes().is_ascii()
            }
            /// Whether all bytes are ASCII digits and there is one.
            #[method("($self, /)")]
            fn isdigit(&self) -> bool {
                padding::all(self, u8::is_ascii_digit)
            }
            /// Whether all letters are in lower case and there is one.
            #[method("($self, /)")]
            fn islower(&self) -> bool {
                padding::all_cased(self, u8::is_ascii_lowercase, u8::is_ascii_uppercase)
            }
            /// Whether all bytes are ASCII white space and there is one.
            #[method("($self, /)")]
            fn isspace(&self) -> bool {
                padding::all(self, |byte| is_space(*byte))
            }
            /// Whether every word begins in upper case and goes on in lower case, and there is one.
            #[method("($self, /)")]
            fn istitle(&self) -> bool {
                padding::is_title(self)
            }
            /// Whether all letters are in upper case and there is one.
            #[method("($self, /)")]
            fn isupper(&self) -> bool {
                padding::all_cased(self, u8::is_ascii_uppercase, u8::is_ascii_lowercase)
            }
            /// ASCII letters in lower case.
            #[method("($self, /)")]
            fn lower(&self) -> Ref<$ty> {
                padding::map(self, u8::to_ascii_lowercase)
            }
            /// ASCII letters in upper case.
            #[method("($self, /)")]
            fn upper(&self) -> Ref<$ty> {
                padding::map(self, u8::to_ascii_uppercase)
            }
            /// ASCII letters in the other case.
            #[method("($self, /)")]
            fn swapcase(&self) -> Ref<$ty> {
                padding::map(self, padding::swap_case)
            }
            /// Words begin in upper case and go on in lower case.
            #[method("($self, /)")]
            fn title(&self) -> Ref<$ty> {
                padding::title(self)
            }
            /// The items of the iterable, with these bytes between them.
            #[method("($self, iterable_of_bytes, /)", name = "join")]
            fn py_join(&self, iterable_of_bytes: &PyObject) -> PyResult<Ref<$ty>> {
                join(self, iterable_of_bytes)
            }
            /// A table for translate that maps each byte of frm to the byte at its place in to.
            #[staticmethod("(frm, to, /)", name = "maketrans")]
            fn py_maketrans(frm: BytesArg<'_>, to: BytesArg<'_>) -> PyResult<Ref<PyBytesObject>> {
                maketrans(&frm, &to)
            }
            /// Each byte by a table of 256, those of delete left out.
            #[method("($self, table, /, delete=b'')", name = "translate")]
            fn py_translate(&self, table: &PyObject, delete: Option<&PyObject>) -> PyResult<Ref<$ty>> {
                translate(self, table, delete)
            }
        }

        #[pymethods(part = $search)]
        impl $ty {
            /// How often sub occurs between start and end, without overlap.
            #[method("($self, sub[, start[, end]], /)")]
            fn count(
                &self,
                sub: &PyObject,
                start: Option<&PyObject>,
                end: Option<&PyObject>,
            ) -> PyResult<usize> {
                search::count(self, sub, start, end)
            }
            /// The lowest place of sub between start and end, or -1.
            #[method("($self, sub[, start[, end]], /)")]
            fn find(
                &self,
                sub: &PyObject,
                start: Option<&PyObject>,
                end: Option<&PyObject>,
            ) -> PyResult<isize> {
                Ok(search::find(self, sub, start, end, End::First)?.map_or(-1, |place| place as isize))
            }
            /// The highest place of sub between start and end, or -1.
            #[method("($self, sub[, start[, end]], /)")]
            fn rfind(
                &self,
                sub: &PyObject,
                start: Option<&PyObject>,
                end: Option<&PyObject>,
            ) -> PyResult<isize> {
                Ok(search::find(self, sub, start, end, End::Last)?.map_or(-1, |place| place as isize))
            }
            /// The lowest place of sub between start and end; ValueError when it is not there.
            #[method("($self, sub[, start[, end]], /)")]
            fn index(
                &self,
                sub: &PyObject,
                start: Option<&PyObject>,
                end: Option<&PyObject>,
            ) -> PyResult<usize> {
                search::index(self, sub, start, end, End::First)
            }
            /// The highest place of sub between start and end; ValueError when it is not there.
            #[method("($self, sub[, start[, end]], /)")]
            fn rindex(
                &self,
                sub: &PyObject,
                start: Option<&PyObject>,
                end: Option<&PyObject>,
            ) -> PyResult<usize> {
                search::index(self, sub, start, end, End::Last)
            }
            /// Whether the bytes begin with the prefix, or with one of a tuple of them.
            #[method("($self, prefix[, start[, end]], /)")]
            fn startswith(
                &self,
                prefix: &PyObject,
                start: Option<&PyObject>,
                end: Option<&PyObject>,
            ) -> PyResult<bool> {
                search::affix_test(self, prefix, start, end, End::First)
            }
            /// Whether the bytes end with the suffix, or with one of a tuple of them.
            #[method("($self, suffix[, start[, end]], /)")]
            fn endswith(
                &self,
                suffix: &PyObject,
                start: Option<&PyObject>,
                end: Option<&PyObject>,
            ) -> PyResult<bool> {
                search::affix_test(self, suffix, start, end, End::Last)
            }
            /// A list of the pieces between occurrences of sep, or of white space.
            #[method("($self, /, sep=None, maxsplit=-1)")]
            fn split(&self, sep: Option<&PyObject>, maxsplit: isize) -> PyResult<Ref<PyListObject>> {
                search::split(self, sep, maxsplit, End::First)
            }
            /// As split, counted from the end.
            #[method("($self, /, sep=None, maxsplit=-1)")]
            fn rsplit(&self, sep: Option<&PyObject>, maxsplit: isize) -> PyResult<Ref<PyListObject>> {
                search::split(self, sep, maxsplit, End::Last)
            }
            /// A list of the lines, with their ends if asked for.
            #[method("($self, /, keepends=False)")]
            fn splitlines(&self, keepends: bool) -> Ref<PyListObject> {
                search::split_lines(self, keepends)
            }
            /// Without leading and trailing white space, or given bytes.
            #[method("($self, bytes=None, /)")]
            fn strip(&self, bytes: Option<&PyObject>) -> PyResult<Ref<$ty>> {
                search::strip(self, bytes, true, true)
            }
            /// Without leading white space, or given bytes.
            #[method("($self, bytes=None, /)")]
            fn lstrip(&self, bytes: Option<&PyObject>) -> PyResult<Ref<$ty>> {
                search::strip(self, bytes, true, false)
            }
            /// Without trailing white space, or given bytes.
            #[method("($self, bytes=None, /)")]
            fn rstrip(&self, bytes: Option<&PyObject>) -> PyResult<Ref<$ty>> {
                search::strip(self, bytes, false, true)
            }
            /// A copy with old replaced by new, at most count times.
            #[method("($self, old, new, count=-1, /)")]
            fn replace(&self, old: BytesArg<'_>, new: BytesArg<'_>, count: isize) -> PyResult<Ref<$ty>> {
                search::replace(self, &old, &new, count)
            }
            /// The part before the first sep, sep, and the part after it.
            #[method("($self, sep, /)")]
            fn partition(&self, sep: &PyObject) -> PyResult<Ref<PyTupleObject>> {
                search::partition(self, sep, End::First)
            }
            /// The part before the last sep, sep, and the part after it.
            #[method("($self, sep, /)")]
            fn rpartition(&self, sep: &PyObject) -> PyResult<Ref<PyTupleObject>> {
                search::partition(self, sep, End::Last)
            }
            /// The bytes without the prefix, if it is there.
            #[method("($self, prefix, /)")]
            fn removeprefix(&self, prefix: BytesArg<'_>) -> Ref<$ty> {
                search::remove_affix(self, &prefix, End::First)
            }
            /// The bytes without the suffix, if it is there.
            #[method("($self, suffix, /)")]
            fn removesuffix(&self, suffix: BytesArg<'_>) -> Ref<$ty> {
                search::remove_affix(self, &suffix, End::Last)
            }
        }
    };
}

shared_methods!(PyBytesObject, BYTES_METHODS, BYTES_SEARCH);
shared_methods!(PyByteArrayObject, BYTEARRAY_METHODS, BYTEARRAY_SEARCH);
