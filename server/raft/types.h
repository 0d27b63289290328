// The values raft works with: entries, members, messages, what a snapshot covers. Plain and copyable, from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sdk/base/error.h"

namespace drover {

enum class EntryType : std::uint8_t { command = 1, barrier = 2, change = 3 };

struct LogEntry {
  std::uint64_t term = 0;
  EntryType type = EntryType::command;
  std::string data;
  friend bool operator==(const LogEntry&, const LogEntry&) = default;
};
// Shared between the loop, the log writer and messages; never changed once made.
using LogEntryPtr = std::shared_ptr<const LogEntry>;

enum class MemberRole : std::uint8_t { standby = 0, voter = 1, spare = 2 };

struct Member {
  std::uint64_t id = 0;
  std::string address;
  MemberRole role = MemberRole::voter;
  friend bool operator==(const Member&, const Member&) = default;
};

// A configuration as it stands in the log (libraft's encoding of the members).
[[nodiscard]] Result<std::string> encode_members(const std::vector<Member>& members);
[[nodiscard]] Result<std::vector<Member>> decode_members(const std::string& encoded);

struct SnapshotMeta {
  std::uint64_t index = 0;  // last entry the snapshot contains
  std::uint64_t term = 0;
  std::uint64_t configuration_index = 0;
  std::string configuration;
  friend bool operator==(const SnapshotMeta&, const SnapshotMeta&) = default;
};

struct TermVote {
  std::uint64_t term = 0;
  std::uint64_t voted_for = 0;
  friend bool operator==(const TermVote&, const TermVote&) = default;
};

enum class MessageType : std::uint8_t { append = 1, append_result, vote, vote_result, install, timeout_now };

// One message between members. Fields a type does not use are zero. `from` and `to` are member ids.
struct RaftMessage {
  MessageType type = MessageType::append;
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  std::string from_address;
  std::string to_address;
  std::uint64_t term = 0;
  std::uint64_t index = 0;       // append: previous entry; results and votes: last entry; install: last entry in the snapshot
  std::uint64_t index_term = 0;
  std::uint64_t commit = 0;      // append: leader's commit index
  std::uint64_t rejected = 0;
  std::uint64_t candidate = 0;
  bool disrupt_leader = false;
  bool pre_vote = false;
  bool granted = false;
  std::uint16_t features = 0;
  std::uint16_t capacity = 0;
  std::vector<LogEntryPtr> entries;  // append
  SnapshotMeta snapshot;             // install
  std::string snapshot_data;         // install: filled in by whoever sends it
};

}  // namespace drover
