// job revert, scale, scaling-events, start, tag apply, tag unset, dispatch and periodic force.
#include <algorithm>
#include <charconv>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/lookup.h"
#include "cli/monitor.h"
#include "lib/model/api_job.h"
#include "sdk/base/encoding.h"
#include "sdk/base/file.h"
#include "sdk/base/text.h"

namespace drover::cli {
namespace {
// `-detach` and `-verbose` of commands that make an evaluation, and what they do in the end.
struct Following {
  bool detach = false, verbose = false;

  void flags(FlagSet& set) {
    set.boolean("detach", detach, "Print the evaluation's id and return.");
    set.boolean("verbose", verbose, "Show whole ids.");
  }
  // `done` is what has been achieved; said only when detached.
  int end(Context& context, const std::string& eval, std::string_view done = "") const {
    if (!detach && !eval.empty()) return monitor_eval(context, eval, verbose);
    if (!done.empty()) context.ui.out(done);
    if (!eval.empty()) context.ui.out(fmt::format("Evaluation ID: {}", eval));
    return 0;
  }
};

// Sends a body and reads the evaluation's id out of the answer.
Result<std::string> eval_of(Context& context, const std::string& path, const nlohmann::json& body, QueryPairs query) {
  auto answer = context.api().put(path, body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), std::move(query));
  if (!answer) return fail(answer.error());
  model::JobRegisterResponse reply;
  DROVER_TRY(model::from_json(answer->body, reply));
  return reply.eval_id;
}

std::string job_path(const JobName& name, std::string_view rest = "") { return fmt::format("/v1/job/{}{}", escape(name.id), rest); }

class JobRevert final : public Command {
 public:
  void flags(FlagSet& set) override { following_.flags(set); }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 2) return context.usage_error("This command takes two arguments: <job> <version|tag>");
    int code = 0;
    const auto name = find_job(context, arguments[0], code);
    if (!name) return code;
    const QueryPairs query{{"namespace", name->namespace_}};
    auto version = parse_unsigned(arguments[1]);
    if (!version) version = tagged_version(context, *name, query, arguments[1]);
    if (!version) return context.failed(fmt::format("Error retrieving job versions: {}", version.error().message()));
    auto eval = eval_of(context, job_path(*name, "/revert"), {{"JobID", name->id}, {"JobVersion", *version}}, query);
    if (!eval) return context.failed(fmt::format("Error retrieving job versions: {}", eval.error().message()));
    return following_.end(context, *eval);
  }

 private:
  static Result<std::uint64_t> tagged_version(Context& context, const JobName& name, const QueryPairs& query, const std::string& tag) {
    auto answer = context.api().read<model::JobVersionsResponse>(job_path(name, "/versions"), query);
    if (!answer) return fail(answer.error());
    for (const auto& job : answer->versions) {
      if (job->version_tag && job->version_tag->name == tag) return job->version;
    }
    return fail(Code::not_found, "version tag {} not found for job {}", tag, name.id);
  }

  Following following_;
};

