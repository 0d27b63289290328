// What a host accepts of a driver's answers (P-26). Pure.
#pragma once

#include <string>
#include <vector>

#include "sdk/driver/driver.h"

namespace drover::driver {

// P-43: a handle is kept with the task, and read again at each restart of the agent.
inline constexpr std::size_t max_driver_state = 1 << 20;
[[nodiscard]] Result<> check_handle(const TaskHandle& handle);

// What of the network can be used. `refused` gets a sentence for each value that cannot.
[[nodiscard]] DriverNetwork accept_network(DriverNetwork network, std::vector<std::string>& refused);

}  // namespace drover::driver
