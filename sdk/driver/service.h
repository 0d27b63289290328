// A Driver behind the plugin protocol: the base service and the driver service on a gRPC server. serve_driver() puts it into
// a process; tests can put it behind an in-process connection.
#pragma once

#include <memory>

#include "sdk/driver/serve.h"
#include "sdk/plugin/serve.h"

namespace drover::driver {

[[nodiscard]] std::unique_ptr<plugin::Service> make_service(Executor executor, PluginInfo info, std::unique_ptr<Driver> driver);

}  // namespace drover::driver
