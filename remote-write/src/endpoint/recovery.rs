//! What an earlier run of the process was sending when it ended: the same requests again, before anything else of their lanes.
//!
//! Whether the receiver has them is not known. So each has the samples that it had, and no others.

use std::collections::HashMap;

use super::lanes::{Contents, lane_of};
use crate::queue::{Entry, Part, Position, Reader, Ticket, Unfinished};

/// Requests whose batches are being read.
#[derive(Debug)]
pub(super) struct Recovery {
    unfinished: Vec<Unfinished>,
    /// Where in `unfinished` each batch is.
    wanted: HashMap<Position, (usize, Part)>,
    /// All have been read that are before this.
    end: Position,
    /// What was read, in order.
    entries: Vec<Entry>,
}

/// A request to be sent again.
#[derive(Debug)]
pub(super) struct Resumed {
    pub(super) ticket: Ticket,
    pub(super) contents: Contents,
    pub(super) parts: Vec<(Entry, Part)>,
}

impl Recovery {
    /// `None` when there is nothing to recover.
    pub(super) fn of(unfinished: Vec<Unfinished>) -> Option<Self> {
        if unfinished.is_empty() {
            return None;
        }
        let parts = unfinished.iter().enumerate();
        let wanted: HashMap<Position, (usize, Part)> = parts
            .flat_map(|(nth, (_, parts))| parts.iter().map(move |part| (part.position, (nth, *part))))
            .collect();
        let end = wanted.keys().max().map_or(0, |last| last + 1);
        Some(Self {
            unfinished,
            wanted,
            end,
            entries: Vec::new(),
        })
    }

    /// Whether everything was read that can be.
    pub(super) fn is_complete(&self, reader: &dyn Reader) -> bool {
        reader.position() >= self.end
    }

    pub(super) fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// The requests; and what was read besides, the rest of their batches included. A batch that is not there any more is missing from
    /// its request.
    pub(super) fn finish(self) -> (Vec<Resumed>, Vec<Entry>) {
        let mut resumed: Vec<Resumed> = self
            .unfinished
            .into_iter()
            .map(|(ticket, _)| Resumed {
                ticket,
                contents: Contents::default(),
                parts: Vec::new(),
            })
            .collect();
        let mut rest = Vec::new();
        for mut entry in self.entries {
            let Some((nth, part)) = self.wanted.get(&entry.position) else {
                rest.push(entry);
                continue;
            };
            let request = &mut resumed[*nth];
            let lane = lane_of(entry.batch.layout());
            if !request.contents.lanes.contains(&lane) {
                request.contents.lanes.push(lane);
            }
            request.contents.queued = request.contents.queued.max(entry.queued);
            request.contents.parts.push(*part);
            request.parts.push((entry.clone(), *part));
            if let Some(to) = part.to {
                entry.from = to;
                rest.push(entry);
            }
        }
        (resumed, rest)
    }
}
