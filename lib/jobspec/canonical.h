// Defaults: what a job means where its file is silent, and the way from API JSON to model::Job.
//
// A (`canonicalize_api`) is what the API client and the HTTP agent do on API JSON; B (`canonicalize_server`) is what the leader does
// on the model when a job is registered. Both may be applied twice without harm. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "lib/model/job.h"
#include "lib/model/types.h"
#include "sdk/base/error.h"

namespace drover::jobspec {

// A: the defaults of every pointer, then what groups inherit from the job and tasks from the group.
void canonicalize_api(model::Json& job);

// API JSON that went through A, as the model has it.
[[nodiscard]] Result<model::Job> to_model(model::Json job);

// B: what the server adds when a job is registered.
void canonicalize_server(model::Job& job);

// A job file of API JSON or a request's job, also as {"Job": ...}: names are matched without case, unknown ones go; then A, model, B.
[[nodiscard]] Result<model::Job> job_from_api(model::Json given);
[[nodiscard]] Result<model::Job> job_from_api_json(std::string_view text);

}  // namespace drover::jobspec
