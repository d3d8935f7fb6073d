//! From endless columns to pages.

use super::flow::{Columns, Origin, Piece};
use super::metrics::{Metrics, POINTS_PER_MM};
use super::{Background, Extent, Item, Layout, MAX_PAGES, Page, Paint, Shape};
use crate::error::Error;
use crate::options::PageBreak;
use crate::theme::Spec;

/// The part of a page that a table's header takes at most when it is shown again: a higher one would leave
/// each page a line or two.
const MOST_REPEATED: f32 = 0.3;

/// Cuts columns into pages. Pieces that belong together share one unless no page can hold them.
pub(super) fn paginate(
    columns: Columns,
    theme: &Spec,
    metrics: &Metrics,
    rtl: bool,
) -> Result<Layout, Error> {
    let Columns {
        main,
        side,
        nodes,
        outline,
        items,
        origins,
        repeats,
    } = columns;
    let source = Source {
        metrics,
        repeats: &repeats,
        origins: &origins,
    };
    let band = theme.header.band.is_some();
    let mut main = source.run(main, metrics.top)?;
    let band_end = main.header_end.filter(|_| band);
    // Beside a band there is no room for the sidebar.
    let side_top = band_end.map_or(metrics.top, |end| end + metrics.gaps.header);
    let mut side = source.run(side, side_top)?;
    side.breaks
        .iter_mut()
        .for_each(|found| found.sidebar = true);

    let count = main.pages.len().max(side.pages.len());
    let mut pages = vec![Page::default(); count];
    let (main_items, side_items) = (main.pages.into_iter(), side.pages.into_iter());
    for (page, items) in pages.iter_mut().zip(main_items) {
        page.items = items;
    }
    for (page, items) in pages.iter_mut().zip(side_items) {
        page.items.extend(items);
    }
    let (left, right) = metrics.side_edges;
    for (index, page) in pages.iter_mut().enumerate() {
        // Stable: copies stay before what they have their place from.
        page.items.sort_by_key(|item| item.id);
        let top = band_end.filter(|_| index == 0).unwrap_or(0.0);
        if metrics.side.is_some() {
            page.backgrounds.push(Background {
                x: left,
                y: top,
                width: right - left,
                height: metrics.page_height - top,
                paint: Paint::Sidebar,
            });
        }
        if top > 0.0 {
            page.backgrounds.push(Background {
                x: 0.0,
                y: 0.0,
                width: metrics.page_width,
                height: top,
                paint: Paint::Band,
            });
        }
        if rtl {
            for item in &mut page.items {
                item.mirror(metrics.page_width);
            }
            for area in &mut page.backgrounds {
                area.x = metrics.page_width - area.x - area.width;
            }
        }
    }
    let mut breaks = main.breaks;
    breaks.append(&mut side.breaks);
    breaks.sort_by_key(|found| (found.page, found.sidebar));
    main.extent.filled.resize(count, 0.0);
    side.extent.filled.resize(count, 0.0);
    Ok(Layout {
        pages,
        nodes,
        outline,
        items,
        main: main.extent,
        side: side.extent,
        breaks,
    })
}

struct Source<'a> {
    metrics: &'a Metrics,
    repeats: &'a [Vec<Piece>],
    origins: &'a [Origin],
}

/// One column on its pages.
struct Run {
    pages: Vec<Vec<Item>>,
    extent: Extent,
    breaks: Vec<PageBreak>,
    /// Where the header ends on the first page, if it does there.
    header_end: Option<f32>,
}

impl Source<'_> {
    fn run(&self, pieces: Vec<Piece>, top: f32) -> Result<Run, Error> {
        let mut pages = Pages {
            source: self,
            run: Run {
                pages: vec![Vec::new()],
                extent: Extent::default(),
                breaks: Vec::new(),
                header_end: None,
            },
            top,
            y: top,
            section: 0,
        };
        let mut pieces = pieces.into_iter().peekable();
        let mut group: Vec<Piece> = Vec::new();
        while let Some(piece) = pieces.next() {
            let joined = piece.keep_with_next && pieces.peek().is_some();
            group.push(piece);
            if !joined {
                pages.place(&mut group)?;
            }
        }
        let last = pages.y - pages.top;
        pages.run.extent.filled.push(last);
        Ok(pages.run)
    }

    fn repeated(&self, piece: &Piece) -> &[Piece] {
        piece.repeat.map_or(&[], |index| &self.repeats[index])
    }
}

struct Pages<'a> {
    source: &'a Source<'a>,
    run: Run,
    /// Where the text of the current page begins.
    top: f32,
    /// Where the next piece goes on the current page.
    y: f32,
    /// The last section that something was placed of.
    section: usize,
}

