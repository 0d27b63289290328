#include "cli/frames.h"

#include <nlohmann/json.hpp>

#include "sdk/base/encoding.h"

namespace drover::cli {
namespace {
// Splits a byte stream into JSON objects, which follow each other without a separator.
class ObjectSplitter {
 public:
  template <class F>
  void feed(std::string_view part, F&& object) {
    for (const char c : part) {
      buffer_.push_back(c);
      if (escaped_) {
        escaped_ = false;
      } else if (in_string_) {
        if (c == '\\') escaped_ = true;
        else if (c == '"') in_string_ = false;
      } else if (c == '"') {
        in_string_ = true;
      } else if (c == '{') {
        ++depth_;
      } else if (c == '}' && --depth_ == 0) {
        object(buffer_);
        buffer_.clear();
      }
    }
  }

 private:
  std::string buffer_;
  int depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
};

std::string_view tail_lines(std::string_view text, std::int64_t lines) {
  std::size_t at = text.size();
  if (at > 0 && text[at - 1] == '\n') --at;
  for (std::int64_t left = lines; left > 0; --left) {
    const std::size_t newline = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
    if (newline == std::string_view::npos) return text;
    at = newline;
  }
  return text.substr(at + 1);
}
}  // namespace

Result<> write_frames(Context& context, const std::string& path, QueryPairs query, bool follow, std::int64_t last_lines) {
  ObjectSplitter splitter;
  std::string held;
  bool holding = last_lines >= 0;
  const auto object = [&](const std::string& text) {
    const auto frame = nlohmann::json::parse(text, nullptr, false);
    if (frame.is_discarded() || !frame.contains("Data") || !frame["Data"].is_string()) {
      // A heartbeat: what was held is all there is so far.
      if (holding && follow) {
        context.ui.out_raw(tail_lines(held, last_lines));
        holding = false;
      }
      return;
    }
    const auto data = base64_decode(frame["Data"].get_ref<const std::string&>());
    if (!data) return;
    if (holding) held += *data;
    else context.ui.out_raw(*data);
  };
  auto done = context.api().stream(path, std::move(query), [&](std::string_view part) {
    splitter.feed(part, object);
    if (holding && follow && !held.empty()) {
      context.ui.out_raw(tail_lines(held, last_lines));
      holding = false;
    }
    return true;
  });
  if (holding) context.ui.out_raw(tail_lines(held, last_lines));
  return done;
}

}  // namespace drover::cli
