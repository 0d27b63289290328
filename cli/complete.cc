#include "cli/complete.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/api_client.h"
#include "sdk/base/file.h"
#include "sdk/base/text.h"

namespace drover::cli {
namespace {
namespace fs = std::filesystem;

bool is_job_file(std::string_view name) { return name.ends_with(".nomad") || name.ends_with(".hcl") || name.ends_with(".json"); }

// Files and directories that continue a path.
std::vector<std::string> files(const std::string& partial, bool job_files) {
  const std::size_t slash = partial.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : partial.substr(0, slash + 1);
  const std::string start = slash == std::string::npos ? partial : partial.substr(slash + 1);
  std::vector<std::string> out;
  std::error_code error;
  for (auto entry = fs::directory_iterator(folder.empty() ? "." : folder, error); !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(start) || (start.empty() && name.starts_with('.'))) continue;
    std::error_code ignored;
    if (entry->is_directory(ignored)) out.push_back(folder + name + "/");
    else if (!job_files || is_job_file(name)) out.push_back(folder + name);
  }
  return out;
}

struct Words {
  std::vector<std::string> done;
  std::string partial;
};

// The words after the program's name; the last one is what is being typed.
Words words_of(std::string_view line) {
  Words out;
  for (std::string& word : split(line, ' ')) {
    if (!word.empty()) out.done.push_back(std::move(word));
  }
  if (!out.done.empty()) out.done.erase(out.done.begin());
  if (!line.empty() && line.back() != ' ' && !out.done.empty()) {
    out.partial = out.done.back();
    out.done.pop_back();
  }
  return out;
}

// The command the words name and how many of them do.
std::pair<const CommandEntry*, std::size_t> command_of(const std::vector<std::string>& words) {
  std::string name;
  std::pair<const CommandEntry*, std::size_t> out{nullptr, 0};
  for (std::size_t i = 0; i < words.size() && !words[i].starts_with('-'); ++i) {
    name += (i == 0 ? "" : " ") + words[i];
    if (const CommandEntry* found = find_command(name); found != nullptr) out = {found, i + 1};
  }
  return out;
}

std::string completion_line(const std::string& program) {
  const std::string name = program.substr(program.rfind('/') + 1);
  std::error_code error;
  const fs::path path = program.find('/') == std::string::npos ? fs::read_symlink("/proc/self/exe", error) : fs::absolute(program, error);
  return fmt::format("complete -C {} {}", path.lexically_normal().string(), name);
}

struct ShellFile {
  std::string path;
  std::vector<std::string> lines;
  bool create = false;  // the file is ours alone
};

std::vector<ShellFile> shell_files(const std::string& home, const std::string& program) {
  const std::string line = completion_line(program);
  const std::string name = program.substr(program.rfind('/') + 1);
  std::vector<ShellFile> out;
  std::error_code error;
  for (const char* file : {".bashrc", ".bash_profile", ".bash_login", ".profile"}) {
    if (!fs::exists(home + "/" + file, error)) continue;
    out.push_back({home + "/" + file, {line}});
    break;
  }
  if (fs::exists(home + "/.zshrc", error)) out.push_back({home + "/.zshrc", {"autoload -U +X bashcompinit && bashcompinit", replace_all(line, "complete -C", "complete -o nospace -C")}});
  if (fs::exists(home + "/.config/fish", error)) {
    const std::string path = line.substr(12, line.rfind(' ') - 12);
    out.push_back({home + "/.config/fish/completions/" + name + ".fish",
                   {fmt::format("complete -f -c {} -a '(env COMP_LINE=(commandline -cp) {})'", name, path)},
                   true});
  }
  return out;
}
}  // namespace

