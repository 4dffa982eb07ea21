//! An ordered map whose copies share their nodes.
//!
//! Cloning one copies a pointer. Changing a clone copies the nodes on the way to the change, as far as somebody else
//! still holds them, and nothing else: a snapshot costs nothing, and a unit of work costs what it touched.

use std::sync::Arc;
use std::{mem, slice};

/// The most entries of a node. Wide enough for a shallow tree, narrow enough to be copied for one change.
const WIDTH: usize = 64;

#[derive(Debug, Clone)]
enum Node<K, V> {
    /// Entries, ascending.
    Leaf(Vec<(K, V)>),
    /// Children, ascending, each with a key that none of its entries lies below and that all entries of the child before
    /// it lie below. The first child also takes what lies below its key.
    Inner(Vec<(K, Arc<Self>)>),
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Tree<K, V> {
    root: Arc<Node<K, V>>,
    len: usize,
}

// By hand: a derive would ask for keys and values that can be cloned and defaulted.
impl<K, V> Clone for Tree<K, V> {
    fn clone(&self) -> Self {
        Self { root: Arc::clone(&self.root), len: self.len }
    }
}

impl<K, V> Default for Tree<K, V> {
    fn default() -> Self {
        Self { root: Arc::new(Node::Leaf(Vec::new())), len: 0 }
    }
}

impl<K: Ord + Clone, V: Clone> Tree<K, V> {
    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        let mut node = &*self.root;
        loop {
            match node {
                Node::Leaf(entries) => {
                    let at = entries.binary_search_by(|(known, _)| known.cmp(key)).ok()?;
                    return entries.get(at).map(|(_, value)| value);
                }
                Node::Inner(children) => node = &children.get(child(children, key))?.1,
            }
        }
    }

    /// The value of a key, to be changed.
    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        // Looked up first, so that a miss copies nothing.
        self.get(key)?;
        let mut node = Arc::make_mut(&mut self.root);
        loop {
            match node {
                Node::Leaf(entries) => {
                    let at = entries.binary_search_by(|(known, _)| known.cmp(key)).ok()?;
                    return entries.get_mut(at).map(|(_, value)| value);
                }
                Node::Inner(children) => {
                    let at = child(children, key);
                    node = Arc::make_mut(&mut children.get_mut(at)?.1);
                }
            }
        }
    }

    /// The entry with the greatest key that is not above this one.
    pub(crate) fn floor(&self, key: &K) -> Option<(&K, &V)> {
        floor(&self.root, key)
    }

    /// Puts a value; gives back what the key had before.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        let (before, split) = insert(Arc::make_mut(&mut self.root), key, value);
        let len = self.len + usize::from(before.is_none());
        if let Some((first, right)) = split {
            let left = mem::take(self).root;
            let children = vec![(first.clone(), left), (first, right)];
            // The first child takes whatever lies below the second, so that its own key does not matter.
            self.root = Arc::new(Node::Inner(children));
        }
        self.len = len;
        before
    }

    /// Takes a key out. Nodes are not merged; one that becomes empty is dropped.
    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        self.get(key)?;
        let value = remove(Arc::make_mut(&mut self.root), key)?;
        self.len -= 1;
        loop {
            let only = match &*self.root {
                Node::Inner(children) if children.len() <= 1 => children.first().map(|(_, only)| Arc::clone(only)),
                Node::Inner(_) | Node::Leaf(_) => return Some(value),
            };
            self.root = only.unwrap_or_else(|| Arc::new(Node::Leaf(Vec::new())));
        }
    }

    /// All entries, ascending.
    pub(crate) fn iter(&self) -> Iter<'_, K, V> {
        let mut iter = Iter { stack: Vec::new(), leaf: [].iter() };
        iter.descend(&self.root);
        iter
    }

    /// The entries from this key on, ascending.
    pub(crate) fn starting_at(&self, key: &K) -> Iter<'_, K, V> {
        let mut iter = Iter { stack: Vec::new(), leaf: [].iter() };
        let mut node = &*self.root;
        loop {
            match node {
                Node::Leaf(entries) => {
                    let start = entries.partition_point(|(known, _)| known < key);
                    iter.leaf = entries.get(start..).unwrap_or_default().iter();
                    return iter;
                }
                Node::Inner(children) => {
                    let at = child(children, key);
                    iter.stack.push(children.get(at + 1..).unwrap_or_default().iter());
                    match children.get(at) {
                        Some((_, next)) => node = next,
                        None => return iter,
                    }
                }
            }
        }
    }

    /// Whether both are one and the same tree, node by node.
    #[cfg(test)]
    pub(crate) fn ptr_eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.root, &other.root)
    }
}

/// The place of the child to which a key belongs.
fn child<K: Ord, C>(children: &[(K, C)], key: &K) -> usize {
    children.partition_point(|(first, _)| first <= key).saturating_sub(1)
}

fn floor<'a, K: Ord, V>(node: &'a Node<K, V>, key: &K) -> Option<(&'a K, &'a V)> {
    match node {
        Node::Leaf(entries) => {
            let above = entries.partition_point(|(known, _)| known <= key);
            entries.get(above.checked_sub(1)?).map(|(key, value)| (key, value))
        }
        Node::Inner(children) => {
            // No child is empty, so that this looks into two at most.
            let behind = children.get(..=child(children, key))?;
            behind.iter().rev().find_map(|(_, child)| floor(child, key))
        }
    }
}

