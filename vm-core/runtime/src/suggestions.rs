//! "Did you mean …?": the name nearest to a wrong one, by the edit distance that CPython uses (moves cost 2, a change of
//! case 1).

const MOVE_COST: usize = 2;
const CASE_COST: usize = 1;
const MAX_LENGTH: usize = 40;
const MAX_CANDIDATES: usize = 750;

fn substitution_cost(a: char, b: char) -> usize {
    if a == b {
        0
    } else if a.to_lowercase().eq(b.to_lowercase()) {
        CASE_COST
    } else {
        MOVE_COST
    }
}

/// The edit distance, or something above `limit` when it is greater.
fn distance(a: &str, b: &str, limit: usize) -> usize {
    let (mut a, mut b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let prefix = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    a.drain(..prefix);
    b.drain(..prefix);
    while let (Some(x), Some(y)) = (a.last(), b.last())
        && x == y
    {
        a.pop();
        b.pop();
    }
    if a.is_empty() || b.is_empty() {
        return (a.len() + b.len()) * MOVE_COST;
    }
    if a.len() > MAX_LENGTH || b.len() > MAX_LENGTH {
        return limit + 1;
    }
    if a.len() > b.len() {
        std::mem::swap(&mut a, &mut b);
    }
    if (b.len() - a.len()) * MOVE_COST > limit {
        return limit + 1;
    }
    let mut row: Vec<usize> = (1..=a.len()).map(|n| n * MOVE_COST).collect();
    let mut result = 0;
    for (at, y) in b.iter().enumerate() {
        let mut diagonal = at * MOVE_COST;
        result = diagonal + MOVE_COST;
        let mut minimum = usize::MAX;
        diagonal = at * MOVE_COST;
        for (index, x) in a.iter().enumerate() {
            let substitute = diagonal + substitution_cost(*y, *x);
            diagonal = row[index];
            result = substitute.min(result.min(diagonal) + MOVE_COST);
            row[index] = result;
            minimum = minimum.min(result);
        }
        if minimum > limit {
            return limit + 1;
        }
    }
    result
}

/// The candidate that is near enough to `name`, if there is one.
pub fn best_match<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if name.chars().count() > MAX_LENGTH {
        return None;
    }
    let mut best = None;
    let mut best_distance = usize::MAX;
    for (n, candidate) in candidates.enumerate() {
        if n >= MAX_CANDIDATES {
            return None;
        }
        if candidate == name {
            continue;
        }
        let limit = (name.chars().count() + candidate.chars().count() + 3) * MOVE_COST / 6;
        let limit = limit.min(best_distance.saturating_sub(1));
        let found = distance(name, candidate, limit);
        if found <= limit && found < best_distance {
            best = Some(candidate);
            best_distance = found;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::best_match;

    #[test]
    fn nearest_name() {
        assert_eq!(best_match("alphb", ["beta", "alpha"].into_iter()), Some("alpha"));
        assert_eq!(
            best_match("ssep", ["sep", "end", "file"].into_iter()),
            Some("sep")
        );
        assert_eq!(best_match("zzzz", ["alpha", "b"].into_iter()), None);
    }
}
