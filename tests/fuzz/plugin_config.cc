// What a plugin says of its configuration and what becomes of a block: a schema as JSON with a block against it, MessagePack both ways, and
// expressions in strings (P-25). The first byte says which the rest is.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "sdk/plugin/check.h"
#include "sdk/plugin/config.h"
#include "sdk/plugin/expression.h"
#include "sdk/plugin/schema_json.h"

namespace plugin = drover::plugin;
using nlohmann::json;

namespace {
void require(bool holds) {
  if (!holds) __builtin_trap();
}

const json& variables() {
  static const json out{{"node", {{"name", "n"}}}, {"NOMAD_PORT_http", "80"}};
  return out;
}

void read_msgpack(std::string_view bytes) {
  const auto value = plugin::decode_config(bytes);
  if (!value) return;
  const std::string written = plugin::to_msgpack(*value);
  const auto again = plugin::decode_config(written);
  require(again && plugin::to_msgpack(*again) == written);
}

// A schema and a block, with a zero byte between them.
void read_block(std::string_view text) {
  const std::size_t end = text.find('\0');
  const json document = json::parse(text.substr(0, end), nullptr, false);
  if (document.is_discarded()) return;
  const auto schema = plugin::schema_from_json(document);
  if (!schema) return;
  const json published = plugin::schema_to_json(*schema);
  const auto again = plugin::schema_from_json(published);
  require(again && *again == *schema);
  (void)plugin::config_options(*schema);
  const json block = end == std::string_view::npos ? json(nullptr) : json::parse(text.substr(end + 1), nullptr, false);
  if (block.is_discarded() || !*schema) return;
  const auto problems = plugin::check_config(*schema, block);
  const auto encoded = plugin::encode_config(*schema, block, variables());
  require(problems.has_value() || !encoded);
  if (encoded) require(plugin::decode_config(*encoded).has_value());
}

void read_expression(std::string_view text) {
  (void)plugin::evaluate_expression(text, variables());
  (void)plugin::evaluate_template(text, variables());
}

constexpr void (*readers[])(std::string_view bytes) = {read_msgpack, read_block, read_expression};
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  readers[data[0] % std::size(readers)]({reinterpret_cast<const char*>(data + 1), size - 1});
  return 0;
}
