// What every job goes through before it is stored, planned or judged. Pure but for the hooks.
#pragma once

#include "server/rpc/context.h"

namespace drover::rpc {

// The job of a request in canonical form: namespace and region filled in.
[[nodiscard]] model::Job complete_job(const Context& c, const model::Job& given, const std::string& request_namespace);

// Errors of everything that is checked before a job is stored, in the order users know.
[[nodiscard]] JobVerdict check_job(const Context& c, const state::Snapshot& snapshot, const model::Job& job);

// Changes of a job that no update may make.
[[nodiscard]] Result<> check_update(const model::Job& old_job, const model::Job& job);

}  // namespace drover::rpc
