// Schemas to and from their protobuf message. Include only where generated messages are at home.
#pragma once

#include <hclspec.pb.h>

#include "sdk/plugin/schema.h"

namespace drover::plugin {

void to_proto(const Spec& spec, hashicorp::nomad::plugins::shared::hclspec::Spec& out);
// P-25: hostile input; the result has passed check_schema().
[[nodiscard]] Result<Spec> from_proto(const hashicorp::nomad::plugins::shared::hclspec::Spec& spec);

}  // namespace drover::plugin
