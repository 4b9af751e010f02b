//! A connection from which something was read already, for a reader that has yet to see it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Reads what was read before, then what the connection has to say.
pub struct Rewound<T> {
    before: Vec<u8>,
    /// How much of it was read again.
    read: usize,
    io: T,
}

impl<T> Rewound<T> {
    /// Takes the connection back to before these bytes.
    pub(super) fn new(before: Vec<u8>, io: T) -> Self {
        Self {
            before,
            read: 0,
            io,
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Rewound<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let left = this.before.get(this.read..).unwrap_or_default();
        if left.is_empty() {
            this.before = Vec::new();
            return Pin::new(&mut this.io).poll_read(cx, into);
        }
        let some = left.get(..into.remaining()).unwrap_or(left);
        into.put_slice(some);
        this.read += some.len();
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Rewound<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use actix_web::rt;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[test]
    fn what_was_read_comes_first_in_pieces_of_any_size() {
        rt::System::new().block_on(async {
            for piece in [1, 2, 3, 5, 64] {
                let (near, mut far) = duplex(64);
                far.write_all(b"after").await.unwrap();
                let mut rewound = Rewound::new(b"before, ".to_vec(), near);
                let (mut whole, mut some) = (Vec::new(), vec![0; piece]);
                while whole.len() < 13 {
                    let len = rewound.read(&mut some).await.unwrap();
                    whole.extend_from_slice(&some[..len]);
                }
                assert_eq!(whole, b"before, after", "{piece}");
                rewound.write_all(b"back").await.unwrap();
                drop(rewound);
                let mut back = String::new();
                far.read_to_string(&mut back).await.unwrap();
                assert_eq!(back, "back");
            }
        });
    }
}
