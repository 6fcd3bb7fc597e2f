//! The order of evaluation, or the cycles that forbid one.

use river_syntax::Diagnostic;

use super::Node;

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    New,
    /// On the path from the root of the search to here.
    Open,
    Done,
}

/// Indexes of the nodes, each after all that it refers to; among equals in the order of the text.
///
/// The search keeps its own stack: a chain of references may be as long as the file.
pub(super) fn dependencies_first(nodes: &[Node]) -> Result<Vec<usize>, Vec<Diagnostic>> {
    let mut marks = vec![Mark::New; nodes.len()];
    let mut order = Vec::with_capacity(nodes.len());
    let mut cycles = Vec::new();
    for root in 0..nodes.len() {
        if marks[root] != Mark::New {
            continue;
        }
        marks[root] = Mark::Open;
        let mut path = vec![(root, 0)];
        while let Some((node, next)) = path.last_mut() {
            let node = *node;
            match nodes[node].uses.get(*next).copied() {
                Some(used) => {
                    *next += 1;
                    match marks[used] {
                        Mark::New => {
                            marks[used] = Mark::Open;
                            path.push((used, 0));
                        }
                        Mark::Open => cycles.push(cycle(nodes, &path, used)),
                        Mark::Done => {}
                    }
                }
                None => {
                    marks[node] = Mark::Done;
                    order.push(node);
                    path.pop();
                }
            }
        }
    }
    if cycles.is_empty() { Ok(order) } else { Err(cycles) }
}

/// The cycle that the reference from the end of `path` back to `start` closes.
fn cycle(nodes: &[Node], path: &[(usize, usize)], start: usize) -> Diagnostic {
    let members: Vec<usize> = path
        .iter()
        .map(|(node, _)| *node)
        .skip_while(|node| *node != start)
        .collect();
    let ids: Vec<&str> = members.iter().map(|node| &*nodes[*node].id).collect();
    let mut diagnostic = Diagnostic::error(
        nodes[start].block.header,
        format!("cycle detected: {}", ids.join(", ")),
    )
    .note(format!(
        "each refers to the next, and the last to the first: {} -> {}",
        ids.join(" -> "),
        ids[0]
    ));
    for (member, next) in members.iter().zip(members.iter().cycle().skip(1)) {
        if let Some(reference) = nodes[*member]
            .block
            .references()
            .iter()
            .find(|reference| super::names::starts_with(&reference.text(), &nodes[*next].id))
        {
            diagnostic = diagnostic.label(
                reference.span(),
                format!("{} refers to {}", nodes[*member].id, nodes[*next].id),
            );
        }
    }
    diagnostic
}
