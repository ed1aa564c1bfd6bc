//! The messages of histories: each carries a token in its Subject, by which the oracle knows it wherever it goes.

/// A message with that token; `message_id` may be another's, and `size` is about that of its body.
#[must_use]
pub fn write(token: u64, message_id: u64, size: u16) -> Vec<u8> {
    let line = "All work and no play makes mail a dull thing.\r\n";
    let body = line.repeat(usize::from(size) / line.len());
    format!(
        "From: Ada <ada@example.org>\r\nTo: Charles <charles@example.org>\r\nSubject: token:{token};\r\n\
         Date: Wed, 14 Nov 2023 10:{:02}:{:02} +0000\r\nMessage-ID: <m{message_id}@example.org>\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\nThis is message {token}.\r\n{body}",
        token / 60 % 60,
        token % 60,
    )
    .into_bytes()
}

/// The token of a message, or of its header.
#[must_use]
pub fn token(bytes: &[u8]) -> Option<u64> {
    let start = bytes.windows(6).position(|w| w == b"token:")? + 6;
    let digits: Vec<u8> = bytes[start..].iter().copied().take_while(u8::is_ascii_digit).collect();
    String::from_utf8(digits).ok()?.parse().ok()
}

/// A number for what a message holds (FNV-1a), to compare bodies without keeping them.
#[must_use]
pub fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_carries_its_token() {
        let bytes = write(4711, 1, 200);
        assert_eq!(token(&bytes), Some(4711));
        assert!(bytes.len() > 400 && bytes.windows(12).any(|w| w == b"<m1@example."));
        assert_eq!(token(b"Subject: none\r\n\r\n"), None);
    }
}
