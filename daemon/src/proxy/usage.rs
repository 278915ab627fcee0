//! Reads how many tokens were used from a response as it passes: the `usage` objects of a JSON body
//! or of the events of a stream, which look the same. Nothing of the body is kept.
//!
//! A quotation mark inside a JSON string is escaped, so `"usage"` followed by a colon is always a key.
//! Later objects replace earlier ones, number by number: the API's own is the last, and the counts of
//! `message_delta` are cumulative.

use std::sync::LazyLock;

use memchr::memmem::Finder;

const KEY: &[u8] = b"\"usage\"";
static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(KEY));

/// The numbers that count, in the order of [`Usage::counts`].
const NAMES: [&[u8]; 4] =
    [b"input_tokens", b"cache_creation_input_tokens", b"cache_read_input_tokens", b"output_tokens"];

/// Longest name of interest.
const NAME: usize = 27;

/// Deepest nesting inside a `usage` object that is followed.
const DEPTH: u8 = 16;

/// The scanner of one response.
#[derive(Debug, Default)]
pub struct Usage {
    step: Step,
    /// Bytes of [`KEY`] matched, or nesting inside the object.
    depth: u8,
    name: [u8; NAME],
    name_length: u8,
    number: Option<u64>,
    counts: [u64; 4],
    told: (u64, u64),
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Looks for the key.
    #[default]
    Key,
    /// The key was found: a colon comes.
    Colon,
    /// An object may come.
    Brace,
    /// In the object, outside of strings.
    Object,
    /// In a string.
    Text,
    /// After a backslash in a string.
    Escape,
}

impl Usage {
    /// Reads a piece of content.
    pub fn read(&mut self, content: &[u8]) {
        let mut rest = content;
        while !rest.is_empty() {
            if self.step == Step::Key && self.depth == 0 {
                let Some(at) = FINDER.find(rest) else {
                    self.depth = begun(rest);
                    return;
                };
                self.step = Step::Colon;
                rest = rest.get(at + KEY.len()..).unwrap_or_default();
            } else if let Some((byte, after)) = rest.split_first() {
                self.step(*byte);
                rest = after;
            }
        }
    }

    /// Input and output tokens since this was asked last, if there are any.
    pub fn take(&mut self) -> Option<(u64, u64)> {
        let [input, created, read, output] = self.counts;
        let total = (input.saturating_add(created).saturating_add(read), output);
        let more = (total.0.saturating_sub(self.told.0), total.1.saturating_sub(self.told.1));
        self.told = (self.told.0.max(total.0), self.told.1.max(total.1));
        (more != (0, 0)).then_some(more)
    }

    fn step(&mut self, byte: u8) {
        match self.step {
            Step::Key => self.key(byte),
            Step::Colon => self.punctuation(byte, b':', Step::Brace),
            Step::Brace => {
                self.depth = 0;
                self.punctuation(byte, b'{', Step::Object);
                self.depth = u8::from(self.step == Step::Object);
            }
            Step::Object => self.object(byte),
            Step::Text => match byte {
                b'"' => self.step = Step::Object,
                b'\\' => self.step = Step::Escape,
                _ => self.spell(byte),
            },
            Step::Escape => self.step = Step::Text,
        }
    }

    /// Goes on with a key that the last piece ended in.
    fn key(&mut self, byte: u8) {
        if KEY.get(usize::from(self.depth)) == Some(&byte) {
            self.depth += 1;
            if usize::from(self.depth) == KEY.len() {
                self.depth = 0;
                self.step = Step::Colon;
            }
        } else {
            self.depth = u8::from(byte == b'"');
        }
    }

    fn punctuation(&mut self, byte: u8, wanted: u8, next: Step) {
        if byte == wanted {
            self.step = next;
        } else if !byte.is_ascii_whitespace() {
            self.step = Step::Key;
            self.depth = u8::from(byte == b'"');
        }
    }

