// One connection of the client: dialling, one request and its answer at a time. Private to lib/http.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>

#include "lib/http/client.h"
#include "lib/http/parser.h"
#include "lib/http/stream.h"
#include "lib/http/zip.h"

namespace drover::http {

// Connects to `address`, with TLS where it says so.
[[nodiscard]] Async<Result<std::shared_ptr<AnyStream>>> dial(Executor loop, Address address, ClientOptions options);

// Cuts a stream off when the time is over.
class CutOff {
 public:
  CutOff(const Executor& loop, std::weak_ptr<AnyStream> stream, std::chrono::nanoseconds limit);
  [[nodiscard]] bool passed() const { return *passed_; }

 private:
  asio::steady_timer timer_;
  std::shared_ptr<bool> passed_ = std::make_shared<bool>(false);
};

// Reads one answer after the request has been written.
class AnswerReader {
 public:
  explicit AnswerReader(std::shared_ptr<AnyStream> stream) : stream_(std::move(stream)) {}

  // Reads the head; interim answers (100) are passed over. `gone_unanswered()` tells whether nothing at all came.
  [[nodiscard]] Async<Result<>> read_head(bool head_only);
  // Appends the next part of the body, unpacked; false at the end.
  [[nodiscard]] Async<Result<bool>> read_part(std::string& out, std::uint64_t limit);
  [[nodiscard]] bool gone_unanswered() const { return !any_; }
  // True when the connection can carry another request.
  [[nodiscard]] bool reusable() const { return finished_ && framing_.keep_alive && !until_close_ && used_ == in_.size(); }
  // Bytes behind the head that are not HTTP any more.
  [[nodiscard]] std::string take_rest();
  [[nodiscard]] ResponseHead& head() { return head_; }
  [[nodiscard]] const std::shared_ptr<AnyStream>& stream() const { return stream_; }

 private:
  std::shared_ptr<AnyStream> stream_;
  std::string in_;
  std::size_t used_ = 0;
  ResponseHead head_;
  Framing framing_;
  ChunkDecoder decoder_;
  std::unique_ptr<Unpacker> unpacker_;
  std::uint64_t left_ = 0;
  bool any_ = false;
  bool until_close_ = false;
  bool finished_ = false;
};

}  // namespace drover::http
