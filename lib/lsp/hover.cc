// Hover: what the word at a position means.
#include <fmt/format.h>

#include <cctype>
#include <nlohmann/json.hpp>

#include "lib/lsp/catalogue.h"
#include "lib/lsp/server.h"

namespace drover::lsp {

using nlohmann::json;

namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-'; }

std::string entry_text(const Entry& entry) {
  std::string out = fmt::format("**{}**: {}", entry.name, entry.takes);
  if (entry.values != nullptr) {
    out += "\n\nOne of ";
    for (std::size_t i = 0; i < entry.values->size(); i++) out += fmt::format("{}`{}`", i == 0 ? "" : ", ", (*entry.values)[i]);
  }
  if (!entry.api.empty()) out += fmt::format("\n\nIn the API: `{}`", entry.api);
  if (!entry.note.empty()) out += "\n\n" + entry.note;
  return out;
}

// The text about a word of an expression; of a dotted name the longest part that is known.
std::string name_text(const Outline& outline, std::string name) {
  const auto names = names_at(outline);
  while (!name.empty()) {
    for (const Name& one : names) {
      if (one.name == name) return fmt::format("`{}`{}", one.function ? one.shape : one.name, one.function ? "" : ": " + one.shape) + (one.note.empty() ? "" : "\n\n" + one.note);
    }
    const std::size_t dot = name.rfind('.');
    name.erase(dot == std::string::npos ? 0 : dot);
  }
  return "";
}

}  // namespace

json hover(const Document& document, std::size_t byte, const lint::DriverSchemas& schemas) {
  const std::string& text = document.text;
  std::size_t start = byte, end = byte;
  while (start > 0 && is_word(text[start - 1])) start--;
  while (end < text.size() && is_word(text[end])) end++;
  if (start == end) return nullptr;
  const std::string word = text.substr(start, end - start);
  const Outline outline = look_at(text, end);
  std::string said;
  if (outline.cursor.place == Cursor::Place::statement) {
    for (const Entry& entry : entries_at(outline.cursor.frames, schemas)) {
      if (entry.name == word) said = entry_text(entry);
    }
  } else if (outline.cursor.place == Cursor::Place::expression) {
    said = name_text(outline, outline.cursor.prefix);
  }
  if (said.empty()) return nullptr;
  return {{"contents", {{"kind", "markdown"}, {"value", said}}}, {"range", write_range(text, start, end)}};
}

}  // namespace drover::lsp
