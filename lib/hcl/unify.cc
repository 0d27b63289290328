#include <algorithm>
#include <numeric>

#include "lib/hcl/convert.h"
#include "lib/hcl/limits.h"

namespace drover::hcl {

namespace {

using Types = std::vector<Type>;

int compare(const Type& a, const Type& b);

// Of two lists of as many types: which is more general in some places and less so in none.
template <class Get>
int compare_each(std::size_t count, Get get) {
  bool a_wider = false;
  bool b_wider = false;
  for (std::size_t i = 0; i < count; i++) {
    const auto [a, b] = get(i);
    const int order = compare(*a, *b);
    a_wider = a_wider || order < 0;
    b_wider = b_wider || order > 0;
  }
  return a_wider == b_wider ? 0 : a_wider ? -1 : 1;
}

int compare_objects(const Type& a, const Type& b) {
  if (a.attributes().size() != b.attributes().size()) return 0;
  std::vector<std::pair<const Type*, const Type*>> pairs;
  for (const auto& [name, type] : a.attributes()) {
    const auto other = b.attributes().find(name);
    if (other == b.attributes().end()) return 0;
    pairs.emplace_back(&type, &other->second);
  }
  return compare_each(pairs.size(), [&](std::size_t i) { return pairs[i]; });
}

// Which of several kinds is to be preferred when they meet.
int generality(Kind kind) {
  switch (kind) {
    case Kind::list: case Kind::map: return 2;
    case Kind::tuple: case Kind::object: return 1;
    default: return 0;
  }
}
bool is_sequence(Kind kind) { return kind == Kind::list || kind == Kind::set || kind == Kind::tuple; }
bool is_mapping(Kind kind) { return kind == Kind::map || kind == Kind::object; }

// Negative when `a` is to be preferred as the type that both become, positive for `b`.
int compare(const Type& a, const Type& b) {
  // Anything may turn out to be what its neighbours are, so dynamic comes last.
  if (a.is_dynamic() || b.is_dynamic()) return a.is_dynamic() == b.is_dynamic() ? 0 : a.is_dynamic() ? 1 : -1;
  if (a.is_primitive() && b.is_primitive()) return (b.kind() == Kind::string) - (a.kind() == Kind::string);
  if (a.kind() == b.kind()) {
    if (a.is_collection()) return compare(a.element(), b.element());
    if (a.kind() == Kind::object) return compare_objects(a, b);
    if (a.elements().size() != b.elements().size()) return 0;
    return compare_each(a.elements().size(), [&](std::size_t i) { return std::pair(&a.elements()[i], &b.elements()[i]); });
  }
  if ((is_sequence(a.kind()) && is_sequence(b.kind())) || (is_mapping(a.kind()) && is_mapping(b.kind()))) return generality(b.kind()) - generality(a.kind());
  return 0;
}

// The most general first; what cannot be compared keeps its order.
std::vector<std::size_t> by_preference(const Types& types) {
  std::vector<std::vector<std::size_t>> less_general(types.size());
  std::vector<std::size_t> waiting(types.size());
  for (std::size_t i = 0; i < types.size(); i++) {
    for (std::size_t j = i + 1; j < types.size(); j++) {
      const int order = compare(types[i], types[j]);
      if (order == 0) continue;
      less_general[order < 0 ? i : j].push_back(order < 0 ? j : i);
      waiting[order < 0 ? j : i]++;
    }
  }
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < types.size(); i++) {
    if (waiting[i] == 0) out.push_back(i);
  }
  for (std::size_t at = 0; at < out.size(); at++) {
    for (const std::size_t next : less_general[out[at]]) {
      if (--waiting[next] == 0) out.push_back(next);
    }
  }
  return out;
}

Type collection(Kind kind, Type element) {
  return kind == Kind::list ? Type::list(std::move(element)) : kind == Kind::set ? Type::set(std::move(element)) : Type::map(std::move(element));
}

std::optional<Type> unify_collections(Kind kind, const Types& types) {
  Types elements;
  for (const Type& type : types) elements.push_back(type.element());
  const auto common = unify(elements);
  return common ? std::optional<Type>(collection(kind, *common)) : std::nullopt;
}

// Objects as a map, tuples as a list.
std::optional<Type> as_collection(const Types& types) {
  Types inner;
  const bool objects = types.front().kind() == Kind::object;
  for (const Type& type : types) {
    if (!objects) inner.insert(inner.end(), type.elements().begin(), type.elements().end());
    for (const auto& [name, attribute] : type.attributes()) inner.push_back(attribute);
  }
  const auto common = unify(inner);
  if (!common) return std::nullopt;
  Type out = collection(objects ? Kind::map : Kind::list, *common);
  const bool fits = std::all_of(types.begin(), types.end(), [&](const Type& type) { return convertible(type, out); });
  return fits ? std::optional<Type>(std::move(out)) : std::nullopt;
}

std::optional<Type> unify_objects(const Types& types) {
  const auto& first = types.front().attributes();
  for (const Type& type : types) {
    const bool same = type.attributes().size() == first.size() &&
                      std::all_of(first.begin(), first.end(), [&](const auto& entry) { return type.attributes().contains(entry.first); });
    if (!same) return as_collection(types);
  }
  std::map<std::string, Type, std::less<>> attributes;
  for (const auto& [name, unused] : first) {
    Types across;
    for (const Type& type : types) across.push_back(type.attributes().find(name)->second);
    auto common = unify(across);
    if (!common) return std::nullopt;
    attributes.emplace_hint(attributes.end(), name, *common);
  }
  return Type::object(std::move(attributes));
}

std::optional<Type> unify_tuples(const Types& types) {
  const std::size_t size = types.front().elements().size();
  if (std::any_of(types.begin(), types.end(), [&](const Type& type) { return type.elements().size() != size; })) return as_collection(types);
  Types elements;
  for (std::size_t i = 0; i < size; i++) {
    Types across;
    for (const Type& type : types) across.push_back(type.elements()[i]);
    auto common = unify(across);
    if (!common) return std::nullopt;
    elements.push_back(*common);
  }
  return Type::tuple(std::move(elements));
}

// Some are collections already, the others of `structural` kind: as if those were collections too.
std::optional<Type> unify_structures_as_collections(const Types& types, Kind structural, Kind wanted) {
  Types structures;
  std::copy_if(types.begin(), types.end(), std::back_inserter(structures), [&](const Type& type) { return type.kind() == structural; });
  const auto instead = as_collection(structures);
  if (!instead) return std::nullopt;
  Types replaced = types;
  std::replace_if(replaced.begin(), replaced.end(), [&](const Type& type) { return type.kind() == structural; }, *instead);
  auto common = unify(replaced);
  return common && common->kind() == wanted ? common : std::nullopt;
}

}  // namespace

