//! Proxies: SOCKS5 (RFC 1928, RFC 1929) and HTTP CONNECT (RFC 9110 section 9.3.6).

use super::{Url, fault};
use crate::error::{Code, MailError, Result};
use crate::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::net::IpAddr;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use zeroize::Zeroizing;

/// A proxy through which servers are reached. It resolves their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    kind: ProxyKind,
    host: String,
    port: u16,
    login: Option<(String, Secret)>,
}

/// What a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyKind {
    /// SOCKS version 5.
    Socks5,
    /// HTTP's CONNECT method.
    Http,
}

impl Proxy {
    /// A proxy from `socks5://user:password@host:port` (also `socks5h`) or `http://…`.
    ///
    /// # Errors
    ///
    /// [`Code::UsageAddress`] where it is not such a URL.
    pub fn from_url(url: &str) -> Result<Self> {
        let url = Url::parse(url)?;
        let (kind, usual) = match url.scheme.as_str() {
            "socks5" | "socks5h" => (ProxyKind::Socks5, 1080),
            "http" => (ProxyKind::Http, 8080),
            _ => {
                return Err(MailError::new(Code::UsageAddress, "This is not a proxy that we know")
                    .hint("Use socks5://host:port or http://host:port"));
            }
        };
        let login = url.user.map(|user| (user, url.password.unwrap_or_else(|| Secret::from(""))));
        Ok(Self { kind, host: url.host, port: url.port.unwrap_or(usual), login })
    }

    /// What it speaks.
    #[must_use]
    pub fn kind(&self) -> ProxyKind {
        self.kind
    }

    /// Its name or address.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }
}

/// Asks the proxy for a connection to `host`. Reads no byte beyond the proxy's answer.
pub(super) async fn tunnel<S>(stream: &mut S, proxy: &Proxy, host: &str, port: u16) -> Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    super::url::check_host(host)?;
    match proxy.kind {
        ProxyKind::Socks5 => socks5(stream, proxy, host, port).await,
        ProxyKind::Http => http(stream, proxy, host, port).await,
    }
}

async fn socks5<S: AsyncRead + AsyncWrite + Unpin>(s: &mut S, proxy: &Proxy, host: &str, port: u16) -> Result<()> {
    let methods: &[u8] = if proxy.login.is_some() { &[5, 2, 0, 2] } else { &[5, 1, 0] };
    send(s, methods).await?;
    match read::<2, _>(s).await? {
        [5, 0] => {}
        [5, 2] => socks5_login(s, proxy).await?,
        [5, _] => return Err(refused("The proxy wants a login that was not given")),
        _ => return Err(refused("The proxy does not speak SOCKS5")),
    }
    send(s, &socks5_request(host, port)).await?;
    let [version, reply, _, kind] = read::<4, _>(s).await?;
    if version != 5 || reply != 0 {
        return Err(refused(socks5_reason(reply)));
    }
    // The address that the proxy bound, of no use to us.
    let rest = match kind {
        1 => 4,
        4 => 16,
        3 => usize::from(read::<1, _>(s).await?[0]),
        _ => return Err(refused("The proxy does not speak SOCKS5")),
    };
    let mut unused = vec![0; rest + 2];
    s.read_exact(&mut unused).await.map(drop).map_err(|e| fault::lost(&e))
}

async fn socks5_login<S: AsyncRead + AsyncWrite + Unpin>(s: &mut S, proxy: &Proxy) -> Result<()> {
    let Some((user, password)) = &proxy.login else { return Err(refused("The proxy wants a login")) };
    let mut request = Zeroizing::new(vec![1]);
    for field in [user.as_str(), password.reveal()] {
        let len =
            u8::try_from(field.len()).map_err(|_| refused("The proxy's login is longer than SOCKS5 can carry"))?;
        request.push(len);
        request.extend_from_slice(field.as_bytes());
    }
    send(s, &request).await?;
    if read::<2, _>(s).await?[1] == 0 { Ok(()) } else { Err(refused("The proxy refused its user name or password")) }
}

fn socks5_request(host: &str, port: u16) -> Vec<u8> {
    let mut request = vec![5, 1, 0];
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => request.extend([&[1][..], &ip.octets()].concat()),
        Ok(IpAddr::V6(ip)) => request.extend([&[4][..], &ip.octets()].concat()),
        // check_host bounds it below 255.
        Err(_) => request.extend([&[3, u8::try_from(host.len()).unwrap_or(0)][..], host.as_bytes()].concat()),
    }
    request.extend(port.to_be_bytes());
    request
}

fn socks5_reason(reply: u8) -> &'static str {
    match reply {
        2 => "The proxy's rules forbid this server",
        3 | 4 => "The proxy cannot reach the server",
        5 => "The server refused the proxy's connection",
        6 => "The server did not answer the proxy",
        _ => "The proxy could not connect to the server",
    }
}

async fn http<S: AsyncRead + AsyncWrite + Unpin>(s: &mut S, proxy: &Proxy, host: &str, port: u16) -> Result<()> {
    let target = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let mut request = Zeroizing::new(format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n"));
    if let Some((user, password)) = &proxy.login {
        let pair = Zeroizing::new(format!("{user}:{}", password.reveal()));
        let pair = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
        request.push_str("Proxy-Authorization: Basic ");
        request.push_str(&pair);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    send(s, request.as_bytes()).await?;
    match status(&head(s).await?) {
        Some(200..=299) => Ok(()),
        Some(407) => Err(refused("The proxy refused its user name or password")),
        Some(number) => Err(refused(&format!("The proxy answered with HTTP status {number}"))),
        None => Err(refused("The proxy does not speak HTTP")),
    }
}

/// Longest head that a proxy may answer with.
const HEAD: usize = 8192;

/// Reads byte by byte: what follows the empty line belongs to the server.
async fn head<S: AsyncRead + Unpin>(s: &mut S) -> Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= HEAD {
            return Err(refused("The proxy's answer has no end"));
        }
        head.extend(read::<1, _>(s).await?);
    }
    Ok(head)
}

