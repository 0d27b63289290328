// Short ways to write a Field. Only for the schema tables.
#pragma once

#include "lib/jobspec/schema.h"

namespace drover::jobspec::table {

inline Field plain(std::string_view hcl, std::string_view json, Shape shape = Shape::text) { return {hcl, json, shape}; }
inline Field maybe(std::string_view hcl, std::string_view json, Shape shape = Shape::text) { return {hcl, json, shape, true}; }
inline Field preset(std::string_view hcl, std::string_view json, Shape shape, const char* value) {
  Field field{hcl, json, shape};
  field.preset = value;
  return field;
}
inline Field list(std::string_view hcl, std::string_view json) { return {hcl, json, Shape::text_list, true}; }
inline Field map(std::string_view hcl, std::string_view json, Form form = Form::block) { return {hcl, json, Shape::text_map, true, nullptr, form}; }
inline Field free_map(std::string_view hcl, std::string_view json) { return {hcl, json, Shape::free_map, true}; }
inline Field one(std::string_view hcl, std::string_view json, const Schema& nested) { return {hcl, json, Shape::one, true, &nested}; }
inline Field many(std::string_view hcl, std::string_view json, const Schema& nested) { return {hcl, json, Shape::many, true, &nested}; }
inline Field keyed(std::string_view hcl, std::string_view json, const Schema& nested) { return {hcl, json, Shape::keyed, true, &nested}; }
inline Field required(Field field) {
  field.required = true;
  return field;
}

}  // namespace drover::jobspec::table
