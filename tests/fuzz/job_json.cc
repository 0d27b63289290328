// Z-05: a job in JSON; what was accepted survives its own JSON.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "lib/model/codec.h"
#include "lib/model/job.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  drover::model::Job job;
  if (!drover::model::from_json(text, job)) return 0;
  const std::string first = drover::model::to_json(job);
  drover::model::Job again;
  if (!drover::model::from_json(first, again)) __builtin_trap();
  if (drover::model::to_json(again) != first) __builtin_trap();
  return 0;
}
