#include "server/raft/message_codec.h"

#include <cstring>
#include <optional>

#include "server/raft/record.h"

namespace drover {
namespace {
constexpr std::size_t head_bytes = 72;
constexpr std::uint8_t disrupt_flag = 1, pre_vote_flag = 2, granted_flag = 4;

template <class T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
template <class T>
T get(std::string_view bytes, std::size_t at) {
  T value{};
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

Unexpected malformed(const char* what) { return fail(Code::invalid_argument, "raft message: {}", what); }

Result<> decode_entries(std::string_view bytes, RaftMessage& out) {
  if (bytes.size() < 4) return malformed("the number of entries is cut off");
  const auto count = get<std::uint32_t>(bytes, 0);
  bytes.remove_prefix(4);
  for (std::uint32_t i = 0; i < count; ++i) {
    auto record = get_record(bytes, 0);
    if (!record || record->index != out.index + 1 + i || record->position != i) return malformed("an entry is damaged");
    bytes.remove_prefix(record->size);
    out.entries.push_back(std::make_shared<const LogEntry>(std::move(record->entry)));
  }
  if (!bytes.empty()) return malformed("something follows the last entry");
  return {};
}
}  // namespace

std::string encode_message(const RaftMessage& message) {
  std::string out;
  std::size_t size = head_bytes + 16;
  for (const auto& entry : message.entries) size += record_bytes(entry->data.size());
  out.reserve(size);
  put(out, static_cast<std::uint8_t>(message.type));
  put(out, static_cast<std::uint8_t>((message.disrupt_leader ? disrupt_flag : 0) | (message.pre_vote ? pre_vote_flag : 0) |
                                     (message.granted ? granted_flag : 0)));
  put(out, message.features);
  put(out, message.capacity);
  put(out, std::uint16_t{0});
  for (const std::uint64_t value : {message.from, message.to, message.term, message.index, message.index_term, message.commit,
                                    message.rejected, message.candidate}) {
    put(out, value);
  }
  if (message.type == MessageType::append) {
    put(out, static_cast<std::uint32_t>(message.entries.size()));
    for (std::size_t i = 0; i < message.entries.size(); ++i) {
      put_record(out, message.index + 1 + i, static_cast<std::uint32_t>(i), *message.entries[i]);
    }
  } else if (message.type == MessageType::install) {
    put(out, message.snapshot.configuration_index);
    out += message.snapshot.configuration;
  }
  return out;
}

Result<RaftMessage> decode_message(std::string_view bytes) {
  if (bytes.size() < head_bytes) return malformed("it is cut off");
  RaftMessage out;
  const auto type = get<std::uint8_t>(bytes, 0);
  if (type < static_cast<std::uint8_t>(MessageType::append) || type > static_cast<std::uint8_t>(MessageType::probe_result)) {
    return malformed("a type of another version");
  }
  out.type = static_cast<MessageType>(type);
  const auto flags = get<std::uint8_t>(bytes, 1);
  out.disrupt_leader = (flags & disrupt_flag) != 0;
  out.pre_vote = (flags & pre_vote_flag) != 0;
  out.granted = (flags & granted_flag) != 0;
  out.features = get<std::uint16_t>(bytes, 2);
  out.capacity = get<std::uint16_t>(bytes, 4);
  std::size_t at = 8;
  for (std::uint64_t* value : {&out.from, &out.to, &out.term, &out.index, &out.index_term, &out.commit, &out.rejected, &out.candidate}) {
    *value = get<std::uint64_t>(bytes, at);
    at += sizeof *value;
  }
  bytes.remove_prefix(head_bytes);
  if (out.type == MessageType::append) DROVER_TRY(decode_entries(bytes, out));
  if (out.type == MessageType::install) {
    if (bytes.size() < 8) return malformed("the configuration is cut off");
    out.snapshot = {.index = out.index, .term = out.index_term, .configuration_index = get<std::uint64_t>(bytes, 0),
                    .configuration = std::string(bytes.substr(8))};
    if (!decode_members(out.snapshot.configuration)) return malformed("the configuration is damaged");
  }
  return out;
}

void append_framed(std::string& out, std::string_view message) {
  put(out, static_cast<std::uint32_t>(message.size()));
  out += message;
}

Result<std::vector<std::string_view>> split_framed(std::string_view bytes) {
  std::vector<std::string_view> out;
  while (!bytes.empty()) {
    if (bytes.size() < 4) return malformed("a length is cut off");
    const auto size = get<std::uint32_t>(bytes, 0);
    bytes.remove_prefix(4);
    if (bytes.size() < size) return malformed("it is shorter than it says");
    out.push_back(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  return out;
}

}  // namespace drover
