// The two texts that cross a plugin's stdout and stderr: the handshake line and hclog records. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sdk/base/error.h"
#include "sdk/base/log.h"

namespace drover::plugin {

inline constexpr const char* cookie_key = "NOMAD_PLUGIN_MAGIC_COOKIE";
inline constexpr const char* cookie_value = "e4327c2e01eabfd75a8a67adb114fb34a757d57eee7728d857a8cec6e91a7255";
inline constexpr int core_version = 1;
inline constexpr int app_version = 2;
inline constexpr const char* api_version = "v0.1.0";
inline constexpr std::size_t max_handshake = 4096;

struct Handshake {
  std::string network;  // unix or tcp
  std::string address;
  std::string certificate = {};  // field 6: what the plugin answers when TLS was asked for; otherwise empty
  friend bool operator==(const Handshake&, const Handshake&) = default;
};

// P-14: one line without its end. The error begins with the phrase operators know.
[[nodiscard]] Result<Handshake> parse_handshake(std::string_view line);
[[nodiscard]] std::string format_handshake(const Handshake& handshake);

// One record of a plugin's stderr.
struct PluginLog {
  LogLevel level = LogLevel::debug;
  std::string message;
  std::vector<std::pair<std::string, std::string>> pairs;
};

// Lines of a plugin's stderr to records. Remembers that a panic is being printed.
class PluginLogParser {
 public:
  [[nodiscard]] PluginLog parse(std::string_view line);

 private:
  bool in_panic_ = false;
};

}  // namespace drover::plugin
