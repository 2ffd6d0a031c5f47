//! Pieces -> the `repr` of a container: a text builder that takes strings of any kind, and the guard against recursion.

use crate::prelude::*;
use crate::protocol;

/// Builds a `str`; stays UTF-8 until a piece with lone surrogates comes.
#[derive(Default)]
pub struct ReprBuilder {
    text: String,
    wide: Option<Vec<u32>>,
}

impl ReprBuilder {
    pub fn new(start: &str) -> ReprBuilder {
        ReprBuilder {
            text: start.to_owned(),
            wide: None,
        }
    }
    pub fn push_str(&mut self, piece: &str) {
        match &mut self.wide {
            None => self.text.push_str(piece),
            Some(wide) => wide.extend(piece.chars().map(u32::from)),
        }
    }
    pub fn push(&mut self, piece: &PyUnicodeObject) {
        match (piece.as_str(), &mut self.wide) {
            (Some(text), _) => self.push_str(text),
            (None, wide) => {
                let text = &self.text;
                wide.get_or_insert_with(|| text.chars().map(u32::from).collect())
                    .extend(piece.code_points());
            }
        }
    }
    pub fn push_repr(&mut self, object: &PyObject) -> PyResult<()> {
        self.push(&*object.repr()?);
        Ok(())
    }
    /// As `push_repr`, for a place that C has not filled yet.
    ///
    /// # Safety
    /// `object` is live or null.
    pub unsafe fn push_repr_at(&mut self, object: *mut PyObject) -> PyResult<()> {
        // SAFETY: the caller's contract.
        match unsafe { Ref::from_borrowed_opt(object) } {
            Some(object) => self.push_repr(&object),
            None => {
                self.push_str("<NULL>");
                Ok(())
            }
        }
    }
    pub fn finish(self) -> Ref {
        match self.wide {
            None => PyUnicodeObject::from_string(self.text).into_object(),
            Some(wide) => PyUnicodeObject::from_code_points(&wide).into_object(),
        }
    }
}

/// The `repr` of a container that `f` writes, or `placeholder` when the container is inside itself.
pub fn guarded_repr(
    container: &PyObject,
    placeholder: &str,
    start: &str,
    f: impl FnOnce(&mut ReprBuilder) -> PyResult<()>,
) -> PyResult {
    let text = protocol::with_repr_guard(container, || {
        let mut builder = ReprBuilder::new(start);
        f(&mut builder)?;
        Ok(builder.finish())
    })?;
    Ok(text.unwrap_or_else(|| PyUnicodeObject::from_str(placeholder).into_object()))
}
