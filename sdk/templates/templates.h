// The projects that `drover plugin new` writes: files of this folder with the plugin's name filled in. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sdk/base/error.h"

namespace drover::templates {

struct File {
  std::string path, text;
};

// Every template as it stands in the tree, by its path below this folder; the protocol below proto/. Made by embed.py.
[[nodiscard]] const std::vector<File>& embedded();

struct Project {
  std::string name;      // of the plugin, as in `driver = "..."`
  std::string language;  // cpp, go or python
  bool device = false;   // otherwise a task driver
};
// The name of the executable, which is also that of the agent's plugin block.
[[nodiscard]] std::string program_of(const Project& project);
// Refuses a name that a job could not use or that is no good name of a file, and a language there are no templates for.
[[nodiscard]] Result<> check(const Project& project);
// The project's files by their paths in it, sorted. Of a project that check() accepts.
[[nodiscard]] std::vector<File> make(const Project& project);

}  // namespace drover::templates
