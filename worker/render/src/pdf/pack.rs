//! Packs a finished file: its small objects into object streams, its table of objects into a stream
//! (ISO 32000-1, 7.5.7 and 7.5.8; ISO 19005-3 allows both).
//!
//! The writer leaves each object of the structure tree on its own, which makes a third of a short document. Packed
//! they take a fifth of that, and the bytes saved are better spent on the photo, which then need not be
//! encoded again.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;

/// Objects in one stream: readers unpack a stream for the first of its objects that they need.
const OBJECTS: usize = 256;
/// What stays plain, so that programs that look for pages without parsing still find them.
const PLAIN: [&[u8]; 2] = [b"/Type/Page", b"/Type/Catalog"];
/// Bytes of an entry of the table: kind, place or stream, index within the stream.
const ENTRY: usize = 6;

/// Where an object went.
#[derive(Clone, Copy)]
enum Place {
    Free,
    At(u32),
    Within { stream: u32, index: u8 },
}

/// The packed file. `None` if this one is not what the writer is known to write, or too large for the table.
pub(super) fn pack(file: &[u8]) -> Option<Vec<u8>> {
    let Trailer { table, size, keys } = Trailer::read(file)?;
    u32::try_from(file.len()).ok()?;
    let offsets = offsets(file.get(table..)?, size)?;
    let mut order: Vec<(usize, usize)> = offsets
        .iter()
        .enumerate()
        .filter_map(|(number, offset)| offset.map(|offset| (offset, number)))
        .collect();
    order.sort_unstable();

    let first = order.first()?.0;
    let mut out = Vec::with_capacity(file.len());
    out.extend_from_slice(&file[..first]);
    let mut places = vec![Place::Free; size];
    let mut small: Vec<(usize, &[u8])> = Vec::new();
    for (index, &(start, number)) in order.iter().enumerate() {
        let end = order.get(index + 1).map_or(table, |next| next.0);
        let whole = file.get(start..end)?;
        let content = whole
            .strip_prefix(format!("{number} 0 obj\n").as_bytes())?
            .trim_ascii_end()
            .strip_suffix(b"endobj")?
            .trim_ascii_end();
        if content.ends_with(b"endstream") || PLAIN.iter().any(|kind| contains(content, kind)) {
            places[number] = Place::At(out.len() as u32);
            out.extend_from_slice(whole);
        } else {
            small.push((number, content));
        }
    }
    small.sort_unstable_by_key(|(number, _)| *number);
    for objects in small.chunks(OBJECTS) {
        let stream = places.len() as u32;
        for (index, (number, _)) in objects.iter().enumerate() {
            let index = index as u8;
            places[*number] = Place::Within { stream, index };
        }
        places.push(Place::At(out.len() as u32));
        object_stream(&mut out, stream, objects)?;
    }
    let start = out.len();
    places.push(Place::At(start as u32));
    table_stream(&mut out, &places, keys)?;
    write!(out, "startxref\n{start}\n%%EOF").ok()?;
    Some(out)
}

/// What stands at the end of a file.
struct Trailer<'a> {
    /// Where the table of objects begins.
    table: usize,
    /// One more than the highest number of an object.
    size: usize,
    /// The trailer's other entries.
    keys: &'a [u8],
}

impl<'a> Trailer<'a> {
    fn read(file: &'a [u8]) -> Option<Self> {
        // The identifier is the only entry of variable length, and short.
        let from = file.len().saturating_sub(1024);
        let tail = file.get(from..)?;
        let at = tail.windows(8).rposition(|bytes| bytes == b"trailer\n")?;
        let rest = tail[at + 8..].strip_prefix(b"<</Size ")?;
        let (size, rest) = number(rest)?;
        let end = rest
            .windows(13)
            .rposition(|bytes| bytes == b">>\nstartxref\n")?;
        let (table, _) = number(&rest[end + 13..])?;
        Some(Self {
            table,
            size,
            keys: &rest[..end],
        })
    }
}

/// The offsets of the table's objects; those in the list of free ones have none.
fn offsets(table: &[u8], size: usize) -> Option<Vec<Option<usize>>> {
    let rest = table.strip_prefix(b"xref\n0 ")?;
    let (count, rest) = number(rest)?;
    let (entries, _) = rest.strip_prefix(b"\n")?.as_chunks::<20>();
    if count != size || entries.len() < count {
        return None;
    }
    entries[..count]
        .iter()
        .map(|entry| match entry[17] {
            b'n' => number(entry).map(|(offset, _)| Some(offset)),
            b'f' => Some(None),
            _ => None,
        })
        .collect()
}

