// gzip and deflate for HTTP bodies. Private to lib/http. A Packer is kept and used again, since preparing zlib costs more than
// packing a short body.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "sdk/base/error.h"

namespace drover::http {

enum class Encoding : std::uint8_t { identity, gzip, deflate };

// The first encoding that `Accept-Encoding` names and we know; one with `q=0` is passed over.
[[nodiscard]] Encoding choose_encoding(std::string_view accept);

class Packer {
 public:
  // `small` takes little memory and time to reset: for bodies of some kilobytes.
  explicit Packer(Encoding encoding, bool small = false);
  ~Packer();
  Packer(const Packer&) = delete;
  Packer& operator=(const Packer&) = delete;
  // The whole body at once; starts anew each time.
  [[nodiscard]] std::string pack(std::string_view body);
  // A part of a stream: appends what is ready; `flush` forces all of it out, `end` finishes.
  enum class Mode : std::uint8_t { more, flush, end };
  void add(std::string_view text, Mode mode, std::string& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class Unpacker {
 public:
  explicit Unpacker(Encoding encoding);
  ~Unpacker();
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;
  // Appends at most `limit` bytes in all to `out`.
  [[nodiscard]] Result<> add(std::string_view packed, std::string& out, std::uint64_t limit);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace drover::http
