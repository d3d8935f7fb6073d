//! One HTTP connection, as cheap as can be: a load tool that costs little measures the system and
//! not itself.

use std::net::SocketAddr;

use anyhow::{Context as _, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A connection that is kept alive.
pub(crate) struct Line {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// Where a server listens, from its base URL.
pub(crate) fn address(url: &str) -> anyhow::Result<SocketAddr> {
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    Ok(address.parse()?)
}

impl Line {
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(1024),
        })
    }

    /// Sends a whole request and reads the whole answer, which has a `Content-Length`. Gives its
    /// status and its body.
    pub(crate) async fn send(&mut self, request: &[u8]) -> anyhow::Result<(u16, Vec<u8>)> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            if let Some(at) = self.buffer.windows(4).position(|it| it == b"\r\n\r\n") {
                break at + 4;
            }
            ensure!(self.more().await? > 0, "the connection was closed");
        };
        let text = std::str::from_utf8(&self.buffer[..head])?.to_ascii_lowercase();
        let status = text.get(9..12).context("no status line")?.parse()?;
        let length = text
            .split("content-length:")
            .nth(1)
            .and_then(|rest| rest.lines().next()?.trim().parse::<usize>().ok())
            .context("the answer has no length")?;
        while self.buffer.len() < head + length {
            ensure!(self.more().await? > 0, "the connection was closed");
        }
        Ok((status, self.buffer.split_off(head)))
    }

    /// Sends a request whose answer does not end.
    pub(crate) async fn begin(&mut self, request: &[u8]) -> anyhow::Result<()> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        Ok(())
    }

    /// Reads until what has come since holds these bytes.
    pub(crate) async fn until(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        while !self.buffer.windows(bytes.len()).any(|it| it == bytes) {
            ensure!(self.more().await? > 0, "the stream ended too early");
        }
        self.buffer = Vec::new();
        Ok(())
    }

    async fn more(&mut self) -> anyhow::Result<usize> {
        self.buffer.reserve(1024);
        Ok(self.stream.read_buf(&mut self.buffer).await?)
    }
}

/// A request without a body.
pub(crate) fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").into_bytes()
}

/// A request with JSON.
pub(crate) fn post(path: &str, json: &str) -> Vec<u8> {
    let length = json.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{json}"
    )
    .into_bytes()
}
