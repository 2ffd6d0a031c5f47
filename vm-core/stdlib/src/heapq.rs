//! `_heapq`: priority queues in lists. A max heap is a min heap with its comparisons turned round.

use adder_runtime::prelude::*;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Min,
    Max,
}

/// Whether `a` goes above `b`.
#[inline]
fn above(order: Order, a: &PyObject, b: &PyObject) -> PyResult<bool> {
    match order {
        Order::Min => a.compare_bool(b, CompareOp::Lt),
        Order::Max => b.compare_bool(a, CompareOp::Lt),
    }
}

fn at(heap: &PyListObject, index: usize) -> PyResult<Ref> {
    heap.get(index).ok_or_else(|| raise!(IndexError, "index out of range"))
}

/// Comparisons run Python code, which must leave the list's length alone.
fn unchanged(heap: &PyListObject, len: usize) -> PyResult<()> {
    if heap.len() == len { Ok(()) } else { Err(raise!(RuntimeError, "list changed size during iteration")) }
}

fn swap(heap: &PyListObject, a: usize, b: usize) -> PyResult<()> {
    let (x, y) = (at(heap, a)?, at(heap, b)?);
    drop(heap.replace(a, y));
    drop(heap.replace(b, x));
    Ok(())
}

/// Moves the item at `pos` up to its place, not above `start`.
fn sift_down(order: Order, heap: &PyListObject, start: usize, mut pos: usize) -> PyResult<()> {
    let len = heap.len();
    if pos >= len {
        return Err(raise!(IndexError, "index out of range"));
    }
    while pos > start {
        let parent = (pos - 1) / 2;
        let moves = above(order, &*at(heap, pos)?, &*at(heap, parent)?)?;
        unchanged(heap, len)?;
        if !moves {
            break;
        }
        swap(heap, pos, parent)?;
        pos = parent;
    }
    Ok(())
}

/// Moves the item at `pos` down to a leaf along the better children, then up to its place.
fn sift_up(order: Order, heap: &PyListObject, mut pos: usize) -> PyResult<()> {
    let len = heap.len();
    let start = pos;
    if pos >= len {
        return Err(raise!(IndexError, "index out of range"));
    }
    while pos < len / 2 {
        let mut child = 2 * pos + 1;
        if child + 1 < len {
            let left = above(order, &*at(heap, child)?, &*at(heap, child + 1)?)?;
            unchanged(heap, len)?;
            if !left {
                child += 1;
            }
        }
        swap(heap, pos, child)?;
        pos = child;
    }
    sift_down(order, heap, start, pos)
}

fn push(order: Order, heap: &PyListObject, item: &PyObject) -> PyResult<()> {
    heap.try_push(item.to_ref())?;
    sift_down(order, heap, 0, heap.len() - 1)
}

fn pop(order: Order, heap: &PyListObject) -> PyResult {
    let Some(last) = heap.pop_last() else { return Err(raise!(IndexError, "index out of range")) };
    if heap.len() == 0 {
        return Ok(last);
    }
    let top = heap.replace(0, last);
    sift_up(order, heap, 0)?;
    Ok(top)
}

fn replace(order: Order, heap: &PyListObject, item: &PyObject) -> PyResult {
    if heap.len() == 0 {
        return Err(raise!(IndexError, "index out of range"));
    }
    let top = heap.replace(0, item.to_ref());
    sift_up(order, heap, 0)?;
    Ok(top)
}

fn push_pop(order: Order, heap: &PyListObject, item: &PyObject) -> PyResult {
    if heap.len() == 0 {
        return Ok(item.to_ref());
    }
    if !above(order, &*at(heap, 0)?, item)? {
        return Ok(item.to_ref());
    }
    replace(order, heap, item)
}

fn make(order: Order, heap: &PyListObject) -> PyResult<()> {
    for pos in (0..heap.len() / 2).rev() {
        sift_up(order, heap, pos)?;
    }
    Ok(())
}

/// Heap queue algorithm (a.k.a. priority queue).
#[pymodule(name = "_heapq", types = [])]
pub mod _heapq {
    use super::*;

    #[pyconst]
    const __about__: &str = "Heap queues: lists in which heap[k] <= heap[2*k+1] and heap[k] <= heap[2*k+2] for all k.";

    /// Pushes an item, keeping the heap.
    #[pyfunction("($module, heap, item, /)")]
    fn heappush(heap: &PyListObject, item: &PyObject) -> PyResult<()> {
        push(Order::Min, heap, item)
    }
    /// Pops the smallest item.
    #[pyfunction("($module, heap, /)")]
    fn heappop(heap: &PyListObject) -> PyResult {
        pop(Order::Min, heap)
    }
    /// Pops the smallest item, then pushes the new one.
    #[pyfunction("($module, heap, item, /)")]
    fn heapreplace(heap: &PyListObject, item: &PyObject) -> PyResult {
        replace(Order::Min, heap, item)
    }
    /// Pushes the item, then pops the smallest.
    #[pyfunction("($module, heap, item, /)")]
    fn heappushpop(heap: &PyListObject, item: &PyObject) -> PyResult {
        push_pop(Order::Min, heap, item)
    }
    /// Makes a list a heap, in place, in linear time.
    #[pyfunction("($module, heap, /)")]
    fn heapify(heap: &PyListObject) -> PyResult<()> {
        make(Order::Min, heap)
    }
    /// Pushes an item onto a max heap.
    #[pyfunction("($module, heap, item, /)")]
    fn heappush_max(heap: &PyListObject, item: &PyObject) -> PyResult<()> {
        push(Order::Max, heap, item)
    }
    /// Pops the largest item of a max heap.
    #[pyfunction("($module, heap, /)")]
    fn heappop_max(heap: &PyListObject) -> PyResult {
        pop(Order::Max, heap)
    }
    /// Pops the largest item of a max heap, then pushes the new one.
    #[pyfunction("($module, heap, item, /)")]
    fn heapreplace_max(heap: &PyListObject, item: &PyObject) -> PyResult {
        replace(Order::Max, heap, item)
    }
    /// Pushes the item, then pops the largest of a max heap.
    #[pyfunction("($module, heap, item, /)")]
    fn heappushpop_max(heap: &PyListObject, item: &PyObject) -> PyResult {
        push_pop(Order::Max, heap, item)
    }
    /// Makes a list a max heap.
    #[pyfunction("($module, heap, /)")]
    fn heapify_max(heap: &PyListObject) -> PyResult<()> {
        make(Order::Max, heap)
    }
}
