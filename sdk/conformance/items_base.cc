// Items 36 to 50: the base service.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sdk/async/scope.h"
#include "sdk/base/text.h"
#include "sdk/conformance/bench.h"
#include "sdk/conformance/schema_check.h"
#include "sdk/plugin/config.h"
#include "sdk/plugin/handshake.h"
#include "sdk/plugin/schema_proto.h"

namespace drover::conformance {
namespace {
using namespace std::chrono_literals;

Async<Result<base::PluginInfoResponse>> info_of(Run& run) {
  return run.call<base::PluginInfoResponse>(base_service + "PluginInfo", base::PluginInfoRequest(), 10s);
}

Async<> collect(RunPtr run, std::vector<std::string>& out) {
  const auto info = co_await info_of(*run);
  out.push_back(info ? info->SerializeAsString() : info.error().message());
}

Async<> item_36(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.fresh(check);
  if (!run) co_return;
  const auto info = co_await info_of(*run);
  if (!check.expect(info.has_value(), "an answer to PluginInfo", info ? "" : info.error().message())) co_return;
  check.expect(info->type() == base::DRIVER || info->type() == base::DEVICE, "type 2 (driver) or 3 (device)", fmt::format("type {}", static_cast<int>(info->type())));
  std::vector<std::string> others;
  Scope scope(bench.executor());
  for (int i = 0; i < 8; ++i) scope.spawn(collect(run, others));
  co_await scope.join();
  for (const std::string& other : others) {
    if (!check.expect(other == info->SerializeAsString(), "the same answer each time, also when asked several times at once", "another one")) break;
  }
}

// One to any number of parts of digits, an optional v before and -pre or +meta behind: hashicorp/go-version.
bool is_version(std::string_view text) {
  if (text.starts_with('v')) text.remove_prefix(1);
  const std::string_view numbers = text.substr(0, text.find_first_of("-+"));
  const auto parts = split(numbers, '.');
  for (const std::string& part : parts) {
    if (part.empty() || part.size() > 18 || part.find_first_not_of("0123456789") != std::string::npos) return false;
  }
  for (const char c : text.substr(numbers.size())) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '-' && c != '+' && c != '~') return false;
  }
  return true;
}

Async<> item_37(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.fresh(check);
  if (!run) co_return;
  const auto info = co_await info_of(*run);
  if (!check.expect(info.has_value(), "an answer to PluginInfo", info ? "" : info.error().message())) co_return;
  bool common = false;
  for (const std::string& version : info->plugin_api_versions()) {
    check.expect(is_version(version), "versions only in plugin_api_versions", quote(version));
    common = common || version == "v0.1.0" || version == "0.1.0";
  }
  check.expect(common, "v0.1.0 in plugin_api_versions", join({info->plugin_api_versions().begin(), info->plugin_api_versions().end()}, ", "));
}

Async<> item_38(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.fresh(check);
  if (!run) co_return;
  const auto info = co_await info_of(*run);
  if (!check.expect(info.has_value(), "an answer to PluginInfo", info ? "" : info.error().message())) co_return;
  check.expect(is_version(info->plugin_version()), "a version like 1.2.3 in plugin_version", quote(info->plugin_version()));
}

Async<> item_39(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.fresh(check);
  if (!run) co_return;
  const auto info = co_await info_of(*run);
  if (!check.expect(info.has_value(), "an answer to PluginInfo", info ? "" : info.error().message())) co_return;
  const std::string& name = info->name();
  static constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  check.expect(!name.empty() && name.size() <= 63 && name.find_first_not_of(allowed) == std::string::npos, "a name of 1 to 63 of the characters A-Z a-z 0-9 . _ -", quote(name));
  check.should(to_lower(name) == name, "a name in lower case", quote(name));
}

