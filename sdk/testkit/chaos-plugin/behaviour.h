// What the chaos plugin does wrong: a JSON file that is read again before each step, so that a test can change its mind while the
// plugin runs. Everything is optional; `{}` is a plugin in order.
//
//   { "name": "chaos",                       what PluginInfo says
//     "version": "1.0.0",
//     "handshake": "garbage",                garbage, five, seven, long, none, silent (exit 0), version
//     "tls": "lies",                         a certificate in the handshake, and no TLS behind it
//     "delay_ms": 500,                       before the handshake
//     "logs": "types",                       types, long, nul, flood
//     "without": ["controller", "stdio", "broker", "health"],
//     "die_after_ms": 100,
//     "calls": { "StartTask": { "do": "die", "times": 1, "text": "no luck", "hex": "0a00" } },
//     "record": "/path" }                    a JSON line for each call
// `do` is one of: die (before the driver sees the call), die_during, die_after (the answer), hang, error (with the `code` unavailable or
// resource_exhausted if wanted), recoverable, answer (the bytes of `hex`), garbage, end (a stream), end_error. For messages of a stream:
// "TaskStats.message" with answer, garbage, drop or die. `times` counts over all processes of the plugin, in files beside the behaviour.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::testkit {

struct Fault {
  std::string kind;  // the `do`
  std::string text, bytes, code;
};

class Behaviour {
 public:
  explicit Behaviour(std::string path) : path_(std::move(path)) {}
  [[nodiscard]] std::string text(const char* key, std::string fallback = {}) const;
  [[nodiscard]] int number(const char* key) const;
  [[nodiscard]] bool without(std::string_view service) const;
  // The fault of this call, counted as done.
  [[nodiscard]] std::optional<Fault> take(std::string_view method) const;
  void record(std::string_view method, std::string_view what, const std::string& bytes) const;
  // Lines of `<path>.<stream>` from `from` on: messages to send as hex, or "end", or "error <text>".
  [[nodiscard]] std::vector<std::string> script(std::string_view stream, std::size_t from) const;

 private:
  [[nodiscard]] nlohmann::json read() const;
  std::string path_;
};

[[nodiscard]] std::string from_hex(std::string_view text);

}  // namespace drover::testkit
