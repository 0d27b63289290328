#include "server/raft/message_codec.h"

#include <doctest/doctest.h>

using namespace drover;

namespace {
RaftMessage append() {
  RaftMessage out{.type = MessageType::append, .from = 1, .to = 2, .term = 7, .index = 41, .index_term = 6, .commit = 40, .features = 3, .capacity = 9};
  out.entries.push_back(std::make_shared<const LogEntry>(LogEntry{.term = 6, .type = EntryType::command, .data = "first"}));
  out.entries.push_back(std::make_shared<const LogEntry>(LogEntry{.term = 7, .type = EntryType::barrier, .data = std::string(8, '\0')}));
  return out;
}
}  // namespace

TEST_CASE("raft message: every field comes back") {
  const auto back = decode_message(encode_message(append()));
  REQUIRE(back);
  CHECK(back->type == MessageType::append);
  CHECK(back->from == 1);
  CHECK(back->to == 2);
  CHECK(back->term == 7);
  CHECK(back->index == 41);
  CHECK(back->index_term == 6);
  CHECK(back->commit == 40);
  CHECK(back->features == 3);
  CHECK(back->capacity == 9);
  REQUIRE(back->entries.size() == 2);
  CHECK(*back->entries[0] == *append().entries[0]);
  CHECK(*back->entries[1] == *append().entries[1]);
  const RaftMessage vote{.type = MessageType::vote, .from = 3, .to = 1, .term = 8, .index = 9, .index_term = 7, .candidate = 3, .disrupt_leader = true, .pre_vote = true};
  const auto voted = decode_message(encode_message(vote));
  REQUIRE(voted);
  CHECK(voted->candidate == 3);
  CHECK(voted->disrupt_leader);
  CHECK(voted->pre_vote);
  CHECK(!voted->granted);
  RaftMessage install{.type = MessageType::install, .from = 1, .to = 2, .term = 7, .index = 90, .index_term = 6};
  install.snapshot = {.index = 90, .term = 6, .configuration_index = 4, .configuration = *encode_members({{.id = 1, .address = "a"}})};
  const auto installed = decode_message(encode_message(install));
  REQUIRE(installed);
  CHECK(installed->snapshot == install.snapshot);
}

TEST_CASE("F-72: a raft message that is cut off or changed is refused") {
  const std::string bytes = encode_message(append());
  for (std::size_t size = 0; size < bytes.size(); ++size) CHECK(!decode_message(std::string_view(bytes).substr(0, size)));
  CHECK(!decode_message(bytes + "x"));
  // Behind the head everything is under a checksum.
  for (std::size_t i = 76; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 4);
    CHECK(!decode_message(changed));
  }
  RaftMessage install{.type = MessageType::install, .from = 1, .to = 2, .term = 7, .index = 90, .index_term = 6};
  install.snapshot.configuration = std::string("\1\xff\0\0\0\0\0\0\0", 9);
  CHECK(!decode_message(encode_message(install)));
}

TEST_CASE("raft message: several travel as one") {
  std::string frame;
  append_framed(frame, "one");
  append_framed(frame, "");
  append_framed(frame, "three");
  const auto parts = split_framed(frame);
  REQUIRE(parts);
  CHECK(*parts == std::vector<std::string_view>{"one", "", "three"});
  CHECK(!split_framed(frame.substr(0, frame.size() - 1)));
  CHECK(!split_framed("ab"));
}

TEST_CASE("members: who a server is travels with its address") {
  const std::vector<Member> members{{.id = 5, .address = "10.0.0.1:4647", .node_id = "aa", .name = "one of them"}, {.id = 6, .address = "b"}};
  CHECK(*decode_members(*encode_members(members)) == members);
  CHECK(member_id("12345678-9abc-def0-1234-56789abcdef0") == 0x123456789abcdef0ULL);
  CHECK(member_id("") == 1);
}
