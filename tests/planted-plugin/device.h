// The device plugin behind items 101 to 107: two devices, and the fault of the item. Item 0 does nothing wrong.
#pragma once

#include "sdk/rpc/server.h"

namespace drover::planted {

// Everything outlives the server.
void add_device_service(rpc::Server& server, const int& item);

}  // namespace drover::planted
