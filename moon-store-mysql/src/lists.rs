//! Lists of values in statements.
//!
//! A statement has a place for each value, so that a list of another length is another statement, which has to be prepared
//! anew. Hence a few lengths: a list that is looked up is filled with its own last value, one that is inserted is cut.

use mysql_async::Value;

/// Lengths of lists that are looked up. Longer ones MariaDB would turn into a join of its own making, in whichever order.
const LOOKUP_LENGTHS: [usize; 4] = [1, 8, 64, 512];

/// The values in parts, each with its places: `?,?,?`.
pub(crate) fn lookups(values: &[Value]) -> impl Iterator<Item = (String, Vec<Value>)> {
    let longest = LOOKUP_LENGTHS.last().copied().unwrap_or(1);
    values.chunks(longest).map(move |part| {
        let length = LOOKUP_LENGTHS.into_iter().find(|length| *length >= part.len()).unwrap_or(longest);
        let mut filled = part.to_vec();
        if let Some(last) = part.last() {
            filled.resize(length, last.clone());
        }
        (places("?", length), filled)
    })
}

/// The rows in parts of few lengths, the longest `rows_max`.
pub(crate) fn parts<T>(rows: &[T], rows_max: usize) -> impl Iterator<Item = &[T]> {
    let lengths = [rows_max, rows_max / 16, rows_max / 256, 1];
    let mut rest = rows;
    std::iter::from_fn(move || {
        let length = lengths.into_iter().find(|length| (1..=rest.len()).contains(length))?;
        let (part, behind) = rest.split_at_checked(length)?;
        rest = behind;
        Some(part)
    })
}

/// `one` so many times, with commas between.
pub(crate) fn places(one: &str, times: usize) -> String {
    let mut text = String::with_capacity((one.len() + 1) * times);
    for time in 0..times {
        if time > 0 {
            text.push(',');
        }
        text.push_str(one);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_filled_to_one_of_few_lengths() {
        let values: Vec<Value> = (0..521_i64).map(Value::Int).collect();
        let lists: Vec<_> = lookups(&values).collect();
        assert_eq!(lists.iter().map(|(_, values)| values.len()).collect::<Vec<_>>(), [512, 64]);
        assert_eq!(lists[1].1.last(), Some(&Value::Int(520)));
        assert_eq!(lists[1].0.matches('?').count(), 64);
        assert_eq!(lookups(&values[..1]).next().unwrap().0, "?");
        assert!(lookups(&[]).next().is_none());
    }

    #[test]
    fn rows_are_cut_into_parts_of_few_lengths() {
        let rows: Vec<u32> = (0..1_100).collect();
        let lengths: Vec<_> = parts(&rows, 512).map(<[u32]>::len).collect();
        assert_eq!(lengths, [512, 512, 32, 32, 2, 2, 2, 2, 2, 2]);
        assert_eq!(parts(&rows, 512).flatten().copied().collect::<Vec<_>>(), rows);
        assert!(parts(&[0_u32; 0], 512).next().is_none());
    }
}
