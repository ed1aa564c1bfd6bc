//! `THREAD REFERENCES` (RFC 5256 section 3): the tree of a set of messages.
//!
//! The tree lies in one list and points by places in it, so neither depth nor breadth costs stack. A message is linked
//! at most a thousand levels deep; no link that would close a circle is made.

use super::subject::BaseSubject;
use std::collections::HashMap;

/// Deepest level at which a message is linked. Walking up stops there, so hostile references cost linear time.
const DEEPEST: usize = 1000;

/// What is known of a message for threading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Threading {
    /// Its Message-ID without angle brackets; `None` where it has none.
    pub message_id: Option<String>,
    /// The ids of `References`, or the first one of `In-Reply-To` where there are none.
    pub references: Vec<String>,
    /// Its sent date, in seconds since 1970 (RFC 5256 section 2.2: INTERNALDATE where `Date` cannot be read).
    pub sent: i64,
    /// Its base subject.
    pub subject: BaseSubject,
}

/// A node of the forest, in the order of the answer: parents before children, siblings by date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threaded {
    /// The message, by its place in the input; `None` for one that is not there and whose children hang together.
    pub message: Option<usize>,
    /// How deep: 0 for the first of a thread.
    pub depth: usize,
}

/// Threads messages. They are linked in the order given, which should be that of their UIDs.
#[must_use]
pub fn references(messages: &[Threading]) -> Vec<Threaded> {
    let mut forest = Forest { messages, nodes: Vec::new() };
    forest.link();
    let mut roots = forest.pruned();
    forest.sort(&mut roots);
    let mut roots = forest.grouped(roots);
    forest.sort_all(&mut roots);
    forest.listed(roots)
}

#[derive(Default)]
struct Node {
    message: Option<usize>,
    parent: Option<usize>,
    children: Vec<usize>,
}

struct Forest<'a> {
    messages: &'a [Threading],
    nodes: Vec<Node>,
}

