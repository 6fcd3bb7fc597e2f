//! The order of evaluation, and the cycles that have none.
//!
//! Tarjan's algorithm: strongly connected components come out with what they refer to first, so one pass gives the
//! order and the cycles. The search keeps its own stack: a chain of references may be as long as the file.

use super::Node;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    /// Indexes of all nodes, each after what it refers to as far as there is no cycle; among equals in the order of
    /// the text.
    pub(super) order: Vec<usize>,
    /// Nodes that refer to one another, each set in the order of the text.
    pub(super) cycles: Vec<Vec<usize>>,
}

const UNSEEN: usize = usize::MAX;

pub(super) fn dependencies_first(nodes: &[Node]) -> Sorted {
    let mut search = Search {
        nodes,
        seen: vec![UNSEEN; nodes.len()],
        low: vec![0; nodes.len()],
        open: vec![false; nodes.len()],
        stack: Vec::new(),
        next: 0,
        sorted: Sorted::default(),
    };
    for root in 0..nodes.len() {
        if search.seen[root] == UNSEEN {
            search.from(root);
        }
    }
    search.sorted
}

struct Search<'a> {
    nodes: &'a [Node],
    /// When a node was first seen.
    seen: Vec<usize>,
    /// The earliest seen node that is known to be reachable from a node within its component.
    low: Vec<usize>,
    /// Whether a node is on the stack of those without a component yet.
    open: Vec<bool>,
    stack: Vec<usize>,
    next: usize,
    sorted: Sorted,
}

impl Search<'_> {
    fn from(&mut self, root: usize) {
        let mut path = vec![(root, 0)];
        self.enter(root);
        while let Some((node, next)) = path.last_mut() {
            let node = *node;
            if let Some(&used) = self.nodes[node].uses.get(*next) {
                *next += 1;
                if self.seen[used] == UNSEEN {
                    self.enter(used);
                    path.push((used, 0));
                } else if self.open[used] {
                    self.low[node] = self.low[node].min(self.seen[used]);
                }
                continue;
            }
            path.pop();
            if let Some((user, _)) = path.last() {
                self.low[*user] = self.low[*user].min(self.low[node]);
            }
            if self.low[node] == self.seen[node] {
                self.close(node);
            }
        }
    }

    fn enter(&mut self, node: usize) {
        self.seen[node] = self.next;
        self.low[node] = self.next;
        self.next += 1;
        self.open[node] = true;
        self.stack.push(node);
    }

    /// Takes the component whose first node is `root` from the stack.
    fn close(&mut self, root: usize) {
        let start = self
            .stack
            .iter()
            .rposition(|node| *node == root)
            .unwrap_or_default();
        let mut members = self.stack.split_off(start);
        for &member in &members {
            self.open[member] = false;
        }
        self.sorted.order.extend(&members);
        if members.len() > 1 {
            members.sort_unstable();
            self.sorted.cycles.push(members);
        }
    }
}
