//! `list.sort`: powersort, a stable merge sort that finds runs and merges them in a nearly optimal order.
//!
//! After J. I. Munro and S. Wild, "Nearly-Optimal Mergesorts", and T. Peters's galloping merge. Keys that are all exact
//! `str`, small `int` or ordered `float` cannot run code when compared and are sorted by the standard library.

use crate::prelude::*;
use std::cmp::Ordering;

/// A key and the item that it stands for. Both counts are the caller's.
#[derive(Clone, Copy)]
struct Elem {
    key: *mut PyObject,
    item: *mut PyObject,
}

impl PyListObject {
    /// Sorts in place. The list is empty for the time of the sort; ValueError when it was changed meanwhile.
    pub fn sort(&self, key: Option<&PyObject>, reverse: bool) -> PyResult<()> {
        let block = self.ob_item.replace(std::ptr::null_mut());
        let n = self.ob_base.ob_size.replace(0) as usize;
        let allocated = self.allocated.replace(-1);
        let items: &mut [*mut PyObject] = if n == 0 {
            &mut []
        } else {
            // SAFETY: the block had n items; it is ours for now.
            unsafe { std::slice::from_raw_parts_mut(block, n) }
        };
        let mut result = sort_items(items, key, reverse);

        // Put the items back; what the list got meanwhile is dropped.
        let modified = self.allocated.get() != -1;
        if modified && result.is_ok() {
            result = Err(raise!(ValueError, "list modified during sort"));
        }
        let (other, n_other) = (
            self.ob_item.replace(block),
            self.ob_base.ob_size.replace(n as isize),
        );
        self.allocated.set(allocated);
        if !other.is_null() {
            let list = PyListObject::new();
            list.ob_item.set(other);
            list.ob_base.ob_size.set(n_other);
            list.allocated.set(n_other);
        }
        result
    }
}

fn sort_items(items: &mut [*mut PyObject], key: Option<&PyObject>, reverse: bool) -> PyResult<()> {
    let mut keys: Vec<Ref> = Vec::new();
    if let Some(key) = key {
        keys.reserve_exact(items.len());
        for item in items.iter() {
            // SAFETY: the list's items, which it owns throughout.
            keys.push(key.call1(unsafe { &**item })?);
        }
    }
    if items.len() < 2 {
        return Ok(());
    }
    let mut elems: Vec<Elem> = items
        .iter()
        .enumerate()
        .map(|(idx, item)| Elem {
            key: keys.get(idx).map_or(*item, Ref::as_raw),
            item: *item,
        })
        .collect();
    // Reversing before and after keeps equal items in their order.
    if reverse {
        elems.reverse();
    }
    let result = sort_elems(&mut elems);
    if reverse {
        elems.reverse();
    }
    for (item, elem) in items.iter_mut().zip(&elems) {
        *item = elem.item;
    }
    result
}

fn sort_elems(elems: &mut [Elem]) -> PyResult<()> {
    // SAFETY: keys are live objects; the layouts are checked for all of them before they are used.
    unsafe {
        let ty = (*elems[0].key).ty();
        let same_type = elems.iter().all(|elem| std::ptr::eq((*elem.key).ty(), ty));
        if !same_type {
            return powersort(elems, |a, b| (*a).rich_compare(&*b, CompareOp::Lt)?.is_true());
        }
        if std::ptr::eq(ty, PyUnicodeObject::type_object()) {
            elems.sort_by(|a, b| {
                (*a.key.cast::<PyUnicodeObject>()).compare(&*b.key.cast::<PyUnicodeObject>())
            });
            return Ok(());
        }
        if std::ptr::eq(ty, PyLongObject::type_object()) {
            let long = |elem: &Elem| &*elem.key.cast::<PyLongObject>();
            if elems.iter().all(|elem| long(elem).is_compact()) {
                elems.sort_by_key(|elem| long(elem).compact_value());
                return Ok(());
            }
        }
        if std::ptr::eq(ty, PyFloatObject::type_object()) {
            let float = |elem: &Elem| (*elem.key.cast::<PyFloatObject>()).ob_fval.get();
            if elems.iter().all(|elem| !float(elem).is_nan()) {
                elems.sort_by(|a, b| float(a).partial_cmp(&float(b)).unwrap_or(Ordering::Equal));
                return Ok(());
            }
        }
        match ty.tp_richcompare.get() {
            Some(slot) => powersort(elems, |a, b| less_by_slot(slot, ty, a, b)),
            None => powersort(elems, |a, b| (*a).rich_compare(&*b, CompareOp::Lt)?.is_true()),
        }
    }
}

