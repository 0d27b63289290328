#include "lib/lint/outline.h"

#include <algorithm>
#include <array>
#include <optional>

#include "lib/hcl/body.h"
#include "lib/jobspec/schema.h"
#include "sdk/base/text.h"

namespace drover::lint {

namespace {

using jobspec::Field;
using jobspec::Schema;
using jobspec::Shape;

struct Entry {
  std::string name;
  hcl::Range name_range;
  hcl::ExprPtr value;
};

// What an object says; nothing when the value is none.
std::vector<Entry> entries_of(const hcl::Expression& value) {
  std::vector<Entry> out;
  const auto* object = value.as<hcl::ObjectExpr>();
  if (object == nullptr) return out;
  for (const hcl::ObjectItem& item : object->items) {
    if (const auto* key = item.key->as<hcl::JsonTextExpr>()) out.push_back({key->text, item.key->range, item.value});
  }
  return out;
}

// The objects of an array, or the one object.
std::vector<hcl::ExprPtr> objects_of(const hcl::ExprPtr& value) {
  std::vector<hcl::ExprPtr> out;
  if (value->as<hcl::ObjectExpr>() != nullptr) out.push_back(value);
  if (const auto* tuple = value->as<hcl::TupleExpr>()) {
    std::ranges::copy_if(tuple->elements, std::back_inserter(out),
                         [](const hcl::ExprPtr& one) { return one->as<hcl::ObjectExpr>() != nullptr; });
  }
  return out;
}

// A text without the wrapping that marks it as one of JSON.
hcl::ExprPtr plain(const hcl::ExprPtr& value) {
  const auto* text = value->as<hcl::JsonTextExpr>();
  return text == nullptr ? value : text->inner;
}

// Where a block begins that has no label: at its name, or at its brace when it is one of several.
const hcl::Range& head_of(const Entry& entry, const hcl::Expression& object) {
  return entry.value.get() == &object ? entry.name_range : object.as<hcl::ObjectExpr>()->open_range;
}

void add_attribute(hcl::NativeBody& out, std::string name, const Entry& entry) {
  out.attributes.push_back(
      {std::move(name), plain(entry.value), hcl::between(entry.name_range, entry.value->range), entry.name_range});
}

void add_block(hcl::NativeBody& out, std::string type, std::optional<std::string> label, const hcl::Range& head,
               const hcl::Expression& value, hcl::NativeBody body) {
  hcl::NativeBlock block;
  block.type = std::move(type);
  block.type_range = head;
  if (label) {
    block.labels.push_back(std::move(*label));
    block.label_ranges.push_back(head);
  }
  block.open_range = value.start_range();
  block.close_range = value.range;
  body.range = body.end_range = value.range;
  block.body = std::make_shared<const hcl::NativeBody>(std::move(body));
  out.blocks.push_back(std::move(block));
}

// Bodies without a schema, such as `config`: objects are blocks.
void add_free(hcl::NativeBody& out, const std::string& name, const Entry& entry) {
  const auto objects = objects_of(entry.value);
  if (objects.empty()) return add_attribute(out, name, entry);
  for (const hcl::ExprPtr& object : objects) {
    hcl::NativeBody body;
    for (const Entry& inner : entries_of(*object)) add_free(body, inner.name, inner);
    add_block(out, name, std::nullopt, head_of(entry, *object), *object, std::move(body));
  }
}

bool is_free(const Field& field) {
  return field.shape == Shape::free_map || field.shape == Shape::text_map || field.shape == Shape::text_list_map;
}

// The JSON syntax of HCL: a label is one more object around.
hcl::NativeBody read_hcl(const hcl::Expression& object, const Schema& schema);

void add_hcl_blocks(hcl::NativeBody& out, const std::string& type, bool labelled, const Entry& entry,
                    const Schema& schema) {
  if (!labelled) {
    for (const hcl::ExprPtr& object : objects_of(entry.value))
      add_block(out, type, std::nullopt, head_of(entry, *object), *object, read_hcl(*object, schema));
    return;
  }
  for (const hcl::ExprPtr& labels : objects_of(entry.value)) {
    for (const Entry& label : entries_of(*labels)) {
      for (const hcl::ExprPtr& object : objects_of(label.value))
        add_block(out, type, label.name, label.name_range, *object, read_hcl(*object, schema));
    }
  }
}

void add_dynamic(hcl::NativeBody& out, const Entry& entry, const Schema& schema) {
  for (const hcl::ExprPtr& labels : objects_of(entry.value)) {
    for (const Entry& label : entries_of(*labels)) {
      const Field* field = schema.find(label.name);
      for (const hcl::ExprPtr& object : objects_of(label.value)) {
        hcl::NativeBody body;
        for (const Entry& inner : entries_of(*object)) {
          if (inner.name != "content")
            add_attribute(body, inner.name, inner);
          else if (field != nullptr && field->nested != nullptr)
            add_hcl_blocks(body, "content", false, inner, *field->nested);
          else
            add_free(body, "content", inner);
        }
        add_block(out, "dynamic", label.name, label.name_range, *object, std::move(body));
      }
    }
  }
}

hcl::NativeBody read_hcl(const hcl::Expression& object, const Schema& schema) {
  hcl::NativeBody out;
  for (const Entry& entry : entries_of(object)) {
    const Field* field = schema.find(entry.name);
    if (entry.name == "dynamic")
      add_dynamic(out, entry, schema);
    else if (field != nullptr && field->nested != nullptr)
      add_hcl_blocks(out, entry.name, !field->nested->label_json.empty(), entry, *field->nested);
    else if (field != nullptr && is_free(*field))
      add_free(out, entry.name, entry);
    else
      add_attribute(out, entry.name, entry);
  }
  return out;
}

// The API's form: a label is a field. Names are taken in any case, as the API does.
const Field* find_api(const Schema& schema, const std::string& json) {
  const std::string name = to_lower(json);
  const auto found = std::ranges::find_if(
      schema.fields, [&](const Field& field) { return !field.json.empty() && to_lower(field.json) == name; });
  return found == schema.fields.end() ? nullptr : &*found;
}

// What the file calls a field that has no name of its own in the tables.
std::string hcl_name(const Schema& schema, const Field& field) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 5> others{{{"LTarget", "attribute"},
                                                                                        {"RTarget", "value"},
                                                                                        {"Operand", "operator"},
                                                                                        {"Weight", "weight"},
                                                                                        {"Identity", "identity"}}};
  if (schema.special == jobspec::Special::network && field.json == "ReservedPorts") return "port";
  if (!field.hcl.empty()) return std::string(field.hcl);
  const auto found = std::ranges::find_if(others, [&](const auto& row) { return row.first == field.json; });
  return found == others.end() ? "" : std::string(found->second);
}

std::optional<Entry> label_of(const hcl::Expression& object, const Schema& schema) {
  if (schema.label_json.empty()) return std::nullopt;
  const std::string wanted = to_lower(schema.label_json);
  for (Entry& entry : entries_of(object)) {
    if (to_lower(entry.name) == wanted) return std::move(entry);
  }
  return std::nullopt;
}

hcl::NativeBody read_api(const hcl::Expression& object, const Schema& schema);

void add_api_block(hcl::NativeBody& out, const std::string& type, const hcl::Range& head, const hcl::Expression& object,
                   const Schema& schema) {
  const auto label = label_of(object, schema);
  const auto text = label ? hcl::literal_string(*plain(label->value)) : std::nullopt;
  add_block(out, type, text, text ? hcl::between(label->name_range, label->value->range) : head, object,
            read_api(object, schema));
}

hcl::NativeBody read_api(const hcl::Expression& object, const Schema& schema) {
  hcl::NativeBody out;
  for (const Entry& entry : entries_of(object)) {
    const Field* field = find_api(schema, entry.name);
    const std::string name = field == nullptr ? "" : hcl_name(schema, *field);
    if (name.empty()) continue;
    if (field->nested == nullptr) {
      if (is_free(*field))
        add_free(out, name, entry);
      else
        add_attribute(out, name, entry);
    } else if (field->shape == Shape::keyed) {
      for (const Entry& one : entries_of(*entry.value))
        add_block(out, name, one.name, one.name_range, *one.value, read_api(*one.value, *field->nested));
    } else {
      for (const hcl::ExprPtr& one : objects_of(entry.value))
        add_api_block(out, name, head_of(entry, *one), *one, *field->nested);
    }
  }
  return out;
}

std::vector<Entry> entries_of(const hcl::Body& file) {
  hcl::Diagnostics known;
  std::vector<Entry> out;
  for (hcl::Attribute& one : file.attributes(known))
    out.push_back({std::move(one.name), one.name_range, std::move(one.expression)});
  return out;
}

}  // namespace

