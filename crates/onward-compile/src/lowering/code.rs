//! What the code of all blocks is written with: where arrays lie, loops in strips, memory that is cleared.

use crate::layout::{Layout, strips};
use onward_isa::Special;
use onward_isa::builder::{Assembly, Constant, Elements, Label, Line, Scalar, Vector, ZERO};

/// The arrays of a block, by the names of their layout.
#[derive(Clone, Copy)]
pub(crate) struct Arrays<'a>(pub &'a Layout);

impl Arrays<'_> {
    /// Names the first element of each array in upper case.
    pub fn declare(self, a: &mut Assembly) {
        for symbol in &self.0.symbols {
            let elements = self.elements(&symbol.name);
            a.array(&symbol.name.to_uppercase(), elements, symbol.offset, symbol.rows, symbol.columns);
        }
    }

    /// The elements of an array: its memory and their width.
    pub fn elements(self, name: &str) -> Elements {
        let symbol = self.0.symbol(name).unwrap_or_else(|| panic!("no array `{name}` is laid out"));
        let (space, width) = symbol.space().zip(symbol.width()).expect("the layout made it of a memory and a width");
        Elements::new(space, width)
    }

    /// The first element of an array; 0 if there is none.
    pub fn offset(self, name: &str) -> i64 {
        self.0.symbol(name).map_or(0, |symbol| symbol.offset.into())
    }
}

/// A constant by its name.
fn constant(a: &Assembly, name: &str) -> Constant {
    a.find_constant(name).unwrap_or_else(|| panic!("no constant `{name}` is declared"))
}

/// Loads a constant, or where an array begins, by its name.
pub(crate) fn load_name<'a>(a: &'a mut Assembly, register: impl Into<Scalar>, name: &str) -> Line<'a> {
    let constant = constant(a, name);
    a.load_constant(register, &constant)
}

/// Goes on at `label` where what is asked of the machine is not 0.
pub(crate) fn branch_if<'a>(a: &'a mut Assembly, special: Special, label: &Label) -> Line<'a> {
    let number = &a.scratch();
    a.special(number, special);
    a.bne(number, ZERO, label)
}

/// Goes on at `label` where it is 0.
pub(crate) fn branch_unless<'a>(a: &'a mut Assembly, special: Special, label: &Label) -> Line<'a> {
    let number = &a.scratch();
    a.special(number, special);
    a.beq(number, ZERO, label)
}

/// Loads the number of a window's last step, `WINDOW - 1`.
pub(crate) fn load_last_step(a: &mut Assembly, register: impl Into<Scalar>) {
    let (window, register) = (constant(a, "WINDOW"), register.into());
    if i16::try_from(window.value() - 1).is_ok() {
        a.addi(register, ZERO, "WINDOW - 1");
    } else {
        a.load_constant(register, &window);
        a.addi(register, register, -1);
    }
}

/// `register = base + NAME`.
pub(crate) fn add_name<'a>(
    a: &'a mut Assembly,
    register: impl Into<Scalar>,
    base: impl Into<Scalar>,
    name: &str,
) -> Line<'a> {
    let (constant, register) = (constant(a, name), register.into());
    if i16::try_from(constant.value()).is_ok() {
        return a.addi(register, base, &constant);
    }
    let number = &a.scratch();
    a.load_constant(number, &constant);
    a.add(register, number, base)
}

/// Loads a word by its array's name.
pub(crate) fn load_word<'a>(a: &'a mut Assembly, arrays: Arrays, register: impl Into<Scalar>, name: &str) -> Line<'a> {
    let (register, elements) = (register.into(), arrays.elements(name));
    if (-0x800..0x800).contains(&arrays.offset(name)) {
        return a.ld(register, elements.at(ZERO, name.to_uppercase()));
    }
    load_name(a, register, &name.to_uppercase());
    a.ld(register, elements.at(register, 0))
}

/// Clears `count` elements from the one in `first` on, which moves behind the last whole strip; `zero` becomes 0.
pub(crate) fn clear_from(
    a: &mut Assembly,
    zero: impl Into<Vector>,
    elements: Elements,
    first: impl Into<Scalar>,
    count: u32,
    vector_length: u32,
    label: &str,
) {
    let (zero, first) = (zero.into(), first.into());
    let strip = vector_length.min(count).max(1);
    let (strips, rest) = (count / strip, count % strip);
    a.setvl(ZERO, strip);
    a.vmv(zero, ZERO);
    {
        let left = &a.scratch();
        a.load_number(left, strips as i32);
        a.repeat(left, label, |a| {
            a.vst(zero, elements.at(first, 0));
            a.advance(first, strip.into());
        });
    }
    if rest > 0 {
        a.setvl(ZERO, rest);
        a.vst(zero, elements.at(first, 0));
    }
}

/// Clears `count` elements of a memory from the element `first` on.
pub(crate) fn clear(a: &mut Assembly, elements: Elements, first: u32, count: u32, vector_length: u32, label: &str) {
    let strip = vector_length.min(count).max(1);
    let (strips, rest) = (count / strip, count % strip);
    let (zero, at) = (&a.scratch_vector(), &a.scratch());
    a.setvl(ZERO, strip);
    a.vmv(zero, ZERO);
    a.load_number(at, first as i32);
    let store = |a: &mut Assembly| {
        a.vst(zero, elements.at(at, 0));
        a.addi(at, at, strip);
    };
    if strips > 1 {
        let left = &a.scratch();
        a.load_number(left, strips as i32);
        a.repeat(left, label, store);
    } else {
        store(a);
    }
    if rest > 0 {
        a.setvl(ZERO, rest);
        a.vst(zero, elements.at(at, 0));
    }
}

/// A loop over `length` elements in strips: `body` finds the vector length set and the first element in the register.
pub(crate) fn in_strips(
    a: &mut Assembly,
    length: u32,
    vector_length: u32,
    end: &str,
    body: impl FnOnce(&mut Assembly, Scalar),
) {
    let (count, strip) = strips(length, vector_length);
    let even = count * strip == length;
    let at = &a.scratch();
    a.addi(at, ZERO, 0);
    a.setvl(ZERO, strip);
    if count == 1 {
        return body(a, at.operand());
    }
    let (step, left, counter) = (&a.scratch(), &a.scratch(), &a.scratch());
    a.addi(step, ZERO, strip);
    a.load_number(left, length as i32).note("what is left");
    a.load_number(counter, count as i32);
    a.repeat(counter, end, |a| {
        if !even {
            a.min(step, step, left);
            a.setvl(step, 0);
            a.sub(left, left, step);
        }
        body(a, at.operand());
        a.add(at, at, step);
    });
}
