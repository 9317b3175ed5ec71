//! The order in which the parts of one log follow each other.

use std::cmp::Ordering;

/// Compares texts with runs of digits as numbers: `page-2` before `page-10`.
#[must_use]
pub fn natural_order(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left.as_bytes(), right.as_bytes());
    loop {
        let (left_number, right_number) = (digits(left), digits(right));
        let order = if left_number.is_empty() || right_number.is_empty() {
            match (left.split_first(), right.split_first()) {
                (Some((left_byte, left_rest)), Some((right_byte, right_rest))) => {
                    (left, right) = (left_rest, right_rest);
                    left_byte.cmp(right_byte)
                }
                (left_rest, right_rest) => return left_rest.is_some().cmp(&right_rest.is_some()),
            }
        } else {
            left = left.get(left_number.len()..).unwrap_or_default();
            right = right.get(right_number.len()..).unwrap_or_default();
            numeric_order(left_number, right_number)
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// Compares numbers of any length; of equal ones that with fewer leading zeros comes first.
fn numeric_order(left: &[u8], right: &[u8]) -> Ordering {
    let (left_value, right_value) = (trim_zeros(left), trim_zeros(right));
    let by_size = left_value.len().cmp(&right_value.len());
    by_size.then_with(|| left_value.cmp(right_value)).then(left.len().cmp(&right.len()))
}

/// The digits that `bytes` begins with.
fn digits(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len());
    bytes.get(..end).unwrap_or_default()
}

fn trim_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|byte| **byte == b'0').count();
    digits.get(zeros..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_in_natural_order() {
        assert_eq!(natural_order("page-2.json", "page-10.json"), Ordering::Less);
        assert_eq!(natural_order("page-002", "page-2"), Ordering::Greater);
        assert_eq!(natural_order("a", "a"), Ordering::Equal);
        assert_eq!(natural_order("a", "ab"), Ordering::Less);
        assert_eq!(natural_order("b1", "a2"), Ordering::Greater);
    }
}
