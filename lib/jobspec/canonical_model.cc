// API JSON to the model: absent fields, names without case, and what the API's form has but the model has not.
#include <algorithm>
#include <bitset>
#include <nlohmann/json.hpp>

#include "lib/jobspec/canonical.h"
#include "lib/jobspec/decode.h"
#include "lib/model/codec.h"
#include "lib/model/json_complaint.h"

namespace drover::jobspec {

namespace {

bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [&](char x, char y) { return lower(x) == lower(y); });
}

Json* find_member(Json& object, std::string_view name) {
  if (const auto exact = object.find(name); exact != object.end()) return &*exact;
  for (auto at = object.begin(); at != object.end(); ++at) {
    if (same_name(at.key(), name)) return &at.value();
  }
  return nullptr;
}

// What a null field becomes. Presets are the file parser's; in the API such fields are null until canonicalised.
Json zero_value(const Field& field) { return field.preset != nullptr ? Json(nullptr) : unset_value(field); }

// Whether the API has the field; some are only in files.
bool in_api(const Field& field) { return !field.json.empty() && !field.json.starts_with('.'); }

// What the schema knows under its own names. An exact name beats one that differs in case.
void keep_known(Json& given, const Schema& schema) {
  Json kept = Json::object();
  const auto keep = [&](std::string_view name) {
    if (Json* member = find_member(given, name)) kept.emplace(name, std::move(*member));
  };
  if (!schema.label_json.empty()) keep(schema.label_json);
  for (const Field& field : schema.fields) {
    if (in_api(field)) keep(field.json);
  }
  given = std::move(kept);
}

void complete(Json& given, const Schema& schema);

void complete_field(Json& value, const Field& field) {
  if (value.is_null()) {
    value = zero_value(field);
  } else if (field.shape == Shape::one) {
    if (value.is_object()) complete(value, *field.nested);
  } else if ((field.shape == Shape::many && value.is_array()) || (field.shape == Shape::keyed && value.is_object())) {
    for (Json& item : value) {
      if (item.is_object()) complete(item, *field.nested);
    }
  }
}

// In place, since a job passes through here whenever it is registered. Most come with the schema's own names.
void complete(Json& given, const Schema& schema) {
  const std::size_t label = schema.fields.size();
  std::bitset<128> seen;
  std::size_t next = 0;
  const auto field_of = [&](std::string_view name) {
    for (std::size_t tried = 0; tried < schema.fields.size(); ++tried, ++next) {
      if (next >= schema.fields.size()) next = 0;
      if (schema.fields[next].json == name && in_api(schema.fields[next])) return next++;
    }
    return name == schema.label_json ? label : label + 1;
  };
  const auto members = [&] { return given.get_ptr<Json::object_t*>(); };
  if (std::ranges::any_of(*members(), [&](const auto& member) { return field_of(member.first) > label; })) keep_known(given, schema);
  for (auto& [name, value] : *members()) {
    const std::size_t at = field_of(name);
    seen.set(at);
    if (at < label && name != schema.label_json) complete_field(value, schema.fields[at]);
  }
  for (std::size_t i = 0; i < label; ++i) {
    const Field& field = schema.fields[i];
    if (seen.test(i) || !in_api(field) || field.omit_when_unset || field.json == schema.label_json) continue;
    // Null is as good as absent.
    if (Json zero = zero_value(field); !zero.is_null()) given.emplace(field.json, std::move(zero));
  }
  if (!schema.label_json.empty()) given.emplace(schema.label_json, "");
}

// The API's volumes of unknown types are dropped on the way, as are fields the model has no place for.
void fit_group(Json& group) {
  if (!group["Volumes"].is_object()) return;
  Json kept = Json::object();
  for (auto& [name, volume] : group["Volumes"].items()) {
    Json* type = volume.is_object() ? find_member(volume, "Type") : nullptr;
    if (type != nullptr && (*type == "host" || *type == "csi")) kept[name] = volume;
  }
  group["Volumes"] = kept.empty() ? Json(nullptr) : std::move(kept);
}

// Every field of the API's job under its own name; unknown ones go. Accepts {"Job": ...}.
Result<Json> complete_api_job(Json given) {
  if (!given.is_object()) return fail(Code::invalid_argument, "a job must be a JSON object");
  if (Json* job = find_member(given, "Job")) {
    if (!job->is_object()) return fail(Code::invalid_argument, "Job must be a JSON object");
    Json inner = std::move(*job);
    given = std::move(inner);
  }
  complete(given, job_schema());
  return given;
}

}  // namespace

Result<model::Job> to_model(model::Json job) {
  if (job["TaskGroups"].is_array()) {
    for (Json& group : job["TaskGroups"]) fit_group(group);
  }
  // The groups have taken the job's update block; the job keeps what the scheduler of system jobs reads.
  Json& update = job["Update"];
  const bool keeps = update.is_object() && update.value("MaxParallel", Json(0)).is_number() && update.value("MaxParallel", Json(0)) > 0;
  update = keeps ? Json{{"Stagger", update["Stagger"]}, {"MaxParallel", update["MaxParallel"]}} : Json(nullptr);
  model::Job out;
  DROVER_TRY(model::from_json_value(job, out));
  return out;
}

Result<model::Job> job_from_api(model::Json given) {
  auto job = complete_api_job(std::move(given));
  if (!job) return fail(std::move(job).error());
  // A client's wrong types must end as an error of the field, not as an exception of the JSON library.
  try {
    canonicalize_api(*job);
  } catch (const Json::exception& error) {
    return fail(Code::invalid_argument, "the job has a field of the wrong type: {}", error.what());
  }
  auto model = to_model(std::move(*job));
  if (!model) return fail(std::move(model).error());
  canonicalize_server(*model);
  return model;
}

Result<model::Job> job_from_api_json(std::string_view text) {
  Json given;
  if (!model::parse_json(text, given).empty()) return fail(Code::invalid_argument, "the job is not valid JSON");
  return job_from_api(std::move(given));
}

}  // namespace drover::jobspec