    fn object(&mut self, byte: u8) {
        match byte {
            b'"' => {
                self.step = Step::Text;
                self.name_length = 0;
            }
            b'0'..=b'9' => {
                let digit = u64::from(byte - b'0');
                self.number = Some(self.number.unwrap_or(0).saturating_mul(10).saturating_add(digit));
            }
            b'{' | b'[' => self.nest(),
            b'}' | b']' => {
                self.settle();
                self.depth -= 1;
                self.step = if self.depth == 0 { Step::Key } else { Step::Object };
            }
            b',' => self.settle(),
            // A minus sign, a fraction, an exponent: not a count.
            b'-' | b'.' | b'e' | b'E' => self.name_length = 0,
            _ => {}
        }
    }

    fn nest(&mut self) {
        self.name_length = 0;
        self.depth += 1;
        if self.depth > DEPTH {
            self.step = Step::Key;
            self.depth = 0;
        }
    }

    fn spell(&mut self, byte: u8) {
        if let Some(place) = self.name.get_mut(usize::from(self.name_length)) {
            *place = byte;
        }
        self.name_length = self.name_length.saturating_add(1);
    }

    /// The end of a member: keeps its number if it is one of ours.
    fn settle(&mut self) {
        let name = self.name.get(..usize::from(self.name_length)).unwrap_or_default();
        let place = NAMES.iter().position(|known| *known == name);
        if let (Some(number), 1, Some(place)) = (self.number.take(), self.depth, place)
            && let Some(count) = self.counts.get_mut(place)
        {
            *count = number;
        }
        self.name_length = 0;
    }
}

/// How much of the key the content ends with.
fn begun(content: &[u8]) -> u8 {
    let longest = KEY.len() - 1;
    let tail = content.get(content.len().saturating_sub(longest)..).unwrap_or_default();
    let begins = |length: &u8| KEY.get(..usize::from(*length)).is_some_and(|start| tail.ends_with(start));
    (1..KEY.len()).rev().filter_map(|length| u8::try_from(length).ok()).find(begins).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STREAM: &str = r#"event: message_start
data: {"type":"message_start","message":{"id":"m","content":[],"usage":{"input_tokens":25,"cache_creation_input_tokens":100,"cache_read_input_tokens": 1000 ,"cache_creation":{"input_tokens":7},"output_tokens":1,"service_tier":"standard"}}}

data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"say \"usage\":{\"input_tokens\":9} \\"}}

data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage" : {"output_tokens":15,"iterations":[{"output_tokens":3}]}}

"#;

    fn total(pieces: impl IntoIterator<Item = Vec<u8>>) -> (u64, u64) {
        let mut usage = Usage::default();
        let mut sum = (0, 0);
        for piece in pieces {
            usage.read(&piece);
            let (input, output) = usage.take().unwrap_or_default();
            sum = (sum.0 + input, sum.1 + output);
        }
        sum
    }

    #[test]
    fn streams_and_bodies() {
        assert_eq!(total([STREAM.into()]), (1125, 15));
        let body =
            br#"{"content":[{"type":"text","text":"usage"}],"usage":{"input_tokens":3,"output_tokens":4}}"#;
        assert_eq!(total([body.to_vec()]), (3, 4));
        assert_eq!(total([br#"{"usage":null,"x":{"input_tokens":3}}"#.to_vec()]), (0, 0));
        assert_eq!(total([br#"{"usage":{"input_tokens":-3,"output_tokens":1.5}}"#.to_vec()]), (0, 0));
        assert_eq!(
            total([br#"{"usage":{"input_tokens":"12","output_tokens":99999999999999999999}}"#.to_vec()]),
            (0, u64::MAX)
        );
        assert_eq!(total([br#"""usage":{"input_tokens":3}"#.to_vec()]), (3, 0));
    }

    proptest! {
        #[test]
        fn counts_the_same_however_it_is_split(cuts in prop::collection::vec(1_usize..40, 1..8)) {
            let (mut pieces, mut rest, mut cuts) = (Vec::new(), STREAM.as_bytes(), cuts.into_iter().cycle());
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(cuts.next().unwrap().min(rest.len()));
                pieces.push(piece.to_vec());
                rest = after;
            }
            prop_assert_eq!(total(pieces), (1125, 15));
        }

        #[test]
        fn survives_nonsense(content in prop::collection::vec(prop::sample::select(&b"\"usage\":{}[]\\,12-.e input_tokens"[..]), 0..300)) {
            total([content]);
        }
    }
}
