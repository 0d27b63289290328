// Parts of canonicalisation A. Internal to lib/jobspec.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "lib/model/types.h"

namespace drover::jobspec {

using Json = model::Json;

inline constexpr std::int64_t second_ns = 1'000'000'000;

// Gives a null or missing field its default.
inline void fill(Json& object, const char* name, Json value) {
  Json& field = object[name];
  if (field.is_null()) field = std::move(value);
}
// "" counts as unset for these.
inline void fill_text(Json& object, const char* name, std::string value) {
  Json& field = object[name];
  if (field.is_null() || field == "") field = std::move(value);
}
inline void null_when_empty(Json& object, const char* name) {
  Json& field = object[name];
  if ((field.is_object() || field.is_array()) && field.empty()) field = nullptr;
}
// The fields of `over` that are set, over those of `base`.
[[nodiscard]] Json merged(const Json& base, const Json& over);

void canonicalize_group(Json& group, const Json& job);
void canonicalize_task(Json& task, const Json& group, const Json& job);
void canonicalize_resources(Json& resources);
void canonicalize_logs(Json& logs);
void canonicalize_volume_mounts(Json& mounts);
void canonicalize_weights(Json& object);  // of affinities and spreads
void canonicalize_scaling(Json& policy);
// `task` is null for a group's service.
void canonicalize_service(Json& service, const Json* task, const Json& group, const Json& job);

}  // namespace drover::jobspec