std::optional<Type> unify(const std::vector<Type>& types) {
  if (types.empty()) return std::nullopt;
  const auto count = [&](Kind kind) { return static_cast<std::size_t>(std::count_if(types.begin(), types.end(), [&](const Type& t) { return t.kind() == kind; })); };
  const std::size_t dynamics = count(Kind::dynamic);
  const auto only = [&](Kind kind) { return count(kind) > 0 && count(kind) + dynamics == types.size(); };
  for (const Kind kind : {Kind::map, Kind::list, Kind::set}) {
    // What becomes of a dynamic neighbour is open, and so is the result.
    if (only(kind)) return dynamics > 0 ? std::optional<Type>(Type::dynamic()) : unify_collections(kind, types);
    if (kind == Kind::set) continue;
    const Kind structural = kind == Kind::map ? Kind::object : Kind::tuple;
    if (count(kind) > 0 && count(kind) + count(structural) + dynamics == types.size()) {
      if (auto common = unify_structures_as_collections(types, structural, kind)) return common;
      break;
    }
  }
  if (only(Kind::object)) return dynamics > 0 ? std::optional<Type>(Type::dynamic()) : unify_objects(types);
  if (only(Kind::tuple)) return dynamics > 0 ? std::optional<Type>(Type::dynamic()) : unify_tuples(types);
  if (count(Kind::object) > 0 && count(Kind::tuple) > 0) return std::nullopt;
  Types distinct;
  for (const Type& type : types) {
    if (std::find(distinct.begin(), distinct.end(), type) == distinct.end()) distinct.push_back(type);
    // each is held against each of the others.
    if (distinct.size() > max_distinct_types) return std::nullopt;
  }
  for (const std::size_t at : by_preference(distinct)) {
    const Type& want = distinct[at];
    if (std::all_of(distinct.begin(), distinct.end(), [&](const Type& type) { return type == want || convertible(type, want); })) return want;
  }
  return std::nullopt;
}

}  // namespace drover::hcl
