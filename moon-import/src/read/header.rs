//! The columns that a file has against those that a map names.

use moon_core::{Error, Result};

/// How many columns a message lists.
const LISTED_MAX: usize = 60;

/// How many characters of a column's name a message shows.
const SHOWN_MAX: usize = 40;

/// The place of each wanted column in the header.
///
/// # Errors
/// `InvalidInput` naming the first column that is not there or there twice, with the columns that are, and the nearest.
pub(super) fn resolve(header: &[String], wanted: &[String]) -> Result<Vec<usize>> {
    let mut places = Vec::with_capacity(wanted.len());
    for name in wanted {
        let mut found = header.iter().enumerate().filter(|(_, column)| *column == name).map(|(place, _)| place);
        let place = found.next().ok_or_else(|| absent(header, name, wanted))?;
        if found.next().is_some() {
            return Err(Error::invalid("file has a column twice").with("column", name));
        }
        places.push(place);
    }
    Ok(places)
}

fn absent(header: &[String], name: &str, wanted: &[String]) -> Error {
    let message = if wanted.iter().any(|name| header.contains(name)) {
        "file has not the column that the map names"
    } else {
        "the first line of the file is not a header with the columns that the map names"
    };
    let mut error = Error::invalid(message).with("column", name);
    if let Some(near) = nearest(header, name) {
        error = error.with("did_you_mean", shown(near));
    }
    let mut listed: Vec<String> = header.iter().take(LISTED_MAX).map(|column| shown(column)).collect();
    if header.len() > LISTED_MAX {
        listed.push(format!("and {} more", header.len() - LISTED_MAX));
    }
    error.with("columns", listed.join(", "))
}

/// A name from a file that may be anything, fit for a terminal.
fn shown(name: &str) -> String {
    name.chars().take(SHOWN_MAX).flat_map(char::escape_debug).collect()
}

/// The column whose name needs the fewest changes, if these are few; case, blanks and underscores count for nothing.
fn nearest<'a>(header: &'a [String], name: &str) -> Option<&'a str> {
    let plain = |name: &str| -> Vec<char> {
        let letters = name.chars().filter(|letter| letter.is_alphanumeric());
        letters.take(SHOWN_MAX).flat_map(char::to_lowercase).collect()
    };
    let wanted = plain(name);
    let distances = header.iter().map(|column| (distance(&wanted, &plain(column)), column));
    let (changes, column) = distances.min_by_key(|(changes, _)| *changes)?;
    (changes <= wanted.len() / 3).then_some(column)
}

/// Insertions, removals and replacements from one word to the other.
fn distance(left: &[char], right: &[char]) -> usize {
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for (row, letter) in left.iter().enumerate() {
        let mut present = Vec::with_capacity(above.len());
        present.push(row + 1);
        let pairs = above.iter().zip(above.iter().skip(1));
        for ((diagonal, upper), other) in pairs.zip(right) {
            let before = present.last().copied().unwrap_or_default();
            let replaced = diagonal + usize::from(letter != other);
            present.push(replaced.min(upper + 1).min(before + 1));
        }
        above = present;
    }
    above.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn columns_are_found_by_their_exact_names() {
        let header = names(&["AGENCY_ID", "PROD_ABBR", "AMOUNT"]);
        assert_eq!(resolve(&header, &names(&["AMOUNT", "AGENCY_ID"])).unwrap(), [2, 0]);
        let error = resolve(&header, &names(&["AMOUNT", "agency id"])).unwrap_err().to_string();
        assert_eq!(
            error,
            "file has not the column that the map names (column: agency id, did_you_mean: AGENCY_ID, columns: AGENCY_ID, PROD_ABBR, AMOUNT)"
        );
        assert!(!resolve(&header, &names(&["PREMIUM"])).unwrap_err().to_string().contains("did_you_mean"));
        assert!(resolve(&names(&["A", "A"]), &names(&["A"])).is_err());
    }

    #[test]
    fn distances_count_changes() {
        let changes =
            |left: &str, right: &str| distance(&left.chars().collect::<Vec<_>>(), &right.chars().collect::<Vec<_>>());
        assert_eq!(changes("kitten", "sitting"), 3);
        assert_eq!(changes("", "abc"), 3);
        assert_eq!(changes("same", "same"), 0);
    }
}
