#include "lib/lsp/document.h"

#include <charconv>
#include <nlohmann/json.hpp>

namespace drover::lsp {

using nlohmann::json;

Result<> Document::apply(const json& change) {
  const auto text_at = change.is_object() ? change.find("text") : change.end();
  if (!change.is_object() || text_at == change.end() || !text_at->is_string()) return fail(Code::invalid_argument, "a change without text");
  const auto& replacement = text_at->get_ref<const std::string&>();
  const auto range = change.find("range");
  if (range == change.end() || range->is_null()) {
    if (replacement.size() > max_document_bytes) return fail(Code::too_large, "a file of {} bytes", replacement.size());
    text = replacement;
    return {};
  }
  const auto start = range->is_object() && range->contains("start") ? read_position((*range)["start"]) : std::nullopt;
  const auto end = range->is_object() && range->contains("end") ? read_position((*range)["end"]) : std::nullopt;
  if (!start || !end) return fail(Code::invalid_argument, "a change with a range that is none");
  const std::size_t from = lint::byte_of(text, *start, lint::Unit::utf16), to = lint::byte_of(text, *end, lint::Unit::utf16);
  if (from > to) return fail(Code::invalid_argument, "a change whose range ends before it starts");
  if (text.size() - (to - from) + replacement.size() > max_document_bytes) return fail(Code::too_large, "a file of more than {} bytes", max_document_bytes);
  text.replace(from, to - from, replacement);
  return {};
}

std::string name_of_uri(std::string_view uri) {
  constexpr std::string_view scheme = "file://";
  if (!uri.starts_with(scheme)) return std::string(uri);
  uri.remove_prefix(scheme.size());
  std::string out;
  for (std::size_t i = 0; i < uri.size(); i++) {
    unsigned value = 0;
    if (uri[i] == '%' && i + 2 < uri.size()) {
      const auto [end, error] = std::from_chars(uri.data() + i + 1, uri.data() + i + 3, value, 16);
      if (error == std::errc{} && end == uri.data() + i + 3) {
        out += static_cast<char>(value);
        i += 2;
        continue;
      }
    }
    out += uri[i];
  }
  return out;
}

std::optional<lint::LineColumn> read_position(const json& position) {
  if (!position.is_object()) return std::nullopt;
  const auto line = position.find("line"), character = position.find("character");
  const auto counts = [&](json::const_iterator at) { return at != position.end() && at->is_number_integer() && at->get<std::int64_t>() >= 0; };
  if (!counts(line) || !counts(character)) return std::nullopt;
  return lint::LineColumn{line->get<std::size_t>(), character->get<std::size_t>()};
}

json write_position(std::string_view text, std::size_t byte) {
  const auto at = lint::position_of(text, byte, lint::Unit::utf16);
  return {{"line", at.line}, {"character", at.column}};
}

json write_range(std::string_view text, std::size_t start, std::size_t end) { return {{"start", write_position(text, start)}, {"end", write_position(text, end)}}; }

}  // namespace drover::lsp
