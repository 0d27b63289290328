// job why.
#include <algorithm>

#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/lookup.h"
#include "cli/output_options.h"
#include "lib/model/api_why.h"

namespace drover::cli {
namespace {

std::string plural(std::int64_t n, std::string_view what) { return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s"); }

std::string reason_text(const model::WhyReason& reason) {
  if (reason.lacking == 0) return reason.text;
  return fmt::format("{}: {} {} too little", reason.text, reason.lacking, reason.text == "cpu" ? "MHz" : "MiB");
}

class JobWhyCommand final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("verbose", verbose_, "Show every node with every reason, and whole ids.");
    output_.flags(set);
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) return context.usage_error("This command takes one argument: <job>");
    int code = 0;
    const auto name = find_job(context, arguments[0], code);
    if (!name) return code;
    auto why = context.api().read<model::JobWhy>(fmt::format("/v1/job/{}/why", escape(name->id)), {{"namespace", name->namespace_}});
    if (!why) return context.failed(fmt::format("Error asking about job: {}", why.error().message()));
    if (output_.wanted()) return write_formatted(context, output_, client_value(*why));
    for (const auto& group : why->groups) show(context, group);
    return 0;
  }

 private:
  void show(Context& context, const model::WhyGroup& group) const {
    context.ui.out(context.ui.heading(fmt::format("Task Group \"{}\"", group.name)));
    context.ui.out(fmt::format("{} of {} placed; {} of {} could take one more", group.placed, group.count, group.fits,
                               plural(std::ssize(group.nodes), "node")));
    if (!group.reasons.empty()) {
      std::vector<std::vector<std::string>> rows{{"Reason", "Nodes", "Only This"}};
      for (const auto& reason : group.reasons) rows.push_back({reason.text, std::to_string(reason.nodes), std::to_string(reason.alone)});
      context.ui.out("\n" + format_table(rows));
    }
    if (!group.nearest.empty()) {
      const auto at = std::ranges::find(group.nodes, group.nearest, &model::WhyNode::id);
      if (at != group.nodes.end()) context.ui.out(fmt::format("\nNearest: {}", node_line(*at)));
    }
    if (!group.changes.empty()) {
      context.ui.out("\nWhat would help");
      for (const auto& change : group.changes) context.ui.out(fmt::format("  * {}: {}", change.text, plural(change.nodes, "node")));
    }
    if (verbose_) {
      context.ui.out("\nNodes");
      for (const auto& node : group.nodes) context.ui.out("  " + node_line(node));
    }
    context.ui.out("");
  }
  std::string node_line(const model::WhyNode& node) const {
    std::string out = fmt::format("{} {}", short_id(node.id, verbose_), node.name);
    if (node.fits) return out + ": fits";
    std::string_view separator = ": ";
    for (const auto& reason : node.reasons) {
      out.append(separator).append(reason_text(reason));
      separator = "; ";
    }
    return out;
  }

  OutputOptions output_;
  bool verbose_ = false;
};

}  // namespace

std::unique_ptr<Command> make_job_why() { return std::make_unique<JobWhyCommand>(); }

}  // namespace drover::cli
