#include "lib/lsp/server.h"

#include <nlohmann/json.hpp>

#include "lib/hcl/format.h"
#include "lib/hcl/parser.h"

namespace drover::lsp {

using nlohmann::json;

namespace {

constexpr int parse_error = -32700, invalid_request = -32600, method_not_found = -32601, invalid_params = -32602, not_initialized = -32002;

int code_of(const Error& error) {
  switch (error.code()) {
    case Code::invalid_argument: return invalid_params;
    case Code::unimplemented: return method_not_found;
    default: return invalid_request;
  }
}

std::string dump(const json& message) { return message.dump(-1, ' ', false, json::error_handler_t::replace); }

std::string error_answer(const json& id, int code, const std::string& message) {
  return dump({{"jsonrpc", "2.0"}, {"id", id}, {"error", {{"code", code}, {"message", message}}}});
}
std::string log_message(const std::string& text) {
  constexpr int warning = 2;
  return dump({{"jsonrpc", "2.0"}, {"method", "window/logMessage"}, {"params", {{"type", warning}, {"message", text}}}});
}

const json& member(const json& object, const char* name) {
  static const json null;
  if (!object.is_object()) return null;
  const auto found = object.find(name);
  return found == object.end() ? null : *found;
}
std::string text(const json& object, const char* name) {
  const json& value = member(object, name);
  return value.is_string() ? value.get<std::string>() : "";
}

json capabilities() {
  constexpr int incremental = 2;
  return {{"positionEncoding", "utf-16"},
          {"textDocumentSync", {{"openClose", true}, {"change", incremental}}},
          {"completionProvider", {{"triggerCharacters", {".", "\"", "{"}}}},
          {"hoverProvider", true},
          {"documentFormattingProvider", true}};
}

json diagnostic(const std::string& document, const lint::Finding& finding) {
  constexpr int error = 1, warning = 2;
  // What stands in another file, or nowhere, is shown at the start of this one.
  const bool here = finding.place && finding.place->file && finding.place->file->text.size() == document.size();
  const std::size_t start = here ? finding.place->start.byte : 0, end = here ? finding.place->end.byte : 0;
  return {{"range", write_range(document, start, end)},
          {"severity", finding.severity == lint::Severity::error ? error : warning},
          {"code", finding.id},
          {"source", "drover"},
          {"message", finding.detail.empty() ? finding.summary : finding.summary + "\n" + finding.detail}};
}

}  // namespace

std::vector<std::string> Server::handle(std::string_view message) {
  const json request = json::parse(message, nullptr, false);
  if (request.is_discarded()) return {error_answer(nullptr, parse_error, "the message is not JSON")};
  if (!request.is_object() || text(request, "jsonrpc") != "2.0") return {error_answer(nullptr, invalid_request, "the message is not a JSON-RPC 2.0 object")};
  const json& id = member(request, "id");
  const bool wants_answer = request.contains("id");
  if (wants_answer && !id.is_string() && !id.is_number_integer()) return {error_answer(nullptr, invalid_request, "the id is neither a string nor a number")};
  const std::string method = text(request, "method");
  if (method.empty()) {
    // An answer to a request; we make none.
    if (request.contains("result") || request.contains("error")) return {};
    return {error_answer(wants_answer ? id : json(nullptr), invalid_request, "the message has no method")};
  }
  if (method == "exit") {
    ended_ = true;
    return {};
  }
  if (!initialized_ && method != "initialize") {
    if (!wants_answer) return {};
    return {error_answer(id, not_initialized, "the session begins with initialize")};
  }
  if (shut_down_) {
    if (!wants_answer) return {};
    return {error_answer(id, invalid_request, "the session has been shut down")};
  }
  const json& params = member(request, "params");
  if (!wants_answer) {
    if (const auto taken = notice(method, params); !taken) return {log_message(method + ": " + taken.error().message())};
    return {};
  }
  const auto result = answer(method, params);
  if (!result) return {error_answer(id, code_of(result.error()), result.error().message())};
  return {fmt::format(R"({{"jsonrpc":"2.0","id":{},"result":{}}})", dump(id), *result)};
}

Result<std::string> Server::answer(const std::string& method, const json& params) {
  if (method == "initialize") {
    if (initialized_) return fail(Code::conflict, "the session has begun already");
    initialized_ = true;
    const json& item = member(member(member(member(params, "capabilities"), "textDocument"), "completion"), "completionItem");
    snippets_ = member(item, "snippetSupport") == true;
    return dump({{"capabilities", capabilities()}, {"serverInfo", {{"name", "drover"}, {"version", surroundings_.version}}}});
  }
  if (method == "shutdown") {
    shut_down_ = true;
    return "null";
  }
  if (method == "textDocument/formatting") {
    const Document* found = document(params);
    if (found == nullptr) return fail(Code::invalid_argument, "the file is not open");
    return dump(format_edits(*found));
  }
  if (method != "textDocument/completion" && method != "textDocument/hover") return fail(Code::unimplemented, "there is no method {}", method);
  const Document* found = document(params);
  if (found == nullptr) return fail(Code::invalid_argument, "the file is not open");
  const auto position = read_position(member(params, "position"));
  if (!position) return fail(Code::invalid_argument, "the position is none");
  const std::size_t byte = lint::byte_of(found->text, *position, lint::Unit::utf16);
  if (method == "textDocument/hover") return dump(hover(*found, byte, surroundings_.schemas));
  return dump(complete(*found, byte, surroundings_.schemas, snippets_));
}

Result<> Server::notice(const std::string& method, const json& params) {
  const json& given = member(params, "textDocument");
  const std::string uri = text(given, "uri");
  if (method == "textDocument/didOpen") {
    if (uri.empty() || !member(given, "text").is_string()) return fail(Code::invalid_argument, "a file without uri or text");
    Document opened{uri, name_of_uri(uri), text(given, "text"), std::nullopt};
    if (opened.text.size() > max_document_bytes) return fail(Code::invalid_argument, "the file is too large");
    if (documents_.size() >= max_documents && !documents_.contains(uri)) return fail(Code::invalid_argument, "too many files are open");
    if (member(given, "version").is_number_integer()) opened.version = given["version"].get<std::int64_t>();
    documents_.insert_or_assign(uri, std::move(opened));
    changed_.insert(uri);
  } else if (method == "textDocument/didChange") {
    const auto found = documents_.find(uri);
    if (found == documents_.end()) return fail(Code::invalid_argument, "the file is not open");
    Document changed = found->second;
    if (!member(params, "contentChanges").is_array()) return fail(Code::invalid_argument, "no changes");
    for (const json& change : params["contentChanges"]) {
      if (const auto applied = changed.apply(change); !applied) return fail(applied.error());
    }
    if (member(given, "version").is_number_integer()) changed.version = given["version"].get<std::int64_t>();
    found->second = std::move(changed);
    changed_.insert(uri);
  } else if (method == "textDocument/didClose") {
    if (documents_.erase(uri) != 0) changed_.insert(uri);
  }
  return {};  // other notifications are for those who asked for them
}

const Document* Server::document(const json& params) const {
  const auto found = documents_.find(text(member(params, "textDocument"), "uri"));
  return found == documents_.end() ? nullptr : &found->second;
}

std::vector<std::string> Server::publish() {
  std::vector<std::string> out;
  for (const std::string& uri : changed_) {
    json params{{"uri", uri}, {"diagnostics", json::array()}};
    if (const auto found = documents_.find(uri); found != documents_.end()) {
      if (found->second.version) params["version"] = *found->second.version;
      for (const lint::Finding& finding : analyse(found->second.source(), surroundings_)) params["diagnostics"].push_back(diagnostic(found->second.text, finding));
    }
    out.push_back(dump({{"jsonrpc", "2.0"}, {"method", "textDocument/publishDiagnostics"}, {"params", std::move(params)}}));
  }
  changed_.clear();
  return out;
}

json format_edits(const Document& document) {
  const auto source = document.source();
  hcl::Diagnostics diagnostics;
  (void)hcl::parse_native(source, diagnostics);
  if (diagnostics.has_errors()) return nullptr;
  std::string formatted = hcl::format(source);
  if (formatted == document.text) return json::array();
  return json::array({{{"range", write_range(document.text, 0, document.text.size())}, {"newText", std::move(formatted)}}});
}

}  // namespace drover::lsp
