// CRC-32C (Castagnoli), the checksum of everything we keep on disk: log records, snapshot chunks, client state.
#pragma once

#include <cstdint>
#include <string_view>

namespace drover {

// `seed` is the checksum of what came before, 0 at the start.
[[nodiscard]] std::uint32_t crc32c(std::string_view data, std::uint32_t seed = 0);

}  // namespace drover