/// The digits that a text begins with, and what follows them.
fn number(text: &[u8]) -> Option<(usize, &[u8])> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(digits);
    Some((str::from_utf8(digits).ok()?.parse().ok()?, rest))
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn object_stream(out: &mut Vec<u8>, id: u32, objects: &[(usize, &[u8])]) -> Option<()> {
    let (mut index, mut body) = (Vec::new(), Vec::new());
    for (number, content) in objects {
        write!(index, "{number} {} ", body.len()).ok()?;
        body.extend_from_slice(content);
        body.push(b'\n');
    }
    let first = index.len();
    index.append(&mut body);
    let data = deflated(&index)?;
    let (count, length) = (objects.len(), data.len());
    write!(
        out,
        "{id} 0 obj\n<</Length {length}/Type/ObjStm/N {count}/First {first}/Filter/FlateDecode>>\nstream\n"
    )
    .ok()?;
    close(out, &data);
    Some(())
}

/// The last object: each row of the table as its difference to the one above (PNG filter "up"), which
/// deflates to next to nothing.
fn table_stream(out: &mut Vec<u8>, places: &[Place], keys: &[u8]) -> Option<()> {
    let mut rows = Vec::with_capacity(places.len() * (ENTRY + 1));
    let mut above = [0; ENTRY];
    for place in places {
        let (kind, word, index) = match *place {
            Place::Free => (0, 0, 0),
            Place::At(offset) => (1, offset, 0),
            Place::Within { stream, index } => (2, stream, index),
        };
        let [a, b, c, d] = u32::to_be_bytes(word);
        let row = [kind, a, b, c, d, index];
        rows.push(2);
        rows.extend(row.iter().zip(above).map(|(own, up)| own.wrapping_sub(up)));
        above = row;
    }
    let data = deflated(&rows)?;
    let (id, size, length) = (places.len() - 1, places.len(), data.len());
    write!(
        out,
        "{id} 0 obj\n<</Length {length}/Type/XRef/W[1 4 1]/Size {size}"
    )
    .ok()?;
    out.extend_from_slice(keys);
    write!(
        out,
        "/Filter/FlateDecode/DecodeParms<</Predictor 12/Columns {ENTRY}>>>>\nstream\n"
    )
    .ok()?;
    close(out, &data);
    Some(())
}

fn close(out: &mut Vec<u8>, data: &[u8]) {
    out.extend_from_slice(data);
    out.extend_from_slice(b"\nendstream\nendobj\n");
}

fn deflated(data: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(data).ok()?;
    encoder.finish().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file as the writer makes them, of these objects.
    fn file(objects: &[&str]) -> Vec<u8> {
        let mut out = b"%PDF-1.7\n%\x80\x80\x80\x80\n\n".to_vec();
        let mut table = format!("xref\n0 {}\n0000000000 65535 f\r\n", objects.len() + 1);
        for (index, object) in objects.iter().enumerate() {
            table.extend([&format!("{:010}", out.len()), " 00000 n\r\n"]);
            out.extend(format!("{} 0 obj\n{object}\nendobj\n\n", index + 1).bytes());
        }
        let (start, size) = (out.len(), objects.len() + 1);
        out.extend(table.bytes());
        let trailer = format!("trailer\n<</Size {size}/Root 1 0 R/ID[(a)(b)]>>\nstartxref\n");
        out.extend(format!("{trailer}{start}\n%%EOF").bytes());
        out
    }

    fn packed(objects: &[&str]) -> lopdf::Document {
        lopdf::Document::load_mem(&pack(&file(objects)).unwrap()).unwrap()
    }

    const CATALOG: &str = "<</Type/Catalog/Pages 2 0 R>>";
    const PAGES: &str = "<</Type/Pages/Count 0/Kids[]>>";

    #[test]
    fn every_object_is_found_again() {
        let names: Vec<_> = (0..700)
            .map(|number| format!("<</Name(endobj {number})/Twice {}>>", number * 2))
            .collect();
        let mut objects = vec![CATALOG, PAGES];
        objects.extend(names.iter().map(String::as_str));
        objects.push("<</Length 6>>\nstream\nendobj\nendstream");
        let read = packed(&objects);
        for number in 0..700_u32 {
            let found = read.get_dictionary((number + 3, 0)).unwrap();
            let name = found.get(b"Name").unwrap().as_str().unwrap();
            assert_eq!(name, format!("endobj {number}").as_bytes());
            let twice = found.get(b"Twice").unwrap().as_i64().unwrap();
            assert_eq!(twice, i64::from(number) * 2);
        }
        let stream = read.get_object((703, 0)).unwrap().as_stream().unwrap();
        assert_eq!(stream.content, b"endobj");
        assert!(read.trailer.has(b"ID"));
    }

    #[test]
    fn pages_stay_plain() {
        let bytes = pack(&file(&[CATALOG, PAGES, "<</Alone true>>"])).unwrap();
        assert!(contains(&bytes, CATALOG.as_bytes()) && contains(&bytes, PAGES.as_bytes()));
        assert!(!contains(&bytes, b"Alone"));
    }

    #[test]
    fn what_is_not_understood_is_left_alone() {
        let good = file(&[CATALOG, PAGES]);
        assert!(pack(&good).is_some());
        for end in 0..good.len() - 10 {
            assert!(pack(&good[..end]).is_none(), "{end}");
        }
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] = b'x';
            let _ = pack(&bad);
        }
    }
}