impl Forest<'_> {
    fn node(&self, at: usize) -> Option<&Node> {
        self.nodes.get(at)
    }

    fn add(&mut self, message: Option<usize>) -> usize {
        self.nodes.push(Node { message, ..Node::default() });
        self.nodes.len() - 1
    }

    /// Step 1. Of equal Message-IDs the first message has it, the others have none.
    fn link(&mut self) {
        let messages = self.messages;
        let mut by_id: HashMap<&str, usize> = HashMap::new();
        for (number, message) in messages.iter().enumerate() {
            let own = match message.message_id.as_deref() {
                None => self.add(Some(number)),
                Some(id) => {
                    let at = *by_id.entry(id).or_insert_with(|| self.add(None));
                    match self.nodes.get_mut(at).filter(|node| node.message.is_none()) {
                        Some(node) => {
                            node.message = Some(number);
                            at
                        }
                        None => self.add(Some(number)),
                    }
                }
            };
            let mut last = None;
            for id in &message.references {
                let at = *by_id.entry(id).or_insert_with(|| self.add(None));
                if let Some(parent) = last
                    && self.node(at).is_some_and(|node| node.parent.is_none())
                {
                    self.set_parent(at, parent);
                }
                last = Some(at);
            }
            // A message's own references count for more than what others said of it.
            if let Some(parent) = last.filter(|parent| self.can_link(own, *parent)) {
                self.cut(own);
                self.set_parent(own, parent);
            }
        }
    }

    fn set_parent(&mut self, child: usize, parent: usize) {
        if self.can_link(child, parent)
            && let Some(node) = self.nodes.get_mut(child)
        {
            node.parent = Some(parent);
        }
    }

    fn cut(&mut self, child: usize) {
        if let Some(node) = self.nodes.get_mut(child) {
            node.parent = None;
        }
    }

    /// Whether `child` is not `parent` itself nor anything above it.
    fn can_link(&self, child: usize, parent: usize) -> bool {
        let mut above = Some(parent);
        for _ in 0..DEEPEST {
            match above {
                None => return true,
                Some(at) if at == child => return false,
                Some(at) => above = self.node(at).and_then(|node| node.parent),
            }
        }
        false
    }

    /// Steps 2 and 3: children from parents, then no node without a message but those at the top with several children.
    fn pruned(&mut self) -> Vec<usize> {
        let parents: Vec<Option<usize>> = self.nodes.iter().map(|node| node.parent).collect();
        let mut roots = Vec::new();
        for (at, parent) in parents.into_iter().enumerate() {
            match parent.and_then(|parent| self.nodes.get_mut(parent)) {
                Some(parent) => parent.children.push(at),
                None => roots.push(at),
            }
        }
        // From the leaves up: the order of a walk down, backwards.
        for at in self.walk(&roots).into_iter().rev() {
            let children = self.node(at).map(|node| node.children.clone()).unwrap_or_default();
            let children = children.into_iter().flat_map(|child| self.promoted(child)).collect();
            if let Some(node) = self.nodes.get_mut(at) {
                node.children = children;
            }
        }
        roots
            .into_iter()
            .flat_map(|root| match self.node(root) {
                Some(node) if node.message.is_none() && node.children.len() < 2 => node.children.clone(),
                _ => vec![root],
            })
            .collect()
    }

    /// What stands in the place of a child: itself, or its children where it has no message.
    fn promoted(&self, child: usize) -> Vec<usize> {
        match self.node(child) {
            Some(node) if node.message.is_none() => node.children.clone(),
            _ => vec![child],
        }
    }

    /// All nodes below, parents first.
    fn walk(&self, roots: &[usize]) -> Vec<usize> {
        let mut stack: Vec<usize> = roots.iter().rev().copied().collect();
        let mut out = Vec::with_capacity(self.nodes.len());
        while let Some(at) = stack.pop() {
            out.push(at);
            stack.extend(self.node(at).into_iter().flat_map(|node| node.children.iter().rev()));
        }
        out
    }

    /// By sent date, then in the order of the input. A node without message has that of its first child.
    fn key(&self, at: usize) -> (i64, usize) {
        let first = |node: &Node| node.children.iter().filter_map(|child| self.node(*child)?.message).next();
        let message = self.node(at).and_then(|node| node.message.or_else(|| first(node))).unwrap_or_default();
        (self.messages.get(message).map_or(0, |message| message.sent), message)
    }

    /// Step 4: the top level, after the children of nodes without message.
    fn sort(&mut self, roots: &mut [usize]) {
        for root in roots.iter() {
            if self.node(*root).is_some_and(|node| node.message.is_none()) {
                self.sort_children(*root);
            }
        }
        roots.sort_by_key(|at| self.key(*at));
    }

    /// Step 6.
    fn sort_all(&mut self, roots: &mut [usize]) {
        for at in self.walk(roots).into_iter().rev() {
            self.sort_children(at);
        }
        roots.sort_by_key(|at| self.key(*at));
    }

    fn sort_children(&mut self, at: usize) {
        let Some(node) = self.nodes.get_mut(at) else { return };
        let mut children = std::mem::take(&mut node.children);
        children.sort_by_key(|child| self.key(*child));
        if let Some(node) = self.nodes.get_mut(at) {
            node.children = children;
        }
    }

    fn subject(&self, root: usize) -> Option<&BaseSubject> {
        let node = self.node(root)?;
        let message = node.message.or_else(|| node.children.first().and_then(|child| self.node(*child)?.message))?;
        self.messages.get(message).map(|message| &message.subject).filter(|subject| !subject.text.is_empty())
    }

    fn is_dummy(&self, at: usize) -> bool {
        self.node(at).is_some_and(|node| node.message.is_none())
    }

    fn is_reply(&self, at: usize) -> bool {
        !self.is_dummy(at) && self.subject(at).is_some_and(|subject| subject.is_reply)
    }

    /// Step 5: threads of one base subject become one.
    fn grouped(&mut self, roots: Vec<usize>) -> Vec<usize> {
        let mut table: HashMap<String, usize> = HashMap::new();
        for root in &roots {
            let Some(subject) = self.subject(*root).map(|subject| subject.text.clone()) else { continue };
            let kept = *table.entry(subject.clone()).or_insert(*root);
            let is_better =
                self.is_dummy(*root) && !self.is_dummy(kept) || self.is_reply(kept) && !self.is_reply(*root);
            if is_better {
                table.insert(subject, *root);
            }
        }
        let mut left = Vec::new();
        let mut taken = vec![false; self.nodes.len()];
        for root in roots {
            let subject = self.subject(root).map(|subject| subject.text.clone());
            let kept = subject.as_ref().and_then(|subject| table.get(subject).copied());
            match (subject, kept) {
                (Some(subject), Some(kept)) if kept != root => {
                    let (home, is_new) = self.joined(root, kept);
                    taken.resize(self.nodes.len(), false);
                    mark(&mut taken, root);
                    if is_new {
                        mark(&mut taken, kept);
                        left.push(home);
                        table.insert(subject, home);
                    }
                }
                _ => left.push(root),
            }
        }
        left.retain(|root| taken.get(*root) != Some(&true));
        left
    }

    /// Puts the thread `root` to the thread `kept`; where both are now, and whether that is a new node.
    fn joined(&mut self, root: usize, kept: usize) -> (usize, bool) {
        match (self.is_dummy(root), self.is_dummy(kept)) {
            (true, true) => {
                let children = self.nodes.get_mut(root).map(|node| std::mem::take(&mut node.children));
                self.adopt(kept, children.unwrap_or_default());
                (kept, false)
            }
            (false, true) => {
                self.adopt(kept, vec![root]);
                (kept, false)
            }
            _ if self.is_reply(root) && !self.is_reply(kept) => {
                self.adopt(kept, vec![root]);
                (kept, false)
            }
            _ => {
                let home = self.add(None);
                self.adopt(home, vec![kept, root]);
                (home, true)
            }
        }
    }

    fn adopt(&mut self, parent: usize, children: Vec<usize>) {
        if let Some(node) = self.nodes.get_mut(parent) {
            node.children.extend(children);
        }
    }

    fn listed(&self, roots: Vec<usize>) -> Vec<Threaded> {
        let mut stack: Vec<(usize, usize)> = roots.into_iter().rev().map(|root| (root, 0)).collect();
        let mut out = Vec::with_capacity(self.nodes.len());
        while let Some((at, depth)) = stack.pop() {
            let Some(node) = self.node(at) else { continue };
            out.push(Threaded { message: node.message, depth });
            stack.extend(node.children.iter().rev().map(|child| (*child, depth + 1)));
        }
        out
    }
}

fn mark(taken: &mut [bool], at: usize) {
    if let Some(slot) = taken.get_mut(at) {
        *slot = true;
    }
}

#[cfg(test)]
mod tests;
