//! Configurations of interpreters: names and namespaces -> what an interpreter may do.

use adder_runtime::objects::namespaceobject::new_namespace;
use adder_runtime::prelude::*;
use adder_runtime::thread::{InterpreterState, feature};
use std::sync::atomic::Ordering;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Gil {
    Default,
    Shared,
    Own,
}

const GILS: [(&str, Gil); 3] = [
    ("default", Gil::Default),
    ("shared", Gil::Shared),
    ("own", Gil::Own),
];

/// The fields that are bools, in order.
const FLAGS: [(&str, u32); 6] = [
    ("use_main_obmalloc", feature::MAIN_OBMALLOC),
    ("allow_fork", feature::FORK),
    ("allow_exec", feature::EXEC),
    ("allow_threads", feature::THREADS),
    ("allow_daemon_threads", feature::DAEMON_THREADS),
    ("check_multi_interp_extensions", feature::CHECK_EXTENSIONS),
];

#[derive(Clone, Copy)]
pub struct Config {
    flags: u32,
    gil: Gil,
}

impl Config {
    /// One of the configurations that have names.
    pub fn named(name: &str) -> PyResult<Config> {
        let (flags, gil) = match name {
            "" | "default" | "isolated" => (feature::THREADS | feature::CHECK_EXTENSIONS, Gil::Own),
            "legacy" => (feature::LEGACY, Gil::Shared),
            "empty" => (0, Gil::Default),
            other => return Err(raise!(ValueError, "unsupported config name '{other}'")),
        };
        Ok(Config { flags, gil })
    }

    /// A name, None for the default, or an object whose attributes are the fields.
    pub fn of(object: Option<&PyObject>) -> PyResult<Config> {
        let Some(object) = object.filter(|object| !is_none(object)) else {
            return Config::named("");
        };
        if let Some(name) = object.downcast::<PyUnicodeObject>() {
            return Config::named(name.to_str()?);
        }
        let dict = object.get_attr_opt(identifier!("__dict__"))?;
        let Some(Ok(dict)) = dict.map(|dict| dict.downcast::<PyDictObject>()) else {
            return Err(raise!(
                TypeError,
                "bad config {}",
                object.repr()?.to_string_lossy()
            ));
        };
        let mut config = Config::named("empty")?;
        config.update(&dict, true)?;
        Ok(config)
    }

    /// Takes fields from a dict, which has no others; all of them when they are `required`.
    pub fn update(&mut self, dict: &PyDictObject, required: bool) -> PyResult<()> {
        let rest = dict.copy()?;
        let take = |name: &str| {
            let found = rest.pop(PyUnicodeObject::from_str(name).as_object())?;
            match found {
                None if required => Err(raise!(ValueError, "missing config key: {name}")),
                found => Ok(found),
            }
        };
        for (name, bit) in FLAGS {
            let Some(value) = take(name)? else { continue };
            if !value.is(true_()) && !value.is(false_()) {
                return Err(raise!(TypeError, "invalid config type: {name}"));
            }
            self.flags = self.flags & !bit | if value.is(true_()) { bit } else { 0 };
        }
        if let Some(value) = take("gil")? {
            let Some(name) = value.downcast::<PyUnicodeObject>().ok() else {
                return Err(raise!(TypeError, "invalid config type: gil"));
            };
            let name = name.to_str()?;
            let Some((_, gil)) = GILS.iter().find(|(known, _)| *known == name) else {
                return Err(raise!(
                    ValueError,
                    "unsupported interpreter config .gil value '{name}'"
                ));
            };
            self.gil = *gil;
        }
        match rest.len() {
            0 => Ok(()),
            n => Err(raise!(
                ValueError,
                "config dict has {n} extra item{} ({})",
                if n == 1 { "" } else { "s" },
                rest.as_object().repr()?.to_string_lossy()
            )),
        }
    }

    pub fn of_interpreter(interpreter: &InterpreterState) -> Config {
        let features = interpreter.features.load(Ordering::Relaxed);
        let gil = match features & feature::OWN_GIL != 0 {
            true => Gil::Own,
            false => Gil::Shared,
        };
        Config {
            flags: features & !feature::OWN_GIL,
            gil,
        }
    }

    /// What an interpreter of this configuration may do.
    pub fn features(self) -> u32 {
        match self.gil {
            Gil::Own => self.flags | feature::OWN_GIL,
            _ => self.flags,
        }
    }

    pub fn to_namespace(self) -> PyResult {
        let dict = PyDictObject::new();
        for (name, bit) in FLAGS {
            dict.set(
                PyUnicodeObject::from_str(name).as_object(),
                &py_bool(self.flags & bit != 0),
            )?;
        }
        let gil = GILS
            .iter()
            .find(|(_, gil)| *gil == self.gil)
            .map_or("default", |(name, _)| name);
        dict.set(
            PyUnicodeObject::from_str("gil").as_object(),
            PyUnicodeObject::from_str(gil).as_object(),
        )?;
        new_namespace(&dict)
    }
}