impl Pages<'_> {
    fn place(&mut self, group: &mut Vec<Piece>) -> Result<(), Error> {
        let height: f32 = group.iter().map(|piece| piece.before + piece.height).sum();
        let first_gap = group.first().map_or(0.0, |piece| piece.before);
        if !self.fits(if self.at_top() {
            height - first_gap
        } else {
            height
        }) {
            self.break_page()?;
        }
        // Only a group that is higher than a page meets another page break here.
        for piece in group.drain(..) {
            if !self.at_top() {
                if self.fits(piece.before + piece.height.max(piece.reach)) {
                    self.y += piece.before;
                } else {
                    self.break_page()?;
                }
            }
            self.put(piece);
        }
        Ok(())
    }

    fn put(&mut self, piece: Piece) {
        let origin = &self.source.origins[piece.origin];
        let pages = self.run.pages.len();
        if self.at_top() && pages > 1 {
            self.run.breaks.push(PageBreak {
                page: pages as u32,
                role: origin.role.clone(),
                id: origin.id.clone(),
                within: origin.section > 0 && origin.section == self.section,
                sidebar: false,
            });
            self.repeat(&piece);
        }
        self.section = origin.section;
        let y = self.y;
        if let Some(page) = self.run.pages.last_mut() {
            for item in piece.items {
                if let Shape::Line { line, .. } = &item.shape {
                    self.run.extent.glyphs += line.glyphs.len();
                }
                page.push(Item {
                    y: item.y + y,
                    ..item
                });
            }
        }
        self.y += piece.height;
        if piece.ends_header && pages == 1 {
            self.run.header_end = Some(self.y);
        }
    }

    /// Shows the header of a table again, if it leaves room for the piece below it.
    fn repeat(&mut self, piece: &Piece) {
        let header = self.source.repeated(piece);
        let height: f32 = header.iter().map(|part| part.before + part.height).sum();
        let Some(first) = piece.items.first().filter(|_| !header.is_empty()) else {
            return;
        };
        let first_gap = header.first().map_or(0.0, |part| part.before);
        let height = height - first_gap + self.source.metrics.gaps.row.max(2.0);
        let most = self.source.metrics.text_height() * MOST_REPEATED;
        if height > most || !self.fits(height + piece.height) {
            return;
        }
        let mut y = self.y - first_gap;
        for part in header {
            y += part.before;
            let items = part.items.iter().map(|item| Item {
                id: first.id,
                y: item.y + y,
                copy: true,
                ..item.clone()
            });
            if let Some(page) = self.run.pages.last_mut() {
                page.extend(items);
            }
            y += part.height;
        }
        self.y += height;
    }

    fn at_top(&self) -> bool {
        self.y <= self.top
    }

    fn fits(&self, height: f32) -> bool {
        // A hundredth of a point is a rounding error.
        self.y + height <= self.source.metrics.bottom + 0.01
    }

    fn break_page(&mut self) -> Result<(), Error> {
        // Below a high band the first page may have no room for anything.
        let first_is_short = self.run.pages.len() == 1 && self.top > self.source.metrics.top;
        if self.at_top() && !first_is_short {
            return Ok(());
        }
        if self.run.pages.len() >= MAX_PAGES {
            return Err(Error::TooManyPages { limit: MAX_PAGES });
        }
        self.run.extent.filled.push(self.y - self.top);
        self.run.pages.push(Vec::new());
        self.top = self.source.metrics.top;
        self.y = self.top;
        Ok(())
    }
}

impl Layout {
    /// What is free at the foot of the last page, in mm.
    pub(super) fn free(&self, metrics: &Metrics) -> f32 {
        let last = |extent: &Extent| extent.filled.last().copied().unwrap_or(0.0);
        let filled = last(&self.main).max(last(&self.side));
        ((metrics.text_height() - filled) / POINTS_PER_MM).max(0.0)
    }

    /// What is too much for so many pages: of the column that is longest, in pt, and about how many
    /// characters there.
    pub(super) fn excess(&self, pages: usize) -> (f32, f32) {
        let of = |extent: &Extent| {
            let all: f32 = extent.filled.iter().sum();
            let over: f32 = extent.filled.iter().skip(pages).sum();
            let glyphs = if all > 0.0 {
                extent.glyphs as f32 * over / all
            } else {
                0.0
            };
            (over, glyphs)
        };
        let (main, side) = (of(&self.main), of(&self.side));
        if side.0 > main.0 { side } else { main }
    }
}
