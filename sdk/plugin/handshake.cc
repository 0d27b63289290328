#include "sdk/plugin/handshake.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sdk/base/text.h"

namespace drover::plugin {
namespace {
using json = nlohmann::json;

bool is_decimal(std::string_view text) {
  return !text.empty() && text.size() < 6 && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// 2026-01-02T03:04:05.000006Z or with a numeric offset: exactly six fraction digits.
bool is_timestamp(const std::string& text) {
  static constexpr std::string_view layout = "0000-00-00T00:00:00.000000";
  if (text.size() < layout.size() + 1) return false;
  for (std::size_t i = 0; i < layout.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (layout[i] == '0' ? !digit : text[i] != layout[i]) return false;
  }
  const std::string_view zone = std::string_view(text).substr(layout.size());
  return zone == "Z" || (zone.size() == 6 && (zone[0] == '+' || zone[0] == '-') && zone[3] == ':');
}

bool is_text(const json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_string();
}

std::optional<LogLevel> level_of(std::string_view name) {
  const std::string lower = to_lower(trim(name));
  if (lower == "warning") return LogLevel::warn;
  if (lower == "fatal" || lower == "critical") return LogLevel::error;
  if (lower == "off") return std::nullopt;
  return parse_log_level(lower);
}

constexpr std::size_t max_line = 1 << 20;
}  // namespace

Result<Handshake> parse_handshake(std::string_view line) {
  line = trim(line);
  if (line.size() > max_handshake) return fail(Code::invalid_argument, "Unrecognized remote plugin message: a line of {} bytes", line.size());
  const bool ascii = std::all_of(line.begin(), line.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
  const auto fields = split(line, '|');
  if (!ascii || fields.size() < 4) return fail(Code::invalid_argument, "Unrecognized remote plugin message: {}", quote(line));
  if (!is_decimal(fields[0]) || fields[0] != std::to_string(core_version)) {
    return fail(Code::invalid_argument, "incompatible core API version with plugin: the plugin speaks {}, this host {}", quote(fields[0]), core_version);
  }
  if (!is_decimal(fields[1]) || fields[1] != std::to_string(app_version)) {
    return fail(Code::invalid_argument, "incompatible API version with plugin: the plugin speaks {}, this host {}", quote(fields[1]), app_version);
  }
  if (fields[2] != "unix" && fields[2] != "tcp") return fail(Code::invalid_argument, "unknown address type: {}", fields[3]);
  const std::string protocol = fields.size() > 4 ? fields[4] : "netrpc";
  if (protocol != "grpc") return fail(Code::invalid_argument, "unsupported plugin protocol {}: only grpc is spoken here", quote(protocol));
  if (fields[3].empty()) return fail(Code::invalid_argument, "Unrecognized remote plugin message: no address in {}", quote(line));
  return Handshake{fields[2], fields[3], fields.size() > 5 && fields[5].size() > 50 ? fields[5] : std::string()};
}

std::string format_handshake(const Handshake& handshake) {
  return fmt::format("{}|{}|{}|{}|grpc|{}\n", core_version, app_version, handshake.network, handshake.address, handshake.certificate);
}

PluginLog PluginLogParser::parse(std::string_view line) {
  PluginLog out;
  if (line.size() > max_line) line = line.substr(0, max_line);
  if (line.starts_with('{')) {
    const json object = json::parse(line, nullptr, false);
    // A value of another type than text under these keys crashes hosts written in Go; here it makes the line a raw one.
    const bool record = object.is_object() && is_text(object, "@message") && is_text(object, "@level") && is_text(object, "@timestamp") &&
                        (!object.contains("@timestamp") || is_timestamp(object["@timestamp"].get_ref<const std::string&>()));
    const auto level = record && object.contains("@level") ? level_of(object["@level"].get_ref<const std::string&>()) : std::nullopt;
    if (level) {
      in_panic_ = false;
      out.level = *level;
      for (const auto& [key, value] : object.items()) {
        if (key == "@message") out.message = value.get<std::string>();
        else if (key == "@timestamp") out.pairs.emplace_back("timestamp", value.get<std::string>());
        else if (key != "@level") out.pairs.emplace_back(key, value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, json::error_handler_t::replace));
      }
      return out;
    }
  }
  out.message = std::string(line);
  static constexpr std::pair<std::string_view, LogLevel> prefixes[] = {
      {"[TRACE]", LogLevel::trace}, {"[DEBUG]", LogLevel::debug}, {"[INFO]", LogLevel::info}, {"[WARN]", LogLevel::warn}, {"[ERROR]", LogLevel::error}};
  for (const auto& [prefix, level] : prefixes) {
    if (!line.starts_with(prefix)) continue;
    in_panic_ = false;
    out.level = level;
    return out;
  }
  if (line.starts_with("panic: ") || line.starts_with("fatal error: ")) in_panic_ = true;
  if (in_panic_) out.level = LogLevel::error;
  return out;
}

}  // namespace drover::plugin
