// A session of the language server as a step: a message in, messages out. JSON-RPC 2.0 and the protocol's life cycle are here.
//
// Diagnostics are not part of an answer: `publish` gives those of the files that changed since it was called last, so that a burst of
// edits is looked at once. Single-threaded.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lib/lsp/analysis.h"
#include "lib/lsp/document.h"

namespace drover::lsp {

inline constexpr std::size_t max_documents = 1000;

class Server {
 public:
  explicit Server(Surroundings surroundings) : surroundings_(std::move(surroundings)) {}

  // The messages to send back, in order. Whatever comes in, nothing but an answer happens.
  [[nodiscard]] std::vector<std::string> handle(std::string_view message);
  [[nodiscard]] std::vector<std::string> publish();

  // `exit` was received.
  [[nodiscard]] bool ended() const { return ended_; }
  // 0 when `shutdown` came first.
  [[nodiscard]] int exit_code() const { return shut_down_ ? 0 : 1; }

 private:
  // The result of a request, as JSON.
  [[nodiscard]] Result<std::string> answer(const std::string& method, const nlohmann::json& params);
  [[nodiscard]] Result<> notice(const std::string& method, const nlohmann::json& params);
  [[nodiscard]] const Document* document(const nlohmann::json& params) const;

  Surroundings surroundings_;
  std::map<std::string, Document> documents_;
  std::set<std::string> changed_;
  bool initialized_ = false, shut_down_ = false, ended_ = false;
  bool snippets_ = false;
};

// completion.cc, hover.cc, format.cc: the results of requests. `byte` is the position.
[[nodiscard]] nlohmann::json complete(const Document& document, std::size_t byte, const lint::DriverSchemas& schemas, bool snippets);
[[nodiscard]] nlohmann::json hover(const Document& document, std::size_t byte, const lint::DriverSchemas& schemas);
// Null when the text does not parse.
[[nodiscard]] nlohmann::json format_edits(const Document& document);

}  // namespace drover::lsp
