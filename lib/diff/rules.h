// How a type appears in a diff beyond its flat fields: one table per type, a specialisation of Rules.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lib/diff/fields.h"

namespace drover::diff {

template <class T>
class Nested;

// The common case: all flat fields, nothing nested.
struct PlainRules {
  static constexpr Names skip{};
  static constexpr bool pointers = false;         // scalars that may be null are fields too
  static constexpr bool shows_unchanged = true;   // in a contextual diff
  template <class T>
  static void nested(Nested<T>&) {}
};

template <class T>
struct Rules : PlainRules {};

// Of two objects either of which may be missing; nothing when they are equal. The kind of change is which side is missing.
template <class T>
[[nodiscard]] std::optional<ObjectDiff> object_diff(const char* name, const T* before, const T* after, bool contextual);

// As above, but of the flat fields alone: a change that they do not show is none.
template <class T>
[[nodiscard]] std::optional<ObjectDiff> fields_diff(const char* name, const T* before, const T* after, bool contextual, Names skip = Rules<T>::skip) {
  ObjectDiff out{.type = {}, .name = name, .fields = {}, .objects = {}};
  const auto flat = [skip](const T* value) { return value == nullptr ? Flat{} : flatten(*value, skip, Rules<T>::pointers); };
  out.fields = field_diffs(flat(before), flat(after), contextual);
  out.type = type_of(out.fields);
  if (out.type == type::none) return std::nullopt;
  return out;
}

// Collects the nested objects of two values of one type, in the order of the calls.
template <class T>
class Nested {
 public:
  Nested(const T& before, const T& after, bool contextual, List<ObjectDiff>& out) : before_(before), after_(after), contextual_(contextual), out_(out) {}

  template <class U>
  void object(const char* name, model::Box<U> T::*member) {
    add(object_diff(name, (before_.*member).get(), (after_.*member).get(), contextual_));
  }
  template <class U>
  void fields(const char* name, model::Box<U> T::*member, Names skip = Rules<U>::skip) {
    add(fields_diff(name, (before_.*member).get(), (after_.*member).get(), contextual_, skip));
  }
  template <class U>
  void value(const char* name, U T::*member) {
    add(fields_diff(name, &(before_.*member), &(after_.*member), contextual_));
  }
  void texts(const char* name, List<std::string> T::*member) { add(text_set(name, before_.*member, after_.*member, contextual_)); }
  void json(const char* name, model::Any T::*member, bool shows_unchanged = true) {
    flat(name, flatten_json(before_.*member), flatten_json(after_.*member), shows_unchanged);
  }
  // Two maps of texts; they differ as a whole.
  void flat(const char* name, const Flat& before, const Flat& after, bool shows_unchanged = true) {
    if (before == after) return;
    const char* kind = before.empty() ? type::added : after.empty() ? type::deleted : type::edited;
    add(ObjectDiff{.type = kind, .name = name, .fields = field_diffs(before, after, contextual_ && shows_unchanged), .objects = {}});
  }
  // Elements are the same when they are equal: a change is one deleted and one added.
  template <class U>
  void set(const char* name, List<U> T::*member) {
    keyed(name, member, [](const U& a, const U& b) { return a == b; });
  }
  // Elements are the same when `same` says so.
  template <class U, class Same>
  void keyed(const char* name, List<U> T::*member, const Same& same) {
    keyed(member, same, [&](const U* before, const U* after) { return object_diff(name, before, after, contextual_); });
  }
  template <class U, class Same, class Diff>
  void keyed(List<U> T::*member, const Same& same, const Diff& difference) {
    const List<U>& before = before_.*member;
    const List<U>& after = after_.*member;
    List<ObjectDiff> found;
    std::vector<bool> taken(after.size());
    for (const U& item : before) {
      const U* partner = nullptr;
      for (std::size_t i = 0; i < after.size() && partner == nullptr; i++) {
        if (taken[i] || !same(item, after[i])) continue;
        taken[i] = true;
        partner = &after[i];
      }
      if (auto diff = difference(&item, partner)) found.push_back(std::move(*diff));
    }
    for (std::size_t i = 0; i < after.size(); i++) {
      if (taken[i]) continue;
      if (auto diff = difference(nullptr, &after[i])) found.push_back(std::move(*diff));
    }
    add_sorted(std::move(found));
  }
  void add(std::optional<ObjectDiff> diff) {
    if (diff) out_.push_back(std::move(*diff));
  }
  void add_sorted(List<ObjectDiff> found) {
    sort_objects(found);
    for (ObjectDiff& diff : found) out_.push_back(std::move(diff));
  }

  [[nodiscard]] const T& before() const { return before_; }
  [[nodiscard]] const T& after() const { return after_; }
  [[nodiscard]] bool contextual() const { return contextual_; }

 private:
  const T& before_;
  const T& after_;
  bool contextual_;
  List<ObjectDiff>& out_;
};

template <class T>
std::optional<ObjectDiff> object_diff(const char* name, const T* before, const T* after, bool contextual) {
  if (before == nullptr ? after == nullptr : after != nullptr && *before == *after) return std::nullopt;
  const char* kind = before == nullptr ? type::added : after == nullptr ? type::deleted : type::edited;
  ObjectDiff out{.type = kind, .name = name, .fields = {}, .objects = {}};
  const auto flat = [](const T* value) { return value == nullptr ? Flat{} : flatten(*value, Rules<T>::skip, Rules<T>::pointers); };
  out.fields = field_diffs(flat(before), flat(after), contextual && Rules<T>::shows_unchanged);
  const T missing{};
  Nested<T> nested(before == nullptr ? missing : *before, after == nullptr ? missing : *after, contextual, out.objects);
  Rules<T>::nested(nested);
  return out;
}

}  // namespace drover::diff
