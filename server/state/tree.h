// A persistent ordered set of values: copying is O(1), a changed copy shares all untouched nodes with the original.
//
// B+ tree of shared nodes. A node that only this tree refers to is changed in place, so a batch of changes copies each path
// once. One thread changes a given Tree object; other threads may read and drop their own copies meanwhile.
// `KeyOf` has a type Key (ordered by <) and gives the key of a value; the key may point into the value.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace drover::state {

template <class T, class KeyOf>
class Tree {
 public:
  using Key = typename KeyOf::Key;
  using KeyOfType = KeyOf;

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

  // The value of a key, null when absent. Valid until this Tree changes.
  [[nodiscard]] const T* find(const Key& key) const {
    const Node* node = root_.get();
    while (node != nullptr && !node->children.empty()) node = node->children[child_for(*node, key)].get();
    if (node == nullptr) return nullptr;
    const std::size_t at = lower_bound(*node, key);
    return at < node->items.size() && !(key < KeyOf{}(node->items[at])) ? &node->items[at] : nullptr;
  }

  // Visits values from the first one not before `from`, in order, until the visitor returns false.
  template <class F>
  void scan(const Key& from, F&& visit) const { if (root_) scan_node(*root_, &from, visit); }
  template <class F>
  void scan(F&& visit) const { if (root_) scan_node(*root_, nullptr, visit); }
  // The same backwards, from the last value not after `from`.
  template <class F>
  void scan_back(const Key& from, F&& visit) const { if (root_) scan_back_node(*root_, &from, visit); }

  // Visits (old value, new value) of every key whose value is another one than in an earlier version of this tree; an absent
  // one is T(). What both versions share is passed over unseen. T is a pointer.
  template <class F>
  void differences_from(const Tree& earlier, F&& visit) const;

  // Adds a value or replaces the one with its key.
  void put(T value) {
    if (!root_) root_ = std::make_shared<Node>();
    Ref split;
    if (insert(root_, std::move(value), split)) ++size_;
    if (!split) return;
    auto top = std::make_shared<Node>();
    top->items = {root_->items.front(), split->items.front()};
    top->children = {std::move(root_), std::move(split)};
    root_ = std::move(top);
  }
  // False when there is none.
  bool erase(const Key& key) {
    if (find(key) == nullptr) return false;
    remove(root_, key);
    --size_;
    while (root_ && root_->children.size() == 1) { Ref only = root_->children.front(); root_ = std::move(only); }
    if (root_ && root_->items.empty()) root_.reset();
    return true;
  }

 private:
  static constexpr std::size_t max_items = 32;
  struct Node;
  using Ref = std::shared_ptr<Node>;
  // A leaf has values; an inner node has children and the first value of each.
  struct Node {
    std::vector<T> items;
    std::vector<Ref> children;
  };

  static std::size_t lower_bound(const Node& node, const Key& key) {
    const auto at = std::lower_bound(node.items.begin(), node.items.end(), key,
                                     [](const T& item, const Key& k) { return KeyOf{}(item) < k; });
    return static_cast<std::size_t>(at - node.items.begin());
  }
  // The child that holds `key` if any does.
  static std::size_t child_for(const Node& node, const Key& key) {
    const std::size_t at = lower_bound(node, key);
    if (at < node.items.size() && !(key < KeyOf{}(node.items[at]))) return at;
    return at == 0 ? 0 : at - 1;
  }
  static void own(Ref& ref) {
    if (ref.use_count() != 1) ref = std::make_shared<Node>(*ref);
    else std::atomic_thread_fence(std::memory_order_acquire);  // pairs with the release of the last other owner
  }

  static bool insert(Ref& ref, T value, Ref& split) {
    own(ref);
    Node& node = *ref;
    bool added = true;
    bool at_end = false;
    if (node.children.empty()) {
      const Key key = KeyOf{}(value);
      const std::size_t at = lower_bound(node, key);
      if (at < node.items.size() && !(key < KeyOf{}(node.items[at]))) {
        node.items[at] = std::move(value);
        return false;
      }
      at_end = at == node.items.size();
      node.items.insert(node.items.begin() + static_cast<std::ptrdiff_t>(at), std::move(value));
    } else {
      const std::size_t at = child_for(node, KeyOf{}(value));
      Ref child_split;
      added = insert(node.children[at], std::move(value), child_split);
      node.items[at] = node.children[at]->items.front();
      if (!child_split) return added;
      at_end = at + 1 == node.items.size();
      const auto next = static_cast<std::ptrdiff_t>(at) + 1;
      node.items.insert(node.items.begin() + next, child_split->items.front());
      node.children.insert(node.children.begin() + next, std::move(child_split));
    }
    if (node.items.size() <= max_items) return added;
    // Ascending inserts leave full nodes behind instead of half full ones.
    const auto cut = static_cast<std::ptrdiff_t>(at_end ? node.items.size() - 1 : node.items.size() / 2);
    split = std::make_shared<Node>();
    split->items.assign(std::make_move_iterator(node.items.begin() + cut), std::make_move_iterator(node.items.end()));
    node.items.erase(node.items.begin() + cut, node.items.end());
    if (!node.children.empty()) {
      split->children.assign(std::make_move_iterator(node.children.begin() + cut), std::make_move_iterator(node.children.end()));
      node.children.erase(node.children.begin() + cut, node.children.end());
    }
    return added;
  }

