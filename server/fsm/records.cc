#include "server/fsm/records.h"

#include "lib/model/reflect.inc.h"
#include "server/fsm/record_stream.h"

using namespace drover::fsm;
DROVER_MODEL_CODEC(IndexRecord)
DROVER_MODEL_CODEC(JobText)
DROVER_MODEL_CODEC(JobNumber)
DROVER_MODEL_CODEC(AllocRecord)
DROVER_MODEL_CODEC(OffsetRecord)
DROVER_MODEL_CODEC(PendingRecord)
DROVER_MODEL_CODEC(drover::model::PeriodicLaunch)

namespace drover::fsm {

std::string frame_of(std::size_t size) {
  std::string out(4, '\0');
  for (std::size_t i = 0; i < 4; ++i) out[i] = static_cast<char>((size >> (8 * i)) & 0xff);
  return out;
}

Result<> RecordSplitter::take(std::string_view bytes, const RecordSink& sink) {
  rest_ += bytes;
  std::string_view left = rest_;
  Result<> done;
  while (done && left.size() >= 4) {
    std::size_t size = 0;
    for (std::size_t i = 0; i < 4; ++i) size |= static_cast<std::size_t>(static_cast<std::uint8_t>(left[i])) << (8 * i);
    if (size == 0 || size > largest) return fail(Code::invalid_argument, "a record cannot have {} bytes", size);
    if (left.size() - 4 < size) break;
    done = sink(left.substr(4, size));
    left.remove_prefix(4 + size);
  }
  rest_.erase(0, rest_.size() - left.size());
  return done;
}

}  // namespace drover::fsm
