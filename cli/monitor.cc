#include "cli/monitor.h"

#include <map>

#include "cli/alloc_table.h"
#include "cli/api_client.h"
#include "cli/deployment_view.h"
#include "lib/model/deployment.h"
#include "lib/model/eval.h"
#include "sdk/base/clock.h"

namespace drover::cli {
namespace {
struct SeenAlloc {
  std::string client_status;
  std::string client_description;
};

// What has been told so far about one evaluation.
class EvalMonitor {
 public:
  EvalMonitor(Context& context, std::string eval_id, bool verbose)
      : context_(context), eval_id_(std::move(eval_id)), verbose_(verbose) {}

  int run() {
    heading(fmt::format("Monitoring evaluation \"{}\"", short_id(eval_id_, verbose_)));
    std::string index = "0";
    for (;;) {
      auto answer = context_.api().get("/v1/evaluation/" + eval_id_, {{"index", index}, {"wait", "2s"}});
      if (!answer) {
        context_.ui.error(fmt::format("No evaluation with id \"{}\" found", eval_id_));
        return 1;
      }
      index = std::to_string(answer->index);
      model::Evaluation eval;
      if (auto decoded = model::from_json(answer->body, eval); !decoded) return context_.failed(decoded.error().message());
      auto allocs = context_.api().read<model::List<model::AllocListStub>>(fmt::format("/v1/evaluation/{}/allocations", eval_id_));
      if (!allocs) return context_.failed(fmt::format("Error reading allocations: {}", allocs.error().message()));
      tell(eval, *allocs);
      if (eval.status == "complete" || eval.status == "failed" || eval.status == "canceled") return finish(eval);
    }
  }

 private:
  void heading(const std::string& text) { context_.ui.out(fmt::format("==> {}: {}", now(), text)); }
  void line(const std::string& text) { context_.ui.out(fmt::format("    {}: {}", now(), text)); }
  static std::string now() { return format_time(system_clock().unix_nanos()); }

  void tell(const model::Evaluation& eval, const model::List<model::AllocListStub>& allocs) {
    if (status_.empty()) {
      if (!eval.node_id.empty()) line(fmt::format("Evaluation triggered by node \"{}\"", short_id(eval.node_id, verbose_)));
      else if (!eval.job_id.empty()) line(fmt::format("Evaluation triggered by job \"{}\"", eval.job_id));
      create_index_ = eval.create_index;
      status_ = "pending";
    }
    if (deployment_.empty() && !eval.deployment_id.empty()) {
      deployment_ = eval.deployment_id;
      line(fmt::format("Evaluation within deployment: \"{}\"", short_id(deployment_, verbose_)));
    }
    for (const auto& alloc : allocs) tell_alloc(alloc);
    if (status_ != eval.status) {
      line(fmt::format("Evaluation status changed: \"{}\" -> \"{}\"", status_, eval.status));
      status_ = eval.status;
    }
  }

  void tell_alloc(const model::AllocListStub& alloc) {
    const auto at = seen_.find(alloc.id);
    if (at == seen_.end()) {
      const bool created = alloc.create_index >= create_index_;
      if (alloc.desired_status == "run") {
        line(fmt::format("Allocation \"{}\" {}: node \"{}\", group \"{}\"", short_id(alloc.id, verbose_), created ? "created" : "modified",
                         short_id(alloc.node_id, verbose_), alloc.task_group));
      }
      seen_[alloc.id] = {alloc.client_status, alloc.client_description};
      return;
    }
    if (at->second.client_status != alloc.client_status) {
      line(fmt::format("Allocation \"{}\" status changed: \"{}\" -> \"{}\"{}", short_id(alloc.id, verbose_), at->second.client_status,
                       alloc.client_status, alloc.client_description.empty() ? "" : fmt::format(" ({})", alloc.client_description)));
      at->second = {alloc.client_status, alloc.client_description};
    }
  }

  int finish(const model::Evaluation& eval) {
    const std::string id = short_id(eval.id, verbose_);
    bool failed_placement = false;
    if (eval.failed_tg_allocs.empty()) {
      heading(fmt::format("Evaluation \"{}\" finished with status \"{}\"", id, eval.status));
    } else {
      failed_placement = true;
      heading(fmt::format("Evaluation \"{}\" finished with status \"{}\" but failed to place all allocations:", id, eval.status));
      for (const auto& [group, metrics] : eval.failed_tg_allocs) {
        line(failed_group_heading(group, metrics));
        context_.ui.out(placement_metrics(metrics, "      "));
      }
      if (!eval.blocked_eval.empty()) {
        line(fmt::format("Evaluation \"{}\" waiting for additional capacity to place remainder", short_id(eval.blocked_eval, verbose_)));
      }
    }
    if (!eval.next_eval.empty()) {
      heading(fmt::format("Monitoring next evaluation \"{}\" in {}", short_id(eval.next_eval, verbose_), "0s"));
      return EvalMonitor(context_, eval.next_eval, verbose_).run();
    }
    if (eval.status != "complete") return 1;
    // A deployment that waits for room would be followed for as long as there is none: the reasons have been shown.
    if (!deployment_.empty() && !failed_placement) {
      const int code = monitor_deployment(context_, deployment_, verbose_);
      if (code != 0) return code;
    }
    return failed_placement ? 2 : 0;
  }

  Context& context_;
  std::string eval_id_;
  bool verbose_;
  std::string status_;
  std::string deployment_;
  std::uint64_t create_index_ = 0;
  std::map<std::string, SeenAlloc> seen_;
};
}  // namespace

int monitor_eval(Context& context, const std::string& eval_id, bool verbose) {
  return EvalMonitor(context, eval_id, verbose).run();
}

int monitor_deployment(Context& context, const std::string& deployment_id, bool verbose) {
  context.ui.out(fmt::format("==> {}: Monitoring deployment \"{}\"", format_time(system_clock().unix_nanos()), short_id(deployment_id, verbose)));
  std::string index = "0";
  for (;;) {
    auto answer = context.api().get("/v1/deployment/" + deployment_id, {{"index", index}, {"wait", "2s"}});
    if (!answer) return context.failed(fmt::format("Error fetching deployment: {}", answer.error().message()));
    const bool changed = index != std::to_string(answer->index);
    index = std::to_string(answer->index);
    model::Deployment deployment;
    if (auto decoded = model::from_json(answer->body, deployment); !decoded) return context.failed(decoded.error().message());
    if (changed) {
      context.ui.out(fmt::format("  {}\n{}", format_time(system_clock().unix_nanos()), deployment_block(deployment, verbose, "    ")));
    }
    if (deployment.status == "successful") return 0;
    if (deployment.status == "failed" || deployment.status == "cancelled" || deployment.status == "blocked") return 1;
  }
}

}  // namespace drover::cli
