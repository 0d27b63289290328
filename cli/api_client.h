// The HTTP API for commands: one call at a time, finished when it returns. Addresses, region, namespace, token and TLS come
// from the general options. An answer of an error status is an error with the text the reference's client shows:
// `Unexpected response code: 404 (job not found)`.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "lib/model/codec.h"
#include "sdk/async/asio.h"
#include "sdk/base/error.h"

namespace drover::http { class WebSocket; }

namespace drover::cli {

using QueryPairs = std::vector<std::pair<std::string, std::string>>;

struct ApiAnswer {
  int status = 0;
  std::string body;
  std::uint64_t index = 0;      // X-Nomad-Index
  std::string next_token;       // X-Nomad-NextToken
  std::string content_type;
};

// So many bytes of an open file, from its start, in the place of a body.
struct FileBody {
  int file = -1;
  std::uint64_t bytes = 0;
};

class ApiClient {
 public:
  explicit ApiClient(const GeneralOptions& options);
  ~ApiClient();

  [[nodiscard]] Result<ApiAnswer> get(std::string_view path, QueryPairs query = {});
  [[nodiscard]] Result<ApiAnswer> put(std::string_view path, std::string body, QueryPairs query = {});
  [[nodiscard]] Result<ApiAnswer> put_file(std::string_view path, FileBody file);
  [[nodiscard]] Result<ApiAnswer> remove(std::string_view path, QueryPairs query = {});
  // Any method; an error status is an answer, not an error.
  [[nodiscard]] Result<ApiAnswer> raw(std::string method, std::string target, std::string body,
                                      std::vector<std::pair<std::string, std::string>> headers, FileBody file = {});
  // Calls `part` with every piece of a streamed body until it returns false or the body ends.
  [[nodiscard]] Result<> stream(std::string_view path, QueryPairs query, const std::function<bool(std::string_view)>& part);

  // Runs `session` over a websocket and gives what it gives.
  [[nodiscard]] Result<int> websocket(std::string_view path, QueryPairs query, const std::function<Async<Result<int>>(http::WebSocket&)>& session);

  // GET decoded into a model type.
  template <class T>
  [[nodiscard]] Result<T> read(std::string_view path, QueryPairs query = {}) {
    auto answer = get(path, std::move(query));
    if (!answer) return fail(answer.error());
    T value{};
    if (auto decoded = model::from_json(answer->body, value); !decoded) return fail(decoded.error(), "decoding the answer");
    return value;
  }
  [[nodiscard]] const std::string& address() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The `error` status text of a body, as the reference's client module shows it.
[[nodiscard]] Error api_error(int status, std::string_view body);
// Percent-encodes one path segment.
[[nodiscard]] std::string escape(std::string_view segment);

}  // namespace drover::cli
