// Writes the body of a streaming response: chunked or until close, packed or not; one that ends short before anything was flushed
// gets a length instead. Private to lib/http; lives in the coroutine that serves the connection.
#pragma once

#include <memory>
#include <string>

#include "lib/http/message.h"
#include "lib/http/stream.h"
#include "lib/http/zip.h"

namespace drover::http {

class ChunkedStream final : public ResponseStream {
 public:
  // `head`, without the fields of the framing and the blank line, goes out with the first bytes.
  ChunkedStream(AnyStream& stream, std::string head, bool chunked, Encoding encoding)
      : stream_(stream), head_(std::move(head)), chunked_(chunked) {
    if (encoding != Encoding::identity) packer_ = std::make_unique<Packer>(encoding);
  }

  [[nodiscard]] Async<bool> write(std::string_view text) override;
  [[nodiscard]] Async<bool> flush() override;
  [[nodiscard]] bool gone() const override { return gone_; }
  // Sends what is left and the end of the body.
  [[nodiscard]] Async<bool> finish();
  // Ends the body without waiting, as far as that is possible: for a stream that follows something when the server stops.
  void finish_at_once();

 private:
  [[nodiscard]] Async<bool> send(Packer::Mode mode);
  AnyStream& stream_;
  std::string head_;
  std::string pending_;
  std::unique_ptr<Packer> packer_;
  bool chunked_;
  bool gone_ = false;
  bool packed_any_ = false;
};

}  // namespace drover::http
