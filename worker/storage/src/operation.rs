//! One call of a port, and on which queue, table or container.

use std::fmt;

use crate::names::{Container, QueueName, TableName};

/// A call of a port, and on what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// [`Queue::send`](crate::Queue::send).
    Send(QueueName),
    /// [`Queue::receive`](crate::Queue::receive).
    Receive(QueueName),
    /// [`Queue::peek`](crate::Queue::peek).
    Peek(QueueName),
    /// [`Queue::extend`](crate::Queue::extend).
    Extend(QueueName),
    /// [`Queue::delete`](crate::Queue::delete).
    DeleteMessage(QueueName),
    /// [`Queue::count`](crate::Queue::count).
    Count(QueueName),
    /// [`Table::get`](crate::Table::get).
    GetEntity(TableName),
    /// [`Table::query`](crate::Table::query).
    Query(TableName),
    /// [`Table::write`](crate::Table::write).
    Write(TableName),
    /// [`Blobs::put`](crate::Blobs::put).
    PutBlob(Container),
    /// [`Blobs::get`](crate::Blobs::get).
    GetBlob(Container),
    /// [`Blobs::get_range`](crate::Blobs::get_range).
    GetRange(Container),
    /// [`Blobs::append`](crate::Blobs::append).
    Append(Container),
    /// [`Blobs::head`](crate::Blobs::head).
    Head(Container),
    /// [`Blobs::delete`](crate::Blobs::delete).
    DeleteBlob(Container),
    /// [`Blobs::list`](crate::Blobs::list).
    List(Container),
    /// [`Blobs::signed_url`](crate::Blobs::signed_url).
    SignedUrl(Container),
}

impl Operation {
    /// Which of the three services: `queue`, `table` or `blob`.
    pub fn service(self) -> &'static str {
        match self {
            Self::Send(_)
            | Self::Receive(_)
            | Self::Peek(_)
            | Self::Extend(_)
            | Self::DeleteMessage(_)
            | Self::Count(_) => "queue",
            Self::GetEntity(_) | Self::Query(_) | Self::Write(_) => "table",
            Self::PutBlob(_)
            | Self::GetBlob(_)
            | Self::GetRange(_)
            | Self::Append(_)
            | Self::Head(_)
            | Self::DeleteBlob(_)
            | Self::List(_)
            | Self::SignedUrl(_) => "blob",
        }
    }

    /// What is done, such as `write`.
    pub fn verb(self) -> &'static str {
        self.parts().0
    }

    /// The queue, table or container.
    pub fn target(self) -> &'static str {
        self.parts().1
    }

    fn parts(self) -> (&'static str, &'static str) {
        match self {
            Self::Send(queue) => ("send", queue.as_str()),
            Self::Receive(queue) => ("receive", queue.as_str()),
            Self::Peek(queue) => ("peek", queue.as_str()),
            Self::Extend(queue) => ("extend", queue.as_str()),
            Self::DeleteMessage(queue) => ("delete message", queue.as_str()),
            Self::Count(queue) => ("count", queue.as_str()),
            Self::GetEntity(table) => ("get entity", table.as_str()),
            Self::Query(table) => ("query", table.as_str()),
            Self::Write(table) => ("write", table.as_str()),
            Self::PutBlob(container) => ("put blob", container.as_str()),
            Self::GetBlob(container) => ("get blob", container.as_str()),
            Self::GetRange(container) => ("get range", container.as_str()),
            Self::Append(container) => ("append", container.as_str()),
            Self::Head(container) => ("head", container.as_str()),
            Self::DeleteBlob(container) => ("delete blob", container.as_str()),
            Self::List(container) => ("list", container.as_str()),
            Self::SignedUrl(container) => ("signed url", container.as_str()),
        }
    }
}

/// Such as `write jobs`. The decisions of a seed of faults depend on it.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (verb, target) = self.parts();
        write!(f, "{verb} {target}")
    }
}
