// job inspect, history, allocs and eval.
#include <charconv>
#include <nlohmann/json.hpp>

#include "cli/alloc_table.h"
#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/diff_view.h"
#include "cli/lookup.h"
#include "cli/monitor.h"
#include "cli/output_options.h"
#include "lib/model/api_job.h"
#include "sdk/base/clock.h"
#include "sdk/base/text.h"

namespace drover::cli {
namespace {
// A version as typed; complains like the reference and gives nothing when it is no number.
std::optional<std::uint64_t> parse_version(Context& context, const std::string& text) {
  std::uint64_t version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error == std::errc{} && end == text.data() + text.size()) return version;
  context.ui.error(fmt::format("Error parsing version value {}: strconv.ParseUint: parsing {}: invalid syntax", quote(text), quote(text)));
  return std::nullopt;
}

class JobInspect final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("hcl", hcl_, "Show the job file that was submitted.");
    set.boolean("with-vars", with_vars_, "With -hcl: show the variables as well.");
    set.text("version", version_, "The version of the job.");
    output_.flags(set);
  }

  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.empty() && output_.wanted()) {
      auto jobs = context.api().read<model::List<model::JobListStub>>("/v1/jobs");
      return jobs ? write_formatted(context, output_, client_value(*jobs)) : context.failed(fmt::format("Error querying jobs: {}", jobs.error().message()));
    }
    if (arguments.size() != 1) return context.usage_error("This command takes either no arguments or one: <job>");
    int code = 0;
    const auto name = find_job(context, arguments[0], code);
    if (!name) return code;
    std::optional<std::uint64_t> version;
    if (!version_.empty()) {
      version = parse_version(context, version_);
      if (!version) return 1;
    }
    const std::string base = "/v1/job/" + escape(name->id);
    const QueryPairs query{{"namespace", name->namespace_}};
    auto job = read_job(context, base, query, name->id, version);
    if (!job) return context.failed(fmt::format("Error inspecting job: {}", job.error().message()));
    if (hcl_) return show_source(context, base, query, **job);
    if (!output_.format.empty() || output_.json) return write_formatted(context, output_, client_value(**job));
    context.ui.out(pretty_json(fmt::format("{{\"Job\":{}}}", value_json(client_value(**job)))));
    return 0;
  }

 private:
  using JobPtr = std::shared_ptr<const model::Job>;

  static Result<JobPtr> read_job(Context& context, const std::string& base, const QueryPairs& query, const std::string& id, std::optional<std::uint64_t> version) {
    if (!version) {
      auto job = context.api().read<model::Job>(base, query);
      if (!job) return fail(job.error());
      return std::make_shared<const model::Job>(std::move(*job));
    }
    auto versions = context.api().read<model::JobVersionsResponse>(base + "/versions", query);
    if (!versions) return fail(versions.error());
    for (const auto& candidate : versions->versions) {
      if (candidate->version == *version) return candidate;
    }
    return fail(Code::not_found, "job {} with version {} couldn't be found", quote(id), *version);
  }

  int show_source(Context& context, const std::string& base, QueryPairs query, const model::Job& job) const {
    query.emplace_back("version", std::to_string(job.version));
    auto submission = context.api().read<model::JobSubmission>(base + "/submission", query);
    if (!submission) return context.failed("No job source available");
    if (with_vars_ && !submission->variables.empty()) context.ui.out(submission->variables);
    if (with_vars_) {
      for (const auto& [key, value] : submission->variable_flags) context.ui.out(fmt::format("{} = \"{}\"", key, value));
    }
    context.ui.out(submission->source);
    return 0;
  }

  OutputOptions output_;
  bool hcl_ = false, with_vars_ = false;
  std::string version_;
};

