#include <fmt/format.h>

#include "lib/hcl/convert.h"
#include "sdk/base/text.h"

namespace drover::hcl {

namespace {

std::string is_required(const Type& type) { return type.constraint_name() + " required"; }

std::string missing_attributes(const std::vector<std::string>& names) {
  if (names.size() == 1) return fmt::format("attribute {} is required", quote(names[0]));
  if (names.size() == 2) return fmt::format("attributes {} and {} are required", quote(names[0]), quote(names[1]));
  std::string list;
  for (std::size_t i = 0; i + 1 < names.size(); i++) list += quote(names[i]) + ", ";
  return fmt::format("attributes {}and {} are required", list, quote(names.back()));
}

std::string of_objects(const Type& got, const Type& want) {
  std::vector<std::string> missing;
  std::string first;
  for (const auto& [name, type] : want.attributes()) {
    const auto found = got.attributes().find(name);
    if (found == got.attributes().end()) missing.push_back(name);
    else if (first.empty() && !convertible(found->second, type)) first = fmt::format("attribute {}: {}", quote(name), mismatch(found->second, type));
  }
  if (!missing.empty()) return missing_attributes(missing);
  return first.empty() ? "incorrect object attributes" : first;
}

// A tuple or an object where a collection is wanted.
std::string of_structure(const Type& got, const Type& want) {
  if ((got.kind() == Kind::tuple) != (want.kind() != Kind::map)) return is_required(want);
  if (got.kind() == Kind::tuple) {
    for (std::size_t i = 0; i < got.elements().size(); i++) {
      if (!convertible(got.elements()[i], want.element())) return fmt::format("element {}: {}", i, mismatch(got.elements()[i], want.element()));
    }
  } else {
    for (const auto& [name, type] : got.attributes()) {
      if (!convertible(type, want.element())) return fmt::format("element {}: {}", quote(name), mismatch(type, want.element()));
    }
  }
  return fmt::format("all elements must be {}", want.element().constraint_name());
}

std::string of_collections(const Type& got, const Type& want) {
  if ((got.kind() == Kind::map) != (want.kind() == Kind::map)) return is_required(want);
  const char* noun = want.kind() == Kind::list ? "list" : want.kind() == Kind::set ? "set" : "map";
  return fmt::format("incorrect {} element type: {}", noun, mismatch(got.element(), want.element()));
}

// Naming both types helps unless values of one sometimes do convert: then only the wanted one is named.
bool better_name_both(const Type& got, const Type& want) {
  if (got.is_primitive() != want.is_primitive() || want.kind() == Kind::string) return true;
  if ((want.kind() == Kind::boolean && got.kind() == Kind::number) || (want.kind() == Kind::number && got.kind() == Kind::boolean)) return true;
  return got.kind() == Kind::tuple && want.kind() == Kind::object;
}

}  // namespace

std::string mismatch(const Type& got, const Type& want) {
  if (got.kind() == Kind::object && want.kind() == Kind::object) return of_objects(got, want);
  if (want.is_collection() && want.element().is_dynamic()) {
    if (got.kind() == Kind::tuple && want.kind() == Kind::list) return "all list elements must have the same type";
    if (got.kind() == Kind::tuple && want.kind() == Kind::set) return "all set elements must have the same type";
    if (got.kind() == Kind::object && want.kind() == Kind::map) return "all map elements must have the same type";
  }
  if ((got.kind() == Kind::tuple || got.kind() == Kind::object) && want.is_collection()) return of_structure(got, want);
  if (got.is_collection() && want.is_collection()) return of_collections(got, want);
  if (better_name_both(got, want)) return fmt::format("{} required, but have {}", want.friendly_name(), got.friendly_name());
  return is_required(want);
}

}  // namespace drover::hcl
