// raft-sim: runs simulated clusters from seeds and says which seed breaks an invariant, and how to see it again.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "tests/sim/world.h"

namespace {
using drover::sim::Bug;
using drover::sim::World;
using drover::sim::WorldOptions;

constexpr std::string_view usage =
    "usage: raft-sim [-seeds N] [-first N] [-seed N] [-trace] [-messages] [-bug skipped-fsync|unsaved-vote|double-apply]\n"
    "Runs N clusters, each from its own seed. Exit status 1: an invariant is broken. With -bug the bug is planted, and\n"
    "not finding it in any of the seeds is the failure.\n";

bool number(const char* text, std::uint64_t& out) {
  char* end = nullptr;
  out = std::strtoull(text, &end, 10);
  return end != text && *end == '\0';
}
}  // namespace

int main(int argc, char** argv) {
  std::uint64_t seeds = 200, first = 1;
  WorldOptions options;
  std::string bug;
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    const bool more = i + 1 < argc;
    bool known = true;
    if (flag == "-seeds" && more) known = number(argv[++i], seeds);
    else if (flag == "-first" && more) known = number(argv[++i], first);
    else if (flag == "-seed" && more) known = number(argv[++i], first), seeds = 1;
    else if (flag == "-trace") options.trace = true;
    else if (flag == "-messages") options.trace = options.trace_messages = true;
    else if (flag == "-bug" && more) bug = argv[++i];
    else known = false;
    if (bug == "skipped-fsync") options.bug = Bug::skipped_fsync;
    else if (bug == "unsaved-vote") options.bug = Bug::unsaved_vote;
    else if (bug == "double-apply") options.bug = Bug::double_apply;
    else if (!bug.empty()) known = false;
    if (!known) {
      std::fputs(usage.data(), stderr);
      return 2;
    }
  }
  std::uint64_t committed = 0, elections = 0, crashes = 0, installs = 0, changes = 0, answered = 0;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    options.seed = seed;
    // One in eight works on the server's own tables instead of registers.
    options.server_state = seed % 8 == 0;
    World world(options);
    const std::string failure = world.run();
    if (!failure.empty() && options.bug != Bug::none) {
      fmt::print("the planted bug shows with seed {}: {}\n", seed, failure);
      return 0;
    }
    if (!failure.empty()) {
      fmt::print(stderr, "seed {}: {}\nrun it again: {} -seed {} -trace\n", seed, failure, argv[0], seed);
      return 1;
    }
    committed += world.summary().committed;
    elections += world.summary().elections;
    crashes += world.summary().crashes;
    installs += world.summary().installs;
    changes += world.summary().changes;
    answered += world.summary().answered;
  }
  if (options.bug != Bug::none) {
    fmt::print(stderr, "the planted bug was not found in {} seeds\n", seeds);
    return 1;
  }
  fmt::print("{} seeds: {} entries, {} leaderships, {} crashes, {} snapshots installed, {} changes of members, {} answers to clients\n", seeds,
             committed, elections, crashes, installs, changes, answered);
  return 0;
}
