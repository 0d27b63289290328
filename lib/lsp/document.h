// An open file: its text as the editor has it. Positions are lines and UTF-16 columns, from 0.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "lib/hcl/source.h"
#include "lib/lint/columns.h"
#include "sdk/base/error.h"

namespace drover::lsp {

inline constexpr std::size_t max_document_bytes = 4U << 20U;

struct Document {
  std::string uri;
  std::string name;  // for messages: the path of a file: URI
  std::string text;
  std::optional<std::int64_t> version;

  // One element of contentChanges. What is wrong with it leaves the text as it is.
  [[nodiscard]] Result<> apply(const nlohmann::json& change);
  [[nodiscard]] hcl::SourcePtr source() const { return hcl::make_source(name, text); }
};

[[nodiscard]] std::string name_of_uri(std::string_view uri);
// Null unless it is {"line": n, "character": n}.
[[nodiscard]] std::optional<lint::LineColumn> read_position(const nlohmann::json& position);
[[nodiscard]] nlohmann::json write_position(std::string_view text, std::size_t byte);
[[nodiscard]] nlohmann::json write_range(std::string_view text, std::size_t start, std::size_t end);

}  // namespace drover::lsp
