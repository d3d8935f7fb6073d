//! Which addresses are public, and what the others are for.
//!
//! From the registries of special-purpose addresses that IANA keeps (RFC 6890): for IPv4, for
//! IPv6 and for the allocated part of IPv6, and the addresses under which clouds hand credentials
//! to their machines. Nothing that is special is public here, even where a registry calls it
//! globally reachable: nobody's webhook lives there.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an address that is not public is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AddressKind {
    /// `0.0.0.0`, `::`: on many systems another way to this machine.
    Unspecified,
    /// `0.0.0.0/8` (RFC 791).
    ThisNetwork,
    /// `127.0.0.0/8`, `::1` (RFC 1122, RFC 4291).
    Loopback,
    /// `10.0.0.0/8`, `172.16.0.0/12`, `192.168.0.0/16` (RFC 1918).
    Private,
    /// `100.64.0.0/10`: behind a carrier's NAT (RFC 6598).
    Shared,
    /// `169.254.0.0/16`, `fe80::/10` (RFC 3927, RFC 4291).
    LinkLocal,
    /// `fc00::/7` (RFC 4193).
    UniqueLocal,
    /// `fec0::/10` (RFC 3879).
    SiteLocal,
    /// Where a cloud tells its machines who they are, credentials included.
    Metadata,
    /// `224.0.0.0/4`, `ff00::/8` (RFC 5771, RFC 4291).
    Multicast,
    /// `255.255.255.255` (RFC 919).
    Broadcast,
    /// For examples (RFC 5737, RFC 3849, RFC 9637).
    Documentation,
    /// `198.18.0.0/15`, `2001:2::/48` (RFC 2544, RFC 5180).
    Benchmarking,
    /// Assigned to protocols, not to hosts (RFC 6890, section 2.2.2; RFC 2928; and others).
    Protocol,
    /// An IPv4 address in an IPv6 one: mapped `::ffff:0:0/96`, compatible `::/96` (RFC 4291),
    /// translated `::ffff:0:0:0/96` (RFC 7915).
    Embedded,
    /// NAT64: `64:ff9b::/96` (RFC 6052), `64:ff9b:1::/48` (RFC 8215).
    Nat64,
    /// `2002::/16` and its relays `192.88.99.0/24` (RFC 3056, RFC 7526).
    SixToFour,
    /// `2001::/32` (RFC 4380).
    Teredo,
    /// An interface identifier that holds an IPv4 address (RFC 5214).
    Isatap,
    /// Not given to anybody, or given back.
    Reserved,
}

use AddressKind as Kind;

type Block<Address> = (Address, u32, Kind);

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u32, kind: Kind) -> Block<Ipv4Addr> {
    (Ipv4Addr::new(a, b, c, d), prefix, kind)
}

const fn v6(s: [u16; 8], prefix: u32, kind: Kind) -> Block<Ipv6Addr> {
    let network = Ipv6Addr::new(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]);
    (network, prefix, kind)
}

/// The first that holds an address says what it is.
const V4: &[Block<Ipv4Addr>] = &[
    v4(169, 254, 169, 254, 32, Kind::Metadata),
    // Credentials of containers and of pods in AWS.
    v4(169, 254, 170, 2, 32, Kind::Metadata),
    v4(169, 254, 170, 23, 32, Kind::Metadata),
    // Azure's wire server: looks public, and only the machines of Azure reach it.
    v4(168, 63, 129, 16, 32, Kind::Metadata),
    // Alibaba Cloud; Oracle Cloud.
    v4(100, 100, 100, 200, 32, Kind::Metadata),
    v4(192, 0, 0, 192, 32, Kind::Metadata),
    v4(0, 0, 0, 0, 32, Kind::Unspecified),
    v4(0, 0, 0, 0, 8, Kind::ThisNetwork),
    v4(127, 0, 0, 0, 8, Kind::Loopback),
    v4(10, 0, 0, 0, 8, Kind::Private),
    v4(172, 16, 0, 0, 12, Kind::Private),
    v4(192, 168, 0, 0, 16, Kind::Private),
    v4(100, 64, 0, 0, 10, Kind::Shared),
    v4(169, 254, 0, 0, 16, Kind::LinkLocal),
    v4(192, 0, 0, 0, 24, Kind::Protocol),
    v4(192, 0, 2, 0, 24, Kind::Documentation),
    v4(198, 51, 100, 0, 24, Kind::Documentation),
    v4(203, 0, 113, 0, 24, Kind::Documentation),
    v4(198, 18, 0, 0, 15, Kind::Benchmarking),
    v4(192, 88, 99, 0, 24, Kind::SixToFour),
    // Sinks of reverse look-ups (RFC 7534, RFC 7535), and AMT (RFC 7450).
    v4(192, 31, 196, 0, 24, Kind::Protocol),
    v4(192, 175, 48, 0, 24, Kind::Protocol),
    v4(192, 52, 193, 0, 24, Kind::Protocol),
    v4(255, 255, 255, 255, 32, Kind::Broadcast),
    v4(224, 0, 0, 0, 4, Kind::Multicast),
    v4(240, 0, 0, 0, 4, Kind::Reserved),
];

