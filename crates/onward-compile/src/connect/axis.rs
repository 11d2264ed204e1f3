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
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    /// The first output.
    pub first: i64,
    /// The taps, those of the first output first.
    pub taps: Vec<u32>,
}

fn gcd(a: u32, b: u32) -> u32 {
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
    pub fn taps(&self, phase: u32) -> Vec<u32> {
        let stride = u64::from(self.stride);
        let reaches = |tap: &u32| u64::from(*tap) * u64::from(self.dilation) % stride == u64::from(phase);
        (0..self.kernel).rev().filter(reaches).collect()
    }

    /// What the input `at` reaches; `None` if nothing on the axis, or nothing in `of`.
    pub fn reach(&self, at: u32, of: &std::ops::Range<u32>) -> Option<Reach> {
        let taps = self.taps(self.phase(at));
        let output = |tap: u32| {
            (i64::from(at) + i64::from(self.padding) - i64::from(tap) * i64::from(self.dilation))
                / i64::from(self.stride)
        };
        let first = output(*taps.first()?);
        let in_range = |&tap: &u32| (i64::from(of.start)..i64::from(of.end)).contains(&output(tap));
        taps.iter().any(in_range).then_some(Reach { first, taps })
    }

    /// Outputs of a range that an input reaches.
    pub fn outputs(&self, at: u32, of: &std::ops::Range<u32>) -> u32 {
        self.reach(at, of).map_or(0, |reach| {
            let output = |tap: usize| reach.first + tap as i64 * i64::from(self.step());
            let in_range = |tap: &usize| (i64::from(of.start)..i64::from(of.end)).contains(&output(*tap));
            (0..reach.taps.len()).filter(in_range).count() as u32
        })
    }

    /// How far inputs of `0..inputs` that reach something in `of` reach beyond its ends.
    pub fn halo(&self, inputs: u32, of: &std::ops::Range<u32>) -> (u32, u32) {
        let mut halo = (0, 0);
        for reach in (0..inputs).filter_map(|at| self.reach(at, of)) {
            let last = reach.first + (reach.taps.len() as i64 - 1) * i64::from(self.step());
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
                    reach.taps.iter().enumerate().map(|(i, &tap)| (place(i), tap)).collect()
                });
                let inside: Vec<_> =
                    found.into_iter().filter(|(output, _)| (0..i64::from(outputs)).contains(output)).collect();
                assert_eq!(inside, expected, "{axis:?} at {at}");
            }
        }
    }
}
