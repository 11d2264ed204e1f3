//! One axis of a convolution, seen from an input: which outputs its spike reaches, by which taps of the kernel.

/// An axis: sizes, and how the kernel is laid over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Axis {
    /// Outputs along it.
    pub outputs: u32,
    /// Taps of the kernel.
    pub kernel: u32,
    pub stride: u32,
    pub padding: u32,
    pub dilation: u32,
}

/// The outputs that an input reaches. They lie `Axis::step` apart from the first on; some may lie beyond the edges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    /// The first output.
    pub first: i64,
    /// How many; as many taps of the input's phase.
    pub count: u32,
}

pub(super) fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl Axis {
    /// Outputs from one that a tap reaches to the next.
    pub fn step(&self) -> u32 {
        self.dilation / gcd(self.stride, self.dilation)
    }

    /// Inputs of one phase reach as many outputs, by the same taps.
    pub fn phase(&self, at: u32) -> u32 {
        (at + self.padding) % self.stride
    }

    /// The taps that inputs of a phase reach outputs by, the first output's first.
    pub fn taps(&self, phase: u32) -> impl DoubleEndedIterator<Item = u32> + Clone {
        let (stride, dilation) = (u64::from(self.stride), u64::from(self.dilation));
        (0..self.kernel).rev().filter(move |&tap| u64::from(tap) * dilation % stride == u64::from(phase))
    }

    /// What the input `at` reaches; `None` if nothing on the axis, or nothing in `of`.
    pub fn reach(&self, at: u32, of: &std::ops::Range<u32>) -> Option<Reach> {
        let mut taps = self.taps(self.phase(at));
        let from = i64::from(at) + i64::from(self.padding) - i64::from(taps.next()?) * i64::from(self.dilation);
        let reach = Reach { first: from / i64::from(self.stride), count: 1 + taps.count() as u32 };
        (self.within(reach, of) > 0).then_some(reach)
    }

    fn within(&self, reach: Reach, of: &std::ops::Range<u32>) -> u32 {
        let output = |number: &u32| reach.first + i64::from(*number) * i64::from(self.step());
        let is_in = |number: &u32| (i64::from(of.start)..i64::from(of.end)).contains(&output(number));
        (0..reach.count).filter(is_in).count() as u32
    }

    /// Outputs of a range that an input reaches.
    pub fn outputs(&self, at: u32, of: &std::ops::Range<u32>) -> u32 {
        self.reach(at, of).map_or(0, |reach| self.within(reach, of))
    }

    /// How far inputs of `0..inputs` that reach something in `of` reach beyond its ends.
    pub fn halo(&self, inputs: u32, of: &std::ops::Range<u32>) -> (u32, u32) {
        let mut halo = (0, 0);
        for reach in (0..inputs).filter_map(|at| self.reach(at, of)) {
            let last = reach.first + (i64::from(reach.count) - 1) * i64::from(self.step());
            halo.0 = halo.0.max(i64::from(of.start) - reach.first);
            halo.1 = halo.1.max(last + 1 - i64::from(of.end));
        }
        (halo.0 as u32, halo.1 as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By the formula that a convolution is defined by.
    #[test]
    fn reaches_are_those_of_the_definition() {
        for (kernel, stride, padding, dilation) in
            [(3, 1, 1, 1), (3, 2, 1, 1), (5, 3, 2, 2), (3, 2, 0, 3), (1, 2, 0, 1), (4, 4, 3, 6), (2, 3, 0, 1)]
        {
            let inputs = 19;
            let outputs = (inputs + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
            let axis = Axis { outputs, kernel, stride, padding, dilation };
            for at in 0..inputs {
                let mut expected = Vec::new();
                for output in 0..outputs {
                    for tap in 0..kernel {
                        if output * stride + tap * dilation == at + padding {
                            expected.push((i64::from(output), tap));
                        }
                    }
                }
                let found = axis.reach(at, &(0..outputs)).map_or(Vec::new(), |reach| {
                    let place = |i: usize| reach.first + i as i64 * i64::from(axis.step());
                    assert_eq!(axis.taps(axis.phase(at)).count(), reach.count as usize);
                    axis.taps(axis.phase(at)).enumerate().map(|(i, tap)| (place(i), tap)).collect()
                });
                let inside: Vec<_> =
                    found.into_iter().filter(|(output, _)| (0..i64::from(outputs)).contains(output)).collect();
                assert_eq!(inside, expected, "{axis:?} at {at}");
            }
        }
    }
}