/// The first that holds an address says what it is.
const V6: &[Block<Ipv6Addr>] = &[
    // AWS; Google Cloud.
    v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254], 128, Kind::Metadata),
    v6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], 128, Kind::Metadata),
    v6([0; 8], 128, Kind::Unspecified),
    v6([0, 0, 0, 0, 0, 0, 0, 1], 128, Kind::Loopback),
    v6([0, 0, 0, 0, 0, 0xffff, 0, 0], 96, Kind::Embedded),
    v6([0, 0, 0, 0, 0xffff, 0, 0, 0], 96, Kind::Embedded),
    v6([0; 8], 96, Kind::Embedded),
    v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96, Kind::Nat64),
    v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48, Kind::Nat64),
    v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, Kind::UniqueLocal),
    v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, Kind::LinkLocal),
    v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10, Kind::SiteLocal),
    v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, Kind::Multicast),
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32, Kind::Teredo),
    v6([0x2001, 2, 0, 0, 0, 0, 0, 0], 48, Kind::Benchmarking),
    v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32, Kind::Documentation),
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23, Kind::Protocol),
    v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16, Kind::SixToFour),
    v6([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48, Kind::Protocol),
    v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20, Kind::Documentation),
    // The 6bone, given back (RFC 3701).
    v6([0x3ffe, 0, 0, 0, 0, 0, 0, 0], 16, Kind::Reserved),
];

/// All that is given to hosts lies in here (RFC 4291, section 2.4).
const GLOBAL_UNICAST: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

impl AddressKind {
    /// What the address is for; `None` for a public one.
    ///
    /// An IPv4 address inside an IPv6 one is never public, whatever it is: who publishes it
    /// publishes the IPv4 address too.
    pub fn of(address: IpAddr) -> Option<Self> {
        match address {
            IpAddr::V4(address) => {
                let bits = address.to_bits();
                let inside = |&&(network, prefix, _): &&Block<Ipv4Addr>| {
                    (bits ^ network.to_bits()) >> (32 - prefix) == 0
                };
                V4.iter().find(inside).map(|&(.., kind)| kind)
            }
            IpAddr::V6(address) => {
                let bits = address.to_bits();
                let within = |network: Ipv6Addr, prefix: u32| {
                    (bits ^ network.to_bits()) >> (128 - prefix) == 0
                };
                let known = V6
                    .iter()
                    .find(|&&(network, prefix, _)| within(network, prefix));
                let (global, prefix) = GLOBAL_UNICAST;
                match known {
                    Some(&(.., kind)) => Some(kind),
                    None if !within(global, prefix) => Some(Self::Reserved),
                    // `00-00-5E-FE` before the IPv4 address, with or without the bit "universal".
                    None if (bits >> 32) as u32 & 0xfdff_ffff == 0x5efe => Some(Self::Isatap),
                    None => None,
                }
            }
        }
    }

    /// Whether [`crate::Policy::allow_private`] lets it be reached: where a developer's own
    /// servers are. A cloud's metadata never is.
    pub fn is_for_development(self) -> bool {
        matches!(
            self,
            Self::Loopback | Self::Private | Self::Shared | Self::UniqueLocal
        )
    }
}

impl fmt::Display for AddressKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unspecified => "unspecified",
            Self::ThisNetwork => "of this network only",
            Self::Loopback => "loopback",
            Self::Private => "private",
            Self::Shared => "shared behind a carrier's NAT",
            Self::LinkLocal => "link-local",
            Self::UniqueLocal => "unique local",
            Self::SiteLocal => "site-local",
            Self::Metadata => "a cloud's metadata service",
            Self::Multicast => "multicast",
            Self::Broadcast => "broadcast",
            Self::Documentation => "for documentation",
            Self::Benchmarking => "for benchmarks",
            Self::Protocol => "assigned to a protocol",
            Self::Embedded => "an IPv4 address in IPv6 form",
            Self::Nat64 => "translated by NAT64",
            Self::SixToFour => "6to4",
            Self::Teredo => "Teredo",
            Self::Isatap => "ISATAP",
            Self::Reserved => "reserved",
        })
    }
}
