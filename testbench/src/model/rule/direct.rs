//! Targets that reach a layer directly: a block compares the rates of its neurons, averaged over cells of a plane, with a row of
//! a table for each class.

use crate::model::Number;
use crate::model::feed::Connection;

/// A block's table, and the rates that are compared with it.
#[derive(Clone, Debug)]
pub struct Table<N> {
    /// By neuron of the block the entry that its rate counts for.
    pub entry: Vec<usize>,
    /// Rates of the last input window, by entry.
    pub rates: Vec<N>,
    /// `[class][entry]`.
    pub rows: Vec<Vec<N>>,
}

impl<N: Number> Table<N> {
    /// A table of zeros of a block whose members are these; `grid` is what the text says of a convolution.
    pub fn new(connection: &Connection, members: usize, grid: usize, classes: usize) -> Table<N> {
        let entry: Vec<usize> = match connection {
            Connection::Kernels(kernels) => {
                let [_, height, width] = kernels.output;
                let (channels, [down, across]) = (members / (height * width), [height.min(grid), width.min(grid)]);
                let cell = |at: usize, extent: usize, cells: usize| {
                    (0..cells).find(|cell| at < (cell + 1) * extent / cells).expect("cells cover the plane")
                };
                let of_member = |member: usize| {
                    let (place, channel) = (member / channels, member % channels);
                    let (y, x) = (cell(place / width, height, down), cell(place % width, width, across));
                    (y * across + x) * channels + channel
                };
                (0..members).map(of_member).collect()
            }
            Connection::Dense | Connection::Pairs(_) => (0..members).collect(),
        };
        let entries = entry.iter().max().map_or(0, |last| last + 1);
        Table { entry, rates: vec![N::default(); entries], rows: vec![vec![N::default(); entries]; classes] }
    }

    /// Notes the rates of a window of so many steps: of what each neuron evoked the mean over its cell, as a part of the
    /// window.
    pub fn note(&mut self, evoked: &[N], window: i64) {
        let mut sums = vec![(N::default(), 0u32); self.rates.len()];
        for (&entry, &count) in self.entry.iter().zip(evoked) {
            sums[entry] = (sums[entry].0 + count, sums[entry].1 + 1);
        }
        for (rate, (sum, places)) in self.rates.iter_mut().zip(sums) {
            *rate = sum.decayed(N::nearest(1.0 / (window as f64 * f64::from(places)), 26)).held(16);
        }
    }

    /// Entries in a row, of a convolution's cells those along its width: as many move by one draw.
    pub fn row_length(&self, connection: &Connection, grid: usize) -> usize {
        match connection {
            Connection::Kernels(kernels) => self.rates.len() / kernels.output[1].min(grid),
            Connection::Dense | Connection::Pairs(_) => self.rates.len(),
        }
    }
}