  // The key is present below `ref`.
  static void remove(Ref& ref, const Key& key) {
    own(ref);
    Node& node = *ref;
    if (node.children.empty()) {
      node.items.erase(node.items.begin() + static_cast<std::ptrdiff_t>(lower_bound(node, key)));
      return;
    }
    const std::size_t at = child_for(node, key);
    remove(node.children[at], key);
    if (node.children[at]->items.empty()) {
      drop_child(node, at);
      return;
    }
    node.items[at] = node.children[at]->items.front();
    const std::size_t left = at > 0 ? at - 1 : at;
    if (left + 1 >= node.children.size()) return;
    if (node.children[left]->items.size() + node.children[left + 1]->items.size() > max_items / 2) return;
    own(node.children[left]);
    Node& into = *node.children[left];
    const Node& from = *node.children[left + 1];
    into.items.insert(into.items.end(), from.items.begin(), from.items.end());
    into.children.insert(into.children.end(), from.children.begin(), from.children.end());
    drop_child(node, left + 1);
  }
  static void drop_child(Node& node, std::size_t at) {
    node.items.erase(node.items.begin() + static_cast<std::ptrdiff_t>(at));
    node.children.erase(node.children.begin() + static_cast<std::ptrdiff_t>(at));
  }

  template <class F>
  static bool scan_node(const Node& node, const Key* from, F& visit) {
    if (node.children.empty()) {
      for (std::size_t at = from != nullptr ? lower_bound(node, *from) : 0; at < node.items.size(); ++at) {
        if (!visit(node.items[at])) return false;
      }
      return true;
    }
    std::size_t at = from != nullptr ? child_for(node, *from) : 0;
    if (!scan_node(*node.children[at], from, visit)) return false;
    for (++at; at < node.children.size(); ++at) {
      if (!scan_node(*node.children[at], nullptr, visit)) return false;
    }
    return true;
  }
  template <class F>
  static bool scan_back_node(const Node& node, const Key* from, F& visit) {
    if (node.children.empty()) {
      for (std::size_t at = node.items.size(); at-- > 0;) {
        if (from != nullptr && *from < KeyOf{}(node.items[at])) continue;
        if (!visit(node.items[at])) return false;
      }
      return true;
    }
    std::size_t at = from != nullptr ? child_for(node, *from) : node.children.size() - 1;
    if (!scan_back_node(*node.children[at], from, visit)) return false;
    while (at-- > 0) {
      if (!scan_back_node(*node.children[at], nullptr, visit)) return false;
    }
    return true;
  }

  // A place in a tree between whole subtrees: stands before a subtree or a value, in key order.
  class Walk {
   public:
    explicit Walk(const Node* root) {
      if (root == nullptr) return;
      for (const Node* node = root; !node->children.empty(); node = node->children.front().get()) ++height_;
      top_ = root;
    }
    [[nodiscard]] bool done() const { return top_ == nullptr && frames_.empty(); }
    // The subtree it stands before, null when it is a value.
    [[nodiscard]] const Node* subtree() const {
      if (top_ != nullptr) return top_;
      const auto& [node, at] = frames_.back();
      return node->children.empty() ? nullptr : node->children[at].get();
    }
    [[nodiscard]] std::size_t height() const { return height_ - frames_.size(); }
    // The first value from here on.
    [[nodiscard]] const T& first() const { return top_ != nullptr ? top_->items.front() : frames_.back().first->items[frames_.back().second]; }
    void enter() {
      const Node* into = subtree();
      top_ = nullptr;
      frames_.emplace_back(into, 0);
    }
    // Past the subtree or value it stands before.
    void skip() {
      top_ = nullptr;
      while (!frames_.empty() && ++frames_.back().second == frames_.back().first->items.size()) frames_.pop_back();
    }

   private:
    const Node* top_ = nullptr;  // the root, before it is entered
    std::vector<std::pair<const Node*, std::size_t>> frames_;
    std::size_t height_ = 0;
  };

  Ref root_;
  std::size_t size_ = 0;
};

template <class T, class KeyOf>
template <class F>
void Tree<T, KeyOf>::differences_from(const Tree& earlier, F&& visit) const {
  const T none{};
  Walk before(earlier.root_.get());
  Walk after(root_.get());
  while (!before.done() || !after.done()) {
    const Node* left = before.done() ? nullptr : before.subtree();
    const Node* right = after.done() ? nullptr : after.subtree();
    if (left != nullptr && left == right) {
      before.skip();
      after.skip();
      continue;
    }
    // The higher of two subtrees is entered first, so that equal ones further down come to stand side by side.
    if (left != nullptr && right != nullptr) {
      const bool both = before.height() == after.height();
      if (both || before.height() > after.height()) before.enter();
      if (both || before.height() < after.height()) after.enter();
      continue;
    }
    if (left != nullptr || right != nullptr) {
      (left != nullptr ? before : after).enter();
      continue;
    }
    const bool only_before = after.done() || (!before.done() && KeyOf{}(before.first()) < KeyOf{}(after.first()));
    if (only_before) {
      visit(before.first(), none);
      before.skip();
    } else if (before.done() || KeyOf{}(after.first()) < KeyOf{}(before.first())) {
      visit(none, after.first());
      after.skip();
    } else {
      if (before.first() != after.first()) visit(before.first(), after.first());
      before.skip();
      after.skip();
    }
  }
}

}  // namespace drover::state
