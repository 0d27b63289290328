#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "lib/hcl/function_table.h"
#include "lib/hcl/unicode.h"
#include "sdk/base/encoding.h"
#include "sdk/base/text.h"

namespace drover::hcl {

namespace {

namespace fs = std::filesystem;

FunctionResult disabled(const Arguments&) { return function_error("filesystem function disabled"); }

std::string cleaned(const std::string& path) {
  if (path.empty()) return ".";
  std::string out = fs::path(path).lexically_normal().string();
  if (out.size() > 1 && out.ends_with('/')) out.pop_back();
  return out;
}

std::string expand_home(const std::string& path) {
  if (path != "~" && !path.starts_with("~/")) return path;
  const char* home = std::getenv("HOME");
  return home == nullptr ? path : home + path.substr(1);
}

class FileFunctions {
 public:
  explicit FileFunctions(const FileAccess& access) : folder_(access.folder), anywhere_(access.anywhere) {}

  [[nodiscard]] std::string absolute(const std::string& path) const {
    const std::string expanded = expand_home(path);
    return cleaned(expanded.starts_with('/') ? expanded : folder_ + "/" + expanded);
  }

  // only what lies in the job file's folder, links followed, unless the operator said otherwise.
  [[nodiscard]] std::optional<FunctionError> refuse(const std::string& path) const {
    if (anywhere_) return std::nullopt;
    std::error_code error;
    const fs::path root = fs::weakly_canonical(folder_, error);
    const std::string inside = fs::weakly_canonical(absolute(path), error).lexically_relative(root).string();
    if (!error && !inside.empty() && inside != ".." && !inside.starts_with("../")) return std::nullopt;
    return FunctionError{fmt::format("{} is outside the job file's folder; files are read only from there", cleaned(path))};
  }

  tl::expected<std::string, FunctionError> read(const std::string& path) const {
    if (auto refusal = refuse(path)) return tl::unexpected(std::move(*refusal));
    const std::string full = absolute(path);
    std::error_code error;
    if (!fs::exists(full, error)) return function_error(fmt::format("no file exists at {}", cleaned(path)));
    if (!fs::is_regular_file(full, error)) return function_error(fmt::format("failed to read {}", cleaned(path)));
    if (fs::file_size(full, error) > max_string_bytes) return function_error(fmt::format("{} is larger than {} bytes", cleaned(path), max_string_bytes));
    std::ifstream file(full, std::ios::binary);
    std::ostringstream bytes;
    bytes << file.rdbuf();
    if (!file) return function_error(fmt::format("failed to read {}", cleaned(path)));
    return bytes.str();
  }

  FunctionResult file(const Arguments& arguments) const {
    auto bytes = read(arguments[0].as_string());
    if (!bytes) return tl::unexpected(bytes.error());
    if (!is_valid_utf8(*bytes)) {
      return function_error(fmt::format("contents of {} are not valid UTF-8; use the filebase64 function to obtain the Base64 encoded contents or the other file functions (e.g. filemd5, filesha256) to obtain file hashing results instead", cleaned(arguments[0].as_string())));
    }
    return Value::string(std::move(*bytes));
  }

  FunctionResult file_base64(const Arguments& arguments) const {
    const auto bytes = read(arguments[0].as_string());
    if (!bytes) return tl::unexpected(bytes.error());
    return Value::string(base64_encode(*bytes));
  }

  FunctionResult exists(const Arguments& arguments) const {
    if (auto refusal = refuse(arguments[0].as_string())) return tl::unexpected(std::move(*refusal));
    const std::string full = absolute(arguments[0].as_string());
    std::error_code error;
    const auto status = fs::status(full, error);
    if (status.type() == fs::file_type::not_found) return Value::boolean(false);
    if (status.type() == fs::file_type::regular) return Value::boolean(true);
    return function_error(fmt::format("{} is not a regular file, but {}", cleaned(arguments[0].as_string()), quote(mode_text(status))));
  }

  FunctionResult set(const Arguments& arguments) const;

 private:
  static std::string mode_text(const fs::file_status& status) {
    std::string out = status.type() == fs::file_type::directory ? "d" : status.type() == fs::file_type::socket ? "S"
                      : status.type() == fs::file_type::fifo    ? "p" : "D";
    const auto bits = static_cast<unsigned>(status.permissions());
    for (int i = 8; i >= 0; i--) out += (bits >> i & 1U) != 0 ? "rwx"[(8 - i) % 3] : '-';
    return out;
  }

