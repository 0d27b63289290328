// operator snapshot agent: saves the servers' state at intervals and keeps the newest of what it saved.
#include <csignal>
#include <ctime>

#include <algorithm>
#include <cstdlib>

#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/snapshot_agent_config.h"
#include "cli/snapshot_file.h"
#include "sdk/base/clock.h"
#include "sdk/base/text.h"

namespace drover::cli {
namespace {
constexpr std::chrono::seconds longest_retry{60};

void set_from_environment(const char* name, std::string& to) {
  if (const char* value = std::getenv(name); value != nullptr && to.empty()) to = value;
}

// Waits for the time or a signal that asks to end; true for the signal.
bool wait_for_end(const sigset_t& signals, std::chrono::nanoseconds time) {
  const timespec left{.tv_sec = time.count() / 1'000'000'000, .tv_nsec = time.count() % 1'000'000'000};
  return ::sigtimedwait(&signals, nullptr, &left) > 0;
}

class SnapshotAgent final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.text("interval", interval_, "Time between two snapshots (1h). 0 takes one and ends.");
    set.optional_integer("retain", retain_, "How many snapshots are kept (30). 0 keeps all.");
    set.boolean("stale", stale_, "Let any server answer, also without a leader.");
    set.text("prefix", prefix_, "How the names of the files begin (nomad).");
    set.text("local-path", local_path_, "Keep the snapshots in this directory.");
    set.text("aws-s3-bucket", s3_.bucket, "Keep the snapshots in this bucket. Keys: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN.");
    set.text("aws-s3-region", s3_region_, "The region of the bucket (us-east-1). AWS_REGION.");
    set.text("aws-s3-endpoint", s3_.endpoint, "Another store that speaks S3, as http(s)://host:port.");
    set.text("aws-s3-key-prefix", s3_prefix_, "What the keys begin with (nomad-snapshot).");
  }

  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() > 1) return context.usage_error("This command takes either no arguments or one: <config_file>");
    auto ready = prepare(context, arguments);
    if (!ready) return context.failed(ready.error().message());
    for (const auto& name : config_.ignored) note(context, "WARN", fmt::format("{} has no meaning here and is passed over", name));
    sigset_t signals;
    sigemptyset(&signals);
    for (const int one : {SIGINT, SIGTERM}) sigaddset(&signals, one);
    ApiClient api(config_.servers);
    note(context, "INFO", config_.interval.count() == 0 ? "taking one snapshot" : fmt::format("taking a snapshot every {}", format_duration(config_.interval)));
    for (;;) {
      const auto saved = save(context, api);
      if (!saved) note(context, "ERROR", saved.error().message());
      if (config_.interval.count() == 0) return saved ? 0 : 1;
      const auto wait = saved ? config_.interval : std::min<std::chrono::nanoseconds>(config_.interval, longest_retry);
      // A signal ends the program at once while it saves: what is not complete has no name yet.
      ::sigprocmask(SIG_BLOCK, &signals, nullptr);
      const bool end = wait_for_end(signals, wait);
      ::sigprocmask(SIG_UNBLOCK, &signals, nullptr);
      if (end) {
        note(context, "INFO", "ending");
        return 0;
      }
    }
  }

 private:
  Result<> prepare(Context& context, const std::vector<std::string>& arguments) {
    config_.servers = context.options;
    if (!arguments.empty()) DROVER_TRY(read_snapshot_agent_config(arguments[0], config_));
    // What the flags say beats the file.
    if (!interval_.empty()) {
      const auto value = parse_duration(interval_);
      if (!value) return fail(value.error(), "-interval");
      config_.interval = *value;
    }
    if (retain_) config_.retain = static_cast<std::int64_t>(*retain_);
    if (stale_) config_.stale = true;
    if (!prefix_.empty()) config_.prefix = prefix_;
    if (!local_path_.empty()) config_.local = LocalStorage{.path = local_path_};
    if (!s3_.bucket.empty()) {
      if (!config_.s3) config_.s3.emplace();
      config_.s3->bucket = s3_.bucket;
    }
    if (config_.s3) {
      S3Storage& to = *config_.s3;
      if (!s3_.endpoint.empty()) to.endpoint = s3_.endpoint;
      if (!s3_prefix_.empty()) to.key_prefix = s3_prefix_;
      if (!s3_region_.empty()) to.region = s3_region_;
      else if (const char* region = std::getenv("AWS_REGION"); region != nullptr && to.region == S3Storage().region) to.region = region;
      set_from_environment("AWS_ACCESS_KEY_ID", to.credentials.key_id);
      set_from_environment("AWS_SECRET_ACCESS_KEY", to.credentials.secret);
      set_from_environment("AWS_SESSION_TOKEN", to.credentials.session_token);
    }
    DROVER_TRY(check_snapshot_agent_config(config_));
    auto target = config_.local ? make_local_target(*config_.local) : make_s3_target(*config_.s3);
    if (!target) return fail(target.error());
    target_ = std::move(*target);
    return {};
  }

  Result<> save(Context& context, ApiClient& api) {
    const std::int64_t now = system_clock().unix_nanos();
    const std::string name = fmt::format("{}-{}.snap", config_.prefix, now / 1'000'000);
    auto meta = fetch_snapshot(api, target_->directory() + "/" + name, config_.stale);
    if (!meta) return fail(meta.error());
    auto place = target_->put(name);
    if (!place) return fail(place.error());
    note(context, "INFO", fmt::format("saved snapshot {} of index {} to {}", meta->id, meta->index, *place));
    return rotate(context);
  }

  Result<> rotate(Context& context) {
    auto names = target_->list(config_.prefix + "-");
    if (!names) return fail(names.error());
    // What an agent left that was killed while it saved.
    for (const auto& name : *names) {
      if (behind_digits(name).starts_with(".snap.") && name.ends_with(".tmp")) DROVER_TRY(target_->remove(name));
    }
    // Files of others, and of agents with a longer prefix, are left alone.
    std::erase_if(*names, [&](const std::string& name) { return behind_digits(name) != ".snap"; });
    std::ranges::sort(*names, [](const std::string& a, const std::string& b) { return std::pair(a.size(), a) > std::pair(b.size(), b); });
    for (std::size_t i = static_cast<std::size_t>(config_.retain); config_.retain > 0 && i < names->size(); ++i) {
      DROVER_TRY(target_->remove((*names)[i]));
      note(context, "INFO", fmt::format("removed {}", (*names)[i]));
    }
    return {};
  }

  // What follows prefix and time; empty for a name of another form.
  [[nodiscard]] std::string_view behind_digits(const std::string& name) const {
    const std::string_view middle = std::string_view(name).substr(config_.prefix.size() + 1);
    const std::size_t digits = middle.find_first_not_of("0123456789");
    return digits == 0 || digits == std::string_view::npos ? std::string_view() : middle.substr(digits);
  }

  static void note(Context& context, std::string_view level, std::string_view text) {
    context.ui.out(fmt::format("{} [{}] {}", format_utc(system_clock().unix_nanos(), "%Y-%m-%dT%H:%M:%SZ"), level, text));
  }

  SnapshotAgentConfig config_;
  std::unique_ptr<SnapshotTarget> target_;
  std::string interval_, prefix_, local_path_, s3_region_, s3_prefix_;
  std::optional<std::uint64_t> retain_;
  bool stale_ = false;
  S3Storage s3_;
};

}  // namespace

std::unique_ptr<Command> make_operator_snapshot_agent() { return std::make_unique<SnapshotAgent>(); }

}  // namespace drover::cli
