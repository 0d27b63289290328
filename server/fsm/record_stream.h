// Saved states as streams: one record after the other, each with its length in four bytes before it, the lowest first. Pure.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "sdk/base/error.h"

namespace drover::fsm {

// A record is one piece of a snapshot; a sink takes it, a source yields them in the same order.
using RecordSink = std::function<Result<>(std::string_view record)>;
// False at the end.
using RecordSource = std::function<Result<bool>(std::string& record)>;

// The length that goes before a record.
[[nodiscard]] std::string frame_of(std::size_t size);

// Takes a stream that comes in parts of any size apart.
class RecordSplitter {
 public:
  static constexpr std::size_t largest = std::size_t{1} << 30;
  RecordSplitter() = default;
  // Goes on where another one was.
  explicit RecordSplitter(std::string rest) : rest_(std::move(rest)) {}

  // Gives `sink` every record that `bytes` complete.
  [[nodiscard]] Result<> take(std::string_view bytes, const RecordSink& sink);
  // The beginning of a record that is not complete; empty between two.
  [[nodiscard]] const std::string& rest() const { return rest_; }

 private:
  std::string rest_;
};

}  // namespace drover::fsm
