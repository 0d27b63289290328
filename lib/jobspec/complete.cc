// A job of API JSON, as a client sent it, to one in which every field is present: the schema tables say which there are.
#include <nlohmann/json.hpp>

#include "lib/jobspec/canonical.h"
#include "lib/jobspec/decode.h"
#include "lib/jobspec/schema.h"
#include "lib/model/codec.h"
#include "sdk/base/text.h"

namespace drover::jobspec {
namespace {

// The member of that name, whatever its case (encoding/json's rule); null when absent.
const Json* find_member(const Json& object, std::string_view name) {
  if (const auto exact = object.find(std::string(name)); exact != object.end()) return &*exact;
  const std::string wanted = to_lower(name);
  for (const auto& [key, value] : object.items()) {
    if (to_lower(key) == wanted) return &value;
  }
  return nullptr;
}

Json complete(const Json& given, const Schema& schema);

Json complete_nested(const Json& given, const Field& field) {
  switch (field.shape) {
    case Shape::one:
      return given.is_object() ? complete(given, *field.nested) : given;
    case Shape::many: {
      if (!given.is_array()) return given;
      Json out = Json::array();
      for (const Json& item : given) out.push_back(item.is_object() ? complete(item, *field.nested) : item);
      return out;
    }
    case Shape::keyed: {
      if (!given.is_object()) return given;
      Json out = Json::object();
      for (const auto& [key, item] : given.items()) out[key] = item.is_object() ? complete(item, *field.nested) : item;
      return out;
    }
    default:
      return given;
  }
}

Json complete(const Json& given, const Schema& schema) {
  Json out = Json::object();
  for (const Field& field : schema.fields) {
    if (field.json.empty()) continue;
    const std::string name(field.json);
    const Json* value = find_member(given, name);
    if (value == nullptr || value->is_null()) {
      if (!field.omit_when_unset) out[name] = unset_value(field);
    } else {
      out[name] = field.nested != nullptr ? complete_nested(*value, field) : *value;
    }
  }
  // Fields that job files cannot set (a label, ids, indexes, parts of special blocks).
  for (const auto& [key, value] : given.items()) {
    if (find_member(out, key) == nullptr) out[key] = value;
  }
  if (!schema.label_json.empty() && !out.contains(std::string(schema.label_json))) out[std::string(schema.label_json)] = nullptr;
  return out;
}

}  // namespace

Result<model::Json> complete_api_job(const model::Json& given) {
  if (!given.is_object()) return fail(Code::invalid_argument, "the job is not a JSON object");
  const Json* job = find_member(given, "Job");
  const Json& inner = job != nullptr && job->is_object() ? *job : given;
  return complete(inner, job_schema());
}

Result<model::Job> to_model(const model::Json& job) {
  model::Job out;
  DROVER_TRY(model::from_json_value(job, out));
  return out;
}

}  // namespace drover::jobspec
