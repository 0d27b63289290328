// Messages between members as bytes. Pure: values in, bytes out, and back.
//
//   u8 type | u8 flags | u16 features | u16 capacity | u16 zero | u64 from, to, term, index, index_term, commit, rejected, candidate
//   append: u32 count, then entries in the form they have in the log (record.h), with a checksum each
//   install: u64 configuration index, then the configuration; the content of the snapshot travels beside it
//
// Numbers are little-endian. Addresses are not sent: whoever opened the connection has said its own.
#pragma once

#include <string>
#include <string_view>

#include "server/raft/types.h"

namespace drover {

[[nodiscard]] std::string encode_message(const RaftMessage& message);
// Refuses whatever is cut off, too long or fails a checksum.
[[nodiscard]] Result<RaftMessage> decode_message(std::string_view bytes);

// Several messages as one: each with its length before it.
void append_framed(std::string& out, std::string_view message);
[[nodiscard]] Result<std::vector<std::string_view>> split_framed(std::string_view bytes);

}  // namespace drover
