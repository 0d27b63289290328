#include "agent/pluginhost/catalogue.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace drover::pluginhost {
namespace {

void scan(const std::string& directory, bool first_party, const std::map<std::string, PluginBlock>& blocks, Catalogue& out) {
  if (directory.empty()) return;
  std::error_code error;
  std::vector<std::string> names;
  for (auto at = std::filesystem::directory_iterator(directory, error); !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
    names.push_back(at->path().filename().string());
  }
  if (error) {
    if (!first_party) out.skipped.push_back({directory, "the plugin directory cannot be read: " + error.message(), "create it, or set plugin_dir in the client block"});
    return;
  }
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    const std::string path = directory + "/" + name;
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) {
      out.skipped.push_back({path, std::string("it cannot be read: ") + std::strerror(errno), "remove it or mend the link"});
      continue;
    }
    if (!S_ISREG(info.st_mode)) continue;
    const auto block = blocks.find(name);
    // What has no block is none of ours, whatever lies there; libexec holds only plugins.
    if (block == blocks.end() && !first_party) {
      out.skipped.push_back({path, "no plugin block names it", "add `plugin \"" + name + "\" {}` to the agent's configuration"});
      continue;
    }
    if ((info.st_mode & 0111) == 0) {
      out.skipped.push_back({path, "it is not executable", "chmod +x " + path});
      continue;
    }
    out.candidates.push_back({name, path, first_party, block == blocks.end() ? PluginBlock{} : block->second});
  }
}

}  // namespace

Catalogue scan_plugins(const Directories& directories, const std::map<std::string, PluginBlock>& blocks) {
  Catalogue out;
  scan(directories.first_party, true, blocks, out);
  scan(directories.third_party, false, blocks, out);
  for (const auto& [name, block] : blocks) {
    const auto has_name = [&](const auto& candidate) { return candidate.name == name; };
    const auto has_path = [&](const auto& skipped) { return skipped.path.ends_with("/" + name); };
    if (std::any_of(out.candidates.begin(), out.candidates.end(), has_name) || std::any_of(out.skipped.begin(), out.skipped.end(), has_path)) continue;
    out.skipped.push_back({directories.third_party + "/" + name, "a plugin block names it, but there is no such file", "put the executable into plugin_dir or remove the block"});
  }
  return out;
}

}  // namespace drover::pluginhost
