//! Recorded operations -> text: one operation a line, results numbered in order.

use std::fmt;

/// What an operation works on.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Operand {
    /// The result of an earlier operation.
    Value(u32),
    Int(i64),
    Float(f64),
    Bool(bool),
    /// A constant object, type or name: an index into `Trace::texts`.
    Text(u32),
    /// A version that a cache holds; which number it is says nothing.
    Version,
}

/// One recorded operation.
pub struct Op {
    /// The number of the result; `None` when there is none.
    pub result: Option<u32>,
    pub name: &'static str,
    pub operands: Vec<Operand>,
}

enum Line {
    Op(Op),
    /// The bytecode that the following operations belong to, or another remark.
    Note(String),
}

/// The raw trace of one way through a loop.
#[derive(Default)]
pub struct Trace {
    lines: Vec<Line>,
    texts: Vec<String>,
    n_values: u32,
}

impl Trace {
    /// Adds an operation with a result.
    pub fn value(&mut self, name: &'static str, operands: &[Operand]) -> Operand {
        let result = self.n_values;
        self.n_values += 1;
        self.push(Some(result), name, operands);
        Operand::Value(result)
    }

    /// Adds an operation without one.
    pub fn effect(&mut self, name: &'static str, operands: &[Operand]) {
        self.push(None, name, operands);
    }

    fn push(&mut self, result: Option<u32>, name: &'static str, operands: &[Operand]) {
        self.lines.push(Line::Op(Op {
            result,
            name,
            operands: operands.to_vec(),
        }));
    }

    pub fn note(&mut self, text: String) {
        self.lines.push(Line::Note(text));
    }

    /// The operand that prints as `text`.
    pub fn text(&mut self, text: String) -> Operand {
        let index = self
            .texts
            .iter()
            .position(|known| *known == text)
            .unwrap_or_else(|| {
                self.texts.push(text);
                self.texts.len() - 1
            });
        Operand::Text(index as u32)
    }

    /// The operations in order.
    pub fn ops(&self) -> impl Iterator<Item = &Op> {
        self.lines.iter().filter_map(|line| match line {
            Line::Op(op) => Some(op),
            Line::Note(_) => None,
        })
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            let op = match line {
                Line::Note(text) => {
                    writeln!(f, "; {text}")?;
                    continue;
                }
                Line::Op(op) => op,
            };
            write!(f, "  ")?;
            if let Some(result) = op.result {
                write!(f, "v{result} = ")?;
            }
            write!(f, "{}", op.name)?;
            for (index, operand) in op.operands.iter().enumerate() {
                write!(f, "{}", if index == 0 { " " } else { ", " })?;
                match operand {
                    Operand::Value(value) => write!(f, "v{value}")?,
                    Operand::Int(value) => write!(f, "{value}")?,
                    Operand::Float(value) => write!(f, "{value:?}")?,
                    Operand::Bool(value) => write!(f, "{value}")?,
                    Operand::Text(index) => write!(f, "{}", self.texts[*index as usize])?,
                    Operand::Version => write!(f, "version")?,
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
