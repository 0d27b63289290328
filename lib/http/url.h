// Percent-encoding, query strings as Go reads them, and the addresses a client may be given. Pure values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sdk/base/error.h"

namespace drover::http {

// Path form: `+` stays. Error on a bad escape (`%zz`).
[[nodiscard]] Result<std::string> percent_decode(std::string_view text);
// Encodes all but unreserved characters; with `keep_slash`, `/` stays.
[[nodiscard]] std::string percent_encode(std::string_view text, bool keep_slash = false);
// Go's path.Clean on an absolute path, with the trailing slash kept.
[[nodiscard]] std::string clean_path(std::string_view path);

// A query string: several values may share a name. Pairs with a bad escape or a semicolon are dropped, as in Go.
class Query {
 public:
  Query() = default;
  [[nodiscard]] static Query parse(std::string_view raw);

  // The first value; empty when absent.
  [[nodiscard]] std::string_view get(std::string_view name) const;
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const { return find(name).has_value(); }
  [[nodiscard]] std::vector<std::string> all(std::string_view name) const;
  void add(std::string name, std::string value) { pairs_.emplace_back(std::move(name), std::move(value)); }
  // Replaces every value of that name.
  void set(std::string_view name, std::string value);
  // `a=b&c=d` in order of addition.
  [[nodiscard]] std::string encode() const;
  [[nodiscard]] bool empty() const { return pairs_.empty(); }
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& pairs() const { return pairs_; }

 private:
  std::vector<std::pair<std::string, std::string>> pairs_;
};

// Where a server is: `http://host:port/base`, `https://[::1]:4646`, `unix:///run/api.sock`, also `host:port`.
struct Address {
  enum class Kind : std::uint8_t { http, https, unix_socket };
  Kind kind = Kind::http;
  std::string host;       // without brackets
  std::uint16_t port = 0;
  std::string path;       // of the socket, or the base path without its last slash
  [[nodiscard]] static Result<Address> parse(std::string_view text);
  // For the Host field: `127.0.0.1:4646`, `[::1]:4646`, `localhost` for a socket.
  [[nodiscard]] std::string authority() const;
};

}  // namespace drover::http
