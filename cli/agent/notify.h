// sd_notify(3): one datagram to the service manager's socket, when there is one.
#pragma once

#include <string_view>

namespace drover::cli {

void notify_service_manager(std::string_view state);

}  // namespace drover::cli
