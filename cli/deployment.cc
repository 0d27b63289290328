// deployment list, status, fail, pause, resume, promote, unblock; job deployments and job promote (cli contract 3.5).
#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/deployment_view.h"
#include "cli/lookup.h"
#include "cli/monitor.h"
#include "cli/output_options.h"
#include "lib/model/api_deployment.h"
#include "sdk/base/text.h"

namespace drover::cli {
namespace {
using Deployments = model::List<model::Deployment>;

void newest_first(Deployments& deployments) {
  std::sort(deployments.begin(), deployments.end(), [](const auto& a, const auto& b) { return a.create_index > b.create_index; });
}

int show_list(Context& context, Deployments deployments, bool verbose) {
  if (deployments.empty()) {
    context.ui.out("No deployments found");
    return 0;
  }
  newest_first(deployments);
  context.ui.out(deployment_table(deployments, verbose));
  return 0;
}

class DeploymentList final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("verbose", verbose_, "Show whole ids.");
    set.text("filter", filter_, "Show those an expression matches.");
    output_.flags(set);
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (!arguments.empty()) return context.usage_error("This command takes no arguments");
    QueryPairs query;
    if (!filter_.empty()) query.emplace_back("filter", filter_);
    auto deployments = context.api().read<Deployments>("/v1/deployments", query);
    if (!deployments) return context.failed(fmt::format("Error retrieving deployments: {}", deployments.error().message()));
    if (output_.wanted()) return write_formatted(context, output_, client_value(*deployments));
    return show_list(context, std::move(*deployments), verbose_);
  }

 private:
  OutputOptions output_;
  bool verbose_ = false;
  std::string filter_;
};

class DeploymentStatus final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("verbose", verbose_, "Show whole ids.");
    set.boolean("monitor", monitor_, "Follow the deployment to its end.");
    set.text("wait", wait_, "With -monitor: how long to wait for a change before asking again.");
    set.boolean("ui", ui_, "Open the deployment's job in the user interface.");
    output_.flags(set);
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (output_.json && !output_.format.empty()) return context.failed("Both json and template formatting are not allowed");
    if (arguments.size() > 1) return context.usage_error("This command takes one argument: <deployment id>");
    if (arguments.empty()) {
      auto deployments = context.api().read<Deployments>("/v1/deployments");
      if (!deployments) return context.failed(fmt::format("Error retrieving deployments: {}", deployments.error().message()));
      if (output_.wanted()) return write_formatted(context, output_, client_value(*deployments));
      return show_list(context, std::move(*deployments), verbose_);
    }
    int code = 0;
    const auto deployment = find_deployment(context, arguments[0], verbose_, code);
    if (!deployment) return code;
    if (output_.wanted()) return write_formatted(context, output_, client_value(*deployment));
    code = 0;
    if (monitor_) {
      code = monitor_deployment(context, deployment->id, verbose_);
    } else {
      context.ui.out(deployment_block(*deployment, verbose_, ""));
      if (deployment->task_groups.empty() && !deployment->is_multiregion) context.ui.out("\nNo task groups");
    }
    context.ui_hint("View all deployments for this job", fmt::format("/jobs/{}/deployments", deployment->job_id));
    return code;
  }

 private:
  OutputOptions output_;
  bool verbose_ = false, monitor_ = false, ui_ = false;
  std::string wait_ = "2s";
};

// What one of the commands that change a deployment asks for.
struct Change {
  const char* path;
  const char* doing;  // "failing"
  void (*fill)(nlohmann::json& body);
};

class DeploymentChange final : public Command {
 public:
  explicit DeploymentChange(Change change, bool can_detach, bool takes_groups) : change_(change), can_detach_(can_detach), takes_groups_(takes_groups) {}
  void flags(FlagSet& set) override {
    set.boolean("verbose", verbose_, "Show whole ids.");
    if (can_detach_) set.boolean("detach", detach_, "Print the evaluation's id and return.");
    if (takes_groups_) set.list("group", groups_, "Task group to promote; may be given several times, all of them without it.");
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) return context.usage_error("This command takes one argument: <deployment id>");
    int code = 0;
    const auto deployment = find_deployment(context, arguments[0], verbose_, code);
    if (!deployment) return code;
    nlohmann::json body{{"DeploymentID", deployment->id}};
    change_.fill(body);
    if (takes_groups_) {
      if (groups_.empty()) body["All"] = true;
      else body["Groups"] = groups_;
    }
    auto answer = context.api().put(fmt::format("/v1/deployment/{}/{}", change_.path, deployment->id), body.dump(), {{"namespace", deployment->namespace_}});
    if (!answer) return context.failed(fmt::format("Error {} deployment: {}", change_.doing, answer.error().message()));
    model::DeploymentUpdateResponse reply;
    if (auto decoded = model::from_json(answer->body, reply); !decoded) return context.failed(decoded.error().message());
    if (!can_detach_) {
      context.ui.out(fmt::format("Deployment \"{}\" paused", deployment->id));
      return 0;
    }
    if (reply.reverted_job_version) {
      context.ui.out(fmt::format("Deployment \"{}\" failed. Auto-reverted to job version {}.", deployment->id, *reply.reverted_job_version));
    }
    if (reply.eval_id.empty()) return 0;
    if (detach_) {
      context.ui.out(fmt::format("Evaluation ID: {}", reply.eval_id));
      return 0;
    }
    context.ui.out("");
    return monitor_eval(context, reply.eval_id, verbose_);
  }

 private:
  Change change_;
  bool can_detach_, takes_groups_;
  bool verbose_ = false, detach_ = false;
  std::vector<std::string> groups_;
};