class JobScale final : public Command {
 public:
  void flags(FlagSet& set) override {
    following_.flags(set);
    set.optional_integer("check-index", check_index_, "Scale only if the job's modify index is this.");
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() < 2 || arguments.size() > 3) return context.failed("Command requires at least two arguments and no more than three");
    const std::string& text = arguments.back();
    std::int64_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc{} || end != text.data() + text.size()) {
      return context.failed(fmt::format("Failed to convert count string to int: strconv.Atoi: parsing {}: invalid syntax", quote(text)));
    }
    int code = 0;
    const auto name = find_job(context, arguments[0], code);
    if (!name) return code;
    const QueryPairs query{{"namespace", name->namespace_}};
    auto job = context.api().read<model::Job>(job_path(*name), query);
    if (!job) return context.failed(fmt::format("Error querying job: {}", job.error().message()));
    std::string group = arguments.size() == 3 ? arguments[1] : "";
    if (group.empty()) {
      if (job->task_groups.size() != 1) return context.failed("Group name required");
      group = job->task_groups[0].name;
    } else if (std::none_of(job->task_groups.begin(), job->task_groups.end(), [&](const auto& one) { return one.name == group; })) {
      return context.failed(fmt::format("Group {} not found within job", group));
    }
    nlohmann::json body{{"Count", count}, {"Target", {{"Job", name->id}, {"Group", group}}}, {"Message", "submitted using the Nomad CLI"}};
    if (check_index_) body["JobModifyIndex"] = *check_index_;
    auto answer = context.api().put(job_path(*name, "/scale"), body.dump(), query);
    if (!answer) return context.failed(fmt::format("Error submitting scaling request: {}", answer.error().message()));
    model::JobRegisterResponse reply;
    if (auto decoded = model::from_json(answer->body, reply); !decoded) return context.failed(decoded.error().message());
    if (!reply.warnings.empty()) context.ui.out(fmt::format("Job Warnings:\n{}\n", reply.warnings));
    return following_.end(context, reply.eval_id, "Job scale successful");
  }

 private:
  Following following_;
  std::optional<std::uint64_t> check_index_;
};

class JobScalingEvents final : public Command {
 public:
  void flags(FlagSet& set) override { set.boolean("verbose", verbose_, "Show whole ids, errors and messages."); }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) return context.usage_error("This command takes one argument: <job_id>");
    int code = 0;
    const auto name = find_job(context, arguments[0], code);
    if (!name) return code;
    auto status = context.api().read<model::JobScaleStatus>(job_path(*name, "/scale"), {{"namespace", name->namespace_}});
    if (!status) return context.failed(fmt::format("Error listing scaling events: {}", status.error().message()));
    struct Row {
      const std::string* group;
      const model::ScalingEvent* event;
    };
    std::vector<Row> events;
    for (const auto& [group, state] : status->task_groups) {
      for (const auto& event : state.events) events.push_back({&group, &event});
    }
    if (events.empty()) {
      context.ui.out("No events found");
      return 0;
    }
    std::sort(events.begin(), events.end(), [](const Row& a, const Row& b) { return a.event->time > b.event->time; });
    std::vector<std::vector<std::string>> rows{{"Task Group", "Count", "PrevCount", "Date"}};
    if (verbose_) rows[0] = {"Task Group", "Count", "PrevCount", "Error", "Message", "Eval ID", "Date"};
    for (const auto& [group, event] : events) {
      std::vector<std::string> row{*group, event->count ? std::to_string(*event->count) : "", std::to_string(event->previous_count)};
      if (verbose_) row.insert(row.end(), {event->error ? "true" : "false", event->message, event->eval_id.value_or("")});
      row.push_back(format_time(event->time));
      rows.push_back(std::move(row));
    }
    context.ui.out(format_table(rows));
    return 0;
  }

 private:
  bool verbose_ = false;
};

class JobStart final : public Command {
 public:
  void flags(FlagSet& set) override { following_.flags(set); }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.empty()) return context.usage_error("This command takes at least one argument: <job>");
    int result = 0;
    for (const std::string& argument : arguments) result = std::max(result, start(context, argument));
    return result;
  }

 private:
  int start(Context& context, const std::string& argument) const {
    int code = 0;
    const auto name = find_job(context, argument, code);
    if (!name) return code;
    const QueryPairs query{{"namespace", name->namespace_}};
    auto versions = context.api().read<model::JobVersionsResponse>(job_path(*name, "/versions"), query);
    if (!versions) return context.failed(fmt::format("Error retrieving job versions: {}", versions.error().message()));
    if (versions->versions.empty()) return context.failed(fmt::format("Job {} has no versions", quote(name->id)));
    if (!versions->versions[0]->stop) return context.failed(fmt::format("Job {} has not been stopped", quote(name->id)));
    for (const auto& job : versions->versions) {
      if (job->stop) continue;
      nlohmann::json body{{"Job", nlohmann::json::parse(model::to_json(*job))}};
      QueryPairs source = query;
      source.emplace_back("version", std::to_string(job->version));
      if (auto submission = context.api().get(job_path(*name, "/submission"), source); submission) {
        body["Submission"] = nlohmann::json::parse(submission->body, nullptr, false);
      }
      auto eval = eval_of(context, "/v1/jobs", body, query);
      if (!eval) return context.failed(fmt::format("Error registering job: {}", eval.error().message()));
      return following_.end(context, *eval, "Job start successful");
    }
    return context.failed(fmt::format("Job {} has no version that was not stopped", quote(name->id)));
  }

  Following following_;
};

