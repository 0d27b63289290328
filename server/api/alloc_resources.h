// The totals that whole allocations are shown with: what tasks were given, once by task and once in sum. They are not stored, since
// they follow from `AllocatedResources`. Pure.
#pragma once

#include <memory>

#include "lib/model/alloc.h"

namespace drover::api {

// Replaces the allocation by a copy that has them; one without `AllocatedResources` stays as it is.
void show_resources(std::shared_ptr<const model::Allocation>& alloc);

}  // namespace drover::api
