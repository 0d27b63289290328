#include "lib/jobspec/reference_defaults.h"

#include "lib/jobspec/canonical.h"
#include "lib/jobspec/decode.h"
#include "sdk/base/text.h"

namespace drover::jobspec {

namespace {

// Stands for the names somebody gives; a default that is made of them is none to print.
constexpr const char* some_name = "\x1f";

bool shown(const Field& field) { return !field.json.empty() && !field.json.starts_with('.'); }

// A block with every block below it once, and nothing set.
Json silent_block(const Schema& schema) {
  Json out = Json::object();
  if (!schema.label_json.empty()) out[std::string(schema.label_json)] = some_name;
  for (const Field& field : schema.fields) {
    if (!shown(field) || field.json == schema.label_json) continue;
    Json value = unset_value(field);
    if (field.shape == Shape::one) value = silent_block(*field.nested);
    if (field.shape == Shape::many) value = Json::array({silent_block(*field.nested)});
    if (field.shape == Shape::keyed) value = Json{{some_name, silent_block(*field.nested)}};
    out[std::string(field.json)] = std::move(value);
  }
  return out;
}

std::string written(const Json& value, Shape shape) {
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    return text.empty() || text.find(some_name) != std::string::npos ? "" : quote(text);
  }
  if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
  if (!value.is_number()) return "";
  if (shape == Shape::duration) return value == 0 ? "0" : quote(format_duration(std::chrono::nanoseconds(value.get<std::int64_t>())));
  return value.dump();
}

void collect(const Json& block, const Schema& schema, std::map<const Schema*, Defaults>& out) {
  const bool first = !out.contains(&schema);
  Defaults& defaults = out[&schema];
  for (const Field& field : schema.fields) {
    if (!shown(field) || !block.contains(field.json)) continue;
    const Json& value = block.at(std::string(field.json));
    if (field.nested != nullptr) {
      if (value.is_object() && field.shape == Shape::one) collect(value, *field.nested, out);
      else if (!value.empty() && (value.is_array() || value.is_object())) collect(*value.begin(), *field.nested, out);
    } else if (first && field.json != schema.label_json) {
      if (std::string text = written(value, field.shape); !text.empty()) defaults.emplace(field.json, std::move(text));
    }
  }
}

}  // namespace

const Defaults& defaults_of(const Schema& schema) {
  static const std::map<const Schema*, Defaults> all = [] {
    Json job = silent_block(job_schema());
    canonicalize_api(job);
    std::map<const Schema*, Defaults> out;
    collect(job, job_schema(), out);
    return out;
  }();
  static const Defaults none;
  const auto found = all.find(&schema);
  return found == all.end() ? none : found->second;
}

}  // namespace drover::jobspec