class JobDeployments final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("latest", latest_, "Show the latest one only, whole.");
    set.boolean("verbose", verbose_, "Show whole ids.");
    set.boolean("all", all_, "Also show those of an earlier job of the same name.");
    output_.flags(set);
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) return context.usage_error("This command takes one argument: <job>");
    int code = 0;
    const auto name = find_job(context, arguments[0], code);
    if (!name) return code;
    const std::string base = "/v1/job/" + escape(name->id);
    const QueryPairs query{{"namespace", name->namespace_}, {"all", all_ ? "true" : "false"}};
    if (latest_) {
      auto deployment = context.api().read<model::Deployment>(base + "/deployment", query);
      if (!deployment) return context.failed(fmt::format("Error retrieving deployments: {}", deployment.error().message()));
      if (output_.wanted()) return write_formatted(context, output_, client_value(*deployment));
      if (deployment->id.empty()) context.ui.out("No deployment found");
      else context.ui.out(deployment_block(*deployment, verbose_, ""));
      return 0;
    }
    auto deployments = context.api().read<Deployments>(base + "/deployments", query);
    if (!deployments) return context.failed(fmt::format("Error retrieving deployments: {}", deployments.error().message()));
    if (output_.wanted()) return write_formatted(context, output_, client_value(*deployments));
    return show_list(context, std::move(*deployments), verbose_);
  }

 private:
  OutputOptions output_;
  bool latest_ = false, verbose_ = false, all_ = false;
};

class JobPromote final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("verbose", verbose_, "Show whole ids.");
    set.boolean("detach", detach_, "Print the evaluation's id and return.");
    set.list("group", groups_, "Task group to promote; may be given several times, all of them without it.");
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) return context.usage_error("This command takes one argument: <job id>");
    int code = 0;
    const auto name = find_job(context, arguments[0], code);
    if (!name) return code;
    const QueryPairs query{{"namespace", name->namespace_}};
    auto deployment = context.api().read<model::Deployment>(fmt::format("/v1/job/{}/deployment", escape(name->id)), query);
    if (!deployment) return context.failed(fmt::format("Error fetching deployments for job {}: {}", quote(name->id), deployment.error().message()));
    if (deployment->id.empty()) return context.failed(fmt::format("Error fetching latest deployment for job {}: no deployment found", quote(name->id)));
    nlohmann::json body{{"DeploymentID", deployment->id}};
    if (groups_.empty()) body["All"] = true;
    else body["Groups"] = groups_;
    auto answer = context.api().put("/v1/deployment/promote/" + deployment->id, body.dump(), query);
    if (!answer) return context.failed(fmt::format("Error promoting deployment {} for job {}: {}", quote(deployment->id), quote(name->id), answer.error().message()));
    model::DeploymentUpdateResponse reply;
    if (auto decoded = model::from_json(answer->body, reply); !decoded) return context.failed(decoded.error().message());
    if (detach_) {
      context.ui.out(fmt::format("Evaluation ID: {}", reply.eval_id));
      return 0;
    }
    context.ui.out("");
    return monitor_eval(context, reply.eval_id, verbose_);
  }

 private:
  bool verbose_ = false, detach_ = false;
  std::vector<std::string> groups_;
};

void nothing(nlohmann::json&) {}
void pause(nlohmann::json& body) { body["Pause"] = true; }
void resume(nlohmann::json& body) { body["Pause"] = false; }
}  // namespace

std::unique_ptr<Command> make_deployment_list() { return std::make_unique<DeploymentList>(); }
std::unique_ptr<Command> make_deployment_status() { return std::make_unique<DeploymentStatus>(); }
std::unique_ptr<Command> make_deployment_fail() { return std::make_unique<DeploymentChange>(Change{"fail", "failing", nothing}, true, false); }
std::unique_ptr<Command> make_deployment_pause() { return std::make_unique<DeploymentChange>(Change{"pause", "pausing", pause}, false, false); }
std::unique_ptr<Command> make_deployment_resume() { return std::make_unique<DeploymentChange>(Change{"pause", "resuming", resume}, true, false); }
std::unique_ptr<Command> make_deployment_promote() { return std::make_unique<DeploymentChange>(Change{"promote", "promoting", nothing}, true, true); }
std::unique_ptr<Command> make_deployment_unblock() { return std::make_unique<DeploymentChange>(Change{"unblock", "unblocking", nothing}, true, false); }
std::unique_ptr<Command> make_job_deployments() { return std::make_unique<JobDeployments>(); }
std::unique_ptr<Command> make_job_promote() { return std::make_unique<JobPromote>(); }

}  // namespace drover::cli
