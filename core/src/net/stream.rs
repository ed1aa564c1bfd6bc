//! The byte stream itself: TCP, or TLS over it.

use std::cell::Cell;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// A connection to a server.
#[derive(Debug)]
pub(crate) enum Stream {
    /// Not encrypted.
    Tcp(Socket),
    /// Encrypted.
    Tls(Box<TlsStream<Socket>>),
}

/// A TCP connection.
#[derive(Debug)]
pub(crate) struct Socket {
    tcp: TcpStream,
    /// Read ahead, for a reader that takes little at a time. Only under TLS, and only while something of it is left.
    ahead: Option<Box<Ahead>>,
    reads_ahead: bool,
}

/// Bytes that have been read from the socket and not been asked for yet.
#[derive(Debug)]
struct Ahead {
    room: Vec<u8>,
    filled: usize,
    taken: usize,
}

/// rustls reads 4 KiB at a time, which makes a system call of every 4 KiB of a body. One call gets this much.
const AHEAD: usize = 64 * 1024;

thread_local! {
    /// A buffer that no connection of this thread uses now. To make and clear one for each read would cost more than
    /// the read.
    static SPARE: Cell<Option<Box<Ahead>>> = const { Cell::new(None) };
}

impl Socket {
    pub(super) fn new(tcp: TcpStream) -> Self {
        Self { tcp, ahead: None, reads_ahead: false }
    }

    pub(super) fn tcp(&self) -> &TcpStream {
        &self.tcp
    }
}

impl Stream {
    #[cfg(test)]
    pub(crate) fn is_tls(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    /// Whether the peer has sent bytes that nobody has read yet, without waiting for any.
    ///
    /// Asks the system, not the runtime, whose knowledge may be one event behind.
    pub(crate) fn has_unread(&self) -> bool {
        let mut byte = [MaybeUninit::uninit()];
        matches!(socket2::SockRef::from(self.socket().tcp()).peek(&mut byte), Ok(1))
    }

    /// The value that binds a SASL exchange to this connection (RFC 9266); only TLS 1.3 makes it unique by itself.
    pub(crate) fn tls_exporter(&self) -> Option<[u8; 32]> {
        let Self::Tls(stream) = self else { return None };
        let (_, tls) = stream.get_ref();
        if tls.protocol_version() != Some(rustls::ProtocolVersion::TLSv1_3) {
            return None;
        }
        tls.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(b"")).ok()
    }

    fn socket(&self) -> &Socket {
        match self {
            Self::Tcp(socket) => socket,
            Self::Tls(stream) => stream.get_ref().0,
        }
    }
}

impl Socket {
    /// From here on a reader that takes little at a time is served from a buffer.
    pub(super) fn read_ahead(&mut self) {
        self.reads_ahead = true;
    }

    fn poll_socket(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(cx, buf)
    }

    /// Gives what was read ahead; whether there was anything.
    fn give(&mut self, buf: &mut ReadBuf<'_>) -> bool {
        let Some(ahead) = &mut self.ahead else { return false };
        let rest = ahead.room.get(ahead.taken..ahead.filled).unwrap_or_default();
        let piece = rest.get(..buf.remaining()).unwrap_or(rest);
        buf.put_slice(piece);
        ahead.taken += piece.len();
        let given = !piece.is_empty();
        if ahead.taken == ahead.filled {
            SPARE.set(self.ahead.take());
        }
        given
    }

    fn poll_ahead(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let fresh = || Box::new(Ahead { room: vec![0; AHEAD], filled: 0, taken: 0 });
        let mut ahead = SPARE.take().unwrap_or_else(fresh);
        let mut room = ReadBuf::new(&mut ahead.room);
        let result = self.poll_socket(cx, &mut room);
        (ahead.filled, ahead.taken) = (room.filled().len(), 0);
        // While nothing comes, nothing is kept.
        if ahead.filled > 0 {
            self.ahead = Some(ahead);
        } else {
            SPARE.set(Some(ahead));
        }
        result
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.give(buf) {
            return Poll::Ready(Ok(()));
        }
        if !self.reads_ahead || buf.remaining() >= AHEAD / 4 {
            return self.poll_socket(cx, buf);
        }
        ready!(self.poll_ahead(cx))?;
        self.give(buf);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Self::Tls(tls) => Pin::new(tls).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(tcp) => Pin::new(tcp).poll_write(cx, buf),
            Self::Tls(tls) => Pin::new(tls).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(tcp) => Pin::new(tcp).poll_flush(cx),
            Self::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Self::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}
