//! What a block's memories can hold: what the image fills them with, and whatever any of its handlers writes.

use crate::block::Context;
use crate::range::Range;
use crate::value::{Form, Sources};
use onward_isa::{Space, Width};
use std::collections::BTreeMap;

/// Elements of a table that are looked at one by one; of larger ones only the width is known.
const MOST_LOOKED_AT: i64 = 1 << 16;

/// All that an instruction writes, in one class of steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Write {
    pub space: Space,
    pub width: Width,
    /// First and last element.
    pub first: i64,
    pub last: i64,
    pub range: Range,
    pub form: Form,
    pub from: Sources,
}

impl Write {
    fn join(self, other: Write) -> Write {
        Write {
            first: self.first.min(other.first),
            last: self.last.max(other.last),
            range: self.range.join(other.range),
            form: self.form.join(self.range, other.form, other.range),
            from: self.from.and(other.from),
            ..self
        }
    }
}

/// Writes by class of steps and by the address of the instruction, with the number of its access.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Writes(pub BTreeMap<(u32, u32), Write>);

impl Writes {
    /// Notes what an instruction writes in a class of steps.
    pub fn add(&mut self, class: u32, address: u32, write: Write) {
        self.0.entry((class, address)).and_modify(|before| *before = before.join(write)).or_insert(write);
    }

    /// Adds those of another round; whether that says anything new. `thresholds`, if given, is where values may come to rest.
    pub fn grow(&mut self, other: &Writes, thresholds: Option<&[i64]>) -> bool {
        let mut grew = false;
        for (&place, &write) in &other.0 {
            let Some(before) = self.0.get(&place).copied() else {
                self.0.insert(place, write);
                grew = true;
                continue;
            };
            let mut joined = before.join(write);
            if joined != before {
                if let Some(thresholds) = thresholds {
                    let (low, high) = write.width.range();
                    joined.range = joined.range.widened(before.range, thresholds).clamped(low.into(), high.into());
                }
                self.0.insert(place, joined);
                grew = true;
            }
        }
        grew
    }
}

/// What elements hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub range: Range,
    pub form: Form,
}

impl Held {
    fn join(self, other: Held) -> Held {
        let form = self.form.join(self.range, other.form, other.range);
        Held { range: self.range.join(other.range), form }
    }
}

/// Elements that are loaded, all of them within their memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Load {
    pub space: Space,
    pub width: Width,
    /// First and last element.
    pub first: i64,
    pub last: i64,
}

/// What the memories of a block can hold at any time.
pub(crate) struct Memories {
    /// What is written at all: what several classes of steps write to the same place, once.
    writes: Vec<Write>,
}

impl Memories {
    /// Memories to which so much is written.
    pub fn of(writes: &Writes) -> Memories {
        let mut all: Vec<Write> = Vec::new();
        for write in writes.0.values() {
            let same = |known: &&mut Write| {
                (known.space, known.width, known.first, known.last)
                    == (write.space, write.width, write.first, write.last)
            };
            match all.iter_mut().find(same) {
                Some(known) => *known = known.join(*write),
                None => all.push(*write),
            }
        }
        Memories { writes: all }
    }

    /// What these elements can hold.
    pub fn load(&self, of: &Context, load: Load) -> Held {
        let Load { space, width, first, last } = load;
        let any = Held { range: Range::of_width(width), form: Form::Plain };
        if space == Space::Event || last - first >= MOST_LOOKED_AT {
            return any;
        }
        let contents = &of.block.contents[space as usize];
        let mut held: Option<Held> = None;
        let mut hold = |more: Held| held = Some(held.map_or(more, |held| held.join(more)));
        for at in first..=last {
            hold(Held { range: Range::of(element(contents, width, at)), form: Form::Plain });
        }
        let bits = i64::from(width.bits());
        for write in self.writes.iter().filter(|write| write.space == space) {
            let of_write = i64::from(write.width.bits());
            if write.first * of_write >= (last + 1) * bits || (write.last + 1) * of_write <= first * bits {
                continue;
            }
            match write.width == width {
                true => hold(Held { range: write.range, form: write.form }),
                false => return any,
            }
        }
        held.unwrap_or(any)
    }
}

/// An element of what a memory holds at first (M1); what is not given is 0.
fn element(contents: &[u8], width: Width, at: i64) -> i64 {
    let byte = |at: i64| usize::try_from(at).ok().and_then(|at| contents.get(at)).copied().unwrap_or(0);
    match width {
        Width::W4 => {
            let nibble = i64::from(byte(at / 2) >> (4 * (at % 2)) & 15);
            if nibble < 8 { nibble } else { nibble - 16 }
        }
        Width::W8 => i64::from(byte(at) as i8),
        Width::W16 => i64::from(i16::from_le_bytes([byte(2 * at), byte(2 * at + 1)])),
        Width::W32 => i64::from(i32::from_le_bytes([0, 1, 2, 3].map(|part| byte(4 * at + part)))),
    }
}
