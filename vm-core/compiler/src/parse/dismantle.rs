//! the parser's tree -> nothing, however deeply it nests: what is inside a node is put on a list before the node is dropped.

use ruff_python_ast as ruff;
use ruff_python_ast::visitor::transformer::{Transformer, walk_expr, walk_stmt};
use std::cell::RefCell;

/// Nodes that were taken out of their parents and are not dropped yet.
#[derive(Default)]
struct Taken {
    exprs: RefCell<Vec<ruff::Expr>>,
    stmts: RefCell<Vec<ruff::Stmt>>,
}

impl Transformer for Taken {
    fn visit_expr(&self, expr: &mut ruff::Expr) {
        let nothing = ruff::Expr::NoneLiteral(ruff::ExprNoneLiteral::default());
        self.exprs.borrow_mut().push(std::mem::replace(expr, nothing));
    }
    fn visit_stmt(&self, stmt: &mut ruff::Stmt) {
        let nothing = ruff::Stmt::Pass(ruff::StmtPass {
            range: Default::default(),
            node_index: Default::default(),
        });
        self.stmts.borrow_mut().push(std::mem::replace(stmt, nothing));
    }
}

/// Drops a tree that may be deeper than any stack.
pub fn drop_module(tree: ruff::Mod) {
    let taken = Taken::default();
    match tree {
        ruff::Mod::Module(module) => taken.stmts.borrow_mut().extend(module.body),
        ruff::Mod::Expression(expression) => taken.exprs.borrow_mut().push(*expression.body),
    }
    loop {
        // The borrow ends before the node's parts are put on the lists.
        let stmt = taken.stmts.borrow_mut().pop();
        if let Some(mut stmt) = stmt {
            walk_stmt(&taken, &mut stmt);
            continue;
        }
        let expr = taken.exprs.borrow_mut().pop();
        match expr {
            Some(mut expr) => walk_expr(&taken, &mut expr),
            None => return,
        }
    }
}
