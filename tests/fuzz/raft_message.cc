// F-72: what another server sends: a frame of raft messages, and a snapshot file from an operator.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "lib/snapshot/archive.h"
#include "server/raft/message_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto parts = drover::split_framed(text)) {
    for (const auto part : *parts) {
      const auto message = drover::decode_message(part);
      // What can be read can be written, and is the same then.
      if (message && drover::encode_message(*message).size() > part.size() + 8) __builtin_trap();
    }
  }
  (void)drover::snapshot::open_archive(text);
  (void)drover::snapshot::count_records(text);
  return 0;
}