class JobTag final : public Command {
 public:
  explicit JobTag(bool apply) : apply_(apply) {}
  void flags(FlagSet& set) override {
    set.text("name", name_, "Name of the tag.");
    if (apply_) set.text("description", description_, "What the tag stands for.");
    if (apply_) set.text("version", version_, "The version to tag; the latest without it.");
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (name_.empty()) return context.usage_error("A version tag name is required");
    if (arguments.size() != 1) return context.usage_error("This command takes one argument: <job>");
    std::optional<std::uint64_t> version;
    if (!version_.empty()) {
      auto parsed = parse_unsigned(version_);
      if (!parsed) return context.failed(fmt::format("Error parsing version value {}: {}", quote(version_), parsed.error().message()));
      version = *parsed;
    }
    int code = 0;
    const auto job = find_job(context, arguments[0], code);
    if (!job) return code;
    const QueryPairs query{{"namespace", job->namespace_}};
    const std::string path = job_path(*job, fmt::format("/versions/{}/tag", escape(name_)));
    if (!apply_) {
      auto removed = context.api().remove(path, query);
      if (!removed) return context.failed(fmt::format("Error tagging job version: {}", removed.error().message()));
      context.ui.out(fmt::format("Tag {} removed from job {}", quote(name_), quote(job->id)));
      return 0;
    }
    if (!version) {
      auto latest = context.api().read<model::Job>(job_path(*job), query);
      if (!latest) return context.failed(fmt::format("Error tagging job version: {}", latest.error().message()));
      version = latest->version;
    }
    const nlohmann::json body{{"Version", *version}, {"Name", name_}, {"Description", description_}};
    auto answer = context.api().put(path, body.dump(), query);
    if (!answer) return context.failed(fmt::format("Error tagging job version: {}", answer.error().message()));
    context.ui.out(fmt::format("Job version {} tagged with name {}", *version, quote(name_)));
    return 0;
  }

 private:
  bool apply_;
  std::string name_, description_, version_;
};

class JobPeriodicForce final : public Command {
 public:
  void flags(FlagSet& set) override { following_.flags(set); }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) return context.usage_error("This command takes one argument: <job id>");
    int code = 0;
    const auto name = find_job(context, arguments[0], code, "periodic job", [](const model::JobListStub& job) { return job.periodic; });
    if (!name) return code;
    auto eval = eval_of(context, job_path(*name, "/periodic/force"), nlohmann::json::object(), {{"namespace", name->namespace_}});
    if (!eval) return context.failed(fmt::format("Error forcing periodic job {}: {}", quote(name->id), eval.error().message()));
    return following_.end(context, *eval, "Force periodic successful");
  }

 private:
  Following following_;
};

