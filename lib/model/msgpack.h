// Reading and writing MessagePack without an intermediate tree. The reader checks every length against the input and
// limits nesting, since its bytes may come from a peer or a damaged file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace drover::msgpack {

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}
  void nil() { out_.push_back('\xc0'); }
  void boolean(bool value) { out_.push_back(value ? '\xc3' : '\xc2'); }
  void number(std::int64_t value);
  void number(std::uint64_t value);
  void number(double value);
  void string(std::string_view text);
  void binary(std::string_view data);
  void array(std::size_t size);
  void map(std::size_t size);

 private:
  void head(unsigned char tag, std::uint64_t value, int bytes);
  std::string& out_;
};

// Each function returns false, and the reader must not be used further, when the input is not what is asked for.
class Reader {
 public:
  explicit Reader(std::string_view in) : in_(in) {}
  [[nodiscard]] bool take_nil();
  [[nodiscard]] bool boolean(bool& value);
  [[nodiscard]] bool number(std::int64_t& value);
  [[nodiscard]] bool number(std::uint64_t& value);
  [[nodiscard]] bool number(double& value);
  // Views stay valid as long as the input.
  [[nodiscard]] bool string(std::string_view& text);
  [[nodiscard]] bool binary(std::string_view& data);
  [[nodiscard]] bool array(std::uint32_t& size);
  [[nodiscard]] bool map(std::uint32_t& size);
  // Passes over one value of any kind.
  [[nodiscard]] bool skip();
  // Nesting guard: at most 64 levels.
  [[nodiscard]] bool enter() { return ++depth_ <= 64; }
  void leave() { --depth_; }
  [[nodiscard]] bool at_end() const { return in_.empty(); }

 private:
  [[nodiscard]] bool take(std::uint64_t& value, int bytes);
  [[nodiscard]] bool view(std::string_view& out, std::uint64_t size);
  std::string_view in_;
  int depth_ = 0;
};

}  // namespace drover::msgpack
