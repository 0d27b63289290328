#include "agent/conformance/host_suite.h"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "agent/conformance/host_bench.h"

namespace drover::conformance {
namespace {
using namespace std::chrono_literals;
constexpr std::chrono::nanoseconds item_limit = 180s;

Async<> check_item(HostBench& bench, Check& check, HostCheck item) {
  using namespace asio::experimental::awaitable_operators;
  auto limited = item.run(bench, check) || sleep_for(item_limit);
  const auto first = co_await std::move(limited);
  if (first.index() == 1) check.expect(false, "the item to be over within 3 minutes", "the host waits for the plugin");
}
}  // namespace

Async<Result<std::vector<ItemResult>>> run_host_suite(Executor executor, const HostSettings& settings, HostProgress progress) {
  auto directory = TempDir::make("host-");
  if (!directory) co_return fail(directory.error());
  HostBench bench{.executor = executor, .chaos_plugin = settings.chaos_plugin, .directory = directory->path()};
  std::vector<ItemResult> out;
  std::vector<HostCheck> checks = answer_checks();
  for (const HostCheck& one : process_checks()) checks.push_back(one);
  for (const HostCheck& one : checks) {
    if ((!settings.only.empty() && !settings.only.contains(one.number)) || settings.skip.contains(one.number)) continue;
    const Item& item = *find_item(one.number);
    progress(item, nullptr);
    Check check(item.level);
    const auto began = std::chrono::steady_clock::now();
    co_await check_item(bench, check, one);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    out.push_back(std::move(check).result(item.number, took.count()));
    progress(item, &out.back());
  }
  co_return out;
}

}  // namespace drover::conformance
