// The paths of access control while it is off, which it is until an agent can be configured with it. Private to server/api.
#pragma once

#include "server/api/context.h"

namespace drover::api {

void add_acl_off(http::Router& router, const ContextPtr& context);

}  // namespace drover::api
