// @program@: a device plugin.
#include "devices.h"
#include "sdk/device/serve.h"

int main() {
  return drover::device::serve_device({.name = "@name@", .version = "0.1.0", .config_schema = config_schema()},
                                      [](auto, auto) { return std::make_unique<Devices>(); });
}