/// `a < b` by the comparison slot that both have, without the general dispatch.
///
/// # Safety
/// Both are live; when they were sorted out, both were of the type.
#[inline]
unsafe fn less_by_slot(
    slot: richcmpfunc,
    ty: &PyTypeObject,
    a: *mut PyObject,
    b: *mut PyObject,
) -> PyResult<bool> {
    // SAFETY: the slot of the first operand's type; a new reference or NULL.
    unsafe {
        // A comparison may have changed a class or its slots.
        if !std::ptr::eq((*a).ty(), ty)
            || ty.tp_richcompare.get().map(|now| now as usize) != Some(slot as usize)
        {
            return (*a).rich_compare(&*b, CompareOp::Lt)?.is_true();
        }
        let Some(result) = Ref::from_owned_opt(slot(a, b, CompareOp::Lt as c_int)) else {
            return Err(Raised::from_c("__lt__"));
        };
        if result.is(not_implemented()) {
            return (*a).rich_compare(&*b, CompareOp::Lt)?.is_true();
        }
        result.is_true()
    }
}

/// A run that waits to be merged, and the power of the boundary to the next.
#[derive(Clone, Copy)]
struct Run {
    start: usize,
    len: usize,
    power: u32,
}

const MIN_GALLOP: usize = 7;

struct Sorter<'a, F> {
    elems: &'a mut [Elem],
    less: F,
    pending: Vec<Run>,
    temp: Vec<Elem>,
    min_gallop: usize,
}

/// Sorts stably by `less`. When that fails, `elems` is still a permutation of what it was.
fn powersort(
    elems: &mut [Elem],
    less: impl FnMut(*mut PyObject, *mut PyObject) -> PyResult<bool>,
) -> PyResult<()> {
    Sorter {
        elems,
        less,
        pending: Vec::new(),
        temp: Vec::new(),
        min_gallop: MIN_GALLOP,
    }
    .sort()
}

