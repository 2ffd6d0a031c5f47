//! What the declarations of a document type say: entities, and the attributes that elements have by default.

use std::collections::HashMap;

pub struct Entity {
    /// The replacement text; none for one outside of the document.
    pub value: Option<String>,
    pub system: Option<String>,
    pub public: Option<String>,
    pub notation: Option<String>,
}

pub struct AttributeRule {
    pub name: String,
    /// Its value is kept as it is, rather than as tokens with a space between.
    pub is_cdata: bool,
    pub default: Option<String>,
}

#[derive(Default)]
pub struct Dtd {
    pub general: HashMap<String, Entity>,
    pub parameter: HashMap<String, Entity>,
    pub attributes: HashMap<String, Vec<AttributeRule>>,
    /// There are declarations that were not read.
    pub is_partial: bool,
    pub standalone: bool,
}
