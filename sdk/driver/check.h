// What a host accepts of a driver's answers (P-26). Pure.
#pragma once

#include <string>
#include <vector>

#include "sdk/driver/driver.h"

namespace drover::driver {

// What of the network can be used. `refused` gets a sentence for each value that cannot.
[[nodiscard]] DriverNetwork accept_network(DriverNetwork network, std::vector<std::string>& refused);

}  // namespace drover::driver
