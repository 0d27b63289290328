// API JSON to the model: absent fields, names without case, and what the API's form has but the model has not.
#include <nlohmann/json.hpp>

#include "lib/jobspec/canonical.h"
#include "lib/jobspec/decode.h"
#include "lib/model/codec.h"

namespace drover::jobspec {

namespace {

bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [&](char x, char y) { return lower(x) == lower(y); });
}

const Json* find_member(const Json& object, std::string_view name) {
  if (const auto exact = object.find(std::string(name)); exact != object.end()) return &*exact;
  for (auto at = object.begin(); at != object.end(); ++at) {
    if (same_name(at.key(), name)) return &at.value();
  }
  return nullptr;
}

Json complete(const Json& given, const Schema& schema);

Json complete_field(const Json* given, const Field& field) {
  Field bare = field;
  // Presets are the file parser's; in the API such fields are null until canonicalised.
  bare.nullable = bare.nullable || bare.preset != nullptr;
  bare.preset = nullptr;
  if (given == nullptr || given->is_null()) return unset_value(bare);
  switch (field.shape) {
    case Shape::one: return given->is_object() ? complete(*given, *field.nested) : *given;
    case Shape::many: {
      if (!given->is_array()) return *given;
      Json out = Json::array();
      for (const Json& item : *given) out.push_back(item.is_object() ? complete(item, *field.nested) : item);
      return out;
    }
    case Shape::keyed: {
      if (!given->is_object()) return *given;
      Json out = Json::object();
      for (const auto& [name, item] : given->items()) out[name] = item.is_object() ? complete(item, *field.nested) : item;
      return out;
    }
    default: return *given;
  }
}

Json complete(const Json& given, const Schema& schema) {
  // The room is taken at once: an object that grows copies all it holds, since its keys are constant.
  Json::object_t out;
  out.reserve(schema.fields.size() + 1);
  if (!schema.label_json.empty()) {
    const Json* label = find_member(given, schema.label_json);
    out.emplace_back(schema.label_json, label == nullptr ? Json("") : *label);
  }
  for (const Field& field : schema.fields) {
    if (field.json.empty() || field.json.starts_with('.') || field.json == schema.label_json) continue;
    const Json* member = find_member(given, field.json);
    if (member == nullptr && field.omit_when_unset) continue;
    out.emplace_back(field.json, complete_field(member, field));
  }
  return Json(std::move(out));
}

// The API's volumes of unknown types are dropped on the way, as are fields the model has no place for.
void fit_group(Json& group) {
  if (!group["Volumes"].is_object()) return;
  Json kept = Json::object();
  for (auto& [name, volume] : group["Volumes"].items()) {
    const Json* type = volume.is_object() ? find_member(volume, "Type") : nullptr;
    if (type != nullptr && (*type == "host" || *type == "csi")) kept[name] = volume;
  }
  group["Volumes"] = kept.empty() ? Json(nullptr) : std::move(kept);
}

}  // namespace

Result<model::Json> complete_api_job(const model::Json& given) {
  if (!given.is_object()) return fail(Code::invalid_argument, "a job must be a JSON object");
  const Json* job = find_member(given, "Job");
  if (job != nullptr && !job->is_object()) return fail(Code::invalid_argument, "Job must be a JSON object");
  return complete(job == nullptr ? given : *job, job_schema());
}

Result<model::Job> to_model(const model::Json& job) {
  Json fitted = job;
  if (fitted["TaskGroups"].is_array()) {
    for (Json& group : fitted["TaskGroups"]) fit_group(group);
  }
  // The groups have taken the job's update block; the job keeps what the scheduler of system jobs reads.
  Json& update = fitted["Update"];
  const bool keeps = update.is_object() && update.value("MaxParallel", Json(0)).is_number() && update.value("MaxParallel", Json(0)) > 0;
  update = keeps ? Json{{"Stagger", update["Stagger"]}, {"MaxParallel", update["MaxParallel"]}} : Json(nullptr);
  model::Job out;
  DROVER_TRY(model::from_json_value(fitted, out));
  return out;
}

Result<model::Job> job_from_api_json(std::string_view text) {
  const Json given = Json::parse(text, nullptr, false);
  if (given.is_discarded()) return fail(Code::invalid_argument, "the job is not valid JSON");
  auto job = complete_api_job(given);
  if (!job) return fail(std::move(job).error());
  // A client's wrong types must end as an error of the field, not as an exception of the JSON library.
  try {
    canonicalize_api(*job);
  } catch (const Json::exception& error) {
    return fail(Code::invalid_argument, "the job has a field of the wrong type: {}", error.what());
  }
  auto model = to_model(*job);
  if (!model) return fail(std::move(model).error());
  canonicalize_server(*model);
  return model;
}

}  // namespace drover::jobspec
