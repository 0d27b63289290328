// The reference page of the job file, docs/reference/jobspec.md, made from the tables that decoding uses. Pure.
#pragma once

#include <string>

namespace drover::jobspec {

[[nodiscard]] std::string reference_page();

}  // namespace drover::jobspec
