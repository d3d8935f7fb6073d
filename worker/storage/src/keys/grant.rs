//! What a credential allows: scopes, and the tier that its limits follow.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a credential may allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Scope {
    /// Read jobs and their documents.
    JobsRead,
    /// Submit, cancel, retry and delete jobs.
    JobsWrite,
    /// Read sessions.
    SessionsRead,
    /// Create, change and delete sessions.
    SessionsWrite,
    /// Everything about webhooks and events.
    WebhooksManage,
    /// Keys, erasing, and what concerns the whole tenant or installation.
    Admin,
}

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 6] = [
        Self::JobsRead,
        Self::JobsWrite,
        Self::SessionsRead,
        Self::SessionsWrite,
        Self::WebhooksManage,
        Self::Admin,
    ];

    /// What a caller needs for everyday work: no webhooks, nothing of the tenant as a whole.
    pub const EVERYDAY: [Self; 4] = [
        Self::JobsRead,
        Self::JobsWrite,
        Self::SessionsRead,
        Self::SessionsWrite,
    ];

    /// As keys and tokens name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::JobsRead => "jobs:read",
            Self::JobsWrite => "jobs:write",
            Self::SessionsRead => "sessions:read",
            Self::SessionsWrite => "sessions:write",
            Self::WebhooksManage => "webhooks:manage",
            Self::Admin => "admin",
        }
    }
}

/// A class of tenants with the same limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Tier {
    /// The least.
    Free,
    /// More.
    Basic,
    /// Much more.
    Pro,
    /// No limit, unless configured.
    Enterprise,
}

impl Tier {
    /// All tiers, the least first.
    pub const ALL: [Self; 4] = [Self::Free, Self::Basic, Self::Pro, Self::Enterprise];

    /// As keys, tokens and settings name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Basic => "basic",
            Self::Pro => "pro",
            Self::Enterprise => "enterprise",
        }
    }
}

/// A text that names no scope, or no tier.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("unknown: expected {expected}")]
pub struct UnknownName {
    expected: String,
}

macro_rules! names {
    ($type:ty) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $type {
            type Err = UnknownName;

            fn from_str(text: &str) -> Result<Self, UnknownName> {
                let found = Self::ALL.into_iter().find(|one| one.as_str() == text);
                found.ok_or_else(|| UnknownName {
                    expected: Self::ALL.map(Self::as_str).join(", "),
                })
            }
        }

        impl TryFrom<String> for $type {
            type Error = UnknownName;

            fn try_from(text: String) -> Result<Self, UnknownName> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(one: $type) -> Self {
                one.as_str().to_owned()
            }
        }
    };
}

names!(Scope);
names!(Tier);
