//! The runtime: memory, counts and collector; types and slots; the built-in types; exceptions; modules.
#![allow(non_upper_case_globals, non_camel_case_types)]
pub mod abi;
