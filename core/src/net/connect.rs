//! From a host name to a TCP connection.

use super::stream::Socket;
use super::{NetOptions, Stream, fault, proxy};
use crate::error::{Code, MailError, Result};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use socket2::{SockRef, TcpKeepalive};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpStream;

/// How long an address may keep the next one waiting (RFC 8305 section 5).
const STAGGER: Duration = Duration::from_millis(250);

/// Most addresses that are tried; a name may have any number.
const ADDRESSES: usize = 16;

/// Connects to the server, through the proxy where there is one. The caller sets the deadline.
pub(crate) async fn connect(host: &str, port: u16, options: &NetOptions) -> Result<Stream> {
    #[cfg(feature = "test-support")]
    if let Some(dialer) = &options.dialer {
        return dialer.dial().map(Stream::Given).map_err(|e| fault::unreachable(host, port, &e));
    }
    let (next_host, next_port) = options.proxy.as_ref().map_or((host, port), |p| (p.host(), p.port()));
    let addresses = resolve(next_host, next_port).await?;
    let mut tcp = race(addresses).await.map_err(|e| fault::unreachable(next_host, next_port, &e))?;
    tune(&tcp);
    if let Some(proxy) = &options.proxy {
        proxy::tunnel(&mut tcp, proxy, host, port).await?;
    }
    Ok(Stream::Tcp(Socket::new(tcp)))
}

/// Whether `host` is this machine by its very name, without asking DNS.
pub(crate) fn is_loopback(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>> {
    let unknown = |why: String| {
        MailError::new(Code::NetDns, format!("The name {host} could not be resolved"))
            .with(|c| c.host = Some(host.to_owned()))
            .hint(why)
    };
    let found = tokio::net::lookup_host((host, port)).await;
    let addresses = interleave(found.map_err(|e| unknown(format!("The system says: {e}")))?);
    if addresses.is_empty() { Err(unknown("It has no address".to_owned())) } else { Ok(addresses) }
}

/// Both families in turn, the first one's family first, so that a broken one costs one delay (RFC 8305 section 4).
fn interleave(addresses: impl Iterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let mut addresses = addresses.peekable();
    let leads = addresses.peek().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses.partition(|a| a.is_ipv6() == leads);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let pairs = std::iter::from_fn(|| Some((first.next(), second.next())).filter(|p| *p != (None, None)));
    pairs.flat_map(|(a, b)| [a, b]).flatten().take(ADDRESSES).collect()
}

/// The first connection that comes about; the next address is tried when one fails or is slow.
async fn race(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
    let mut waiting = addresses.into_iter();
    let mut attempts = FuturesUnordered::new();
    loop {
        match waiting.next() {
            Some(address) => attempts.push(TcpStream::connect(address)),
            None if attempts.is_empty() => return Err(failure),
            None => {}
        }
        tokio::select! {
            Some(attempt) = attempts.next() => match attempt {
                Ok(tcp) => return Ok(tcp),
                Err(error) => failure = error,
            },
            () = tokio::time::sleep(STAGGER), if waiting.len() > 0 => {}
        }
    }
}

/// Small commands leave at once, and a dead peer is noticed after about two minutes of silence, or one minute of unacknowledged data.
///
/// Not every system has every option, and a connection without them is still one: failures are only logged.
fn tune(tcp: &TcpStream) {
    let socket = SockRef::from(tcp);
    let keepalive = TcpKeepalive::new().with_time(Duration::from_secs(60)).with_interval(Duration::from_secs(15));
    #[cfg(not(windows))]
    let keepalive = keepalive.with_retries(4);
    #[cfg(target_os = "linux")]
    note(socket.set_tcp_user_timeout(Some(Duration::from_secs(60))));
    note(socket.set_tcp_keepalive(&keepalive));
    note(socket.set_tcp_nodelay(true));
}

fn note(result: io::Result<()>) {
    if let Err(error) = result {
        log::debug!("a socket option was not taken: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    #[test]
    fn families_take_turns_and_the_systems_choice_leads() {
        let parse = |text: &str| text.split(' ').map(|a| a.parse().unwrap()).collect::<Vec<SocketAddr>>();
        let mixed = parse("[::1]:1 [::2]:1 [::3]:1 1.1.1.1:1 2.2.2.2:1");
        assert_eq!(interleave(mixed.into_iter()), parse("[::1]:1 1.1.1.1:1 [::2]:1 2.2.2.2:1 [::3]:1"));
        let many = (1..=99).map(|n| SocketAddr::from(([127, 0, 0, n], 1)));
        assert_eq!(interleave(many).len(), ADDRESSES);
        assert_eq!(interleave(std::iter::empty()), []);
    }

    #[test]
    fn only_names_of_this_machine_are_loopback() {
        for host in ["localhost", "LOCALHOST.", "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["localhost.example.org", "10.0.0.1", "::", "0.0.0.0", "example.org", ""] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[tokio::test]
    async fn an_address_that_refuses_is_followed_by_the_next() {
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let open = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let tcp = race(vec![closed, open.local_addr().unwrap()]).await.unwrap();
        assert_eq!(tcp.peer_addr().unwrap(), open.local_addr().unwrap());
        assert_eq!(race(vec![closed]).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }

    #[tokio::test]
    async fn the_socket_is_tuned() {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = server.local_addr().unwrap().port();
        let Stream::Tcp(stream) = connect("127.0.0.1", port, &NetOptions::default()).await.unwrap() else { panic!() };
        assert!(stream.tcp().nodelay().unwrap());
        assert!(SockRef::from(stream.tcp()).keepalive().unwrap());
    }

    #[tokio::test]
    async fn a_proxy_stands_in_for_the_server_and_resolves_its_name() {
        let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", proxy.local_addr().unwrap());
        let task = tokio::spawn(async move {
            let (mut tcp, _) = proxy.accept().await.unwrap();
            let mut request = vec![0; "CONNECT imap.invalid:993 HTTP/1.1".len()];
            tcp.read_exact(&mut request).await.unwrap();
            tcp.write_all(b"HTTP/1.1 200 OK\r\n\r\n* OK hi\r\n").await.unwrap();
            // Reads the rest of the request, lest the close become a reset.
            tcp.read_to_end(&mut Vec::new()).await.unwrap();
            String::from_utf8(request).unwrap()
        });
        let options = NetOptions { proxy: Some(crate::Proxy::from_url(&url).unwrap()), ..NetOptions::default() };
        let mut stream = connect("imap.invalid", 993, &options).await.unwrap();
        let mut greeting = [0; 9];
        stream.read_exact(&mut greeting).await.unwrap();
        assert_eq!(&greeting, b"* OK hi\r\n");
        drop(stream);
        assert_eq!(task.await.unwrap(), "CONNECT imap.invalid:993 HTTP/1.1");
    }

    #[tokio::test]
    async fn a_refused_connection_says_so() {
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let error = connect("127.0.0.1", port, &NetOptions::default()).await.unwrap_err();
        assert_eq!(error.code(), Code::NetConnect);
        assert_eq!(error.context().host.as_deref(), Some("127.0.0.1"));
    }
}
