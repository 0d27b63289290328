// The reference page of the job file, docs/reference/jobspec.md, made from the tables that decoding uses. Pure.
#pragma once

#include <string>
#include <vector>

namespace drover::jobspec {

[[nodiscard]] std::string reference_page();

struct Schema;

// A row of a block's table on that page.
struct ReferenceRow {
  std::string name;
  std::string takes;  // "duration, as `"10s"`"
  std::string api;    // the field of the job's JSON; empty: none
  std::string standard;  // what it is when the file is silent, in a service job; empty: nothing to name
};
[[nodiscard]] std::vector<ReferenceRow> reference_rows(const Schema& schema);

}  // namespace drover::jobspec