fn status(head: &[u8]) -> Option<u16> {
    let line = std::str::from_utf8(head).ok()?.lines().next()?;
    line.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()
}

async fn send<S: AsyncWrite + Unpin>(s: &mut S, bytes: &[u8]) -> Result<()> {
    s.write_all(bytes).await.map_err(|e| fault::lost(&e))
}

async fn read<const N: usize, S: AsyncRead + Unpin>(s: &mut S) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    s.read_exact(&mut bytes).await.map_err(|e| fault::lost(&e))?;
    Ok(bytes)
}

fn refused(why: &str) -> MailError {
    MailError::new(Code::NetConnect, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the client against a script of (what it must send, what it is told); returns what was left unread.
    async fn play(proxy: &str, host: &str, script: &[(&[u8], &[u8])]) -> (Result<()>, Vec<u8>) {
        let (mut ours, mut theirs) = tokio::io::duplex(4096);
        let proxy = Proxy::from_url(proxy).unwrap();
        let server = async {
            for (expected, answer) in script {
                let mut got = vec![0; expected.len()];
                theirs.read_exact(&mut got).await.unwrap();
                assert_eq!(got, *expected);
                theirs.write_all(answer).await.unwrap();
            }
            drop(theirs);
        };
        let (result, ()) = tokio::join!(tunnel(&mut ours, &proxy, host, 993), server);
        let mut rest = Vec::new();
        ours.read_to_end(&mut rest).await.unwrap();
        (result, rest)
    }

    #[tokio::test]
    async fn socks5_connects_by_name_and_reads_nothing_of_the_server() {
        let request = [&[5, 1, 0, 3, 4][..], b"host", &[3, 225]].concat();
        let answer = [&[5, 0, 0, 3, 2][..], b"xx", &[0, 1], b"* OK"].concat();
        let script: [(&[u8], &[u8]); 2] = [(&[5, 1, 0], &[5, 0]), (&request, &answer)];
        let (result, rest) = play("socks5://proxy", "host", &script).await;
        result.unwrap();
        assert_eq!(rest, b"* OK");
    }

    #[tokio::test]
    async fn socks5_logs_in_and_connects_by_address() {
        let login = [&[1, 1][..], b"u", &[4], b"pass"].concat();
        let script: [(&[u8], &[u8]); 3] = [
            (&[5, 2, 0, 2], &[5, 2]),
            (&login, &[1, 0]),
            (&[5, 1, 0, 1, 10, 0, 0, 1, 3, 225], &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
        ];
        play("socks5h://u:pass@proxy:1", "10.0.0.1", &script).await.0.unwrap();
    }

    #[tokio::test]
    async fn socks5_failures_are_errors() {
        for answer in [&[5, 255][..], &[4, 0], &[5, 2], &[5]] {
            assert!(play("socks5://proxy", "host", &[(&[5, 1, 0], answer)]).await.0.is_err(), "{answer:?}");
        }
        let request = [&[5, 1, 0, 3, 4][..], b"host", &[3, 225]].concat();
        let script: [(&[u8], &[u8]); 2] = [(&[5, 1, 0], &[5, 0]), (&request, &[5, 5, 0, 1])];
        let error = play("socks5://proxy", "host", &script).await.0.unwrap_err();
        assert_eq!(error.message(), "The server refused the proxy's connection");
    }

    #[tokio::test]
    async fn http_connects_and_reads_nothing_of_the_server() {
        let request = b"CONNECT [::1]:993 HTTP/1.1\r\nHost: [::1]:993\r\nProxy-Authorization: Basic dTpwYXNz\r\n\r\n";
        let script: [(&[u8], &[u8]); 1] = [(request, b"HTTP/1.1 200 Yes\r\nX: y\r\n\r\n* OK")];
        let (result, rest) = play("http://u:pass@proxy", "::1", &script).await;
        result.unwrap();
        assert_eq!(rest, b"* OK");
    }

    #[tokio::test]
    async fn http_failures_are_errors() {
        let request: &[u8] = b"CONNECT host:993 HTTP/1.1\r\nHost: host:993\r\n\r\n";
        let endless = vec![b'x'; HEAD];
        for answer in
            [&b"HTTP/1.1 407 Login\r\n\r\n"[..], b"HTTP/1.1 403 No\r\n\r\n", b"* OK\r\n\r\n", b"HTTP/1.1", &endless]
        {
            let error = play("http://proxy", "host", &[(request, answer)]).await.0.unwrap_err();
            assert!(matches!(error.code(), Code::NetConnect | Code::NetLost), "{error}");
        }
    }

    #[test]
    fn a_proxys_password_is_never_shown() {
        let proxy = Proxy::from_url("http://u:planted@proxy").unwrap();
        assert!(!format!("{proxy:?}").contains("planted"));
        assert!(Proxy::from_url("ftp://u:planted@proxy").is_err_and(|e| !format!("{e:?}").contains("planted")));
    }

    #[tokio::test]
    async fn a_host_cannot_bring_headers_of_its_own() {
        let error = play("http://proxy", "host\r\nX: y", &[]).await.0.unwrap_err();
        assert_eq!(error.code(), Code::UsageAddress);
    }
}