std::vector<std::string> complete(std::string_view line, const Lookup& lookup) {
  const Words words = words_of(line);
  const auto [entry, used] = command_of(words.done);
  std::set<std::string> out;
  if (entry != nullptr && words.partial.starts_with('-')) {
    FlagSet flags;
    GeneralOptions options;
    const auto command = entry->make();
    command->flags(flags);
    if (entry->general_options) add_general_flags(flags, options);
    for (const std::string& name : flags.names()) {
      if (name.starts_with(words.partial)) out.insert(name);
    }
    return {out.begin(), out.end()};
  }
  // Words of commands below what stands there; a group's name may be a command's as well.
  if (entry == nullptr || used == words.done.size()) {
    const std::string prefix = words.done.empty() ? "" : join(words.done, " ") + " ";
    for (const CommandEntry& other : all_commands()) {
      if (other.hidden || !other.words.starts_with(prefix)) continue;
      const std::string rest = other.words.substr(prefix.size());
      const std::string word = rest.substr(0, rest.find(' '));
      if (!word.empty() && word.starts_with(words.partial)) out.insert(word);
    }
  }
  if (entry == nullptr || entry->completes == Completes::nothing) return {out.begin(), out.end()};
  const bool by_file = entry->completes == Completes::files || entry->completes == Completes::job_files;
  for (std::string& found : by_file ? files(words.partial, entry->completes == Completes::job_files) : lookup(entry->completes, words.partial)) out.insert(std::move(found));
  return {out.begin(), out.end()};
}

std::vector<std::string> ask_api(Completes kind, const std::string& prefix) {
  struct Source {
    Completes kind;
    const char* path;
    const char* name;
  };
  static constexpr Source sources[] = {{Completes::jobs, "/v1/jobs", "ID"},   {Completes::allocs, "/v1/allocations", "ID"},
                                       {Completes::nodes, "/v1/nodes", "ID"}, {Completes::evals, "/v1/evaluations", "ID"},
                                       {Completes::deployments, "/v1/deployments", "ID"}, {Completes::namespaces, "/v1/namespaces", "Name"},
                                       {Completes::pools, "/v1/node/pools", "Name"}};
  ApiClient api(options_from_environment());
  std::vector<std::string> out;
  for (const Source& source : sources) {
    if (kind != source.kind && kind != Completes::anything) continue;
    // Ids are asked for by whole bytes.
    std::string asked = prefix;
    if (std::string_view(source.name) == "ID" && source.kind != Completes::jobs && std::count_if(asked.begin(), asked.end(), [](char c) { return c != '-'; }) % 2 != 0) {
      asked.pop_back();
    }
    auto answer = api.get(source.path, {{"prefix", asked}});
    if (!answer) continue;
    for (const auto& item : nlohmann::json::parse(answer->body, nullptr, false)) {
      if (!item.is_object()) continue;
      std::string name = item.value(source.name, "");
      if (name.starts_with(prefix)) out.push_back(std::move(name));
    }
  }
  return out;
}

Result<std::vector<std::string>> install_completion(const std::string& home, const std::string& program) {
  std::vector<std::string> changed;
  for (const ShellFile& file : shell_files(home, program)) {
    auto text = file.create ? Result<std::string>(std::string()) : read_file(file.path);
    if (!text) return fail(text.error());
    std::string added;
    for (const std::string& line : file.lines) {
      if (("\n" + *text + "\n").find("\n" + line + "\n") == std::string::npos) added += line + "\n";
    }
    if (added.empty()) continue;
    if (!text->empty() && text->back() != '\n') *text += '\n';
    std::error_code error;
    if (file.create) fs::create_directories(fs::path(file.path).parent_path(), error);
    DROVER_TRY(write_file(file.path, *text + added));
    changed.push_back(file.path);
  }
  if (changed.empty()) return fail(Code::already_exists, "no shell file to change: completion is installed, or there is no .bashrc, .zshrc or .config/fish in {}", quote(home));
  return changed;
}

Result<std::vector<std::string>> uninstall_completion(const std::string& home, const std::string& program) {
  std::vector<std::string> changed;
  for (const ShellFile& file : shell_files(home, program)) {
    std::error_code error;
    if (!fs::exists(file.path, error)) continue;
    if (file.create) {
      fs::remove(file.path, error);
      changed.push_back(file.path);
      continue;
    }
    auto text = read_file(file.path);
    if (!text) return fail(text.error());
    std::string kept;
    for (const std::string& line : split(*text, '\n')) {
      if (line != file.lines.back()) kept += line + "\n";
    }
    kept.pop_back();
    if (kept == *text) continue;
    DROVER_TRY(write_file(file.path, kept));
    changed.push_back(file.path);
  }
  if (changed.empty()) return fail(Code::not_found, "completion is not installed in {}", quote(home));
  return changed;
}

}  // namespace drover::cli
