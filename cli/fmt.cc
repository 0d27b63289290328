// fmt: files of the job file language in their canonical layout (cli contract 3.11).
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <iterator>

#include "cli/commands.h"
#include "cli/report.h"
#include "lib/hcl/format.h"
#include "lib/hcl/parser.h"
#include "sdk/base/file.h"
#include "sdk/base/text.h"

namespace drover::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t wrap_columns = 80;

std::string wrap(std::string_view text) {
  std::string out;
  std::size_t column = 0;
  for (const std::string& word : split(text, ' ')) {
    if (column != 0 && column + 1 + word.size() > wrap_columns) {
      out += "\n";
      column = 0;
    } else if (column != 0) {
      out += " ";
      column++;
    }
    out += word;
    column += word.size();
  }
  return out;
}

// The source lines of a diagnostic with their numbers; a range that ends with a line break shows the next line too.
std::string excerpt(const hcl::Range& range) {
  std::string out;
  int number = 0;
  for (const std::string& line : split(range.file->text, '\n')) {
    ++number;
    if (number >= range.start.line && number <= range.end.line) out += fmt::format("{:4}: {}\n", number, line);
  }
  return out;
}

std::string show(const hcl::Diagnostic& diagnostic) {
  std::string out = fmt::format("{}: {}\n\n", diagnostic.warning ? "Warning" : "Error", diagnostic.summary);
  if (diagnostic.subject && diagnostic.subject->file) {
    out += fmt::format("  on {} line {}:\n{}\n", diagnostic.subject->file->name, diagnostic.subject->start.line, excerpt(*diagnostic.subject));
  }
  if (!diagnostic.detail.empty()) out += wrap(diagnostic.detail) + "\n\n";
  return out;
}

bool is_job_language(const fs::path& path) { return path.extension() == ".hcl" || path.extension() == ".nomad"; }

class Fmt final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("check", check_, "Write nothing; exit 1 when a file would change.");
    set.boolean("list", list_, "Print the names of files that change.");
    set.boolean("write", write_, "Write changed files; otherwise the text is printed.");
    set.boolean("recursive", recursive_, "Also look into folders below.");
    report_.flags(set);
  }

  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (!report_.start(context)) return 1;
    return report_.finish(context, format_all(context, arguments));
  }

 private:
  int format_all(Context& context, const std::vector<std::string>& arguments) {
    if (arguments.size() == 1 && arguments[0] == "-") return format_input(context);
    std::vector<std::string> files;
    std::vector<std::string> missing;
    for (const std::string& argument : arguments.empty() ? std::vector<std::string>{"."} : arguments) {
      std::error_code error;
      if (fs::is_directory(argument, error)) collect(argument, files);
      else if (fs::exists(argument, error)) files.push_back(argument);
      else missing.push_back(fmt::format("No file or directory at {}", argument));
    }
    if (!missing.empty()) {
      return context.usage_error(fmt::format("{} error{} occurred:\n\t* {}\n\n", missing.size(), missing.size() == 1 ? "" : "s", join(missing, "\n\t* ")));
    }
    int code = 0;
    for (const std::string& file : files) code = std::max(code, format_file(context, file));
    return code;
  }

  void collect(const std::string& folder, std::vector<std::string>& files) const {
    std::error_code error;
    std::vector<fs::path> entries;
    for (const auto& entry : fs::directory_iterator(folder, error)) entries.push_back(entry.path());
    std::sort(entries.begin(), entries.end());
    for (const fs::path& path : entries) {
      const std::string name = folder == "." ? path.filename().string() : path.string();
      // A link is not followed: it might lead out of the folder, or round in it.
      if (fs::is_symlink(path, error)) continue;
      if (fs::is_directory(path, error)) {
        if (recursive_) collect(name, files);
      } else if (is_job_language(path)) {
        files.push_back(name);
      }
    }
  }

  Result<std::string> canonical(Context& context, const std::string& name, std::string text) {
    const hcl::SourcePtr source = hcl::make_source(name, std::move(text));
    hcl::Diagnostics diagnostics;
    (void)hcl::parse_native(source, diagnostics);
    if (diagnostics.has_errors()) {
      if (report_.as_text()) {
        for (const hcl::Diagnostic& diagnostic : diagnostics.items()) context.ui.error_raw(show(diagnostic));
      } else {
        report_.say(context, lint::from_diagnostics(diagnostics, name));
      }
      return fail(Code::invalid_argument, "{} cannot be parsed", name);
    }
    return hcl::format(source);
  }

  // A file that -check finds laid out otherwise, at the first line that differs.
  void found_unformatted(Context& context, const std::string& name, const std::string& text, const std::string& formatted) {
    if (report_.as_text()) return;
    const auto differs = std::mismatch(text.begin(), text.end(), formatted.begin(), formatted.end()).first;
    const std::size_t at = static_cast<std::size_t>(differs - text.begin());
    const std::size_t before = at == 0 ? std::string::npos : text.rfind('\n', at - 1);
    const std::size_t start = before == std::string::npos ? 0 : before + 1;
    hcl::Range place{hcl::make_source(name, text), {}, {}};
    hcl::advance(place.start, std::string_view(text).substr(0, start));
    place.end = place.start;
    hcl::advance(place.end, std::string_view(text).substr(start, std::min(text.find('\n', start), text.size()) - start));
    report_.say(context, {{.id = lint::format_rule, .summary = "the file is not in the canonical layout", .detail = fmt::format("run: drover fmt {}", name), .place = place}});
  }

  int format_input(Context& context) {
    const std::string text(std::istreambuf_iterator<char>(std::cin), {});
    auto formatted = canonical(context, "<stdin>", text);
    if (!formatted) return 1;
    if (check_ && *formatted != text) found_unformatted(context, "<stdin>", text, *formatted);
    if (check_) return *formatted == text ? 0 : 1;
    context.ui.out_raw(*formatted);
    return 0;
  }

  int format_file(Context& context, const std::string& file) {
    auto text = read_file(file);
    if (!text) return context.failed(fmt::format("Error reading {}: {}", file, text.error().message()));
    auto formatted = canonical(context, file, *text);
    if (!formatted) return 1;
    const bool changes = *formatted != *text;
    if (changes && list_) context.ui.out(file);
    if (check_ && changes) found_unformatted(context, file, *text, *formatted);
    if (check_) return changes ? 1 : 0;
    if (changes && write_) {
      if (auto written = write_file(file, *formatted); !written) return context.failed(fmt::format("Error writing {}: {}", file, written.error().message()));
    }
    if (!list_ && !write_) context.ui.out_raw(*formatted);
    return 0;
  }

  Report report_;
  bool check_ = false, list_ = true, write_ = true, recursive_ = false;
};

}  // namespace

std::unique_ptr<Command> make_fmt() { return std::make_unique<Fmt>(); }

}  // namespace drover::cli
