// Completion: what may stand at a position, as items that replace what is written of it.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "lib/lsp/catalogue.h"
#include "lib/lsp/server.h"

namespace drover::lsp {

using nlohmann::json;

namespace {

enum Kind : int { function = 3, variable = 6, module = 9, property = 10, value = 12, keyword = 14, enum_member = 20, constant = 21 };

class List {
 public:
  List(const Document& document, const Cursor& cursor, std::size_t byte) : prefix_(cursor.prefix), range_(write_range(document.text, cursor.prefix_start, byte)) {}

  // `text` replaces the prefix; with `snippet` it has places to fill in.
  void add(const std::string& label, Kind kind, const std::string& detail, const std::string& note, const std::string& text, bool snippet = false) {
    // Editors filter too, and better; what cannot match is left out only to keep the list short.
    if (!prefix_.empty() && label.find(prefix_.substr(0, 1)) == std::string::npos) return;
    json item{{"label", label}, {"kind", static_cast<int>(kind)}, {"filterText", label}, {"textEdit", {{"range", range_}, {"newText", text}}}};
    if (!detail.empty()) item["detail"] = detail;
    if (!note.empty()) item["documentation"] = note;
    if (snippet) item["insertTextFormat"] = 2;
    items_.push_back(std::move(item));
  }
  [[nodiscard]] json done() && { return {{"isIncomplete", false}, {"items", std::move(items_)}}; }

 private:
  std::string prefix_;
  json range_;
  json items_ = json::array();
};

void add_statements(List& list, const Outline& outline, const lint::DriverSchemas& schemas, bool snippets) {
  const auto& frames = outline.cursor.frames;
  const Frame& around = frames.empty() ? *outline.file : *frames.back();
  for (const Entry& entry : entries_at(frames, schemas)) {
    if (around.names.contains(entry.name) && !entry.repeatable) continue;
    if (!entry.block) {
      list.add(entry.name, property, entry.takes, entry.note, entry.name + " = ");
      continue;
    }
    const std::string label = entry.labelled ? (snippets ? " \"$1\"" : " \"\"") : "";
    list.add(entry.name, module, entry.takes, entry.note, snippets ? entry.name + label + " {\n  $0\n}" : entry.name + label + " {\n}", snippets);
  }
}

const Entry* find(const std::vector<Entry>& entries, const std::string& name) {
  const auto found = std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.name == name; });
  return found == entries.end() ? nullptr : &*found;
}

// Words that an attribute takes, with quotes around them where they are not there yet.
void add_values(List& list, const Outline& outline, const lint::DriverSchemas& schemas, bool quoted) {
  const auto write = [&](const std::string& word) { return quoted ? "\"" + word + "\"" : word; };
  const auto entries = entries_at(outline.cursor.frames, schemas);
  const Entry* entry = find(entries, outline.cursor.attribute);
  if (entry != nullptr && entry->values != nullptr) {
    for (const std::string& word : *entry->values) list.add(write(word), enum_member, "", "", write(word));
  }
  const bool in_task = !outline.cursor.frames.empty() && outline.cursor.frames.back()->type == "task";
  if (in_task && outline.cursor.attribute == "driver") {
    std::set<std::string> names{"docker", "exec", "java", "podman", "qemu", "raw_exec"};
    for (const auto& [name, schema] : schemas) names.insert(name);
    for (const std::string& name : names) list.add(write(name), value, schemas.contains(name) ? "installed" : "driver", "", write(name));
  }
  if (quoted && entry != nullptr && (entry->takes.starts_with("true or false") || entry->takes.starts_with("bool"))) {
    for (const char* word : {"true", "false"}) list.add(word, keyword, "", "", word);
  }
}

void add_names(List& list, const Outline& outline, bool snippets) {
  for (const Name& name : names_at(outline)) {
    // What is filled in when the task starts makes sense in texts; `${...}` around it comes with the first blank.
    if (name.function) list.add(name.name, function, name.shape, name.note, snippets ? name.name + "($0)" : name.name + "(", snippets);
    else if (!name.runtime) list.add(name.name, variable, name.shape, name.note, name.name);
    else if (outline.cursor.interpolation) list.add(name.name, constant, name.shape, name.note, name.name);
  }
}

}  // namespace

json complete(const Document& document, std::size_t byte, const lint::DriverSchemas& schemas, bool snippets) {
  const Outline outline = look_at(document.text, byte);
  List list(document, outline.cursor, byte);
  switch (outline.cursor.place) {
    case Cursor::Place::statement: add_statements(list, outline, schemas, snippets); break;
    case Cursor::Place::text: add_values(list, outline, schemas, false); break;
    case Cursor::Place::expression:
      if (!outline.cursor.interpolation) add_values(list, outline, schemas, true);
      add_names(list, outline, snippets);
      break;
    case Cursor::Place::header: case Cursor::Place::comment: break;
  }
  return std::move(list).done();
}

}  // namespace drover::lsp
