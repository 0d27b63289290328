// The language server: bytes of an editor, in frames; then the same bytes as an open file, asked about at a position they name; then as a
// job of the API, whose places are looked for.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "lib/lint/outline.h"
#include "lib/lsp/frames.h"
#include "lib/lsp/server.h"

using namespace drover;
using nlohmann::json;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  lsp::FrameReader reader;
  lsp::Server framed({});
  reader.feed(bytes);
  for (auto message = reader.next(); message && *message; message = reader.next()) (void)framed.handle(**message);
  (void)framed.publish();

  lsp::Server server({});
  const auto send = [&](const json& message) { return server.handle(message.dump(-1, ' ', false, json::error_handler_t::replace)); };
  (void)server.handle(bytes);
  (void)send({{"jsonrpc", "2.0"}, {"id", 1}, {"method", "initialize"}, {"params", json::object()}});
  const json file{{"uri", "x"}, {"version", 1}, {"text", bytes}};
  (void)send({{"jsonrpc", "2.0"}, {"method", "textDocument/didOpen"}, {"params", {{"textDocument", file}}}});
  const unsigned line = size > 0 ? data[0] % 16U : 0, character = size > 1 ? data[1] % 64U : 0;
  const json where{{"textDocument", {{"uri", "x"}}}, {"position", {{"line", line}, {"character", character}}}};
  for (const char* method : {"textDocument/completion", "textDocument/hover", "textDocument/formatting"}) {
    if (send({{"jsonrpc", "2.0"}, {"id", 2}, {"method", method}, {"params", where}}).size() != 1) __builtin_trap();
  }
  if (server.publish().size() != 1) __builtin_trap();
  if (lint::outline_of_api(hcl::make_source("x", bytes)) == nullptr) __builtin_trap();
  return 0;
}
