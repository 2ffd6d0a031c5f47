//! `grp`: the database of groups; see `pwd`.

pub use crate::pwd::grp;