Async<> item_40(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.fresh(check);
  if (!run) co_return;
  for (const char* method : {"PluginInfo", "ConfigSchema"}) {
    std::string empty;
    const auto answer = co_await run->client().call(base_service + method, std::move(empty), 10s);
    check.expect(answer.has_value(), fmt::format("an answer to {} before SetConfig", method), answer ? "" : answer.error().message());
  }
}

Async<> item_41(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.fresh(check);
  if (!run) co_return;
  const auto answer = co_await run->call<base::ConfigSchemaResponse>(base_service + "ConfigSchema", base::ConfigSchemaRequest());
  if (!check.expect(answer.has_value(), "an answer to ConfigSchema", answer ? "" : answer.error().message())) co_return;
  if (!answer->has_spec()) {
    check.note("the plugin takes no configuration");
    co_return;
  }
  const auto schema = plugin::from_proto(answer->spec());
  if (!check.expect(schema.has_value(), "a schema that follows the rules", schema ? "" : schema.error().message())) co_return;
  for (const std::string& wrong : check_defaults(*schema)) check.should(false, "defaults of the type of what they replace", wrong);
}

Async<Result<>> set(Run& run, std::string bytes, const base::NomadConfig* nomad, std::string version = plugin::api_version) {
  base::SetConfigRequest request;
  request.set_msgpack_config(std::move(bytes));
  if (nomad != nullptr) *request.mutable_nomad_config() = *nomad;
  request.set_plugin_api_version(std::move(version));
  const auto answer = co_await run.call<base::SetConfigResponse>(base_service + "SetConfig", request, 60s);
  if (!answer) co_return fail(answer.error());
  co_return Result<>{};
}

// A fresh plugin and the configuration it is to get. Null after an entry in `check`.
Async<RunPtr> with_config(Bench& bench, Check& check, std::string& bytes) {
  RunPtr run = co_await bench.fresh(check);
  if (!run) co_return nullptr;
  const auto encoded = co_await bench.config_bytes(*run);
  if (!check.expect(encoded.has_value(), "a configuration to send", encoded ? "" : encoded.error().message())) co_return nullptr;
  bytes = *encoded;
  co_return run;
}

// Sends one SetConfig and sees that the plugin lives, and that it answers within the limit.
Async<> survives(Bench& bench, Check& check, const std::string& what, std::string bytes, const base::NomadConfig* nomad, bool error_wanted) {
  const RunPtr run = co_await bench.fresh(check);
  if (!run) co_return;
  const auto done = co_await set(*run, std::move(bytes), nomad);
  const bool over = co_await run->ended_within(200ms);
  if (!check.expect(!over, fmt::format("the plugin survives {}", what), run->epitaph())) co_return;
  check.expect(done || done.error().code() != Code::deadline_exceeded, fmt::format("an answer to {}", what), "none within a minute");
  if (error_wanted) check.expect(!done, fmt::format("an error for {}", what), "success");
}

Async<> item_42(Bench& bench, Check& check) {
  std::string bytes;
  const RunPtr run = co_await with_config(bench, check, bytes);
  if (!run) co_return;
  const auto done = co_await set(*run, bytes, nullptr);
  if (!done) check.note("refused: " + done.error().message());
  check.expect(done || !trim(done.error().message()).empty(), "success or an error with words", "neither");
  const bool over = co_await run->ended_within(200ms);
  check.expect(!over, "the plugin keeps running", run->epitaph());
}

Async<> item_43(Bench& bench, Check& check) {
  std::string bytes;
  const RunPtr run = co_await with_config(bench, check, bytes);
  if (!run) co_return;
  const base::NomadConfig nomad = full_nomad_config();
  for (const char* which : {"first", "second"}) {
    const auto done = co_await set(*run, bytes, &nomad);
    check.expect(done.has_value(), fmt::format("the {} SetConfig works", which), done ? "" : fmt::format("{}; the process: {}", done.error().message(), run->epitaph()));
  }
}

