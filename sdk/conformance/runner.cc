#include "sdk/conformance/runner.h"

#include <sys/stat.h>

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "sdk/base/text.h"

namespace drover::conformance {
namespace {
using namespace std::chrono_literals;

struct Known {
  std::string subject;
  bool driver = false, device = false;
};

// Which plugin this is, as far as it says so.
Async<Known> introduce(Bench& bench) {
  const std::string& path = bench.settings().executable;
  Known out{.subject = path.substr(path.rfind('/') + 1)};
  Check check(Level::required);
  const RunPtr run = co_await bench.fresh(check);
  if (!run) co_return out;
  const auto info = co_await run->call<base::PluginInfoResponse>(base_service + "PluginInfo", base::PluginInfoRequest(), 10s);
  if (!info) co_return out;
  out.driver = info->type() == base::DRIVER;
  out.device = info->type() == base::DEVICE;
  out.subject = fmt::format("{} {}", info->name(), info->plugin_version());
  co_return out;
}

std::vector<ItemCheck> all_checks() {
  std::vector<ItemCheck> out, about_log;
  for (const auto& part : {launch_checks(), output_checks(), base_checks(), static_checks(), robustness_checks(), life_checks(), recovery_checks(), stats_checks(),
                           log_checks(), exec_checks(), surroundings_checks(), load_checks(), device_checks()}) {
    for (const ItemCheck& one : part) (one.number >= 26 && one.number <= 28 ? about_log : out).push_back(one);
  }
  // What the log must look like is judged when all has been written.
  out.insert(out.end(), about_log.begin(), about_log.end());
  return out;
}

std::string why_not(const Item& item, const Known& known, const Settings& settings) {
  switch (item.subject) {
    case Subject::plugin: return {};
    case Subject::driver: return known.driver ? "" : "for drivers";
    case Subject::task: return !known.driver ? "for drivers" : settings.recipe ? "" : "needs --task-config";
    case Subject::device: return known.device ? "" : "for device plugins";
    case Subject::host: return "see agent conformance";
  }
  return {};
}

bool is_selected(const Settings& settings, int number) { return (settings.only.empty() || settings.only.contains(number)) && !settings.skip.contains(number); }

Async<> check_item(Bench& bench, Check& check, ItemCheck item) {
  using namespace asio::experimental::awaitable_operators;
  auto limited = item.run(bench, check) || sleep_for(bench.settings().item_limit);
  const auto first = co_await std::move(limited);
  if (first.index() == 0) co_return;
  check.expect(false, fmt::format("the item to be over within {}", format_duration(bench.settings().item_limit)), "a call that gets no answer");
  bench.forget_shared();
}
}  // namespace

Async<Result<SuiteResult>> run_suite(Executor executor, const Settings& settings, Progress progress) {
  auto directory = TempDir::make("conform-");
  if (!directory) co_return fail(directory.error());
  // Tasks run as other users; the sockets lie in directories of their own.
  ::chmod(directory->path().c_str(), 0755);
  Bench bench(executor, settings, std::move(*directory));
  const Known known = co_await introduce(bench);
  const std::vector<ItemCheck> checks = all_checks();
  SuiteResult out{.subject = known.subject, .results = {}};
  for (const int number : {29, 33, 53, 56}) {
    if (is_selected(settings, number)) bench.begin_vigil(known.driver);
  }
  for (const ItemCheck& one : checks) {
    const Item& item = *find_item(one.number);
    if (!is_selected(settings, item.number)) continue;
    progress(item, nullptr);
    Check check(item.level);
    const auto began = std::chrono::steady_clock::now();
    const std::string reason = why_not(item, known, settings);
    if (reason.empty()) co_await check_item(bench, check, one);
    else check.skip(reason);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    out.results.push_back(std::move(check).result(item.number, took.count()));
    progress(item, &out.results.back());
  }
  co_await bench.close();
  std::sort(out.results.begin(), out.results.end(), [](const ItemResult& a, const ItemResult& b) { return a.number < b.number; });
  co_return out;
}

}  // namespace drover::conformance
