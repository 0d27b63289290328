#include "lib/http/headers.h"

#include <strings.h>

namespace drover::http {

bool iequals(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

Headers::Headers(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  for (const auto& [name, value] : fields) add(name, value);
}

void Headers::add(std::string_view name, std::string_view value) {
  if (entries_.empty()) {
    entries_.reserve(8);
    text_.reserve(256);
  }
  const auto start = static_cast<std::uint32_t>(text_.size());
  text_.append(name).append(value);
  entries_.push_back({start, static_cast<std::uint32_t>(name.size()), static_cast<std::uint32_t>(start + name.size()),
                      static_cast<std::uint32_t>(value.size())});
}

void Headers::set(std::string_view name, std::string_view value) {
  remove(name);
  add(name, value);
}

void Headers::remove(std::string_view name) {
  std::erase_if(entries_, [&](const Entry& entry) {
    return iequals(std::string_view(text_).substr(entry.name, entry.name_size), name);
  });
}

std::string_view Headers::get(std::string_view name) const { return find(name).value_or(std::string_view()); }

std::optional<std::string_view> Headers::find(std::string_view name) const {
  const std::string_view text(text_);
  for (const auto& entry : entries_) {
    if (entry.name_size == name.size() && iequals(text.substr(entry.name, entry.name_size), name)) {
      return text.substr(entry.value, entry.value_size);
    }
  }
  return std::nullopt;
}

bool Headers::has_token(std::string_view name, std::string_view token) const {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    auto [field, rest] = at(i);
    if (!iequals(field, name)) continue;
    while (!rest.empty()) {
      const auto comma = rest.find(',');
      auto part = rest.substr(0, comma);
      while (!part.empty() && (part.front() == ' ' || part.front() == '\t')) part.remove_prefix(1);
      while (!part.empty() && (part.back() == ' ' || part.back() == '\t')) part.remove_suffix(1);
      if (iequals(part, token)) return true;
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return false;
}

std::pair<std::string_view, std::string_view> Headers::at(std::size_t index) const {
  const auto& entry = entries_[index];
  const std::string_view text(text_);
  return {text.substr(entry.name, entry.name_size), text.substr(entry.value, entry.value_size)};
}

void Headers::clear() {
  entries_.clear();
  text_.clear();
}

}  // namespace drover::http
