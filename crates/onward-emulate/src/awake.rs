//! Which blocks have anything to do in a chunk: cores without events cost nothing.
//!
//! Blocks that run step by step together form a group; groups lie level by level, see [`schedule`](crate::schedule). A
//! group runs in a chunk if one of its blocks is awake or if an outlet that it reads holds packets. Who reads an outlet
//! is known, so only what sent something is ever looked at.

use std::ops::Range;

/// Number of a group, counted over all levels.
type GroupIndex = usize;

/// Groups and what they do in the present chunk.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    /// Places of the blocks of each group, rising.
    places: Vec<Range<usize>>,
    /// Whether paths lead from a group to itself.
    recurrent: Vec<bool>,
    /// Groups of each level.
    levels: Vec<Range<GroupIndex>>,
    /// By place of a block, its group.
    of_place: Vec<GroupIndex>,
    /// By outlet, the groups that read it.
    readers: Vec<Vec<u32>>,
    /// Whether a group runs in this chunk, or has run in the last one until a new one begins.
    runs: Vec<bool>,
    /// Those that do, by level.
    running: Vec<Vec<GroupIndex>>,
}

impl Groups {
    /// Adds a group of the level that was begun last.
    pub fn push(&mut self, places: Range<usize>, recurrent: bool) {
        let group = self.places.len();
        self.of_place.resize(places.end, group);
        self.places.push(places);
        self.recurrent.push(recurrent);
        self.runs.push(false);
        if let Some(level) = self.levels.last_mut() {
            level.end = group + 1;
        }
    }

    /// Begins a level.
    pub fn push_level(&mut self) {
        let first = self.places.len();
        self.levels.push(first..first);
        self.running.push(Vec::new());
    }

    /// Says that the block at a place reads an outlet.
    pub fn add_reader(&mut self, outlet: usize, place: usize) {
        if self.readers.len() <= outlet {
            self.readers.resize(outlet + 1, Vec::new());
        }
        let group = self.of_place[place] as u32;
        if !self.readers[outlet].contains(&group) {
            self.readers[outlet].push(group);
        }
    }

    /// Whether any block reads an outlet.
    pub fn has_readers(&self, outlet: usize) -> bool {
        self.readers.get(outlet).is_some_and(|readers| !readers.is_empty())
    }

    /// Levels.
    pub fn levels(&self) -> usize {
        self.levels.len()
    }

    /// Places of a group's blocks, and whether it is recurrent.
    pub fn group(&self, group: GroupIndex) -> (Range<usize>, bool) {
        (self.places[group].clone(), self.recurrent[group])
    }

    /// Lets a group run in this chunk.
    fn wake(&mut self, group: GroupIndex) {
        if !std::mem::replace(&mut self.runs[group], true) {
            let level = self.levels.partition_point(|level| level.end <= group);
            self.running[level].push(group);
        }
    }

    /// Lets those run that read an outlet.
    pub fn wake_readers(&mut self, outlet: usize) {
        for at in 0..self.readers.get(outlet).map_or(0, Vec::len) {
            self.wake(self.readers[outlet][at] as GroupIndex);
        }
    }

    /// Lets the group of a place run.
    pub fn wake_place(&mut self, place: usize) {
        self.wake(self.of_place[place]);
    }

    /// Ends the chunk; returns the groups that ran in it, rising within each level.
    pub fn end_chunk(&mut self) -> Vec<GroupIndex> {
        let mut ran = Vec::new();
        for level in &mut self.running {
            ran.append(level);
        }
        for &group in &ran {
            self.runs[group] = false;
        }
        ran
    }

    /// The groups of a level that run in this chunk, rising. All that feeds them must have run.
    pub fn running(&mut self, level: usize) -> &[GroupIndex] {
        self.running[level].sort_unstable();
        &self.running[level]
    }

    /// Places of all blocks that run or ran in this chunk.
    pub fn running_places(&self) -> impl Iterator<Item = usize> + '_ {
        self.running.iter().flatten().flat_map(|&group| self.places[group].clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_a_packet_runs_and_nothing_else() {
        let mut groups = Groups::default();
        groups.push_level();
        groups.push(0..1, false);
        groups.push(1..2, false);
        groups.push_level();
        groups.push(2..4, true);
        groups.push(4..5, false);
        groups.add_reader(7, 3);
        groups.add_reader(7, 4);
        groups.add_reader(7, 2);
        groups.wake_place(1);
        groups.wake_readers(7);
        groups.wake_readers(7);
        groups.wake_readers(100);
        assert_eq!(groups.running(0), [1]);
        assert_eq!(groups.running(1), [2, 3]);
        assert_eq!(groups.running_places().collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert_eq!(groups.end_chunk(), [1, 2, 3]);
        assert_eq!(groups.running(1), [0usize; 0]);
    }
}
