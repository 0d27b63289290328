// Blocks to the API's JSON, driven by the schema tables. Internal to lib/jobspec; parse.h is the way in.
//
// Every field of a block appears in the result: null or zero when the file does not set it.
#pragma once

#include <nlohmann/json.hpp>

#include "lib/hcl/body.h"
#include "lib/jobspec/schema.h"
#include "lib/model/types.h"

namespace drover::jobspec {

using Json = model::Json;

// The JSON of a field that is not set.
[[nodiscard]] Json unset_value(const Field& field);

// One block. `labels` are the block's own; the schema says which field takes the first.
[[nodiscard]] Json decode_block(const hcl::Body& body, const Schema& schema, const std::vector<std::string>& labels, const hcl::EvalContext& context,
                                hcl::Diagnostics& diagnostics);

// One attribute's value for a field of a simple shape.
[[nodiscard]] Json decode_value(const hcl::Expression& expression, const Field& field, const hcl::EvalContext& context, hcl::Diagnostics& diagnostics);

// A body of any content: attributes as they are, blocks as lists of objects.
[[nodiscard]] Json decode_free_body(const hcl::Body& body, const hcl::EvalContext& context, hcl::Diagnostics& diagnostics);

// decode_special.cc
[[nodiscard]] Json decode_constraint(const hcl::Body& body, const hcl::EvalContext& context, hcl::Diagnostics& diagnostics);
[[nodiscard]] Json decode_affinity(const hcl::Body& body, const hcl::EvalContext& context, hcl::Diagnostics& diagnostics);
void finish_network(Json& network);
void finish_group_scaling(Json& policy, const hcl::Content& content, hcl::Diagnostics& diagnostics);
void finish_task_scaling(Json& policy, const hcl::Range& label_range, hcl::Diagnostics& diagnostics);

}  // namespace drover::jobspec
