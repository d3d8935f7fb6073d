//! Shapes of words, kept between documents: most words of a page have been seen before.
//!
//! A word's shape follows from its key alone, so a cache changes how long a document takes and nothing else.
//! Bounded: a few megabytes, whatever it is fed.

use std::collections::HashMap;

use harfrust::{
    Buffer, BufferFlags, ClusterLevel, Direction as ShapeDirection, Feature, Language, Script,
    ShapeOptions, ShapePlan, ShaperFont, Tag,
};

use super::cluster::{is_direction_mark, is_joiner, is_mark, is_pictograph, is_skin_tone};
use crate::fonts::{Face, FaceId};

/// Bytes of the longest word that is worth keeping.
const LONGEST_WORD: usize = 40;
/// Words of one generation. The last two generations are kept: about 2 MB.
const GENERATION: usize = 4_000;
/// Plans of one cache; a document needs a dozen.
const MAX_PLANS: usize = 96;

/// A glyph in em, with the byte of its word that its cluster starts at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shaped {
    pub(super) id: u16,
    pub(super) advance: f32,
    pub(super) dx: f32,
    pub(super) dy: f32,
    pub(super) start: u32,
}

/// By which rules a word is shaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rules {
    pub(super) face: FaceId,
    pub(super) script: Script,
    pub(super) right_to_left: bool,
    pub(super) small_caps: bool,
    pub(super) language: Option<Language>,
}

/// One thread's plans, words and buffer.
#[derive(Default)]
pub(crate) struct ShapeCache {
    buffer: Option<Buffer>,
    plans: Vec<Plan>,
    /// Words of the current generation.
    words: usize,
    scratch: Vec<Shaped>,
}

struct Plan {
    rules: Rules,
    shape: ShapePlan,
    no_ink: Option<u16>,
    young: HashMap<Box<str>, Box<[Shaped]>>,
    old: HashMap<Box<str>, Box<[Shaped]>>,
}

impl ShapeCache {
    /// Readies rules, and returns by which number [`Self::shape`] knows them until the next call of this.
    pub(super) fn plan(&mut self, rules: &Rules, face: &Face) -> usize {
        if let Some(index) = self.plans.iter().position(|plan| plan.rules == *rules) {
            return index;
        }
        if self.plans.len() >= MAX_PLANS {
            self.plans.clear();
            self.words = 0;
        }
        let small_caps = [Feature::new(Tag::new(b"smcp"), 1, ..)];
        let features = if rules.small_caps {
            small_caps.as_slice()
        } else {
            &[]
        };
        self.plans.push(Plan {
            shape: ShapePlan::new(
                face.font(),
                direction(rules),
                Some(rules.script),
                rules.language.as_ref(),
                features,
            ),
            rules: rules.clone(),
            no_ink: face
                .no_ink()
                .filter(|glyph| glyph.width == 0.0)
                .map(|glyph| glyph.id),
            young: HashMap::new(),
            old: HashMap::new(),
        });
        self.plans.len() - 1
    }

    /// The glyphs of a word in the order of its characters, also where it runs from right to left.
    pub(super) fn shape(
        &mut self,
        plan: usize,
        font: &ShaperFont<'_, '_>,
        em: f32,
        word: &str,
    ) -> &[Shaped] {
        if word.len() > LONGEST_WORD {
            self.scratch = shape(&mut self.buffer, &self.plans[plan], font, em, word);
            return &self.scratch;
        }
        if !self.plans[plan].young.contains_key(word) {
            let kept = self.plans[plan].old.remove_entry(word);
            let (key, glyphs) = kept.unwrap_or_else(|| {
                let glyphs = shape(&mut self.buffer, &self.plans[plan], font, em, word);
                (word.into(), glyphs.into())
            });
            if self.words >= GENERATION {
                for plan in &mut self.plans {
                    plan.old = std::mem::take(&mut plan.young);
                }
                self.words = 0;
            }
            self.words += 1;
            self.plans[plan].young.insert(key, glyphs);
        }
        &self.plans[plan].young[word]
    }
}

