// The two texts of a plugin's process: its handshake line (P-14) and what it writes to stderr (P-22). The first byte says which the rest is.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "sdk/plugin/handshake.h"
#include "sdk/plugin/tail.h"

namespace plugin = drover::plugin;

namespace {
void require(bool holds) {
  if (!holds) __builtin_trap();
}

void read_handshake(std::string_view line) {
  const auto read = plugin::parse_handshake(line);
  if (!read) return;
  require(line.size() <= plugin::max_handshake && (read->network == "unix" || read->network == "tcp") && !read->address.empty());
  std::string written = plugin::format_handshake(*read);
  require(written.ends_with('\n'));
  written.pop_back();
  const auto again = plugin::parse_handshake(written);
  require(again && *again == *read);
}

// In pieces, as a file that grows gives them; the lines must not depend on where it was cut.
void read_stderr(std::string_view text) {
  constexpr std::size_t longest = 512, piece = 7;
  const auto lines_of = [&](std::size_t step) {
    std::string out;
    plugin::PluginLogParser parser;
    plugin::LineSplitter splitter(longest);
    const auto add = [&](std::string_view line) {
      const plugin::PluginLog record = parser.parse(line);
      out += record.message + '\n';
      for (const auto& [key, value] : record.pairs) out += key + '=' + value + '\n';
    };
    for (std::size_t at = 0; at < text.size(); at += step) splitter.feed(text.substr(at, step), add);
    add(splitter.rest());
    return out;
  };
  require(lines_of(piece) == lines_of(text.size() + 1));
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data + 1), size - 1);
  if (data[0] % 2 == 0) read_handshake(rest);
  else read_stderr(rest);
  return 0;
}
