// plugin new: a complete small project for a plugin, from the templates of sdk/templates.
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "sdk/base/file.h"
#include "sdk/base/text.h"
#include "sdk/templates/templates.h"

namespace drover::cli {
namespace {
using templates::Project;

class PluginNew final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.text("lang", project_.language, "cpp, go or python.");
    set.boolean("device", project_.device, "A device plugin instead of a task driver.");
    set.boolean("json", json_, "Print JSON.");
  }

  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) return context.usage_error("This command takes one argument: <name>");
    project_.name = arguments[0];
    if (project_.language.empty()) return context.usage_error("Say in which language: -lang=cpp, -lang=go or -lang=python");
    if (const auto checked = templates::check(project_); !checked) return context.failed(checked.error().message());
    const auto files = templates::make(project_);
    if (const auto written = write(files); !written) return context.failed(written.error().message());
    if (json_) context.ui.out(pretty_json(to_json(files).dump()));
    else print(context.ui, files);
    return 0;
  }

 private:
  // The directory must be new, so that nothing of the user's is overwritten.
  [[nodiscard]] Result<> write(const std::vector<templates::File>& files) const {
    if (::mkdir(project_.name.c_str(), 0755) != 0) {
      if (errno == EEXIST) return fail(Code::already_exists, "\"{}\" exists already: choose another name, or remove it", project_.name);
      return fail_errno("making the directory \"{}\"", project_.name);
    }
    for (const auto& [path, text] : files) {
      const std::string place = project_.name + "/" + path;
      DROVER_TRY(make_directories(place.substr(0, place.rfind('/'))));
      DROVER_TRY(write_file(place, text, text.starts_with("#!") ? 0755 : 0644));
    }
    return {};
  }

  [[nodiscard]] nlohmann::json to_json(const std::vector<templates::File>& files) const {
    auto paths = nlohmann::json::array();
    for (const auto& file : files) paths.push_back(file.path);
    return {{"Name", project_.name}, {"Type", project_.device ? "device" : "driver"}, {"Language", project_.language}, {"Directory", project_.name},
            {"Program", "build/" + templates::program_of(project_)}, {"Files", paths}};
  }

  void print(Ui& ui, const std::vector<templates::File>& files) const {
    ui.out(fmt::format("{} files of a {} in {}/:", files.size(), project_.device ? "device plugin" : "task driver", project_.name));
    for (const auto& file : files) ui.out("  " + file.path);
    ui.out(fmt::format("\nNext:\n  cd {}\n  make         # builds build/{}\n  make test    # checks it with drover plugin conformance\nREADME.md says the rest.",
                       project_.name, templates::program_of(project_)));
  }

  Project project_;
  bool json_ = false;
};
}  // namespace

std::unique_ptr<Command> make_plugin_new() { return std::make_unique<PluginNew>(); }

}  // namespace drover::cli