Async<> item_44(Bench& bench, Check& check) {
  std::string bytes;
  const RunPtr run = co_await with_config(bench, check, bytes);
  if (!run) co_return;
  const base::NomadConfig nomad = full_nomad_config();
  const auto done = co_await set(*run, bytes, &nomad);
  check.expect(done.has_value(), "SetConfig with two cores on two nodes works", done ? "" : fmt::format("{}; the process: {}", done.error().message(), run->epitaph()));
}

Async<> item_45(Bench& bench, Check& check) {
  std::string bytes;
  const RunPtr run = co_await with_config(bench, check, bytes);
  if (!run) co_return;
  base::NomadConfig nomad;
  nomad.mutable_driver()->set_clientmaxport(14512);
  co_await survives(bench, check, "a driver section without topology", bytes, &nomad, false);
}

Async<> item_46(Bench& bench, Check& check) {
  const base::NomadConfig nomad = full_nomad_config();
  co_await survives(bench, check, "zero bytes of configuration", "", &nomad, false);
}

Async<> item_47(Bench& bench, Check& check) {
  const base::NomadConfig nomad = full_nomad_config();
  co_await survives(bench, check, "a nil root", "\xc0", &nomad, false);
  co_await survives(bench, check, "an unknown key", "\x81\xa7unknown\x93\x01\x02\x03", &nomad, false);
  co_await survives(bench, check, "trailing bytes", "\x80\xc0\xc0", &nomad, false);
}

Async<> item_48(Bench& bench, Check& check) {
  const base::NomadConfig nomad = full_nomad_config();
  co_await survives(bench, check, "the byte c1", "\xc1", &nomad, true);
  co_await survives(bench, check, "a map that is cut off", "\x82\xa1", &nomad, true);
}

Async<> item_49(Bench& bench, Check& check) {
  std::string bytes;
  const RunPtr run = co_await with_config(bench, check, bytes);
  if (!run) co_return;
  const base::NomadConfig nomad = full_nomad_config();
  const auto done = co_await set(*run, bytes, &nomad, "v0.1.0");
  check.expect(done.has_value(), "plugin_api_version v0.1.0 accepted", done ? "" : done.error().message());
  for (const char* version : {"v9.9.9", ""}) {
    const auto odd = co_await set(*run, bytes, &nomad, version);
    check.note(fmt::format("version {}: {}", quote(version), odd ? "accepted" : "refused"));
  }
}

std::size_t files_in(const std::string& directory) {
  std::error_code error;
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) count += entry.is_regular_file(error) ? 1 : 0;
  return count;
}

Async<> item_50(Bench& bench, Check& check) {
  std::string bytes;
  const RunPtr run = co_await with_config(bench, check, bytes);
  if (!run) co_return;
  const std::string place = std::filesystem::read_symlink(fmt::format("/proc/{}/cwd", run->pid())).string();
  const std::size_t before = files_in(place) + files_in("/tmp");
  const base::NomadConfig nomad = full_nomad_config();
  const auto began = std::chrono::steady_clock::now();
  [[maybe_unused]] const auto done = co_await set(*run, bytes, &nomad);
  const auto took = std::chrono::steady_clock::now() - began;
  check.expect(took <= 5s, "SetConfig in less than 5 s; slow work belongs into Init", format_duration(took));
  [[maybe_unused]] const bool over = co_await run->shut_down(2s);
  // Others may write there too: a hint, not a verdict.
  if (const std::size_t after = files_in(place) + files_in("/tmp"); after > before) check.note(fmt::format("{} more files in {} and /tmp", after - before, place));
}
}  // namespace

std::vector<ItemCheck> base_checks() {
  return {{36, item_36}, {37, item_37}, {38, item_38}, {39, item_39}, {40, item_40}, {41, item_41}, {42, item_42}, {43, item_43},
          {44, item_44}, {45, item_45}, {46, item_46}, {47, item_47}, {48, item_48}, {49, item_49}, {50, item_50}};
}

}  // namespace drover::conformance
