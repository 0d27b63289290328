// The tree of a job file written in JSON as the native syntax would have it: blocks, labels and attributes with their places, so that what
// is found in a job is shown at its line whichever way the job was written.
//
// Both forms are known: the JSON syntax of HCL (`{"job": {"web": {...}}}`) and the API's (`{"Job": {"ID": "web", ...}}`, or the job alone).
// What the job file has no name for is left out. Pure.
#pragma once

#include <memory>

#include "lib/hcl/ast.h"
#include "lib/hcl/source.h"

namespace drover::hcl { class Body; }

namespace drover::lint {

// Of a file in the JSON syntax of HCL. One in the native syntax has a tree of its own: null.
[[nodiscard]] std::shared_ptr<const hcl::NativeBody> outline(const hcl::Body& file);
// Of a file in the API's form. Empty when the text is no JSON object.
[[nodiscard]] std::shared_ptr<const hcl::NativeBody> outline_of_api(const hcl::SourcePtr& file);

}  // namespace drover::lint
