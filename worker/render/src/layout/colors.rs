//! Which colour of a theme something has, by its use and by where on the page it stands.

use super::{Paint, Zone};
use crate::text::paragraph::Ink;
use crate::theme::{Colors, Rgb, Spec};

/// The colour of text.
pub(crate) fn ink(theme: &Spec, zone: Zone, ink: Ink) -> Rgb {
    let colors = palette(theme, zone);
    match ink {
        Ink::Text => colors.text,
        Ink::Accent => colors.accent,
        Ink::Muted => colors.muted,
    }
}

/// The colour of a rule.
pub(crate) fn rule(theme: &Spec, zone: Zone) -> Rgb {
    palette(theme, zone).rule
}

/// The colour of an area.
pub(crate) fn area(theme: &Spec, zone: Zone, paint: Paint) -> Rgb {
    match paint {
        Paint::Accent => palette(theme, zone).accent,
        Paint::TitleFill => theme.sections.fill,
        Paint::Band => theme.header.band.unwrap_or(Rgb::WHITE),
        Paint::Sidebar => theme.sidebar.background,
    }
}

fn palette(theme: &Spec, zone: Zone) -> Colors {
    match zone {
        Zone::Main => theme.colors,
        Zone::Side => Colors {
            text: theme.sidebar.text,
            muted: theme.sidebar.muted,
            accent: theme.sidebar.accent,
            rule: theme.sidebar.rule,
        },
        Zone::Band => Colors {
            text: theme.header.band_text,
            muted: theme.header.band_muted,
            // Links and names have no colour of their own there.
            accent: theme.header.band_text,
            rule: theme.header.band_muted,
        },
    }
}
