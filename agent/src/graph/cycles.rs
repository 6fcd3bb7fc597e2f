//! How a cycle is told: at each of its blocks, the first time with the whole way round.

use std::collections::{HashMap, VecDeque};

use river_syntax::Diagnostic;

use super::{Node, names};

/// How many members are named at each of them: a cycle may be as long as the file.
const NAMED: usize = 20;

/// One error for each of the `members`, which all refer to one another.
pub(super) fn describe(nodes: &[Node], members: &[usize]) -> Vec<Diagnostic> {
    let Some(&first) = members.first() else {
        return Vec::new();
    };
    let way = shortest(nodes, members, first);
    // A plain cycle is named along its references; of a tangle all members are, in the order of the text.
    let named = if way.len() == members.len() { &way } else { members };
    let shown = &named[..named.len().min(NAMED)];
    let more = match named.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let message = format!("cycle detected: {}{more}", ids(nodes, shown).join(", "));
    let error = |member: usize| Diagnostic::error(nodes[member].block.get().header(), message.clone());
    let mut told: Vec<Diagnostic> = members.iter().map(|member| error(*member)).collect();
    told[0] = with_way(nodes, &way, error(first));
    told
}

fn ids<'a>(nodes: &'a [Node], members: &[usize]) -> Vec<&'a str> {
    members.iter().map(|member| &*nodes[*member].id).collect()
}

/// The shortest way from `first` back to itself.
fn shortest(nodes: &[Node], members: &[usize], first: usize) -> Vec<usize> {
    let mut came_from = HashMap::new();
    let mut queue = VecDeque::from([first]);
    while let Some(node) = queue.pop_front() {
        for &used in &nodes[node].uses {
            if used == first {
                let mut way = vec![node];
                while let Some(before) = way.last().and_then(|node| came_from.get(node)) {
                    way.push(*before);
                }
                way.reverse();
                return way;
            }
            if members.binary_search(&used).is_ok() && !came_from.contains_key(&used) {
                came_from.insert(used, node);
                queue.push_back(used);
            }
        }
    }
    vec![first]
}

/// Adds the way and the references that it goes by.
fn with_way(nodes: &[Node], way: &[usize], error: Diagnostic) -> Diagnostic {
    let ids = ids(nodes, way);
    let mut error = error.note(format!(
        "each refers to the next, and the last to the first: {} -> {}",
        ids.join(" -> "),
        ids[0]
    ));
    for (member, next) in way.iter().zip(way.iter().cycle().skip(1)) {
        let references = nodes[*member].block.get().references();
        let reference = references
            .iter()
            .find(|reference| names::starts_with(&reference.text(), &nodes[*next].id));
        if let Some(reference) = reference {
            error = error.label(
                reference.span(),
                format!("{} refers to {}", nodes[*member].id, nodes[*next].id),
            );
        }
    }
    error
}
