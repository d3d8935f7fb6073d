//! Tables: columns by share of the width, the header again on each page.

use super::super::metrics::Frame;
use super::super::{Item, NodeId, NodeRole, Shape};
use super::{Flow, Keep, Lines};
use crate::blocks::Align;
use crate::prepare::{ParagraphId, PreparedTable};

/// The thickness of a table's rules, in pt.
const RULE: f32 = 0.6;
/// From a row to the rule below it, as a part of the gap between rows.
const RULE_GAP: f32 = 0.7;

impl Flow<'_> {
    pub(super) fn table(&mut self, table: &PreparedTable, area: Frame, parent: NodeId) {
        let columns = self.table_columns(table, area);
        let gap = self.metrics.gaps.row.max(2.0);
        let node = self.node(parent, NodeRole::Table);
        let before = self.pieces().len();
        if let Some(header) = &table.header {
            let head = self.node(node, NodeRole::TableHead);
            let first = self.pieces().len();
            self.table_row(
                header,
                &columns,
                head,
                &NodeRole::HeaderCell,
                Keep::WithNext,
            );
            if self.pieces().len() > first {
                self.rule_below(area, gap);
            }
            let repeated = self.pieces()[first..].to_vec();
            self.columns.repeats.push(repeated);
            self.gap = gap * (2.0 - RULE_GAP);
        }
        let outer = self.repeat;
        self.repeat = table
            .header
            .as_ref()
            .map(|_| self.columns.repeats.len() - 1);
        let body = self.node(node, NodeRole::TableBody);
        for (index, row) in table.rows.iter().enumerate() {
            if index > 0 {
                self.gap = gap;
            }
            self.table_row(row, &columns, body, &NodeRole::Cell, Keep::Lines);
        }
        self.repeat = outer;
        // Cells without text leave no row: what stands above the table gets no rule.
        if self.pieces().len() > before {
            self.rule_below(area, gap);
        }
    }

    fn table_columns(&self, table: &PreparedTable, area: Frame) -> Vec<(Frame, Align)> {
        let gaps = (table.columns.len() - 1) as f32;
        // A gap as wide as an indent, unless the columns are too many for that.
        let gap = self
            .metrics
            .indent(self.zone)
            .min(area.width * 0.3 / gaps.max(1.0));
        let shares: f32 = table.columns.iter().map(|(share, _)| share).sum();
        let width = area.width - gap * gaps;
        let mut x = area.x;
        let columns = table.columns.iter().map(|(share, align)| {
            let width = width * share / shares;
            let frame = Frame { x, width };
            x += width + gap;
            (frame, *align)
        });
        columns.collect()
    }

    fn table_row(
        &mut self,
        cells: &[Option<ParagraphId>],
        columns: &[(Frame, Align)],
        parent: NodeId,
        role: &NodeRole,
        keep: Keep,
    ) {
        let row = self.node(parent, NodeRole::TableRow);
        let mut lines: Vec<Lines> = Vec::with_capacity(columns.len());
        for (index, (frame, align)) in columns.iter().enumerate() {
            let cell = self.node(row, role.clone());
            if let Some(id) = cells.get(index).copied().flatten() {
                lines.push(self.lines(id, *frame, *align, cell));
            }
        }
        self.stack(lines, keep);
    }

    fn rule_below(&mut self, area: Frame, gap: f32) {
        let rule = Shape::Rule {
            width: area.width,
            weight: RULE,
        };
        let rule: Item = self.decoration(area.x, 0.0, rule);
        if let Some(last) = self.pieces().last_mut() {
            last.height += gap * RULE_GAP;
            last.items.push(Item {
                y: last.height,
                ..rule
            });
        }
    }
}
