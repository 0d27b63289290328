// What each block of a job file may hold, and what the API's JSON calls it. One table per block: decoding, filling in of absent
// fields and the list of accepted names all come from here.
//
// Tables are constants. `nullable` tells the API's pointers (null when unset) from its plain fields (zero when unset).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/hcl/body.h"

namespace drover::jobspec {

enum class Shape : unsigned char {
  text, integer, int8, uint8, uint16, uint32, uint64, boolean, duration,
  text_list, uint16_list,
  text_map,       // name = "text" pairs
  text_list_map,  // name = ["text"] pairs
  free_map,       // anything: driver configuration and the like
  one,            // a block at most once
  many,           // a block any number of times
  keyed,          // labelled blocks, a JSON object by label
};

// How a map is written.
enum class Form : unsigned char { block, attribute, either };

// Blocks whose meaning is more than their fields.
enum class Special : unsigned char { none, constraint, affinity, network, scaling_group, scaling_task };

struct Schema;

struct Field {
  std::string_view hcl;   // empty: only in JSON
  std::string_view json;  // empty: accepted and dropped
  Shape shape = Shape::text;
  bool nullable = false;
  const Schema* nested = nullptr;
  Form form = Form::block;
  bool required = false;
  bool omit_when_unset = false;
  const char* preset = nullptr;  // JSON text of the value an absent field gets while parsing
};

struct Schema {
  Schema(std::string_view label_json, std::string_view label_name, Special special, std::vector<Field> fields);

  std::string_view label_json;  // the field that takes the label; empty: no label
  std::string_view label_name;  // its name in messages
  Special special = Special::none;
  std::vector<Field> fields;
  hcl::BodySchema body;         // what a block of it may hold, made of the fields

  [[nodiscard]] const Field* find(std::string_view hcl) const;
};

// Attributes of the blocks that are written in shorthand: constraint and affinity.
[[nodiscard]] const std::vector<std::string>& shorthand_names(Special special);

// Whether a field is written as a block, as an attribute, or as either.
[[nodiscard]] bool may_be_block(const Field& field);
[[nodiscard]] bool may_be_attribute(const Field& field);

[[nodiscard]] const Schema& job_schema();
[[nodiscard]] const Schema& group_schema();
[[nodiscard]] const Schema& task_schema();
[[nodiscard]] const Schema& service_schema();
[[nodiscard]] const Schema& connect_schema();
[[nodiscard]] const Schema& check_restart_schema();
[[nodiscard]] const Schema& identity_schema();
[[nodiscard]] const Schema& constraint_schema();
[[nodiscard]] const Schema& affinity_schema();
[[nodiscard]] const Schema& spread_schema();
[[nodiscard]] const Schema& network_schema();
[[nodiscard]] const Schema& port_schema();
[[nodiscard]] const Schema& resources_schema();
[[nodiscard]] const Schema& logs_schema();
[[nodiscard]] const Schema& volume_mount_schema();
[[nodiscard]] const Schema& restart_schema();
[[nodiscard]] const Schema& reschedule_schema();
[[nodiscard]] const Schema& update_schema();
[[nodiscard]] const Schema& migrate_schema();
[[nodiscard]] const Schema& vault_schema();
[[nodiscard]] const Schema& consul_schema();
[[nodiscard]] const Schema& secret_schema();
[[nodiscard]] const Schema& scaling_schema();
[[nodiscard]] const Schema& scaling_task_schema();

}  // namespace drover::jobspec
