#include "sdk/testkit/chaos-plugin/behaviour.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sdk/base/clock.h"
#include "sdk/base/encoding.h"
#include "sdk/base/file.h"
#include "sdk/base/text.h"

namespace drover::testkit {
using nlohmann::json;

std::string from_hex(std::string_view text) {
  const auto digit = [](char c) { return c >= 'a' ? c - 'a' + 10 : c - '0'; };
  std::string out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) out += static_cast<char>(digit(text[i]) * 16 + digit(text[i + 1]));
  return out;
}

json Behaviour::read() const {
  const auto text = read_file(path_);
  auto out = text ? json::parse(*text, nullptr, false) : json::object();
  return out.is_object() ? out : json::object();
}

std::string Behaviour::text(const char* key, std::string fallback) const { return read().value(key, std::move(fallback)); }
int Behaviour::number(const char* key) const { return read().value(key, 0); }

bool Behaviour::without(std::string_view service) const {
  const json list = read().value("without", json::array());
  return std::find(list.begin(), list.end(), service) != list.end();
}

std::optional<Fault> Behaviour::take(std::string_view method) const {
  const json calls = read().value("calls", json::object());
  const auto found = calls.find(std::string(method));
  if (found == calls.end()) return std::nullopt;
  if (const auto times = found->find("times"); times != found->end()) {
    // One byte per time, appended: processes of the plugin may come and go.
    const std::string count_path = fmt::format("{}.{}.times", path_, method);
    if (static_cast<int>(read_file(count_path).value_or("").size()) >= times->get<int>()) return std::nullopt;
    if (const auto file = open_file(count_path, O_WRONLY | O_CREAT | O_APPEND, 0600)) static_cast<void>(!write_all(file->get(), "x"));
  }
  return Fault{.kind = found->value("do", ""), .text = found->value("text", "chaos"), .bytes = from_hex(found->value("hex", "")), .code = found->value("code", "")};
}

void Behaviour::record(std::string_view method, std::string_view what, const std::string& bytes) const {
  const std::string path = text("record");
  if (path.empty()) return;
  const json line = {{"pid", ::getpid()}, {"rpc", method}, {"o", what}, {"hex", hex_encode(bytes)}, {"ns", system_clock().unix_nanos()}};
  if (const auto file = open_file(path, O_WRONLY | O_CREAT | O_APPEND, 0600)) static_cast<void>(!write_all(file->get(), line.dump() + "\n"));
}

std::vector<std::string> Behaviour::script(std::string_view stream, std::size_t from) const {
  auto lines = split(read_file(fmt::format("{}.{}", path_, stream)).value_or(""), '\n');
  // The last piece has no end yet, or is empty.
  if (!lines.empty()) lines.pop_back();
  lines.erase(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(std::min(from, lines.size())));
  return lines;
}

}  // namespace drover::testkit