class JobDispatch final : public Command {
 public:
  void flags(FlagSet& set) override {
    following_.flags(set);
    set.boolean("wait", wait_, "Wait until the dispatched job has ended.");
    set.text("idempotency-token", token_, "A dispatch of the same token as an earlier one that still runs gives that one.");
    set.text("id-prefix-template", prefix_, "What stands before the time in the job's id.");
    set.integer("priority", priority_, "Priority of the dispatched job.");
    set.list("meta", meta_, "key=value of the job's metadata; may be given several times.");
    set.boolean("ui", ui_, "Open the job in the user interface.");
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.empty() || arguments.size() > 2) return context.usage_error("This command takes one or two argument: <parameterized job> [input source]");
    nlohmann::json body{{"Meta", nlohmann::json::object()}, {"IdPrefixTemplate", prefix_}, {"Priority", priority_}};
    if (arguments.size() == 2) {
      auto payload = read_payload(arguments[1]);
      if (!payload) return context.failed(fmt::format("Error reading input data: {}", payload.error().message()));
      body["Payload"] = base64_encode(*payload);
    }
    for (const std::string& pair : meta_) {
      if (pair.find('=') == std::string::npos) return context.failed(fmt::format("Error parsing meta value: {}", pair));
      const auto [key, value] = split_once(pair, '=');
      body["Meta"][std::string(key)] = value;
    }
    int code = 0;
    const auto name = find_job(context, arguments[0], code, "parameterized job", [](const model::JobListStub& job) { return job.parameterized_job; });
    if (!name) return code;
    body["JobID"] = name->id;
    QueryPairs query{{"namespace", name->namespace_}};
    if (!token_.empty()) query.emplace_back("idempotency_token", token_);
    auto answer = context.api().put(job_path(*name, "/dispatch"), body.dump(), query);
    if (!answer) return context.failed(fmt::format("Failed to dispatch job: {}", answer.error().message()));
    model::JobDispatchResponse reply;
    if (auto decoded = model::from_json(answer->body, reply); !decoded) return context.failed(decoded.error().message());
    std::vector<std::pair<std::string, std::string>> pairs{{"Dispatched Job ID", reply.dispatched_job_id}};
    if (!reply.eval_id.empty()) pairs.emplace_back("Evaluation ID", short_id(reply.eval_id, following_.verbose));
    context.ui.out(format_pairs(pairs));
    if (following_.detach || reply.eval_id.empty()) return 0;
    context.ui.out("");
    code = monitor_eval(context, reply.eval_id, following_.verbose);
    return wait_ && code == 0 ? wait_for_end(context, {reply.dispatched_job_id, name->namespace_}) : code;
  }

 private:
  static Result<std::string> read_payload(const std::string& path) {
    if (path == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
    auto text = read_file(path);
    if (!text && text.error().code() == Code::not_found) return fail(Code::not_found, "open {}: no such file or directory", path);
    return text;
  }

  // 0 when the job has ended without failed allocations, 2 with some.
  static int wait_for_end(Context& context, const JobName& job) {
    std::string index = "0";
    for (;;) {
      auto answer = context.api().get(job_path(job), {{"namespace", job.namespace_}, {"index", index}, {"wait", "60s"}});
      if (!answer) return context.failed(fmt::format("Error querying job: {}", answer.error().message()));
      index = std::to_string(answer->index);
      model::Job state;
      if (auto decoded = model::from_json(answer->body, state); !decoded) return context.failed(decoded.error().message());
      if (state.status != "dead") continue;
      auto summary = context.api().read<model::JobSummary>(job_path(job, "/summary"), {{"namespace", job.namespace_}});
      if (!summary) return context.failed(fmt::format("Error querying job summary: {}", summary.error().message()));
      for (const auto& [group, counts] : summary->summary) {
        if (counts.failed > 0 || counts.lost > 0) return 2;
      }
      return 0;
    }
  }

  Following following_;
  bool wait_ = false, ui_ = false;
  std::string token_, prefix_;
  std::int64_t priority_ = 0;
  std::vector<std::string> meta_;
};
}  // namespace

std::unique_ptr<Command> make_job_dispatch() { return std::make_unique<JobDispatch>(); }
std::unique_ptr<Command> make_job_periodic_force() { return std::make_unique<JobPeriodicForce>(); }
std::unique_ptr<Command> make_job_revert() { return std::make_unique<JobRevert>(); }
std::unique_ptr<Command> make_job_scale() { return std::make_unique<JobScale>(); }
std::unique_ptr<Command> make_job_scaling_events() { return std::make_unique<JobScalingEvents>(); }
std::unique_ptr<Command> make_job_start() { return std::make_unique<JobStart>(); }
std::unique_ptr<Command> make_job_tag_apply() { return std::make_unique<JobTag>(true); }
std::unique_ptr<Command> make_job_tag_unset() { return std::make_unique<JobTag>(false); }

}  // namespace drover::cli
