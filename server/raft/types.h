// The values raft works with: entries, members, messages, what a snapshot covers. Plain and copyable, from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sdk/base/error.h"

namespace drover {

class PendingSnapshot;
class SnapshotReader;

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

// `node_id` and `name` say who a server is to people; raft itself only needs the first two. All of them are part of the
// configuration in the log, so that no second list of servers exists.
struct Member {
  std::uint64_t id = 0;
  std::string address;
  MemberRole role = MemberRole::voter;
  std::string node_id;
  std::string name;
  friend bool operator==(const Member&, const Member&) = default;
};

// The id in raft of the server whose id is this uuid: its first 64 bits. Never 0.
[[nodiscard]] std::uint64_t member_id(std::string_view node_id);

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

// The last two are not libraft's: a leader asks whether it still leads, a follower of its term says yes.
enum class MessageType : std::uint8_t { append = 1, append_result, vote, vote_result, install, timeout_now, probe, probe_result };

// One message between members. Fields a type does not use are zero. `from` and `to` are member ids.
struct RaftMessage {
  MessageType type = MessageType::append;
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  std::string from_address;
  std::string to_address;
  std::uint64_t term = 0;
  std::uint64_t index = 0;       // append: previous entry; results, votes: last entry; install: last one in the snapshot; probes: round
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
  // Install, none of which is on the wire: what carries the message sees to the content.
  std::string snapshot_data;                          // small ones, in memory
  std::shared_ptr<SnapshotReader> snapshot_source;    // on the way out: read on any thread
  std::shared_ptr<PendingSnapshot> snapshot_file;     // on the way in: what was written as it came
};

}  // namespace drover
