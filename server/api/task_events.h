// The sentence that stands for a task event. Clients of the API show `DisplayMessage` only; events that came without one get it
// when they are read. Pure.
#pragma once

#include <memory>
#include <string>

#include "lib/model/alloc.h"

namespace drover::api {

[[nodiscard]] std::string display_message(const model::TaskEvent& event);

// Fills what is missing.
void show_messages(model::List<model::AllocListStub>& stubs);
// The same for shared allocations: one that lacks a message is replaced by a copy.
void show_messages(std::shared_ptr<const model::Allocation>& alloc);

}  // namespace drover::api
