//! Charts of characters, for people at a terminal.

use std::fmt::Write as _;

use crate::terminal::{Paint, count, duration};

/// Where the bars of a histogram end, in milliseconds: steps that people think in.
const EDGES_MS: [i64; 18] = [
    100,
    300,
    1_000,
    3_000,
    10_000,
    30_000,
    60_000,
    180_000,
    300_000,
    600_000,
    1_200_000,
    1_800_000,
    3_600_000,
    10_800_000,
    21_600_000,
    43_200_000,
    86_400_000,
    i64::MAX,
];
/// Characters of the longest bar.
const BAR: u64 = 40;

/// How many durations lie between which edges; nothing where there are none.
#[must_use]
pub fn histogram(title: &str, durations_ms: &[i64], paint: Paint) -> String {
    let mut counts = [0_u64; EDGES_MS.len()];
    for ms in durations_ms {
        let place = EDGES_MS.partition_point(|edge| edge <= ms).min(EDGES_MS.len() - 1);
        if let Some(count) = counts.get_mut(place) {
            *count += 1;
        }
    }
    let most = counts.iter().copied().max().unwrap_or(0);
    let (Some(first), Some(last)) =
        (counts.iter().position(|count| *count > 0), counts.iter().rposition(|count| *count > 0))
    else {
        return String::new();
    };
    let mut out = format!("\n{}\n", paint.bold(title));
    for (index, n) in counts.iter().enumerate().take(last + 1).skip(first) {
        let label = match EDGES_MS.get(index) {
            Some(&i64::MAX) | None => "longer".to_owned(),
            Some(edge) => format!("< {}", duration(*edge)),
        };
        // A bar that is there is seen.
        let length = usize::try_from((n * BAR).div_ceil(most)).unwrap_or(0);
        let _ = writeln!(out, "  {label:>9}  {} {}", "█".repeat(length), paint.dim(&count(*n)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Color;

    #[test]
    fn durations_stand_between_their_edges() {
        let paint = Paint::for_stdout(Color::Never);
        let durations: Vec<i64> = [299, 300, 999, 1_000].into_iter().chain([59_999; 80]).collect();
        let expect = "\nRuns\n   < 300 ms  █ 1\n   < 1.00 s  █ 2\n   < 3.00 s  █ 1\n  < 10.00 s   0\n  < 30.00 s   0\n";
        let text = histogram("Runs", &durations, paint);
        assert!(text.starts_with(expect), "{text}");
        assert!(text.ends_with(&format!("   < 1m 00s  {} 80\n", "█".repeat(40))), "{text}");
        assert_eq!(histogram("Runs", &[], paint), "");
        assert_eq!(
            histogram("Runs", &[i64::MAX], paint).lines().last(),
            Some(format!("     longer  {} 1", "█".repeat(40)).as_str())
        );
    }
}
