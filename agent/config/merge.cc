// Two configurations to one, by the merge rule of each field (client.md 1.1).
#include <tuple>

#include "agent/config/load.h"

namespace drover::agent {
namespace {

// Collects pointers to the fields of the later value, in describe order, to walk both sides together.
struct Pointers {
  std::vector<const void*> at;
  template <class T, class... Tags>
  void operator()(std::string_view, const T& field, const Tags&...) { at.push_back(&field); }
};

template <class T> void merge_block(T& base, const T& later);

void merge(std::string& base, const std::string& later) { if (!later.empty()) base = later; }
void merge(std::int64_t& base, std::int64_t later) { if (later != 0) base = later; }
void merge(double& base, double later) { if (later != 0) base = later; }
void merge(bool& base, bool later) { base = base || later; }
void merge(ConfigDuration& base, const ConfigDuration& later) { if (later.value.count() != 0) base = later; }
void merge(Kept& base, const Kept& later) { if (!later.json.empty()) base = later; }
void merge(std::map<std::string, std::string>& base, const std::map<std::string, std::string>& later) {
  for (const auto& [key, value] : later) base[key] = value;
}
template <class T>
void merge(std::optional<T>& base, const std::optional<T>& later) { if (later) base = later; }
template <class T>
void merge(std::map<std::string, T>& base, const std::map<std::string, T>& later) {
  for (const auto& [key, value] : later) {
    if constexpr (std::is_same_v<T, Kept>) merge(base[key], value);
    else merge_block(base[key], value);
  }
}
template <class T>
void append(std::vector<T>& base, const std::vector<T>& later) { base.insert(base.end(), later.begin(), later.end()); }

struct Merger {
  const std::vector<const void*>& later;
  std::size_t next = 0;
  template <class T>
  const T& take() { return *static_cast<const T*>(later[next++]); }
  template <class T>
  void operator()(std::string_view, std::vector<T>& field, AppendTag) { append(field, take<std::vector<T>>()); }
  template <class T>
  void operator()(std::string_view, std::vector<T>& field, ReplaceTag) {
    if (const auto& value = take<std::vector<T>>(); !value.empty()) field = value;
  }
  template <class T>
  void operator()(std::string_view, std::vector<std::pair<std::string, T>>& field) { append(field, take<std::vector<std::pair<std::string, T>>>()); }
  template <class T>
  void operator()(std::string_view, T& field) {
    if constexpr (requires(T& t, Pointers& v) { T::describe(t, v); }) merge_block(field, take<T>());
    else merge(field, take<T>());
  }
  template <class T>
  void operator()(std::string_view name, T& field, KeysTag) { (*this)(name, field); }
};

template <class T>
void merge_block(T& base, const T& later) {
  Pointers pointers;
  T::describe(later, pointers);
  Merger merger{pointers.at};
  T::describe(base, merger);
}

}  // namespace

Config merge_config(Config base, const Config& later) {
  merge_block(base, later);
  base.dev_mode = base.dev_mode || later.dev_mode;
  append(base.files, later.files);
  append(base.warnings, later.warnings);
  if (!later.client_intro_token.empty()) base.client_intro_token = later.client_intro_token;
  return base;
}

}  // namespace drover::agent