/// Gives each letter of a ligature a glyph of its own, the last one the ligature and the others a blank, and a
/// blank to each joiner. Readers of text that runs from right to left turn around what a page shows, character
/// by character, and with it the characters of one glyph.
fn part_ligatures(word: &str, blank: u16, shaped: &mut Vec<Shaped>) {
    let mut parted: Vec<Shaped> = Vec::with_capacity(shaped.len());
    for (index, glyph) in shaped.iter().enumerate() {
        let start = glyph.start as usize;
        let next = shaped.get(index + 1).map(|next| next.start as usize);
        let end = next.unwrap_or(word.len());
        let alone = end > start && (index == 0 || shaped[index - 1].start != glyph.start);
        let chars = word.get(start..end).unwrap_or_default();
        let mut letters = chars.char_indices().filter(|&(_, c)| !is_joiner(c));
        let (true, true, Some((last, _))) = (
            alone,
            chars.chars().all(|c| c.is_alphabetic() || is_joiner(c)),
            letters.next_back(),
        ) else {
            parted.push(*glyph);
            continue;
        };
        parted.extend(chars.char_indices().map(|(offset, _)| {
            let start = (start + offset) as u32;
            if offset == last {
                return Shaped { start, ..*glyph };
            }
            Shaped {
                id: blank,
                advance: 0.0,
                dx: 0.0,
                dy: 0.0,
                start,
            }
        }));
    }
    *shaped = parted;
}

fn direction(rules: &Rules) -> ShapeDirection {
    if rules.right_to_left {
        ShapeDirection::RightToLeft
    } else {
        ShapeDirection::LeftToRight
    }
}

fn shape(
    idle: &mut Option<Buffer>,
    plan: &Plan,
    font: &ShaperFont<'_, '_>,
    em: f32,
    word: &str,
) -> Vec<Shaped> {
    let mut buffer = idle.take().unwrap_or_default();
    buffer.clear();
    // A glyph for each character, as far as there is one: so readers of the text see marks in their order.
    buffer.set_cluster_level(ClusterLevel::MonotoneCharacters);
    if word.is_ascii() {
        buffer.push_str(word);
    } else {
        // As clusters are cut: a tone may follow its picture after marks and joiners.
        let mut base = ' ';
        for (at, c) in word.char_indices() {
            let tone = is_skin_tone(c) && is_pictograph(base);
            if !tone && !is_direction_mark(c) {
                buffer.push(c.into(), at as u32);
            }
            if !tone && !is_joiner(c) && !is_mark(c) && !is_direction_mark(c) {
                base = c;
            }
        }
    }
    buffer.set_direction(direction(&plan.rules));
    buffer.set_script(Some(plan.rules.script));
    buffer.set_language(plan.rules.language.clone());
    buffer.set_flags(
        BufferFlags::BEGINNING_OF_TEXT
            | BufferFlags::END_OF_TEXT
            | BufferFlags::REMOVE_DEFAULT_IGNORABLES
            | BufferFlags::DO_NOT_INSERT_DOTTED_CIRCLE,
    );
    let options = ShapeOptions::new().plan(Some(&plan.shape));
    harfrust::shape(font, &mut buffer, options)
        .expect("the buffer has the direction and the script of its plan");
    let glyphs = buffer.glyph_infos().iter().zip(buffer.glyph_positions());
    let mut shaped: Vec<Shaped> = glyphs
        .map(|(info, position)| Shaped {
            id: info.glyph_id as u16,
            advance: position.x_advance as f32 / em,
            dx: position.x_offset as f32 / em,
            dy: position.y_offset as f32 / em,
            start: info.cluster,
        })
        .collect();
    if plan.rules.right_to_left {
        shaped.reverse();
        if let Some(blank) = plan.no_ink {
            part_ligatures(word, blank, &mut shaped);
        }
    }
    // What one odd document needed is not kept for all that follow.
    if word.len() <= 100 * LONGEST_WORD {
        *idle = Some(buffer);
    }
    shaped
}
