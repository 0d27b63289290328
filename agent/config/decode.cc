#include "agent/config/decode.h"

#include <algorithm>
#include <charconv>

#include "sdk/base/text.h"

namespace drover::agent {
namespace {

std::string_view kind_name(Tree::Kind kind) {
  switch (kind) {
    case Tree::Kind::null: return "null";
    case Tree::Kind::text: return "a text";
    case Tree::Kind::number: return "a number";
    case Tree::Kind::boolean: return "true or false";
    case Tree::Kind::list: return "a list";
    case Tree::Kind::object: return "a block";
  }
  return "";
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

bool is_top_level(std::string_view key);

// Where decoding stands: the file and the dotted path.
struct Place {
  const std::string& file;
  std::string path;
  [[nodiscard]] Place in(std::string_view key) const { return Place{file, path.empty() ? std::string(key) : path + "." + std::string(key)}; }
  template <class... Args>
  Unexpected error(int line, fmt::format_string<Args...> format, Args&&... args) const {
    return fail(Code::invalid_argument, "{}:{}: {}", file, line, fmt::format(format, std::forward<Args>(args)...));
  }
  Unexpected wrong_kind(const Tree& tree, std::string_view wanted) const {
    return error(tree.line, "\"{}\" must be {}, not {}", path, wanted, kind_name(tree.kind));
  }
  Unexpected unknown_key(int line, std::string_view key, const std::vector<std::string>& known) const {
    std::string hint;
    std::size_t best = 4;
    for (const auto& name : known) {
      if (const auto d = edit_distance(key, name); d < best && d < std::max<std::size_t>(name.size() / 2, 2)) {
        best = d;
        hint = fmt::format("; did you mean \"{}\"?", name);
      }
    }
    // "node_name" for "name", "tls_ca_file" for "ca_file".
    for (const auto& name : known)
      if (hint.empty() && name.size() > 3 && key.ends_with("_" + name)) hint = fmt::format("; did you mean \"{}\"?", name);
    if (hint.empty() && !path.empty() && is_top_level(key)) hint = "; it belongs at the top level of the configuration";
    if (hint.empty()) {
      std::string list = join(known, ", ");
      if (list.size() > 300) list = list.substr(0, list.rfind(", ", 300)) + ", ...";
      hint = "; known keys: " + list;
    }
    if (path.empty()) return error(line, "unknown key \"{}\"{}", key, hint);
    return error(line, "unknown key \"{}\" in \"{}\"{}", key, path, hint);
  }
};


Result<> decode(const Tree& tree, std::string& out, const Place& place) {
  if (tree.kind != Tree::Kind::text && tree.kind != Tree::Kind::number && tree.kind != Tree::Kind::boolean)
    return place.wrong_kind(tree, "a text");
  out = tree.text;
  return {};
}
Result<> decode(const Tree& tree, bool& out, const Place& place) {
  const std::string word = to_lower(tree.text);
  if (tree.kind == Tree::Kind::boolean || tree.kind == Tree::Kind::text || tree.kind == Tree::Kind::number) {
    if (word == "true" || word == "1") { out = true; return {}; }
    if (word == "false" || word == "0" || word.empty()) { out = false; return {}; }
    return place.error(tree.line, "\"{}\" must be true or false, not {}", place.path, quote(tree.text));
  }
  return place.wrong_kind(tree, "true or false");
}
template <class N>
Result<> decode_number(const Tree& tree, N& out, const Place& place) {
  if (tree.kind != Tree::Kind::number && tree.kind != Tree::Kind::text) return place.wrong_kind(tree, "a number");
  const char* begin = tree.text.data();
  const char* end = begin + tree.text.size();
  const auto [at, problem] = std::from_chars(begin, end, out);
  if (problem != std::errc{} || at != end || begin == end)
    return place.error(tree.line, "\"{}\" must be a number, not {}", place.path, quote(tree.text));
  return {};
}
Result<> decode(const Tree& tree, std::int64_t& out, const Place& place) { return decode_number(tree, out, place); }
Result<> decode(const Tree& tree, double& out, const Place& place) { return decode_number(tree, out, place); }
Result<> decode(const Tree& tree, ConfigDuration& out, const Place& place) {
  if (tree.kind == Tree::Kind::number) {
    std::int64_t nanos = 0;
    DROVER_TRY(decode_number(tree, nanos, place));
    out.value = std::chrono::nanoseconds(nanos);
  } else if (tree.kind == Tree::Kind::text) {
    auto parsed = parse_duration(tree.text);
    if (!parsed)
      return place.error(tree.line, "\"{}\" must be a duration such as \"30s\" or \"1h30m\", not {}", place.path, quote(tree.text));
    out.value = *parsed;
  } else {
    return place.wrong_kind(tree, "a duration");
  }
  out.written = true;
  return {};
}
Result<> decode(const Tree& tree, std::vector<std::string>& out, const Place& place) {
  if (tree.kind == Tree::Kind::text) {
    out.push_back(tree.text);
    return {};
  }
  if (tree.kind != Tree::Kind::list) return place.wrong_kind(tree, "a list of texts");
  for (const auto& item : tree.items) {
    std::string text;
    DROVER_TRY(decode(item, text, place));
    out.push_back(std::move(text));
  }
  return {};
}
template <class T>
Result<> decode(const Tree& tree, std::optional<T>& out, const Place& place) {
  T value = out.value_or(T{});
  if constexpr (requires(T& t, int& v) { T::describe(t, v); }) DROVER_TRY(decode_block(tree, value, place));
  else DROVER_TRY(decode(tree, value, place));
  out = std::move(value);
  return {};
}

// Blocks are written as { ... } or, in JSON, also as a list of objects.
template <class F>
Result<> each_object(const Tree& tree, const Place& place, F&& use) {
  if (tree.kind == Tree::Kind::list) {
    for (const auto& item : tree.items) DROVER_TRY(each_object(item, place, use));
    return {};
  }
  if (tree.kind != Tree::Kind::object) return place.wrong_kind(tree, "a block");
  return use(tree);
}

Result<> decode(const Tree& tree, std::map<std::string, std::string>& out, const Place& place) {
  return each_object(tree, place, [&](const Tree& object) -> Result<> {
    for (const auto& member : object.members) {
      std::string text;
      DROVER_TRY(decode(member.tree(), text, place.in(member.key)));
      out[member.key] = std::move(text);
    }
    return {};
  });
}
template <class T>
Result<> decode(const Tree& tree, std::map<std::string, T>& out, const Place& place) {
  return each_object(tree, place, [&](const Tree& object) -> Result<> {
    for (const auto& member : object.members) {
      const Tree& value = member.tree();
      const bool blocks = value.kind == Tree::Kind::object || (value.kind == Tree::Kind::list && !value.items.empty() && value.items.front().kind == Tree::Kind::object);
      if (!blocks)
        return place.error(member.line, "\"{}\" needs a name: {} \"name\" {{ ... }}", place.path, place.path.substr(place.path.rfind('.') + 1));
      DROVER_TRY(decode_block(member.tree(), out[member.key], place.in(member.key)));
    }
    return {};
  });
}
template <class T>
Result<> decode(const Tree& tree, std::vector<std::pair<std::string, T>>& out, const Place& place) {
  return each_object(tree, place, [&](const Tree& object) -> Result<> {
    for (const auto& member : object.members) {
      T value;
      DROVER_TRY(decode_block(member.tree(), value, place.in(member.key)));
      out.emplace_back(member.key, std::move(value));
    }
    return {};
  });
}

// The keys of a Kept block: "a b{c d} e{*}", as (key, keys of its block or empty).
struct AllowedKey {
  std::string name;
  std::string_view inner;
};
std::vector<AllowedKey> allowed_keys(std::string_view keys) {
  std::vector<AllowedKey> out;
  std::size_t at = 0;
  while (at < keys.size()) {
    if (keys[at] == ' ') { ++at; continue; }
    const auto start = at;
    while (at < keys.size() && keys[at] != ' ' && keys[at] != '{') ++at;
    AllowedKey made{std::string(keys.substr(start, at - start)), {}};
    if (at < keys.size() && keys[at] == '{') {
      const auto open = ++at;
      for (int depth = 1; depth > 0; ++at) depth += keys[at] == '{' ? 1 : keys[at] == '}' ? -1 : 0;
      made.inner = keys.substr(open, at - open - 1);
    }
    out.push_back(std::move(made));
  }
  return out;
}
Result<> check_kept(const Tree& tree, std::string_view keys, const Place& place) {
  if (keys == "*") return {};
  const auto allowed = allowed_keys(keys);
  return each_object(tree, place, [&](const Tree& object) -> Result<> {
    for (const auto& member : object.members) {
      const auto found = std::find_if(allowed.begin(), allowed.end(), [&](const AllowedKey& key) { return key.name == member.key; });
      if (found == allowed.end()) {
        std::vector<std::string> names;
        for (const auto& key : allowed) names.push_back(key.name);
        return place.unknown_key(member.line, member.key, names);
      }
      if (!found->inner.empty()) DROVER_TRY(check_kept(member.tree(), found->inner, place.in(member.key)));
    }
    return {};
  });
}
Result<> decode_kept(const Tree& tree, Kept& out, std::string_view keys, const Place& place) {
  if (tree.kind != Tree::Kind::object && tree.kind != Tree::Kind::list) return place.wrong_kind(tree, "a block");
  DROVER_TRY(check_kept(tree, keys, place));
  out.json = to_json_text(tree.kind == Tree::Kind::list && tree.items.size() == 1 ? tree.items.front() : tree);
  return {};
}
// consul and vault: unlabelled, keyed by their own `name`; keyring: labelled by provider, keyed by provider and name.
Result<> decode_named_kept(const Tree& tree, std::map<std::string, Kept>& out, std::string_view keys, const Place& place, bool by_label) {
  return each_object(tree, place, [&](const Tree& object) -> Result<> {
    const auto name_of = [](const Tree& block) {
      for (const auto& member : block.members) if (member.key == "name") return member.tree().text;
      return std::string("default");
    };
    if (!by_label) return decode_kept(object, out[name_of(object)], keys, place);
    for (const auto& member : object.members) {
      const Place inner = place.in(member.key);
      DROVER_TRY(each_object(member.tree(), inner, [&](const Tree& block) -> Result<> {
        return decode_kept(block, out[member.key + "." + name_of(block)], keys, inner);
      }));
    }
    return {};
  });
}

// Finds the member a key names and decodes into it.
class KeyVisitor {
 public:
  KeyVisitor(const Member& member, const Place& place) : member_(member), place_(place) {}
  template <class T, class... Tags>
  void operator()(std::string_view name, T& field, const Tags&... tags) {
    if (found_ || member_.key != name) return;
    found_ = true;
    const Place place = place_.in(name);
    const Tree& tree = member_.tree();
    if constexpr (std::is_same_v<T, Kept>) {
      result_ = decode_kept(tree, field, (tags.keys, ...), place);
    } else if constexpr (std::is_same_v<T, std::map<std::string, Kept>>) {
      result_ = decode_named_kept(tree, field, (tags.keys, ...), place, name == "keyring");
    } else if constexpr (requires(T& t, KeyVisitor& v) { T::describe(t, v); }) {
      result_ = decode_block(tree, field, place);
    } else {
      result_ = decode(tree, field, place);
    }
  }
  bool found_ = false;
  Result<> result_;

 private:
  const Member& member_;
  const Place& place_;
};
struct NamesVisitor {
  std::vector<std::string> names;
  template <class T, class... Tags>
  void operator()(std::string_view name, T&, const Tags&...) { names.emplace_back(name); }
};

bool is_top_level(std::string_view key) {
  NamesVisitor names;
  Config config;
  Config::describe(config, names);
  return std::find(names.names.begin(), names.names.end(), key) != names.names.end();
}

template <class T>
Result<> decode_block(const Tree& tree, T& out, const Place& place) {
  return each_object(tree, place, [&](const Tree& object) -> Result<> {
    for (const auto& member : object.members) {
      KeyVisitor visitor(member, place);
      T::describe(out, visitor);
      if (!visitor.result_) return visitor.result_;
      if (visitor.found_) continue;
      if (place.path == "client" && member.key == "stats") continue;  // silently ignored upstream
      NamesVisitor names;
      T::describe(out, names);
      return place.unknown_key(member.line, member.key, names.names);
    }
    return {};
  });
}

}  // namespace

Result<Config> decode_config(const Tree& tree, const std::string& name) {
  Config out;
  const Place place{name, {}};
  DROVER_TRY(decode_block(tree, out, place));
  if (!out.protocol_version.empty()) out.warnings.push_back("\"protocol_version\" has no effect any more; remove it from " + name);
  out.files.push_back(name);
  return out;
}

}  // namespace drover::agent
