// What the items share: settings, processes of the plugin, its configuration, and the long wait that several of them need.
// One Bench per run of the suite. Loop only.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <base.pb.h>
#include <driver.pb.h>

#include "sdk/async/event.h"
#include "sdk/async/scope.h"
#include "sdk/base/file.h"
#include "sdk/conformance/check.h"
#include "sdk/conformance/recipe.h"
#include "sdk/conformance/run.h"
#include "sdk/conformance/watch.h"
#include "sdk/plugin/schema.h"

namespace drover::conformance {

namespace base = hashicorp::nomad::plugins::base::proto;
namespace pb = hashicorp::nomad::plugins::drivers::proto;

inline const std::string base_service = "/hashicorp.nomad.plugins.base.proto.BasePlugin/";
inline const std::string driver_service = "/hashicorp.nomad.plugins.drivers.proto.Driver/";
inline const std::string device_service = "/hashicorp.nomad.plugins.device.DevicePlugin/";

struct Settings {
  std::string executable;
  std::vector<std::string> arguments;
  std::string config_json = "{}";  // of the agent's plugin block
  Recipe recipe;
  std::string previous;  // an older version of the plugin
  std::set<int> only, skip;
  // How long a stream and an idle connection have to last.
  std::chrono::nanoseconds idle = std::chrono::seconds(60);
  // How long one item may take.
  std::chrono::nanoseconds item_limit = std::chrono::minutes(4);
  std::map<std::string, std::string> environment;  // what the plugin sees of ours
};

// Outcome of the long wait: what became of an idle plugin and of streams that were left alone.
struct Vigil {
  std::string problem;  // it could not be begun
  std::string stdio, fingerprint, events;  // Watch::status_text()
  std::string idle;     // empty: the idle plugin answered afterwards
  bool has_stdio = false, has_events = false;
  std::string epitaph;
};

class Bench {
 public:
  Bench(Executor executor, const Settings& settings, TempDir directory);
  ~Bench();

  // A new process as a host starts it; `change` may alter that. Its handshake is not waited for.
  [[nodiscard]] Result<RunPtr> spawn(const std::function<void(Start&)>& change = {}, const std::string& executable = {});
  // The same with its handshake done. Null after an entry in `check`.
  [[nodiscard]] Async<RunPtr> fresh(Check& check, std::function<void(Start&)> change = {});
  // The same, configured and initialised as for use.
  [[nodiscard]] Async<RunPtr> configured(Check& check, std::function<void(Start&)> change = {});
  // One that the items share, replaced when it has ended.
  [[nodiscard]] Async<RunPtr> ready(Check& check);
  [[nodiscard]] Async<Result<>> configure(Run& run);
  // The process the items share, null when there is none.
  [[nodiscard]] const RunPtr& shared() const { return shared_; }
  void forget_shared() { shared_.reset(); }

  // SetConfig's bytes: the author's configuration evaluated by the plugin's schema, or the defaults.
  [[nodiscard]] Async<Result<std::string>> config_bytes(Run& run);
  [[nodiscard]] Async<Result<plugin::Spec>> task_schema(Run& run);
  [[nodiscard]] Async<Result<pb::DriverCapabilities>> capabilities(Run& run);

  // The long wait, begun once in the background.
  void begin_vigil(bool driver);
  [[nodiscard]] Async<const Vigil*> vigil();

  // What every process so far has written to stderr.
  [[nodiscard]] const std::vector<std::shared_ptr<const std::string>>& logs() const { return logs_; }
  [[nodiscard]] std::string new_directory(const char* name);
  [[nodiscard]] const Executor& executor() const { return executor_; }
  [[nodiscard]] const Settings& settings() const { return settings_; }
  [[nodiscard]] Async<> close();

 private:
  Async<> keep_vigil(bool driver);
  Executor executor_;
  const Settings& settings_;
  TempDir directory_;
  int next_directory_ = 0;
  std::vector<std::shared_ptr<const std::string>> logs_;
  RunPtr shared_;
  std::optional<plugin::Spec> task_schema_;
  std::optional<pb::DriverCapabilities> capabilities_;
  Vigil vigil_;
  Event vigil_over_;
  bool vigil_begun_ = false;
  Scope scope_;
};

// A full nomad_config: two cores of two nodes.
[[nodiscard]] base::NomadConfig full_nomad_config();

// An item and what checks it.
struct ItemCheck {
  int number;
  Async<> (*run)(Bench& bench, Check& check);
};
// One per file of items.
[[nodiscard]] std::vector<ItemCheck> launch_checks();
[[nodiscard]] std::vector<ItemCheck> output_checks();
[[nodiscard]] std::vector<ItemCheck> base_checks();
[[nodiscard]] std::vector<ItemCheck> static_checks();
[[nodiscard]] std::vector<ItemCheck> robustness_checks();
[[nodiscard]] std::vector<ItemCheck> life_checks();
[[nodiscard]] std::vector<ItemCheck> recovery_checks();
[[nodiscard]] std::vector<ItemCheck> stats_checks();
[[nodiscard]] std::vector<ItemCheck> log_checks();
[[nodiscard]] std::vector<ItemCheck> exec_checks();
[[nodiscard]] std::vector<ItemCheck> surroundings_checks();
[[nodiscard]] std::vector<ItemCheck> load_checks();
[[nodiscard]] std::vector<ItemCheck> device_checks();

}  // namespace drover::conformance