impl<F: FnMut(*mut PyObject, *mut PyObject) -> PyResult<bool>> Sorter<'_, F> {
    #[inline]
    fn less(&mut self, a: Elem, b: Elem) -> PyResult<bool> {
        (self.less)(a.key, b.key)
    }

    fn sort(mut self) -> PyResult<()> {
        let n = self.elems.len();
        let min_run = min_run(n);
        let mut start = 0;
        while start < n {
            let mut len = self.count_run(start)?;
            if len < min_run {
                let forced = min_run.min(n - start);
                self.binary_insertion(start, start + len, start + forced)?;
                len = forced;
            }
            self.found_new_run(start, len)?;
            self.pending.push(Run { start, len, power: 0 });
            start += len;
        }
        while self.pending.len() > 1 {
            self.merge_at(self.pending.len() - 2)?;
        }
        Ok(())
    }

    /// The length of the run at `start`, made ascending.
    fn count_run(&mut self, start: usize) -> PyResult<usize> {
        let n = self.elems.len();
        let mut end = start + 1;
        if end == n {
            return Ok(1);
        }
        let descending = self.less(self.elems[end], self.elems[start])?;
        end += 1;
        while end < n && self.less(self.elems[end], self.elems[end - 1])? == descending {
            end += 1;
        }
        if descending {
            self.elems[start..end].reverse();
        }
        Ok(end - start)
    }

    /// Sorts `start..end`, of which `start..sorted` is sorted.
    fn binary_insertion(&mut self, start: usize, sorted: usize, end: usize) -> PyResult<()> {
        for at in sorted..end {
            let pivot = self.elems[at];
            let (mut left, mut right) = (start, at);
            while left < right {
                let middle = left + (right - left) / 2;
                if self.less(pivot, self.elems[middle])? {
                    right = middle;
                } else {
                    left = middle + 1;
                }
            }
            self.elems.copy_within(left..at, left + 1);
            self.elems[left] = pivot;
        }
        Ok(())
    }

    /// Merges pending runs whose boundary has a higher power than the one before the new run.
    fn found_new_run(&mut self, start: usize, len: usize) -> PyResult<()> {
        if let Some(last) = self.pending.last().copied() {
            let power = boundary_power(last.start, last.len, len, self.elems.len());
            debug_assert_eq!(last.start + last.len, start);
            while self.pending.len() > 1 && self.pending[self.pending.len() - 2].power > power {
                self.merge_at(self.pending.len() - 2)?;
            }
            let top = self.pending.len() - 1;
            self.pending[top].power = power;
        }
        Ok(())
    }

    /// Merges pending runs number `idx` and `idx + 1`.
    fn merge_at(&mut self, idx: usize) -> PyResult<()> {
        let (a, b) = (self.pending[idx], self.pending[idx + 1]);
        self.pending[idx].len += b.len;
        self.pending.remove(idx + 1);
        // What of `a` comes before all of `b`, and what of `b` after all of `a`, is in place.
        let first = self.elems[b.start];
        let skip = self.gallop_right(first, a.start, a.len, 0)?;
        let (a_start, a_len) = (a.start + skip, a.len - skip);
        if a_len == 0 {
            return Ok(());
        }
        let last = self.elems[a_start + a_len - 1];
        let b_len = self.gallop_left(last, b.start, b.len, b.len - 1)?;
        if b_len == 0 {
            return Ok(());
        }
        if a_len <= b_len {
            self.merge_low(a_start, a_len, b.start, b_len)
        } else {
            self.merge_high(a_start, a_len, b.start, b_len)
        }
    }

    /// The number of elements of `elems[start..start + n]` that are less than `key`, searched from `hint` outwards.
    fn gallop_left(&mut self, key: Elem, start: usize, n: usize, hint: usize) -> PyResult<usize> {
        let (mut low, mut high);
        if self.less(self.elems[start + hint], key)? {
            let (mut last, mut offset) = (0, 1);
            while hint + offset < n && self.less(self.elems[start + hint + offset], key)? {
                last = offset;
                offset = (offset << 1) + 1;
            }
            (low, high) = (hint + last + 1, (hint + offset).min(n));
        } else {
            let (mut last, mut offset) = (0, 1);
            while offset <= hint && !self.less(self.elems[start + hint - offset], key)? {
                last = offset;
                offset = (offset << 1) + 1;
            }
            (low, high) = ((hint + 1).saturating_sub(offset), hint - last);
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if self.less(self.elems[start + middle], key)? {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    /// The number of elements of `elems[start..start + n]` that are not greater than `key`.
    fn gallop_right(&mut self, key: Elem, start: usize, n: usize, hint: usize) -> PyResult<usize> {
        let (mut low, mut high);
        if self.less(key, self.elems[start + hint])? {
            let (mut last, mut offset) = (0, 1);
            while offset <= hint && self.less(key, self.elems[start + hint - offset])? {
                last = offset;
                offset = (offset << 1) + 1;
            }
            (low, high) = ((hint + 1).saturating_sub(offset), hint - last);
        } else {
            let (mut last, mut offset) = (0, 1);
            while hint + offset < n && !self.less(key, self.elems[start + hint + offset])? {
                last = offset;
                offset = (offset << 1) + 1;
            }
            (low, high) = (hint + last + 1, (hint + offset).min(n));
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if self.less(key, self.elems[start + middle])? {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok(low)
    }

    /// Merges adjacent runs from the left, with the first in the buffer.
    fn merge_low(&mut self, a_start: usize, a_len: usize, b_start: usize, b_len: usize) -> PyResult<()> {
        self.temp.clear();
        self.temp.extend_from_slice(&self.elems[a_start..a_start + a_len]);
        let mut state = MergeState {
            a: 0,
            a_end: a_len,
            b: b_start,
            b_end: b_start + b_len,
            dest: a_start,
        };
        let result = self.merge_low_loop(&mut state);
        // What is left of the buffer goes into the gap, which has just its size; what is left of `b` is in place.
        let left = &self.temp[state.a..state.a_end];
        self.elems[state.dest..state.dest + left.len()].copy_from_slice(left);
        result
    }

    fn merge_low_loop(&mut self, s: &mut MergeState) -> PyResult<()> {
        while s.a < s.a_end && s.b < s.b_end {
            let (mut a_wins, mut b_wins) = (0, 0);
            // One at a time, until one run wins often.
            while a_wins < self.min_gallop && b_wins < self.min_gallop {
                if s.a == s.a_end || s.b == s.b_end {
                    return Ok(());
                }
                if self.less(self.elems[s.b], self.temp[s.a])? {
                    self.elems[s.dest] = self.elems[s.b];
                    s.b += 1;
                    (a_wins, b_wins) = (0, b_wins + 1);
                } else {
                    self.elems[s.dest] = self.temp[s.a];
                    s.a += 1;
                    (a_wins, b_wins) = (a_wins + 1, 0);
                }
                s.dest += 1;
            }
            // Whole stretches, as long as that pays.
            self.min_gallop += 1;
            loop {
                if s.a == s.a_end || s.b == s.b_end {
                    return Ok(());
                }
                self.min_gallop -= usize::from(self.min_gallop > 1);
                let key = self.elems[s.b];
                let n_a = self.gallop_temp_right(key, s.a, s.a_end)?;
                self.elems[s.dest..s.dest + n_a].copy_from_slice(&self.temp[s.a..s.a + n_a]);
                s.a += n_a;
                s.dest += n_a;
                if s.a == s.a_end {
                    return Ok(());
                }
                self.elems[s.dest] = self.elems[s.b];
                s.b += 1;
                s.dest += 1;
                if s.b == s.b_end {
                    return Ok(());
                }
                let key = self.temp[s.a];
                let n_b = self.gallop_left(key, s.b, s.b_end - s.b, 0)?;
                self.elems.copy_within(s.b..s.b + n_b, s.dest);
                s.b += n_b;
                s.dest += n_b;
                if s.b == s.b_end {
                    return Ok(());
                }
                self.elems[s.dest] = self.temp[s.a];
                s.a += 1;
                s.dest += 1;
                if n_a < MIN_GALLOP && n_b < MIN_GALLOP {
                    break;
                }
            }
            self.min_gallop += 1;
        }
        Ok(())
    }

    /// How many of the buffer's `from..to` are not greater than `key`.
    fn gallop_temp_right(&mut self, key: Elem, from: usize, to: usize) -> PyResult<usize> {
        let n = to - from;
        if self.less(key, self.temp[from])? {
            return Ok(0);
        }
        let (mut last, mut offset) = (0, 1);
        while offset < n && !self.less(key, self.temp[from + offset])? {
            last = offset;
            offset = (offset << 1) + 1;
        }
        let (mut low, mut high) = (last + 1, offset.min(n));
        while low < high {
            let middle = low + (high - low) / 2;
            if self.less(key, self.temp[from + middle])? {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok(low)
    }

    /// Merges adjacent runs from the right, with the second in the buffer.
    fn merge_high(&mut self, a_start: usize, a_len: usize, b_start: usize, b_len: usize) -> PyResult<()> {
        self.temp.clear();
        self.temp.extend_from_slice(&self.elems[b_start..b_start + b_len]);
        // Counts of what is left; the destination ends at a_start + a + b.
        let (mut a, mut b) = (a_len, b_len);
        let result = self.merge_high_loop(a_start, &mut a, &mut b);
        self.elems[a_start + a..a_start + a + b].copy_from_slice(&self.temp[..b]);
        result
    }

    fn merge_high_loop(&mut self, start: usize, a: &mut usize, b: &mut usize) -> PyResult<()> {
        while *a > 0 && *b > 0 {
            let (mut a_wins, mut b_wins) = (0, 0);
            while a_wins < self.min_gallop && b_wins < self.min_gallop {
                if *a == 0 || *b == 0 {
                    return Ok(());
                }
                let dest = start + *a + *b - 1;
                if self.less(self.temp[*b - 1], self.elems[start + *a - 1])? {
                    self.elems[dest] = self.elems[start + *a - 1];
                    *a -= 1;
                    (a_wins, b_wins) = (a_wins + 1, 0);
                } else {
                    self.elems[dest] = self.temp[*b - 1];
                    *b -= 1;
                    (a_wins, b_wins) = (0, b_wins + 1);
                }
            }
            self.min_gallop += 1;
            loop {
                if *a == 0 || *b == 0 {
                    return Ok(());
                }
                self.min_gallop -= usize::from(self.min_gallop > 1);
                let key = self.temp[*b - 1];
                let keep = self.gallop_right(key, start, *a, *a - 1)?;
                let n_a = *a - keep;
                self.elems
                    .copy_within(start + keep..start + *a, start + keep + *b);
                *a = keep;
                if *a == 0 {
                    return Ok(());
                }
                self.elems[start + *a + *b - 1] = self.temp[*b - 1];
                *b -= 1;
                if *b == 0 {
                    return Ok(());
                }
                let key = self.elems[start + *a - 1];
                let keep = self.gallop_temp_left(key, *b)?;
                let n_b = *b - keep;
                let dest = start + *a + keep;
                self.elems[dest..dest + n_b].copy_from_slice(&self.temp[keep..*b]);
                *b = keep;
                if *b == 0 {
                    return Ok(());
                }
                self.elems[start + *a + *b - 1] = self.elems[start + *a - 1];
                *a -= 1;
                if n_a < MIN_GALLOP && n_b < MIN_GALLOP {
                    break;
                }
            }
            self.min_gallop += 1;
        }
        Ok(())
    }

    /// How many of the buffer's first `n` are less than `key`, searched from the end.
    fn gallop_temp_left(&mut self, key: Elem, n: usize) -> PyResult<usize> {
        if self.less(self.temp[n - 1], key)? {
            return Ok(n);
        }
        let (mut last, mut offset) = (0, 1);
        while offset < n && !self.less(self.temp[n - 1 - offset], key)? {
            last = offset;
            offset = (offset << 1) + 1;
        }
        let (mut low, mut high) = (n.saturating_sub(offset), n - 1 - last);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.less(self.temp[middle], key)? {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }
}

/// Positions in a merge from the left: the buffer, the second run, and where the next element goes.
struct MergeState {
    a: usize,
    a_end: usize,
    b: usize,
    b_end: usize,
    dest: usize,
}

/// Runs shorter than this are extended by insertion: 32..=64, such that `n` over it is close to a power of two.
fn min_run(mut n: usize) -> usize {
    let mut rest = 0;
    while n >= 64 {
        rest |= n & 1;
        n >>= 1;
    }
    n + rest
}

/// The depth of the boundary between two adjacent runs in the merge tree over `n` elements.
fn boundary_power(start: usize, len_a: usize, len_b: usize, n: usize) -> u32 {
    let mut a = 2 * start + len_a;
    let mut b = a + len_a + len_b;
    let mut power = 0;
    loop {
        power += 1;
        if a >= n {
            a -= n;
            b -= n;
        } else if b >= n {
            return power;
        }
        a <<= 1;
        b <<= 1;
    }
}
