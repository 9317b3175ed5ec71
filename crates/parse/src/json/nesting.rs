//! The open containers around a place, one bit each.

/// A container of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// `[…]`
    Array,
    /// `{…}`
    Object,
}

/// A stack of containers. 64 of them need no allocation, 100,000 take 12 KiB.
#[derive(Debug, Clone, Default)]
pub struct Nesting {
    /// The innermost up to 64, innermost in the lowest bit; 1 is an object.
    word: u64,
    /// Full words of the outer ones.
    outer: Vec<u64>,
    depth: usize,
}

impl Nesting {
    pub fn depth(&self) -> usize {
        self.depth
    }

    #[inline]
    pub fn push(&mut self, container: Container) {
        if self.depth.is_multiple_of(64) && self.depth > 0 {
            self.outer.push(self.word);
            self.word = 0;
        }
        self.word = (self.word << 1) | u64::from(container == Container::Object);
        self.depth += 1;
    }

    #[inline]
    pub fn pop(&mut self) {
        self.word >>= 1;
        self.depth = self.depth.saturating_sub(1);
        if self.depth.is_multiple_of(64)
            && let Some(word) = self.outer.pop()
        {
            self.word = word;
        }
    }

    #[inline]
    pub fn innermost(&self) -> Option<Container> {
        match (self.depth, self.word & 1) {
            (0, _) => None,
            (_, 0) => Some(Container::Array),
            _ => Some(Container::Object),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_every_level() {
        let pattern =
            |level: usize| if level.is_multiple_of(3) { Container::Object } else { Container::Array };
        let mut nesting = Nesting::default();
        for level in 0..1000 {
            nesting.push(pattern(level));
        }
        for level in (0..1000).rev() {
            assert_eq!(nesting.depth(), level + 1);
            assert_eq!(nesting.innermost(), Some(pattern(level)), "{level}");
            nesting.pop();
        }
        assert_eq!(nesting.innermost(), None);
    }
}
