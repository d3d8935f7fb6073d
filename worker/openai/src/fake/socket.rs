//! TCP connections that a handler can break from above.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

const OPEN: u8 = 0;
const CLOSED: u8 = 1;
const RESET: u8 = 2;

/// Accepts connections that can be broken.
pub(super) struct Listener(pub(super) TcpListener);

/// A handler's hold on its connection.
#[derive(Clone, Debug)]
pub(super) struct Line(Arc<AtomicU8>);

/// The connection itself.
pub(super) struct Socket {
    stream: TcpStream,
    line: Line,
}

impl Line {
    /// The next write fails and the connection ends with FIN.
    pub(super) fn close(&self) {
        self.0.store(CLOSED, Ordering::Release);
    }

    /// The next write fails and the connection ends with RST.
    pub(super) fn reset(&self) {
        self.0.store(RESET, Ordering::Release);
    }
}

impl Socket {
    fn usable(&self) -> io::Result<()> {
        match self.line.0.load(Ordering::Acquire) {
            OPEN => Ok(()),
            _ => Err(io::ErrorKind::ConnectionAborted.into()),
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.line.0.load(Ordering::Acquire) == RESET {
            // With nothing to linger for, closing sends RST in place of FIN. A socket that is
            // already gone cannot be reset, and need not be.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl axum::serve::Listener for Listener {
    type Io = Socket;
    type Addr = (SocketAddr, Line);

    async fn accept(&mut self) -> (Socket, (SocketAddr, Line)) {
        let (stream, address) = axum::serve::Listener::accept(&mut self.0).await;
        // Without it small answers wait for the peer's delayed acknowledgement. A socket that
        // refuses the option works all the same.
        let _ = stream.set_nodelay(true);
        let line = Line(Arc::new(AtomicU8::new(OPEN)));
        (
            Socket {
                stream,
                line: line.clone(),
            },
            (address, line),
        )
    }

    fn local_addr(&self) -> io::Result<(SocketAddr, Line)> {
        Ok((self.0.local_addr()?, Line(Arc::new(AtomicU8::new(OPEN)))))
    }
}

impl Connected<IncomingStream<'_, Listener>> for Line {
    fn connect_info(stream: IncomingStream<'_, Listener>) -> Self {
        stream.remote_addr().1.clone()
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.usable()?;
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.usable()?;
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.usable()?;
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.usable()?;
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
