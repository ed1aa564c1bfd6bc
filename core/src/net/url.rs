//! The few parts of a URL (RFC 3986) that servers and proxies are named by.

use crate::error::{Code, MailError, Result};
use crate::secret::Secret;
use std::net::Ipv6Addr;

/// `scheme://user:password@host:port/path`
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Url {
    /// In lower case.
    pub scheme: String,
    pub user: Option<String>,
    pub password: Option<Secret>,
    /// Without the brackets of an IPv6 address.
    pub host: String,
    pub port: Option<u16>,
    /// All that follows, without the leading slash.
    pub path: String,
}

impl Url {
    /// Errors never quote the URL, which may hold a password.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let (scheme, rest) = text.trim().split_once("://").ok_or_else(|| bad("it has no scheme such as imaps://"))?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        // The last @ counts: people write their address as user name and forget to escape it.
        let (login, server) = authority.rsplit_once('@').map_or((None, authority), |(l, s)| (Some(l), s));
        let (user, password) =
            login.map_or((None, None), |l| l.split_once(':').map_or((Some(l), None), |(u, p)| (Some(u), Some(p))));
        let (host, port) = host_and_port(server)?;
        Ok(Self {
            scheme: scheme.to_ascii_lowercase(),
            user: user.filter(|u| !u.is_empty()).map(decoded).transpose()?,
            password: password.map(decoded).transpose()?.map(Secret::from),
            host,
            port,
            path: path.to_owned(),
        })
    }
}

fn host_and_port(server: &str) -> Result<(String, Option<u16>)> {
    let (host, port) = match server.strip_prefix('[').and_then(|s| s.split_once(']')) {
        Some((address, port)) => (address.to_owned(), port.strip_prefix(':').or(port.is_empty().then_some(""))),
        None => server.split_once(':').map_or((server.to_owned(), Some("")), |(h, p)| (h.to_owned(), Some(p))),
    };
    let port = port.ok_or_else(|| bad("something stands between host and port"))?;
    let port = if port.is_empty() { None } else { Some(port.parse().map_err(|_| bad("its port is not a number"))?) };
    check_host(&host)?;
    if port == Some(0) { Err(bad("its port is 0")) } else { Ok((host, port)) }
}

/// Whether `host` can be a name or an address; nothing else may reach a resolver, a proxy or a log line.
pub(crate) fn check_host(host: &str) -> Result<()> {
    if host.is_empty() {
        return Err(bad("it names no host"));
    }
    let name = host.len() <= 253 && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    if name || host.parse::<Ipv6Addr>().is_ok() {
        return Ok(());
    }
    let hint =
        if host.is_ascii() { "letters, digits, dots and hyphens" } else { "its ASCII form, which begins with xn--" };
    Err(bad("its host is not a name or address").hint(format!("Use {hint}")))
}

fn decoded(text: &str) -> Result<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first != b'%' {
            bytes.push(*first);
            rest = tail;
            continue;
        }
        let digits = tail.get(..2).and_then(|d| std::str::from_utf8(d).ok());
        let digits = digits.filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let byte = digits.and_then(|d| u8::from_str_radix(d, 16).ok());
        bytes.push(
            byte.ok_or_else(|| bad("a % in it is not followed by two hex digits").hint("Write % itself as %25"))?,
        );
        rest = tail.get(2..).unwrap_or_default();
    }
    String::from_utf8(bytes).map_err(|_| bad("it does not decode to UTF-8"))
}

/// Text as it may stand in the user's part of a URL.
pub(crate) fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'~' | b'+');
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn bad(why: &str) -> MailError {
    MailError::new(Code::UsageAddress, format!("This URL cannot be used: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_and_decoded() {
        let url = Url::parse(" IMAPS://ada%40example.org:p%3Ass@imap.example.org:1993/ ").unwrap();
        assert_eq!((url.scheme.as_str(), url.host.as_str(), url.port), ("imaps", "imap.example.org", Some(1993)));
        assert_eq!(url.user.as_deref(), Some("ada@example.org"));
        assert_eq!(url.password, Some(Secret::from("p:ss")));
        let url = Url::parse("imap://ada@example.org@[::1]").unwrap();
        assert_eq!((url.user.as_deref(), url.host.as_str(), url.port), (Some("ada@example.org"), "::1", None));
        assert_eq!(Url::parse("imaps://h:").unwrap().port, None);
    }

    #[test]
    fn a_user_of_any_name_comes_back_from_a_url() {
        for user in ["ada", "ada@example.org", "a:b/c?d#e%f", "Möwe", "a b"] {
            let url = Url::parse(&format!("imap://{}@127.0.0.1:1143", escaped(user))).unwrap();
            assert_eq!(url.user.as_deref(), Some(user));
        }
    }

    #[test]
    fn what_is_no_url_is_refused_without_quoting_it() {
        let cases = [
            "imap.example.org",
            "imaps://",
            "imaps://u:planted@",
            "imaps://u:planted@h:x",
            "imaps://u:planted@h:70000",
            "imaps://u:planted%zz@h",
            "imaps://u:planted%f@h",
            "imaps://u:planted%ff@h",
            "imaps://u:planted@h\r\nX",
            "imaps://u:planted@[::1]x",
            "imaps://u:planted@hö.example",
            "imaps://u:planted@h:0",
            "imaps://u:planted%+1@h",
        ];
        for case in cases {
            let error = Url::parse(case).unwrap_err();
            assert_eq!(error.code(), Code::UsageAddress, "{case}");
            assert!(!format!("{error:?}").contains("planted"), "{case}");
        }
    }
}
