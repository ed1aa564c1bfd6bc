//! A forest as `THREAD` answers it (RFC 5256 section 4).

use super::references::Threaded;
use std::fmt::Write as _;

/// Writes a forest: `(2)(3 6 (4 23)(44 7 96))`. `number` gives a message's UID or sequence number for its place in the
/// input.
///
/// ```
/// use mailtide::message::{Threaded, thread_text};
///
/// let node = |message, depth| Threaded { message, depth };
/// let nodes = [node(Some(0), 0), node(None, 0), node(Some(1), 1), node(Some(2), 1), node(Some(3), 2)];
/// assert_eq!(thread_text(&nodes, |place| place as u32 + 10), "(10)((11)(12 13))");
/// ```
#[must_use]
pub fn thread_text(nodes: &[Threaded], number: impl Fn(usize) -> u32) -> String {
    let children = children(nodes);
    let mut out = String::new();
    // Whether each node on the way down was put in parentheses of its own.
    let mut open: Vec<bool> = Vec::new();
    for (at, node) in nodes.iter().enumerate() {
        close(&mut open, node.depth, &mut out);
        let is_alone = node.depth > 0 && parent_of(nodes, at).and_then(|parent| children.get(parent)) == Some(&1);
        if !is_alone {
            // A space parts a message from its first branch.
            if out.ends_with(|c: char| c.is_ascii_digit()) {
                out.push(' ');
            }
            out.push('(');
        }
        open.push(!is_alone);
        if let Some(message) = node.message {
            let gap = if out.ends_with('(') { "" } else { " " };
            let _ = write!(out, "{gap}{}", number(message));
        }
    }
    close(&mut open, 0, &mut out);
    out
}

fn close(open: &mut Vec<bool>, depth: usize, out: &mut String) {
    while open.len() > depth {
        if open.pop() == Some(true) {
            out.push(')');
        }
    }
}

/// How many children each node has.
fn children(nodes: &[Threaded]) -> Vec<usize> {
    let mut counts = vec![0; nodes.len()];
    let mut path: Vec<usize> = Vec::new();
    for (at, node) in nodes.iter().enumerate() {
        path.truncate(node.depth);
        if let Some(count) = path.last().and_then(|parent| counts.get_mut(*parent)) {
            *count += 1;
        }
        path.push(at);
    }
    counts
}

/// The nearest node before that is less deep: only asked where the parent stands right before, or has several children.
fn parent_of(nodes: &[Threaded], at: usize) -> Option<usize> {
    let before = at.checked_sub(1)?;
    let (node, previous) = (nodes.get(at)?, nodes.get(before)?);
    // A later sibling is not alone, whoever its parent is.
    (previous.depth < node.depth).then_some(before)
}