  std::string folder_;
  bool anywhere_;
};

// Alternatives in braces, one pattern each.
std::vector<std::string> expand_braces(const std::string& pattern) {
  const std::size_t open = pattern.find('{');
  const std::size_t close = open == std::string::npos ? open : pattern.find('}', open);
  if (close == std::string::npos) return {pattern};
  std::vector<std::string> out;
  for (const std::string& choice : split(pattern.substr(open + 1, close - open - 1), ',')) {
    for (std::string& expanded : expand_braces(pattern.substr(0, open) + choice + pattern.substr(close + 1))) out.push_back(std::move(expanded));
    if (out.size() > 1000) break;
  }
  return out;
}

bool balanced(std::string_view pattern) {
  int brackets = 0;
  int braces = 0;
  for (std::size_t i = 0; i < pattern.size(); i++) {
    if (pattern[i] == '\\') i++;
    else if (pattern[i] == '[') brackets++;
    else if (pattern[i] == ']' && brackets > 0) brackets--;
    else if (pattern[i] == '{') braces++;
    else if (pattern[i] == '}') braces--;
  }
  return brackets == 0 && braces == 0;
}

bool match_class(std::string_view& pattern, char c) {
  std::size_t close = pattern.find(']', 2);
  if (close == std::string_view::npos) return false;
  const std::string_view inside = pattern.substr(1, close - 1);
  pattern.remove_prefix(close + 1);
  const bool negated = inside.starts_with('^') || inside.starts_with('!');
  bool found = false;
  for (std::size_t i = negated ? 1 : 0; i < inside.size(); i++) {
    if (i + 2 < inside.size() && inside[i + 1] == '-') {
      found = found || (c >= inside[i] && c <= inside[i + 2]);
      i += 2;
    } else {
      found = found || inside[i] == c;
    }
  }
  return found != negated;
}

// `*` stays within a name, `**` as a whole part takes any number of folders.
bool matches(std::string_view pattern, std::string_view path, int depth = 0) {
  if (depth > 100) return false;
  while (!pattern.empty()) {
    if (pattern == "**") return true;
    if (pattern.starts_with("**/")) {
      const std::string_view rest = pattern.substr(3);
      while (true) {
        if (matches(rest, path, depth + 1)) return true;
        const std::size_t slash = path.find('/');
        if (slash == std::string_view::npos) return false;
        path.remove_prefix(slash + 1);
      }
    }
    if (pattern[0] == '*') {
      pattern.remove_prefix(1);
      for (std::size_t i = 0; i <= path.size(); i++) {
        if (matches(pattern, path.substr(i), depth + 1)) return true;
        if (i < path.size() && path[i] == '/') return false;
      }
      return false;
    }
    if (path.empty()) return false;
    if (pattern[0] == '[') {
      if (path[0] == '/' || !match_class(pattern, path[0])) return false;
    } else {
      if (pattern[0] == '\\' && pattern.size() > 1) pattern.remove_prefix(1);
      else if (pattern[0] == '?' && path[0] != '/') { pattern.remove_prefix(1); path.remove_prefix(1); continue; }
      if (pattern[0] != path[0]) return false;
      pattern.remove_prefix(1);
    }
    path.remove_prefix(1);
  }
  return path.empty();
}

FunctionResult FileFunctions::set(const Arguments& arguments) const {
  const std::string& pattern = arguments[1].as_string();
  if (!balanced(pattern)) return function_error(fmt::format("failed to glob pattern ({}): syntax error in pattern", pattern));
  if (auto refusal = refuse(arguments[0].as_string())) return tl::unexpected(std::move(*refusal));
  const std::vector<std::string> patterns = expand_braces(pattern);
  const std::string root = absolute(arguments[0].as_string());
  Value::List out;
  std::error_code error;
  std::size_t seen = 0;
  for (auto entry = fs::recursive_directory_iterator(root, fs::directory_options::skip_permission_denied, error);
       !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (++seen > 100'000) return function_error(fmt::format("{} holds too many files", cleaned(arguments[0].as_string())));
    if (!entry->is_regular_file(error)) continue;
    const std::string path = entry->path().lexically_relative(root).string();
    if (std::any_of(patterns.begin(), patterns.end(), [&](const std::string& one) { return matches(one, path); })) out.push_back(Value::string(path));
  }
  return Value::set(Type::string(), std::move(out));
}

std::string base_name(const std::string& path) {
  if (path.empty()) return ".";
  std::string_view text = path;
  while (text.size() > 1 && text.ends_with('/')) text.remove_suffix(1);
  if (text == "/") return "/";
  const std::size_t slash = text.rfind('/');
  return std::string(slash == std::string_view::npos ? text : text.substr(slash + 1));
}

std::string dir_name(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return cleaned(slash == std::string::npos ? "" : path.substr(0, slash + 1));
}

}  // namespace

void add_file_functions(FunctionTable& table, const FileAccess& files) {
  const std::vector<Parameter> path{text("path")};
  if (!files.enabled) {
    // the server's parse endpoint reads no files.
    for (const char* name : {"abspath", "basename", "dirname", "file", "filebase64", "fileexists", "pathexpand"}) table[name] = function(path, disabled);
    table["fileset"] = function({text("path"), text("pattern")}, disabled);
    return;
  }
  const auto access = std::make_shared<const FileFunctions>(files);
  table["abspath"] = function(path, [access](const Arguments& a) { return Value::string(access->absolute(a[0].as_string())); });
  table["basename"] = function(path, [](const Arguments& a) { return Value::string(base_name(a[0].as_string())); });
  table["dirname"] = function(path, [](const Arguments& a) { return Value::string(dir_name(a[0].as_string())); });
  table["pathexpand"] = function(path, [](const Arguments& a) { return Value::string(expand_home(a[0].as_string())); });
  table["file"] = function(path, [access](const Arguments& a) { return access->file(a); });
  table["filebase64"] = function(path, [access](const Arguments& a) { return access->file_base64(a); });
  table["fileexists"] = function(path, [access](const Arguments& a) { return access->exists(a); });
  table["fileset"] = function({text("path"), text("pattern")}, [access](const Arguments& a) { return access->set(a); });
}

}  // namespace drover::hcl