class JobHistory final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("p", diffs_, "Show what each version changed.");
    set.boolean("full", full_, "Show each version whole.");
    set.text("version", version_, "Show one version only.");
    set.text("diff-tag", diff_tag_, "With -p: compare with a tagged version.");
    set.text("diff-version", diff_version_, "With -p: compare with a version.");
    output_.flags(set);
  }

  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) return context.usage_error("This command takes one argument: <job>");
    int code = 0;
    const auto name = find_job(context, arguments[0], code);
    if (!name) return code;
    if (!version_.empty() && !parse_version(context, version_)) return 1;
    QueryPairs query{{"namespace", name->namespace_}, {"diffs", diffs_ ? "true" : "false"}};
    if (!diff_tag_.empty()) query.emplace_back("diff_tag", diff_tag_);
    if (!diff_version_.empty()) query.emplace_back("diff_version", diff_version_);
    auto answer = context.api().read<model::JobVersionsResponse>(fmt::format("/v1/job/{}/versions", escape(name->id)), query);
    if (!answer) return context.failed(fmt::format("Error retrieving job versions: {}", answer.error().message()));
    if (output_.wanted()) {
      return write_formatted(context, output_, client_value(answer->versions));
    }
    std::string out;
    for (const auto& job : answer->versions) {
      if (!version_.empty() && std::to_string(job->version) != version_) continue;
      if (!out.empty()) out += "\n\n";
      if (full_) {
        out += pretty_json(value_json(client_value(*job)));
        continue;
      }
      std::vector<std::pair<std::string, std::string>> pairs{{"Version", std::to_string(job->version)},
                                                             {"Stable", job->stable ? "true" : "false"},
                                                             {"Submit Date", format_time(job->submit_time)}};
      if (job->version_tag) {
        pairs.emplace_back("Tag Name", job->version_tag->name);
        pairs.emplace_back("Tag Description", job->version_tag->description);
      }
      const auto* diff = diff_of(*answer, *job);
      if (diff != nullptr) pairs.emplace_back("Diff", "\n" + format_job_diff(*diff, {.color = context.ui.color()}));
      out += format_pairs(pairs);
    }
    if (out.empty()) return context.failed(fmt::format("Error retrieving job versions: no version {} of job \"{}\"", version_, name->id));
    context.ui.out(out);
    return 0;
  }

 private:
  // Each version against the one before it, or all but one against that one.
  const model::JobDiff* diff_of(const model::JobVersionsResponse& answer, const model::Job& job) const {
    std::size_t at = 0;
    for (const auto& version : answer.versions) {
      const bool base = version->version_tag && !diff_tag_.empty() ? version->version_tag->name == diff_tag_ : std::to_string(version->version) == diff_version_;
      if (base && version->version == job.version) return nullptr;
      if (base) continue;
      if (version->version == job.version) break;
      ++at;
    }
    return diffs_ && at < answer.diffs.size() ? &answer.diffs[at] : nullptr;
  }

  OutputOptions output_;
  bool diffs_ = false, full_ = false;
  std::string version_, diff_tag_, diff_version_;
};

class JobAllocs final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("verbose", verbose_, "Show whole ids and times.");
    set.boolean("all", all_, "Also show allocations of an earlier job of the same name.");
    output_.flags(set);
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) return context.usage_error("This command takes one argument: <job>");
    int code = 0;
    const auto name = find_job(context, arguments[0], code);
    if (!name) return code;
    auto answer = context.api().get(fmt::format("/v1/job/{}/allocations", escape(name->id)), {{"namespace", name->namespace_}, {"all", all_ ? "true" : "false"}});
    if (!answer) return context.failed(fmt::format("Error retrieving allocations: {}", answer.error().message()));
    model::List<model::AllocListStub> allocs;
    if (auto decoded = model::from_json(answer->body, allocs); !decoded) return context.failed(decoded.error().message());
    if (output_.wanted()) return write_formatted(context, output_, client_value(allocs));
    context.ui.out(alloc_table(allocs, verbose_, system_clock().unix_nanos()));
    return 0;
  }

 private:
  OutputOptions output_;
  bool verbose_ = false, all_ = false;
};

class JobEval final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("force-reschedule", force_, "Place failed allocations again although it is not their turn.");
    set.boolean("detach", detach_, "Print the evaluation's id and return.");
    set.boolean("verbose", verbose_, "Show whole ids.");
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) return context.usage_error("This command takes one argument: <job>");
    int code = 0;
    const auto name = find_job(context, arguments[0], code);
    if (!name) return code;
    const nlohmann::json body{{"JobID", name->id}, {"EvalOptions", {{"ForceReschedule", force_}}}};
    auto answer = context.api().put(fmt::format("/v1/job/{}/evaluate", escape(name->id)), body.dump(), {{"namespace", name->namespace_}});
    if (!answer) return context.failed(fmt::format("Error evaluating job: {}", answer.error().message()));
    model::JobRegisterResponse reply;
    if (auto decoded = model::from_json(answer->body, reply); !decoded) return context.failed(decoded.error().message());
    if (detach_) {
      context.ui.out(fmt::format("Created eval ID: \"{}\" ", short_id(reply.eval_id, verbose_)));
      return 0;
    }
    return monitor_eval(context, reply.eval_id, verbose_);
  }

 private:
  bool force_ = false, detach_ = false, verbose_ = false;
};
}  // namespace

std::unique_ptr<Command> make_job_inspect() { return std::make_unique<JobInspect>(); }
std::unique_ptr<Command> make_job_history() { return std::make_unique<JobHistory>(); }
std::unique_ptr<Command> make_job_allocs() { return std::make_unique<JobAllocs>(); }
std::unique_ptr<Command> make_job_eval() { return std::make_unique<JobEval>(); }

}  // namespace drover::cli