/// What came of an insertion: the value before, and the right half with its first key when the node was split.
type Inserted<K, V> = (Option<V>, Option<(K, Arc<Node<K, V>>)>);

fn insert<K: Ord + Clone, V: Clone>(node: &mut Node<K, V>, key: K, value: V) -> Inserted<K, V> {
    match node {
        Node::Leaf(entries) => match entries.binary_search_by(|(known, _)| known.cmp(&key)) {
            Ok(at) => (entries.get_mut(at).map(|(_, known)| mem::replace(known, value)), None),
            Err(at) => {
                entries.insert(at, (key, value));
                (None, split(entries, at).map(|(first, right)| (first, Arc::new(Node::Leaf(right)))))
            }
        },
        Node::Inner(children) => {
            let at = child(children, &key);
            let Some((_, next)) = children.get_mut(at) else { return (None, None) };
            let (before, right) = insert(Arc::make_mut(next), key, value);
            let Some(right) = right else { return (before, None) };
            children.insert(at + 1, right);
            (before, split(children, at + 1).map(|(first, right)| (first, Arc::new(Node::Inner(right)))))
        }
    }
}

/// The right part of a node that has grown too wide at this place. What grows at its end, as ascending keys do, is cut
/// there, and full nodes stay behind.
fn split<K: Clone, C>(entries: &mut Vec<(K, C)>, grown_at: usize) -> Option<(K, Vec<(K, C)>)> {
    if entries.len() <= WIDTH {
        return None;
    }
    let at = if grown_at + 1 == entries.len() { grown_at } else { entries.len() / 2 };
    let right = entries.split_off(at);
    right.first().map(|(first, _)| first.clone()).map(|first| (first, right))
}

fn remove<K: Ord + Clone, V: Clone>(node: &mut Node<K, V>, key: &K) -> Option<V> {
    match node {
        Node::Leaf(entries) => {
            let at = entries.binary_search_by(|(known, _)| known.cmp(key)).ok()?;
            Some(entries.remove(at).1)
        }
        Node::Inner(children) => {
            let at = child(children, key);
            let next = Arc::make_mut(&mut children.get_mut(at)?.1);
            let value = remove(next, key);
            let empty = match next {
                Node::Leaf(entries) => entries.is_empty(),
                Node::Inner(children) => children.is_empty(),
            };
            if empty {
                children.remove(at);
            }
            value
        }
    }
}

/// The children still to come of a node.
type Children<'a, K, V> = slice::Iter<'a, (K, Arc<Node<K, V>>)>;

/// Entries, ascending.
#[derive(Debug)]
pub(crate) struct Iter<'a, K, V> {
    /// One for each level.
    stack: Vec<Children<'a, K, V>>,
    leaf: slice::Iter<'a, (K, V)>,
}

impl<'a, K, V> Iter<'a, K, V> {
    /// Goes to the first leaf below.
    fn descend(&mut self, mut node: &'a Node<K, V>) {
        loop {
            match node {
                Node::Leaf(entries) => {
                    self.leaf = entries.iter();
                    return;
                }
                Node::Inner(children) => {
                    let mut children = children.iter();
                    let first = children.next();
                    self.stack.push(children);
                    match first {
                        Some((_, child)) => node = child,
                        None => return,
                    }
                }
            }
        }
    }
}

impl<'a, K, V> Iterator for Iter<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((key, value)) = self.leaf.next() {
                return Some((key, value));
            }
            match self.stack.last_mut()?.next() {
                Some((_, node)) => self.descend(node),
                None => {
                    self.stack.pop();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_the_map_that_the_standard_library_has(
            steps in prop::collection::vec((any::<bool>(), 0..400_u32, any::<u8>()), 0..1_500),
            probe in 0..400_u32,
        ) {
            let (mut tree, mut map) = (Tree::default(), BTreeMap::new());
            for (put, key, value) in steps {
                if put {
                    prop_assert_eq!(tree.insert(key, value), map.insert(key, value));
                } else {
                    prop_assert_eq!(tree.remove(&key), map.remove(&key));
                }
            }
            if let Some(value) = tree.get_mut(&probe) {
                *value = value.wrapping_add(1);
            }
            map.entry(probe).and_modify(|value| *value = value.wrapping_add(1));
            prop_assert_eq!(tree.len(), map.len());
            prop_assert!(tree.iter().eq(map.iter()));
            prop_assert!(tree.starting_at(&probe).eq(map.range(probe..)));
            prop_assert_eq!(tree.floor(&probe), map.range(..=probe).next_back());
            prop_assert_eq!(tree.get(&probe), map.get(&probe));
        }
    }

    #[test]
    fn a_copy_shares_all_nodes_that_were_not_changed() {
        let tree: Tree<u32, u32> = (0..100_000).fold(Tree::default(), |mut tree, key| {
            tree.insert(key, key);
            tree
        });
        let mut copy = tree.clone();
        assert!(copy.ptr_eq(&tree));
        copy.insert(50_000, 1);
        assert_eq!(tree.get(&50_000), Some(&50_000), "the original stands");
        let children = |tree: &Tree<u32, u32>| match &*tree.root {
            Node::Inner(children) => children.iter().map(|(_, child)| Arc::as_ptr(child)).collect::<Vec<_>>(),
            Node::Leaf(_) => Vec::new(),
        };
        let differing = children(&tree).iter().zip(children(&copy)).filter(|(left, right)| **left != *right).count();
        assert_eq!(differing, 1);
    }
}
