#include "lib/diff/fields.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

namespace drover::diff {
namespace {

FieldDiff field_diff(const std::string& name, const std::string& before, const std::string& after) {
  const char* kind = before == after ? type::none : before.empty() ? type::added : after.empty() ? type::deleted : type::edited;
  return FieldDiff{.type = kind, .name = name, .old = before, .new_ = after, .annotations = {}};
}

bool less(const FieldDiff& a, const FieldDiff& b) { return std::tie(a.name, a.old, a.new_) < std::tie(b.name, b.old, b.new_); }

int rank(const std::string& kind) {
  return kind == type::edited ? 0 : kind == type::added ? 1 : kind == type::deleted ? 2 : 3;
}

// Objects of one name, kind and size are "less" when any field or object of theirs is. Two may each be less than the other.
bool less(const ObjectDiff& a, const ObjectDiff& b) {
  if (a == b) return false;
  const auto head = [](const ObjectDiff& o) { return std::tuple(std::string_view(o.name), rank(o.type), o.fields.size(), o.objects.size()); };
  if (head(a) != head(b)) return head(a) < head(b);
  for (std::size_t i = 0; i < a.fields.size(); i++) {
    if (less(a.fields[i], b.fields[i])) return true;
  }
  for (std::size_t i = 0; i < a.objects.size(); i++) {
    if (less(a.objects[i], b.objects[i])) return true;
  }
  return false;
}

void flatten_into(Flat& out, const std::string& name, const model::Json& value) {
  if (value.is_object()) {
    for (const auto& [key, member] : value.items()) flatten_into(out, name.empty() ? key : fmt::format("{}[{}]", name, key), member);
  } else if (value.is_array()) {
    std::size_t i = 0;
    for (const auto& element : value) flatten_into(out, fmt::format("{}[{}]", name, i++), element);
  } else if (value.is_string()) {
    out[name] = value.get<std::string>();
  } else if (value.is_null()) {
    out[name] = "nil";
  } else if (value.is_number_float() && value.get<double>() == static_cast<double>(static_cast<std::int64_t>(value.get<double>()))) {
    out[name] = fmt::format("{}", static_cast<std::int64_t>(value.get<double>()));
  } else {
    out[name] = value.dump();
  }
}

}  // namespace

List<FieldDiff> field_diffs(const Flat& before, const Flat& after, bool contextual) {
  List<FieldDiff> out;
  const auto add = [&](const std::string& name, const std::string& old_text, const std::string& new_text) {
    if (contextual || old_text != new_text) out.push_back(field_diff(name, old_text, new_text));
  };
  for (const auto& [name, text] : before) {
    const auto at = after.find(name);
    add(name, text, at == after.end() ? "" : at->second);
  }
  for (const auto& [name, text] : after) {
    if (!before.contains(name)) add(name, "", text);
  }
  std::ranges::sort(out, [](const FieldDiff& a, const FieldDiff& b) { return less(a, b); });
  return out;
}

const char* type_of(const List<FieldDiff>& fields) {
  bool added = false;
  bool deleted = false;
  for (const FieldDiff& field : fields) {
    if (field.type == type::edited) return type::edited;
    added = added || field.type == type::added;
    deleted = deleted || field.type == type::deleted;
  }
  return added && deleted ? type::edited : added ? type::added : deleted ? type::deleted : type::none;
}

std::optional<ObjectDiff> text_set(const char* name, const List<std::string>& before, const List<std::string>& after, bool contextual) {
  const std::set<std::string> old_texts(before.begin(), before.end());
  const std::set<std::string> new_texts(after.begin(), after.end());
  ObjectDiff out{.type = {}, .name = name, .fields = {}, .objects = {}};
  for (const std::string& text : old_texts) {
    if (!new_texts.contains(text)) out.fields.push_back(field_diff(name, text, ""));
    else if (contextual) out.fields.push_back(field_diff(name, text, text));
  }
  for (const std::string& text : new_texts) {
    if (!old_texts.contains(text)) out.fields.push_back(field_diff(name, "", text));
  }
  if (out.fields.empty()) return std::nullopt;
  std::ranges::sort(out.fields, [](const FieldDiff& a, const FieldDiff& b) { return less(a, b); });
  out.type = type_of(out.fields);
  return out;
}

void sort_objects(List<ObjectDiff>& objects) {
  // By insertion: `less` is no strict order, and this is the way that ends, and ends the same, whatever it says.
  for (std::size_t i = 1; i < objects.size(); i++) {
    for (std::size_t j = i; j > 0 && less(objects[j], objects[j - 1]); j--) std::swap(objects[j], objects[j - 1]);
  }
}

Flat flatten_json(const model::Any& value) {
  Flat out;
  const model::Json& json = value.json();
  if (json.is_object()) flatten_into(out, "", json);
  return out;
}

}  // namespace drover::diff
