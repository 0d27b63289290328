#include "server/state/tree.h"

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <string>

#include "sdk/base/clock.h"

using namespace drover;

namespace {
struct Self {
  using Key = int;
  Key operator()(const std::pair<int, int>& p) const { return p.first; }
};
using Numbers = state::Tree<std::pair<int, int>, Self>;

std::map<int, int> contents(const Numbers& tree) {
  std::map<int, int> out;
  int last = -1;
  tree.scan([&](const std::pair<int, int>& p) {
    CHECK(p.first > last);
    last = p.first;
    out.insert(p);
    return true;
  });
  return out;
}
}  // namespace

TEST_CASE("tree: agrees with a map under random puts and erases, and older copies stay as they were") {
  Rng rng(3);
  Numbers tree;
  std::map<int, int> expected;
  Numbers kept;
  std::map<int, int> kept_expected;
  for (int step = 0; step < 20'000; ++step) {
    const int key = static_cast<int>(rng.below(700));
    if (rng.below(5) < 3) {
      tree.put({key, step});
      expected[key] = step;
    } else {
      CHECK(tree.erase(key) == (expected.erase(key) == 1));
    }
    if (step % 1000 == 500) {
      kept = tree;
      kept_expected = expected;
    }
    if (step % 1000 == 999) {
      CHECK(contents(tree) == expected);
      CHECK(contents(kept) == kept_expected);
      CHECK(tree.size() == expected.size());
    }
  }
  for (const auto& [key, value] : std::map<int, int>(expected)) CHECK(tree.erase(key));
  CHECK(tree.empty());
}

TEST_CASE("tree: scans start between keys, forwards and backwards") {
  Numbers tree;
  for (int i = 0; i < 2000; i += 2) tree.put({i, i});
  int first = -1;
  tree.scan(601, [&](const auto& p) { first = p.first; return false; });
  CHECK(first == 602);
  tree.scan_back(601, [&](const auto& p) { first = p.first; return false; });
  CHECK(first == 600);
  tree.scan_back(5000, [&](const auto& p) { first = p.first; return false; });
  CHECK(first == 1998);
  int count = 0;
  tree.scan_back(998, [&](const auto&) { ++count; return true; });
  CHECK(count == 500);
  CHECK(tree.find(600) != nullptr);
  CHECK(tree.find(601) == nullptr);
}

namespace {
struct Entry {
  int key;
  int value;
};
struct EntryKey {
  using Key = int;
  Key operator()(const std::shared_ptr<Entry>& p) const { return p->key; }
};
using Entries = state::Tree<std::shared_ptr<Entry>, EntryKey>;
}  // namespace

TEST_CASE("tree: the differences of two versions are what was put and erased between them") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Rng rng(seed);
    Entries tree;
    std::map<int, std::shared_ptr<Entry>> now;
    const auto change = [&](std::uint64_t steps) {
      for (std::uint64_t step = 0; step < steps; ++step) {
        const int key = static_cast<int>(rng.below(3000));
        if (rng.below(5) < 3) {
          now[key] = std::make_shared<Entry>(Entry{key, static_cast<int>(step)});
          tree.put(now[key]);
        } else {
          now.erase(key);
          tree.erase(key);
        }
      }
    };
    change(rng.below(4000));
    const auto earlier = tree;
    const auto before = now;
    change(rng.below(2) == 0 ? rng.below(20) : rng.below(4000));
    auto rebuilt = before;
    int last = -1;
    tree.differences_from(earlier, [&](const std::shared_ptr<Entry>& was, const std::shared_ptr<Entry>& is) {
      const int key = (was ? was : is)->key;
      CHECK(key > last);
      CHECK(was != is);
      last = key;
      CHECK((was == nullptr ? !before.contains(key) : before.at(key) == was));
      if (is) rebuilt[key] = is;
      else rebuilt.erase(key);
    });
    CHECK(rebuilt == now);
    tree.differences_from(tree, [](const auto&, const auto&) { CHECK(false); });
  }
}
