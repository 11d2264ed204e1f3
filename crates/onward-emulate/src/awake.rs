//! Which blocks have anything to do in a chunk: cores without events cost nothing.
//!
//! Blocks that run step by step together form a group; groups lie level by level, see [`schedule`](crate::schedule). A
//! group runs in a chunk if one of its blocks is awake or if an outlet that it reads holds packets. Who reads an outlet
//! is known, so only what sent something is ever looked at.

use crate::index::{OutletIndex, Place};
use onward_image::{index_type, indices};
use std::ops::Range;
use typed_index_collections::TiVec;

index_type! {
    /// A group, counted over all levels.
    pub(crate) struct GroupIndex
}

index_type! {
    /// A level: its groups do not depend on each other, only on those of lower levels.
    pub(crate) struct LevelIndex
}

/// Groups and what they do in the present chunk.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    /// Places of the blocks of each group, rising.
    places: TiVec<GroupIndex, Range<Place>>,
    /// Whether paths lead from a group to itself.
    recurrent: TiVec<GroupIndex, bool>,
    /// Groups of each level.
    levels: TiVec<LevelIndex, Range<GroupIndex>>,
    /// By place of a block, its group.
    of_place: TiVec<Place, GroupIndex>,
    /// By outlet, the groups that read it.
    readers: TiVec<OutletIndex, Vec<GroupIndex>>,
    /// Whether a group runs in this chunk, or has run in the last one until a new one begins.
    runs: TiVec<GroupIndex, bool>,
    /// Those that do, by level.
    running: TiVec<LevelIndex, Vec<GroupIndex>>,
}

impl Groups {
    /// Adds a group of the level that was begun last.
    pub fn push(&mut self, places: Range<Place>, recurrent: bool) {
        let group = self.places.next_key();
        self.of_place.resize(places.end.into(), group);
        self.places.push(places);
        self.recurrent.push(recurrent);
        self.runs.push(false);
        if let Some(level) = self.levels.last_mut() {
            level.end = self.places.next_key();
        }
    }

    /// Begins a level.
    pub fn push_level(&mut self) {
        let first = self.places.next_key();
        self.levels.push(first..first);
        self.running.push(Vec::new());
    }

    /// Says that the block at a place reads an outlet.
    pub fn add_reader(&mut self, outlet: OutletIndex, place: Place) {
        if self.readers.next_key() <= outlet {
            self.readers.resize(usize::from(outlet) + 1, Vec::new());
        }
        let group = self.of_place[place];
        if !self.readers[outlet].contains(&group) {
            self.readers[outlet].push(group);
        }
    }

    /// Whether any block reads an outlet.
    pub fn has_readers(&self, outlet: OutletIndex) -> bool {
        self.readers.get(outlet).is_some_and(|readers| !readers.is_empty())
    }

    /// Levels, in the order they run.
    pub fn levels(&self) -> impl Iterator<Item = LevelIndex> + use<> {
        indices(LevelIndex::default()..self.levels.next_key())
    }

    /// Places of a group's blocks, and whether it is recurrent.
    pub fn group(&self, group: GroupIndex) -> (Range<Place>, bool) {
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
    pub fn wake_readers(&mut self, outlet: OutletIndex) {
        for at in 0..self.readers.get(outlet).map_or(0, Vec::len) {
            self.wake(self.readers[outlet][at]);
        }
    }

    /// Lets the group of a place run.
    pub fn wake_place(&mut self, place: Place) {
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
    pub fn running(&mut self, level: LevelIndex) -> &[GroupIndex] {
        self.running[level].sort_unstable();
        &self.running[level]
    }

    /// Places of all blocks that run or ran in this chunk.
    pub fn running_places(&self) -> impl Iterator<Item = Place> + '_ {
        self.running.iter().flatten().flat_map(|&group| indices(self.places[group].clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_a_packet_runs_and_nothing_else() {
        let (outlet, place) = (OutletIndex::from(7_u32), |at: u32| Place::from(at));
        let group = |at: u32| GroupIndex::from(at);
        let mut groups = Groups::default();
        groups.push_level();
        groups.push(place(0)..place(1), false);
        groups.push(place(1)..place(2), false);
        groups.push_level();
        groups.push(place(2)..place(4), true);
        groups.push(place(4)..place(5), false);
        groups.add_reader(outlet, place(3));
        groups.add_reader(outlet, place(4));
        groups.add_reader(outlet, place(2));
        groups.wake_place(place(1));
        groups.wake_readers(outlet);
        groups.wake_readers(outlet);
        groups.wake_readers(OutletIndex::from(100_u32));
        let levels: Vec<_> = groups.levels().collect();
        assert_eq!(groups.running(levels[0]), [group(1)]);
        assert_eq!(groups.running(levels[1]), [group(2), group(3)]);
        assert_eq!(groups.running_places().collect::<Vec<_>>(), [1, 2, 3, 4_u32].map(place));
        assert_eq!(groups.end_chunk(), [group(1), group(2), group(3)]);
        assert!(groups.running(levels[1]).is_empty());
    }
}
