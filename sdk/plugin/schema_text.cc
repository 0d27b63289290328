#include "sdk/plugin/schema_text.h"

#include <fmt/format.h>

#include "sdk/base/text.h"

namespace drover::plugin {
namespace {
template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};

// A line of the text: what to write, and what to know of it.
struct Line {
  std::string code, note;
};

class Writer {
 public:
  explicit Writer(std::string indent) : indent_(std::move(indent)) {}

  void write(const Spec& spec, const std::string& key, const std::string& fallback) {
    if (!spec) return;
    std::visit(Overloaded{
                   [&](const ObjectSpec& kind) {
                     for (const auto& [name, child] : kind.attributes) write(child, name, "");
                   },
                   [&](const ArraySpec& kind) {
                     for (const Spec& child : kind.values) write(child, key, "");
                   },
                   [&](const AttrSpec& kind) { add(fmt::format("{} = {}", named(kind.name, key), kind.type), note(kind.required, fallback)); },
                   [&](const BlockSpec& kind) { block(named(kind.name, key), kind.nested, note(kind.required, fallback)); },
                   [&](const BlockAttrsSpec& kind) {
                     const std::string name = named(kind.name, key);
                     add(name + " {", note(kind.required, fallback));
                     add(fmt::format("  <name> = {}", kind.type), "any number of them");
                     add("}", "");
                   },
                   [&](const BlockListSpec& kind) { block(named(kind.name, key), kind.nested, count(kind.min_items, kind.max_items)); },
                   [&](const BlockSetSpec& kind) { block(named(kind.name, key), kind.nested, count(kind.min_items, kind.max_items)); },
                   [&](const BlockMapSpec& kind) {
                     std::string head = named(kind.name, key);
                     for (const auto& label : kind.labels) head += fmt::format(" \"<{}>\"", label);
                     block(head, kind.nested, "any number, each with labels of its own");
                   },
                   [&](const DefaultSpec& kind) {
                     const auto* literal = kind.fallback ? std::get_if<LiteralSpec>(&kind.fallback.node().kind) : nullptr;
                     write(kind.primary, key, literal != nullptr ? "default: " + literal->value : "has a default");
                   },
                   [&](const LiteralSpec&) {},  // nothing a user can write
               },
               spec.node().kind);
  }

  [[nodiscard]] std::string text() const {
    std::size_t width = 0;
    for (const Line& line : lines_) width = std::max(width, line.note.empty() ? 0 : line.code.size());
    std::string out;
    for (const Line& line : lines_) {
      out += indent_ + line.code;
      if (!line.note.empty()) out += std::string(width - line.code.size() + 2, ' ') + "# " + line.note;
      out += "\n";
    }
    return out;
  }

 private:
  static std::string named(const std::string& name, const std::string& key) { return name.empty() ? key : name; }
  static std::string note(bool required, const std::string& fallback) { return required ? "required" : fallback; }
  static std::string count(std::uint64_t least, std::uint64_t most) {
    if (least == 0 && most == 0) return "any number of blocks";
    if (most == 0) return fmt::format("at least {}", least);
    return least == most ? fmt::format("exactly {}", least) : fmt::format("{} to {}", least, most);
  }
  void block(const std::string& head, const Spec& nested, std::string about) {
    add(head + " {", std::move(about));
    Writer inside(indent_ + "  ");
    inside.write(nested, "", "");
    for (Line& line : inside.lines_) lines_.push_back({"  " + line.code, std::move(line.note)});
    add("}", "");
  }
  // What a plugin sent is shown, not obeyed.
  void add(const std::string& code, std::string about) { lines_.push_back({printable(code), printable(about)}); }
  static std::string printable(const std::string& from) {
    std::string out;
    for (const char c : from) out.push_back(static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c);
    return out;
  }

  std::string indent_;
  std::vector<Line> lines_;
};
}  // namespace

std::string schema_text(const Spec& schema, const std::string& indent) {
  Writer writer(indent);
  writer.write(schema, "", "");
  return writer.text();
}

}  // namespace drover::plugin
