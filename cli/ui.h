// What a command writes: normal output to stdout, errors, warnings and hints to stderr (cli contract 1.4), and the shapes
// of it: tables, key-value blocks, short ids, relative times.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sdk/base/error.h"

namespace drover::cli {

class Ui {
 public:
  // Text that is captured instead of written, for tests.
  struct Capture {
    std::string out, err;
  };
  explicit Ui(Capture* capture = nullptr) : capture_(capture) {}

  void out(std::string_view line) { write(diverted_, line, true); }
  void out_raw(std::string_view text) { write(diverted_, text, false); }
  // A document that is all of the standard output; what else is written goes to stderr from `divert` on.
  void document(std::string_view text) { write(false, text, false); }
  void divert() { diverted_ = true; }
  void error(std::string_view line) { write(true, line, true); }
  void error_raw(std::string_view text) { write(true, text, false); }
  void set_color(bool on) { color_ = on; }
  // The path the program was called by. As `nomad` it keeps to the reference's texts where scripts may read them.
  void set_program(std::string path) { program_ = std::move(path); }
  [[nodiscard]] const std::string& program_path() const { return program_; }
  [[nodiscard]] bool is_nomad() const { return std::string_view(program_).substr(program_.rfind('/') + 1) == "nomad"; }
  // Whether messages about a file show the line they are about: not to scripts that read the reference's texts.
  [[nodiscard]] bool shows_excerpts() const;
  // Asks on standard output and reads a line of standard input.
  [[nodiscard]] std::string ask(std::string_view question);
  // Shows a page in the user's browser.
  [[nodiscard]] Result<> open_browser(const std::string& url);
  [[nodiscard]] bool color() const { return color_; }
  // The same of what goes to stderr.
  void set_error_color(bool on) { error_color_ = on; }
  [[nodiscard]] bool error_color() const { return error_color_; }
  // Bold when colours are on.
  [[nodiscard]] std::string heading(std::string_view text) const;

 private:
  void write(bool to_error, std::string_view text, bool newline);
  Capture* capture_;
  bool color_ = false, error_color_ = false, diverted_ = false;
  std::string program_ = "drover";
};

// Rows of cells, the first being the head; two blanks between columns, an empty cell shows `<none>` unless `keep_empty`.
[[nodiscard]] std::string format_table(const std::vector<std::vector<std::string>>& rows, bool keep_empty = false);
// `Key   = value` lines.
[[nodiscard]] std::string format_pairs(const std::vector<std::pair<std::string, std::string>>& pairs);

// The first 8 characters unless verbose.
[[nodiscard]] std::string short_id(std::string_view id, bool verbose);
// RFC 3339 in local time without fraction; empty for 0.
[[nodiscard]] std::string format_time(std::int64_t unix_nanos);
// `1m3s ago`, at most two units; `5m from now`; empty for 0.
[[nodiscard]] std::string relative_time(std::int64_t unix_nanos, std::int64_t now_unix_nanos);
// `256 MiB`, `9.8 GiB`.
[[nodiscard]] std::string format_bytes(std::uint64_t bytes);
// Pretty JSON with four blanks; text that is no JSON is returned as it is.
[[nodiscard]] std::string pretty_json(std::string_view json);

}  // namespace drover::cli
