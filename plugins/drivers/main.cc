// The drivers that come with Drover are one file under several names: drover-driver-exec, drover-driver-java and so on, hard links
// of each other. Each runs as a process of its own, started by a host, never by hand; because the file is the same, the kernel
// keeps its code in memory once (docs/adr/0009-one-file-of-drivers.md).
#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "plugins/exec/driver.h"
#include "plugins/java/driver.h"
#include "plugins/qemu/driver.h"
#include "plugins/raw_exec/driver.h"
#include "sdk/base/text.h"
#include "sdk/driver/serve.h"

namespace {
using namespace drover;

template <typename Type>
std::unique_ptr<driver::Driver> make(Executor loop, Logger log) {
  return std::make_unique<Type>(std::move(loop), std::move(log), executor_host_from_environment(), system_clock());
}

struct Entry {
  const char* name;
  plugin::Spec (*config_schema)();
  plugin::Spec (*task_config_schema)();
  std::unique_ptr<driver::Driver> (*make)(Executor loop, Logger log);
};

constexpr std::array drivers{
    Entry{"exec", exec::config_schema, exec::task_config_schema, make<exec::ExecDriver>},
    Entry{"java", java::config_schema, java::task_config_schema, make<java::JavaDriver>},
    Entry{"qemu", qemu::config_schema, qemu::task_config_schema, make<qemu::QemuDriver>},
    Entry{"raw_exec", raw_exec::config_schema, raw_exec::task_config_schema, make<raw_exec::RawExecDriver>},
};

constexpr std::string_view prefix = "drover-driver-";

}  // namespace

int main(int argc, char** argv) {
  const std::string program = argc > 0 ? std::filesystem::path(argv[0]).filename().string() : "";
  if (program.starts_with(prefix)) {
    const std::string name = replace_all(program.substr(prefix.size()), "-", "_");
    for (const Entry& entry : drivers) {
      if (name != entry.name) continue;
      return driver::serve_driver(argc, argv, {name, "0.1.0", entry.config_schema(), entry.task_config_schema()}, entry.make);
    }
  }
  std::string names;
  for (const Entry& entry : drivers) names += (names.empty() ? "" : ", ") + std::string(prefix) + replace_all(entry.name, "_", "-");
  std::fprintf(stderr, "%s: this file is a driver by its name; give it one of these: %s\n", program.c_str(), names.c_str());
  return 1;
}
