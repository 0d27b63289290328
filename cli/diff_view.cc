#include "cli/diff_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "sdk/base/text.h"

namespace drover::cli {
namespace {

using model::FieldDiff;
using model::List;
using model::ObjectDiff;

constexpr const char* green = "32";
constexpr const char* red = "31";
constexpr const char* yellow = "33";
constexpr const char* light_yellow = "93";
constexpr const char* blue = "34";
constexpr const char* cyan = "36";
constexpr const char* bold = "1";

struct Marker {
  const char* text;
  const char* color;

  [[nodiscard]] std::size_t size() const { return std::string_view(text).size(); }
};

Marker marker_of(const std::string& type) {
  if (type == "Added") return {"+ ", green};
  if (type == "Deleted") return {"- ", red};
  if (type == "Edited") return {"+/- ", light_yellow};
  return {"", ""};
}

const char* color_of(std::string_view what) {
  if (what.ends_with("create/destroy update")) return yellow;
  if (what.ends_with("in-place update")) return cyan;
  if (what.ends_with("create")) return green;
  if (what.ends_with("destroy")) return red;
  if (what == "migrate") return blue;
  if (what == "canary") return light_yellow;
  return "";
}

std::string blanks(std::size_t count) { return std::string(count, ' '); }

// Siblings line up: markers are padded to the widest one, names to the longest.
struct Widths {
  std::size_t name = 0;
  std::size_t marker = 0;

  template <class Items>
  void markers(const Items& items) {
    for (const auto& item : items) marker = std::max(marker, marker_of(item.type).size());
  }
  void fields(const List<FieldDiff>& items) {
    markers(items);
    for (const FieldDiff& field : items) name = std::max(name, field.name.size());
  }
};

class Writer {
 public:
  explicit Writer(const DiffStyle& style) : style_(style) {}

  void job(const model::JobDiff& diff) {
    line(0, diff.type, 0, fmt::format("Job: {}", quote(diff.id)), bold);
    Widths widths;
    widths.fields(diff.fields);
    widths.markers(diff.objects);
    widths.markers(diff.task_groups);
    if (diff.type == "Edited" || style_.verbose) contents(diff.fields, diff.objects, 0, widths);
    for (const auto& item : diff.task_groups) group(item, widths);
  }

  [[nodiscard]] std::string text() && {
    while (out_.ends_with('\n')) out_.pop_back();
    return std::move(out_);
  }

 private:
  [[nodiscard]] std::string paint(const char* color, const std::string& text) const {
    return style_.color && *color != '\0' ? fmt::format("\x1b[{}m{}\x1b[0m", color, text) : text;
  }

  // Marker, the blanks that a shorter marker lacks, and the text.
  void line(std::size_t indent, const std::string& type, std::size_t lacking, const std::string& text, const char* color = "") {
    const Marker marker = marker_of(type);
    out_ += blanks(indent) + paint(marker.color, marker.text) + blanks(lacking) + paint(color, text) + "\n";
  }
  [[nodiscard]] static std::size_t lacking(const Widths& widths, const std::string& type) { return widths.marker - marker_of(type).size(); }

  [[nodiscard]] std::string annotations(const List<std::string>& texts) const {
    if (texts.empty()) return "";
    std::string out;
    for (const std::string& text : texts) out += (out.empty() ? "" : ", ") + paint(color_of(text), text);
    return fmt::format(" ({})", out);
  }

  void contents(const List<FieldDiff>& fields, const List<ObjectDiff>& objects, std::size_t indent, const Widths& widths) {
    for (const FieldDiff& item : fields) field(item, indent, widths);
    for (const ObjectDiff& item : objects) object(item, indent, widths);
  }

  void field(const FieldDiff& diff, std::size_t indent, const Widths& widths) {
    std::string value = diff.type == "Deleted" ? quote(diff.old) : quote(diff.new_);
    if (diff.type == "Edited") value = fmt::format("{} => {}", quote(diff.old), value);
    line(indent, diff.type, lacking(widths, diff.type),
         fmt::format("{}: {}{}{}", diff.name, blanks(widths.name - diff.name.size()), value, annotations(diff.annotations)));
  }

  void object(const ObjectDiff& diff, std::size_t indent, const Widths& outer) {
    const std::size_t missing = lacking(outer, diff.type);
    line(indent, diff.type, missing, diff.name + " {");
    Widths widths;
    widths.fields(diff.fields);
    widths.markers(diff.objects);
    if (diff.fields.empty() && diff.objects.empty()) out_ += "\n";
    contents(diff.fields, diff.objects, indent + missing + 2, widths);
    out_ += blanks(indent + outer.marker) + "}\n";
  }

  void group(const model::TaskGroupDiff& diff, const Widths& outer) {
    const std::size_t missing = lacking(outer, diff.type);
    std::string title = paint(bold, fmt::format("Task Group: {}", quote(diff.name)));
    std::string updates;
    for (const auto& [name, count] : diff.updates) updates += (updates.empty() ? "" : ", ") + paint(color_of(name), fmt::format("{} {}", count, name));
    if (!updates.empty()) title += fmt::format(" ({})", updates);
    line(0, diff.type, missing, title);
    Widths widths;
    widths.fields(diff.fields);
    widths.markers(diff.objects);
    widths.markers(diff.tasks);
    const std::size_t indent = missing + 2;
    if (diff.type == "Edited" || style_.verbose) contents(diff.fields, diff.objects, indent, widths);
    for (const auto& item : diff.tasks) task(item, indent, widths);
    out_ += "\n";
  }

  void task(const model::TaskDiff& diff, std::size_t indent, const Widths& outer) {
    line(indent, diff.type, lacking(outer, diff.type), paint(bold, fmt::format("Task: {}", quote(diff.name))) + annotations(diff.annotations));
    if (diff.type == "None" || (diff.type != "Edited" && !style_.verbose)) return;
    Widths widths;
    widths.fields(diff.fields);
    widths.markers(diff.objects);
    contents(diff.fields, diff.objects, indent + 2, widths);
  }

  const DiffStyle& style_;
  std::string out_;
};

}  // namespace

std::string format_job_diff(const model::JobDiff& diff, const DiffStyle& style) {
  Writer writer(style);
  writer.job(diff);
  return std::move(writer).text();
}

}  // namespace drover::cli
