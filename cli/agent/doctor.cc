// doctor: what this machine lacks for running tasks, and how it is mended.
#include <nlohmann/json.hpp>

#include "cli/agent/doctor_checks.h"
#include "cli/commands.h"
#include "lib/model/types.h"

namespace drover::cli {
namespace {

class Doctor final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("json", json_, "Print the findings as JSON.");
    set.boolean("strict", strict_, "Count features that are optional as missing.");
    set.boolean("verbose", verbose_, "Show also what is well.");
    set.text("data-dir", data_dir_, "The agent's data_dir, whose disk is looked at.");
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (!arguments.empty()) return context.usage_error("This command takes no arguments");
    if (!data_dir_.starts_with('/')) return context.usage_error("-data-dir must be an absolute path");
    const auto checks = examine(read_doctor_facts(data_dir_));
    int missing = 0, optional = 0;
    for (const auto& check : checks) {
      missing += check.finding == Finding::missing;
      optional += check.finding == Finding::optional;
    }
    constexpr int incomplete = 2;
    const int code = missing > 0 || (strict_ && optional > 0) ? incomplete : 0;
    if (json_) show_json(context, checks, code == 0);
    else show(context, checks, missing, optional);
    return code;
  }

 private:
  static const char* word(Finding finding) { return finding == Finding::ok ? "ok" : finding == Finding::optional ? "optional" : "missing"; }

  void show(Context& context, const std::vector<Check>& checks, int missing, int optional) const {
    for (const auto& check : checks) {
      if (check.finding == Finding::ok && !verbose_) continue;
      context.ui.out(fmt::format("{:<9} {:<20} {}", word(check.finding), check.name, check.found));
      if (check.finding == Finding::ok) continue;
      context.ui.out(fmt::format("          disables: {}", check.disables));
      context.ui.out(fmt::format("          remedy:   {}", check.remedy));
    }
    const auto well = static_cast<int>(checks.size()) - missing - optional;
    context.ui.out(fmt::format("{} well, {} missing, {} optional not there", well, missing, optional));
  }

  static void show_json(Context& context, const std::vector<Check>& checks, bool healthy) {
    auto list = model::Json::array();
    for (const auto& check : checks) {
      list.push_back({{"Name", check.name}, {"Status", word(check.finding)}, {"Found", check.found}, {"Disables", check.disables}, {"Remedy", check.remedy}});
    }
    context.ui.out(model::Json{{"Healthy", healthy}, {"Checks", list}}.dump(4, ' ', false, model::Json::error_handler_t::replace));
  }

  bool json_ = false, strict_ = false, verbose_ = false;
  std::string data_dir_ = "/var/lib/drover";
};

}  // namespace

std::unique_ptr<Command> make_doctor() { return std::make_unique<Doctor>(); }

}  // namespace drover::cli
