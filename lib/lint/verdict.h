// What the validation of a job says, as findings at the lines it is about. The text is all that the API gives: nested lists of
// complaints that name groups and tasks. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/lint/finding.h"

namespace drover::hcl { struct NativeBody; }

namespace drover::lint {

// The innermost complaints of "2 errors occurred:\n\t* ...", each with the heads it stands under: "Task group g validation failed".
struct Complaint {
  std::vector<std::string> under;
  std::string text;
};
// Text without such a list is one complaint.
[[nodiscard]] std::vector<Complaint> parse_complaints(std::string_view text);

// `body` may be null. The place is the attribute a complaint speaks of, else the block, else the job; words that would be accepted are
// the finding's detail.
[[nodiscard]] Findings place_verdict(std::string_view text, const std::string& file, const hcl::NativeBody* body);
// The same of an API error's text, `Unexpected response code: 500 (1 error occurred: ...)`. What is no such list has no place.
[[nodiscard]] Findings place_answer(std::string_view text, const std::string& file, const hcl::NativeBody* body);
// The same of "2 warnings:\n\n* ...".
[[nodiscard]] Findings place_warnings(std::string_view text, const std::string& file, const hcl::NativeBody* body);

}  // namespace drover::lint
