#include "agent/task/interpolation.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

namespace drover::agent {
namespace {

bool name_byte(unsigned char c) { return std::isalnum(c) || c == '_' || c == '.' || c == '-'; }

const std::string* find(std::string_view name, const Variables& environment, const Variables& node) {
  if (const auto at = environment.find(name); at != environment.end()) return &at->second;
  if (const auto at = node.find(name); at != node.end()) return &at->second;
  return nullptr;
}

// The name inside ${ }, also as env["name"], attr["x"], meta["x"] and node.attr["x"]; empty when it is something else.
std::string reference(std::string_view body) {
  while (!body.empty() && body.front() == ' ') body.remove_prefix(1);
  while (!body.empty() && body.back() == ' ') body.remove_suffix(1);
  if (body.empty()) return {};
  if (body.ends_with("\"]")) {
    const auto open = body.find("[\"");
    if (open == std::string_view::npos) return {};
    const auto key = body.substr(open + 2, body.size() - open - 4);
    std::string_view base = body.substr(0, open);
    if (base == "env") return std::string(key);
    if (base == "node.attr") base = "attr";
    if (base == "node.meta") base = "meta";
    return std::string(base) + "." + std::string(key);
  }
  if (!std::all_of(body.begin(), body.end(), [](char c) { return name_byte(static_cast<unsigned char>(c)); })) return {};
  if (body.starts_with("env.")) return std::string(body.substr(4));
  if (body.starts_with("node.attr.") || body.starts_with("node.meta.")) return std::string(body.substr(5));
  return std::string(body);
}

std::string replace(std::string_view text, const Variables& environment, const Variables& node, bool config) {
  std::string out;
  for (;;) {
    const auto open = text.find("${");
    out += text.substr(0, open);
    if (open == std::string_view::npos) return out;
    // $${ is an escaped ${ in the language of driver configurations only.
    if (config && open > 0 && text[open - 1] == '$') {
      out += '{';
      text.remove_prefix(open + 2);
      continue;
    }
    const auto close = text.find('}', open);
    if (close == std::string_view::npos) return out += text.substr(open);
    const std::string_view body = text.substr(open + 2, close - open - 2);
    const std::string* value = nullptr;
    if (config) {
      if (const std::string name = reference(body); !name.empty()) value = find(name, environment, node);
    } else if (!body.empty() && std::all_of(body.begin(), body.end(), [](char c) { return name_byte(static_cast<unsigned char>(c)); })) {
      value = find(body, environment, node);
    }
    out += value != nullptr ? std::string_view(*value) : text.substr(open, close - open + 1);
    text.remove_prefix(close + 1);
  }
}

void walk(model::Json& json, const Variables& environment, const Variables& node) {
  if (json.is_string()) {
    json = replace(json.get_ref<const std::string&>(), environment, node, true);
  } else if (json.is_structured()) {
    for (auto& child : json) walk(child, environment, node);
  }
}

}  // namespace

std::string interpolate(std::string_view text, const Variables& environment, const Variables& node) {
  return replace(text, environment, node, false);
}

model::Any interpolate_config(const model::Any& config, const Variables& environment, const Variables& node) {
  if (config.is_null()) return config;
  model::Json json = config.json();
  walk(json, environment, node);
  return model::Any(std::move(json));
}

}  // namespace drover::agent
