// From the JSON of a config block to what a plugin gets (protocol 4.2 to 4.5), and back inside the plugin.
//
// Host: `encode_config(schema, json_text, variables)` checks the block against the schema, applies defaults, evaluates the
// templates in strings and yields MessagePack. Plugin: `decode_config(msgpack)` yields JSON, leniently. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "sdk/base/error.h"
#include "sdk/plugin/schema.h"

namespace drover::plugin {

// `config` is an object, an array of objects or null (an absent block); `variables` an object whose keys are the names that
// `${...}` in strings may use, nested at dots (see nest_variables). An error names the argument and what would be accepted.
[[nodiscard]] Result<std::string> encode_config(const Spec& schema, const nlohmann::json& config, const nlohmann::json& variables);
// The same up to the encoding, for tests and display.
[[nodiscard]] Result<nlohmann::json> evaluate_config(const Spec& schema, const nlohmann::json& config, const nlohmann::json& variables);

// {"node.unique.id": "x", "A": "y"} becomes {"node": {"unique": {"id": "x"}}, "A": "y"}. When a key is both leaf and parent
// the parent wins; keys with a leading, trailing or doubled dot are left out.
[[nodiscard]] nlohmann::json nest_variables(const nlohmann::json& flat);

// MessagePack by the rules of 4.4: integers in the smallest form, other numbers as float64, keys in byte order.
[[nodiscard]] std::string to_msgpack(const nlohmann::json& value);
// Any MessagePack value; trailing bytes are ignored, zero bytes are null, bin is text (4.5).
[[nodiscard]] Result<nlohmann::json> decode_config(std::string_view msgpack);

// Lenient readers for a plugin's own decoding: the value of `key`, or `fallback` when absent or null.
[[nodiscard]] std::string get_string(const nlohmann::json& object, const char* key, std::string fallback = {});
[[nodiscard]] bool get_bool(const nlohmann::json& object, const char* key, bool fallback = false);
[[nodiscard]] std::int64_t get_int(const nlohmann::json& object, const char* key, std::int64_t fallback = 0);
[[nodiscard]] double get_number(const nlohmann::json& object, const char* key, double fallback = 0);
[[nodiscard]] std::vector<std::string> get_strings(const nlohmann::json& object, const char* key);
// A map, or an array of maps merged (later wins).
[[nodiscard]] std::map<std::string, std::string> get_string_map(const nlohmann::json& object, const char* key);

}  // namespace drover::plugin