std::shared_ptr<const hcl::NativeBody> outline(const hcl::Body& file) {
  if (file.native() != nullptr) return nullptr;
  auto out = std::make_shared<hcl::NativeBody>();
  for (const Entry& entry : entries_of(file)) {
    if (entry.name == "job")
      add_hcl_blocks(*out, "job", true, entry, jobspec::job_schema());
    else
      add_free(*out, entry.name, entry);
  }
  return out;
}

std::shared_ptr<const hcl::NativeBody> outline_of_api(const hcl::SourcePtr& file) {
  auto out = std::make_shared<hcl::NativeBody>();
  hcl::Diagnostics known;
  const auto body = hcl::parse_json(file, known);
  std::vector<Entry> entries = entries_of(*body);
  const auto whole = std::ranges::find_if(entries, [](const Entry& one) { return to_lower(one.name) == "job"; });
  if (whole != entries.end()) {
    add_api_block(*out, "job", whole->name_range, *whole->value, jobspec::job_schema());
    return out;
  }
  // The job alone: the file is its object.
  hcl::ObjectExpr object;
  object.json = true;
  for (Entry& one : entries)
    object.items.push_back({hcl::make_expression(hcl::JsonTextExpr{one.name, one.value}, one.name_range), one.value});
  const hcl::ExprPtr job = hcl::make_expression(std::move(object), {file, {}, {}});
  if (!entries.empty()) add_api_block(*out, "job", entries.front().name_range, *job, jobspec::job_schema());
  return out;
}

}  // namespace drover::lint
